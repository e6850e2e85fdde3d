"""Runs the studies of a chart: in order, on other intervals, one failing by itself."""
