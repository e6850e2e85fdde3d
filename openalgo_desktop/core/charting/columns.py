"""Bars in columns, as studies and charts read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from openalgo_desktop.core.ticks import Bars

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Columns(NamedTuple):
    """Arrays of one length, oldest first; the last bar may still be forming. They are views: who
    keeps them copies. ``time`` as in :class:`Bars`, prices rupees, ``volume`` and ``oi`` units
    (NaN where not known)."""

    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    oi: Floats

    @classmethod
    def of(cls, bars: Bars) -> Columns:
        """The columns of ``bars``."""
        units = (bars.volume.astype(np.float64), bars.oi.astype(np.float64))
        return cls(bars.time, bars.open, bars.high, bars.low, bars.close, *units)

    @property
    def size(self) -> int:
        """How many bars there are (``len`` of a named tuple counts its fields)."""
        return len(self.time)

    def cut(self, first: int, last: int | None = None) -> Columns:
        """The bars ``first <= index < last``, as views."""
        part = slice(first, last)
        o, h, low, c = self.open[part], self.high[part], self.low[part], self.close[part]
        return Columns(self.time[part], o, h, low, c, self.volume[part], self.oi[part])
