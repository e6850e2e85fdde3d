"""Oscillators made of other oscillators."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.measures import rsi, stochastic, volatility_index
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import histogram, line
from openalgo_desktop.analytics.indicators.kit.params import length, number, source
from openalgo_desktop.analytics.indicators.kit.recursive import Loop
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Level

STUDIES = Shelf("Momentum")
_NAN = float("nan")
#: Fisher's transform has no value at 1.
_FAR = 0.999


@STUDIES.study(
    "fisher",
    "Fisher transform",
    "Fisher",
    (line("fisher", "Fisher", places=3), line("trigger", "Trigger", "study-2", places=3)),
    (length(9), source("hl2")),
    levels=(Level(1.5), Level(0), Level(-1.5)),
    source="Ehlers 2002: 0.5 ln((1+v)/(1-v)) + half of the one before, v the smoothed place in the "
    "range of n bars, within +-0.999",
)
def _fisher(i: Inputs) -> Sequence[Node]:
    x, n = i.source(), i.whole()

    def run(v: float, places: list[float]) -> tuple[float, Sequence[list[float]]]:
        found = []
        for place in places:
            if isnan(place):
                found.append(place)
                continue
            v = 0.66 * (place / 100 - 0.5) + 0.67 * v
            if v > _FAR or v < -_FAR:
                v = _FAR if v > 0 else -_FAR
            found.append(v)
        return v, (found,)

    smooth = Loop(run, 0.0, stochastic(x, x, x, n))
    fisher = w.blend(w.each(lambda v: np.log((1 + v) / (1 - v)), smooth), 0.5, 0.0)
    return fisher, w.ago(fisher, 1)


@STUDIES.study(
    "qqe",
    "Quantitative qualitative estimation",
    "QQE",
    (line("rsi", "Smoothed RSI", places=2), line("trail", "Trail", "study-2", places=2)),
    (
        length(14, "rsi", "RSI length"),
        length(5, "smooth", "Smoothing"),
        number("factor", "Factor", 4.236, 0.1, 20),
        source(),
    ),
    levels=(Level(70), Level(50), Level(30)),
    low=0,
    high=100,
    source="EMA of the RSI, and a stop that trails it by the factor times its average move, "
    "Wilder's average taken twice",
)
def _qqe(i: Inputs) -> Sequence[Node]:
    n = i.whole("rsi")
    smooth = w.ema(rsi(i.source(), n), i.whole("smooth"))
    moved = w.rma(w.rma(abs(w.change(smooth)), n), n) * i.number("factor")
    return smooth, Loop(_trail, (_NAN, _NAN), smooth, moved)


def _trail(
    state: tuple[float, float], values: list[float], widths: list[float]
) -> tuple[tuple[float, float], Sequence[list[float]]]:
    """A stop below while ``x`` is above it, and above while below: it never moves away."""
    (before, stop), found = state, []
    for x, away in zip(values, widths, strict=True):
        if isnan(x + away):
            found.append(_NAN)
            continue
        if isnan(stop):
            stop = x - away
        elif x > stop:
            new = x - away
            if new > stop or before <= stop:
                stop = new
        else:
            new = x + away
            if new < stop or before >= stop:
                stop = new
        before = x
        found.append(stop)
    return (before, stop), (found,)


@STUDIES.study(
    "inertia",
    "Inertia",
    "Inertia",
    (line("inertia", "Inertia", places=2),),
    (length(20), length(10, "deviation", "Deviation length"), length(14, "smooth", "Smoothing")),
    levels=(Level(50),),
    low=0,
    high=100,
    source="Dorsey 1995: end of the regression line of the relative volatility index",
)
def _inertia(i: Inputs) -> Node:
    rvi = volatility_index(i.close, i.whole("deviation"), i.whole("smooth"))
    return w.regression(rvi, i.whole())


@STUDIES.study(
    "laguerre-rsi",
    "Laguerre RSI",
    "LRSI",
    (line("lrsi", "LRSI", places=3),),
    (number("gamma", "Gamma", 0.7, 0, 0.99), source()),
    levels=(Level(0.8, "Overbought"), Level(0.2, "Oversold")),
    low=0,
    high=1,
    source="Ehlers 2002: RSI over the four stages of a Laguerre filter",
)
def _laguerre(i: Inputs) -> Node:
    g, x = i.number("gamma"), i.source()
    stages = [w.blend(x, 1 - g)]
    for _ in range(3):
        # y = one before - g (stage - y): all stages start at the first price
        stage = stages[-1]
        before = w.each(_or_first, w.ago(stage, 1), stage)
        stages.append(w.blend((before - stage * g) / (1 - g), 1 - g))
    return w.each(_laguerre_rsi, x, *stages)


def _or_first(before: Any, now: Any) -> Any:
    return np.where(np.isnan(before), now, before)


def _laguerre_rsi(x: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    steps = (a - b, b - c, c - d)
    up = sum(np.maximum(v, 0.0) for v in steps)
    gone = sum(np.abs(v) for v in steps)
    return np.where(gone > w.SAME * np.abs(x), up / gone, np.nan)


@STUDIES.study(
    "kdj",
    "KDJ",
    "KDJ",
    (
        line("k", "K", places=2),
        line("d", "D", "study-2", places=2),
        line("j", "J", "study-3", places=2),
    ),
    (length(9), length(3, "smooth", "K smoothing"), length(3, "signal", "D smoothing")),
    levels=(Level(80), Level(20)),
    source="stochastic with Wilder's average for K and for D; J = 3 K - 2 D",
)
def _kdj(i: Inputs) -> Sequence[Node]:
    k = w.rma(stochastic(i.close, i.high, i.low, i.whole()), i.whole("smooth"))
    d = w.rma(k, i.whole("signal"))
    return k, d, k * 3 - d * 2


@STUDIES.study(
    "wavetrend",
    "Wave trend",
    "WT",
    (
        line("wt1", "WT1", places=2),
        line("wt2", "WT2", "study-2", places=2),
        histogram("histogram", "Distance"),
    ),
    (
        length(10, "channel", "Channel length"),
        length(21, "average", "Average length"),
        source("hlc3"),
    ),
    levels=(Level(60), Level(0), Level(-60)),
    source="EMA of (x - EMA) / (0.015 EMA of the distance), and its mean of 4 bars",
)
def _wavetrend(i: Inputs) -> Sequence[Node]:
    x, n = i.source(), i.whole("channel")
    away = x - w.ema(x, n)
    wave = w.ema(away / (w.ema(abs(away), n) * 0.015), i.whole("average"))
    signal = w.sma(wave, 4)
    return wave, signal, wave - signal


@STUDIES.study(
    "schaff",
    "Schaff trend cycle",
    "STC",
    (line("stc", "STC", places=2),),
    (
        length(23, "fast", "Fast length"),
        length(50, "slow", "Slow length"),
        length(10, "cycle", "Cycle length"),
        number("factor", "Smoothing factor", 0.5, 0.01, 1),
        source(),
    ),
    levels=(Level(75), Level(25)),
    low=0,
    high=100,
    source="Schaff 1999: stochastic of the MACD smoothed, and that once more; where the range is "
    "nothing, the value before stays",
)
def _schaff(i: Inputs) -> Node:
    x, n = i.source(), i.whole("cycle")
    y = w.ema(x, i.whole("fast")) - w.ema(x, i.whole("slow"))
    for _ in range(2):
        y = w.held(w.blend(stochastic(y, y, y, n), i.number("factor")))
    return y
