"""Sessions and holidays."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import (
    MarketCalendar,
    days_of_file,
    own_holidays,
    own_sessions,
)
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError


@pytest.fixture(scope="module")
def calendar() -> MarketCalendar:
    return MarketCalendar.from_json(resource_text("calendar/holidays.json"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def test_regular_day(calendar: MarketCalendar) -> None:
    day = date(2026, 11, 20)
    assert calendar.is_trading_day(day)
    assert calendar.session("NSE", day) == (at("2026-11-20T09:15"), at("2026-11-20T15:30"))
    assert calendar.session("NFO", day) == (at("2026-11-20T09:15"), at("2026-11-20T15:40"))
    assert calendar.session("NSE_INDEX", day) == calendar.session("NSE", day)
    names = [name for name, _, _ in calendar.timings(day)]
    assert names == ["NSE", "BSE", "NFO", "BFO", "MCX", "BCD", "CDS", "NCO", "CRYPTO"]
    assert int(calendar.timings(day)[0][1].timestamp() * 1000) == 1795146300000


@pytest.mark.parametrize(
    ("moment", "closed"),
    [
        ("2026-11-20T10:00", False),
        ("2026-11-20T23:54", False),  # commodities
        ("2026-11-20T23:55", True),
        ("2026-11-21T10:00", True),  # Saturday; what never closes is not asked
    ],
)
def test_all_closed(calendar: MarketCalendar, moment: str, closed: bool) -> None:
    assert calendar.all_closed(at(moment)) is closed


def test_weekend_and_holidays(calendar: MarketCalendar) -> None:
    assert calendar.session("NSE", date(2026, 11, 22)) is None
    assert [name for name, _, _ in calendar.timings(date(2026, 11, 22))] == ["CRYPTO"]
    assert calendar.timings(date(2026, 1, 26)) == []
    partial = calendar.timings(date(2026, 3, 3))
    assert [name for name, _, _ in partial] == ["MCX"]
    assert int(partial[0][1].timestamp() * 1000) == 1772537400000


def test_muhurat_trades_but_is_no_trading_day(calendar: MarketCalendar) -> None:
    day = date(2026, 11, 8)
    assert not calendar.is_trading_day(day)
    assert calendar.is_open("NSE", at("2026-11-08T18:30"))
    assert not calendar.is_open("NSE", at("2026-11-08T11:00"))
    assert [name for name, _, _ in calendar.timings(day)][:2] == ["NSE", "BSE"]


def test_steps_over_holidays(calendar: MarketCalendar) -> None:
    # Tuesday 24 November 2026 is a holiday.
    assert calendar.previous_trading_day(date(2026, 11, 24)) == date(2026, 11, 23)
    assert calendar.next_trading_day(date(2026, 11, 23)) == date(2026, 11, 25)
    assert calendar.next_trading_day(date(2026, 11, 20)) == date(2026, 11, 23)


def test_open_is_inclusive_and_close_exclusive(calendar: MarketCalendar) -> None:
    assert calendar.is_open("NSE", at("2026-11-20T09:15"))
    assert not calendar.is_open("NSE", at("2026-11-20T15:30"))


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_each_year_has_holidays_in_order(calendar: MarketCalendar, year: int) -> None:
    days = [holiday.date for holiday in calendar.holidays(year)]
    assert len(days) >= 9
    assert days == sorted(set(days))


def test_a_broken_file_is_named() -> None:
    with pytest.raises(ConfigError, match="holiday calendar"):
        MarketCalendar.from_json("{}")


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_budget_days_were_full_sessions(calendar: MarketCalendar, year: int) -> None:
    day = date(year, 2, 1)
    assert day.weekday() >= 5
    assert calendar.is_trading_day(day)
    assert calendar.session("NSE", day) == (at(f"{day}T09:15"), at(f"{day}T15:30"))
    assert calendar.session("MCX", day) == (at(f"{day}T09:00"), at(f"{day}T17:00"))
    assert calendar.session("CDS", day) is None
    assert calendar.next_trading_day(date(year, 1, 31)) == day


def test_times_follow_the_session_of_the_day(calendar: MarketCalendar) -> None:
    regular, muhurat, evening = date(2026, 11, 20), date(2026, 11, 8), date(2026, 3, 3)
    assert calendar.to_close("NSE", regular, time(15, 15)) == at("2026-11-20T15:15")
    assert calendar.from_open("NSE", regular, time(9, 30)) == at("2026-11-20T09:30")
    opening, close = calendar.session("NSE", muhurat) or (None, None)
    assert opening is not None and close is not None
    assert close - calendar.to_close("NSE", muhurat, time(15, 15)) == timedelta(minutes=15)
    assert calendar.from_open("NSE", muhurat, time(9, 30)) - opening == timedelta(minutes=15)
    assert calendar.to_close("NSE", muhurat, time(10, 0)) == opening  # not before it opens
    assert calendar.to_close("MCX", evening, time(23, 30)) == at("2026-03-03T23:30")
    assert calendar.from_open("MCX", evening, time(9, 0)) == at("2026-03-03T17:00")
    closed = date(2026, 11, 22)
    assert calendar.to_close("NSE", closed, time(15, 15)) == at("2026-11-22T15:15")


def test_own_days_stand_above_the_listed_ones() -> None:
    calendar = MarketCalendar.from_json(resource_text("calendar/holidays.json"))
    calendar.amend(
        own_holidays("2026-11-20; 2026-11-23 NSE,BSE")
        + own_sessions("2026-11-21 NSE BSE 09:15-12:30; 2026-11-25 nse 10:00-11:00")
        + own_sessions("2026-11-24 NSE 18:00-19:00")
    )
    assert calendar.session("NSE", date(2026, 11, 20)) is None
    assert calendar.session("MCX", date(2026, 11, 20)) is None
    assert calendar.session("NSE", date(2026, 11, 23)) is None
    assert calendar.session("MCX", date(2026, 11, 23)) is not None
    saturday = date(2026, 11, 21)
    assert calendar.session("NSE", saturday) == (at("2026-11-21T09:15"), at("2026-11-21T12:30"))
    assert calendar.session("NFO", saturday) is None
    assert calendar.is_trading_day(saturday)
    short = date(2026, 11, 25)
    assert calendar.session("NSE", short) == (at("2026-11-25T10:00"), at("2026-11-25T11:00"))
    assert calendar.session("NFO", short) == (at("2026-11-25T09:15"), at("2026-11-25T15:40"))
    assert not calendar.is_trading_day(short)
    assert ("NFO", *(calendar.session("NFO", short) or ())) in calendar.timings(short)
    holiday = date(2026, 11, 24)  # what is listed for the others stays
    assert calendar.session("NSE", holiday) == (at("2026-11-24T18:00"), at("2026-11-24T19:00"))
    assert calendar.session("BSE", holiday) is None
    calendar.amend([])
    assert calendar.is_trading_day(date(2026, 11, 20))


def test_a_saturday_of_two_sessions_has_both_and_the_pause_between() -> None:
    calendar, day = MarketCalendar(), date(2026, 11, 21)
    calendar.amend(own_sessions("2026-11-21 NSE 11:30-12:30; 2026-11-21 NSE NFO 09:15-10:00"))
    first = (at("2026-11-21T09:15"), at("2026-11-21T10:00"))
    second = (at("2026-11-21T11:30"), at("2026-11-21T12:30"))
    assert list(calendar.windows("NSE", day)) == [first, second]
    assert calendar.session("NSE", day) == (first[0], second[1])
    assert list(calendar.windows("NFO", day)) == [first]
    moments = ("09:14", "09:15", "09:59", "10:00", "11:29", "11:30", "12:29", "12:30")
    opened = [text for text in moments if calendar.is_open("NSE", at(f"2026-11-21T{text}"))]
    assert opened == ["09:15", "09:59", "11:30", "12:29"]
    assert not calendar.is_trading_day(day)
    assert calendar.to_close("NSE", day, time(15, 15)) == at("2026-11-21T12:15")
    rows = [row for row in calendar.timings(day) if row[0] in ("NSE", "NFO")]
    assert rows == [("NSE", *first), ("NSE", *second), ("NFO", *first)]


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (own_holidays, "20-11-2026", "begin with the date"),
        (own_holidays, "2026-11-20 NYSE", "exchange NYSE"),
        (own_sessions, "2026-11-21 09:15-15:30", "write it like"),
        (own_sessions, "2026-11-21 NSE", "write it like"),
        (own_sessions, "2026-11-21 NSE 9-15", "write it like"),
        (days_of_file, '{"holidays": [{"date": "2026-11-20"}]}', "description"),
        (
            days_of_file,
            '{"holidays": [{"date": "2026-11-20", "description": "x", "holiday_type": "x",'
            ' "open": [["NSE", "9h", "10h"]]}]}',
            "cannot be read",
        ),
    ],
)
def test_what_a_user_writes_wrongly_is_named(read: Any, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read(text)
