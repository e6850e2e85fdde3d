"""Candles in columns that grow: appending is amortised, the last bar changes in place.

The place of a bar is its index; time only labels it, so nights and holidays take no room.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from openalgo_desktop.core.ticks import Bars

COLUMNS = ("open", "high", "low", "close", "volume")
OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)

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
        self._values: Floats = np.zeros((5, 256))
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
        """One of OPEN ... VOLUME; a view that the next change makes invalid."""
        return self._values[index, : self._length]

    def bar(self, index: int) -> tuple[float, float, float, float, float]:
        """Open, high, low, close, volume of one bar."""
        o, h, low, c, v = self._values[:, index].tolist()
        return o, h, low, c, v

    def price_range(self, first: int, last: int) -> tuple[float, float] | None:
        """Lowest and highest price of ``first <= index < last``; None when there is no bar."""
        first, last = max(0, first), min(self._length, last)
        if first >= last:
            return None
        low = self._values[LOW, first:last].min()
        return float(low), float(self._values[HIGH, first:last].max())

    def top_volume(self, first: int, last: int) -> float:
        """Largest volume of ``first <= index < last``; 0 when there is none."""
        first, last = max(0, first), min(self._length, last)
        return float(self._values[VOLUME, first:last].max()) if first < last else 0.0

    # -- writing ----------------------------------------------------------------------------
    def load(self, bars: Bars) -> None:
        """Replace everything."""
        count = len(bars)
        self._reserve(count)
        self._length = count
        self._time[:count] = bars.time
        for index, name in enumerate(COLUMNS):
            self._values[index, :count] = getattr(bars, name)

    def append(
        self, time: int, open_: float, high: float, low: float, close: float, volume: float
    ) -> None:
        """Add a bar after the last one."""
        self._reserve(self._length + 1)
        self._length += 1
        self._write(self._length - 1, time, open_, high, low, close, volume)

    def update_last(
        self, time: int, open_: float, high: float, low: float, close: float, volume: float
    ) -> None:
        """Change the last bar in place; with no bar yet it becomes the first."""
        if not self._length:
            self._length = 1
        self._write(self._length - 1, time, open_, high, low, close, volume)

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
        for index, name in enumerate(COLUMNS):
            self._values[index, :added] = getattr(bars, name)[:added]
        self._length = old + added
        return added

    def _write(self, index: int, time: int, *values: float) -> None:
        self._time[index] = time
        self._values[:, index] = values

    def _reserve(self, wanted: int) -> None:
        room = len(self._time)
        if wanted <= room:
            return
        while room < wanted:
            room *= 2
        time = np.zeros(room, np.int64)
        values = np.zeros((5, room))
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
            o, h, low, c, v = self._values[:, first:last]
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
