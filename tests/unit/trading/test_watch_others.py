"""Local triggers and exits by result."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.errors import InvalidOrder, NetTimeout, OrderError, RejectedByBroker
from openalgo_desktop.core.events import KillSwitchChanged
from openalgo_desktop.core.exits import AnyPlan, PlanState, Trigger, TriggerLeg
from openalgo_desktop.core.model import Key, OrderAck, OrderRequest, Position
from openalgo_desktop.core.reports import AuditEntry
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.trading import reconcile
from openalgo_desktop.trading.audit import AuditRecorder
from openalgo_desktop.trading.watch import results
from tests.unit.trading.watching import Floor, buy, floor
from tests.waiting import until

__all__ = ["floor"]


def leg(price: float, *, below: bool, action: Action = Action.BUY, units: int = 10) -> TriggerLeg:
    request = msgspec.structs.replace(buy(units), action=action)
    return TriggerLeg(Decimal(str(price)), below, request)


async def trigger(floor: Floor, *legs: TriggerLeg) -> Trigger:
    return await floor.watch.commands.add_trigger(legs, "window", Mode.SANDBOX)


def state(floor: Floor, plan_id: str) -> PlanState:
    return floor.watch.plan(plan_id).state


async def test_a_trigger_sends_its_order_once(floor: Floor):
    made = await trigger(floor, leg(810, below=False))
    for price in (809.95, 810.0, 811.0, 812.0):
        floor.ticks.say(price)
    await until(lambda: state(floor, made.plan_id) is PlanState.DONE)
    assert floor.sent == ["BUY 10"]
    done = floor.watch.plan(made.plan_id)
    assert isinstance(done, Trigger) and done.order_ids == ("1",)
    (row,) = floor.journal.rows.values()
    assert row.source == made.exit_source


async def test_an_instrument_has_its_own_plans(floor: Floor):
    """Open ones of the mode, newest first; others are not looked at."""
    infy = msgspec.structs.replace(leg(1700, below=False), request=buy(5))
    infy = msgspec.structs.replace(
        infy, request=msgspec.structs.replace(infy.request, symbol="INFY")
    )
    floor.ticks.say(1600.0, ("NSE", "INFY"))
    first, other = await trigger(floor, leg(810, below=False)), await trigger(floor, infy)
    last = await trigger(floor, leg(790, below=True))

    def ids(symbol: str, mode: Mode = Mode.SANDBOX) -> list[str]:
        rows = floor.watch.of(("NSE", symbol), mode)
        every = [row for row in floor.watch.plans(mode) if row.state.is_open]
        assert rows == [row for row in every if row.symbol == symbol]
        return [row.plan_id for row in rows]

    assert (ids("SBIN"), ids("INFY")) == ([last.plan_id, first.plan_id], [other.plan_id])
    assert ids("SBIN", Mode.LIVE) == []
    await floor.watch.commands.delete(first.plan_id, Mode.SANDBOX)
    await floor.watch.commands.delete(other.plan_id, Mode.SANDBOX)
    assert (ids("SBIN"), ids("INFY")) == ([last.plan_id], [])


async def test_of_a_pair_one_goes_out(floor: Floor):
    made = await trigger(floor, leg(790, below=True, action=Action.SELL), leg(810, below=False))
    assert made.is_oco
    floor.ticks.say(785.0)
    floor.ticks.say(815.0)
    await until(lambda: state(floor, made.plan_id) is PlanState.DONE)
    assert floor.sent == ["SELL 10"]


async def test_a_trigger_that_is_reached_already_is_refused(floor: Floor):
    with pytest.raises(InvalidOrder, match="above the last price 800"):
        await trigger(floor, leg(800, below=False))
    made = await trigger(floor, leg(810, below=False))
    await floor.watch.commands.pause(made.plan_id, Mode.SANDBOX)
    floor.ticks.say(815.0)
    with pytest.raises(InvalidOrder):
        await floor.watch.commands.resume(made.plan_id, Mode.SANDBOX)
    assert floor.sent == []


async def test_a_refused_trigger_is_not_tried_again(floor: Floor):
    made = await trigger(floor, leg(810, below=False))

    def refuse() -> None:
        raise RejectedByBroker("RMS: margin")

    floor.paper.answer = refuse
    floor.ticks.say(811.0)
    await until(lambda: state(floor, made.plan_id) is PlanState.FAILED)
    floor.ticks.say(812.0)
    assert len(floor.sent) == 1
    assert any("RMS: margin" in notice.text for notice in floor.notices)


async def test_a_trigger_whose_answer_is_lost_is_settled_not_repeated(floor: Floor):
    made = await trigger(floor, leg(810, below=False))

    def lose() -> None:
        raise NetTimeout("no answer")

    floor.paper.answer = lose
    floor.ticks.say(811.0)
    await until(lambda: floor.sent == ["BUY 10"])
    floor.ticks.say(812.0)
    await floor.desk.reconciler.run_once()
    await until(lambda: state(floor, made.plan_id) is PlanState.DONE)
    assert floor.sent == ["BUY 10"]


async def test_a_trigger_does_not_cross_the_modes(floor: Floor):
    made = await trigger(floor, leg(810, below=False))
    await floor.desk.set_mode(Mode.LIVE, "test")
    floor.ticks.say(811.0)
    assert state(floor, made.plan_id) is PlanState.PAUSED
    assert floor.sent == [] and floor.live.arrived == []
    assert any("nothing was sent" in notice.text for notice in floor.notices)


async def test_reached_while_the_program_did_not_run(floor: Floor):
    """An order that nobody can watch is not sent at a price that nobody saw."""
    made = await trigger(floor, leg(810, below=False))
    other = await trigger(floor, leg(700, below=True))
    await floor.watch.stop()
    floor.ticks.ticks.clear()
    await floor.restart()
    floor.ticks.say(850.0)
    assert state(floor, made.plan_id) is PlanState.PAUSED
    assert state(floor, other.plan_id) is PlanState.ACTIVE
    floor.ticks.say(690.0)
    await until(lambda: state(floor, other.plan_id) is PlanState.DONE)
    assert floor.sent == ["BUY 10"]


@pytest.mark.parametrize("left", [True, False])
async def test_killed_while_a_trigger_was_sent(floor: Floor, left: bool):
    made = await trigger(floor, leg(810, below=False))
    floor.ticks.say(811.0)
    if left:
        await until(lambda: floor.sent == ["BUY 10"])
    await floor.watch._triggers.stop()  # when nothing left: before its first turn
    fired = next(row for row in floor.store.log if row.state is PlanState.EXITING)
    floor.store.rows[made.plan_id] = fired
    await floor.restart()
    if left:
        await until(lambda: state(floor, made.plan_id) is PlanState.DONE)
        assert floor.sent == ["BUY 10"]
    else:  # nothing had left: a human decides
        await until(lambda: state(floor, made.plan_id) is PlanState.PAUSED)
        assert floor.sent == []


async def test_the_kill_switch_leaves_no_trigger(floor: Floor):
    made = await trigger(floor, leg(810, below=False))
    floor.bus.publish(KillSwitchChanged(tripped=True, by="test"))
    assert state(floor, made.plan_id) is PlanState.CANCELLED
    floor.ticks.say(815.0)
    assert floor.sent == []


async def test_a_trigger_needs_a_price_and_a_contract(floor: Floor):
    made = await trigger(floor, leg(810, below=False))
    floor.ticks.stale = True
    with pytest.raises(InvalidOrder, match="not known"):
        await trigger(floor, leg(820, below=False))
    key = ("NSE", "SBIN")
    over = floor.clock.now().date() - timedelta(days=1)
    floor.lookup.rows[key] = msgspec.structs.replace(floor.lookup.rows[key], expiry=over)
    await floor.restart()
    assert floor.watch.plan(made.plan_id).message == "the contract has expired"


async def test_a_trigger_ends_when_the_master_has_forgotten_its_contract(floor: Floor):
    made = await trigger(floor, leg(810, below=False))
    await floor.watch.stop()
    old = floor.store.rows[made.plan_id]
    floor.store.rows[made.plan_id] = msgspec.structs.replace(
        old, exchange="NFO", symbol="NIFTY24NOV2024000CE"
    )
    floor.watch = floor.make_watch()
    await floor.watch.start()
    assert floor.watch.plan(made.plan_id).message == "the contract has expired"


async def test_a_trigger_that_is_reached_while_it_is_changed_goes_out_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
):
    made = await trigger(floor, leg(810, below=False))
    snapshot, hold = floor.ticks.snapshot, asyncio.Event()

    async def slow(key: Key, need: int = 0) -> Tick:
        await hold.wait()
        return await snapshot(key)

    monkeypatch.setattr(floor.ticks, "snapshot", slow)
    tick = floor.ticks.ticks.pop(("NSE", "SBIN"))  # not streamed: the change has to ask
    work = asyncio.create_task(
        floor.watch.commands.change_trigger(made.plan_id, (leg(820, below=False),), Mode.SANDBOX)
    )
    await asyncio.sleep(0)
    floor.ticks.say(811.0)
    floor.ticks.ticks[("NSE", "SBIN")] = tick
    hold.set()
    with pytest.raises(OrderError):
        await work
    await until(lambda: state(floor, made.plan_id) is PlanState.DONE)
    floor.ticks.say(830.0)
    assert floor.sent == ["BUY 10"]


async def test_the_audit_trail_tells_of_plans(floor: Floor):
    rows: list[AuditEntry] = []

    class Trail:
        def record(self, entry: AuditEntry) -> None:
            rows.append(entry)

    recorder = AuditRecorder(floor.clock, floor.bus, Trail())
    made = await trigger(floor, leg(810, below=False))
    floor.ticks.say(811.0)
    await until(lambda: state(floor, made.plan_id) is PlanState.DONE)
    recorder.close()
    assert [row.what for row in rows] == [
        "exit plan active", "exit plan exiting", "exit plan done",
    ]  # fmt: skip
    assert rows[0].who == "window" and made.plan_id in rows[0].subject and "810" in rows[0].detail


async def test_a_trigger_that_changes(floor: Floor):
    made = await trigger(floor, leg(810, below=False))
    await floor.watch.commands.change_trigger(made.plan_id, (leg(820, below=False),), Mode.SANDBOX)
    floor.ticks.say(815.0)
    assert floor.sent == []
    await floor.watch.commands.delete(made.plan_id, Mode.SANDBOX)
    floor.ticks.say(830.0)
    assert floor.sent == []
    with pytest.raises(OrderError, match="ended"):
        await floor.watch.commands.pause(made.plan_id, Mode.SANDBOX)


# -- results -------------------------------------------------------------------------------------
@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "EVERY", 0.01)
    monkeypatch.setattr(results, "AGAIN", (0.05,) * 6)


async def test_the_account_is_closed_at_its_loss(floor: Floor, quick: None):
    await floor.hold(10)
    entry = (await floor.desk.place(buy(5, 700.0), "window")).order_id
    plan = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(100))
    floor.ticks.say(795.0)
    await until(lambda: floor.watch.result(plan) == Decimal(-50))
    floor.ticks.say(790.0)
    await until(lambda: state(floor, plan.plan_id) is PlanState.DONE)
    await floor.settled()
    assert floor.units == 0 and floor.sent == ["BUY 5", "SELL 10"]
    assert ("cancel", entry) in floor.paper.arrived
    assert any("loss reached" in notice.text for notice in floor.notices)


async def test_a_label_is_closed_and_nothing_else(floor: Floor, quick: None):
    await floor.hold(20)
    request = msgspec.structs.replace(buy(10), strategy="breakout")
    await floor.desk.place(request, "api:key")
    await until(lambda: floor.units == 30)
    plan = await floor.watch.commands.add_result(
        "window", Mode.SANDBOX, label="breakout", profit=Decimal(50)
    )
    floor.ticks.say(810.0)  # 10 x 10 rupees
    await until(lambda: state(floor, plan.plan_id) is PlanState.DONE)
    await floor.settled()
    assert floor.units == 20 and floor.sent == ["BUY 10", "SELL 10"]


async def test_a_limit_that_is_reached_already_is_no_exit(floor: Floor, quick: None):
    """Neither when it is made or changed nor when it goes on: nobody means everything at once."""
    await floor.hold(10)
    floor.ticks.say(780.0)
    add = floor.watch.commands.add_result
    with pytest.raises(InvalidOrder, match="loss is reached already") as refused:
        await add("window", Mode.SANDBOX, loss=Decimal(100))
    assert refused.value.field == "loss" and floor.watch.plans() == []
    plan = await add("window", Mode.SANDBOX, loss=Decimal(300))
    with pytest.raises(InvalidOrder, match="reached already"):
        await add("window", Mode.SANDBOX, loss=Decimal(200), replaces=plan.plan_id)
    await floor.watch.commands.pause(plan.plan_id, Mode.SANDBOX)
    floor.ticks.say(760.0)
    with pytest.raises(InvalidOrder, match="reached already"):
        await floor.watch.commands.resume(plan.plan_id, Mode.SANDBOX)
    assert floor.sent == [] and state(floor, plan.plan_id) is PlanState.PAUSED
    floor.ticks.say(790.0)
    await floor.watch.commands.resume(plan.plan_id, Mode.SANDBOX)
    await floor.watch.commands.delete(plan.plan_id, Mode.SANDBOX)
    with pytest.raises(OrderError, match="ended"):
        await add("window", Mode.SANDBOX, loss=Decimal(900), replaces=plan.plan_id)


async def test_an_unknown_price_makes_the_result_unknown(floor: Floor, quick: None):
    await floor.hold(10)
    plan = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(100))
    floor.ticks.say(799.0)
    await until(lambda: floor.watch.result(plan) is not None)
    floor.ticks.stale = True
    floor.ticks.say(700.0)
    await until(lambda: floor.watch.result(plan) is None)
    assert floor.sent == []


async def test_a_closed_market_does_not_blind_the_exit_of_an_account(floor: Floor, quick: None):
    """Shares rest from 15:30 on while commodities trade: they count at their last price."""
    floor.open_ones = {"MCX"}
    await floor.hold(10)
    floor.paper.rows.append(Position("GOLD", "MCX", Product.NRML, 1, 60_000.0))
    await floor.desk.books.rebase(Mode.SANDBOX)
    floor.ticks.say(795.0)
    floor.ticks.say(60_000.0, ("MCX", "GOLD"))
    plan = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(1000))
    await until(lambda: floor.watch.result(plan) == Decimal(-50))
    assert floor.watch.trouble(plan) == ""
    floor.ticks.say(59_000.0, ("MCX", "GOLD"))
    await until(lambda: state(floor, plan.plan_id) is PlanState.FAILED)
    # What a closed market holds stays: an order to it could go out tomorrow.
    assert "SBIN stays, NSE is closed" in floor.watch.plan(plan.plan_id).message
    assert all("10" not in order for order in floor.sent)


async def test_what_a_closed_market_does_not_stream_counts_as_the_account_values_it(
    floor: Floor, quick: None
):
    floor.open_ones = set()
    await floor.hold(10)
    floor.paper.rows[0].ltp = 790.0
    await floor.desk.books.rebase(Mode.SANDBOX)
    floor.ticks.ticks.clear()
    plan = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(1000))
    await until(lambda: floor.watch.result(plan) == Decimal(-100))
    floor.open_ones = {"NSE"}  # it trades, and nobody tells its price
    await until(lambda: floor.watch.result(plan) is None)


async def test_nothing_is_closed_while_no_market_of_it_trades(floor: Floor, quick: None):
    await floor.hold(10)
    floor.open_ones = set()
    plan = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(100))
    floor.ticks.say(700.0)
    await until(lambda: floor.watch.result(plan) == Decimal(-1000))
    assert state(floor, plan.plan_id) is PlanState.ACTIVE and floor.sent == []


async def test_a_result_that_nobody_knows_is_told(
    floor: Floor, quick: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(results, "BLIND_AFTER", 0.1)
    await floor.hold(10)
    floor.ticks.stale = True
    plan = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(100))
    said = "The price of SBIN is not known."
    assert floor.watch.trouble(plan) == said
    await until(lambda: [notice for notice in floor.notices if said in notice.text] != [])


async def test_a_result_is_of_today(floor: Floor, quick: None, monkeypatch: pytest.MonkeyPatch):
    """Between midnight and the first look at the books of the new day nothing is closed."""
    await floor.hold(10)
    plan = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(100))
    floor.ticks.say(799.0)
    await until(lambda: floor.watch.result(plan) == Decimal(-10))
    floor.desk.books.book(Mode.SANDBOX).day = floor.clock.now().date() - timedelta(1)
    floor.ticks.say(700.0)
    await until(lambda: floor.watch.result(plan) is None)
    assert state(floor, plan.plan_id) is PlanState.ACTIVE and floor.sent == []
    assert "books of today" in floor.watch.trouble(plan)


async def test_a_result_exit_goes_on_after_a_restart(
    floor: Floor, quick: None, monkeypatch: pytest.MonkeyPatch
):
    """Its closing order was on the way and never arrived: nothing is sent before that is known."""
    monkeypatch.setattr(reconcile, "ABSENT_AFTER_RESTART", 0.3)
    monkeypatch.setattr(reconcile, "BUSY_INTERVAL", 0.05)
    await floor.hold(10)
    plan = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(100))
    place, hold = floor.paper.place, asyncio.Event()

    async def slow(request: OrderRequest, tag: str) -> OrderAck:
        await hold.wait()
        return await place(request, tag)

    floor.paper.place = slow  # type: ignore[method-assign]
    floor.ticks.say(780.0)
    await until(lambda: state(floor, plan.plan_id) is PlanState.EXITING)
    await floor.watch.stop()
    await floor.desk.sender.abandon()
    floor.paper.place = place  # type: ignore[method-assign]
    await floor.restart()
    await until(lambda: state(floor, plan.plan_id) is PlanState.DONE)
    await floor.settled()
    assert floor.units == 0


async def test_limits_of_a_result_that_cannot_be(floor: Floor):
    with pytest.raises(InvalidOrder, match="Give a loss"):
        await floor.watch.commands.add_result("window", Mode.SANDBOX)
    with pytest.raises(InvalidOrder, match="above 0"):
        await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(-1))
    first = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(10))
    again = await floor.watch.commands.add_result("window", Mode.SANDBOX, profit=Decimal(10))
    assert first.plan_id == again.plan_id and again.loss is None


@pytest.mark.parametrize("storing", [False, True])
async def test_a_trigger_that_is_deleted_before_it_left_sends_nothing(floor: Floor, storing: bool):
    made = await trigger(floor, leg(810, below=False))
    stored = asyncio.get_running_loop().create_future()
    save = floor.store.save

    def slowly(plan: AnyPlan) -> asyncio.Future[None]:
        save(plan)
        return stored

    floor.store.save = slowly  # type: ignore[method-assign]
    floor.ticks.say(811.0)
    assert state(floor, made.plan_id) is PlanState.EXITING
    if storing:
        await asyncio.sleep(0)
    floor.store.save = save  # type: ignore[method-assign]
    await floor.watch.commands.delete(made.plan_id, Mode.SANDBOX)
    stored.set_result(None)
    await asyncio.gather(*(t for t in asyncio.all_tasks() if t.get_name().startswith("trigger ")))
    await floor.settled()
    assert floor.sent == [] and state(floor, made.plan_id) is PlanState.CANCELLED
