"""Which bar of a span a moment belongs to, and when the smallest bars begin and end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.clock import IST, IST_OFFSET_SECONDS

DAY = 86_400
#: Days of a span that is no shorter than a day, at most.
_DAYS = {
    SpanUnit.DAY: 1,
    SpanUnit.WEEK: 7,
    SpanUnit.MONTH: 31,
    SpanUnit.QUARTER: 92,
    SpanUnit.YEAR: 366,
}


def longest(span: Span) -> int:
    """No bar of the span is longer; seconds, nights and holidays within it included."""
    return span.seconds or span.count * _DAYS[span.unit] * DAY


def starts(time: int, span: Span) -> int:
    """When a bar with this time (as in :class:`Bars`) can begin at the earliest, epoch seconds:
    of a day and longer the IST midnight."""
    return time if span.is_intraday else time - IST_OFFSET_SECONDS


def day_of(moment: float) -> date:
    """The IST date of a moment."""
    return datetime.fromtimestamp(moment, IST).date()


def midnight(day: date) -> int:
    """The moment at which an IST date begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=IST).timestamp())


def ends_of(
    span: Span, exchange: str, calendar: MarketCalendar
) -> Callable[[int], tuple[float, float]]:
    """Begin and end of the bars of a tape. A day lasts from its opening to its close, so that it
    keeps step with smaller bars of other charts."""
    if span.is_intraday:
        seconds = float(span.seconds)
        return lambda time: (float(time), time + seconds)

    def whole(time: int) -> tuple[float, float]:
        day = datetime.fromtimestamp(time, UTC).date()
        last = day + timedelta(days=longest(span) // DAY - 1)
        opening, closing = calendar.session(exchange, day), calendar.session(exchange, last)
        begin = midnight(day) if opening is None else opening[0].timestamp()
        end = midnight(last) + DAY if closing is None else closing[1].timestamp()
        return float(begin), float(end)

    return whole


class Grid:
    """The bars of a span as their source places them: a replay makes bars at the same times. A
    moment that no bar of the source covers gets a bar by the rule of sessions."""

    def __init__(self, span: Span, exchange: str, calendar: MarketCalendar) -> None:
        self._span = span
        self._exchange = exchange
        self._calendar = calendar
        self._times: list[int] = []
        self._starts: list[int] = []

    def extend(self, times: Sequence[int]) -> None:
        """Later bars of the source."""
        last = self._times[-1] if self._times else -1
        fresh = [time for time in times if time > last]
        self._times += fresh
        self._starts += [starts(time, self._span) for time in fresh]

    def __call__(self, moment: float) -> int:
        index = bisect_right(self._starts, moment) - 1
        if index >= 0 and moment < self._starts[index] + longest(self._span):
            return self._times[index]
        return self._by_rule(moment)

    def _by_rule(self, moment: float) -> int:
        day, span = day_of(moment), self._span
        if span.is_intraday:
            window = self._calendar.session(self._exchange, day)
            first = midnight(day) if window is None else int(window[0].timestamp())
            return int(first + (moment - first) // span.seconds * span.seconds)
        if span.unit is SpanUnit.WEEK:
            day -= timedelta(days=day.weekday())
        elif span.unit is SpanUnit.MONTH:
            day = day.replace(day=1)
        elif span.unit is SpanUnit.QUARTER:
            day = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        elif span.unit is SpanUnit.YEAR:
            day = day.replace(month=1, day=1)
        return midnight(day) + IST_OFFSET_SECONDS
