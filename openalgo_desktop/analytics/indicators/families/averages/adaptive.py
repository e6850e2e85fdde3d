"""Averages whose speed follows the market."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node, Windows
from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import length, number, source
from openalgo_desktop.analytics.indicators.kit.recursive import Blend, Loop
from openalgo_desktop.analytics.indicators.kit.rolling import runs
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.columns import Floats

STUDIES = Shelf("Moving averages")
_OUT = (line("average", "Average"),)
#: What is left of an older value is below this.
_GONE = 1e-12
#: Bars that TA-Lib's MAMA needs before its first value.
_MAMA_STARTS = 32


@STUDIES.study(
    "kama",
    "Kaufman's adaptive moving average",
    "KAMA",
    _OUT,
    (
        length(10),
        length(2, "fast", "Fast length"),
        length(30, "slow", "Slow length"),
        source(),
    ),
    over=True,
    source="Kaufman 1995: factor from the efficiency of the last n changes; starts at the value of "
    "the n-th bar; TA-Lib KAMA",
)
def _kama(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    fast, slow = 2 / (i.whole("fast") + 1), 2 / (i.whole("slow") + 1)
    share = efficiency(x, n) * (fast - slow) + slow
    return Blend(x, w.each(_or_one, share * share, w.ago(x, n - 1)))


def _or_one(share: Any, first: Any) -> Any:
    return np.where(np.isnan(share) & ~np.isnan(first), 1.0, share)


def efficiency(x: Node, n: int) -> Node:
    """Kaufman's ratio: way made in n bars by way gone, 0 where nothing moved."""
    gone = w.total(abs(w.change(x)), n)
    return w.each(lambda a, b: np.where(b == 0, 0 * a, a / b), abs(w.change(x, n)), gone)


@STUDIES.study(
    "vidya",
    "Variable index dynamic average",
    "VIDYA",
    _OUT,
    (length(14), length(9, "momentum", "CMO length"), source()),
    over=True,
    source="Chande 1994: EMA whose factor is 2/(n+1) times |CMO|/100",
)
def _vidya(i: Inputs) -> Node:
    x, n = i.source(), i.whole("momentum")
    moved = w.change(x)
    gone = w.total(abs(moved), n)
    share = w.each(lambda a, b: np.where(b == 0, 0 * a, np.abs(a) / b), w.total(moved, n), gone)
    return Blend(x, share * (2 / (i.whole() + 1)))


@STUDIES.study(
    "frama",
    "Fractal adaptive moving average",
    "FRAMA",
    _OUT,
    (length(16, low=2, label="Length (even)"), source("hl2")),
    over=True,
    source="Ehlers 2005: factor exp(-4.6 (D - 1)), D from the ranges of both halves",
)
def _frama(i: Inputs) -> Node:
    half = i.whole() // 2

    def reach(bars: int) -> Node:
        return (w.highest(i.high, bars) - w.lowest(i.low, bars)) / float(bars)

    new = reach(half)
    return Blend(i.source(), w.each(_fractal, w.ago(new, half), new, reach(2 * half)))


def _fractal(old: Any, new: Any, both: Any) -> Any:
    dimension = (np.log(old + new) - np.log(both)) / np.log(2.0)
    share = np.clip(np.exp(-4.6 * (dimension - 1)), 0.01, 1.0)
    return np.where(both == 0, 1.0, share)  # no range: the price is all there is


@STUDIES.study(
    "mcginley",
    "McGinley dynamic",
    "McG",
    _OUT,
    (length(14), source()),
    over=True,
    source="McGinley 1997: y += (x - y) / (n (x/y)^4), from the first value on",
)
def _mcginley(i: Inputs) -> Node:
    n = i.whole()

    def run(y: float, values: list[float]) -> tuple[float, Sequence[list[float]]]:
        found = []
        for x in values:
            if isnan(x):
                found.append(x)
                continue
            if isnan(y) or y == 0 or x == 0:
                y = x
            else:  # faster than the price itself it never is
                square = (x / y) * (x / y)
                slower = n * square * square
                y += (x - y) / slower if slower > 1.0 else x - y
            found.append(y)
        return y, (found,)

    return Loop(run, float("nan"), i.source())


@STUDIES.study(
    "mama",
    "MESA adaptive moving average",
    "MAMA",
    (line("mama", "MAMA"), line("fama", "FAMA", "study-2")),
    (
        number("fast", "Fast limit", 0.5, 0.01, 0.99),
        number("slow", "Slow limit", 0.05, 0.02, 0.99),
        source("hl2"),
    ),
    over=True,
    source="Ehlers 2001; TA-Lib MAMA, starting at the 33rd bar",
    words=("Ehlers", "FAMA"),
)
def _mama(i: Inputs) -> Sequence[Node]:
    fast, slow = i.number("fast"), i.number("slow")

    def both(x: Floats) -> Sequence[Floats]:
        import talib

        mama, fama = np.full(x.size, np.nan), np.full(x.size, np.nan)
        for part in runs(np.isnan(x)):
            if part.stop - part.start > _MAMA_STARTS:
                mama[part], fama[part] = talib.MAMA(x[part], fast, slow)
        return mama, fama

    # its memory fades: FAMA's factor is half of MAMA's, at least half the slow limit
    reach = 64 + int(np.log(_GONE) / np.log(1 - min(slow, fast) / 2))
    node = Windows(both, reach, i.source())
    return node, node.part(1)
