"""Bars kept in memory and on disk, and what is done with the past."""
