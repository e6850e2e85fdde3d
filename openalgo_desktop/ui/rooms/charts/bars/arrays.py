"""Bars as the store gives them, made of what a chart has."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.series import Series


def cut(bars: Bars, first: int) -> Bars:
    """Those from an index on."""
    prices = (bars.open[first:], bars.high[first:], bars.low[first:], bars.close[first:])
    return Bars(bars.time[first:], *prices, bars.volume[first:], bars.oi[first:])


def bars_of_live(rows: list[LiveBar]) -> Bars:
    """Units that are not known are 0."""
    table = np.array([row[1:7] for row in rows], np.float64).T
    units = [np.nan_to_num(column).astype(np.int64) for column in table[4:]]
    return Bars(np.array([row.time for row in rows], np.int64), *table[:4], *units)


def bars_of(series: Series) -> Bars:
    """The bars of a series as the store gives them; units that are not known are 0 there."""
    found = series.columns()
    prices = [found.open, found.high, found.low, found.close]
    opened, high, low, close = (column.copy() for column in prices)
    units = (np.nan_to_num(column).astype(np.int64) for column in (found.volume, found.oi))
    volume, oi = units
    return Bars(found.time.copy(), opened, high, low, close, volume, oi)
