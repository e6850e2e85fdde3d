"""Averages of one length: the mean and its weighted relatives."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import length, number, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf

STUDIES = Shelf("Moving averages")
_OUT = (line("average", "Average"),)
_IN = (length(20), source())


@STUDIES.study(
    "sma", "Simple moving average", "SMA", _OUT, _IN, over=True, source="mean of the last n values"
)
def _sma(i: Inputs) -> Node:
    return w.sma(i.source(), i.whole())


@STUDIES.study(
    "ema",
    "Exponential moving average",
    "EMA",
    _OUT,
    _IN,
    over=True,
    source="factor 2/(n+1), first value the mean of the first n; TA-Lib EMA",
)
def _ema(i: Inputs) -> Node:
    return w.ema(i.source(), i.whole())


@STUDIES.study(
    "wma",
    "Weighted moving average",
    "WMA",
    _OUT,
    _IN,
    over=True,
    source="weights 1 to n, the last bar n; TA-Lib WMA",
)
def _wma(i: Inputs) -> Node:
    return w.wma(i.source(), i.whole())


@STUDIES.study(
    "rma",
    "Smoothed moving average",
    "SMMA",
    _OUT,
    (length(14), source()),
    over=True,
    source="Wilder 1978: factor 1/n, first value the mean of the first n",
    words=("RMA", "Wilder", "modified"),
)
def _rma(i: Inputs) -> Node:
    return w.rma(i.source(), i.whole())


@STUDIES.study(
    "dema",
    "Double exponential moving average",
    "DEMA",
    _OUT,
    _IN,
    over=True,
    source="Mulloy 1994: 2 EMA - EMA of EMA; TA-Lib DEMA",
)
def _dema(i: Inputs) -> Node:
    return w.dema(i.source(), i.whole())


@STUDIES.study(
    "tema",
    "Triple exponential moving average",
    "TEMA",
    _OUT,
    _IN,
    over=True,
    source="Mulloy 1994: 3 EMA - 3 EMA of EMA + EMA of EMA of EMA; TA-Lib TEMA",
)
def _tema(i: Inputs) -> Node:
    return w.tema(i.source(), i.whole())


@STUDIES.study(
    "trima",
    "Triangular moving average",
    "TRIMA",
    _OUT,
    _IN,
    over=True,
    source="mean of means of half the length; TA-Lib TRIMA",
)
def _trima(i: Inputs) -> Node:
    return w.trima(i.source(), i.whole())


@STUDIES.study(
    "hma",
    "Hull moving average",
    "HMA",
    _OUT,
    _IN,
    over=True,
    source="Hull 2005: WMA(sqrt n) of 2 WMA(n/2) - WMA(n)",
)
def _hma(i: Inputs) -> Node:
    return w.hma(i.source(), i.whole())


@STUDIES.study(
    "zlema",
    "Zero lag exponential moving average",
    "ZLEMA",
    _OUT,
    _IN,
    over=True,
    source="Ehlers and Way 2010: EMA of 2 x - x of (n-1)/2 bars ago",
)
def _zlema(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    return w.ema(x * 2 - w.ago(x, (n - 1) // 2), n)


@STUDIES.study(
    "vwma",
    "Volume weighted moving average",
    "VWMA",
    _OUT,
    _IN,
    over=True,
    needs=("volume",),
    source="sum of value times volume / sum of volume, n bars",
)
def _vwma(i: Inputs) -> Node:
    return w.vwma(i.source(), i.volume, i.whole())


@STUDIES.study(
    "t3",
    "T3 moving average",
    "T3",
    _OUT,
    (length(5), number("factor", "Volume factor", 0.7, 0, 1), source()),
    over=True,
    source="Tillson 1998: generalised DEMA three times; TA-Lib T3",
    words=("Tillson",),
)
def _t3(i: Inputs) -> Node:
    v, n, e = i.number("factor"), i.whole(), [w.ema(i.source(), i.whole())]
    for _ in range(5):
        e.append(w.ema(e[-1], n))
    return (
        e[2] * (1 + v) ** 3
        - e[3] * (3 * v * (1 + v) ** 2)
        + e[4] * (3 * v * v * (1 + v))
        - e[5] * v**3
    )


@STUDIES.study(
    "lsma",
    "Least squares moving average",
    "LSMA",
    _OUT,
    (length(25), length(0, "offset", "Bars back on the line", low=0, high=500), source()),
    over=True,
    source="end of the regression line of the last n values; TA-Lib LINEARREG",
    words=("linear regression curve", "end point"),
)
def _lsma(i: Inputs) -> Node:
    return w.regression(i.source(), i.whole(), i.whole("offset"))


@STUDIES.study(
    "alma",
    "Arnaud Legoux moving average",
    "ALMA",
    _OUT,
    (
        length(9),
        number("offset", "Offset", 0.85, 0, 1, "0 smooth, 1 quick"),
        number("sigma", "Sigma", 6, 0.1, 50),
        source(),
    ),
    over=True,
    source="Legoux and Kouzis-Loukas 2009: Gaussian weights about offset (n-1), width n/sigma",
)
def _alma(i: Inputs) -> Node:
    n = i.whole()
    away = np.arange(n) - i.number("offset") * (n - 1)
    weights = np.exp(-(away**2) / (2 * (n / i.number("sigma")) ** 2))
    return w.weighted(i.source(), weights / weights.sum())


@STUDIES.study(
    "swma",
    "Sine weighted moving average",
    "SWMA",
    _OUT,
    (length(14), source()),
    over=True,
    source="weights sin(k pi / (n+1)), k = 1 ... n",
)
def _swma(i: Inputs) -> Node:
    n = i.whole()
    weights = np.sin(np.arange(1, n + 1) * np.pi / (n + 1))
    return w.weighted(i.source(), weights / weights.sum())
