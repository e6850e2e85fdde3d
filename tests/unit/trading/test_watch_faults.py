"""Named faults of watched exits: never two, never none, never one larger than the position."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import (
    AccountState,
    Action,
    Exchange,
    Mode,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    NetTimeout,
    OrderError,
    OrderStateUnknown,
    RejectedByBroker,
    StorageError,
)
from openalgo_desktop.core.events import AccountChanged, ExitPlanChanged, Notice, OrderUpdated
from openalgo_desktop.core.exits import ExitPlan, ExitSpec, Offset, PlanState, Target, TriggerLeg
from openalgo_desktop.core.model import AccountStatus, Order, OrderAck, OrderRequest, Position
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.trading import reconcile
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.smart import SmartOrders
from openalgo_desktop.trading.watch import drive, shelf
from tests.unit.trading.test_underway import KEY
from tests.unit.trading.watching import Floor, Market, buy, floor, points, stop_at
from tests.waiting import until

__all__ = ["floor"]


def sold(floor: Floor) -> int:
    return sum(int(what.split()[1]) for what in floor.sent if what.startswith("SELL"))


async def ended(floor: Floor, plan_id: str, state: PlanState = PlanState.DONE) -> None:
    await until(lambda: floor.plan(plan_id).state is state, f"{state}: {floor.plan(plan_id)}")
    await floor.settled()


# -- prices --------------------------------------------------------------------------------------
async def test_gap_through_the_stop(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.ticks.say(650.0)
    await ended(floor, plan.plan_id)
    assert (floor.sent, floor.units) == (["SELL 10"], 0)


async def test_both_legs_in_one_tick(floor: Floor):
    """A trailing stop that rose above the target: one price reaches both, one exit goes out."""
    await floor.hold(10)
    plan = await floor.protect(stop_at(790, 840))
    shelf = floor.watch._shelf
    shelf.put(msgspec.structs.replace(plan, stop_at=plan.entry + 50))
    floor.ticks.say(845.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == ["SELL 10"]


async def test_a_stale_unknown_or_old_price_triggers_nothing(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.ticks.stale = True
    floor.ticks.say(780.0)
    await until(lambda: any("see nothing" in notice.text for notice in floor.notices))
    assert floor.watch.trouble(floor.plan(plan.plan_id)) == "The price is not known."
    floor.ticks.stale = False
    floor.ticks.say(0.0)  # unknown
    floor.ticks.say(780.0, unknown=1)
    yesterday = int((floor.clock.time() - 86_400) * 1000)
    floor.ticks.say(780.0, ltt=yesterday)
    await asyncio.sleep(0.15)  # the watch looks by itself meanwhile
    assert floor.sent == []
    floor.ticks.say(780.0)  # the first fresh one
    await ended(floor, plan.plan_id)
    assert floor.units == 0
    told = [notice for notice in floor.notices if "see nothing" in notice.text]
    assert len(told) == 1  # said once, though it was looked at often


async def test_a_closed_market_triggers_nothing(floor: Floor):
    await floor.hold(10)
    floor.open = False
    plan = await floor.protect(stop_at(790))
    floor.ticks.say(700.0)
    await asyncio.sleep(0.1)
    assert floor.sent == [] and "closed" in floor.watch.trouble(plan)


async def test_a_fill_beyond_the_stop_is_seen_without_another_tick(floor: Floor):
    floor.ticks.say(780.0)
    plan, placed = await floor.watch.commands.bracket(
        buy(10, 799.0), points(10), "window", Mode.SANDBOX
    )
    await floor.paper.fill_part(placed.order_id, 10)  # at 800: the stop stands at 790
    await ended(floor, plan.plan_id)
    assert floor.units == 0


# -- entries -------------------------------------------------------------------------------------
async def test_partial_fill_then_cancel(floor: Floor):
    plan, placed = await floor.watch.commands.bracket(
        buy(10, 799.0), points(10), "window", Mode.SANDBOX
    )
    await floor.paper.fill_part(placed.order_id, 4)
    await floor.desk.cancel(placed.order_id, "window")
    await until(lambda: floor.plan(plan.plan_id).held == 4)
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == ["BUY 10", "SELL 4"] and floor.units == 0


async def test_the_rest_of_an_entry_is_cancelled_when_the_stop_is_reached(floor: Floor):
    plan, placed = await floor.watch.commands.bracket(
        buy(10, 799.0), points(10), "window", Mode.SANDBOX
    )
    await floor.paper.fill_part(placed.order_id, 4)
    await until(lambda: floor.plan(plan.plan_id).held == 4)
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert ("cancel", placed.order_id) in floor.paper.arrived and floor.units == 0


async def test_an_entry_that_goes_on_filling_is_protected_again(floor: Floor):
    """Its cancellation fails: what fills later is protected and goes out, too."""
    plan, placed = await floor.watch.commands.bracket(
        buy(10, 799.0), points(10), "window", Mode.SANDBOX
    )
    await floor.paper.fill_part(placed.order_id, 4)
    await until(lambda: floor.plan(plan.plan_id).held == 4)
    cancel = floor.paper.cancel

    async def refuse(order_id: str) -> OrderAck:
        if order_id == placed.order_id:
            raise RejectedByBroker("too late")
        return await cancel(order_id)

    floor.paper.cancel = refuse  # type: ignore[method-assign]
    floor.ticks.say(700.0)
    await until(lambda: floor.units == 0)
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.WAITING)
    await floor.paper.fill_part(placed.order_id, 6)
    await ended(floor, plan.plan_id)
    assert floor.units == 0 and sold(floor) == 10


async def test_fill_before_its_acknowledgement(floor: Floor):
    place = floor.paper.place

    async def slow(request: OrderRequest, tag: str) -> OrderAck:
        ack = await place(request, tag)
        if request.action is Action.BUY:
            await floor.paper.done()  # filled and told
            floor.ticks.say(700.0)
        return ack

    floor.paper.place = slow  # type: ignore[method-assign]
    plan, _ = await floor.watch.commands.bracket(buy(10), points(10), "window", Mode.SANDBOX)
    assert plan.held == 10
    await ended(floor, plan.plan_id)
    assert floor.sent == ["BUY 10", "SELL 10"] and floor.units == 0


async def test_an_entry_whose_answer_is_lost_is_protected_once_it_is_found(floor: Floor):
    def lose() -> None:
        floor.paper.answer = lambda: None
        raise OrderStateUnknown("lost", tag="")

    floor.paper.answer = lose
    with pytest.raises(OrderStateUnknown):
        await floor.watch.commands.bracket(buy(10, 799.0), points(10), "window", Mode.SANDBOX)
    (plan,) = floor.watch.plans()
    assert plan.state is PlanState.WAITING
    await floor.desk.reconciler.run_once()
    await floor.paper.fill_part("1", 10)
    await until(lambda: floor.plan(plan.plan_id).held == 10)
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert floor.units == 0


# -- restarts ------------------------------------------------------------------------------------
async def test_killed_between_entry_fill_and_exit(floor: Floor):
    plan, _ = await floor.watch.commands.bracket(buy(10), points(10), "window", Mode.SANDBOX)
    await until(lambda: floor.plan(plan.plan_id).held == 10)
    floor.store.rows[plan.plan_id] = next(  # as it was on disk before the fill was told
        row for row in floor.store.log if row.plan_id == plan.plan_id
    )
    await floor.restart()
    await until(lambda: floor.plan(plan.plan_id).held == 10)
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == ["BUY 10", "SELL 10"] and floor.units == 0


async def test_an_entry_that_was_told_as_refused_and_arrived(floor: Floor):
    place = floor.paper.place

    async def deny(request: OrderRequest, tag: str) -> OrderAck:
        await place(request, tag)
        raise RejectedByBroker("RMS: rejected")

    floor.paper.place = deny  # type: ignore[method-assign]
    with pytest.raises(RejectedByBroker):
        await floor.watch.commands.bracket(buy(10, 799.0), points(10), "window", Mode.SANDBOX)
    floor.paper.place = place  # type: ignore[method-assign]
    (plan,) = floor.watch.plans()
    await floor.paper.fill_part("1", 10)
    await until(lambda: floor.plan(plan.plan_id).held == 10)
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert floor.units == 0


async def test_killed_before_the_entry_left(floor: Floor):
    plan, _ = await floor.watch.commands.bracket(buy(10, 799.0), points(10), "window", Mode.SANDBOX)
    floor.journal.rows.clear()
    floor.paper.book.clear()
    floor.store.rows[plan.plan_id] = msgspec.structs.replace(plan, entries={})
    await floor.restart()
    await ended(floor, plan.plan_id, PlanState.CANCELLED)
    assert floor.plan(plan.plan_id).message == "the entry was never sent"


@pytest.mark.parametrize("filled", [True, False])
async def test_killed_after_the_exit_was_sent(floor: Floor, filled: bool):
    """The plan on disk says that the leg was reached; the journal, that its order left."""
    await floor.hold(10)
    plan = await floor.protect(ExitSpec(targets=(Target(Offset.of(810), 40),)))
    floor.paper.delay = 0.0 if filled else 0.3
    floor.ticks.say(811.0)
    await until(lambda: floor.sent == ["SELL 4"])
    if filled:
        await floor.paper.done()
    floor.store.rows[plan.plan_id] = next(
        row for row in floor.store.log if row.state is PlanState.EXITING
    )
    await floor.restart()
    await until(lambda: floor.plan(plan.plan_id).hit == 1)
    await floor.settled()
    assert floor.sent == ["SELL 4"] and floor.units == 6
    assert floor.plan(plan.plan_id).held == 6


async def test_killed_before_the_exit_was_sent(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(ExitSpec(targets=(Target(Offset.of(810), 40),)))
    floor.ticks.say(811.0)
    await floor.watch._driver.stop()  # before the task of the exit had its first turn
    assert floor.sent == [] and floor.store.rows[plan.plan_id].state is PlanState.EXITING
    await floor.restart()
    await until(lambda: floor.plan(plan.plan_id).hit == 1)
    assert floor.sent == ["SELL 4"]


async def test_a_position_closed_while_the_program_did_not_run(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    await floor.watch.stop()
    await floor.hold(0)
    floor.ticks.say(700.0)
    await floor.restart()
    await ended(floor, plan.plan_id)
    assert floor.sent == []


async def test_a_stop_that_was_passed_while_the_program_did_not_run_goes_out(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    await floor.watch.stop()
    floor.ticks.say(700.0)
    await floor.restart()
    await ended(floor, plan.plan_id)
    assert floor.units == 0


# -- closed elsewhere ----------------------------------------------------------------------------
async def test_position_closed_elsewhere(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790, 810))
    await floor.desk.closing.close_position("SBIN", "NSE", Product.MIS, "somebody")
    await ended(floor, plan.plan_id)
    floor.ticks.say(700.0)
    await floor.settled()
    assert sold(floor) == 10 and floor.units == 0


async def test_position_closed_by_the_brokers_own_app(floor: Floor):
    """Nothing is pushed: the position book alone knows it, and the exit asks it first."""
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.paper.real = floor.paper.held[Product.MIS] = 0
    floor.paper.rows = [Position("SBIN", "NSE", Product.MIS, 0, 0.0)]
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == [] and "closed elsewhere" in floor.plan(plan.plan_id).message


async def test_a_position_that_turned_elsewhere_is_left_alone(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.paper.real = floor.paper.held[Product.MIS] = -5
    floor.paper.rows = [Position("SBIN", "NSE", Product.MIS, -5, 800.0)]
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == []


async def test_a_position_that_became_smaller_elsewhere(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790), quantity=10)
    request = msgspec.structs.replace(buy(6), action=Action.SELL)
    await floor.desk.place(request, "elsewhere")
    await until(lambda: floor.plan(plan.plan_id).held == 4)
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert sold(floor) == 10 and floor.units == 0


async def test_stop_and_hand_at_the_same_moment(floor: Floor):
    await floor.hold(10)
    floor.paper.delay = 0.05
    plan = await floor.protect(stop_at(790))
    floor.ticks.say(700.0)
    await floor.desk.closing.close_position("SBIN", "NSE", Product.MIS, "hand")
    await ended(floor, plan.plan_id)
    assert sold(floor) == 10 and floor.units == 0


async def test_two_plans_of_one_position_never_sell_it_twice(floor: Floor):
    await floor.hold(10)
    floor.paper.delay = 0.05
    plans = [await floor.protect(stop_at(790), quantity=units) for units in (10, 7)]
    floor.ticks.say(700.0)
    for plan in plans:
        await ended(floor, plan.plan_id)
    assert sold(floor) == 10 and floor.units == 0


async def test_a_stop_overtakes_a_target_that_is_on_its_way(floor: Floor):
    await floor.hold(10)
    floor.paper.delay = 0.1
    plan = await floor.protect(stop_at(790, 810, 40))
    floor.ticks.say(811.0)
    await until(lambda: floor.sent == ["SELL 4"])
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == ["SELL 4", "SELL 6"] and floor.units == 0


# -- refusals and lost answers -------------------------------------------------------------------
def refuse(floor: Floor, times: int) -> None:
    place, left = floor.paper.place, [times]

    async def refusing(request: OrderRequest, tag: str) -> OrderAck:
        if left[0]:
            left[0] -= 1
            raise RejectedByBroker("RMS: blocked")
        return await place(request, tag)

    floor.paper.place = refusing  # type: ignore[method-assign]


async def test_a_refused_exit_is_tried_again_and_told(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    refuse(floor, 2)
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    assert floor.units == 0
    told = [notice.text for notice in floor.notices if "RMS: blocked" in notice.text]
    assert len(told) == 2 and "Trying again" in told[0]


async def test_an_exit_refused_too_often_calls_a_human(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    refuse(floor, 4)
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id, PlanState.FAILED)
    last = [notice for notice in floor.notices if "NOT protected" in notice.text]
    assert len(last) == 1 and last[0].level == "error"
    await floor.watch.commands.resume(plan.plan_id, Mode.SANDBOX)  # the human tries again
    await ended(floor, plan.plan_id)
    assert floor.units == 0


async def test_a_failed_exit_goes_out_when_the_account_comes_back_and_not_for_less(floor: Floor):
    def told(state: AccountState, plan: ExitPlan) -> None:
        status = AccountStatus(plan.account_id, "paper", "P1", "Paper", state)
        floor.bus.publish(AccountChanged(status=status))

    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    told(AccountState.CONNECTED, plan)
    refuse(floor, 4)
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id, PlanState.FAILED)
    floor.ticks.say(805.0)  # the market recovered
    told(AccountState.CONNECTED, plan)  # another role, the same connection
    await floor.settled()
    assert floor.plan(plan.plan_id).state is PlanState.FAILED and floor.units == 10
    told(AccountState.DISCONNECTED, plan)
    told(AccountState.CONNECTED, plan)
    await ended(floor, plan.plan_id)
    assert floor.units == 0


async def test_a_target_that_is_refused_leaves_the_stop_watching(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790, 810, 40))
    refuse(floor, 4)
    floor.ticks.say(811.0)
    await until(lambda: floor.plan(plan.plan_id).hit == 1)
    assert floor.plan(plan.plan_id).state is PlanState.ACTIVE and floor.units == 10
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    assert floor.units == 0


async def test_a_lost_answer_is_unknown_and_never_sent_twice(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))

    def lose() -> None:
        floor.paper.answer = lambda: None
        raise NetTimeout("no answer")

    floor.paper.answer = lose
    floor.ticks.say(780.0)
    await until(lambda: floor.sent == ["SELL 10"])
    await asyncio.sleep(0.2)  # several looks
    assert floor.sent == ["SELL 10"]
    await floor.desk.reconciler.run_once()
    await floor.paper._fill(floor.paper.book[-1])
    await ended(floor, plan.plan_id)
    assert floor.sent == ["SELL 10"] and floor.units == 0


async def test_an_exit_that_never_arrived_is_sent_once_that_is_known(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reconcile, "ABSENT_AFTER", 0.1)
    monkeypatch.setattr(reconcile, "BUSY_INTERVAL", 0.05)
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    place, lost = floor.paper.place, [True]

    async def drop(request: OrderRequest, tag: str) -> OrderAck:
        if lost.pop() if lost else False:
            raise OrderStateUnknown("gone", tag=tag)
        return await place(request, tag)

    floor.paper.place = drop  # type: ignore[method-assign]
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == ["SELL 10"] and floor.units == 0


async def test_an_exit_rejected_after_it_was_accepted_is_sent_again(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.paper.reject = True
    floor.ticks.say(780.0)
    await until(lambda: floor.sent)
    floor.paper.reject = False
    await ended(floor, plan.plan_id)
    assert floor.units == 0


async def test_exit_filled_in_part_then_cancelled(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.paper.delay = 30.0
    floor.ticks.say(780.0)
    await until(lambda: floor.sent == ["SELL 10"])
    for task in floor.paper.tasks:
        task.cancel()
    floor.paper.tasks.clear()
    floor.paper.delay = 0.0
    await floor.paper.fill_part("1", 4)
    await floor.paper.cancel("1")
    await ended(floor, plan.plan_id)
    assert floor.sent == ["SELL 10", "SELL 6"] and floor.units == 0


async def test_an_exit_that_does_not_fill_is_sent_anew(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(drive, "CHASE", 0.1)
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.paper.delay = 30.0
    floor.ticks.say(780.0)
    await until(lambda: floor.sent == ["SELL 10"])
    for task in floor.paper.tasks:
        task.cancel()
    floor.paper.tasks.clear()
    floor.paper.push(floor.paper.book[-1])
    floor.paper.delay = 0.0
    await ended(floor, plan.plan_id)
    assert ("cancel", "1") in floor.paper.arrived and floor.units == 0 and sold(floor) == 20
    assert floor.paper.book[0].status is OrderStatus.CANCELLED


async def test_where_market_orders_are_refused_an_exit_is_a_limit_through_the_price_and_follows_it(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
):
    """The price runs away from the limit: it is taken back, and goes out at the price of then."""
    monkeypatch.setattr(drive, "CHASE", 0.1)
    settings = {"trading.market_protection": "needed", "trading.freeze_split": False}
    floor.desk.policies = OrderPolicies(floor.ticks, settings.__getitem__)  # type: ignore[arg-type]
    rule = {PriceType.MARKET: frozenset({Exchange.NSE})}
    floor.paper.traits = Traits(protect=rule)  # type: ignore[misc]
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.ticks.say(780.0)
    await until(lambda: len(floor.paper.book) == 1)
    floor.ticks.say(700.0)
    await until(lambda: len(floor.paper.book) == 2)
    first, second = floor.paper.book
    assert {first.price_type, second.price_type} == {PriceType.LIMIT}
    assert (first.price, second.price) == (776.1, 696.5)  # half a per cent through
    assert first.status is OrderStatus.CANCELLED
    await floor.paper.fill_part(second.order_id, 10)
    await ended(floor, plan.plan_id)
    assert floor.units == 0


@pytest.mark.parametrize("way", ["full", "silent"])
async def test_a_disk_that_takes_nothing_keeps_no_exit_in(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, way: str
):
    """It says so, or (a lock of another program, a disk that hangs) says nothing at all."""
    monkeypatch.setattr(shelf, "DISK_WAITS", 0.05)
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    if way == "full":
        floor.store.full = True
    else:
        hangs = lambda plan: asyncio.get_running_loop().create_future()  # noqa: E731
        monkeypatch.setattr(floor.store, "save", hangs)
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == ["SELL 10"]


async def test_an_exit_that_waits_for_the_journal_is_told(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
):
    """A journal that cannot be read does not say what went out already: somebody has to know."""
    notices: list[Notice] = []
    floor.bus.subscribe(Notice, notices.append)
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))

    async def unreadable(*_: Any) -> list[Any]:
        raise StorageError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(floor.journal, "sent_by", unreadable)
        floor.ticks.say(780.0)
        await until(lambda: any("its exit waits: disk I/O" in row.text for row in notices))
        await asyncio.sleep(0.15)
    assert sum("its exit waits" in row.text for row in notices) == 1
    await ended(floor, plan.plan_id)
    assert floor.sent == ["SELL 10"]


async def test_what_the_disk_did_not_take_is_told_and_comes_again(floor: Floor):
    notices: list[Notice] = []
    floor.bus.subscribe(Notice, notices.append)
    await floor.hold(10)
    plan = await floor.protect(points(10))
    floor.store.full = True
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    assert floor.store.rows[plan.plan_id].state is PlanState.ACTIVE
    assert [row.level for row in notices if "cannot be stored" in row.text] == ["error"]
    floor.store.full = False
    await until(lambda: any("on disk again" in row.text for row in notices), "the good news")
    assert floor.store.rows[plan.plan_id].state is PlanState.DONE
    assert [row.level for row in notices if "on disk again" in row.text] == ["info"]


async def test_a_plan_that_could_not_be_stored_is_none(floor: Floor):
    shown: list[ExitPlan] = []
    floor.bus.subscribe(ExitPlanChanged, lambda event: shown.append(event.plan))
    await floor.hold(10)
    floor.store.full = True
    with pytest.raises(StorageError, match="nothing is changed: disk full"):
        await floor.protect(stop_at(790))
    assert floor.watch.plans() == []
    assert shown[-1].state is PlanState.CANCELLED  # whoever shows it hears that it is gone
    floor.ticks.say(780.0)
    await asyncio.sleep(0.05)
    assert floor.sent == []


@pytest.mark.parametrize("what", ["change", "pause", "delete"])
async def test_what_could_not_be_stored_did_not_happen(floor: Floor, what: str):
    """Told as failed, and so the plan is what it was: also after a restart."""
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.store.full = True
    commands = floor.watch.commands
    with pytest.raises(StorageError):
        match what:
            case "change":
                await commands.change(plan.plan_id, stop_at(750), Mode.SANDBOX)
            case "pause":
                await commands.pause(plan.plan_id, Mode.SANDBOX)
            case _:
                await commands.delete(plan.plan_id, Mode.SANDBOX)
    now = floor.plan(plan.plan_id)
    assert (now.state, now.stop_at) == (PlanState.ACTIVE, Decimal(790))
    floor.store.full = False
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == ["SELL 10"]


async def test_nothing_acts_on_a_plan_that_is_not_on_disk_yet(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
):
    """A trigger whose price comes while it is being written, and then cannot be."""
    waiting: list[asyncio.Future[None]] = []

    def slow(plan: ExitPlan) -> asyncio.Future[None]:
        waiting.append(asyncio.get_running_loop().create_future())
        return waiting[-1]

    with monkeypatch.context() as patch:
        patch.setattr(floor.store, "save", slow)
        leg = TriggerLeg(Decimal(790), True, buy(10))
        task = asyncio.ensure_future(
            floor.watch.commands.add_trigger((leg,), "window", Mode.SANDBOX)
        )
        await until(lambda: waiting)
        floor.ticks.say(780.0)
        waiting[0].set_exception(StorageError("disk full"))
        with pytest.raises(StorageError):
            await task
    await asyncio.sleep(0.05)
    assert floor.sent == [] and not any(row.state.is_open for row in floor.watch.plans())


async def test_an_exit_that_the_journal_shows_late_counts_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
):
    """The answer of the first exit is not written yet when the second leg is reached."""
    settle = floor.journal.settle

    async def late(*args: Any) -> None:
        await asyncio.sleep(0.3)
        await settle(*args)

    monkeypatch.setattr(floor.journal, "settle", late)
    await floor.hold(10)
    plan = await floor.protect(stop_at(790, 810, 40))
    floor.ticks.say(811.0)
    await until(lambda: floor.units == 6)
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    assert floor.sent == ["SELL 4", "SELL 6"]


async def test_what_rests_at_the_broker_is_cancelled_before_the_exit(floor: Floor):
    await floor.hold(10)
    resting = await floor.rest(PriceType.LIMIT, Action.SELL)
    plan = await floor.protect(stop_at(790))
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    kinds = [kind for kind, _ in floor.paper.arrived]
    assert kinds == ["place", "cancel", "place"] and floor.units == 0
    assert ("cancel", resting) in floor.paper.arrived


# -- modes and accounts --------------------------------------------------------------------------
async def test_mode_switched_meanwhile(floor: Floor):
    """A plan goes out in its own mode and account, wherever the switch stands."""
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    await floor.desk.set_mode(Mode.LIVE, "test")
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    assert (floor.sent, floor.units, floor.live.arrived) == (["SELL 10"], 0, [])


async def test_another_account_gets_no_exit_of_this_one(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.paper.account_id = "sandbox:2"
    floor.ticks.say(780.0)
    await asyncio.sleep(0.1)
    assert floor.sent == []
    assert "sandbox:1" in floor.watch.trouble(floor.plan(plan.plan_id))


async def test_a_stop_of_another_account_is_no_stop_of_this_one(floor: Floor):
    """The same position may be held in two accounts: a stop that is given in one must not become
    a leg of the other's plan, which nobody watches now."""
    await floor.hold(10)
    first = await floor.protect(stop_at(790))
    floor.paper.account_id = "sandbox:2"
    assert floor.watch.of_position(KEY, Mode.SANDBOX) == []
    assert floor.watch.of(KEY[:2], Mode.SANDBOX) == []
    second = await floor.protect(stop_at(795))
    assert second.account_id == "sandbox:2" and second.plan_id != first.plan_id
    assert floor.plan(first.plan_id).stop_at == 790
    assert [row.plan_id for row in floor.watch.of(KEY[:2], Mode.SANDBOX)] == [second.plan_id]
    floor.ticks.say(794.0)
    await ended(floor, second.plan_id)
    assert floor.sent == ["SELL 10"] and floor.plan(first.plan_id).state is PlanState.ACTIVE


async def test_fills_of_the_account_before_are_none_of_this_ones_book(floor: Floor):
    """It stays logged in and goes on telling of its orders."""
    resting = await floor.desk.place(buy(10, 790.0), "window")
    heard: list[str] = []
    floor.bus.subscribe(OrderUpdated, lambda event: heard.append(event.account_id))
    other = Market()
    other.account_id = "another"
    floor.desk.set_gateway(Mode.SANDBOX, other)
    await floor.paper.fill_part(resting.order_id, 10)
    book = floor.desk.books.book(Mode.SANDBOX)
    assert book.account_id == "another" and not book.orders and not book.positions
    assert set(heard) == {"sandbox:1"}  # journal and scripts hear of it, with its account


async def test_books_of_orders_know_whose_exit_it_was(floor: Floor):
    await floor.hold(10)
    plan = await floor.protect(stop_at(790), label="breakout", quantity=10)
    floor.ticks.say(780.0)
    await ended(floor, plan.plan_id)
    orders: list[Order] = list(floor.desk.books.book(Mode.SANDBOX).orders.values())
    assert [(row.source, row.strategy) for row in orders] == [(plan.exit_source, "breakout")]
    assert not floor.desk.books.book(Mode.SANDBOX).working(KEY)


async def test_what_was_counted_in_one_account_never_goes_out_in_another(floor: Floor):
    await floor.hold(10)
    other = Market()
    other.account_id = "another"
    under_way, view = floor.desk.under_way, floor.desk.under_way.view

    async def changed(*what: Any, **more: Any) -> Any:
        found = await view(*what, **more)
        floor.desk.set_gateway(Mode.SANDBOX, other)  # orders go to another account from now on
        return found

    under_way.view = changed  # type: ignore[method-assign]
    smart = SmartOrders(floor.desk)
    for work in (
        lambda: floor.desk.exits.close(KEY, "window", Mode.SANDBOX),
        lambda: floor.desk.exits.close(KEY, "window", Mode.SANDBOX, at_most=5, standing=True),
        lambda: smart.reverse("SBIN", "NSE", Product.MIS, "window", Mode.SANDBOX),
    ):
        floor.desk.set_gateway(Mode.SANDBOX, floor.paper)
        with pytest.raises(OrderError, match="account another"):
            await work()
    floor.desk.set_gateway(Mode.SANDBOX, floor.paper)
    assert floor.sent == [] and other.arrived == [] and floor.units == 10
