"""Channels of ranges and of extremes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.measures import atr, true_range
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import channel, line
from openalgo_desktop.analytics.indicators.kit.params import choice, length, number, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Draw, Output

STUDIES = Shelf("Bands and channels")


def _about(middle: Node, away: Node) -> Sequence[Node]:
    upper = middle + away
    return upper, middle, middle - away, upper


@STUDIES.study(
    "keltner",
    "Keltner channel",
    "KC",
    channel(),
    (
        length(20),
        number("factor", "Factor", 2, 0, 20),
        length(10, "atr", "ATR length"),
        choice("kind", "Middle line", "EMA", w.AVERAGES),
        source(),
    ),
    over=True,
    source="Raschke's form: EMA 20 +- 2 ATR 10",
)
def _keltner(i: Inputs) -> Sequence[Node]:
    middle = w.average(i.text("kind"), i.source(), i.whole())
    return _about(middle, atr(i, i.whole("atr")) * i.number("factor"))


@STUDIES.study(
    "starc",
    "STARC bands",
    "STARC",
    channel(),
    (length(6), length(15, "atr", "ATR length"), number("factor", "Factor", 2, 0, 20)),
    over=True,
    source="Stoller: SMA 6 +- 2 ATR 15",
    words=("Stoller average range channel",),
)
def _starc(i: Inputs) -> Sequence[Node]:
    away = atr(i, i.whole("atr")) * i.number("factor")
    return _about(w.sma(i.close, i.whole()), away)


@STUDIES.study(
    "atr-bands",
    "ATR bands",
    "ATR bands",
    channel(),
    (length(14), number("factor", "Factor", 3, 0, 20), source()),
    over=True,
    source="price +- factor ATR",
)
def _atr_bands(i: Inputs) -> Sequence[Node]:
    return _about(i.source(), atr(i, i.whole()) * i.number("factor"))


@STUDIES.study(
    "donchian",
    "Donchian channel",
    "DC",
    channel(),
    (length(20),),
    over=True,
    source="highest high and lowest low of n bars with this one, and their middle",
)
def _donchian(i: Inputs) -> Sequence[Node]:
    upper, lower = w.highest(i.high, i.whole()), w.lowest(i.low, i.whole())
    return upper, (upper + lower) / 2.0, lower, upper


@STUDIES.study(
    "price-channel",
    "Price channel",
    "PC",
    channel(),
    (length(20),),
    over=True,
    source="highest high and lowest low of the n bars before this one, and their middle",
    words=("breakout",),
)
def _price_channel(i: Inputs) -> Sequence[Node]:
    upper = w.ago(w.highest(i.high, i.whole()), 1)
    lower = w.ago(w.lowest(i.low, i.whole()), 1)
    return upper, (upper + lower) / 2.0, lower, upper


@STUDIES.study(
    "standard-error-bands",
    "Standard error bands",
    "SE bands",
    channel(),
    (
        length(21, low=3),
        number("factor", "Errors", 2, 0, 20),
        length(3, "smooth", "Smoothing"),
        source(),
    ),
    over=True,
    source="Andersen 1996: end of the regression line +- standard errors, all smoothed",
)
def _error_bands(i: Inputs) -> Sequence[Node]:
    x, n, smooth = i.source(), i.whole(), i.whole("smooth")
    middle = w.sma(w.regression(x, n), smooth)
    return _about(middle, w.sma(w.standard_error(x, n), smooth) * i.number("factor"))


@STUDIES.study(
    "linreg-channel",
    "Linear regression channel (rolling)",
    "LR channel",
    channel(),
    (length(100, low=3), number("factor", "Deviations", 2, 0, 20), source()),
    over=True,
    source="end of the regression line of the last n bars +- deviations of the residuals",
)
def _regression_channel(i: Inputs) -> Sequence[Node]:
    x, n = i.source(), i.whole()
    # the standard error divides by n - 2, a deviation by n
    away = w.standard_error(x, n) * (i.number("factor") * float(np.sqrt((n - 2) / n)))
    return _about(w.regression(x, n), away)


@STUDIES.study(
    "acceleration-bands",
    "Acceleration bands",
    "ABANDS",
    channel(),
    (length(20), number("factor", "Factor", 4, 0, 20)),
    over=True,
    source="Headley 2002: SMA of high (1 + 4 (h-l)/(h+l)), of low (1 - 4 (h-l)/(h+l)), of close",
)
def _acceleration(i: Inputs) -> Sequence[Node]:
    n = i.whole()
    part = (i.high - i.low) / (i.high + i.low) * i.number("factor")
    upper, lower = w.sma(i.high * (part + 1.0), n), w.sma(i.low * (1.0 - part), n)
    return upper, w.sma(i.close, n), lower, upper


@STUDIES.study(
    "chandelier",
    "Chandelier exit",
    "CE",
    (line("long", "Long stop", "up"), line("short", "Short stop", "down")),
    (length(22), number("factor", "Factor", 3, 0, 20)),
    over=True,
    source="Le Beau: highest high of n bars - 3 ATR, lowest low + 3 ATR",
)
def _chandelier(i: Inputs) -> Sequence[Node]:
    n = i.whole()
    away = atr(i, n) * i.number("factor")
    return w.highest(i.high, n) - away, w.lowest(i.low, n) + away


@STUDIES.study(
    "chande-kroll",
    "Chande Kroll stop",
    "CKS",
    (line("long", "Long stop", "up"), line("short", "Short stop", "down")),
    (length(10), number("factor", "Factor", 1, 0, 20), length(9, "stop", "Stop length")),
    over=True,
    source="Chande and Kroll 1994: the highest of (highest high - factor ATR) is the stop of a "
    "short, the lowest of (lowest low + factor ATR) that of a long",
)
def _chande_kroll(i: Inputs) -> Sequence[Node]:
    n, q = i.whole(), i.whole("stop")
    away = atr(i, n) * i.number("factor")
    short = w.highest(w.highest(i.high, n) - away, q)
    return w.lowest(w.lowest(i.low, n) + away, q), short


@STUDIES.study(
    "ttm-squeeze",
    "Squeeze (Bollinger in Keltner)",
    "Squeeze",
    (
        Output("momentum", "Momentum", Draw.HISTOGRAM, "up", falling="down"),
        Output("on", "Squeeze on", Draw.NOTHING, "accent", places=0),
        Output("dots", "Zero line while on", Draw.DOTS, "accent"),
    ),
    (
        length(20, low=2),
        number("deviations", "Bollinger deviations", 2, 0, 20),
        number("factor", "Keltner factor", 1.5, 0, 20),
    ),
    source="Carter 2005: on while the Bollinger bands are within the Keltner channel (mean of the "
    "true range); momentum is the end of the regression line of close - (middle of the range + "
    "SMA) / 2",
    words=("TTM", "Bollinger squeeze"),
)
def _squeeze(i: Inputs) -> Sequence[Node]:
    n = i.whole()
    mean = w.sma(i.close, n)
    away = w.sma(true_range(i), n) * i.number("factor")
    on = w.below(w.stdev(i.close, n) * i.number("deviations"), away)
    middle = ((w.highest(i.high, n) + w.lowest(i.low, n)) / 2.0 + mean) / 2.0
    dots = w.each(lambda v: np.where(v > 0, 0.0, np.nan), on)
    return w.regression(i.close - middle, n), on, dots
