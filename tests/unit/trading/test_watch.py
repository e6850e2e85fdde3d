"""Exits watched by our core over a desk: attach, fire, follow, end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder, OrderError, RejectedByBroker
from openalgo_desktop.core.events import ExitPlanChanged
from openalgo_desktop.core.exits import AnyPlan, ExitPlan, ExitSpec, Offset, PlanState, Target, Unit
from openalgo_desktop.core.model import ModifyRequest, OrderAck
from openalgo_desktop.trading.policies import protected_exits
from openalgo_desktop.trading.results import Placed
from tests.unit.trading.test_underway import KEY
from tests.unit.trading.watching import Floor, buy, floor, points, stop_at
from tests.waiting import until

__all__ = ["floor"]

NOW = datetime(2026, 11, 30, tzinfo=UTC)


async def test_a_stop_closes_the_position_once(floor: Floor):
    await floor.hold(10)
    told: list[PlanState] = []
    floor.bus.subscribe(ExitPlanChanged, lambda event: told.append(event.plan.state))
    plan = await floor.protect(stop_at(790))
    floor.ticks.say(790.05)
    assert floor.plan(plan.plan_id).state is PlanState.ACTIVE
    for price in (790.0, 789.0, 788.0):
        floor.ticks.say(price)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.DONE)
    assert (floor.sent, floor.units) == (["SELL 10"], 0)
    assert floor.plan(plan.plan_id).message == "stop done at 790"
    assert told[0] is PlanState.ACTIVE and told[-1] is PlanState.DONE
    assert floor.store.rows[plan.plan_id].state is PlanState.DONE
    (row,) = [row for row in floor.journal.rows.values() if row.kind == "place"]
    assert row.source == plan.exit_source
    assert not floor.ticks.listeners[("NSE", "SBIN")]  # nothing is streamed for it any more


async def test_targets_go_out_in_parts_and_the_rest_stays_protected(floor: Floor):
    await floor.hold(100)
    targets = (Target(Offset.of(810), 50), Target(Offset.of(820), 25))
    plan = await floor.protect(ExitSpec(stop=Offset.of(790), targets=targets))
    floor.ticks.say(810.0)
    await until(lambda: floor.plan(plan.plan_id).hit == 1)
    assert floor.units == 50 and floor.plan(plan.plan_id).state is PlanState.ACTIVE
    floor.ticks.say(820.0)
    await until(lambda: floor.plan(plan.plan_id).hit == 2)
    assert floor.units == 25
    floor.ticks.say(790.0)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.DONE)
    assert floor.sent == ["SELL 50", "SELL 25", "SELL 25"] and floor.units == 0


async def test_a_short_position(floor: Floor):
    await floor.hold(-10)
    plan = await floor.protect(stop_at(810, 780))
    floor.ticks.say(779.0)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.DONE)
    assert floor.sent == ["BUY 10"] and floor.units == 0


async def test_trailing_and_break_even(floor: Floor):
    await floor.hold(10)
    spec = ExitSpec(
        stop=Offset.of(790), trail=Offset.of(12, Unit.POINTS),
        break_even=Offset.of(8, Unit.POINTS),
    )  # fmt: skip
    plan = await floor.protect(spec)
    floor.ticks.say(808.0)
    assert floor.plan(plan.plan_id).stop_at == Decimal(800)
    floor.ticks.say(820.0)
    assert floor.plan(plan.plan_id).stop_at == Decimal(808)
    await until(lambda: floor.store.rows[plan.plan_id].stop_at == 808)  # type: ignore[union-attr]
    floor.ticks.say(807.0)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.DONE)
    assert floor.units == 0


async def test_legs_are_added_to_one_plan_and_changed(floor: Floor):
    await floor.hold(10)
    first = await floor.protect(stop_at(790))
    second = await floor.protect(ExitSpec(targets=(Target(Offset.of(810)),)))
    assert first.plan_id == second.plan_id
    assert (second.spec.stop, len(second.spec.targets)) == (Offset.of(790), 1)
    moved = msgspec.structs.replace(second.spec, stop=Offset.of(795))
    await floor.watch.commands.change(first.plan_id, moved, Mode.SANDBOX)
    floor.ticks.say(794.0)
    await until(lambda: floor.plan(first.plan_id).state is PlanState.DONE)
    with pytest.raises(OrderError, match="has ended"):
        await floor.watch.commands.change(first.plan_id, moved, Mode.SANDBOX)


async def test_what_cannot_be_right_is_refused(floor: Floor):
    with pytest.raises(OrderError, match="no open position"):
        await floor.protect(stop_at(790))
    await floor.hold(10)
    with pytest.raises(InvalidOrder, match="must be below the price 800"):
        await floor.protect(stop_at(801))
    with pytest.raises(InvalidOrder, match="must be above"):
        await floor.protect(stop_at(790, 799))
    with pytest.raises(OrderError, match="switched"):
        await floor.protect(stop_at(790), mode=Mode.LIVE)
    assert not floor.watch.plans()


async def test_move_to_entry(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    with pytest.raises(InvalidOrder):
        await floor.watch.commands.move_to_entry(plan.plan_id, Mode.SANDBOX)  # it is there
    floor.ticks.say(805.0)
    moved = await floor.watch.commands.move_to_entry(plan.plan_id, Mode.SANDBOX, Decimal("1"))
    assert moved.stop_at == Decimal(801)


async def test_pause_resume_delete(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    await floor.watch.commands.pause(plan.plan_id, Mode.SANDBOX)
    floor.ticks.say(780.0)
    with pytest.raises(InvalidOrder, match="would go out at once"):
        await floor.watch.commands.resume(plan.plan_id, Mode.SANDBOX)
    floor.ticks.say(800.0)
    await floor.watch.commands.resume(plan.plan_id, Mode.SANDBOX)
    await floor.watch.commands.delete(plan.plan_id, Mode.SANDBOX)
    floor.ticks.say(700.0)
    await floor.settled()
    assert floor.sent == [] and floor.plan(plan.plan_id).state is PlanState.CANCELLED


async def test_a_whole_plan_follows_the_position(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(points(10))
    await floor.desk.place(buy(20), "window")
    await until(lambda: floor.plan(plan.plan_id).held == 30)
    floor.ticks.say(700.0)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.DONE)
    await floor.settled()
    assert floor.units == 0 and floor.sent == ["BUY 20", "SELL 30"]


async def test_a_bracket_protects_what_fills(floor: Floor):
    plan, placed = await floor.watch.commands.bracket(
        buy(10, 799.0), points(10), "window", Mode.SANDBOX
    )
    assert plan.state is PlanState.WAITING
    await floor.paper.fill_part(placed.order_id, 4)
    await until(lambda: floor.plan(plan.plan_id).held == 4)
    assert floor.plan(plan.plan_id).state is PlanState.ACTIVE
    await floor.paper.fill_part(placed.order_id, 6)
    await until(lambda: floor.plan(plan.plan_id).held == 10)


async def test_a_refused_entry_leaves_no_plan(floor: Floor):
    floor.lookup.rows[("NSE", "SBIN")] = msgspec.structs.replace(
        floor.lookup.rows[("NSE", "SBIN")], freeze_qty=5
    )
    with pytest.raises(InvalidOrder, match="freeze"):
        await floor.watch.commands.bracket(buy(10, 799.0), points(10), "window", Mode.SANDBOX)
    (plan,) = floor.watch.plans()
    assert plan.state is PlanState.CANCELLED and "freeze" in plan.message


async def test_a_cancelled_entry_ends_the_plan(floor: Floor):
    plan, placed = await floor.watch.commands.bracket(
        buy(10, 799.0), points(10), "window", Mode.SANDBOX
    )
    await floor.desk.cancel(placed.order_id, "window")
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.CANCELLED)
    assert floor.plan(plan.plan_id).message == "the entry was not filled"


async def test_resting_orders_of_a_plan_do_not_outlive_the_position(floor: Floor):
    await floor.hold(10)
    stop = await floor.rest(PriceType.SLM, Action.SELL)
    target = await floor.rest(PriceType.LIMIT, Action.SELL)
    plan = await floor.protect(ExitSpec(), orders=(stop, target))
    await floor.paper.fill_part(target, 4)  # the target fills in part: the stop shrinks
    await until(lambda: ("modify", f"{stop} 6") in floor.paper.arrived)
    await floor.paper.fill_part(target, 6)
    await until(lambda: ("cancel", stop) in floor.paper.arrived)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.DONE)
    assert floor.units == 0


@pytest.mark.parametrize("rest", [6, 3])
async def test_what_rests_follows_also_while_a_change_of_it_is_on_its_way(floor: Floor, rest: int):
    await floor.hold(10)
    stop = await floor.rest(PriceType.SLM, Action.SELL)
    target = await floor.rest(PriceType.LIMIT, Action.SELL)
    await floor.protect(ExitSpec(), orders=(stop, target))
    change, asked, answer = floor.paper.modify, asyncio.Event(), asyncio.Event()

    async def slow(request: ModifyRequest) -> OrderAck:
        asked.set()
        await answer.wait()
        return await change(request)

    floor.paper.modify = slow  # type: ignore[method-assign]
    await floor.paper.fill_part(target, 4)
    await asked.wait()
    await floor.paper.fill_part(target, rest)
    await until(lambda: floor.units == 6 - rest)
    await asyncio.sleep(0)
    answer.set()
    last = ("cancel", stop) if rest == 6 else ("modify", f"{stop} 3")
    await until(lambda: last in floor.paper.arrived)


async def test_partial_exits_shrink_what_rests(floor: Floor):
    await floor.hold(10)
    stop = await floor.rest(PriceType.SLM, Action.SELL)
    await floor.protect(ExitSpec(targets=(Target(Offset.of(810), 40),)))
    floor.ticks.say(811.0)
    await until(lambda: floor.units == 6)
    assert ("modify", f"{stop} 6") in floor.paper.arrived


async def test_flatten_cancels_the_orders_of_the_symbol(floor: Floor):
    await floor.hold(10)
    entry = await floor.rest(PriceType.LIMIT, Action.BUY)
    await floor.desk.closing.close_position("SBIN", "NSE", KEY[2], "window", cancel_orders=True)
    await floor.settled()
    assert ("cancel", entry) in floor.paper.arrived and floor.units == 0


async def test_who_protects_a_position_again_gets_a_stop_that_is_watched(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    await floor.watch.commands.pause(plan.plan_id, Mode.SANDBOX)
    assert "paused" in floor.watch.trouble(floor.plan(plan.plan_id))
    again = await floor.protect(stop_at(795))
    assert (again.plan_id, again.state) == (plan.plan_id, PlanState.ACTIVE)
    assert floor.watch.trouble(again) == ""

    def refuse() -> None:
        raise RejectedByBroker("RMS: blocked")

    floor.paper.answer = refuse
    floor.ticks.say(794.0)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.FAILED)
    assert "NOT protected" in floor.watch.trouble(floor.plan(plan.plan_id))
    floor.paper.answer = lambda: None
    sent = len(floor.sent)
    floor.ticks.say(800.0)
    again = await floor.protect(stop_at(790))
    assert again.state is PlanState.ACTIVE and again.firing is None
    assert len(floor.sent) == sent  # what failed does not go out now
    floor.ticks.say(785.0)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.DONE)
    await floor.settled()
    assert floor.units == 0


async def test_a_target_is_moved_after_the_first_one_is_done(floor: Floor):
    await floor.hold(20)
    spec = ExitSpec(targets=(Target(Offset.of(810.0), 50), Target(Offset.of(820.0), 50)))
    plan = await floor.protect(spec)
    floor.ticks.say(811.0)
    await until(lambda: floor.plan(plan.plan_id).held == 10)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.ACTIVE)
    (rest,) = rules.ahead(floor.plan(plan.plan_id))
    assert rest == Target(Offset.of(820.0), 100)
    moved = ExitSpec(targets=(Target(Offset.of(830.0), rest.percent),))
    await floor.watch.commands.change(plan.plan_id, moved, Mode.SANDBOX)
    floor.ticks.say(825.0)
    floor.ticks.say(831.0)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.DONE)
    await floor.settled()
    assert floor.units == 0 and floor.sent == ["SELL 10", "SELL 10"]


@pytest.mark.parametrize("turns", range(8))
async def test_a_leg_that_is_reached_while_the_one_before_ends_goes_out(floor: Floor, turns: int):
    """So many turns of the loop after the first target was done, its task being over in one of
    them and forgotten in the next."""
    await floor.hold(20)
    spec = ExitSpec(targets=(Target(Offset.of(810.0), 50), Target(Offset.of(820.0), 50)))
    plan = await floor.protect(spec)
    keep, later = floor.store.save, []

    async def say() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        floor.ticks.say(821.0)

    def kept(row: AnyPlan) -> asyncio.Future[None]:
        if isinstance(row, ExitPlan) and row.state is PlanState.ACTIVE and row.held == 10:
            later.append(asyncio.ensure_future(say()))
        return keep(row)

    floor.store.save = kept  # type: ignore[method-assign]
    floor.ticks.say(811.0)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.DONE)
    await floor.settled()
    assert floor.units == 0 and floor.sent == ["SELL 10", "SELL 10"]


def test_what_is_ahead_stays_all_of_it():
    targets = tuple(Target(Offset.of(at), part) for at, part in ((1, 33), (2, 33), (3, 34)))
    plan = ExitPlan(
        plan_id="x", mode=Mode.SANDBOX, account_id="p", created_at=NOW, updated_at=NOW,
        product=Product.MIS, side=1, spec=ExitSpec(targets=targets), hit=1,
    )  # fmt: skip
    assert [target.percent for target in rules.ahead(plan)] == [49, 51]
    plan = msgspec.structs.replace(plan, hit=2)
    assert [target.percent for target in rules.ahead(plan)] == [100]
    plan = msgspec.structs.replace(plan, hit=3)
    assert rules.ahead(plan) == ()


@pytest.mark.parametrize("by_result", [False, True])
async def test_what_a_fill_sets_off_belongs_to_nobody_else(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, by_result: bool
):
    """A human closes by limits, and the news of it wakes a stop: that goes out at market."""
    await floor.hold(10)
    if by_result:
        await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(50))
    else:
        await floor.protect(stop_at(790))
    limits: list[bool] = []
    close = floor.desk.exits.close

    async def told(*args: Any, **more: Any) -> Placed | None:
        limits.append(protected_exits.get())
        return await close(*args, **more)

    monkeypatch.setattr(floor.desk.exits, "close", told)
    token = protected_exits.set(True)
    floor.ticks.say(789.0)
    protected_exits.reset(token)
    await until(lambda: limits != [])
    await floor.settled()
    assert not any(limits)
