"""Prices of a bar, and marks at bars."""
