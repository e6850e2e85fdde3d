"""Families: brokers that share one server software. A member is a small table of its own."""
