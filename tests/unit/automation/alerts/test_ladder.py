"""The ladder forgets nobody that a value may change, and moments follow the calendar."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.automation.alerts.ladder import RESTLESS, Ladder
from openalgo_desktop.core.alert_subjects import Edge, OfTime, next_moment
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST
from tests.costs import calls

BOUND = st.one_of(st.integers(0, 9).map(float), st.sampled_from((inf, -inf)))
STEPS = st.lists(
    st.tuples(st.integers(0, 5), st.one_of(st.none(), st.tuples(BOUND, BOUND))), max_size=40
)
KEY = ("NSE", "SBIN")


@given(STEPS, st.integers(0, 9).map(float))
@settings(max_examples=60, deadline=None)
def test_a_value_finds_exactly_those_that_it_leaves_the_calm_of(
    steps: list[tuple[int, tuple[float, float] | None]], value: float
):
    ladder, known = Ladder(), {}
    for number, calm in steps:
        if calm is None:
            ladder.drop(KEY, str(number))
            known.pop(str(number), None)
        else:
            ladder.put(KEY, str(number), calm)
            known[str(number)] = calm
    restless = {name for name, (low, high) in known.items() if not low < value < high}
    assert sorted(ladder.at(KEY, value)) == sorted(restless)
    low, high = ladder.calm.get(KEY, (-inf, inf))
    assert (low < value < high) is not bool(restless)
    assert (KEY in ladder) is bool(known)


def test_a_tick_costs_the_same_however_many_there_are():
    ladder, cost = Ladder(), {}
    rows = 0
    for count in (10, 10_000):
        for number in range(rows, count):
            ladder.put(KEY, f"a{number}", (-inf, 900.0 + number))
        rows = count
        cost[count] = calls(lambda: ladder.at(KEY, 900.5))
    assert cost[10] == cost[10_000]
    ladder.put(KEY, "new", RESTLESS)
    assert "new" in ladder.at(KEY, 1.0)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
    st.one_of(
        st.times().map(lambda at: OfTime(daily=at.replace(microsecond=0))),
        st.tuples(st.sampled_from(Edge), st.integers(-60, 60)).map(
            lambda row: OfTime(edge=row[0], minutes=row[1])
        ),
    ),
)
@settings(max_examples=60, deadline=None)
def test_the_next_moment_is_later_and_none_is_left_out(moment: datetime, source: OfTime):
    calendar, after = MarketCalendar(), moment.replace(tzinfo=IST)
    found = next_moment(source, calendar, after)
    assert found is not None and found > after
    session = calendar.session("NSE", found.date())
    assert session is not None
    day = after.date()
    while day < found.date():  # each session day before lies wholly behind
        if calendar.session("NSE", day) is not None:
            edge = next_moment(source, calendar, datetime.combine(day, time(0), IST))
            assert edge is not None and (edge <= after or edge.date() != day)
        day += timedelta(days=1)
