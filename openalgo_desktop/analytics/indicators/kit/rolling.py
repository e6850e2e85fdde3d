"""Windows of the last ``n`` bars over whole arrays, in a time that hardly depends on ``n``.

Sums and extremes are made of two runs over blocks of ``n`` bars (van Herk 1992; Gil and Werman
1993): nothing is ever subtracted, so a NaN stays in its windows and no error is carried along.
Moments are about a bar of the window itself: a constant window has a deviation of exactly 0.
The first ``n - 1`` values are NaN.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from openalgo_desktop.core.charting.columns import Floats

_Blocks: TypeAlias = Floats


def blank(size: int) -> Floats:
    """An array of NaN."""
    return np.full(size, np.nan)


def _blocks(x: Floats, n: int, fill: float = 0.0) -> _Blocks:
    rows = -(-x.size // n)
    padded = np.full(rows * n, fill)
    padded[: x.size] = x
    return padded.reshape(rows, n)


def _joined(before: Floats, within: Floats, size: int, n: int) -> Floats:
    """Sums of windows: of the rest of the block where each starts, and of that where it ends."""
    out = blank(size)
    before[:, 0] = 0.0  # a window that is a block is all in ``within``
    out[n - 1 :] = before.ravel()[: size - n + 1] + within.ravel()[n - 1 : size]
    return out


def total(x: Floats, n: int) -> Floats:
    """Sum of the window."""
    if x.size < n:
        return blank(x.size)
    blocks = _blocks(x, n)
    before = np.cumsum(blocks[:, ::-1], axis=1)[:, ::-1].copy()
    return _joined(before, np.cumsum(blocks, axis=1), x.size, n)


def _about(x: Floats, n: int) -> tuple[Floats, _Blocks, _Blocks]:
    """For each block its first value, which is in every window that ends in it; and the blocks
    less that: of the block itself, and of the one before it."""
    blocks = _blocks(x, n, fill=float(x[-1]))
    first = blocks[:, :1]
    before = blocks.copy()
    before[:-1] -= first[1:]
    before[-1] = 0.0  # no window starts there and ends in a later block
    return first, before, blocks - first


def _summed(before: _Blocks, within: _Blocks, size: int, n: int) -> Floats:
    back = np.cumsum(before[:, ::-1], axis=1)[:, ::-1].copy()
    return _joined(back, np.cumsum(within, axis=1), size, n)


def moments(x: Floats, n: int, order: int) -> list[Floats]:
    """Mean, then the central moments from the second to ``order`` (at most 3) of the window,
    each divided by ``n``."""
    if x.size < n:
        return [blank(x.size) for _ in range(order)]
    first, before, within = _about(x, n)
    raw = [_summed(before**k, within**k, x.size, n) / n for k in range(1, order + 1)]
    m = raw[0]
    found = [np.repeat(first, n)[: x.size] + m]
    if order > 1:
        found.append(np.maximum(raw[1] - m * m, 0.0))
    if order > 2:
        found.append(raw[2] - 3 * m * raw[1] + 2 * m**3)
    return found


def mean(x: Floats, n: int) -> Floats:
    """Mean of the window."""
    return moments(x, n, 1)[0]


def variance(x: Floats, n: int) -> Floats:
    """Population variance of the window (divided by ``n``)."""
    return moments(x, n, 2)[1]


def covariance(x: Floats, y: Floats, n: int) -> Floats:
    """Population covariance of two windows."""
    if x.size < n:
        return blank(x.size)
    (_, bx, wx), (_, by, wy) = _about(x, n), _about(y, n)
    product = _summed(bx * by, wx * wy, x.size, n) / n
    mean_x, mean_y = (_summed(b, w, x.size, n) / n for b, w in ((bx, wx), (by, wy)))
    return product - mean_x * mean_y


def highest(x: Floats, n: int) -> Floats:
    """Largest value of the window."""
    if x.size < n:
        return blank(x.size)
    blocks = _blocks(x, n, fill=-np.inf)
    before = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    within = np.maximum.accumulate(blocks, axis=1).ravel()
    out = blank(x.size)
    out[n - 1 :] = np.maximum(before[: x.size - n + 1], within[n - 1 : x.size])
    return out


def lowest(x: Floats, n: int) -> Floats:
    """Smallest value of the window."""
    return -highest(-x, n)


def since_highest(x: Floats, n: int) -> Floats:
    """Bars since the largest value of the window, the latest of equal ones; 0 is this bar."""
    out = blank(x.size)
    if x.size < n:
        return out
    count = x.size - n + 1
    best, age = x[:count].copy(), np.full(count, n - 1.0)
    for back in range(n - 2, -1, -1):
        part = x[n - 1 - back : n - 1 - back + count]
        newer = ~(part < best)  # NaN comes in and stays
        best = np.where(newer & ~np.isnan(best), part, best)
        age[newer] = back
    out[n - 1 :] = np.where(np.isnan(best), np.nan, age)
    return out


def weighted(x: Floats, weights: Floats) -> Floats:
    """Sum of ``weights`` times the window; the last weight is for the current bar."""
    n = weights.size
    out = blank(x.size)
    if x.size >= n:
        known = x[~np.isnan(x)]
        level = float(known[0]) if known.size else 0.0
        found = np.correlate(x - level, weights, "valid")
        out[n - 1 :] = found + level * weights.sum()
        still = same_for(x) >= n - 1  # exactly what the forming bar's form gives
        out[still] = x[still] * weights.sum()
    return out


def same_for(x: Floats) -> Floats:
    """For how many bars before this one the value has been the same."""
    places = np.arange(x.size)
    changed = np.ones(x.size, bool)
    changed[1:] = x[1:] != x[:-1]
    return (places - np.maximum.accumulate(np.where(changed, places, 0))).astype(float)


def deviation(x: Floats, n: int) -> Floats:
    """Mean absolute deviation of the window from its mean."""
    if x.size < n:
        return blank(x.size)
    middle = mean(x, n)
    out = np.zeros(x.size)
    for back in range(n):
        out[n - 1 :] += np.abs(x[n - 1 - back : x.size - back] - middle[n - 1 :])
    out[: n - 1] = np.nan
    return out / n


def rank(x: Floats, n: int) -> Floats:
    """Percent of the ``n`` values before this one that are not above it, 0 to 100."""
    if x.size <= n:
        return blank(x.size)
    out = np.zeros(x.size)
    unknown = np.isnan(x)
    bad = np.zeros(x.size)
    for back in range(1, n + 1):
        out[n:] += x[n - back : x.size - back] <= x[n:]
        bad[n:] += unknown[n - back : x.size - back]
    out[:n] = np.nan
    out[(bad > 0) | unknown] = np.nan
    return 100 * out / n


def quantile(x: Floats, n: int, part: float) -> Floats:
    """The value below which ``part`` (0 to 1) of the window lies, between two values in line."""
    out = blank(x.size)
    if x.size < n:
        return out
    windows = np.lib.stride_tricks.sliding_window_view(x, n)
    place = part * (n - 1)
    low, high = int(np.floor(place)), int(np.ceil(place))
    for first in range(0, len(windows), 8192):  # a bounded copy
        cut = np.partition(windows[first : first + 8192], (low, high), axis=1)
        found = cut[:, low] + (place - low) * (cut[:, high] - cut[:, low])
        out[n - 1 + first : n - 1 + first + len(found)] = found
    out[np.isnan(total(x, n))] = np.nan
    return out


def runs(unknown: npt.NDArray[np.bool_]) -> list[slice]:
    """Runs of known values; nearly always one. What cannot bear a NaN is asked run by run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[1], unknown.astype(int), [1]])))
    return [slice(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]
