"""The engine of made strategies: runs, their entries and exits, prices, schedule, recovery."""
