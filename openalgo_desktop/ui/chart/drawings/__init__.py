"""Drawings on a chart: their layer, the hand that places them, tool box, style bar, object list."""
