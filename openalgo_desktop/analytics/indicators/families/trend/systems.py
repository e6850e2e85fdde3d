"""Whole systems of lines: Ichimoku, the alligator, fractals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node, Window
from openalgo_desktop.analytics.indicators.kit.outputs import histogram, line, marks
from openalgo_desktop.analytics.indicators.kit.params import length, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.columns import Floats
from openalgo_desktop.core.charting.studies import Draw, Output

STUDIES = Shelf("Trend")


def _middle(i: Inputs, n: int) -> Node:
    return (w.highest(i.high, n) + w.lowest(i.low, n)) / 2.0


@STUDIES.study(
    "ichimoku",
    "Ichimoku cloud",
    "Ichimoku",
    (
        line("conversion", "Conversion (Tenkan)", "study-1"),
        line("base", "Base (Kijun)", "study-2"),
        line("span-a", "Leading span A", "up", shift="ahead", offset=-1),
        line("span-b", "Leading span B", "down", shift="ahead", offset=-1),
        line("lagging", "Lagging span (Chikou)", "muted", shift="-ahead", offset=1),
        Output("cloud", "Cloud", Draw.BAND, "up", fill_to="span-b", falling="down", shift="ahead",
               offset=-1),
    ),
    (
        length(9, "conversion", "Conversion length"),
        length(26, "base", "Base length"),
        length(52, "span", "Leading span B length"),
        length(26, "ahead", "Shift", high=500),
    ),
    over=True,
    source="Hosoda 1968: middles of the ranges of 9, 26 and 52 bars; the spans stand 26 bars ahead "
    "counted with this one, the close 26 back",
    words=("kumo", "tenkan", "kijun", "senkou", "chikou"),
)  # fmt: skip
def _ichimoku(i: Inputs) -> Sequence[Node]:
    conversion, base = _middle(i, i.whole("conversion")), _middle(i, i.whole("base"))
    a = (conversion + base) / 2.0
    return conversion, base, a, _middle(i, i.whole("span")), i.close, a


_JAWS = (
    length(13, "jaw", "Jaw length"),
    length(8, "jaw-shift", "Jaw shift", low=0, high=500),
    length(8, "teeth", "Teeth length"),
    length(5, "teeth-shift", "Teeth shift", low=0, high=500),
    length(5, "lips", "Lips length"),
    length(3, "lips-shift", "Lips shift", low=0, high=500),
)


def _three(i: Inputs) -> list[Node]:
    return [w.rma(i.column("hl2"), i.whole(name)) for name in ("jaw", "teeth", "lips")]


@STUDIES.study(
    "alligator",
    "Alligator",
    "Alligator",
    (
        line("jaw", "Jaw", "study-1", shift="jaw-shift"),
        line("teeth", "Teeth", "down", shift="teeth-shift"),
        line("lips", "Lips", "up", shift="lips-shift"),
    ),
    _JAWS,
    over=True,
    source="Williams 1995: smoothed averages 13, 8, 5 of the middle of the bar, 8, 5, 3 bars ahead",
)
def _alligator(i: Inputs) -> Sequence[Node]:
    return _three(i)


@STUDIES.study(
    "gator",
    "Gator oscillator",
    "Gator",
    (histogram("upper", "Jaw and teeth", "up", "up"), histogram("lower", "Teeth and lips", "down")),
    _JAWS,
    source="distance of the alligator's jaw and teeth above 0, of its teeth and lips below",
)
def _gator(i: Inputs) -> Sequence[Node]:
    names = ("jaw-shift", "teeth-shift", "lips-shift")
    jaw, teeth, lips = (w.ago(x, i.whole(n)) for x, n in zip(_three(i), names, strict=True))
    return abs(jaw - teeth), -abs(teeth - lips)


def peaks(x: Floats, left: int, right: int) -> Floats:
    """The value of the bar ``right`` bars ago where it is above all ``left`` bars before it and
    all ``right`` after it, else NaN."""
    n = left + right + 1
    out = np.full(x.size, np.nan)
    if x.size < n:
        return out
    count = x.size - n + 1
    top = x[left : left + count]
    is_peak = np.ones(count, bool)
    for k in range(n):
        if k != left:
            is_peak &= top > x[k : k + count]
    out[n - 1 :] = np.where(is_peak, top, np.nan)
    return out


def _peak(x: Node, left: int, right: int) -> Node:
    return Window(lambda v: peaks(v, left, right), left + right + 1, x)


@STUDIES.study(
    "fractals",
    "Williams fractals",
    "Fractals",
    (
        marks("up", "Up fractal", "down", shift="-length"),
        marks("down", "Down fractal", "up", shift="-length"),
    ),
    (length(2, label="Bars on each side", high=50),),
    over=True,
    source="Williams 1995: a high above those of two bars on each side, a low below; known two "
    "bars later",
)
def _fractals(i: Inputs) -> Sequence[Node]:
    n = i.whole()
    up, down = _peak(i.high, n, n), _peak(-i.low, n, n)
    return w.each(lambda v: v * 0 - 1, up), w.each(lambda v: v * 0 + 1, down)


@STUDIES.study(
    "pivot-points",
    "Pivot highs and lows",
    "Pivots HL",
    (
        Output("high", "Pivot high", Draw.CROSSES, "down", shift="-right"),
        Output("low", "Pivot low", Draw.CROSSES, "up", shift="-right"),
    ),
    (length(5, "left", "Bars before", high=200), length(5, "right", "Bars after", high=200)),
    over=True,
    source="a high above all of the bars before and after it, a low below; known `right` bars "
    "later",
    words=("swing",),
)
def _pivots(i: Inputs) -> Sequence[Node]:
    left, right = i.whole("left"), i.whole("right")
    return _peak(i.high, left, right), -_peak(-i.low, left, right)


@STUDIES.study(
    "rainbow",
    "Rainbow oscillator",
    "Rainbow",
    (histogram("rainbow", "Rainbow"), line("width", "Width", "study-2", places=2)),
    (length(2), length(10, "levels", "Averages", low=2, high=20), source()),
    source="Widner 1998: price less the mean of a chain of SMA 2 by the range of 10 values, and "
    "the width of the chain, percent",
)
def _rainbow(i: Inputs) -> Sequence[Node]:
    x, chain = i.source(), []
    y = x
    for _ in range(i.whole("levels")):
        y = w.sma(y, i.whole())
        chain.append(y)
    first, *rest = chain
    top = foot = first
    for one in rest:
        top, foot = w.larger(top, one), w.smaller(foot, one)
    reach = w.highest(x, 10) - w.lowest(x, 10)
    mean = sum(rest, first) / float(len(chain))
    return (x - mean) / reach * 100, (top - foot) / reach * 100
