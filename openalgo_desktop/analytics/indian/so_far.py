"""What a session (week, month) has done so far: extremes, its opening range, its opening gap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Kept, empty, larger, smaller
from openalgo_desktop.analytics.indian.periods import (
    Period,
    check_fits,
    period_numbers,
    runs_of,
)
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.sessions import Sessions, day_numbers
from openalgo_desktop.core.charting.surroundings import Surroundings


class SoFar(NamedTuple):
    """A stretch up to a bar: which one, its open, its extremes, those of its first minutes, and
    the close of the stretch before (NaN where it was not seen whole enough to have one)."""

    number: int = -1
    open: float = NAN
    high: float = NAN
    low: float = NAN
    first_high: float = NAN
    first_low: float = NAN
    before: float = NAN
    close: float = NAN


#: The same of arrays: open, high, low, extremes of the first minutes (NaN until they are over),
#: close of the stretch before.
ManyLines: TypeAlias = Callable[[Floats, Floats, Floats, Floats, Floats, Floats], Sequence[Floats]]


class SoFarStudy(Kept):
    """``lines`` makes outputs of one stretch, in arrays; a bar is an array of one.

    The first ``minutes`` count from the opening of the session, not from the first trade: their
    extremes are known once a bar begins after them (or the session is longer than the bars tell:
    bars longer than that never have them). Bars that span their end are not part of them."""

    def __init__(
        self,
        outputs: int,
        lines: ManyLines,
        around: Surroundings,
        period: Period = Period.DAY,
        minutes: int = 0,
    ) -> None:
        check_fits(period, around.span)
        super().__init__(outputs)
        self._lines = lines
        self._period = period
        self._sessions: Sessions = around.sessions
        self._seconds = 60 * minutes
        self._length = around.span.seconds
        self._state = SoFar()

    def _until(self, time: int) -> int:
        """When the first minutes of the session of a bar are over."""
        day = int(day_numbers(np.array([time]))[0])
        return self._sessions.opens(day, time) + self._seconds

    def _all(self, bars: Columns) -> Sequence[Floats]:
        found = empty(len(self._columns), bars.size)
        numbers = period_numbers(bars.time, self._period)
        runs = runs_of(numbers)
        self._state = SoFar()
        before = NAN
        for first, end in runs:
            part = bars.cut(first, end)
            rows = self._stretch(part, before)
            for column, values in zip(found, rows, strict=True):
                column[first:end] = values
            before = float(part.close[-1])
        if runs:
            first = runs[-1][0]
            self._state = SoFar(close=float(bars.close[first - 1]) if first else NAN)
            for place in range(first, bars.size - 1):
                self._close(bars, place)
        return found

    def _stretch(self, part: Columns, before: float) -> Sequence[Floats]:
        size = part.size
        high, low = np.fmax.accumulate(part.high), np.fmin.accumulate(part.low)
        first_high, first_low = np.full(size, NAN), np.full(size, NAN)
        if self._seconds:
            until = self._until(int(part.time[0]))
            inside = int(np.searchsorted(part.time, until - self._length, side="right"))
            over = int(np.searchsorted(part.time, until))
            if inside and over < size:
                first_high[over:], first_low[over:] = high[inside - 1], low[inside - 1]
        opened = np.full(size, float(part.open[0]))
        return self._lines(opened, high, low, first_high, first_low, np.full(size, before))

    def _with(self, bars: Columns, place: int) -> tuple[SoFar, bool]:
        """The stretch with one more bar, and whether the first minutes are over at it."""
        number = int(period_numbers(bars.time[place : place + 1], self._period)[0])
        time = int(bars.time[place])
        high, low, close = float(bars.high[place]), float(bars.low[place]), float(bars.close[place])
        state = self._state
        if number != state.number:
            state = SoFar(number, float(bars.open[place]), high, low, NAN, NAN, state.close, close)
        else:
            high, low = larger(state.high, high), smaller(state.low, low)
            state = state._replace(high=high, low=low, close=close)
        if not self._seconds:
            return state, False
        until = self._until(time)
        if time + self._length <= until:
            state = state._replace(first_high=state.high, first_low=state.low)
        return state, time >= until

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        state, over = self._with(bars, place)
        firsts = (state.first_high, state.first_low) if over else (NAN, NAN)
        one = (state.open, state.high, state.low, *firsts, state.before)
        return [float(x[0]) for x in self._lines(*(np.array([value]) for value in one))]

    def _close(self, bars: Columns, place: int) -> None:
        self._state = self._with(bars, place)[0]


def extremes(
    open_: Floats, high: Floats, low: Floats, _h: Floats, _l: Floats, _before: Floats
) -> Sequence[Floats]:
    """High, low, middle and open of the stretch so far."""
    return high, low, (high + low) / 2.0, open_


def opening_range(multiples: Sequence[float]) -> ManyLines:
    """High, low and middle of the first minutes, then a pair above and below for each multiple of
    their height."""

    def lines(
        _open: Floats, _high: Floats, _low: Floats, high: Floats, low: Floats, _before: Floats
    ) -> Sequence[Floats]:
        size = high - low
        pairs = [level for n in multiples for level in (high + n * size, low - n * size)]
        return [high, low, (high + low) / 2.0, *pairs]

    return lines


def gap(
    open_: Floats, high: Floats, low: Floats, _h: Floats, _l: Floats, before: Floats
) -> Sequence[Floats]:
    """Close before and open of an opening gap until a price fills it, and its size in per cent;
    there is none to draw where it opens unchanged."""
    filled = np.where(open_ >= before, low <= before, high >= before)
    return (
        np.where(filled, NAN, before),
        np.where(filled | np.isnan(before), NAN, open_),
        100.0 * (open_ / before - 1.0),
    )
