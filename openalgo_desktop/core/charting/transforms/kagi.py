"""Kagi: one line that turns when the closes come back by an amount.

A line is thick (yang) from where it passes the last shoulder, thin (yin) from where it passes the
last waist (S. Nison, Beyond Candlesticks, 1994).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from openalgo_desktop.core.charting.transforms.machine import Bar, Machine
from openalgo_desktop.core.charting.transforms.rows import NAN, Row


class Kagi(Machine):
    """Rows are the vertical lines; each begins where the last one ended, the last one still
    forms. ``amount`` is what turns it: rupees, or a part of the price at its end where ``part``.
    """

    def __init__(self, amount: float, part: bool = False) -> None:
        self._amount = amount
        self._part = part
        self._direction = 0
        self._begin = math.nan
        self._end = math.nan
        self._source = 0
        #: End of the last line up and of the last line down.
        self._shoulder = math.inf
        self._waist = -math.inf
        self._thick = 0  # at the beginning of the line
        self._volume = 0.0  # of the line up to its end
        self._since = 0.0  # of the bars after its end
        self._oi = math.nan

    def step(self, bar: Bar) -> Sequence[Row]:
        """The line that ends because the bar turned it."""
        price = bar.close
        if math.isnan(price):
            return ()
        self._since += bar.volume
        if math.isnan(self._begin):
            self._begin = price
            self._extend(bar)
            return ()
        turn = abs(self._end) * self._amount if self._part else self._amount
        away = price - self._end
        if not self._direction:
            if abs(price - self._begin) >= turn:
                self._direction = 1 if price > self._begin else -1
                self._thick = int(price > self._begin)
                self._extend(bar)
            return ()
        if away * self._direction > 0:
            self._extend(bar)
        elif -away * self._direction >= turn:
            return (self._turned(bar),)
        return ()

    def _extend(self, bar: Bar) -> None:
        self._end, self._source, self._oi = bar.close, bar.at, bar.oi
        self._volume += self._since
        self._since = 0.0

    def _turned(self, bar: Bar) -> Row:
        row = self._row()
        if self._direction > 0:
            self._shoulder = self._end
        else:
            self._waist = self._end
        self._thick = row.thick
        self._direction = -self._direction
        self._begin = self._end
        self._volume = 0.0
        self._extend(bar)
        return row

    def _row(self) -> Row:
        begin, end, sign = self._begin, self._end, self._direction
        thick, turn = self._thick, NAN
        if sign > 0 and not thick and end > self._shoulder:
            thick, turn = 1, self._shoulder
        elif sign < 0 and thick and end < self._waist:
            thick, turn = 0, self._waist
        most, least = max(begin, end), min(begin, end)
        return Row(self._source, begin, most, least, end, self._volume, self._oi, sign, thick, turn)

    def tail(self) -> Row | None:
        """The line as it is; None before the first move that is large enough."""
        return self._row() if self._direction else None
