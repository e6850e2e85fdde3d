"""When the simulated market trades.

Past days show the sessions of the exchange calendar. With ``weekends`` Saturdays, Sundays and
holidays have the hours of a normal day too, so that a day that traded keeps its bars when it is
over. With ``always_open`` the present IST date is open round the clock: its day runs from 09:15 to
midnight (before 09:15, from midnight to 09:15), so the opening at 09:15 resets open, high, low and
volume as at a real exchange, and the day's bars go on past 15:30. Without it only the calendar's
sessions trade, and outside them the last price of the latest session stands.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from openalgo_desktop.brokers.simulator.process import FIRST_DAY, cell_of, day_of, minute_epoch
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST_OFFSET_SECONDS, Clock, ist_date

_DAY = 86_400


class Window(NamedTuple):
    """Open hours on an IST date, epoch seconds; ``end`` is exclusive."""

    day: date
    start: int
    end: int

    def minutes(self, until: float) -> list[tuple[int, int, int]]:
        """Grid minutes of the window that began before ``until``, as (process day, from, to)."""
        end = min(float(self.end), until)
        found: list[tuple[int, int, int]] = []
        moment = self.start
        while moment < end:
            day, first, _ = cell_of(moment)
            last = min(minute_epoch(day + 1, 0), int(-(-end // 60)) * 60)
            found.append((day, first, first + (last - moment) // 60))
            moment = last
        return found


def ist_midnight(day: date) -> int:
    """Epoch second of 00:00 IST."""
    return day_of(day) * _DAY - IST_OFFSET_SECONDS


class Sessions:
    """Open hours as the simulator sees them at the clock's present."""

    def __init__(
        self, calendar: MarketCalendar, clock: Clock, always_open: bool, *, weekends: bool = False
    ) -> None:
        self._calendar = calendar
        self._clock = clock
        self._always_open = always_open
        self._weekends = weekends
        self._current: dict[str, tuple[int, Window]] = {}

    def window(self, exchange: str, day: date) -> Window | None:
        """The open hours of ``day``, None when closed or still to come."""
        now = self._clock.time()
        today = ist_date(now)
        if day > today or day < FIRST_DAY:
            return None
        if day == today and self._always_open:
            midnight = ist_midnight(day)
            opening = minute_epoch(day_of(day), 0)
            if now < opening:
                return Window(day, midnight, opening)
            return Window(day, opening, midnight + _DAY)
        session = self._calendar.session(exchange, day)
        if session is None and self._weekends:
            session = self._calendar.regular_session(exchange, day)
        if session is None:
            return None
        start, end = (int(moment.timestamp()) for moment in session)
        return Window(day, start, end) if start <= now else None

    def current(self, exchange: str) -> Window:
        """The running window, or the latest one that began."""
        minute = int(self._clock.time() // 60)
        cached = self._current.get(exchange)
        if cached is not None and cached[0] == minute:
            return cached[1]
        window = self._latest(exchange, ist_date(self._clock.time()))
        self._current[exchange] = (minute, window)
        return window

    def previous(self, exchange: str, day: date) -> Window:
        """The window before ``day``: its last price is the previous close."""
        return self._latest(exchange, day - timedelta(days=1))

    def is_open(self, exchange: str) -> bool:
        """Whether prices move now."""
        return self._clock.time() < self.current(exchange).end

    def _latest(self, exchange: str, day: date) -> Window:
        while (window := self.window(exchange, day)) is None:
            day -= timedelta(days=1)
            if day < FIRST_DAY:  # an exchange without a calendar: as the National Stock Exchange
                return self._latest("NSE", ist_date(self._clock.time()))
        return window
