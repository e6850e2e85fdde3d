"""Candles in columns that grow: appending is amortised, the last bar changes in place.

The place of a bar is its index; time only labels it, so nights and holidays take no room.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.transforms.rows import TransformedBars
from openalgo_desktop.core.ticks import Bars

COLUMNS = ("open", "high", "low", "close", "volume", "oi", "direction", "thick", "turn")
#: The last three are those of rows that a transform made (``core/charting/transforms``).
OPEN, HIGH, LOW, CLOSE, VOLUME, OI, DIRECTION, THICK, TURN = range(9)
#: Columns that all bars have.
OWN = 6
#: Length of a bar where nothing tells it, seconds.
MINUTE = 60.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Slice(NamedTuple):
    """Bars to draw: centre positions, values, and how many bars each of them stands for."""

    x: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    merged: int


class Series:
    """Bars by index. Values are rows of one array with spare room at the end."""

    def __init__(self, bars: Bars | None = None) -> None:
        self._length = 0
        self._time: Ints = np.zeros(256, np.int64)
        self._values: Floats = np.zeros((len(COLUMNS), 256))
        self.version = 0  # counts changes of closed bars
        self.length = MINUTE  # of one bar, seconds; goes on beyond both ends
        self._closed: tuple[tuple[int, int, int], tuple[float, float, float]] | None = None
        if bars is not None:
            self.load(bars)

    def __len__(self) -> int:
        return self._length

    # -- reading ----------------------------------------------------------------------------
    @property
    def time(self) -> Ints:
        """Bar starts, epoch seconds; a view that the next change makes invalid."""
        return self._time[: self._length]

    def column(self, index: int) -> Floats:
        """One of OPEN ... OI; a view that the next change makes invalid."""
        return self._values[index, : self._length]

    def columns(self) -> Columns:
        """All of it as studies read it; views that the next change makes invalid."""
        return Columns(self.time, *self._values[:OWN, : self._length])

    def bar(self, index: int) -> tuple[float, float, float, float, float]:
        """Open, high, low, close, volume of one bar."""
        o, h, low, c, v = self._values[:OI, index].tolist()
        return o, h, low, c, v

    def group(self, first: int, last: int) -> tuple[float, float, float, float, float]:
        """Open, high, low, close of ``first <= index < last`` as one, and the largest volume."""
        if last - first == 1:
            return self.bar(first)
        o, h, low, c, v = self._values[:OI, first:last]
        return float(o[0]), float(h.max()), float(low.min()), float(c[-1]), float(v.max())

    def open_interest(self, index: int) -> float:
        """Open interest of one bar, units; NaN where not known."""
        return float(self._values[OI, index])

    def extremes(self, first: int, last: int) -> tuple[float, float, float] | None:
        """Lowest price, highest price and largest volume of ``first <= index < last``; None when
        there is no bar. Those of closed bars are kept, so that asking again costs nothing."""
        first, last = max(0, first), min(self._length, last)
        if first >= last:
            return None
        end = min(last, self._length - 1)
        key = (self.version, first, end)
        if self._closed is None or self._closed[0] != key:
            found = (math.inf, -math.inf, 0.0)
            if first < end:
                values = self._values[:, first:end]
                low, high = float(np.fmin.reduce(values[LOW])), float(np.fmax.reduce(values[HIGH]))
                found = (low, high, float(np.fmax.reduce(values[VOLUME])))
            self._closed = (key, found)
        low, high, volume = self._closed[1]
        if last > end:
            _, top, foot, _, traded = self.bar(last - 1)
            low, high, volume = min(low, foot), max(high, top), max(volume, traded)
        return low, high, volume

    def price_range(self, first: int, last: int) -> tuple[float, float] | None:
        """Lowest and highest price of ``first <= index < last``; None when there is no bar."""
        found = self.extremes(first, last)
        return None if found is None else found[:2]

    def index_of(self, time: float) -> float:
        """Bar of a moment (epoch seconds) with its fraction; beyond the ends bars of ``length``
        go on."""
        if not self._length:
            return 0.0
        times = self.time
        # A whole number: for a fraction all times would be made into fractions first.
        index = int(np.searchsorted(times, math.floor(time), side="right")) - 1
        if index < 0:
            return (time - float(times[0])) / self.length
        start = float(times[index])
        if index == self._length - 1:
            return index + (time - start) / self.length
        return index + (time - start) / (float(times[index + 1]) - start)

    def time_of(self, index: float) -> float:
        """Moment of a bar: the inverse of :meth:`index_of`."""
        if not self._length:
            return 0.0
        times, whole = self.time, math.floor(index)
        if whole < 0:
            return float(times[0]) + index * self.length
        if whole >= self._length - 1:
            return float(times[-1]) + (index - (self._length - 1)) * self.length
        start = float(times[whole])
        return start + (index - whole) * (float(times[whole + 1]) - start)

    # -- writing ----------------------------------------------------------------------------
    def load(self, bars: Bars) -> None:
        """Replace everything."""
        count = len(bars)
        self._reserve(count)
        self._length = count
        self._time[:count] = bars.time
        self._take(bars, count)
        self._measure()
        self.version += 1

    def _take(self, bars: Bars, count: int) -> None:
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.oi)
        for index, column in enumerate(columns):
            self._values[index, :count] = column[:count]

    def replace(self, first: int, rows: TransformedBars) -> None:
        """Have the rows from index ``first`` on as they are in ``rows``, which has all."""
        count = rows.size
        self._reserve(count)
        self._length, first = count, min(first, count)
        columns = (rows.open, rows.high, rows.low, rows.close, rows.volume, rows.oi)
        more = (rows.direction, rows.thick, rows.turn)
        for index, column in enumerate((*columns, *more)):
            self._values[index, first:count] = column[first:]
        self._time[first:count] = rows.time[first:]
        if first == 0:
            self._measure()
        if first < count - 1 or first == 0:
            self.version += 1

    def _measure(self) -> None:
        """Learn how long a bar is from the last ones."""
        steps = np.diff(self.time[-50:])
        steps = steps[steps > 0]
        if len(steps):
            self.length = float(steps.min())

    def append(self, time: int, *values: float) -> None:
        """Add a bar after the last one: open, high, low, close, volume and, where known, oi."""
        self._reserve(self._length + 1)
        self._length += 1
        self.version += 1
        self._write(self._length - 1, time, values)

    def update_last(self, time: int, *values: float) -> None:
        """Change the last bar in place; with no bar yet it becomes the first."""
        if not self._length:
            self._length = 1
        self._write(self._length - 1, time, values)

    def prepend(self, bars: Bars) -> int:
        """Put older bars in front; bars that are not older than the first are left out.
        Returns how many were added."""
        times = bars.time
        added = int(np.searchsorted(times, self._time[0])) if self._length else len(times)
        if not added:
            return 0
        old = self._length
        self._reserve(old + added)
        self._time[added : added + old] = self._time[:old].copy()
        self._values[:, added : added + old] = self._values[:, :old].copy()
        self._time[:added] = times[:added]
        self._take(bars, added)
        self._length = old + added
        self._measure()
        self.version += 1
        return added

    def splice(self, first: int, bars: Bars) -> None:
        """Have ``bars`` in place of all from index ``first`` on."""
        count = first + len(bars)
        self._reserve(count)
        self._length = count
        self._time[first:count] = bars.time
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.oi)
        for index, column in enumerate(columns):
            self._values[index, first:count] = column
        self._values[OWN:, first:count] = math.nan
        self._measure()
        self.version += 1

    def _write(self, index: int, time: int, values: tuple[float, ...]) -> None:
        self._time[index] = time
        self._values[: len(values), index] = values
        self._values[len(values) :, index] = math.nan

    def _reserve(self, wanted: int) -> None:
        room = len(self._time)
        if wanted <= room:
            return
        while room < wanted:
            room *= 2
        time = np.zeros(room, np.int64)
        values = np.zeros((len(COLUMNS), room))
        time[: self._length] = self._time[: self._length]
        values[:, : self._length] = self._values[:, : self._length]
        self._time, self._values = time, values

    # -- drawing ----------------------------------------------------------------------------
    def visible(self, first: int, last: int, merge: int = 1) -> Slice:
        """Bars of ``first <= index < last``, ``merge`` of them drawn as one.

        Groups are aligned to absolute indexes, so they do not change while the view moves.
        """
        first, last = max(0, first), min(self._length, last)
        if first >= last:
            none = np.empty(0)
            return Slice(none, none, none, none, none, none, 1)
        if merge <= 1:
            o, h, low, c, v = self._values[:OI, first:last]
            return Slice(np.arange(first, last, dtype=np.float64), o, h, low, c, v, 1)
        starts = np.arange(first - first % merge, last, merge)
        end = min(self._length, int(starts[-1]) + merge)
        offsets = starts - starts[0]
        values = self._values[:, starts[0] : end]
        closes = np.minimum(offsets + merge, end - starts[0]) - 1
        return Slice(
            starts.astype(np.float64) + (merge - 1) / 2.0,
            values[OPEN][offsets],
            np.maximum.reduceat(values[HIGH], offsets),
            np.minimum.reduceat(values[LOW], offsets),
            values[CLOSE][closes],
            np.maximum.reduceat(values[VOLUME], offsets),
            merge,
        )
