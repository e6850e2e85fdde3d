"""Several averages, and lines beside one."""

from __future__ import annotations

from collections.abc import Sequence

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import channel, line, marks
from openalgo_desktop.analytics.indicators.kit.params import choice, length, number, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Param

STUDIES = Shelf("Moving averages")
_RIBBON = 8
_GUPPY = (3, 5, 8, 10, 12, 15, 30, 35, 40, 45, 50, 60)


def _kind(default: str = "EMA") -> Param:
    return choice("kind", "Kind", default, w.AVERAGES)


@STUDIES.study(
    "ma-ribbon",
    "Moving average ribbon",
    "Ribbon",
    [line(f"line-{k + 1}", f"Line {k + 1}", f"study-{k + 1}") for k in range(_RIBBON)],
    (_kind(), length(20), length(5, "step", "Step"), source()),
    over=True,
    source="eight averages, each `step` bars longer than the one before",
)
def _ribbon(i: Inputs) -> Sequence[Node]:
    x, n, step = i.source(), i.whole(), i.whole("step")
    return [w.average(i.text("kind"), x, n + k * step) for k in range(_RIBBON)]


@STUDIES.study(
    "gmma",
    "Guppy multiple moving average",
    "GMMA",
    [line(f"ema-{n}", f"EMA {n}", "study-1" if n < 20 else "study-2") for n in _GUPPY],
    (source(),),
    over=True,
    source="Guppy: EMA of 3, 5, 8, 10, 12, 15 and of 30, 35, 40, 45, 50, 60",
)
def _guppy(i: Inputs) -> Sequence[Node]:
    x = i.source()
    return [w.ema(x, n) for n in _GUPPY]


@STUDIES.study(
    "ma-cross",
    "Moving average cross",
    "MA cross",
    (line("fast", "Fast"), line("slow", "Slow", "study-2"), marks("cross", "Cross")),
    (
        _kind("SMA"),
        length(9, "fast", "Fast length"),
        length(21, "slow", "Slow length"),
        source(),
    ),
    over=True,
    source="marks where the fast average crosses the slow one",
    words=("golden cross", "death cross", "crossover"),
)
def _cross(i: Inputs) -> Sequence[Node]:
    x, kind = i.source(), i.text("kind")
    fast, slow = w.average(kind, x, i.whole("fast")), w.average(kind, x, i.whole("slow"))
    return fast, slow, w.crossed(fast, slow)


@STUDIES.study(
    "ma-envelope",
    "Moving average envelope",
    "Envelope",
    channel(),
    (_kind("SMA"), length(20), number("percent", "Percent", 2.5, 0, 100), source()),
    over=True,
    source="average +- percent",
)
def _envelope(i: Inputs) -> Sequence[Node]:
    middle, part = w.average(i.text("kind"), i.source(), i.whole()), i.number("percent") / 100
    upper = middle * (1 + part)
    return upper, middle, middle * (1 - part), upper


@STUDIES.study(
    "ma-channel",
    "Moving average channel",
    "MA channel",
    channel(),
    (_kind("SMA"), length(20)),
    over=True,
    source="averages of the highs, of the closes and of the lows",
    words=("high low bands",),
)
def _channel(i: Inputs) -> Sequence[Node]:
    kind, n = i.text("kind"), i.whole()
    upper = w.average(kind, i.high, n)
    return upper, w.average(kind, i.close, n), w.average(kind, i.low, n), upper
