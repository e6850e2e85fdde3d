"""Averages, levels and profiles of trading sessions, as Indian traders read them."""
