"""Heikin-Ashi: candles of averages.

Close (O+H+L+C)/4, open the middle of the body before, high and low with both. (D. Valcu, Using the
Heikin-Ashi Technique, Stocks & Commodities 22:2, 2004.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.transforms.machine import Bar, Machine
from openalgo_desktop.core.charting.transforms.rows import Row, TransformedBars


class HeikinAshi(Machine):
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

    def whole(self, bars: Columns) -> TransformedBars:
        """All rows; only the opens need one after another."""
        close = (bars.open + bars.high + bars.low + bars.close) / 4
        value = (float(bars.open[0]) + float(bars.close[0])) / 2
        opens = [value]
        for before in close[:-1].tolist():
            value = (value + before) / 2
            opens.append(value)
        self._open, self._close = value, float(close[-1])
        opened, index = np.array(opens), np.arange(bars.size)
        high = np.maximum(bars.high, np.maximum(opened, close))
        low = np.minimum(bars.low, np.minimum(opened, close))
        signs, nothing = np.where(close >= opened, 1, -1), np.zeros(bars.size, np.int64)
        prices, units = (opened, high, low, close), (bars.volume, bars.oi)
        turns = np.full(bars.size, np.nan)
        return TransformedBars(bars.time, *prices, *units, signs, index, nothing, turns)
