"""Trading days and sessions of bars."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.sessions import (
    Sessions,
    always_open,
    day_numbers,
    day_of,
    month_numbers,
    number_of,
    week_numbers,
)
from openalgo_desktop.core.clock import IST


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp())


def test_bars_of_minutes_and_of_days_have_the_same_day() -> None:
    daily = int(datetime(2026, 3, 5, tzinfo=UTC).timestamp())
    times = np.array(
        [at("2026-03-05T09:15"), at("2026-03-05T23:54"), daily, at("2026-03-06T00:00")]
    )
    assert [day_of(int(n)) for n in day_numbers(times)] == [date(2026, 3, 5)] * 3 + [
        date(2026, 3, 6)
    ]


@pytest.mark.parametrize("text", ["2026-03-01", "2026-03-02", "2025-12-31", "2026-01-01"])
def test_weeks_begin_on_monday_and_months_with_their_first(text: str) -> None:
    day = date.fromisoformat(text)
    number = np.array([number_of(day), number_of(day) - 1])
    week, month = week_numbers(number), month_numbers(number)
    assert (week[0] != week[1]) == (day.weekday() == 0)
    assert (month[0] != month[1]) == (day.day == 1)
    assert month[0] == (day.year - 1970) * 12 + day.month - 1


def test_the_hours_are_those_of_the_calendar() -> None:
    calendar = MarketCalendar.from_json(resource_text("calendar/holidays.json"))
    nse, mcx = Sessions.of(calendar, "NSE"), Sessions.of(calendar, "MCX")
    thursday, saturday = number_of(date(2026, 3, 5)), number_of(date(2026, 3, 7))
    assert nse.window(thursday) == (at("2026-03-05T09:15"), at("2026-03-05T15:30"))
    assert mcx.opens(thursday, 0) == at("2026-03-05T09:00")
    assert nse.window(saturday) is None
    # Bars of a day that is listed nowhere (the simulator's weekend) have the regular hours.
    assert nse.opens(saturday, 7) == at("2026-03-07T09:15")
    assert Sessions.of(calendar, "").opens(saturday, 7) == 7
    assert nse.first_of(saturday, saturday + 2) is None
    assert nse.first_of(saturday, saturday + 7) == saturday + 2
    assert always_open().window(saturday) == (at("2026-03-07T00:00"), at("2026-03-08T00:00"))
