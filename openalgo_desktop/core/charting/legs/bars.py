"""Candles of a combination."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import NamedTuple

import numpy as np

from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.charting.legs.expression import Expression
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars


class Combined(NamedTuple):
    """``exact_extremes`` says that high and low are those of the combination; otherwise they are
    the ends of the body, because two highs need not meet. Without ``has_volume`` volume and open
    interest are not known (NaN): studies of them have no values."""

    columns: Columns
    exact_extremes: bool
    has_volume: bool

    @property
    def bars(self) -> Bars:
        """The same with whole units; 0 where they are not known."""
        columns = self.columns
        volume, oi = (
            np.nan_to_num(column).astype(np.int64) for column in (columns.volume, columns.oi)
        )
        return Bars(*columns[:5], volume, oi)


def combined(expression: Expression, legs: Mapping[Key, Columns]) -> Combined:
    """Candles where every leg has one and open and close are known. ``legs`` has the columns of
    each of ``expression.keys``, of one span. Open and close are exact.

    High and low are exact of one leg with a factor and a constant. They swap where the factor is
    negative; its volume and open interest are those of the leg.
    """
    keys = expression.keys
    time = reduce(_common, (legs[key].time for key in keys))
    part = {key: _at(legs[key], time) for key in keys}
    opened = _values(expression, {key: part[key].open for key in keys}, len(time))
    closed = _values(expression, {key: part[key].close for key in keys}, len(time))
    high, low = np.fmax(opened, closed), np.fmin(opened, closed)
    volume, oi = np.full(len(time), np.nan), np.full(len(time), np.nan)
    single = expression.exact_extremes
    if single:
        leg = part[keys[0]]
        ends = [_values(expression, {keys[0]: column}, len(time)) for column in (leg.high, leg.low)]
        high, low, volume, oi = np.maximum(*ends), np.minimum(*ends), leg.volume, leg.oi
    found = Columns(time, opened, high, low, closed, volume, oi)
    known = np.isfinite(opened) & np.isfinite(closed)
    if not known.all():
        found = Columns._make(column[known] for column in found)
    return Combined(found, single, single)


def _common(one: Ints, two: Ints) -> Ints:
    if len(one) == len(two) and np.array_equal(one, two):
        return one
    return np.intersect1d(one, two, assume_unique=True)


def _at(leg: Columns, time: Ints) -> Columns:
    """The bars at those times, all of which the leg has."""
    if len(leg.time) == len(time):
        return leg
    place = np.searchsorted(leg.time, time)
    return Columns._make(column[place] for column in leg)


def _values(expression: Expression, prices: Mapping[Key, Floats], count: int) -> Floats:
    found = np.asarray(expression.value(prices.__getitem__), np.float64)
    return np.broadcast_to(found, (count,))
