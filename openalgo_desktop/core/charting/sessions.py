"""Which trading day a bar belongs to, and when that day's session opens and closes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias

import numpy as np

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.columns import Ints
from openalgo_desktop.core.clock import IST

#: Seconds of IST before UTC, and of a day.
IST_SECONDS: Final = 19_800
DAY_SECONDS: Final = 86_400
#: ``date.toordinal`` of 1970-01-01.
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
Window: TypeAlias = tuple[int, int]
#: Opening and closing moment (aware) of a day, None when it is closed.
Hours: TypeAlias = Callable[[date], tuple[datetime, datetime] | None]


def day_numbers(time: Ints) -> Ints:
    """Days since 1970-01-01 of the IST dates of bars; right for bars of a day and longer too,
    whose time is midnight UTC of their date."""
    found: Ints = (time + IST_SECONDS) // DAY_SECONDS
    return found


def day_of(number: int) -> date:
    """The date of a day number."""
    return date.fromordinal(_EPOCH_ORDINAL + number)


def number_of(day: date) -> int:
    """The day number of a date."""
    return day.toordinal() - _EPOCH_ORDINAL


def week_numbers(days: Ints) -> Ints:
    """Weeks (from Monday) of day numbers, counted from that of 1970-01-01, a Thursday."""
    found: Ints = (days + 3) // 7
    return found


def month_numbers(days: Ints) -> Ints:
    """Months since January 1970 of day numbers."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


class Sessions:
    """Hours of one exchange in epoch seconds, each day asked of the calendar once. ``regular``
    are those of any day, for one on which there are bars although the calendar has no session (a
    special one of years ago, the simulator's weekend)."""

    def __init__(self, hours: Hours, regular: Hours = lambda day: None) -> None:
        self._hours = hours
        self._regular = regular
        self._known: dict[int, Window | None] = {}
        self._opens: dict[int, Window | None] = {}

    @classmethod
    def of(cls, calendar: MarketCalendar, exchange: str) -> Sessions:
        """Those of ``exchange`` as ``calendar`` has them."""
        return cls(
            lambda day: calendar.session(exchange, day),
            lambda day: calendar.regular_session(exchange, day),
        )

    def window(self, number: int) -> Window | None:
        """Opening and closing moment of the day with this number; None when it is closed."""
        if number not in self._known:
            self._known[number] = _seconds(self._hours(day_of(number)))
        return self._known[number]

    def traded(self, number: int) -> Window | None:
        """The same of a day on which there are bars: where the calendar has no session, the
        regular hours; None for an exchange without any."""
        if number not in self._opens:
            window = self.window(number)
            self._opens[number] = window or _seconds(self._regular(day_of(number)))
        return self._opens[number]

    def opens(self, number: int, otherwise: int) -> int:
        """The opening moment of a day with bars; ``otherwise`` where nobody knows it."""
        window = self.traded(number)
        return otherwise if window is None else window[0]

    def first_of(self, number: int, end: int) -> int | None:
        """The first day with a session in ``number <= day < end``."""
        return next((day for day in range(number, end) if self.window(day) is not None), None)


def _seconds(hours: tuple[datetime, datetime] | None) -> Window | None:
    return None if hours is None else (int(hours[0].timestamp()), int(hours[1].timestamp()))


def always_open() -> Sessions:
    """For bars of no exchange: every day from midnight to midnight IST."""

    def hours(day: date) -> tuple[datetime, datetime]:
        start = datetime(day.year, day.month, day.day, tzinfo=IST)
        return start, start + timedelta(days=1)

    return Sessions(hours)
