"""Candles of a combination: a straddle is the sum of its call and its put."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.core.ticks import Bars


def summed(first: Bars, second: Bars) -> Bars:
    """Candles of the sum of two instruments, where both have one. Open and close are those of the
    sum. Its extremes within a candle are not known (two highs need not meet), so high and low are
    the ends of the body. Volume and open interest are added, units."""
    _, one, two = np.intersect1d(first.time, second.time, return_indices=True)
    opened = first.open[one] + second.open[two]
    closed = first.close[one] + second.close[two]
    return Bars(
        first.time[one],
        opened,
        np.maximum(opened, closed),
        np.minimum(opened, closed),
        closed,
        first.volume[one] + second.volume[two],
        first.oi[one] + second.oi[two],
    )
