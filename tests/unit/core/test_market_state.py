"""What a market does and what comes next."""

from __future__ import annotations

from datetime import datetime, time
from functools import partial

from openalgo_desktop.core.calendar import Holiday, MarketCalendar, Opening
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.market_state import Phase, countdown, state

CALENDAR = MarketCalendar(
    [
        Holiday(datetime(2026, 11, 25).date(), "A feast", "TRADING_HOLIDAY", closed=("NSE", "MCX")),
        Holiday(
            datetime(2026, 11, 28).date(),
            "A Saturday session",
            "SPECIAL_SESSION",
            open=(Opening("NSE", "10:00", "11:00"),),
        ),
        Holiday(
            datetime(2026, 11, 21).date(),
            "The second site is tried",
            "SPECIAL_SESSION",
            open=(Opening("NSE", "09:15", "10:00"), Opening("NSE", "11:30", "12:30")),
        ),
    ]
)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=IST)


def cash(day: int, hour: int, minute: int) -> tuple[Phase, str, datetime | None]:
    """The cash market at a moment of November."""
    found = state(CALENDAR, "NSE", "NSE", at(day, hour, minute), time(15, 15))
    return found.phase, found.next_word, found.next_at


def test_a_day_of_the_cash_market() -> None:
    now = partial(cash, 24)
    assert now(8, 0) == (Phase.CLOSED, "opens", at(24, 9, 15))
    assert now(9, 1) == (Phase.PRE_OPEN, "opens", at(24, 9, 15))
    assert now(9, 15) == (Phase.OPEN, "square-off", at(24, 15, 15))
    assert now(15, 20) == (Phase.OPEN, "closes", at(24, 15, 30))
    # the 25th is a holiday
    assert now(15, 30) == (Phase.CLOSED, "opens", at(26, 9, 15))


def test_commodities_go_on_and_have_no_pre_open() -> None:
    found = state(CALENDAR, "MCX", "MCX", at(24, 8, 50))
    assert (found.phase, found.next_at) == (Phase.CLOSED, at(24, 9, 0))
    found = state(CALENDAR, "MCX", "MCX", at(24, 20))
    assert (found.phase, found.next_word) == (Phase.OPEN, "closes")
    assert found.next_at == at(24, 23, 55)


def test_a_special_session_counts_and_moves_the_square_off() -> None:
    found = state(CALENDAR, "NSE", "NSE", at(28, 10, 30), time(15, 15))
    assert (found.phase, found.next_word, found.next_at) == (
        Phase.OPEN,
        "square-off",
        at(28, 10, 45),
    )


def test_between_two_sessions_of_a_day_the_market_is_closed() -> None:
    now = partial(cash, 21)
    assert now(9, 30) == (Phase.OPEN, "closes", at(21, 10, 0))
    assert now(10, 0) == (Phase.CLOSED, "opens", at(21, 11, 30))
    assert now(11, 31) == (Phase.OPEN, "square-off", at(21, 12, 15))
    assert now(12, 20) == (Phase.OPEN, "closes", at(21, 12, 30))
    assert now(12, 30) == (Phase.CLOSED, "opens", at(23, 9, 15))


def test_countdown() -> None:
    assert countdown(at(24, 15, 30), at(24, 14, 17)) == "01:13:00"
    assert countdown(at(26, 9, 15), at(24, 9, 0)) == "2 d 00:15"
    assert countdown(at(24, 9), at(24, 10)) == "00:00:00"
