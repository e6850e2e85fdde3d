"""Webhook strategies and what else trades by itself."""
