"""Range bars: each is as high as the range, whatever time that takes (V. Nicolellis, 1995).

They need every trade. Of candles they are approximate: the price is taken to have gone from the
open to the nearer extreme, to the other one and to the close. Of a candle for each trade (all four
prices the same) they are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from openalgo_desktop.core.charting.transforms.machine import Bar, Machine
from openalgo_desktop.core.charting.transforms.rows import Row

#: Part of a range that is the error of a float.
_WHOLE = 1e-9
#: Open, high, low, close and direction of a row that is over.
_End: TypeAlias = tuple[float, float, float, float, int]


class Ranges(Machine):
    """A bar is over when the price leaves the range; the next one opens where it closed. With
    ``closes`` only closes are looked at. Volume is shared by the rows that a bar touches."""

    def __init__(self, height: float, closes: bool = False) -> None:
        self._height = height
        self._closes = closes
        self._open = math.nan
        self._high = math.nan
        self._low = math.nan
        self._price = math.nan
        self._volume = 0.0
        self._bar = Bar(0, *[math.nan] * 6)

    def step(self, bar: Bar) -> Sequence[Row]:
        """The rows that the way of the price through the bar completes."""
        if math.isnan(bar.close):
            return ()
        self._bar = bar
        ends: list[_End] = []
        for price in self._way(bar):
            self._go(price, ends)
        share = bar.volume / (len(ends) + 1)
        if not ends:
            self._volume += share
            return ()
        before, self._volume = self._volume + share, share
        rows, at, oi = [], bar.at, bar.oi
        for opened, high, low, close, sign in ends:
            rows.append(Row(at, opened, high, low, close, before, oi, sign))
            before = share
        return rows

    def _way(self, bar: Bar) -> tuple[float, ...]:
        if self._closes or bar.high == bar.low:
            return (bar.close,)
        if bar.high - bar.open <= bar.open - bar.low:
            return bar.open, bar.high, bar.low, bar.close
        return bar.open, bar.low, bar.high, bar.close

    def _go(self, price: float, ends: list[_End]) -> None:
        if math.isnan(self._open):
            self._open = self._high = self._low = price
        slack = self._height * _WHOLE
        while price > self._low + self._height + slack:
            self._end(self._low + self._height, 1, ends)
        while price < self._high - self._height - slack:
            self._end(self._high - self._height, -1, ends)
        self._high, self._low = max(self._high, price), min(self._low, price)
        self._price = price

    def _end(self, close: float, sign: int, ends: list[_End]) -> None:
        high, low = (close, self._low) if sign > 0 else (self._high, close)
        ends.append((self._open, high, low, close, sign))
        self._open = self._high = self._low = close

    def most_rows(self, before: float, bar: Bar) -> float:
        """As many ranges as the way through the bar is long."""
        if self._closes:
            return abs(bar.close - before) / self._height
        away = 0.0 if math.isnan(before) else abs(bar.open - before)
        return (away + 3 * (bar.high - bar.low)) / self._height

    def tail(self) -> Row | None:
        """The bar that forms."""
        if math.isnan(self._open):
            return None
        bar, sign = self._bar, 1 if self._price >= self._open else -1
        high, low, close = self._high, self._low, self._price
        return Row(bar.at, self._open, high, low, close, self._volume, bar.oi, sign)
