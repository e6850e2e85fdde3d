"""Ticket, orders, trades."""
