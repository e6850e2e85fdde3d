"""Prices of a bar, and bars that stand out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import line, marks
from openalgo_desktop.analytics.indicators.kit.params import flag, length, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Draw, Level, Output

STUDIES = Shelf("Price")
#: id, title, short name, source, formula
_PRICES = (
    ("typical-price", "Typical price", "Typical", "hlc3", "(high + low + close) / 3"),
    ("median-price", "Median price", "Median price", "hl2", "(high + low) / 2"),
    ("weighted-close", "Weighted close", "WClose", "hlcc4", "(high + low + 2 close) / 4"),
    ("average-price", "Average price", "AvgPrice", "ohlc4", "(open + high + low + close) / 4"),
)
for _study, _title, _short, _name, _formula in _PRICES:
    STUDIES.study(_study, _title, _short, (line("price", _title),), over=True, source=_formula)(
        lambda i, name=_name: i.column(name)  # type: ignore[misc]
    )


def _mark(value: float) -> Any:
    return lambda v: np.where(v > 0, value, np.nan)


@STUDIES.study(
    "inside-outside",
    "Inside and outside bars",
    "In/out",
    (
        marks("inside", "Inside", "study-3", "study-3"),
        marks("outside", "Outside", "study-2", "study-2"),
    ),
    over=True,
    source="a bar within the range of the one before (marked above); one beyond it on both sides",
)
def _inside_outside(i: Inputs) -> Sequence[Node]:
    top, foot = w.ago(i.high, 1), w.ago(i.low, 1)
    inside = w.each(_within, i.high, i.low, top, foot)
    outside = w.each(_within, top, foot, i.high, i.low)
    return w.each(_mark(-1.0), inside), w.each(_mark(1.0), outside)


def _within(high: Any, low: Any, top: Any, foot: Any) -> Any:
    return ((high < top) & (low > foot)).astype(float)


@STUDIES.study(
    "narrow-range",
    "Narrow range bars",
    "NR",
    (marks("narrow", "Narrowest", "accent", "accent"),),
    (length(7, low=2, high=200),),
    over=True,
    source="Crabel 1990: the range is the smallest of n bars",
    words=("NR4", "NR7"),
)
def _narrow(i: Inputs) -> Node:
    reach, n = i.high - i.low, i.whole()
    before = w.ago(w.lowest(reach, n - 1), 1)
    return w.each(_mark(1.0), w.below(reach, before))


@STUDIES.study(
    "gaps",
    "Gaps",
    "Gaps",
    (
        marks("gap", "Gap"),
        Output("percent", "Gap %", Draw.NOTHING, places=2),
    ),
    (flag("days", "Only between days", True),),
    over=True,
    source="the open above the high of the bar before, or below its low; with its distance in "
    "percent of that",
)
def _gaps(i: Inputs) -> Sequence[Node]:
    top, foot = w.ago(i.high, 1), w.ago(i.low, 1)
    percent = w.each(_gap, i.open, top, foot, i.new_day if i.flag("days") else i.open * 0 + 1.0)
    return w.each(np.sign, percent), percent


def _gap(open_: Any, top: Any, foot: Any, counts: Any) -> Any:
    up, down = open_ > top, open_ < foot
    size = np.where(up, open_ / top - 1, np.where(down, open_ / foot - 1, np.nan))
    return np.where(counts != 0, 100 * size, np.nan)


@STUDIES.study(
    "streak",
    "Streak",
    "Streak",
    (Output("streak", "Bars", Draw.HISTOGRAM, "up", falling="down", places=0),),
    (source(),),
    levels=(Level(0),),
    source="how many bars in a row rose; fell, below 0",
)
def _streak(i: Inputs) -> Node:
    x = i.source()
    way = w.side(x, w.ago(x, 1))
    return w.streak(w.each(lambda v: v * (v > 0), way)) - w.streak(
        w.each(lambda v: v * (v < 0), way)
    )
