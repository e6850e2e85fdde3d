"""The keeper of one run: a small process between the engine and a hosted script.

It is started as ``python -I -S __main__.py RUN_FOLDER`` and uses the standard library (and
``core.redact``) only, because one of it lives beside every script.
"""
