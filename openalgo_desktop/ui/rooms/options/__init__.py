"""Option chain."""
