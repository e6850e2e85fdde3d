"""Supertrend: a band of Wilder's average true range that the close has to cross.

Upper = (H + L) / 2 + m ATR, lower = (H + L) / 2 - m ATR. A band moves towards the price only,
unless the close before was beyond it; the trend turns when the close crosses the band in force.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from openalgo_desktop.analytics.indian.kept import NAN, Kept
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.gently import gently

Flags: TypeAlias = npt.NDArray[np.bool_]


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


def _whole(band: Band, bars: Columns) -> list[Floats]:
    """All bars; the band's state becomes that before the last one. What needs no state is computed
    for all bars at once, the rest by the rule of :meth:`Band.after`."""
    known = np.isfinite(bars.high + bars.low + bars.close)
    known[-1:] = False  # the last bar is tried from the state, as when it forms
    high, low, close = (column[known] for column in (bars.high, bars.low, bars.close))
    found = np.full((4, bars.size), NAN)
    band.state = _State()
    if high.size < band.length:
        for one in zip(high.tolist(), low.tolist(), close.tolist(), strict=True):
            band.state = band.after(band.state, *one)
    else:
        _closed(band, high, low, close, known, found)
    if bars.size:
        last = (float(bars.high[-1]), float(bars.low[-1]), float(bars.close[-1]))
        found[:, -1] = _shown(band.after(band.state, *last), band.state.trend)
    return list(found)


def _closed(
    band: Band, high: Floats, low: Floats, close: Floats, known: Flags, found: Floats
) -> None:
    before = np.concatenate((close[:1], close[:-1]))
    size = np.maximum(high, before) - np.minimum(low, before)
    size[0] = high[0] - low[0]
    atr, uppers, lowers, trends = _bands(band, size, (high + low) / 2.0, close)
    first = band.length - 1
    values = (uppers[-1], lowers[-1], trends[-1])
    band.state = _State(len(close), atr, *values[:2], int(values[2]), float(close[-1]))
    trend = np.array(trends, dtype=np.float64)
    rows = np.full((4, len(close)), NAN)
    rows[0, first:] = np.where(trend > 0, lowers, NAN)
    rows[1, first:] = np.where(trend < 0, uppers, NAN)
    rows[2, first:] = trend
    rows[3, first + 1 :] = np.where(trend[1:] != trend[:-1], trend[1:], NAN)
    # A bar that is not known shows what is in force, and turns nothing.
    places = np.cumsum(known) - 1
    shown = places >= 0
    found[:, shown] = rows[:, places[shown]]
    found[3, ~known] = NAN


def _bands(
    band: Band, sizes: Floats, middles: Floats, closes: Floats
) -> tuple[float, list[float], list[float], list[int]]:
    """The last average, and bands and trends from the first whole average on."""
    length, factor = band.length, band.factor
    atr = sum(sizes[:length].tolist()) / length
    start = length - 1
    middle, close = float(middles[start]), float(closes[start])
    upper, lower = middle + factor * atr, middle - factor * atr
    trend = 1 if close >= middle else -1
    uppers, lowers, trends = [upper], [lower], [trend]
    rest = (sizes[length:].tolist(), middles[length:].tolist(), closes[length:].tolist())
    before = close
    for size, middle, close in gently(zip(*rest, strict=True)):
        atr += (size - atr) / length
        away = factor * atr
        over, under = middle + away, middle - away
        if over < upper or before > upper:
            upper = over
        if under > lower or before < lower:
            lower = under
        if trend < 0:
            if close > upper:
                trend = 1
        elif close < lower:
            trend = -1
        before = close
        uppers.append(upper)
        lowers.append(lower)
        trends.append(trend)
    return atr, uppers, lowers, trends


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
        arrays = [column for band in self._bands for column in _whole(band, bars)]
        return arrays if len(self._bands) < 2 else [*arrays, _agreed(arrays[2], arrays[6])]

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
