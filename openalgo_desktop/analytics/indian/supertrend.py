"""Supertrend: a band of Wilder's average true range that the close has to cross.

Upper = (H + L) / 2 + m ATR, lower = (H + L) / 2 - m ATR. A band moves towards the price only,
unless the close before was beyond it; the trend turns when the close crosses the band in force.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Kept
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.gently import gently


class _State(NamedTuple):
    """After a bar: bars seen, average (a sum until there are enough), bands, trend, close."""

    seen: int = 0
    atr: float = 0.0
    upper: float = NAN
    lower: float = NAN
    trend: int = 0
    close: float = NAN


class Band:
    """The rule of one Supertrend: ``length`` bars of the average, ``factor`` of it."""

    def __init__(self, length: int, factor: float) -> None:
        self.length = length
        self.factor = factor
        self.state = _State()

    def after(self, state: _State, high: float, low: float, close: float) -> _State:
        """The state after one more bar."""
        if math.isnan(high + low + close):
            return state
        count, before = state.seen + 1, state.close
        size = high - low if count == 1 else max(high, before) - min(low, before)
        if count <= self.length:
            atr = state.atr + size
            if count < self.length:
                return _State(count, atr, NAN, NAN, 0, close)
            atr /= self.length
        else:
            atr = state.atr + (size - state.atr) / self.length
        middle, away = (high + low) / 2.0, self.factor * atr
        upper, lower = middle + away, middle - away
        if not state.trend:  # the first band: nothing is known before, the close decides
            return _State(count, atr, upper, lower, 1 if close >= middle else -1, close)
        if upper > state.upper and before <= state.upper:
            upper = state.upper
        if lower < state.lower and before >= state.lower:
            lower = state.lower
        trend = state.trend
        if trend < 0 and close > upper:
            trend = 1
        elif trend > 0 and close < lower:
            trend = -1
        return _State(count, atr, upper, lower, trend, close)


def _shown(state: _State, before: int) -> tuple[float, float, float, float]:
    """The band of a rising and of a falling trend, the trend, and 1 or -1 at a turn."""
    trend = state.trend
    turn = float(trend) if before and trend != before else NAN
    if not trend:
        return NAN, NAN, NAN, NAN
    if trend > 0:
        return state.lower, NAN, 1.0, turn
    return NAN, state.upper, -1.0, turn


class Supertrend(Kept):
    """One band or two. Outputs of each: rising, falling, trend, turns; with two a last one says
    where they agree: 1, -1, 0 where they do not."""

    def __init__(self, *rules: tuple[int, float]) -> None:
        self._bands = [Band(length, factor) for length, factor in rules]
        super().__init__(4 * len(rules) + (len(rules) > 1))

    def _all(self, bars: Columns) -> Sequence[Floats]:
        rows = []
        columns = [column.tolist() for column in (bars.high, bars.low, bars.close)]
        for band in self._bands:
            band.state = state = _State()
            found = []
            for high, low, close in gently(zip(*columns, strict=True)):
                band.state = state
                state = band.after(state, high, low, close)
                found.append(_shown(state, band.state.trend))
            rows.append(np.array(found) if found else np.empty((0, 4)))
        arrays = [table[:, place].copy() for table in rows for place in range(4)]
        return arrays if len(rows) < 2 else [*arrays, _agreed(arrays[2], arrays[6])]

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        one = (float(bars.high[place]), float(bars.low[place]), float(bars.close[place]))
        found: list[float] = []
        for band in self._bands:
            found += _shown(band.after(band.state, *one), band.state.trend)
        if len(self._bands) > 1:
            found += _agreed(np.array(found[2:3]), np.array(found[6:7])).tolist()
        return found

    def _close(self, bars: Columns, place: int) -> None:
        one = (float(bars.high[place]), float(bars.low[place]), float(bars.close[place]))
        for band in self._bands:
            band.state = band.after(band.state, *one)


def _agreed(first: Floats, second: Floats) -> Floats:
    known = np.isfinite(first) & np.isfinite(second)
    return np.where(known, np.where(first == second, first, 0.0), NAN)
