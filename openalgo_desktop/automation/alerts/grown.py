"""Columns of bars that grow at their end at a constant cost."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.ports import LiveBar

#: Room for so many more bars than there are, at least.
_MORE = 64


class Grown:
    """Bars, oldest first. ``is_dirty`` from a change until whoever computes from them says that it
    did."""

    def __init__(self, bars: Columns | None = None) -> None:
        none = np.empty(0)
        first = bars or Columns(np.empty(0, np.int64), none, none, none, none, none, none)
        self.size = first.size
        self.is_dirty = False
        self._room = first
        self._grow()

    def _grow(self) -> None:
        old, size = self._room, self.size * 2 + _MORE
        self._room = Columns(
            np.empty(size, np.int64), *(np.empty(size) for _ in range(len(old) - 1))
        )
        for column, row in zip(self._room, old, strict=True):
            column[: self.size] = row[: self.size]
        self._view = self._room.cut(0, self.size)

    @property
    def columns(self) -> Columns:
        """All bars, as views that later bars do not change but the last one may."""
        return self._view

    @property
    def last_time(self) -> int:
        """When the last bar began; 0 without one."""
        return int(self._room.time[self.size - 1]) if self.size else 0

    def copy(self) -> Columns:
        """All bars, of their own."""
        time, *rest = self._view
        return Columns(time.copy(), *(row.copy() for row in rest))

    def put(self, bar: LiveBar) -> None:
        """Renew the last bar, or add one; an older one is nothing."""
        if self.size and bar.time < self.last_time:
            return
        if not self.size or bar.time > self.last_time:
            if self.size == len(self._room.time):
                self._grow()
            self.size += 1
            self._view = self._room.cut(0, self.size)
        room, at = self._room, self.size - 1
        room.time[at] = bar.time
        room.open[at], room.high[at], room.low[at] = bar.open, bar.high, bar.low
        room.close[at], room.volume[at], room.oi[at] = bar.close, bar.volume, bar.oi
        self.is_dirty = True
