"""Keys, monitor and request builder of the local API."""
