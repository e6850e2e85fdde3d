"""What values do to alerts on lines, channels and moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from math import nan

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.alert_checks import check
from openalgo_desktop.core.alert_judge import INSIDE, Sight, calm, look, plain, rise
from openalgo_desktop.core.alerts import (
    PRICE,
    AlertState,
    AlertTrigger,
    AlertWhen,
    AlertWish,
    OfDrawing,
    OfStudy,
    PriceAlert,
    study_of,
)
from openalgo_desktop.core.charting.studies import StudyWish
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import InvalidOrder

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=IST)
LINES = st.integers(-3, 3).map(float)


def alert(when: AlertWhen, *, level: str = "2", again: bool = True) -> PriceAlert:
    return PriceAlert("1", AlertWish("NSE", "SBIN", when, Decimal(level), again), NOW)


def tells(row: PriceAlert, *sights: Sight) -> list[int]:
    """Numbers of the sights at which it tells; each is a bar of its own."""
    found, now = [], NOW
    for number, sight in enumerate(sights):
        now += timedelta(minutes=5)
        row, told = look(row, sight, now, bar=now)
        if told:
            found.append(number)
    return found


@pytest.mark.parametrize(
    ("when", "expected"),
    [(AlertWhen.CROSSES, [1, 3]), (AlertWhen.CROSSES_UP, [1]), (AlertWhen.CROSSES_DOWN, [3])],
)
def test_a_line_that_moves_is_crossed_as_it_is_then(when: AlertWhen, expected: list[int]):
    sights = (Sight(10, 11), Sight(10, 9), Sight(12, 11), Sight(12, 13), Sight(12, 14))
    assert tells(alert(when), *sights) == expected


def test_a_channel_is_entered_and_left_from_where_it_was_seen():
    path = [Sight(value, 10, 20) for value in (5, 10, 15, 21, 25, 5, 20)]
    assert tells(alert(AlertWhen.ENTERS), *path) == [1, 6]
    assert tells(alert(AlertWhen.LEAVES), *path) == [3]
    turned = [Sight(s.value, s.upper, s.line) for s in path]
    assert tells(alert(AlertWhen.ENTERS), *turned) == [1, 6]


def test_moves_count_from_the_lowest_and_the_highest():
    up, down, both = (alert(w) for w in (AlertWhen.RISES, AlertWhen.FALLS, AlertWhen.MOVES))
    rising, falling, still = Sight(102, 100, 103), Sight(98, 97, 100), Sight(101, 100, 102)
    assert [tells(row, still, rising) for row in (up, down, both)] == [[1], [], [1]]
    assert [tells(row, still, falling) for row in (up, down, both)] == [[], [1], [1]]
    assert tells(up, Sight(5, -1, 5), Sight(5, 0, 5)) == []  # no per cent of what is not above 0
    assert rise(102.3, 100) == 2.3


@given(st.sampled_from(AlertWhen), st.lists(st.tuples(LINES, LINES, LINES), max_size=12))
@settings(max_examples=60, deadline=None)
def test_an_unknown_value_decides_nothing_wherever_it_comes(
    when: AlertWhen, rows: list[tuple[float, float, float]]
):
    known = [Sight(*row) for row in rows]
    holes = [row for sight in known for row in (sight, Sight(nan, *sight[1:]), Sight(1, nan, 1))]
    row, after = alert(when), alert(when)
    for sight in known:
        row, _ = look(row, sight, NOW)
    for sight in holes:
        after, _ = look(after, sight, NOW)
    assert (after.side, after.armed, after.count) == (row.side, row.armed, row.count)


@given(st.sampled_from(AlertWhen), st.lists(st.integers(0, 6), min_size=1, max_size=20))
@settings(max_examples=80, deadline=None)
def test_calm_never_hides_news(when: AlertWhen, prices: list[int]):
    if when.of_move:
        return
    wish = AlertWish("NSE", "SBIN", when, Decimal(2), again=True, upper=Decimal(4))
    row = PriceAlert("1", wish, NOW)
    for price in map(Decimal, prices):
        after, _ = look(row, plain(wish, price), NOW)
        low, high = calm(row)
        assert after is row or not low < price < high
        row = after


@given(st.lists(st.integers(0, 4), min_size=2, max_size=20))
@settings(max_examples=60, deadline=None)
def test_up_and_down_together_are_crosses(prices: list[int]):
    """Of a line that was never touched exactly at the first sight."""
    sights = [Sight(price, 2) for price in prices]
    up, down = (tells(alert(w), *sights) for w in (AlertWhen.CROSSES_UP, AlertWhen.CROSSES_DOWN))
    assert sorted(up + down) == tells(alert(AlertWhen.CROSSES), *sights)


def test_once_in_a_bar():
    row, when = alert(AlertWhen.CROSSES), NOW
    told = []
    for second, value in enumerate((1, 3, 1, 3)):
        row, tell = look(row, Sight(value, 2), when + timedelta(seconds=second), bar=when)
        told.append(tell)
    assert told == [False, True, False, False]
    later = when + timedelta(seconds=10)
    row, tell = look(row, Sight(1, 2), later, bar=later)
    assert tell and row.count == 2 and row.side == -1


def test_inside_is_a_place_of_its_own():
    row, _ = look(alert(AlertWhen.LEAVES), Sight(15, 10, 20), NOW)
    assert row.side == INSIDE
    after, told = look(msgspec.structs.replace(row, state=AlertState.PAUSED), Sight(5, 10, 20), NOW)
    assert not told and after.side == INSIDE


STUDY = OfStudy("rsi", "rsi", {"length": 14})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": STUDY}, "span"),
        ({"trigger": AlertTrigger.CLOSE}, "span"),
        ({"subject": STUDY, "span": "99h"}, "span"),
        ({"when": AlertWhen.RISES, "span": "5m"}, "bars"),
        ({"when": AlertWhen.RISES, "span": "5m", "bars": 3, "level": Decimal(-1)}, "level"),
        ({"when": AlertWhen.RISES, "span": "5m", "bars": 3, "against": PRICE}, "level"),
        ({"when": AlertWhen.ENTERS}, "upper"),
        ({"when": AlertWhen.ENTERS, "upper": Decimal(800)}, "upper"),
        ({"when": AlertWhen.DAY_ABOVE, "subject": STUDY, "span": "5m"}, "when"),
        ({"message": "x" * 501}, "message"),
        ({"channels": ()}, "channels"),
        ({"until": NOW.time()}, "expires"),
        ({"expires": NOW.date(), "until": NOW.time()}, "expires"),
    ],
)
def test_a_bad_wish_names_its_field(change: dict[str, object], field: str):
    wish = AlertWish("NSE", "SBIN", AlertWhen.CROSSES, Decimal(800))
    check(wish, NOW)
    with pytest.raises(InvalidOrder) as refused:
        check(msgspec.structs.replace(wish, **change), NOW)
    assert refused.value.field == field


def test_what_is_plain_and_what_has_a_line_on_the_chart():
    wish, replace = (
        AlertWish("NSE", "SBIN", AlertWhen.CROSSES, Decimal(800)),
        msgspec.structs.replace,
    )
    assert wish.is_plain and wish.of_level
    assert not replace(wish, subject=STUDY, span="5m").is_plain
    close = replace(wish, trigger=AlertTrigger.CLOSE, span="5m")
    assert not close.is_plain and close.of_level
    line = replace(wish, against=OfDrawing("d1"))
    assert not line.is_plain and not line.of_level and line.drawings == (OfDrawing("d1"),)
    assert replace(wish, when=AlertWhen.ENTERS, upper=Decimal(900)).is_plain


def test_a_study_of_a_chart_is_taken_with_what_it_stands_on():
    rsi = StudyWish("s1", "rsi", {"length": 9})
    top = StudyWish("s2", "sma", {"length": 3, "source": "s1.rsi"})
    assert study_of(top, "average", [rsi, top]) == OfStudy(
        "sma", "average", {"length": 3}, {"source": OfStudy("rsi", "rsi", {"length": 9})}
    )
    circle = StudyWish("s1", "rsi", {"source": "s2.average"})
    assert study_of(circle, "rsi", [circle, top]).inputs["source"].inputs == {}
