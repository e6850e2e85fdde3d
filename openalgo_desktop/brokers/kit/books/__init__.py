"""Rows of a broker as the unified model, and what is new in them."""
