"""Studies written once more, bar by bar in plain Python from their published definitions."""
