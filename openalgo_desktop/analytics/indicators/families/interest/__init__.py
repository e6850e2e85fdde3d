"""Open interest and figures of the option chain."""
