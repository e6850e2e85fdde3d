"""The times of bars: when they begin and end, which are final, and when nothing can change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST_OFFSET_SECONDS, ist_date

DAY = 86_400
_EPOCH = date(1970, 1, 1)
#: Seconds after its end from which a bar of the source is taken as final.
SETTLE = 90
#: An exchange rests at most so many days.
_LONGEST_REST = 15


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - _EPOCH).days


def number_date(number: int) -> date:
    """The other way."""
    return _EPOCH + timedelta(days=number)


def ist_midnight(number: int) -> int:
    """Epoch second of 00:00 IST of a day."""
    return number * DAY - IST_OFFSET_SECONDS


def day_start(number: int, span: Span) -> int:
    """Where a day begins on the axis of bars of ``span``."""
    return ist_midnight(number) if span.is_intraday else number * DAY


def axis_day(moment: int, span: Span) -> int:
    """The day number of a time on the axis of bars of ``span``."""
    return (moment + IST_OFFSET_SECONDS) // DAY if span.is_intraday else moment // DAY


def on_axis(epoch: float, span: Span) -> int:
    """A moment (epoch seconds) on the axis of bars of ``span``: for a day and longer its day."""
    second = int(epoch)
    return second if span.is_intraday else (second + IST_OFFSET_SECONDS) // DAY * DAY


class Hours:
    """Sessions of the data account's market. ``always_open``: it has no hours, whatever the
    calendar says (the simulator)."""

    def __init__(self, calendar: MarketCalendar, always_open: Callable[[], bool]) -> None:
        self._calendar = calendar
        self._always_open = always_open

    def rhythm(self, exchange: str, span: Span) -> Rhythm:
        """The grid of the bars of ``span``."""
        return Rhythm(span, exchange, self._calendar)

    def unbound(self, exchange: str) -> bool:
        """Whether ``exchange`` has no hours here."""
        return self._always_open() or self._calendar.regular_session(exchange, _EPOCH) is None

    def session(self, exchange: str, day: date) -> tuple[float, float] | None:
        """Opening and closing moment, epoch seconds; None on a day without."""
        if self.unbound(exchange):
            start = ist_midnight(day_number(day))
            return start, start + DAY
        window = self._calendar.session(exchange, day)
        return None if window is None else (window[0].timestamp(), window[1].timestamp())

    def running(self, exchange: str, now: float) -> tuple[float, float] | None:
        """The session that ``now`` is in."""
        today = ist_date(now)
        for day in (today, today - timedelta(days=1)):  # one may go on past midnight
            window = self.session(exchange, day)
            if window is not None and window[0] <= now < window[1]:
                return window
        return None

    def traded(self, exchange: str, start: float, end: float) -> bool:
        """Whether some of ``start`` to ``end`` is in a session."""
        days = range(day_number(ist_date(start)) - 1, day_number(ist_date(end)) + 1)
        return self._session_in(exchange, days, start, end) is not None

    def edges(self, exchange: str, start: float, end: float) -> tuple[float, float] | None:
        """The first and the last moment in sessions of ``start`` to ``end``; None without any."""
        first, last = day_number(ist_date(start)) - 1, day_number(ist_date(end))
        opened = self._session_in(exchange, range(first, last + 1), start, end)
        if opened is None:
            return None
        closed = self._session_in(exchange, range(last, first - 1, -1), start, end)
        assert closed is not None
        return max(start, opened[0]), min(end, closed[1])

    def _session_in(
        self, exchange: str, days: Iterable[int], start: float, end: float
    ) -> tuple[float, float] | None:
        """The first of these days' sessions that has some of ``start`` to ``end``."""
        for number in days:
            window = self.session(exchange, number_date(number))
            if window is not None and window[0] < end and window[1] > start:
                return window
        return None

    def admits(self, exchange: str, moment: float, dated: bool) -> bool:
        """Whether a tick may begin a bar: in a session always; outside of one only what the
        exchange itself dated after the opening (a session may be longer than the calendar knows,
        but what is dealt before the opening is in the first bar of no history)."""
        if self.unbound(exchange) or self.running(exchange, moment) is not None:
            return True
        if not dated:
            return False
        window = self.session(exchange, ist_date(moment))
        return window is None or moment >= window[1]

    def final(self, exchange: str, rhythm: Rhythm, now: float) -> int:
        """Bars that begin before this are final at ``now`` (axis of the rhythm's span)."""
        span, settled = rhythm.span, now - SETTLE
        if not span.is_intraday:
            return rhythm.start(settled)
        window = self.running(exchange, settled)
        return int(settled) if window is None else max(int(window[0]), rhythm.start(settled))

    def end(self, exchange: str, rhythm: Rhythm, start: int) -> int:
        """When the bar that begins at ``start`` (axis) is over, epoch seconds."""
        if not self.unbound(exchange):
            return rhythm.end(start)
        span = rhythm.span
        if not span.is_intraday:
            return ist_midnight(rhythm.following(start // DAY))
        midnight = ist_midnight(axis_day(start, span) + 1)
        return min(rhythm.start(start + span.seconds), midnight)

    def countdown(self, exchange: str, rhythm: Rhythm, now: float) -> float | None:
        """Seconds from ``now`` to the end of the bar that has it; None outside of sessions."""
        if self.running(exchange, now) is None:
            return None
        return max(0.0, self.end(exchange, rhythm, rhythm.start(now)) - now)
