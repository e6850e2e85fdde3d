"""Whether there is a trend, and which way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.measures import true_range
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import histogram, line
from openalgo_desktop.analytics.indicators.kit.params import length, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Draw, Level, Output

STUDIES = Shelf("Trend")
_DI = (line("plus", "+DI", "up", places=2), line("minus", "-DI", "down", places=2))


def _directional(i: Inputs, n: int) -> tuple[Node, Node, Node]:
    """+DI, -DI and DX, 0 to 100."""
    up, down = w.change(i.high), -w.change(i.low)
    plus = w.each(lambda u, d: np.where((u > d) & (u > 0), u, u * 0 + d * 0), up, down)
    minus = w.each(lambda u, d: np.where((d > u) & (d > 0), d, u * 0 + d * 0), up, down)
    reach = w.rma(true_range(i), n)
    plus_di, minus_di = (w.rma(x, n) / reach * 100 for x in (plus, minus))
    return plus_di, minus_di, abs(plus_di - minus_di) / (plus_di + minus_di) * 100


@STUDIES.study(
    "adx",
    "Average directional index",
    "ADX",
    (line("adx", "ADX", places=2), *_DI),
    (length(14), length(14, "smooth", "ADX smoothing")),
    levels=(Level(25), Level(20)),
    low=0,
    source="Wilder 1978: Wilder's average of DX; averages begin with means of n values",
    words=("DMI", "directional movement"),
)
def _adx(i: Inputs) -> Sequence[Node]:
    plus, minus, dx = _directional(i, i.whole())
    return w.rma(dx, i.whole("smooth")), plus, minus


@STUDIES.study(
    "dmi",
    "Directional movement",
    "DMI",
    _DI,
    (length(14),),
    low=0,
    source="Wilder 1978: +DI and -DI",
)
def _dmi(i: Inputs) -> Sequence[Node]:
    return _directional(i, i.whole())[:2]


@STUDIES.study(
    "adxr",
    "Average directional index rating",
    "ADXR",
    (line("adxr", "ADXR", places=2), line("adx", "ADX", "study-2", places=2)),
    (length(14),),
    levels=(Level(25),),
    low=0,
    source="Wilder 1978: mean of the ADX and of that n - 1 bars ago, as TA-Lib",
)
def _adxr(i: Inputs) -> Sequence[Node]:
    n = i.whole()
    adx = w.rma(_directional(i, n)[2], n)
    return (adx + w.ago(adx, n - 1)) / 2.0, adx


def _aroon_lines(i: Inputs) -> tuple[Node, Node]:
    n = i.whole()
    up, down = w.since_highest(i.high, n + 1), w.since_highest(-i.low, n + 1)
    return (float(n) - up) * (100 / n), (float(n) - down) * (100 / n)


@STUDIES.study(
    "aroon",
    "Aroon",
    "Aroon",
    (line("up", "Up", "up", places=1), line("down", "Down", "down", places=1)),
    (length(14),),
    levels=(Level(70), Level(30)),
    low=0,
    high=100,
    source="Chande 1995: how long ago the highest high and lowest low of n + 1 bars are (the "
    "latest of equal ones), 100 for this bar; TA-Lib AROON",
)
def _aroon(i: Inputs) -> Sequence[Node]:
    return _aroon_lines(i)


@STUDIES.study(
    "aroon-oscillator",
    "Aroon oscillator",
    "Aroon osc",
    (histogram("oscillator", "Oscillator"),),
    (length(14),),
    levels=(Level(0),),
    low=-100,
    high=100,
    source="Aroon up less Aroon down; TA-Lib AROONOSC",
)
def _aroon_oscillator(i: Inputs) -> Node:
    up, down = _aroon_lines(i)
    return up - down


@STUDIES.study(
    "vortex",
    "Vortex",
    "VI",
    (line("plus", "VI+", "up", places=3), line("minus", "VI-", "down", places=3)),
    (length(14),),
    levels=(Level(1),),
    source="Botes and Siepman 2010: sums of |high - low before| and |low - high before| by that of "
    "the true range",
)
def _vortex(i: Inputs) -> Sequence[Node]:
    n = i.whole()
    reach = w.total(true_range(i), n)
    plus = w.total(abs(i.high - w.ago(i.low, 1)), n)
    return plus / reach, w.total(abs(i.low - w.ago(i.high, 1)), n) / reach


@STUDIES.study(
    "trix",
    "TRIX",
    "TRIX",
    (line("trix", "TRIX", places=3), line("signal", "Signal", "study-2", places=3)),
    (length(18), length(9, "signal", "Signal length"), source()),
    levels=(Level(0),),
    source="Hutson 1983: change of a triple EMA in percent, and its EMA; TA-Lib TRIX",
)
def _trix(i: Inputs) -> Sequence[Node]:
    n, x = i.whole(), i.source()
    for _ in range(3):
        x = w.ema(x, n)
    trix = w.change(x) / w.ago(x, 1) * 100
    return trix, w.ema(trix, i.whole("signal"))


@STUDIES.study(
    "mass-index",
    "Mass index",
    "Mass",
    (line("mass", "Mass", places=2),),
    (length(9, "ema", "EMA length"), length(25)),
    levels=(Level(27), Level(26.5)),
    source="Dorsey 1992: sum over 25 bars of EMA 9 of the range by the EMA 9 of that",
)
def _mass(i: Inputs) -> Node:
    once = w.ema(i.high - i.low, i.whole("ema"))
    return w.total(once / w.ema(once, i.whole("ema")), i.whole())


@STUDIES.study(
    "choppiness",
    "Choppiness index",
    "CHOP",
    (line("chop", "CHOP", places=2),),
    (length(14, low=2),),
    levels=(Level(61.8), Level(50), Level(38.2)),
    low=0,
    high=100,
    source="Dreiss: 100 log10(sum of true ranges / range of n bars) / log10(n)",
)
def _choppiness(i: Inputs) -> Node:
    n = i.whole()
    reach = w.highest(i.high, n) - w.lowest(i.low, n)
    return w.each(np.log10, w.total(true_range(i), n) / reach) * float(100 / np.log10(n))


@STUDIES.study(
    "elder-impulse",
    "Elder impulse",
    "Impulse",
    (Output("impulse", "Impulse", Draw.BARS, "up", places=0),),
    (
        length(13),
        length(12, "fast", "MACD fast"),
        length(26, "slow", "MACD slow"),
        length(9, "signal", "MACD signal"),
    ),
    over=True,
    source="Elder 2002: 1 while the EMA and the MACD histogram rise, -1 while both fall, else 0",
)
def _impulse(i: Inputs) -> Node:
    average = w.ema(i.close, i.whole())
    macd = w.ema(i.close, i.whole("fast")) - w.ema(i.close, i.whole("slow"))
    bars = macd - w.ema(macd, i.whole("signal"))
    return w.each(_agree, w.side(average, w.ago(average, 1)), w.rises(bars, i.close))


def _agree(a: Any, b: Any) -> Any:
    return np.where(np.isnan(a + b), np.nan, np.where(a == b, a, 0.0))


@STUDIES.study(
    "vhf",
    "Vertical horizontal filter",
    "VHF",
    (line("vhf", "VHF", places=3),),
    (length(28), source()),
    source="White 1991: range of n values by the sum of the sizes of their n changes",
)
def _vhf(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    return (w.highest(x, n) - w.lowest(x, n)) / w.total(abs(w.change(x)), n)
