"""When a strategy starts and stops by itself. Pure; times IST."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from openalgo_desktop.core.calendar import MarketCalendar, Window
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.strategies.checks import DAYS, clock_time
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Definition,
    Scheduler,
    Segment,
    SignalLeg,
)
from openalgo_desktop.core.symbols import option_exchange

#: A start that was missed because the engine came late, or slept, is made up for so long.
GRACE = timedelta(minutes=5)
#: What has to be out before the close is, so long before it.
BEFORE_CLOSE = timedelta(minutes=1)


def exchange_of(d: Definition) -> str:
    """The exchange whose hours count; all legs are of one market."""
    first = d.legs[0]
    match first:
        case SignalLeg():
            return first.exchange
    if all(isinstance(leg, BatchLeg) and leg.segment is Segment.CASH for leg in d.legs):
        return d.underlying_exchange
    return option_exchange(d.underlying_exchange)


def at(day: date, text: str) -> datetime:
    """The moment of ``HH:MM`` on a day."""
    moment = clock_time(text)
    assert moment is not None
    return datetime.combine(day, moment, IST)


def start_due(row: Scheduler, now: datetime, windows: Sequence[Window]) -> bool:
    """Whether it is to start now: on one of its days, in a session of its exchange, at its time or
    at most :data:`GRACE` later, and before its stop."""
    local = now.astimezone(IST)
    day = local.date()
    if not row.enabled or DAYS[day.weekday()] not in row.days or not windows:
        return False
    start = at(day, row.start_time)
    in_session = any(begin <= local < end for begin, end in windows)
    late = local - start
    return in_session and timedelta(0) <= late <= GRACE and local < at(day, row.auto_stop_time)


def start_missed(row: Scheduler, now: datetime, windows: Sequence[Window]) -> bool:
    """Whether its start of today is over and was not made up for."""
    local = now.astimezone(IST)
    day = local.date()
    wanted = row.enabled and DAYS[day.weekday()] in row.days and bool(windows)
    return wanted and local - at(day, row.start_time) > GRACE


def leave_at(day: date, text: str, windows: Sequence[Window]) -> datetime:
    """The moment at which everything is to go out on a day: ``HH:MM``, or shortly before a close
    that comes earlier (a half day)."""
    wanted = at(day, text)
    return min(wanted, windows[-1][1] - BEFORE_CLOSE) if windows else wanted


def days_to_expiry(today: date, expiry: date, calendar: MarketCalendar, exchange: str) -> int:
    """Trading days from ``today`` to an expiry; 0 on the expiry day."""
    days, day = 0, today
    while day < expiry:
        day = calendar.next_trading_day(day, exchange)
        days += 1
    return days
