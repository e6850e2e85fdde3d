"""Strategies: made ones, hosted programs and webhooks, in one dock; the forms that make them."""
