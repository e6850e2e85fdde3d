"""How much history the bars of alerts need before the first look. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from openalgo_desktop.automation.alerts.ports import Need
from openalgo_desktop.core.charting.span import Span, SpanUnit

#: Bars before a study is looked at: at least so many, and so many at most, however far back
#: something wants to go.
LEAST, MOST = 500, 100_000
#: A session of NSE in seconds, the shortest there is; trading days of a year.
_SESSION, _DAYS = 22_500, 240
#: Days before it at least, so that whatever begins with a session has one from its beginning.
_SESSIONS = 5
_DAY = 86_400
_LENGTH = {SpanUnit.DAY: 1, SpanUnit.WEEK: 7, SpanUnit.MONTH: 31, SpanUnit.QUARTER: 92}


def start(span: Span, now: float, needs: Iterable[Need]) -> int:
    """When the first bar that somebody needs begins, epoch seconds; rather too early."""
    every = list(needs)
    wanted = now - seconds(span, min(MOST, max([LEAST, *(need.bars for need in every)])))
    back = [float(need.since) for need in every if need.since]
    back += [now - need.days * _DAY for need in every]
    farthest = now - seconds(span, MOST)
    return int(max(0.0, farthest, min([wanted, *back])))


def seconds(span: Span, bars: int) -> float:
    """How long so many bars take by the calendar."""
    if span.is_intraday:
        sessions = ceil(bars * span.seconds / _SESSION)
        return (ceil(sessions * 365 / _DAYS) + _SESSIONS) * _DAY
    days = _LENGTH.get(span.unit, 366) * span.count * bars
    return _DAY * (ceil(days * 365 / _DAYS) if span.unit is SpanUnit.DAY else days)
