"""The combined rules of a run, number by number."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.strategies import run_rules as rules
from openalgo_desktop.core.strategies.model import Definition, LockMode, LockProfit
from openalgo_desktop.core.strategies.run_rules import Guard
from openalgo_desktop.core.strategies.words import EventKind, OrderKind, StopReason, StrategyKind

D = Decimal
_BARE = Definition(name="x", kind=StrategyKind.BATCH)


def wants(**fields: Any) -> Definition:
    return msgspec.structs.replace(_BARE, **fields)


def walk(d: Definition, *results: float) -> tuple[Guard, StopReason | None, list[EventKind]]:
    """The guard after these results, and what ended it."""
    guard, told = Guard(), []
    for result in results:
        found = rules.judge(d, guard, D(str(result)))
        guard = found.guard
        told += found.told
        if found.reason is not None:
            return guard, found.reason, told
    return guard, None, told


@pytest.mark.parametrize(
    ("fields", "results", "reason"),
    [
        ({"overall_sl": D(5000)}, (-4999.99,), None),
        ({"overall_sl": D(5000)}, (-5000,), StopReason.OVERALL_SL),
        ({"overall_target": D(3000)}, (2999, 3000), StopReason.OVERALL_TARGET),
        ({"daily_loss_limit": D(800)}, (-799,), None),
        ({"daily_loss_limit": D(800)}, (-800,), StopReason.DAILY_LOSS_LIMIT),
        # the combined stop stands before the daily loss
        ({"overall_sl": D(800), "daily_loss_limit": D(800)}, (-800,), StopReason.OVERALL_SL),
    ],
)
def test_a_limit_ends_a_run_where_it_is_reached(
    fields: dict[str, Any], results: tuple[float, ...], reason: StopReason | None
):
    assert walk(wants(**fields), *results)[1] is reason


def test_a_locked_profit():
    d = wants(lock_profit=LockProfit(LockMode.LOCK, D(1000), D(400)))
    assert walk(d, 999, 300)[0].floor is None
    guard, reason, told = walk(d, 1000, 3000, 401)
    assert (guard.floor, reason, told) == (400, None, [EventKind.LOCK_PROFIT_ARMED])
    assert walk(d, 1000, 400)[1] is StopReason.LOCK_PROFIT


def test_a_locked_profit_that_trails():
    d = wants(lock_profit=LockProfit(LockMode.LOCK_AND_TRAIL, D(1000), D(400), D(500)))
    guard, reason, told = walk(d, 1000)
    assert guard.floor == 500  # the peak less the step is above what was configured
    guard, reason, told = walk(d, 1000, 1800, 1301)
    assert (guard.floor, reason) == (1300, None)
    assert told == [EventKind.LOCK_PROFIT_ARMED, EventKind.LOCK_PROFIT_FLOOR_ADVANCED]
    assert walk(d, 1000, 1800, 1400, 1300)[1] is StopReason.LOCK_PROFIT


def test_lock_comes_before_the_stop_and_the_target():
    lock = LockProfit(LockMode.LOCK, D(100), D(100))
    d = wants(lock_profit=lock, overall_target=D(100))
    assert walk(d, 100)[1] is StopReason.LOCK_PROFIT


def test_after_stops_went_to_the_entries_the_combined_stop_is_over_and_the_target_not():
    d = wants(overall_sl=D(100), overall_target=D(100))
    guard = rules.without_stop(Guard())
    assert rules.judge(d, guard, D(-5000)).reason is None
    assert rules.judge(d, guard, D(100)).reason is StopReason.OVERALL_TARGET


def test_after_an_overall_re_entry_the_rules_count_from_there():
    d = wants(overall_sl=D(100))
    guard = rules.again(Guard(), D(-100))
    assert rules.judge(d, guard, D(-199)).reason is None
    assert rules.judge(d, guard, D(-200)).reason is StopReason.OVERALL_SL


def test_the_daily_loss_counts_all_runs_of_a_session():
    d = wants(daily_loss_limit=D(1000))
    guard = Guard(earlier=D(-700))
    assert rules.judge(d, guard, D(-299)).reason is None
    assert rules.judge(d, guard, D(-300)).reason is StopReason.DAILY_LOSS_LIMIT


def test_a_session_begins_at_three_and_a_run_that_goes_on_counts_anew():
    before = datetime(2026, 12, 1, 2, 59, tzinfo=IST)
    after = datetime(2026, 12, 1, 3, 0, tzinfo=IST)
    assert rules.session_start(before) == datetime(2026, 11, 30, 3, 0, tzinfo=IST)
    assert rules.session_start(after) == after
    guard = Guard(earlier=D(-700), session=rules.session_start(before))
    assert rules.new_session(guard, before, D(-250)) is guard
    guard = rules.new_session(guard, after, D(-250))
    assert rules.today(guard, D(-250)) == 0 and rules.today(guard, D(-300)) == -50


def test_peak_and_trough_are_remembered():
    guard, _, _ = walk(wants(), 10, -30, 25)
    assert (guard.peak, guard.trough) == (25, -30)


@pytest.mark.parametrize(
    ("leg", "trailed", "kind"),
    [
        ("stop", False, OrderKind.SL),
        ("stop", True, OrderKind.TRAIL),
        ("target 1", False, OrderKind.TARGET),
        ("target", True, OrderKind.TARGET),
        ("combined stop", False, OrderKind.OVERALL_SL),
        ("exit time", False, OrderKind.EOD),
    ],
)
def test_what_an_exit_is_for(leg: str, trailed: bool, kind: OrderKind):
    assert rules.kind_of_exit(leg, trailed=trailed) is kind


def test_every_reason_has_an_exit_and_every_exit_of_ours_a_name():
    assert set(rules.KIND_OF) == set(StopReason)
    assert set(rules.KIND_OF.values()) <= set(rules.NAME_OF)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"overall_sl": D(50), "overall_target": D(60)},
        {"daily_loss_limit": D(40)},
        {"lock_profit": LockProfit(LockMode.LOCK_AND_TRAIL, D(30), D(10), D(15))},
    ],
)
def test_a_result_in_the_quiet_band_changes_nothing(fields: dict[str, Any]):
    """Every walk to a result in the band leaves the guard as it is; outside something happens."""
    d, guard = wants(**fields), Guard(earlier=D(-5))
    for number in (3, -7, 12, 25, 34, 31, 29, -20, 5, -34):
        guard = rules.judge(d, guard, D(number)).guard
        low, high = rules.quiet(d, guard)
        for result in range(-80, 80):
            found = rules.judge(d, guard, D(result))
            if low < result < high:
                assert found == rules.Judgement(guard)
