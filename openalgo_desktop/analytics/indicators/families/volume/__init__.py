"""Volume, and prices weighed by it."""
