"""Oscillators of the price between two bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.measures import rsi, stochastic, true_range
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import length, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Level

STUDIES = Shelf("Momentum")
_RSI = (Level(70, "Overbought"), Level(50), Level(30, "Oversold"))
_STOCHASTIC = (Level(80, "Overbought"), Level(20, "Oversold"))
_K_AND_D = (line("k", "%K", places=2), line("d", "%D", "study-2", places=2))


@STUDIES.study(
    "rsi",
    "Relative strength index",
    "RSI",
    (line("rsi", "RSI", places=2),),
    (length(14), source()),
    levels=_RSI,
    low=0,
    high=100,
    source="Wilder 1978: average gain by average gain and loss, Wilder's average; TA-Lib RSI",
)
def _rsi(i: Inputs) -> Node:
    return rsi(i.source(), i.whole())


@STUDIES.study(
    "stochastic",
    "Stochastic",
    "Stoch",
    _K_AND_D,
    (
        length(14),
        length(3, "smooth", "%K smoothing"),
        length(3, "signal", "%D length"),
    ),
    levels=_STOCHASTIC,
    low=0,
    high=100,
    source="Lane: place of the close in the range of n bars; 1 smoothing is the fast form",
    words=("slow stochastic", "KD"),
)
def _stochastic(i: Inputs) -> Sequence[Node]:
    k = w.sma(stochastic(i.close, i.high, i.low, i.whole()), i.whole("smooth"))
    return k, w.sma(k, i.whole("signal"))


@STUDIES.study(
    "stochastic-fast",
    "Fast stochastic",
    "StochF",
    _K_AND_D,
    (length(14), length(3, "signal", "%D length")),
    levels=_STOCHASTIC,
    low=0,
    high=100,
    source="Lane: place of the close in the range of n bars, and its mean; TA-Lib STOCHF",
)
def _stochastic_fast(i: Inputs) -> Sequence[Node]:
    k = stochastic(i.close, i.high, i.low, i.whole())
    return k, w.sma(k, i.whole("signal"))


@STUDIES.study(
    "stochastic-rsi",
    "Stochastic RSI",
    "StochRSI",
    _K_AND_D,
    (
        length(14, "rsi", "RSI length"),
        length(14),
        length(3, "smooth", "%K smoothing"),
        length(3, "signal", "%D length"),
        source(),
    ),
    levels=_STOCHASTIC,
    low=0,
    high=100,
    source="Chande and Kroll 1994: place of the RSI in its own range of n bars, smoothed",
)
def _stochastic_rsi(i: Inputs) -> Sequence[Node]:
    x = rsi(i.source(), i.whole("rsi"))
    k = w.sma(stochastic(x, x, x, i.whole()), i.whole("smooth"))
    return k, w.sma(k, i.whole("signal"))


@STUDIES.study(
    "stochastic-source",
    "Stochastic of any source",
    "StochSrc",
    _K_AND_D,
    (
        length(14),
        length(3, "smooth", "%K smoothing"),
        length(3, "signal", "%D length"),
        source(),
    ),
    levels=_STOCHASTIC,
    low=0,
    high=100,
    source="place of a source in its own range of n bars, smoothed",
)
def _stochastic_source(i: Inputs) -> Sequence[Node]:
    x = i.source()
    k = w.sma(stochastic(x, x, x, i.whole()), i.whole("smooth"))
    return k, w.sma(k, i.whole("signal"))


@STUDIES.study(
    "williams-r",
    "Williams %R",
    "%R",
    (line("r", "%R", places=2),),
    (length(14),),
    levels=(Level(-20, "Overbought"), Level(-80, "Oversold")),
    low=-100,
    high=0,
    source="Williams 1973: place of the close below the highest high of n bars; TA-Lib WILLR",
)
def _williams(i: Inputs) -> Node:
    return stochastic(i.close, i.high, i.low, i.whole()) - 100.0


@STUDIES.study(
    "cci",
    "Commodity channel index",
    "CCI",
    (line("cci", "CCI", places=2),),
    (length(20), source("hlc3")),
    levels=(Level(100), Level(0), Level(-100)),
    source="Lambert 1980: (x - mean) / (0.015 mean deviation); TA-Lib CCI",
)
def _cci(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    return (x - w.sma(x, n)) / (w.deviation(x, n) * 0.015)


@STUDIES.study(
    "cmo",
    "Chande momentum oscillator",
    "CMO",
    (line("cmo", "CMO", places=2),),
    (length(9), source()),
    levels=(Level(50), Level(0), Level(-50)),
    low=-100,
    high=100,
    source="Chande 1994: sum of the changes by the sum of their sizes (plain sums, not Wilder's as "
    "in TA-Lib)",
)
def _cmo(i: Inputs) -> Node:
    moved, n = w.change(i.source()), i.whole()
    return w.total(moved, n) / w.total(abs(moved), n) * 100


@STUDIES.study(
    "ultimate",
    "Ultimate oscillator",
    "UO",
    (line("uo", "UO", places=2),),
    (
        length(7, "fast", "Fast length"),
        length(14, "middle", "Middle length"),
        length(28, "slow", "Slow length"),
    ),
    levels=(Level(70, "Overbought"), Level(30, "Oversold")),
    low=0,
    high=100,
    source="Williams 1976: buying pressure by true range over three lengths, 4 2 1; TA-Lib ULTOSC",
)
def _ultimate(i: Inputs) -> Node:
    pressure, reach = i.close - w.smaller(i.low, w.ago(i.close, 1)), true_range(i)
    fast, middle, slow = (
        w.total(pressure, n) / w.total(reach, n)
        for n in (i.whole("fast"), i.whole("middle"), i.whole("slow"))
    )
    return (fast * 4 + middle * 2 + slow) * (100 / 7)


@STUDIES.study(
    "connors-rsi",
    "Connors RSI",
    "CRSI",
    (line("crsi", "CRSI", places=2),),
    (
        length(3),
        length(2, "streak", "Streak length"),
        length(100, "rank", "Rank length", high=500),
        source(),
    ),
    levels=(Level(90, "Overbought"), Level(10, "Oversold")),
    low=0,
    high=100,
    source="Connors 2012: mean of RSI, of the RSI of the streak, and of the rank of the change",
)
def _connors(i: Inputs) -> Node:
    x = i.source()
    moved = w.side(x, w.ago(x, 1))
    up = w.streak(w.each(lambda v: np.where(v > 0, 1.0, np.where(np.isnan(v), v, 0)), moved))
    down = w.streak(w.each(lambda v: np.where(v < 0, 1.0, np.where(np.isnan(v), v, 0)), moved))
    percent = w.change(x) / w.ago(x, 1) * 100
    third = w.rank(percent, i.whole("rank"))
    return (rsi(x, i.whole()) + rsi(up - down, i.whole("streak")) + third) / 3.0
