"""Alerts: what the engine watches for and tells. Nothing here sends an order."""
