"""Processes of Windows for the keeper and for the engine that looks for it: job objects."""
