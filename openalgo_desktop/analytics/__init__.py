"""Numbers made from prices and the symbol master: option contracts, chains, greeks."""
