"""Distances of averages."""

from __future__ import annotations

from collections.abc import Sequence

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import histogram, line
from openalgo_desktop.analytics.indicators.kit.params import choice, length, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Level, Output, Param

STUDIES = Shelf("Trend")


def _three(name: str) -> tuple[Output, ...]:
    return (
        histogram("histogram", "Histogram"),
        line(name.lower(), name),
        line("signal", "Signal", "study-2"),
    )


def _lengths(fast: int = 12, slow: int = 26, signal: int = 9) -> tuple[Param, ...]:
    return (
        length(fast, "fast", "Fast length"),
        length(slow, "slow", "Slow length"),
        length(signal, "signal", "Signal length"),
    )


def _signalled(x: Node, n: int) -> Sequence[Node]:
    signal = w.ema(x, n)
    return x - signal, x, signal


@STUDIES.study(
    "macd",
    "MACD",
    "MACD",
    _three("MACD"),
    (*_lengths(), choice("kind", "Averages", "EMA", w.AVERAGES), source()),
    levels=(Level(0),),
    source="Appel 1979: EMA 12 - EMA 26, its EMA 9, and their distance; each EMA has its own start "
    "(TA-Lib starts the fast one late)",
    words=("moving average convergence divergence",),
)
def _macd(i: Inputs) -> Sequence[Node]:
    x, kind = i.source(), i.text("kind")
    fast, slow = w.average(kind, x, i.whole("fast")), w.average(kind, x, i.whole("slow"))
    return _signalled(fast - slow, i.whole("signal"))


def _percent(x: Node, i: Inputs) -> Node:
    slow = w.ema(x, i.whole("slow"))
    return (w.ema(x, i.whole("fast")) - slow) / slow * 100


@STUDIES.study(
    "ppo",
    "Percentage price oscillator",
    "PPO",
    _three("PPO"),
    (*_lengths(), source()),
    levels=(Level(0),),
    source="MACD in percent of the slow average",
)
def _ppo(i: Inputs) -> Sequence[Node]:
    return _signalled(_percent(i.source(), i), i.whole("signal"))


@STUDIES.study(
    "pvo",
    "Percentage volume oscillator",
    "PVO",
    _three("PVO"),
    _lengths(),
    levels=(Level(0),),
    needs=("volume",),
    source="PPO of the volume",
)
def _pvo(i: Inputs) -> Sequence[Node]:
    return _signalled(_percent(i.volume, i), i.whole("signal"))


@STUDIES.study(
    "apo",
    "Absolute price oscillator",
    "APO",
    (line("apo", "APO"),),
    (
        length(12, "fast", "Fast length"),
        length(26, "slow", "Slow length"),
        choice("kind", "Averages", "EMA", w.AVERAGES),
        source(),
    ),
    levels=(Level(0),),
    source="fast average less slow average",
)
def _apo(i: Inputs) -> Node:
    x, kind = i.source(), i.text("kind")
    return w.average(kind, x, i.whole("fast")) - w.average(kind, x, i.whole("slow"))
