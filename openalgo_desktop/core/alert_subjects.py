"""What an alert may look at beside prices, studies and drawings. Pure words; where the values come
from is the business of :mod:`openalgo_desktop.automation.alerts`.

Sandbox and live are never mixed up: what is of orders and positions names one mode, and of results
one account.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import InvalidOrder

#: A time that is read again has its zone.
Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
#: Minutes that a moment may lie from the opening or the close.
MAX_MINUTES = 720
#: So many days ahead the next session is looked for.
_AHEAD = 400


class OfCombination(msgspec.Struct, frozen=True, tag="combination"):
    """The price of another symbol, or of several in one formula as the charts take it:
    ``NSE:INFY``, ``NSE:SBIN / NSE:HDFCBANK``. Rupees, or a plain number for a ratio. It is known
    while each of its symbols has a fresh price."""

    formula: str


class Figure(StrEnum):
    """Figures of an option, of one unit."""

    DELTA = "delta"
    GAMMA = "gamma"
    THETA = "theta"  # rupees a calendar day
    VEGA = "vega"  # rupees for one point of volatility
    IV = "iv"  # per cent


class OfGreek(msgspec.Struct, frozen=True, tag="greek"):
    """A figure of the alert's own instrument, an option: Black-76 at the last prices, rate 0, as
    the option chain shows it."""

    figure: Figure


class ResultOf(StrEnum):
    """Whose result of the day."""

    ACCOUNT = "account"
    SYMBOL = "symbol"  # the alert's own instrument, all products
    STRATEGY = "strategy"


class OfResult(msgspec.Struct, frozen=True, tag="result"):
    """Today's profit or loss in rupees, realised and open, gross, of one account in one mode.
    ``strategy`` is the name of the strategy where it is one's."""

    mode: Mode
    account: str
    of: ResultOf = ResultOf.ACCOUNT
    strategy: str = ""


class Edge(StrEnum):
    """An end of the session."""

    OPEN = "open"
    CLOSE = "close"


class OfTime(msgspec.Struct, frozen=True, tag="time"):
    """A moment: ``at`` once; or each trading day of ``calendar`` (an exchange) at ``daily`` (IST),
    or ``minutes`` from an ``edge`` of its session (before it below 0)."""

    at: Moment | None = None
    daily: time | None = None
    edge: Edge | None = None
    minutes: int = 0
    calendar: str = "NSE"


class OrderNews(StrEnum):
    """What becomes of an order."""

    FILLED = "filled"  # whole
    REJECTED = "rejected"  # by the exchange, the broker, or refused here
    CANCELLED = "cancelled"
    TRIGGERED = "triggered"  # a stop order became active


class OfOrders(msgspec.Struct, frozen=True, tag="orders"):
    """Orders of one mode: those of the alert's own instrument where it names one, of ``strategy``
    where that is given, of ``account`` where that is."""

    mode: Mode
    news: tuple[OrderNews, ...] = (OrderNews.FILLED,)
    strategy: str = ""
    account: str = ""


def check_time(source: OfTime) -> None:
    """Raises :class:`InvalidOrder` where it names no moment, or several."""
    if sum(part is not None for part in (source.at, source.daily, source.edge)) != 1:
        raise InvalidOrder(
            "Time: give one moment, or a time of each trading day, or a distance from the opening "
            "or the close.",
            field="subject",
        )
    if abs(source.minutes) > MAX_MINUTES:
        raise InvalidOrder(f"Time: at most {MAX_MINUTES} minutes from there.", field="subject")


def check_orders(source: OfOrders) -> None:
    """Raises :class:`InvalidOrder` where it waits for nothing."""
    if not source.news:
        raise InvalidOrder("Orders: choose at least one event.", field="subject")


def check_result(source: OfResult) -> None:
    """Raises :class:`InvalidOrder` where it does not say whose result."""
    if not source.account:
        raise InvalidOrder("P&L: say of which account.", field="subject")
    if (source.of is ResultOf.STRATEGY) is not bool(source.strategy):
        raise InvalidOrder("P&L: give the name of the strategy where it is one's.", field="subject")


def next_moment(source: OfTime, calendar: MarketCalendar, after: datetime) -> datetime | None:
    """The first moment later than ``after``; None when there is none."""
    if source.at is not None:
        return source.at if source.at > after else None
    first = after.astimezone(IST).date()
    for ahead in range(_AHEAD):
        moment = _on(source, calendar, first + timedelta(days=ahead))
        if moment is not None and moment > after:
            return moment
    return None


def _on(source: OfTime, calendar: MarketCalendar, day: date) -> datetime | None:
    session = calendar.session(source.calendar, day)
    if session is None:
        return None
    if source.daily is not None:
        return datetime.combine(day, source.daily, IST)
    edge = session[0] if source.edge is Edge.OPEN else session[1]
    return edge + timedelta(minutes=source.minutes)


def _minutes(source: OfTime) -> str:
    where = "the opening" if source.edge is Edge.OPEN else "the close"
    if not source.minutes:
        return f"at {where}"
    side = "after" if source.minutes > 0 else "before"
    return f"{abs(source.minutes)} min {side} {where}"


def time_words(source: OfTime) -> str:
    """``at 09:20 on trading days of NSE``, ``15 min before the close of NSE``."""
    if source.at is not None:
        return f"on {source.at.astimezone(IST):%d %b %Y at %H:%M}"
    if source.daily is not None:
        return f"at {source.daily:%H:%M} on trading days of {source.calendar}"
    return f"{_minutes(source)} of {source.calendar}"


def result_words(source: OfResult, symbol: str) -> str:
    """``Day P&L of the account (sandbox)``, ``P&L of SBIN (live)``."""
    whose = {
        ResultOf.ACCOUNT: "Day P&L of the account",
        ResultOf.SYMBOL: f"Day P&L of {symbol}",
        ResultOf.STRATEGY: f"Day P&L of strategy {source.strategy}",
    }
    return f"{whose[source.of]} ({source.mode.value})"


def orders_words(source: OfOrders, symbol: str) -> str:
    """``an order is filled or rejected (SBIN, strategy ORB, live)``."""
    about = [symbol, f"strategy {source.strategy}" if source.strategy else "", source.account]
    about = [part for part in about if part] + [source.mode.value]
    return f"an order is {' or '.join(source.news)} ({', '.join(about)})"


FIGURE_WORDS = {
    Figure.DELTA: "Delta",
    Figure.GAMMA: "Gamma",
    Figure.THETA: "Theta",
    Figure.VEGA: "Vega",
    Figure.IV: "IV",
}
