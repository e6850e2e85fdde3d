"""The window's door to watched exits, over a whole terminal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openalgo_desktop.core.enums import Action, GttType, Mode, PriceType, Product
from openalgo_desktop.core.errors import OrderError
from openalgo_desktop.core.exit_rules import target_prices
from openalgo_desktop.core.exits import ExitPlan, ExitSpec, Offset, PlanState, TriggerLeg, Unit
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced
from tests.waiting import until

BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10)
WHERE = ("SBIN", "NSE", Product.MIS, Mode.SANDBOX)


def test_stop_target_trail_and_break_even_of_a_position(drive: Drive):
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge = session.bridge
        heard: list[PlanState] = []
        bridge.watch.changed.connect(lambda plan: heard.append(plan.state))
        await bridge.desk.place(BUY, Mode.SANDBOX)
        tick = bridge.latest(SBIN)
        assert tick is not None
        plan = await bridge.watch.set_stop(*WHERE, 5, Unit.PERCENT)
        again = await bridge.watch.set_targets(*WHERE, ((5, Unit.PERCENT, 50),))
        assert plan.plan_id == again.plan_id and PlanState.ACTIVE in heard
        stop, target = bridge.watch.stop_price(*WHERE), bridge.watch.target_price(*WHERE)
        assert stop is not None and target is not None
        assert stop < Decimal(str(tick.ltp)) < target
        with pytest.raises(OrderError, match="mode was switched"):
            await bridge.watch.delete(plan.plan_id, Mode.LIVE)
        await bridge.desk.close_position(
            "SBIN", "NSE", Product.MIS, Mode.SANDBOX, cancel_orders=True
        )
        await until(lambda: not bridge.watch.of_position(*WHERE), "the plan to end")
        ended = next(row for row in bridge.watch.plans() if row.plan_id == plan.plan_id)
        assert ended.state is PlanState.DONE

    drive(scenario)


def test_bracket_fires_and_is_no_repetition(drive: Drive):
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge = session.bridge
        bridge.set_setting("trading.duplicate_guard_ms", 10_000)
        spec = ExitSpec(stop=Offset.of(5, Unit.PERCENT))
        plan, placed = await bridge.watch.bracket(BUY, spec, Mode.SANDBOX)
        assert placed.order_id and bridge.desk.is_repeat(BUY)
        await until(lambda: _plan(session, plan.plan_id).held == 10)
        at = _plan(session, plan.plan_id).stop_at
        assert at is not None
        await session.terminal.account.control({"prices": {"NSE:SBIN": float(at) - 1}})
        await until(lambda: _plan(session, plan.plan_id).state is PlanState.DONE, "the stop")
        rows = await session.terminal.desk.read.positions()
        assert [row.quantity for row in rows if row.symbol == "SBIN"] == [0]

    drive(scenario)


def test_a_moved_stop_moves_that_of_the_bracket_and_covers_the_rest(drive: Drive):
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge, watch = session.bridge, session.bridge.watch
        spec = ExitSpec(stop=Offset.of(1, Unit.PERCENT))
        plan, _ = await watch.bracket(BUY, spec, Mode.SANDBOX)
        await until(lambda: _plan(session, plan.plan_id).held == 10)
        tick = bridge.latest(SBIN)
        assert tick is not None
        lower = float(round(tick.ltp * 0.95))
        await watch.set_stop(*WHERE, lower)
        assert _plan(session, plan.plan_id).stop_at == Decimal(str(lower))
        assert len(watch.of_position(*WHERE)) == 1  # nothing is left to cover
        await bridge.desk.place(BUY, Mode.SANDBOX)
        await until(lambda: any(row.quantity == 20 for row in bridge.books.positions), "20 held")
        await watch.set_stop(*WHERE, lower - 1)
        plans = watch.of_position(*WHERE)
        assert {row.stop_at for row in plans} == {Decimal(str(lower - 1))}
        assert sorted(row.held for row in plans) == [10, 20]

    drive(scenario)


def test_a_moved_target_leaves_the_ones_behind_it(drive: Drive):
    async def scenario(session: Session) -> None:
        await priced(session)
        watch = session.bridge.watch
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        parts = ((2, Unit.PERCENT, 50), (8, Unit.PERCENT, 50))
        plan = await watch.set_targets(*WHERE, parts)
        first, second = target_prices(plan)
        moved = await watch.move_target(*WHERE, float(first + 1))
        assert moved.plan_id == plan.plan_id
        assert target_prices(moved) == (first + 1, second)
        assert [target.percent for target in moved.spec.targets] == [50, 50]

    drive(scenario)


def _plan(session: Session, plan_id: str) -> ExitPlan:
    plan = session.terminal.watch.plan(plan_id)
    assert isinstance(plan, ExitPlan)
    return plan


def test_triggers_and_the_brokers_gtts(drive: Drive):
    async def scenario(session: Session) -> None:
        await priced(session)
        watch = session.bridge.watch
        leg = TriggerLeg(Decimal(300), True, BUY)
        made = await watch.add_trigger((leg,), Mode.SANDBOX)
        changed = await watch.change_trigger(
            made.plan_id, (TriggerLeg(Decimal(310), True, BUY),), Mode.SANDBOX
        )
        assert changed.legs[0].price == 310
        assert (await watch.pause(made.plan_id, Mode.SANDBOX)).state is PlanState.PAUSED
        await watch.resume(made.plan_id, Mode.SANDBOX)
        await watch.delete(made.plan_id, Mode.SANDBOX)
        assert watch.has_gtt
        request = GttRequest(
            GttType.SINGLE, "SBIN", "NSE", Action.BUY, 1, price_type=PriceType.LIMIT,
            price=300.0, trigger_below=300.0, product=Product.CNC,
        )  # fmt: skip
        placed = await watch.place_gtt(request, Mode.SANDBOX)
        assert [row.trigger_id for row in await watch.gtts()] == [placed.order_id]
        await watch.cancel_gtt(placed.order_id, Mode.SANDBOX)
        assert await watch.gtts() == []

    drive(scenario)
