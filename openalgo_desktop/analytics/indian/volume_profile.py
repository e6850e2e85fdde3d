"""Volume profiles as studies: of each session, and of a fixed stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Kept, empty
from openalgo_desktop.analytics.indian.periods import (
    Period,
    check_fits,
    period_numbers,
    runs_of,
)
from openalgo_desktop.analytics.indian.volume_rows import VolumeRows, finer, profile_of
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import Profile
from openalgo_desktop.core.charting.surroundings import Surroundings

#: The largest row of what a chart shows takes this part of its width: bars stay to be seen.
VIEW_SHARE = 0.25


class ProfileWish(NamedTuple):
    """Rows at most, part of the value area, how many of the last sessions are drawn, and whether
    point and area are found bar by bar."""

    rows: int
    share: float
    shown: int
    developing: bool = False


_UNKNOWN = (NAN, NAN, NAN)


def _lines(profile: Profile | None) -> tuple[float, float, float]:
    if profile is None:
        return _UNKNOWN
    return profile.point, profile.value_high, profile.value_low


class SessionProfile(Kept):
    """Point of control, top and bottom of the value area of the period before, and, when wished,
    of the present one as it develops; profiles of the last periods. The first period of the bars
    may have begun before them: it gives no lines to the next."""

    def __init__(self, wish: ProfileWish, period: Period, around: Surroundings) -> None:
        check_fits(period, around.span)
        super().__init__(6)
        self._wish, self._period, self._around = wish, period, around
        self._rows = VolumeRows(around.tick)
        self._number, self._first = -1, 0
        self._before: tuple[float, float, float] = _UNKNOWN
        self._end = 0
        self._done: list[Profile] = []
        self._shown: list[Profile] | None = None
        self._last: Columns | None = None
        self._seen = 0  # periods that began in the bars

    @property
    def profiles(self) -> Sequence[Profile]:
        """Of the last periods, oldest first; the last one with the forming bar."""
        if self._shown is None:  # read more often than it changes
            current = self._current()
            shown = [*self._done, *([current] if current is not None else [])]
            self._shown = shown[-self._wish.shown :]
        return self._shown

    def _current(self) -> Profile | None:
        if self._last is None or not self._last.size:
            return None
        return self._of(self._tried(self._last), self._end)

    def _tried(self, one: Columns) -> VolumeRows:
        rows = self._rows.copy()
        rows.add(one)
        return rows

    def _of(self, rows: VolumeRows, last: int) -> Profile | None:
        return profile_of(rows, self._wish.rows, self._wish.share, self._first, last)[0]

    def _all(self, bars: Columns) -> Sequence[Floats]:
        found = empty(6, bars.size)
        self._done, self._before, self._seen = [], _UNKNOWN, 0
        self._number, self._last, self._shown = -1, None, None
        numbers = period_numbers(bars.time, self._period)
        for first, end in runs_of(numbers):
            final = end == bars.size
            self._begin(int(numbers[first]), first)
            for column, value in zip(found, self._before, strict=False):
                column[first:end] = value
            closed = end - 1 if final else end
            if self._wish.developing:
                self._develop(bars, first, end, closed, found)
            else:
                self._take(bars, first, closed)
            self._end = closed - 1
        if bars.size:
            self._end = bars.size - 1
            self._last = _one(bars, self._end)
        return found

    def _take(self, bars: Columns, first: int, end: int) -> None:
        seconds = self._around.span.seconds
        for part in finer(bars.cut(first, end), self._around.minutes, seconds):
            self._rows.add(part)

    def _develop(
        self, bars: Columns, first: int, end: int, closed: int, found: Sequence[Floats]
    ) -> None:
        for place in range(first, end):
            if place < closed:
                self._take(bars, place, place + 1)
                profile = self._of(self._rows, place)
            else:
                profile = self._of(self._tried(bars.cut(place, place + 1)), place)
            for column, value in zip(found[3:], _lines(profile), strict=True):
                column[place] = value

    def _begin(self, number: int, first: int) -> None:
        """Another period: the one before is done."""
        if self._number >= 0:
            profile = self._of(self._rows, self._end)
            if profile is not None and self._wish.shown:
                self._done = [*self._done, profile][-self._wish.shown :]
            self._before = _lines(profile) if self._seen > 1 else _UNKNOWN
        self._number, self._first, self._seen = number, first, self._seen + 1
        self._rows = VolumeRows(self._around.tick)

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        number = int(period_numbers(bars.time[place : place + 1], self._period)[0])
        if number != self._number:
            self._begin(number, place)
        self._end = place
        self._last, self._shown = _one(bars, place), None
        developing = _lines(self._current()) if self._wish.developing else _UNKNOWN
        return [*self._before, *developing]

    def _close(self, bars: Columns, place: int) -> None:
        self._take(bars, place, place + 1)


def _one(bars: Columns, place: int) -> Columns:
    """A copy of one bar: the views of the next call are others."""
    one = bars.cut(place, place + 1)
    o, h, low, c = (column.copy() for column in (one.open, one.high, one.low, one.close))
    return Columns(one.time.copy(), o, h, low, c, one.volume.copy(), one.oi.copy())


class FixedProfile(Kept):
    """The profile of the bars that begin in ``start <= time < end``, epoch seconds; without an end
    up to the last bar. Its lines are point of control and value area of the stretch up to each
    bar, when they are wished as they develop."""

    def __init__(self, wish: ProfileWish, start: int, end: int | None, around: Surroundings):
        super().__init__(3)
        self._wish, self._around = wish, around
        self._start, self._stop = start, end
        self._rows = self._tried = VolumeRows(around.tick)
        self._first = self._end = -1

    @property
    def profiles(self) -> Sequence[Profile]:
        """One, or none where nothing was traded."""
        found = self._profile()
        return () if found is None else (found,)

    def _profile(self) -> Profile | None:
        if self._first < 0:
            return None
        where = (self._first, self._end)
        return profile_of(self._tried, self._wish.rows, self._wish.share, *where)[0]

    def _all(self, bars: Columns) -> Sequence[Floats]:
        found = empty(3, bars.size)
        self._rows = self._tried = VolumeRows(self._around.tick)
        self._first = self._end = -1
        first = int(np.searchsorted(bars.time, self._start))
        stop = bars.size if self._stop is None else int(np.searchsorted(bars.time, self._stop))
        closed = min(stop, bars.size - 1)
        if self._wish.developing:
            for place in range(first, closed):
                for column, value in zip(found, self._row(bars, place), strict=True):
                    column[place] = value
                self._close(bars, place)
        elif closed > first:
            self._first, self._end = first, closed - 1
            self._take(bars, first, closed)
            self._tried = self._rows
        if bars.size:
            for column, value in zip(found, self._row(bars, bars.size - 1), strict=True):
                column[-1] = value
        return found

    def _take(self, bars: Columns, first: int, end: int) -> None:
        seconds = self._around.span.seconds
        for piece in finer(bars.cut(first, end), self._around.minutes, seconds):
            self._rows.add(piece)

    def _inside(self, bars: Columns, place: int) -> bool:
        time = int(bars.time[place])
        return time >= self._start and (self._stop is None or time < self._stop)

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        if not self._inside(bars, place):
            self._tried = self._rows
            return _UNKNOWN
        self._first = place if self._first < 0 else self._first
        self._end = place
        self._tried = self._rows.copy()
        self._tried.add(bars.cut(place, place + 1))
        return _lines(self._profile()) if self._wish.developing else _UNKNOWN

    def _close(self, bars: Columns, place: int) -> None:
        if self._inside(bars, place):
            self._take(bars, place, place + 1)


class ViewProfile(Kept):
    """The profile of the bars that the chart shows (:class:`InView`): it is another one as soon as
    the view moves. It has no values of its own."""

    def __init__(self, wish: ProfileWish, around: Surroundings) -> None:
        super().__init__(0)
        self._wish, self._around = wish, around
        self._bars: Columns | None = None
        self._known: tuple[int, int] | None = None  # bars of the profile that is kept
        self._profile: Profile | None = None
        self._closed: tuple[int, int] | None = None  # first and end of the bars in the rows
        self._rows = VolumeRows(around.tick)

    @property
    def profiles(self) -> Sequence[Profile]:
        """One, or none where nothing in view was traded."""
        bars, seen = self._bars, self._around.in_view
        if bars is None:
            return ()
        first, last = max(0, seen.first), min(seen.last, bars.size - 1)
        if self._known != (first, last):
            self._known, self._profile = (first, last), self._of(bars, first, last)
        return () if self._profile is None else (self._profile,)

    def _of(self, bars: Columns, first: int, last: int) -> Profile | None:
        """A forming bar is tried on a copy: it costs the same however many are in view."""
        if last < first:
            return None
        forms = last == bars.size - 1
        end = last if forms else last + 1
        if self._closed != (first, end):
            self._closed, self._rows = (first, end), VolumeRows(self._around.tick)
            inside, seconds = bars.cut(first, end), self._around.span.seconds
            for part in finer(inside, self._around.minutes, seconds):
                self._rows.add(part)
        rows = self._rows
        if forms:
            rows = rows.copy()
            rows.add(bars.cut(last, last + 1))
        found = profile_of(rows, self._wish.rows, self._wish.share, first, last)[0]
        return None if found is None else msgspec.structs.replace(found, share=VIEW_SHARE)

    def _take(self, bars: Columns) -> None:
        """Other bars; a profile that has the last one is another."""
        before, self._bars = self._bars, bars
        if before is None or self._known is None or self._known[1] >= before.size - 1:
            self._known = None

    def load(self, bars: Columns) -> None:
        self._known = self._closed = None
        self._take(bars)

    def last(self, bars: Columns) -> None:
        self._take(bars)

    def append(self, bars: Columns) -> None:
        self._take(bars)
        closed = self._closed
        if closed is not None and closed[1] > bars.size - 2:  # its last change is told only now
            self._closed = None
