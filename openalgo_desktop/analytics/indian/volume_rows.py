"""Volume by rows of price. A bar's volume is spread evenly over its range: what a bar of a minute
or less hides is not known, and the shorter the bars the less it matters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from openalgo_desktop.analytics.indian.value_area import Area, row_height, value_area
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import Profile

#: Rows of a histogram before it is made half as fine; a power of two.
MOST: Final = 1024


def spread(
    low: Floats, high: Floats, sizes: Floats, edge: float, height: float, rows: int
) -> Floats:
    """``sizes`` of bars over ``rows`` rows from ``edge`` on, which hold all of them."""
    first = np.clip(np.floor((low - edge) / height + 1e-9), 0, rows - 1).astype(np.int64)
    last = np.clip(np.ceil((high - edge) / height - 1e-9) - 1, first, rows - 1).astype(np.int64)
    single = first == last
    found = np.zeros(rows)
    np.add.at(found, first[single], sizes[single])
    wide = ~single
    if wide.any():
        found += _wide(low[wide], high[wide], sizes[wide], edge, height, rows)
    return found


def _wide(
    low: Floats, high: Floats, sizes: Floats, edge: float, height: float, rows: int
) -> Floats:
    """The same of bars over several rows. What lies below an edge grows evenly from each bar's low
    to its high: two running sums give it for all edges, whatever the number of bars."""
    density = sizes / (high - low)
    below = np.zeros(rows + 1)
    edges = height * np.arange(rows + 1)
    for ends, sign in ((low - edge, 1.0), (high - edge, -1.0)):
        place = np.clip(np.ceil(ends / height - 1e-9), 0, rows).astype(np.int64)
        slope = np.cumsum(np.bincount(place, density, rows + 1))
        shift = np.cumsum(np.bincount(place, density * ends, rows + 1))
        below += sign * (slope * edges - shift)
    return np.maximum(np.diff(below), 0.0)


class VolumeRows:
    """Up and down volume (by close against open of a bar) on rows that become coarser as the range
    grows, so that one more bar costs the same after any number of them."""

    def __init__(self, tick: float) -> None:
        self._tick = tick
        self.height = tick if tick > 0 else 0.0
        self.base = 0  # number of the lowest row: its lower edge is base x height
        self.sizes = np.zeros((2, 0))
        self._low, self._high = np.inf, -np.inf

    def add(self, bars: Columns) -> None:
        """Take these bars over; those of unknown volume count as none."""
        if not bars.size:
            return
        known = np.isfinite(bars.high + bars.low + bars.open + bars.close)
        if not known.all():
            bars = _only(bars, known)
            if not bars.size:
                return
        if bars.size == 1:
            self._add_one(bars)
            return
        self._reach(float(bars.low.min()), float(bars.high.max()))
        self.sizes += self._of(bars)

    def _add_one(self, bar: Columns) -> None:
        low, high, volume = float(bar.low[0]), float(bar.high[0]), float(bar.volume[0])
        self._reach(low, high)
        if not volume > 0:
            return
        sizes = self.sizes[0 if bar.close[0] >= bar.open[0] else 1]
        bottom, top = low / self.height - self.base, high / self.height - self.base
        last_row = len(sizes) - 1
        first = min(max(math.floor(bottom + 1e-9), 0), last_row)
        last = min(max(math.ceil(top - 1e-9) - 1, first), last_row)
        if first == last:
            sizes[first] += volume
            return
        each = volume / (top - bottom)  # of a whole row
        sizes[first] += each * (first + 1 - bottom)
        sizes[first + 1 : last] += each
        sizes[last] += each * (top - last)

    def _of(self, bars: Columns) -> Floats:
        volume = np.nan_to_num(bars.volume)
        up = bars.close >= bars.open
        where = (self.base * self.height, self.height, self.sizes.shape[1])
        parts = [spread(bars.low, bars.high, np.where(s, volume, 0.0), *where) for s in (up, ~up)]
        return np.array(parts)

    def copy(self) -> VolumeRows:
        """One to try a bar on that still forms."""
        other = VolumeRows(self._tick)
        other.height, other.base, other.sizes = self.height, self.base, self.sizes.copy()
        other._low, other._high = self._low, self._high
        return other

    def _reach(self, low: float, high: float) -> None:
        """Rows for this range, too."""
        self._low, self._high = min(self._low, low), max(self._high, high)
        if not self.height:
            self.height = 2.0 ** math.floor(math.log2(max(low, 1e-6) * 1e-5))
        while (self._high - self._low) / self.height > MOST:
            self._halve()
        first = math.floor(self._low / self.height + 1e-9)
        end = max(first + 1, math.ceil(self._high / self.height - 1e-9))
        if not self.sizes.shape[1]:
            self.base, self.sizes = first, np.zeros((2, end - first))
            return
        first, end = min(first, self.base), max(end, self.base + self.sizes.shape[1])
        before, after = self.base - first, end - self.base - self.sizes.shape[1]
        if before or after:
            self.sizes = _padded(self.sizes, before, after)
            self.base = first

    def _halve(self) -> None:
        self.height *= 2.0
        if not self.sizes.shape[1]:
            return
        odd = self.base % 2
        sizes = _padded(self.sizes, odd, (odd + self.sizes.shape[1]) % 2)
        self.sizes = sizes[:, 0::2] + sizes[:, 1::2]
        self.base = (self.base - odd) // 2

    def shown(self, rows: int) -> tuple[float, Floats, Floats]:
        """Height, lower edges and sizes (up and down) of at most about ``rows`` rows."""
        count = self.sizes.shape[1]
        if not count:
            return self.height, np.empty(0), self.sizes
        wanted = row_height(self._high - self._low, rows, self.height)
        group = max(1, round(wanted / self.height))
        first = self.base // group
        before = self.base - first * group
        padded = _padded(self.sizes, before, -(before + count) % group)
        sizes = padded.reshape(2, -1, group).sum(axis=2)
        height = group * self.height
        return height, (first + np.arange(sizes.shape[1])) * height, sizes


def _only(bars: Columns, known: npt.NDArray[np.bool_]) -> Columns:
    o, h, low, c = (x[known] for x in (bars.open, bars.high, bars.low, bars.close))
    return Columns(bars.time[known], o, h, low, c, bars.volume[known], bars.oi[known])


def _padded(sizes: Floats, before: int, after: int) -> Floats:
    count = sizes.shape[1]
    found = np.zeros((2, before + count + after))
    found[:, before : before + count] = sizes
    return found


def profile_of(
    rows: VolumeRows, count: int, share: float, first: int, last: int
) -> tuple[Profile | None, Area | None]:
    """What is drawn of it; None where nothing was traded."""
    height, prices, sizes = rows.shown(count)
    area = value_area(sizes.sum(axis=0), share)
    if area is None:
        return None, None
    profile = Profile(
        first,
        last,
        height,
        prices,
        (sizes[0], sizes[1]),
        float(prices[area.point]) + height / 2.0,
        float(prices[area.low]),
        float(prices[area.high]) + height,
    )
    return profile, area


def finer(bars: Columns, minutes: Columns | None, seconds: int) -> Sequence[Columns]:
    """The same trading in shorter bars where ``minutes`` have all of a bar: one part from them,
    one of the chart's bars after them."""
    if minutes is None or seconds <= 60 or not minutes.size or not bars.size:
        return (bars,)
    begins = int(np.searchsorted(bars.time, minutes.time[0]))
    ends = int(np.searchsorted(bars.time + seconds, minutes.time[-1] + 60, side="right"))
    if ends <= begins:
        return (bars,)
    stop = int(bars.time[ends - 1]) + seconds
    inner = np.searchsorted(minutes.time, [bars.time[begins], stop])
    return (bars.cut(0, begins), minutes.cut(int(inner[0]), int(inner[1])), bars.cut(ends))
