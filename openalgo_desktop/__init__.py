"""OpenAlgo Desktop: a native trading terminal with the OpenAlgo local API inside."""

__version__ = "0.1.0"
