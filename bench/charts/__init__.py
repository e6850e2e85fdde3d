"""The contestants of ``bench/chart.py``: each draws the same bars in a process of its own."""
