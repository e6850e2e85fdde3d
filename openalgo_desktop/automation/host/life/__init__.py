"""The life of hosted programs: start, watch, restart, schedule, quotas, stop."""
