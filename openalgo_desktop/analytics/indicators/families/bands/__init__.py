"""Bands and channels about the price."""
