"""Lines that follow the price on one side and turn."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.measures import true_range
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import length, number
from openalgo_desktop.analytics.indicators.kit.recursive import Loop
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.columns import Floats
from openalgo_desktop.core.charting.studies import Draw, Output

STUDIES = Shelf("Trend")
_NAN = float("nan")


class _Sar(NamedTuple):
    """After a bar: its high and low and those before, the way, stop, extreme and factor."""

    bars: int = 0
    high: float = _NAN
    low: float = _NAN
    rising: bool = True
    stop: float = _NAN
    extreme: float = _NAN
    factor: float = 0.0
    high_2: float = _NAN
    low_2: float = _NAN


@STUDIES.study(
    "sar",
    "Parabolic SAR",
    "SAR",
    (Output("sar", "SAR", Draw.DOTS), Output("way", "Way", Draw.NOTHING, places=0)),
    (
        number("start", "Start", 0.02, 0.0001, 1),
        number("step", "Step", 0.02, 0, 1),
        number("limit", "Limit", 0.2, 0.0001, 1),
    ),
    over=True,
    source="Wilder 1978; at the second bar it rises unless the low fell by more than the high "
    "rose; TA-Lib SAR",
    words=("stop and reverse",),
)
def _sar(i: Inputs) -> Sequence[Node]:
    more, limit = i.number("step"), i.number("limit")
    first = min(i.number("start"), limit)

    def run(
        state: _Sar, highs: list[float], lows: list[float]
    ) -> tuple[_Sar, Sequence[list[float]]]:
        bars, h1, l1, rising, stop, extreme, factor, h2, l2 = state
        stops, ways = [], []
        for high, low in zip(highs, lows, strict=True):
            if isnan(high) or isnan(low) or not bars:
                if not isnan(high + low):
                    bars, h1, l1 = 1, high, low
                stops.append(_NAN)
                ways.append(_NAN)
                continue
            if bars == 1:
                rising = not l1 - low > max(0.0, high - h1)
                stop, extreme = (l1, high) if rising else (h1, low)
                bars, factor, h1, l1 = 2, first, high, low
            else:  # never within the range of the last two bars
                stop += factor * (extreme - stop)
                stop = min(stop, l1, l2) if rising else max(stop, h1, h2)
            if (low <= stop) if rising else (high >= stop):
                stop, rising, factor = extreme, not rising, first
                stop = min(stop, low, l1) if rising else max(stop, high, h1)
                extreme = high if rising else low
            elif (high > extreme) if rising else (low < extreme):
                extreme, factor = (high if rising else low), min(limit, factor + more)
            h1, l1, h2, l2 = high, low, h1, l1
            stops.append(stop)
            ways.append(1.0 if rising else -1.0)
        now = _Sar(bars, h1, l1, rising, stop, extreme, factor, h2, l2)
        return now, (stops, ways)

    def quick(high: Floats, low: Floats) -> tuple[_Sar, Sequence[Floats]] | None:
        """TA-Lib's values; the state from the last turn on, where it starts over."""
        if first != more or np.isnan(high).any() or np.isnan(low).any() or high.size < 3:
            return None
        import talib

        stops = talib.SAR(high, low, first, limit)
        ways = np.where(stops <= low, 1.0, np.where(stops >= high, -1.0, np.nan))
        turns = np.flatnonzero(ways[1:] * ways[:-1] < 0)
        # a bar on its stop without a range: neither way can be told
        if not turns.size or (stops[1:] == low[1:])[high[1:] == low[1:]].any():
            return None
        k = int(turns[-1]) + 1
        up = bool(ways[k] > 0)
        turned = _Sar(
            2, float(high[k]), float(low[k]), up, float(stops[k]),
            float(high[k] if up else low[k]), first, float(high[k - 1]), float(low[k - 1]),
        )  # fmt: skip
        now, _ = run(turned, high[k + 1 :].tolist(), low[k + 1 :].tolist())
        ways[0] = np.nan
        return now, (stops, ways)

    node = Loop(run, _Sar(), i.high, i.low, quick=quick)
    return node, node.part(1)


@STUDIES.study(
    "volatility-stop",
    "Volatility stop",
    "VStop",
    (line("up", "Stop of a long", "up"), line("down", "Stop of a short", "down")),
    (length(20), number("factor", "Factor", 2, 0.1, 20)),
    over=True,
    source="highest close of the trend - factor ATR, turning where the close is below; a short the "
    "other way round",
)
def _volatility_stop(i: Inputs) -> Sequence[Node]:
    away = w.rma(true_range(i), i.whole()) * i.number("factor")
    node = Loop(_trail, (0.0, _NAN, _NAN), i.close, away)
    return node, node.part(1)


def _trail(
    state: tuple[float, float, float], closes: list[float], widths: list[float]
) -> tuple[tuple[float, float, float], Sequence[list[float]]]:
    (way, extreme, stop), up, down = state, [], []
    for close, away in zip(closes, widths, strict=True):
        if isnan(close + away):
            up.append(_NAN)
            down.append(_NAN)
            continue
        if not way:
            way, extreme, stop = 1.0, close, close - away
        elif way > 0:
            extreme = close if close > extreme else extreme
            new = extreme - away
            stop = new if new > stop else stop
            if close < stop:
                way, extreme, stop = -1.0, close, close + away
        else:
            extreme = close if close < extreme else extreme
            new = extreme + away
            stop = new if new < stop else stop
            if close > stop:
                way, extreme, stop = 1.0, close, close - away
        if way > 0:
            up.append(stop)
            down.append(_NAN)
        else:
            up.append(_NAN)
            down.append(stop)
    return (way, extreme, stop), (up, down)
