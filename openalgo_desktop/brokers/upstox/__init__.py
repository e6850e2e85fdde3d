"""Upstox. So far the reader of its symbol master."""
