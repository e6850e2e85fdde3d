"""Hosted programs: Python strategies that run in processes of their own beside the engine."""
