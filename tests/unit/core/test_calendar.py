"""Sessions and holidays."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.resources import resource_text


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
