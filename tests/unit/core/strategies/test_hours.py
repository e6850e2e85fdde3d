"""The schedule of hosted programs: sessions, holidays, special sessions, expiries, late starts."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
import pytest

from openalgo_desktop.core.calendar import Holiday, MarketCalendar, Opening
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.hosted import AtWindowEnd, Hours, PausedBecause
from openalgo_desktop.core.strategies.hours import (
    checked_hours,
    ended_since,
    next_start,
    verdict,
)
from openalgo_desktop.core.strategies.restarts import DELAYS, PER_HOUR, delay

MONDAY, FRIDAY, SATURDAY = date(2026, 11, 2), date(2026, 11, 6), date(2026, 11, 7)
HOLIDAY = date(2026, 11, 10)  # NSE closed, MCX trades in the evening
CALENDAR = MarketCalendar(
    [
        Holiday(
            HOLIDAY,
            "Diwali",
            "TRADING_HOLIDAY",
            closed=("NSE", "NFO", "BSE"),
            open=(Opening("MCX", "17:00", "23:55"),),
        ),
        Holiday(
            date(2026, 11, 14),
            "Second site",
            "SPECIAL_SESSION",
            open=(Opening("NSE", "09:15", "10:00"), Opening("NSE", "11:30", "12:30")),
        ),
    ]
)
WORKDAYS = Hours(enabled=True, windows=(("09:00", "15:15"),))


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, datetime.strptime(clock, "%H:%M").time(), IST)


def no_expiry(name: str) -> tuple[date, ...]:
    return (FRIDAY,) if name == "NIFTY" else ()


def says(hours: Hours, moment: datetime, exchange: str = "NSE") -> object:
    found = verdict(hours, exchange, CALENDAR, no_expiry, moment)
    return found.why if not found.runs else "runs"


@pytest.mark.parametrize(
    ("moment", "exchange", "wanted"),
    [
        (at(MONDAY, "09:14"), "NSE", PausedBecause.BEFORE_MARKET),  # the window, cut to the session
        (at(MONDAY, "09:15"), "NSE", "runs"),
        (at(MONDAY, "15:15"), "NSE", PausedBecause.AFTER_MARKET),
        (at(SATURDAY, "10:00"), "NSE", PausedBecause.WEEKEND),
        (at(HOLIDAY, "10:00"), "NSE", PausedBecause.HOLIDAY),
        (at(date(2026, 11, 14), "09:59"), "NSE", "runs"),  # a Saturday with sessions of its own
        (at(date(2026, 11, 14), "10:30"), "NSE", PausedBecause.BEFORE_MARKET),
        (at(date(2026, 11, 14), "11:30"), "NSE", "runs"),
    ],
)
def test_the_window_is_that_of_the_exchange(
    moment: datetime, exchange: str, wanted: object
) -> None:
    assert says(WORKDAYS, moment, exchange) == wanted


def test_mcx_runs_in_the_evening_of_a_holiday_of_nse() -> None:
    evening = msgspec.structs.replace(WORKDAYS, windows=(("09:00", "23:30"),))
    assert says(evening, at(HOLIDAY, "16:59"), "MCX") is PausedBecause.BEFORE_MARKET
    assert says(evening, at(HOLIDAY, "17:00"), "MCX") == "runs"
    assert says(evening, at(HOLIDAY, "17:00"), "NSE") is PausedBecause.HOLIDAY


def test_a_square_off_finds_the_market_open() -> None:
    whole = msgspec.structs.replace(WORKDAYS, windows=(("09:15", "15:30"),))
    assert says(whole, at(MONDAY, "15:29")) == "runs"
    early = msgspec.structs.replace(whole, at_end=AtWindowEnd.SQUARE_OFF)
    assert says(early, at(MONDAY, "15:27")) == "runs"
    assert says(early, at(MONDAY, "15:28")) is PausedBecause.AFTER_MARKET


def test_days_expiries_and_around_the_clock() -> None:
    mondays = msgspec.structs.replace(WORKDAYS, days=("MON",))
    assert says(mondays, at(MONDAY, "10:00")) == "runs"
    assert says(mondays, at(FRIDAY, "10:00")) is PausedBecause.NOT_ITS_DAY
    expiry = msgspec.structs.replace(WORKDAYS, expiry_only="NIFTY")
    assert says(expiry, at(FRIDAY, "10:00")) == "runs"
    assert says(expiry, at(MONDAY, "10:00")) is PausedBecause.NO_EXPIRY
    always = msgspec.structs.replace(WORKDAYS, all_day=True, days=())
    assert says(always, at(HOLIDAY, "03:00")) == "runs"


def test_two_windows_a_day_and_the_next_start() -> None:
    two = msgspec.structs.replace(WORKDAYS, windows=(("09:20", "11:00"), ("14:00", "15:00")))
    assert says(two, at(MONDAY, "12:00")) is PausedBecause.BEFORE_MARKET
    told = next_start(two, "NSE", CALENDAR, no_expiry, at(MONDAY, "12:00"))
    assert told == at(MONDAY, "14:00")
    told = next_start(two, "NSE", CALENDAR, no_expiry, at(FRIDAY, "15:00"))
    assert told == at(date(2026, 11, 9), "09:20")


def test_a_window_that_ended_pauses_what_ran_in_it_only() -> None:
    def ended(since: datetime, now: datetime) -> bool:
        return ended_since(WORKDAYS, "NSE", CALENDAR, no_expiry, since, now)

    assert ended(at(MONDAY, "09:15"), at(MONDAY, "15:15"))
    assert not ended(at(MONDAY, "09:15"), at(MONDAY, "15:14"))
    assert not ended(at(MONDAY, "20:00"), at(MONDAY, "21:00"))  # started by hand in the evening
    assert ended(at(MONDAY, "20:00"), at(date(2026, 11, 3), "15:20"))


@pytest.mark.parametrize(
    ("change", "exchange", "words"),
    [
        ({"days": ()}, "NSE", "days: a schedule without days"),
        ({"days": ("MON", "FUN")}, "NSE", "'FUN' is none of MON"),
        ({"windows": ()}, "NSE", "without a window"),
        ({"windows": (("9 Uhr", "10:00"),)}, "NSE", "like 09:15-15:30"),
        ({"windows": (("22:00", "02:00"),)}, "NSE", "ends before it starts"),
        ({"windows": (("16:00", "18:00"),)}, "NSE", "NSE trades 09:15-15:30"),
        ({"days": ("SUN",)}, "NSE", "would never run"),
        ({"expiry_only": "NIFTI"}, "NSE", "no expiry of 'NIFTI'"),
        ({"late_minutes": -1}, "NSE", "late_minutes"),
        ({}, "XNAS", "exchange: 'XNAS'"),
    ],
)
def test_a_schedule_that_never_runs_is_a_sentence(
    change: dict[str, object], exchange: str, words: str
) -> None:
    hours = msgspec.structs.replace(WORKDAYS, **change)
    with pytest.raises(ConfigError, match=words):
        checked_hours(hours, exchange, no_expiry, at(MONDAY, "08:00"))


def test_hours_are_kept_in_order() -> None:
    given = msgspec.structs.replace(
        WORKDAYS, days=("friday", "mon"), windows=(("14:00", "15:00"), ("9:20", "11:00"))
    )
    kept = checked_hours(given, "NSE", no_expiry, at(MONDAY, "08:00"))
    assert kept.days == ("MON", "FRI")
    assert kept.windows == (("09:20", "11:00"), ("14:00", "15:00"))


def test_restarts_wait_longer_and_end_in_a_loop() -> None:
    restarts: list[float] = []
    waits = []
    for at_ in range(100, 100 + PER_HOUR):
        wait = delay(restarts, float(at_), ran=2.0)
        assert wait is not None
        waits.append(wait)
        restarts.append(float(at_))
    assert waits == [*DELAYS, 120.0, 120.0]
    assert delay(restarts, 200.0, ran=2.0) is None
    assert delay(restarts, 200.0 + 3700, ran=2.0) == DELAYS[0]
    assert delay(restarts[:2], 200.0, ran=4000.0) == DELAYS[0]
