"""Stops that follow in steps, legs on the price of the underlying, stops moved to the entry."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.exits import ExitSpec, Offset, Steps, Target, Under, Unit
from openalgo_desktop.core.strategies.leg_rules import exit_spec, way_of
from openalgo_desktop.core.strategies.model import (
    Distance,
    DistanceUnit,
    LegRules,
    Trail,
    TrailMode,
)
from tests.unit.core.test_exit_rules import d, plan

SL20 = Offset.of(20, Unit.POINTS)


def steps(x: float, y: float, *, stepped: bool = True, stop: Offset | None = SL20) -> ExitSpec:
    made = Steps(Offset.of(x, Unit.POINTS), Offset.of(y, Unit.POINTS), stepped)
    return ExitSpec(stop=stop, steps=made)


@pytest.mark.parametrize(
    ("spec", "side", "prices", "stop"),
    [
        # stop 780; every 10 won moves it by 5
        (steps(10, 5), 1, (805, 809.95), 780),
        (steps(10, 5), 1, (810,), 785),
        (steps(10, 5), 1, (835, 811), 795),  # three steps, and it does not come back
        (steps(10, 5), -1, (789.9,), 815),
        (steps(10, 5), -1, (765, 799), 805),
        # from 10 won on, 6 behind the best
        (steps(10, 6, stepped=False), 1, (809,), 780),
        (steps(10, 6, stepped=False), 1, (812, 809), 806),
        (steps(10, 6, stepped=False), -1, (788,), 794),
        # one step of 60 would lie beyond the best price
        (steps(10, 60), 1, (812,), 812),
    ],
)
def test_a_stop_that_follows_in_steps(
    spec: ExitSpec, side: int, prices: tuple[float, ...], stop: float
):
    made = plan(spec, side=side)
    for price in prices:
        made, _ = rules.look(made, d(price))
    assert made.stop_at == d(stop)


def test_a_step_to_the_price_itself_closes_at_once():
    """The stop is moved before it is tested."""
    made, due = rules.look(plan(steps(10, 60)), d(812))
    assert due is not None and (due.leg, due.left) == ("stop", 0)
    assert rules.armed(made)


def test_it_is_armed_by_the_best_price_and_stays_so():
    made, _ = rules.look(plan(steps(10, 5)), d(811))
    made, due = rules.look(made, d(801))
    assert rules.armed(made) and due is None and made.stop_at == 785
    assert not rules.armed(plan(steps(10, 5)))


def test_without_a_stop_a_continuous_one_has_no_stop_until_it_is_armed():
    made = plan(steps(10, 6, stepped=False, stop=None))
    made, due = rules.look(made, d(700))
    assert (made.stop_at, due) == (None, None)
    made, _ = rules.look(made, d(815))
    assert made.stop_at == 809


def test_the_band_lets_every_better_price_through():
    made, _ = rules.look(plan(steps(10, 5)), d(805))
    low, high = rules.band(made)
    assert (low, high) == (780, 805)


def test_legs_on_the_price_of_the_underlying():
    """A long put wins when the underlying falls."""
    spec = ExitSpec(
        under=Under("NSE_INDEX", "NIFTY", -1, d(25000), Offset.of(50, Unit.POINTS),
                    Offset.of(1, Unit.PERCENT)),
    )  # fmt: skip
    made = plan(spec)
    assert rules.look(made, d(1)) == (made, None)  # its own price reaches nothing
    assert rules.look_under(made, d(25049)) is None
    stop = rules.look_under(made, d(25050))
    target = rules.look_under(made, d(24750))
    assert stop is not None and (stop.leg, stop.left) == ("stop", 0)
    assert target is not None and (target.leg, target.left) == ("target", 0)


@pytest.mark.parametrize(
    ("at", "price", "stop"),
    [
        (780, 810, 800),  # nearer than it was
        (805, 810, None),  # would loosen it
        (780, 799, None),  # is through the market already
        (780, None, None),
    ],
)
def test_a_stop_goes_to_the_entry(at: float, price: float | None, stop: float | None):
    made = plan(ExitSpec(stop=Offset.of(at)))
    moved = rules.to_entry(made, None if price is None else d(price))
    assert (None if moved is None else moved.stop_at) == stop
    if moved is not None:
        assert rules.placed(moved).stop_at == stop  # and stays there


def test_the_rules_of_a_leg_are_an_exit_plan():
    rows = LegRules(
        sl=Distance(d(20)),
        target=Distance(d(5), DistanceUnit.PERCENT),
        trail=Trail(d(10), d(4), mode=TrailMode.CONTINUOUS),
    )
    spec = exit_spec(rows)
    assert spec.stop == SL20
    assert spec.targets == (Target(Offset.of(5, Unit.PERCENT)),)
    assert spec.steps == steps(10, 4, stepped=False).steps and spec.under is None
    under = LegRules(sl=Distance(d(40), DistanceUnit.UNDERLYING_POINTS), target=Distance(d(30)))
    key = ("NSE_INDEX", "NIFTY")
    spec = exit_spec(under, underlying=(key, d(25000)), way=way_of(-1, "PE"))
    assert spec.under == Under(*key, 1, Decimal(25000), Offset.of(40, Unit.POINTS), None)
    assert spec.stop is None and spec.targets == (Target(Offset.of(30, Unit.POINTS)),)
    assert exit_spec(LegRules()).empty
