"""Heikin-Ashi: candles of averages.

Close (O+H+L+C)/4, open the middle of the body before, high and low with both. (D. Valcu, Using the
Heikin-Ashi Technique, Stocks & Commodities 22:2, 2004.)
"""

from __future__ import annotations

from collections.abc import Sequence

from openalgo_desktop.core.charting.transforms.machine import Bar
from openalgo_desktop.core.charting.transforms.rows import Row


class HeikinAshi:
    """One row for each bar. The first opens in the middle of its bar's body."""

    def __init__(self) -> None:
        self._open: float | None = None
        self._close = 0.0

    def step(self, bar: Bar) -> Sequence[Row]:
        """The row of the bar."""
        close = (bar.open + bar.high + bar.low + bar.close) / 4
        before = self._open
        opened = (bar.open + bar.close) / 2 if before is None else (before + self._close) / 2
        self._open, self._close = opened, close
        high, low = max(bar.high, opened, close), min(bar.low, opened, close)
        sign = 1 if close >= opened else -1
        return (Row(bar.at, opened, high, low, close, bar.volume, bar.oi, sign),)

    def tail(self) -> None:
        """None: every bar has its row."""
        return
