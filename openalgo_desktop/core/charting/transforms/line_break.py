"""Line break: a line for each new extreme of the closes, a turn when they break several lines.

A line is drawn when the close is above the highest or below the lowest end of the last ``lines``
lines (S. Nison, Beyond Candlesticks, 1994, chapter 6: three).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from openalgo_desktop.core.charting.transforms.machine import Bar, Machine
from openalgo_desktop.core.charting.transforms.rows import Row


class LineBreak(Machine):
    """The line after a turn begins at the near end of the last one. High and low are its ends."""

    def __init__(self, lines: int = 3) -> None:
        self._count = lines
        self._first = math.nan
        #: (open, close) of the last lines, oldest first.
        self._lines: tuple[tuple[float, float], ...] = ()
        self._volume = 0.0
        self._bar = Bar(0, *[math.nan] * 6)

    def step(self, bar: Bar) -> Sequence[Row]:
        """The line that the bar's close brings, if any."""
        if math.isnan(bar.close):
            return ()
        self._bar = bar
        self._volume += bar.volume
        if math.isnan(self._first):
            self._first = bar.close
            return ()
        opened = self._opening(bar.close)
        if opened is None:
            return ()
        row = self._row(opened)
        self._lines = (*self._lines, (opened, bar.close))[-self._count :]
        self._volume = 0.0
        return (row,)

    def _opening(self, close: float) -> float | None:
        """Where a line to ``close`` begins; None when none is drawn."""
        if not self._lines:
            return self._first if close != self._first else None
        first, last = self._lines[-1]
        most, least = max(first, last), min(first, last)
        if last > first:
            if close > most:
                return last
            return first if close < min(min(line) for line in self._lines) else None
        if close < least:
            return last
        return first if close > max(max(line) for line in self._lines) else None

    def _row(self, opened: float) -> Row:
        bar = self._bar
        most, least = max(opened, bar.close), min(opened, bar.close)
        sign = 1 if bar.close > opened else -1
        return Row(bar.at, opened, most, least, bar.close, self._volume, bar.oi, sign)
