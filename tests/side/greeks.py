"""Runs in a side environment (Python 3.12 or newer): prices, volatilities and greeks of
``opengreeks`` for the options on standard input.

In: [[forward, strike, years, rate, sigma, is_call]]. Out: [{price, sigma, delta, ...}].
"""

import json
import sys

from opengreeks import black76

rows = []
for forward, strike, years, rate, sigma, is_call in json.load(sys.stdin):
    flag = "c" if is_call else "p"
    price = black76.black(flag, forward, strike, years, rate, sigma)
    row = {"price": price}
    try:
        row["sigma"] = black76.implied_volatility(price, forward, strike, rate, years, flag)
    except ValueError:  # it sees no time value
        row["sigma"] = None
    for name in ("delta", "gamma", "theta", "vega", "rho"):
        row[name] = getattr(black76, name)(flag, forward, strike, years, rate, sigma)
    rows.append(row)
json.dump(rows, sys.stdout)
