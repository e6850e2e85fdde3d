"""How fast the price moves: changes, and averages of changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import histogram, line
from openalgo_desktop.analytics.indicators.kit.params import length, source
from openalgo_desktop.analytics.indicators.kit.recursive import Ema
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Level, Param

STUDIES = Shelf("Momentum")
_ZERO = (Level(0),)


def _pair(fast: int, slow: int) -> tuple[Param, Param]:
    return length(fast, "fast", "Fast length"), length(slow, "slow", "Slow length")


def rate(x: Node, n: int) -> Node:
    """Change over n bars, percent."""
    return w.change(x, n) / w.ago(x, n) * 100


@STUDIES.study(
    "roc",
    "Rate of change",
    "ROC",
    (line("roc", "ROC", places=2),),
    (length(9), source()),
    levels=_ZERO,
    source="change over n bars in percent; TA-Lib ROC",
)
def _roc(i: Inputs) -> Node:
    return rate(i.source(), i.whole())


@STUDIES.study(
    "momentum",
    "Momentum",
    "Mom",
    (line("momentum", "Momentum"),),
    (length(10), source()),
    levels=_ZERO,
    source="change over n bars; TA-Lib MOM",
)
def _momentum(i: Inputs) -> Node:
    return w.change(i.source(), i.whole())


@STUDIES.study(
    "awesome",
    "Awesome oscillator",
    "AO",
    (histogram("ao", "AO"),),
    _pair(5, 34),
    levels=_ZERO,
    source="Williams 1998: SMA 5 - SMA 34 of the middle of the bar",
)
def _awesome(i: Inputs) -> Node:
    return _awesome_of(i)


def _awesome_of(i: Inputs) -> Node:
    middle = i.column("hl2")
    return w.sma(middle, i.whole("fast")) - w.sma(middle, i.whole("slow"))


@STUDIES.study(
    "accelerator",
    "Accelerator oscillator",
    "AC",
    (histogram("ac", "AC"),),
    (*_pair(5, 34), length(5, "signal", "Signal length")),
    levels=_ZERO,
    source="Williams 1998: awesome oscillator less its SMA 5",
)
def _accelerator(i: Inputs) -> Node:
    ao = _awesome_of(i)
    return ao - w.sma(ao, i.whole("signal"))


@STUDIES.study(
    "tsi",
    "True strength index",
    "TSI",
    (line("tsi", "TSI", places=2), line("signal", "Signal", "study-2", places=2)),
    (
        length(25, "long", "Long length"),
        length(13, "short", "Short length"),
        length(13, "signal", "Signal length"),
        source(),
    ),
    levels=_ZERO,
    low=-100,
    high=100,
    source="Blau 1991: change smoothed twice by its size smoothed twice",
)
def _tsi(i: Inputs) -> Sequence[Node]:
    moved = w.change(i.source())
    up, all_ = (w.ema(w.ema(x, i.whole("long")), i.whole("short")) for x in (moved, abs(moved)))
    tsi = up / all_ * 100
    return tsi, w.ema(tsi, i.whole("signal"))


@STUDIES.study(
    "smi",
    "Stochastic momentum index",
    "SMI",
    (line("smi", "SMI", places=2), line("signal", "Signal", "study-2", places=2)),
    (
        length(10),
        length(3, "first", "First smoothing"),
        length(3, "second", "Second smoothing"),
        length(10, "signal", "Signal length"),
    ),
    levels=(Level(40, "Overbought"), Level(0), Level(-40, "Oversold")),
    low=-100,
    high=100,
    source="Blau 1993: distance from the middle of the range of n bars by half that range, both "
    "smoothed twice",
)
def _smi(i: Inputs) -> Sequence[Node]:
    n = i.whole()
    top, foot = w.highest(i.high, n), w.lowest(i.low, n)

    def smooth(x: Node) -> Node:
        return w.ema(w.ema(x, i.whole("first")), i.whole("second"))

    smi = smooth(i.close - (top + foot) / 2.0) / (smooth(top - foot) / 2.0) * 100
    return smi, w.ema(smi, i.whole("signal"))


@STUDIES.study(
    "vigor",
    "Relative vigor index",
    "RVGI",
    (line("rvgi", "RVGI", places=4), line("signal", "Signal", "study-2", places=4)),
    (length(10),),
    levels=_ZERO,
    source="Ehlers 2002: close - open by high - low, both weighted 1 2 2 1 and summed over n bars",
    words=("RVI", "relative vigour"),
)
def _vigor(i: Inputs) -> Sequence[Node]:
    n = i.whole()

    def four(x: Node) -> Node:
        return w.weighted(x, np.array([1.0, 2.0, 2.0, 1.0]) / 6)

    vigor = w.total(four(i.close - i.open), n) / w.total(four(i.high - i.low), n)
    return vigor, four(vigor)


@STUDIES.study(
    "bop",
    "Balance of power",
    "BOP",
    (line("bop", "BOP", places=3),),
    (length(14, label="Smoothing"),),
    levels=_ZERO,
    low=-1,
    high=1,
    source="Livshin 2001: close - open by high - low, its mean over n bars; TA-Lib BOP for 1 bar",
)
def _bop(i: Inputs) -> Node:
    return w.sma(w.known_flat((i.close - i.open) / (i.high - i.low), i.close), i.whole())


@STUDIES.study(
    "coppock",
    "Coppock curve",
    "Coppock",
    (line("coppock", "Coppock", places=2),),
    (
        length(10, label="WMA length"),
        length(14, "long", "Long rate of change"),
        length(11, "short", "Short rate of change"),
        source(),
    ),
    levels=_ZERO,
    source="Coppock 1962: WMA 10 of the sum of the rates of change of 14 and 11",
)
def _coppock(i: Inputs) -> Node:
    x = i.source()
    return w.wma(rate(x, i.whole("long")) + rate(x, i.whole("short")), i.whole())


_KST = ((10, 10), (15, 10), (20, 10), (30, 15))


@STUDIES.study(
    "kst",
    "Know sure thing",
    "KST",
    (line("kst", "KST", places=2), line("signal", "Signal", "study-2", places=2)),
    (
        *(length(r, f"roc-{k}", f"Rate of change {k}") for k, (r, _) in enumerate(_KST, 1)),
        *(length(s, f"sma-{k}", f"Smoothing {k}") for k, (_, s) in enumerate(_KST, 1)),
        length(9, "signal", "Signal length"),
        source(),
    ),
    levels=_ZERO,
    source="Pring 1992: four smoothed rates of change, weighted 1 2 3 4",
)
def _kst(i: Inputs) -> Sequence[Node]:
    x = i.source()
    first, *rest = (
        w.sma(rate(x, i.whole(f"roc-{k}")), i.whole(f"sma-{k}")) * float(k) for k in range(1, 5)
    )
    kst = sum(rest, first)
    return kst, w.sma(kst, i.whole("signal"))


@STUDIES.study(
    "dpo",
    "Detrended price oscillator",
    "DPO",
    (line("dpo", "DPO"),),
    (length(21), source()),
    levels=_ZERO,
    source="price n/2 + 1 bars ago less the mean of n bars, drawn where it is known",
)
def _dpo(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    return w.ago(x, n // 2 + 1) - w.sma(x, n)


@STUDIES.study(
    "qstick",
    "Qstick",
    "Qstick",
    (line("qstick", "Qstick"),),
    (length(8),),
    levels=_ZERO,
    source="Chande 1994: mean of close - open",
)
def _qstick(i: Inputs) -> Node:
    return w.sma(i.close - i.open, i.whole())


@STUDIES.study(
    "elder-ray",
    "Elder ray",
    "Elder ray",
    (histogram("bull", "Bull power", "up", "up"), histogram("bear", "Bear power", "down", "down")),
    (length(13),),
    levels=_ZERO,
    source="Elder 1989: high and low less the EMA of the closes",
    words=("bull bear power",),
)
def _elder_ray(i: Inputs) -> Sequence[Node]:
    middle = w.ema(i.close, i.whole())
    return i.high - middle, i.low - middle


@STUDIES.study(
    "psychological",
    "Psychological line",
    "PSY",
    (line("psy", "PSY", places=1),),
    (length(12), source()),
    levels=(Level(75), Level(50), Level(25)),
    low=0,
    high=100,
    source="percent of the last n bars that rose",
)
def _psychological(i: Inputs) -> Node:
    x = i.source()
    return w.sma(w.above(x, w.ago(x, 1)), i.whole()) * 100


@STUDIES.study(
    "efficiency",
    "Efficiency ratio",
    "ER",
    (line("er", "ER", places=3),),
    (length(10), source()),
    low=0,
    high=1,
    source="Kaufman 1995: way made by way gone over n bars",
)
def _efficiency(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    return abs(w.change(x, n)) / w.total(abs(w.change(x)), n)


@STUDIES.study(
    "pmo",
    "Price momentum oscillator",
    "PMO",
    (line("pmo", "PMO", places=3), line("signal", "Signal", "study-2", places=3)),
    (
        length(35, "first", "First smoothing", low=2),
        length(20, "second", "Second smoothing", low=2),
        length(10, "signal", "Signal length"),
        source(),
    ),
    levels=_ZERO,
    source="Swenlin: change of one bar in percent, smoothed with 2/35 times 10, then with 2/20",
)
def _pmo(i: Inputs) -> Sequence[Node]:
    once = Ema(rate(i.source(), 1), i.whole("first") - 1, i.whole("first")) * 10
    pmo = Ema(once, i.whole("second") - 1, i.whole("second"))
    return pmo, w.ema(pmo, i.whole("signal"))
