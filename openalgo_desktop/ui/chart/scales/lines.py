"""Long lines in few points: no high or low of a value is lost. No Qt here."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.ui.chart.series import Floats


def thin(values: Floats, first: int, last: int, merge: int) -> tuple[Floats, Floats]:
    """Points (index, value) of ``first <= index < last``; of each ``merge`` bars first, lowest,
    highest and last value, at the middle of the group. Groups are aligned to absolute indexes and
    stay whole, so they do not change while the view moves. NaN is a gap."""
    first, last = max(0, first), min(len(values), last)
    if first >= last:
        return np.empty(0), np.empty(0)
    if merge <= 1:
        return np.arange(first, last, dtype=np.float64), values[first:last]
    starts = np.arange(first - first % merge, last, merge)
    end = min(len(values), int(starts[-1]) + merge)
    part = values[starts[0] : end]
    offsets = starts - starts[0]
    closes = np.minimum(offsets + merge, end - starts[0]) - 1
    points = np.empty((len(starts), 4))
    low, high = np.fmin.reduceat(part, offsets), np.fmax.reduceat(part, offsets)
    # NaN at an end of a group that has values would tear the line apart.
    opened, closed = part[offsets], part[closes]
    points[:, 0] = np.where(np.isnan(opened), low, opened)
    points[:, 1], points[:, 2] = low, high
    points[:, 3] = np.where(np.isnan(closed), high, closed)
    x = np.repeat(starts + (merge - 1) / 2.0, 4)
    return x, points.ravel()


def spans(
    values: Floats, first: int, last: int, merge: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each ``merge`` bars of ``first <= index < last``: the middle index, the lowest, the
    highest and the last known value. Groups as in :func:`thin`; one without a value is NaN."""
    x, points = thin(values, first, last, max(2, merge))
    rows = points.reshape(-1, 4)
    return x[::4], rows[:, 1], rows[:, 2], rows[:, 3]


def joined(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Ranges widened so far that each touches the one before it; NaN is a gap."""
    below, above = low.copy(), high.copy()
    below[1:] = np.fmin(low[1:], np.where(np.isnan(high[:-1]), np.inf, high[:-1]))
    above[1:] = np.fmax(high[1:], np.where(np.isnan(low[:-1]), -np.inf, low[:-1]))
    gone = np.isnan(low)
    below[gone] = above[gone] = np.nan
    return below, above
