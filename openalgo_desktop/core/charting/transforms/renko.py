"""Renko: bricks of one size, without time.

A brick is drawn when the close is a whole brick beyond the last one; against its direction that is
two bricks from its end (S. Nison, Beyond Candlesticks, 1994). Bricks lie on multiples of their
size, so that an earlier beginning of the history does not shift them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from openalgo_desktop.core.charting.transforms.boxes import boxes_above, boxes_below
from openalgo_desktop.core.charting.transforms.machine import Bar, Machine
from openalgo_desktop.core.charting.transforms.rows import Row


class Renko(Machine):
    """Bricks of the closes. ``box`` rupees; with ``wicks`` a brick shows how far the price went
    against it before it was there, by highs and lows of the bars.

    The volume since the brick before is shared by the bricks that a bar brings.
    """

    def __init__(self, box: float, wicks: bool = False) -> None:
        self._box = box
        self._wicks = wicks
        #: Lower and upper end of the last brick in boxes; equal before the first.
        self._low: int | None = None
        self._high = 0
        self._volume = 0.0
        self._least = math.inf
        self._most = -math.inf
        self._bar = Bar(0, *[math.nan] * 6)

    def step(self, bar: Bar) -> Sequence[Row]:
        """The bricks that the bar's close brings."""
        if math.isnan(bar.close):
            return ()
        self._bar = bar
        self._volume += bar.volume
        self._least = min(self._least, bar.low)
        self._most = max(self._most, bar.high)
        if self._low is None:
            self._low = self._high = boxes_below(bar.close, self._box)
            return ()
        up, down = boxes_below(bar.close, self._box), boxes_above(bar.close, self._box)
        if up > self._high:
            return self._bricks(1, self._high, up)
        if down < self._low:
            return self._bricks(-1, self._low, down)
        return ()

    def _bricks(self, sign: int, first: int, last: int) -> list[Row]:
        box, count = self._box, abs(last - first)
        bar, volume = self._bar, self._volume / count
        reached = self._least if sign > 0 else self._most
        rows = []
        for place in range(first, last, sign):
            opened, closed = place * box, (place + sign) * box
            high, low = max(opened, closed), min(opened, closed)
            if self._wicks and place == first:
                high, low = max(high, reached), min(low, reached)
            rows.append(Row(bar.at, opened, high, low, closed, volume, bar.oi, sign))
        self._low, self._high = sorted((last - sign, last))
        self._volume = 0.0
        self._least = self._most = bar.close
        return rows

    def most_rows(self, before: float, bar: Bar) -> float:
        """A brick for each box between the closes."""
        return abs(bar.close - before) / self._box

    def tail(self) -> Row | None:
        """The brick that would come next, as far as the price is; None inside the last one."""
        if self._low is None:
            return None
        price, bar = self._bar.close, self._bar
        low, high = self._low * self._box, self._high * self._box
        if low <= price <= high:
            return None
        opened, sign = (high, 1) if price > high else (low, -1)
        most, least = max(opened, price), min(opened, price)
        if self._wicks:
            most, least = max(most, self._most), min(least, self._least)
        return Row(bar.at, opened, most, least, price, self._volume, bar.oi, sign)
