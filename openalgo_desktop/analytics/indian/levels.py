"""Levels that hold for a whole period and come from complete periods before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Kept, empty
from openalgo_desktop.analytics.indian.periods import (
    Period,
    PeriodTable,
    check_fits,
    period_numbers,
)
from openalgo_desktop.analytics.indian.so_far import SoFarStudy, extremes
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.sessions import day_numbers
from openalgo_desktop.core.charting.surroundings import Surroundings

#: Open, high, low and close of all periods, oldest first, to levels for the period after each.
Formula: TypeAlias = Callable[[Floats, Floats, Floats, Floats], Sequence[Floats]]


class LevelStudy(Kept):
    """``formula`` of the period before. Closed days come from the daily bars of the surroundings
    where there are some (the exchange's closing price is not that of the last minute), else from
    the chart's own. A period that the bars do not have from its start on gives no levels."""

    def __init__(self, outputs: int, formula: Formula, period: Period, around: Surroundings):
        check_fits(period, around.span)
        super().__init__(outputs)
        self._formula = formula
        self._period = period
        self._around = around
        self._table = PeriodTable(period, around.sessions)
        self._number: int | None = None
        self._levels: list[float] = [NAN] * outputs

    def _all(self, bars: Columns) -> Sequence[Floats]:
        self._number = None
        self._fill(bars.cut(0, max(0, bars.size - 1)))
        table = np.array(self._table.numbers, dtype=np.int64)
        if not bars.size or not len(table):
            return empty(len(self._columns), bars.size)
        numbers = period_numbers(bars.time, self._period)
        places = np.searchsorted(table, numbers) - 1
        known = places >= 0
        found = []
        for levels in self._formula(*self._table.arrays()):
            values = levels[np.maximum(places, 0)]
            values[~known] = NAN
            found.append(values)
        return found

    def _fill(self, closed: Columns) -> None:
        days = self._around.days
        if days is None or not self._around.span.is_intraday or not closed.size:
            self._table.load(closed)
            return
        chart = day_numbers(closed.time)
        before = days.cut(0, int(np.searchsorted(day_numbers(days.time), chart[-1])))
        self._table.load(before)
        known = day_numbers(before.time[-1:])[0] if before.size else chart[0] - 1
        for place in range(int(np.searchsorted(chart, known, side="right")), closed.size):
            self._table.take(closed, place)

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        number = self._table.number(bars, place)
        if number != self._number:
            self._number = number
            before = self._table.before(number)
            self._levels = [NAN] * len(self._columns)
            if before >= 0:
                found = self._formula(*self._table.arrays())
                self._levels = [float(levels[before]) for levels in found]
        return self._levels

    def _close(self, bars: Columns, place: int) -> None:
        self._table.take(bars, place)


def cpr(open_: Floats, high: Floats, low: Floats, close: Floats) -> Sequence[Floats]:
    """Central pivot range: pivot (H + L + C) / 3, bottom and top of (H + L) / 2 and its mirror
    image at the pivot, and the width in per cent of the pivot. The central pair is ordered, so
    that the top is above the bottom on a day after a weak close, too."""
    pivot = (high + low + close) / 3.0
    middle = (high + low) / 2.0
    mirror = 2.0 * pivot - middle
    bottom, top = np.minimum(middle, mirror), np.maximum(middle, mirror)
    return pivot, bottom, top, 100.0 * (top - bottom) / pivot


def earlier(open_: Floats, high: Floats, low: Floats, close: Floats) -> Sequence[Floats]:
    """High, low, close, middle and open of the period before."""
    return high, low, close, (high + low) / 2.0, open_


def ranges(count: int, true_range: bool) -> Formula:
    """The mean range of ``count`` periods; with ``true_range`` a gap from the close before counts
    (the first range then has none before it and is unknown)."""

    def formula(open_: Floats, high: Floats, low: Floats, close: Floats) -> Sequence[Floats]:
        size = high - low
        if true_range and len(size):
            before = np.concatenate(([NAN], close[:-1]))
            size = np.maximum(high, before) - np.minimum(low, before)
        mean = np.full(len(size), NAN)
        if len(size) >= count:
            windows = np.lib.stride_tricks.sliding_window_view(size, count)
            mean[count - 1 :] = windows.mean(axis=1)
        return (mean,)

    return formula


class DayRange(Kept):
    """How far a day goes: upper and lower level, the mean range of the days before, and how much
    of it the day has used, per cent. ``from_open``: half of it to both sides of the open, else
    from the extremes of the day so far, so that the levels come nearer as the day goes."""

    def __init__(self, mean: Formula, part: float, from_open: bool, around: Surroundings) -> None:
        super().__init__(4)
        self._part, self._from_open = part, from_open
        self._mean = LevelStudy(1, mean, Period.DAY, around)
        self._day = SoFarStudy(4, extremes, around)

    def load(self, bars: Columns) -> None:
        self._mean.load(bars)
        self._day.load(bars)
        super().load(bars)

    def last(self, bars: Columns) -> None:
        self._mean.last(bars)
        self._day.last(bars)
        super().last(bars)

    def append(self, bars: Columns) -> None:
        self._mean.append(bars)
        self._day.append(bars)
        super().append(bars)

    def _all(self, bars: Columns) -> Sequence[Floats]:
        return self._lines(slice(0, bars.size))

    def _lines(self, where: slice) -> Sequence[Floats]:
        high, low, _, opened = (column[where] for column in self._day.values)
        mean = self._mean.values[0][where]
        size = self._part * mean
        upper, lower = low + size, high - size
        if self._from_open:
            upper, lower = opened + size / 2.0, opened - size / 2.0
        used = 100.0 * (high - low) / np.where(mean > 0, mean, NAN)
        return upper, lower, mean, used

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        return [float(column[0]) for column in self._lines(slice(place, place + 1))]

    def _close(self, bars: Columns, place: int) -> None:
        return
