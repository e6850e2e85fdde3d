"""Momentum: how fast, and whether too far."""
