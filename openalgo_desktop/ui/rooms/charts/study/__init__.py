"""What a trader does with the studies of a chart: find, set, move, keep, remove."""
