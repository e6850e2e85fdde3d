"""When bars begin and end: the one rhythm of history and of the live bar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.columns import Ints
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.clock import IST_OFFSET_SECONDS

DAY = 86_400
_EPOCH = date(1970, 1, 1)
_MONTHS = {SpanUnit.MONTH: 1, SpanUnit.QUARTER: 3, SpanUnit.YEAR: 12}
#: Days from 1970-01-01, a Thursday, to the first Monday.
_MONDAY = 4
#: No period of days has more days without a session in a row.
_LONGEST_REST = 30


class _Part(NamedTuple):
    """A stretch of time that counts from one opening; no bar begins before ``floor``. Epoch
    seconds, days since 1970."""

    begin: int
    end: int
    day: int
    opening: int
    floor: int


class Rhythm:
    """Beginnings of the bars of a span on an exchange.

    Intraday bars are counted from the opening of the session (the special one of a special day),
    so no bar has a part of two sessions; what comes before the opening keeps the count backwards.
    Weeks begin on Monday, months, quarters and years on their first day; several of them are
    counted from 1970. Several days are counted in weekdays from Monday 1970-01-05, so that a bar
    is the same whatever was loaded: holidays count, a session at the weekend belongs to Friday.

    Times are epoch seconds; beginnings are written as in :class:`Bars`: of a day and longer it is
    midnight UTC of the IST date. Make a new one after the calendar was amended.
    """

    def __init__(self, span: Span, exchange: str, calendar: MarketCalendar) -> None:
        self.span = span
        self.exchange = exchange
        self._calendar = calendar
        self._part = _Part(0, 0, 0, 0, 0)
        regular = MarketCalendar.regular_session(exchange, _EPOCH)
        self._regular = 0 if regular is None else int(regular[0].timestamp()) + IST_OFFSET_SECONDS

    # -- one moment -------------------------------------------------------------------------
    def start(self, moment: float) -> int:
        """The beginning of the bar that has ``moment``. Cheap enough for every tick."""
        second = int(moment)
        part = self._part
        if not part.begin <= second < part.end:
            part = self._part = self._part_of(second)
        length = self.span.seconds
        if length:
            return max(part.floor, second - (second - part.opening) % length)
        return int(self._periods(np.array([part.day]))[0])

    def end(self, start: int) -> int:
        """When the bar that begins at ``start`` is over: a moment, epoch seconds, also for days
        and longer. A bar that its session ends is over with the session."""
        if self.span.is_intraday:
            part = self._part_of(start)
            whole = start + self.span.seconds - (start - part.opening) % self.span.seconds
            session = self._calendar.session(self.exchange, _date(part.day))
            over = part.end if session is None else int(session[1].timestamp())
            return min(whole, over if start < over else part.end)
        following = self.following(start // DAY)
        for day in range(following - 1, max(start // DAY, following - _LONGEST_REST) - 1, -1):
            session = self._calendar.session(self.exchange, _date(day))
            if session is not None:
                return int(session[1].timestamp())
        return following * DAY - IST_OFFSET_SECONDS

    def following(self, day: int) -> int:
        """The first day of the period after the one that begins on ``day``: days since 1970, of
        a span of a day or longer."""
        count = self.span.count
        if self.span.unit in _MONTHS:
            first = np.datetime64(day, "D").astype("datetime64[M]")
            ahead = first + np.timedelta64(count * _MONTHS[self.span.unit], "M")
            return int(ahead.astype("datetime64[D]").astype(np.int64))
        if self.span.unit is SpanUnit.WEEK:
            return day + 7 * count
        if count == 1:
            return day + 1  # of single days also Saturday and Sunday are some
        return int(_day_of_weekday(np.array([_weekday(np.array([day]))[0] + count]))[0])

    def _part_of(self, second: int) -> _Part:
        day = (second + IST_OFFSET_SECONDS) // DAY
        for part in self._parts_of_day(day, day):
            if part.begin <= second < part.end:
                return part
        raise AssertionError("the parts of a day cover it")

    # -- many bars --------------------------------------------------------------------------
    def starts(self, times: Ints, source: Span) -> Ints:
        """The beginning of the bar that has each of ``times``, ascending beginnings of bars of
        ``source``. One pass without a loop over bars."""
        if not len(times):
            return times
        if not source.is_intraday:
            return self._periods(times // DAY)
        begins, days, openings, floors = self._table(times)
        which = np.searchsorted(begins, times, "right") - 1
        length = self.span.seconds
        if not length:
            return self._periods(days)[which]
        return np.maximum(floors[which], times - (times - openings[which]) % length)

    def days(self, times: Ints) -> Ints:
        """The session's date of each intraday bar, as midnight UTC."""
        begins, days, *_ = self._table(times)
        return days[np.searchsorted(begins, times, "right") - 1] * DAY

    def _table(self, times: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Begin, day, opening and floor of the parts that ``times`` lie in, ascending."""
        local = (times + IST_OFFSET_SECONDS) // DAY
        days = local[np.concatenate([[True], local[1:] != local[:-1]])]
        begins = days * DAY - IST_OFFSET_SECONDS
        openings = begins + self._regular
        special = self._special(int(days[0]), int(days[-1]))
        if not special:
            return begins, days, openings, begins
        rows: list[_Part] = []
        for day in special | {day + 1 for day in special}:
            at = int(np.searchsorted(days, day))
            if at < len(days) and days[at] == day:
                rows.extend(self._parts_of_day(day, day))
        listed = np.array([(row.begin, row.day, row.opening, row.floor) for row in rows], np.int64)
        touched = [*special, *(day + 1 for day in special)]
        plain = ~np.isin(days, touched)
        table = np.column_stack((begins, days, openings, begins))[plain]
        if rows:
            table = np.concatenate([table, listed])
        table = table[np.argsort(table[:, 0], kind="stable")]
        return table[:, 0], table[:, 1], table[:, 2], table[:, 3]

    def _special(self, first: int, last: int) -> set[int]:
        """Listed days from the one before ``first`` to ``last``."""
        years = range(_date(first - 1).year, _date(last).year + 1)
        listed = (_number(row.date) for year in years for row in self._calendar.holidays(year))
        return {day for day in listed if first - 1 <= day <= last}

    def _parts_of_day(self, first: int, last: int) -> Iterator[_Part]:
        """The parts of IST dates. One has two where the session of the day before goes on past
        midnight: that belongs to its own day still."""
        for day in range(first, last + 1):
            begin, end = day * DAY - IST_OFFSET_SECONDS, (day + 1) * DAY - IST_OFFSET_SECONDS
            before = self._calendar.session(self.exchange, _date(day - 1))
            if before is not None and (late := int(before[1].timestamp())) > begin:
                yield _Part(begin, late, day - 1, int(before[0].timestamp()), begin - DAY)
                begin = late
            yield _Part(begin, end, day, self._opening(day), begin)

    def _opening(self, day: int) -> int:
        session = self._calendar.session(self.exchange, _date(day))
        if session is None:
            return day * DAY - IST_OFFSET_SECONDS + self._regular
        return int(session[0].timestamp())

    # -- days and longer --------------------------------------------------------------------
    def _periods(self, days: Ints) -> Ints:
        """Beginning of the period of each day, midnight UTC in seconds."""
        count, unit = self.span.count, self.span.unit
        if unit in _MONTHS:
            length = count * _MONTHS[unit]
            months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
            first = (months - months % length).astype("datetime64[M]")
            return first.astype("datetime64[D]").astype(np.int64) * DAY
        if unit is SpanUnit.WEEK:
            return (days - (days - _MONDAY) % (7 * count)) * DAY
        if count == 1:
            return days * DAY
        weekday = _weekday(days)
        return _day_of_weekday(weekday - weekday % count) * DAY


def _weekday(days: Ints) -> Ints:
    """Which weekday since 1970-01-05 a day is; those of a weekend are its Friday."""
    weeks, rest = np.divmod(days - _MONDAY, 7)
    found: Ints = weeks * 5 + np.minimum(rest, 4)
    return found


def _day_of_weekday(weekday: Ints) -> Ints:
    weeks, rest = np.divmod(weekday, 5)
    found: Ints = weeks * 7 + rest + _MONDAY
    return found


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _number(day: date) -> int:
    return (day - _EPOCH).days
