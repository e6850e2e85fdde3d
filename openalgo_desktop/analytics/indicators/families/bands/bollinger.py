"""Bollinger's bands and what is read from them."""

from __future__ import annotations

from collections.abc import Sequence

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import channel, line
from openalgo_desktop.analytics.indicators.kit.params import choice, length, number, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Level

STUDIES = Shelf("Bands and channels")
_IN = (length(20), number("factor", "Deviations", 2, 0, 20), source())


def _bands(i: Inputs, kind: str = "SMA") -> tuple[Node, Node, Node]:
    x, n = i.source(), i.whole()
    middle, away = w.average(kind, x, n), w.stdev(x, n) * i.number("factor")
    return middle + away, middle, middle - away


@STUDIES.study(
    "bollinger",
    "Bollinger bands",
    "BB",
    channel(),
    (*_IN, choice("kind", "Middle line", "SMA", w.AVERAGES)),
    over=True,
    source="Bollinger 1983: mean +- deviations (population) of n bars; TA-Lib BBANDS",
)
def _bollinger(i: Inputs) -> Sequence[Node]:
    upper, middle, lower = _bands(i, i.text("kind"))
    return upper, middle, lower, upper


@STUDIES.study(
    "bollinger-b",
    "Bollinger %B",
    "%B",
    (line("b", "%B", places=3),),
    _IN,
    levels=(Level(1, "Upper"), Level(0.5), Level(0, "Lower")),
    source="Bollinger: place of the price between the bands",
)
def _percent(i: Inputs) -> Node:
    upper, _, lower = _bands(i)
    return (i.source() - lower) / (upper - lower)


@STUDIES.study(
    "bollinger-width",
    "Bollinger band width",
    "BBW",
    (line("width", "Width", places=4),),
    _IN,
    source="Bollinger: distance of the bands by the middle line",
)
def _width(i: Inputs) -> Node:
    upper, middle, lower = _bands(i)
    return (upper - lower) / middle
