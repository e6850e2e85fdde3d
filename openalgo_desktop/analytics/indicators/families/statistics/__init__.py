"""Statistics of the last bars."""
