"""Direction and strength of a trend."""
