"""What a market does now and what comes next, for the status bar. Pure: time is handed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum

import msgspec

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST

#: The order entry before the opening of the cash markets (NSE and BSE: 09:00 to 09:15).
PRE_OPEN: Mapping[str, timedelta] = {"NSE": timedelta(minutes=15), "BSE": timedelta(minutes=15)}
#: Segments of one line each, with the exchange whose hours they have, in the order of a trader.
SEGMENTS: tuple[tuple[str, str], ...] = (
    ("NSE", "NSE"),
    ("F&O", "NFO"),
    ("BSE", "BSE"),
    ("BSE F&O", "BFO"),
    ("Currency", "CDS"),
    ("MCX", "MCX"),
)


class Phase(StrEnum):
    """Where in its day a segment is."""

    PRE_OPEN = "pre-open"
    OPEN = "open"
    CLOSED = "closed"


class MarketState(msgspec.Struct, frozen=True):
    """``next_word`` and ``next_at`` (aware, IST) say what comes next: *opens*, *closes* or
    *square-off*; None when nothing is known to come."""

    segment: str
    exchange: str
    phase: Phase
    next_word: str = ""
    next_at: datetime | None = None


def state(
    calendar: MarketCalendar,
    segment: str,
    exchange: str,
    now: datetime,
    square_off: time | None = None,
) -> MarketState:
    """The state of one segment at ``now`` (aware). ``square_off`` is when intraday positions are
    closed on a regular day, IST; it moves with the close of a special one."""
    local = now.astimezone(IST)
    windows = calendar.windows(exchange, local.date())
    window = next((one for one in windows if local < one[1]), None)  # the running one or the next
    if window is not None and local < window[0]:
        early = window[0] - PRE_OPEN.get(exchange, timedelta())
        phase = Phase.PRE_OPEN if early <= local else Phase.CLOSED
        return MarketState(segment, exchange, phase, "opens", window[0])
    if window is not None:
        if square_off is not None:
            at = calendar.to_close(exchange, local.date(), square_off)
            if local < at < window[1]:
                return MarketState(segment, exchange, Phase.OPEN, "square-off", at)
        return MarketState(segment, exchange, Phase.OPEN, "closes", window[1])
    following = calendar.session(exchange, calendar.next_trading_day(local.date(), exchange))
    if following is None:
        return MarketState(segment, exchange, Phase.CLOSED)
    return MarketState(segment, exchange, Phase.CLOSED, "opens", following[0])


def countdown(until: datetime, now: datetime) -> str:
    """``01:12:07`` within a day, ``2 d 01:12`` beyond; never negative."""
    seconds = max(0, int((until - now).total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest // 60 % 60
    return (
        f"{days} d {hours:02d}:{minutes:02d}"
        if days
        else (f"{hours:02d}:{minutes:02d}:{rest % 60:02d}")
    )
