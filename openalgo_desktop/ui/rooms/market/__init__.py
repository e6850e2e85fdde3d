"""Watchlist, chart, depth."""
