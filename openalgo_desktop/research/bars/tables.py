"""Tables of bars cut and joined. Pure; the results share memory with what they are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from openalgo_desktop.core.ticks import Bars

#: Bytes of a bar in memory and on disk: seven columns of eight.
ROW_BYTES = 56


def columns(bars: Bars) -> tuple[npt.NDArray[np.generic], ...]:
    """The columns in the order of :class:`Bars`."""
    return (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.oi)


def part(bars: Bars, start: int, end: int) -> Bars:
    """Those that begin in ``start <= time < end``, as views."""
    first, last = np.searchsorted(bars.time, (start, end))
    if first == 0 and last == len(bars):
        return bars
    return rows(bars, slice(int(first), int(last)))


def rows(bars: Bars, which: slice | npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Bars:
    """Some rows."""
    b = bars
    o, h, low, c = b.open[which], b.high[which], b.low[which], b.close[which]
    return Bars(b.time[which], o, h, low, c, b.volume[which], b.oi[which])


def merged(parts: Sequence[Bars]) -> Bars:
    """One ascending table, each time once; of two bars of one time that of the later part."""
    filled = [bars for bars in parts if len(bars)]
    if not filled:
        return Bars.empty()
    b = filled
    table = (
        b[0]
        if len(b) == 1
        else Bars(
            np.concatenate([row.time for row in b]),
            np.concatenate([row.open for row in b]),
            np.concatenate([row.high for row in b]),
            np.concatenate([row.low for row in b]),
            np.concatenate([row.close for row in b]),
            np.concatenate([row.volume for row in b]),
            np.concatenate([row.oi for row in b]),
        )
    )
    steps = np.diff(table.time)
    if not len(steps) or steps.min() > 0:
        return table
    order = np.argsort(table.time, kind="stable")
    time = table.time[order]
    return rows(table, order[np.append(time[1:] != time[:-1], True)])


def dealt(bars: Bars) -> Bars:
    """Without those that have no price: sources fill minutes and days without a trade with zeros,
    and one such low would be the floor of every chart and study."""
    o, h, low, c = bars.open, bars.high, bars.low, bars.close
    known = np.isfinite(o + h + low + c) & (o != 0) & (h != 0) & (low != 0) & (c != 0)
    return bars if known.all() else rows(bars, known)


def replaced(bars: Bars, new: Bars, start: int, end: int) -> Bars:
    """``bars`` with ``new`` in place of all that begin in ``start <= time < end``."""
    first, last = (int(at) for at in np.searchsorted(bars.time, (start, end)))
    return merged([rows(bars, slice(0, first)), new, rows(bars, slice(last, None))])


def equal(one: Bars, two: Bars) -> bool:
    """Whether both have the same bars."""
    pairs = zip(columns(one), columns(two), strict=True)
    return len(one) == len(two) and all(np.array_equal(a, b) for a, b in pairs)


def frozen(bars: Bars) -> Bars:
    """The same, and nobody can change it: it is handed to many."""
    for column in columns(bars):
        column.setflags(write=False)
    return bars


def is_adjusted(kept: Bars, told: Bars) -> bool:
    """Whether ``told`` shows past bars otherwise than they were kept: after a split, a bonus or a
    large dividend a broker adjusts them all. Then all four prices move; a bar that was merely
    corrected keeps some of them. The majority of the bars that both have decides."""
    _, one, two = np.intersect1d(kept.time, told.time, assume_unique=True, return_indices=True)
    if not len(one):
        return False
    a = np.stack([kept.open[one], kept.high[one], kept.low[one], kept.close[one]])
    b = np.stack([told.open[two], told.high[two], told.low[two], told.close[two]])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.abs(b / a - 1.0).min(axis=0) > _ADJUSTED
    return bool(2 * np.count_nonzero(moved) > len(one))


#: Share by which prices differ at least when they were adjusted.
_ADJUSTED = 0.001
