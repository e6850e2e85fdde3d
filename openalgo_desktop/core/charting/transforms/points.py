"""Point and figure: columns of X (up) and O (down) on a grid of boxes.

In a column of X the high is looked at first: a box more, or else a turn when the low is
``reversal`` boxes below the last X; in a column of O the other way round. The column after a turn
begins one box inside. (J. du Plessis, The Definitive Guide to Point and Figure, 2012.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from openalgo_desktop.core.charting.transforms.boxes import boxes_above, boxes_below
from openalgo_desktop.core.charting.transforms.machine import Bar, Machine
from openalgo_desktop.core.charting.transforms.rows import Row


class Points(Machine):
    """Rows are columns, the last one still forms: open and close are the levels of its first and
    last box, ``direction`` 1 is X. With ``closes`` only closes are looked at."""

    def __init__(self, box: float, reversal: int = 3, closes: bool = False) -> None:
        self._box = box
        self._reversal = reversal
        self._closes = closes
        self._direction = 0
        self._first = 0
        self._last: int | None = None
        self._source = 0
        self._volume = 0.0
        self._since = 0.0
        self._oi = math.nan

    def step(self, bar: Bar) -> Sequence[Row]:
        """The column that ends because the bar turned it."""
        most = bar.close if self._closes else bar.high
        least = bar.close if self._closes else bar.low
        if math.isnan(most) or math.isnan(least):
            return ()
        self._since += bar.volume
        top, bottom = boxes_below(most, self._box), boxes_above(least, self._box)
        if self._last is None:
            self._last = self._first = boxes_below(bar.close, self._box)
            self._reach(bar, self._last)
        elif not self._direction:
            self._begin(bar, top, bottom)
        elif self._direction > 0:
            if top > self._last:
                self._reach(bar, top)
            elif bottom <= self._last - self._reversal:
                return (self._turned(bar, bottom),)
        elif bottom < self._last:
            self._reach(bar, bottom)
        elif top >= self._last + self._reversal:
            return (self._turned(bar, top),)
        return ()

    def _begin(self, bar: Bar, top: int, bottom: int) -> None:
        """The first column goes where the first whole box was made; of both, where it closed."""
        last = self._first
        up, down = top > last, bottom < last
        if up and (not down or bar.close >= last * self._box):
            self._direction = 1
            self._reach(bar, top)
        elif down:
            self._direction = -1
            self._reach(bar, bottom)

    def _reach(self, bar: Bar, box: int) -> None:
        self._last, self._source, self._oi = box, bar.at, bar.oi
        self._volume += self._since
        self._since = 0.0

    def _turned(self, bar: Bar, box: int) -> Row:
        row = self._row(self._last or 0)
        self._direction = -self._direction
        self._first = (self._last or 0) + self._direction
        self._volume = 0.0
        self._reach(bar, box)
        return row

    def _row(self, last: int) -> Row:
        begin, end = self._first * self._box, last * self._box
        most, least = max(begin, end), min(begin, end)
        sign = self._direction
        return Row(self._source, begin, most, least, end, self._volume, self._oi, sign)

    def tail(self) -> Row | None:
        """The column as it is; None before the first box."""
        return self._row(self._last) if self._direction and self._last is not None else None
