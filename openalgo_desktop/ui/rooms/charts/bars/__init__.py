"""The bars of a chart: who gives them, those of the market, and what a kind makes of them."""
