"""Alerts: what the engine watches for and tells. What they do goes through `acts.py`."""
