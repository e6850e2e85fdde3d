"""Exits watched by our core: stops, targets, trailing, local triggers, exits by result.

Watched only while the program runs; plans survive it in a table of their own.
"""
