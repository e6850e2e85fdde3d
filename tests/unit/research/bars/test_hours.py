"""When bars are over where a market has no hours."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.research.bars.hours import DAY, Hours, ist_midnight

CALENDAR = MarketCalendar()
OPEN = Hours(CALENDAR, lambda: True)


def rhythm_of(text: str) -> Rhythm:
    return Rhythm(Span.parse(text), "NSE", CALENDAR)


def stepped(rhythm: Rhythm, start: int) -> int:
    """The plain form: day by day, until one belongs to another bar."""
    number = start // DAY + 1
    while rhythm.start(ist_midnight(number)) == start:
        number += 1
    return ist_midnight(number)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(18_000, 22_000),
    st.sampled_from(["D", "2D", "3D", "5D", "7D", "W", "3W", "M", "5M", "Q", "Y"]),
)
def test_a_bar_is_over_when_a_day_of_the_next_one_begins(day: int, text: str) -> None:
    rhythm = rhythm_of(text)
    start = rhythm.start(ist_midnight(day))
    assert OPEN.end("NSE", rhythm, start) == stepped(rhythm, start)


@pytest.mark.parametrize("text", ["D", "Y", "10Y", "2500D"])
def test_the_end_of_a_long_bar_is_not_looked_for_day_by_day(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rhythm = rhythm_of(text)
    start = rhythm.start(1_796_000_000)
    asked: list[float] = []
    monkeypatch.setattr(rhythm, "start", lambda moment: asked.append(moment) or start)
    assert OPEN.end("NSE", rhythm, start) > start and len(asked) < 2
