"""How much the price moves."""
