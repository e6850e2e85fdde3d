"""Ranges of bars and spreads of changes."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.measures import atr, true_range, volatility_index
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import choice, flag, length, number, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Level

STUDIES = Shelf("Volatility")


@STUDIES.study(
    "atr",
    "Average true range",
    "ATR",
    (line("atr", "ATR"),),
    (length(14), choice("kind", "Average", "RMA", w.AVERAGES)),
    source="Wilder 1978: Wilder's average of the true range, from the second bar on; TA-Lib ATR",
)
def _atr(i: Inputs) -> Node:
    return w.average(i.text("kind"), true_range(i), i.whole())


@STUDIES.study(
    "natr",
    "Normalised average true range",
    "NATR",
    (line("natr", "NATR", places=2),),
    (length(14),),
    source="ATR in percent of the close; TA-Lib NATR",
    words=("ATR percent",),
)
def _natr(i: Inputs) -> Node:
    return atr(i, i.whole()) / i.close * 100


@STUDIES.study(
    "true-range",
    "True range",
    "TR",
    (line("range", "True range"),),
    source="Wilder 1978: from the lower of low and close before to the higher of high and close "
    "before; TA-Lib TRANGE",
)
def _true_range(i: Inputs) -> Node:
    return true_range(i)


@STUDIES.study(
    "average-range",
    "Average bar range",
    "Range",
    (line("range", "Range"),),
    (length(14),),
    source="mean of high - low",
    words=("ADR", "average daily range"),
)
def _average_range(i: Inputs) -> Node:
    return w.sma(i.high - i.low, i.whole())


@STUDIES.study(
    "standard-deviation",
    "Standard deviation",
    "StDev",
    (line("deviation", "Deviation"),),
    (length(20), flag("sample", "Sample (n - 1)", False), source()),
    source="population deviation of n values; TA-Lib STDDEV",
)
def _deviation(i: Inputs) -> Node:
    n = i.whole()
    more = np.sqrt(n / (n - 1)) if i.flag("sample") and n > 1 else 1.0
    return w.stdev(i.source(), n) * float(more)


@STUDIES.study(
    "historical-volatility",
    "Historical volatility",
    "HV",
    (line("volatility", "Volatility %", places=2),),
    (
        length(20, low=2),
        number("bars", "Bars per year", 252, 1, 1e6, "252 for daily bars"),
        source(),
    ),
    source="sample deviation of n log changes times the root of the bars per year, percent",
    words=("realised volatility",),
)
def _historical(i: Inputs) -> Node:
    n = i.whole()
    year = float(np.sqrt(i.number("bars") * n / (n - 1))) * 100
    return w.stdev(w.change(w.each(np.log, i.source())), n) * year


@STUDIES.study(
    "parkinson",
    "Parkinson volatility",
    "Parkinson",
    (line("volatility", "Volatility %", places=2),),
    (length(20), number("bars", "Bars per year", 252, 1, 1e6, "252 for daily bars")),
    source="Parkinson 1980: root of mean(ln(high/low)^2) / (4 ln 2), yearly, percent",
)
def _parkinson(i: Inputs) -> Node:
    squares = w.each(lambda h, low: np.log(h / low) ** 2, i.high, i.low)
    year = float(np.sqrt(i.number("bars") / (4 * np.log(2)))) * 100
    return w.each(np.sqrt, w.sma(squares, i.whole())) * year


@STUDIES.study(
    "chaikin-volatility",
    "Chaikin volatility",
    "CV",
    (line("volatility", "CV", places=2),),
    (length(10), length(10, "change", "Change over")),
    levels=(Level(0),),
    source="change in percent of the EMA of high - low over 10 bars",
)
def _chaikin(i: Inputs) -> Node:
    x = w.ema(i.high - i.low, i.whole())
    return w.change(x, i.whole("change")) / w.ago(x, i.whole("change")) * 100


@STUDIES.study(
    "ulcer-index",
    "Ulcer index",
    "Ulcer",
    (line("ulcer", "Ulcer", places=3),),
    (length(14), source()),
    source="Martin 1987: root mean square of the falls from the highest of n bars, percent",
)
def _ulcer(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    fall = w.change_from(x, w.highest(x, n)) * 100
    return w.each(np.sqrt, w.sma(fall * fall, n))


@STUDIES.study(
    "relative-volatility",
    "Relative volatility index",
    "RVI",
    (line("rvi", "RVI", places=2),),
    (length(14), length(10, "deviation", "Deviation length")),
    levels=(Level(80), Level(50), Level(20)),
    low=0,
    high=100,
    source="Dorsey 1995: mean of the index of the highs and of that of the lows, deviations of 10 "
    "bars smoothed by an EMA",
)
def _relative(i: Inputs) -> Node:
    both = [volatility_index(x, i.whole("deviation"), i.whole()) for x in (i.high, i.low)]
    return (both[0] + both[1]) / 2.0


@STUDIES.study(
    "volatility-ratio",
    "Volatility ratio",
    "VR",
    (line("ratio", "Ratio", places=3),),
    (length(14),),
    levels=(Level(2), Level(1)),
    source="Schwager: true range by its average of the n bars before",
)
def _ratio(i: Inputs) -> Node:
    reach = true_range(i)
    return reach / w.ago(w.sma(reach, i.whole()), 1)
