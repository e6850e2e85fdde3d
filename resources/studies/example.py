"""An example of a study of your own: how far the close is from its average, in deviations.

Copy this file, change it, save it: charts that show it follow at once. The names in capitals are
read without running the file, so write them out. docs/user-studies.md has all of it.
"""

import numpy as np

TITLE = "Distance from the average"
SHORT = "Distance"
OVER = False  # True draws it over the prices
PARAMS = {
    "length": (20, 2, 500),  # default, lowest, highest
    "source": "close",  # a column or mean of columns: the dialog offers them all
    "average": ["simple", "exponential"],  # one of several, the first by default
    "smooth": False,
}
OUTPUTS = {"distance": "histogram", "mean": "line"}
LEVELS = [-2, 0, 2]


def compute(bars, params):
    """Arrays as long as the bars; NaN where nothing is known."""
    x, n = bars.source(params["source"]), params["length"]
    middle = exponential(x, n) if params["average"] == "exponential" else simple(x, n)
    spread = np.sqrt(np.maximum(simple(x * x, n) - simple(x, n) ** 2, 0.0))
    distance = (x - middle) / np.where(spread > 0, spread, np.nan)
    if params["smooth"]:
        distance = simple(distance, 3)
    return {"distance": distance, "mean": simple(distance, n)}


def simple(x, n):
    """The mean of the last n bars."""
    found = np.full(len(x), np.nan)
    if len(x) >= n:
        found[n - 1 :] = np.lib.stride_tricks.sliding_window_view(x, n).mean(axis=1)
    return found


def exponential(x, n):
    """The exponential average, from the first known value on."""
    found, value = np.full(len(x), np.nan), np.nan
    for place, price in enumerate(x):
        value = price if np.isnan(value) else value + (price - value) * 2 / (n + 1)
        found[place] = value
    return found
