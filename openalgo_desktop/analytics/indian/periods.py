"""Days, weeks and months of the bars of a chart, each with its own open, high, low and close."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np

from openalgo_desktop.analytics.indian.kept import larger, smaller
from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.charting.sessions import (
    Sessions,
    day_numbers,
    month_numbers,
    week_numbers,
)
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.errors import DataError


class Period(StrEnum):
    """A stretch of trading with levels of its own; the values are those of the parameter."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


PERIODS: Final = tuple(Period)
#: Units of a bar that fits into each period.
_FITS: Final = {
    Period.DAY: (SpanUnit.DAY,),
    Period.WEEK: (SpanUnit.DAY, SpanUnit.WEEK),
    Period.MONTH: (SpanUnit.DAY, SpanUnit.MONTH),
}


def check_fits(period: Period, span: Span) -> None:
    """Raises :class:`DataError` where bars of ``span`` do not tell one ``period`` from another."""
    several = span.count > 1 and period is Period.DAY
    if not span.is_intraday and (span.unit not in _FITS[period] or several):
        raise DataError(
            f"Period: bars of {span.text} are longer than a {period}. "
            "Choose a shorter interval of the chart or a longer period."
        )


def period_numbers(time: Ints, period: Period) -> Ints:
    """A number that rises from one period to the next, for each bar."""
    days = day_numbers(time)
    if period is Period.DAY:
        return days
    return week_numbers(days) if period is Period.WEEK else month_numbers(days)


def starts_of(numbers: Ints) -> Ints:
    """Places of the first bar of each period."""
    changed = np.flatnonzero(np.diff(numbers)) + 1
    first = np.zeros(min(1, len(numbers)), np.int64)
    return np.concatenate((first, changed.astype(np.int64)))


def runs_of(numbers: Ints) -> list[tuple[int, int]]:
    """First place and end of each period, in order."""
    edges = [*starts_of(numbers).tolist(), len(numbers)]
    return list(pairwise(edges))


def _first_day(number: int, period: Period) -> int:
    """The day number on which a period begins."""
    if period is Period.DAY:
        return number
    if period is Period.WEEK:
        return 7 * number - 3
    return int(np.datetime64(number, "M").astype("datetime64[D]").astype(np.int64))


class PeriodTable:
    """Open, high, low and close of each period up to a bar. :meth:`load` takes bars,
    :meth:`take` one more that is closed; ``whole`` says whether the oldest one is complete."""

    def __init__(self, period: Period, sessions: Sessions) -> None:
        self.period = period
        self._sessions = sessions
        self.numbers: list[int] = []
        self.starts: list[int] = []
        self.open: list[float] = []
        self.high: list[float] = []
        self.low: list[float] = []
        self.close: list[float] = []
        self.whole = False

    def load(self, bars: Columns) -> None:
        """Start over."""
        numbers = period_numbers(bars.time, self.period)
        starts = starts_of(numbers)
        self.starts, self.numbers = starts.tolist(), numbers[starts].tolist()
        ends = np.append(starts[1:], bars.size) - 1 if len(starts) else starts
        self.open, self.close = bars.open[starts].tolist(), bars.close[ends].tolist()
        self.high = np.fmax.reduceat(bars.high, starts).tolist() if len(starts) else []
        self.low = np.fmin.reduceat(bars.low, starts).tolist() if len(starts) else []
        self._look(bars)

    def take(self, bars: Columns, place: int) -> None:
        """A bar that is closed now."""
        number = self.number(bars, place)
        high, low, close = float(bars.high[place]), float(bars.low[place]), float(bars.close[place])
        if self.numbers and number == self.numbers[-1]:
            self.high[-1] = larger(self.high[-1], high)
            self.low[-1] = smaller(self.low[-1], low)
            self.close[-1] = close
            return
        self.numbers.append(number)
        self.starts.append(place)
        self.open.append(float(bars.open[place]))
        self.high.append(high)
        self.low.append(low)
        self.close.append(close)
        if len(self.numbers) == 1:
            self._look(bars)

    def number(self, bars: Columns, place: int) -> int:
        """The number of the period of a bar."""
        return int(period_numbers(bars.time[place : place + 1], self.period)[0])

    def before(self, number: int) -> int:
        """Place in this table of the last complete period before ``number``; -1 without one."""
        place = len(self.numbers) - 1
        if place >= 0 and self.numbers[place] == number:
            place -= 1
        return place if place > 0 or (place == 0 and self.whole) else -1

    def arrays(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Open, high, low and close of all periods; the first is unknown unless it is whole."""
        found = tuple(np.array(values) for values in (self.open, self.high, self.low, self.close))
        if not self.whole and self.numbers:
            for values in found:
                values[0] = np.nan
        return found[0], found[1], found[2], found[3]

    def _look(self, bars: Columns) -> None:
        """Whether the bars begin with the first period or somewhere in it."""
        self.whole = False
        if not self.numbers:
            return
        time = int(bars.time[0])
        day = int(day_numbers(bars.time[:1])[0])
        first = self._sessions.first_of(_first_day(self.numbers[0], self.period), day + 1)
        if first is not None and first < day:
            return
        window = self._sessions.traded(day)
        midnight_utc = time % 86_400 == 0 and (window is None or time < window[0])
        self.whole = midnight_utc or (window is not None and time <= window[0])
