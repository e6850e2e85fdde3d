"""What a price does to an alert."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from openalgo_desktop.core import alert_judge as judge
from openalgo_desktop.core import alerts as rules
from openalgo_desktop.core.alert_checks import check
from openalgo_desktop.core.alerts import AlertState, AlertWhen, AlertWish, PriceAlert
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import InvalidOrder

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=IST)


def alert(when: AlertWhen, level: str = "800", *, again: bool = False) -> PriceAlert:
    return PriceAlert("1", AlertWish("NSE", "SBIN", when, Decimal(level), again), NOW)


def told(row: PriceAlert, *values: str, apart: float = 0.0) -> tuple[list[str], PriceAlert]:
    """The values at which it tells."""
    found, now = [], NOW
    for value in values:
        now += timedelta(seconds=apart)
        before = row
        row, tells = judge.look(row, judge.plain(row.wish, Decimal(value)), now)
        low, high = judge.calm(before)
        assert row is before or not low < Decimal(value) < high  # calm never hides news
        if tells:
            found.append(value)
    return found, row


@pytest.mark.parametrize(
    ("when", "values", "at"),
    [
        (AlertWhen.ABOVE, ("799.95", "800", "801", "799", "805"), "800"),
        (AlertWhen.BELOW, ("800.05", "790", "801", "780"), "790"),
        (AlertWhen.CROSSES, ("790", "799.95", "800.05", "790"), "800.05"),
        (AlertWhen.CROSSES, ("810", "800", "790"), "800"),
        (AlertWhen.DAY_ABOVE, ("799", "800"), "800"),
        (AlertWhen.DAY_BELOW, ("801", "800"), "800"),
    ],
)
def test_once_tells_once_also_through_a_gap(when: AlertWhen, values: tuple[str, ...], at: str):
    found, row = told(alert(when), *values, apart=100)
    assert found == [at]
    assert (row.state, row.count, row.fired_value) == (AlertState.FIRED, 1, Decimal(at))


def test_a_cross_needs_a_side_that_was_seen():
    assert told(alert(AlertWhen.CROSSES), "810", "811")[0] == []
    assert told(alert(AlertWhen.CROSSES), "800", "790")[0] == []  # it began at the level


def test_again_needs_the_condition_false_in_between_and_a_minute():
    row = alert(AlertWhen.ABOVE, again=True)
    assert told(row, "800", "801", "802", apart=100)[0] == ["800"]
    found, after = told(row, "800", "799", "801", apart=100)
    assert (found, after.state, after.count) == (["800", "801"], AlertState.ACTIVE, 2)
    assert told(row, "800", "799", "800", "799", "800", apart=1)[0] == ["800"]
    crossing = alert(AlertWhen.CROSSES, again=True)
    assert told(crossing, "790", "810", "790", apart=100)[0] == ["810", "790"]


@pytest.mark.parametrize("state", [AlertState.PAUSED, AlertState.FIRED, AlertState.EXPIRED])
def test_what_is_not_active_hears_nothing(state: AlertState):
    row = msgspec.structs.replace(alert(AlertWhen.ABOVE), state=state)
    assert judge.look(row, judge.plain(row.wish, Decimal(900)), NOW) == (row, False)


def test_another_wish_waits_anew():
    _, row = told(alert(AlertWhen.ABOVE), "800")
    after = rules.changed(row, alert(AlertWhen.ABOVE, "810").wish)
    assert (after.is_active, after.armed, after.fired_at, after.count) == (True, True, None, 0)


def test_day_change_and_its_unknown_close():
    assert judge.day_change(Decimal(102), Decimal(100)) == 2
    assert judge.day_change(Decimal(102), Decimal(0)) is None


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal(0)), "level"),
        (AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal("NaN")), "level"),
        (AlertWish("NSE", "SBIN", AlertWhen.DAY_ABOVE, Decimal(5000)), "level"),
        (AlertWish("NSE", "SBIN", AlertWhen.BELOW, Decimal(1), expires=date(2026, 11, 29)),
         "expires"),
        (AlertWish("NSE", "SBIN", AlertWhen.BELOW, Decimal(1), note="x" * 121), "note"),
    ],
)  # fmt: skip
def test_a_bad_wish_names_its_field(wish: AlertWish, field: str):
    with pytest.raises(InvalidOrder) as refused:
        check(wish, NOW)
    assert refused.value.field == field
    check(AlertWish("NSE", "SBIN", AlertWhen.DAY_BELOW, Decimal(-2)), NOW)
