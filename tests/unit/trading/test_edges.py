"""Edges where one condition less would still look right: each test falls with one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import (
    Action,
    Exchange,
    JournalState,
    Mode,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    DataError,
    OrderError,
    OrderNotWorking,
    OrderStateUnknown,
    RejectedByBroker,
    StorageError,
    SymbolUnknown,
)
from openalgo_desktop.core.events import OrderCorrected, OrderSettled
from openalgo_desktop.core.leaving import is_leaving
from openalgo_desktop.core.model import (
    BookRows,
    Key,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
)
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.trading import exits, reconcile, sending, underway
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.risk import KILL_SOURCE
from openalgo_desktop.trading.smart import NotNeeded
from tests.unit.trading.test_desk import BUY, SOON, Rig
from tests.unit.trading.test_underway import KEY, World, limit
from tests.waiting import until

SELL = msgspec.structs.replace(BUY, action=Action.SELL)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    await made.desk.start()
    yield made
    await made.desk.stop()


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(underway, "LAG", 0.3)
    monkeypatch.setattr(underway, "PERSISTS", 0.2)
    monkeypatch.setattr(underway, "AGAIN", 0.02)
    monkeypatch.setattr(exits, "SETTLE", 0.2)
    monkeypatch.setattr(exits, "POLL", 0.02)
    made = World()
    await made.desk.start()
    yield made
    await made.paper.done()
    await made.desk.stop()


async def nothing() -> BookRows[Order]:
    """An order book that shows nothing."""
    return BookRows()


# -- the desk ------------------------------------------------------------------------------------
async def test_a_human_is_not_asked_before_the_kill_switch_closes(rig: Rig):
    async def never(request: OrderRequest, source: str) -> None:
        raise OrderError("nobody is there to say yes")

    rig.desk.approval = never
    with pytest.raises(OrderError, match="nobody"):
        await rig.desk.place(SELL, "window")
    await rig.desk.place(SELL, KILL_SOURCE, closing=True)
    assert len(rig.paper.arrived) == 1


@pytest.mark.parametrize("status", [OrderStatus.COMPLETE, OrderStatus.CANCELLED])
async def test_an_order_that_is_over_is_not_changed(rig: Rig, status: OrderStatus):
    """The gateway is not asked, though it would say yes."""
    placed = await rig.desk.place(BUY, "window")
    rig.paper.book[0].status = status
    with pytest.raises(OrderNotWorking, match=f"Cannot modify order in {status.value} status"):
        await rig.desk.modify(ModifyRequest(placed.order_id, quantity=5), "window")
    assert [kind for kind, _ in rig.paper.arrived] == ["place"]


async def test_a_cancellation_does_not_follow_the_switch_of_the_mode(rig: Rig):
    placed = await rig.desk.place(BUY, "window")
    await rig.desk.set_mode(Mode.LIVE, "test")
    with pytest.raises(OrderError, match="mode was switched"):
        await rig.desk.cancel(placed.order_id, "window", Mode.SANDBOX)
    assert rig.live.arrived == [] and len(rig.paper.arrived) == 1


async def test_a_switch_while_slices_go_out_stops_the_rest(rig: Rig):
    rig.lookup.rows["NSE", "SBIN"] = msgspec.structs.replace(
        rig.lookup.require("SBIN", "NSE"), freeze_qty=5
    )
    loop = asyncio.get_running_loop()
    rig.paper.answer = lambda: loop.create_task(rig.desk.set_mode(Mode.LIVE, "test")) and None
    with pytest.raises(OrderError) as caught:
        await rig.desk.place(SELL, "window", closing=True)
    assert "Already sent: 1 of 2 parts" in caught.value.message
    assert (len(rig.paper.arrived), rig.live.arrived) == (1, [])


# -- what is under way ---------------------------------------------------------------------------
async def test_an_order_book_with_unreadable_rows_proves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    await world.hold(10)
    world.paper.rows = [Position("SBIN", "NSE", Product.MIS, 4, 800.0)]  # it has to look closer

    async def partial() -> BookRows[Order]:
        return BookRows([], ["row 3: quantity 'NaN'"])

    monkeypatch.setattr(world.paper, "orders", partial)
    with pytest.raises(DataError, match="nothing was sent"):
        await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    assert world.sent == []


async def test_an_accepted_order_that_no_book_shows_yet_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """Brokers' books are behind their acknowledgements; it is neither pushed nor listed."""
    world.paper.delay = 60.0
    read = world.paper.orders
    monkeypatch.setattr(world.paper, "push", lambda *_: None)
    monkeypatch.setattr(underway, "LOOK_AFTER", 0.05)
    hidden = True

    async def orders() -> BookRows[Order]:
        return BookRows() if hidden else await read()

    monkeypatch.setattr(world.paper, "orders", orders)
    await world.smart.place(BUY, 10, "api:a")
    await asyncio.sleep(0.1)
    assert isinstance(await world.smart.place(BUY, 10, "api:a"), NotNeeded)
    monkeypatch.setattr(underway, "FORGET_AFTER", 0.1)
    world.paper.tasks.pop().cancel()
    # It never turns up: after a while it is no longer waited for.
    await world.smart.place(BUY, 10, "api:a")
    hidden = False
    world.paper.tasks.pop().cancel()
    assert world.sent == ["BUY 10", "BUY 10"]


async def test_an_order_that_ended_unheard_is_looked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """The push of its rejection was lost: the order book says that nothing is under way."""
    monkeypatch.setattr(underway, "LOOK_AFTER", 0.05)
    monkeypatch.setattr(world.paper, "push", lambda *_: None)
    world.paper.reject = True
    await world.smart.place(BUY, 10, "api:a")
    await world.paper.done()
    await asyncio.sleep(0.1)
    await world.smart.place(BUY, 10, "api:a")
    await world.paper.done()
    assert world.sent == ["BUY 10", "BUY 10"]


async def test_an_exit_that_was_sent_as_a_limit_trades_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """Market protection makes a limit of it: it is waited for, not taken back as a resting one."""
    await world.hold(10)

    class Protecting:
        def split(self, request: OrderRequest, row: object) -> list[OrderRequest]:
            return [request]

        async def protect(self, request: OrderRequest, *_: object, **__: object) -> OrderRequest:
            price = 790.0
            return msgspec.structs.replace(request, price_type=PriceType.LIMIT, price=price)

    world.desk.policies = Protecting()  # type: ignore[assignment]
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "one")
    answer = await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "two")
    assert answer is not None and "under way already" in answer.message
    assert (world.sent, [k for k, _ in world.paper.arrived if k == "cancel"]) == (["SELL 10"], [])


async def test_a_cancelled_exit_counts_until_it_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """The broker takes the cancellation and works on it; then the whole position is closed."""
    await world.hold(10)
    resting = (await world.desk.place(limit(Action.SELL, 10), "window")).order_id

    async def cancel(order_id: str) -> OrderAck:
        world.paper.arrived.append(("cancel", order_id))

        async def later() -> None:
            await asyncio.sleep(0.1)
            order = next(row for row in world.paper.book if row.order_id == order_id)
            order.status = OrderStatus.CANCELLED
            world.paper.push(order)

        world.paper.tasks.append(asyncio.create_task(later()))
        return OrderAck(order_id)

    monkeypatch.setattr(world.paper, "cancel", cancel)
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    await world.paper.done()
    assert ("cancel", resting) in world.paper.arrived
    assert (world.sent, world.paper.real) == (["SELL 10", "SELL 10"], 0)


async def test_executions_behind_the_order_book_take_nothing_away(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """The order book says 6 of 10, the trade book still 2: 6 are filled."""
    await world.desk.place(limit(Action.BUY, 10), "window")
    order = world.paper.book[0]
    order.filled_quantity = 6
    world.paper.rows = [Position("SBIN", "NSE", Product.MIS, 6, 800.0)]
    trade = world.paper._trade(order, 2)

    async def trades() -> BookRows[object]:
        return BookRows([trade])

    monkeypatch.setattr(world.paper, "trades", trades)
    view = await world.desk.under_way.view(Mode.SANDBOX, world.paper, KEY)
    assert (view.held, [row.quantity for row in view.pending]) == (6, [4])


async def test_a_position_book_that_is_unsteady_is_not_believed(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """Only what it says for a while is: it answers from two servers."""
    await world.hold(10)
    answers = 0

    async def positions() -> BookRows[Position]:
        nonlocal answers
        answers += 1
        units = (4, 7)[answers % 2] if answers < 30 else 10
        return BookRows([Position("SBIN", "NSE", Product.MIS, units, 800.0)])

    monkeypatch.setattr(world.paper, "positions", positions)
    view = await world.desk.under_way.view(Mode.SANDBOX, world.paper, KEY)
    assert view.held == 10


async def test_an_order_book_behind_the_push_adds_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """6 of 10 are filled, says the push; order book and position book do not know it yet."""
    await world.desk.place(limit(Action.BUY, 10), "window")
    before = await world.paper.orders()
    await world.paper.fill_part("1", 6)
    world.paper.rows = []

    async def orders() -> BookRows[Order]:
        return BookRows(msgspec.structs.replace(row) for row in before)

    monkeypatch.setattr(world.paper, "orders", orders)
    view = await world.desk.under_way.view(Mode.SANDBOX, world.paper, KEY)
    assert (view.held, [row.quantity for row in view.pending]) == (6, [4])


def position(quantity: int) -> list[Position]:
    return [Position("SBIN", "NSE", Product.MIS, quantity, 800.0)]


@pytest.mark.parametrize("read", [15, 10], ids=["with the fill", "without it at first"])
async def test_a_position_carried_over_that_nobody_told_of(
    world: World, monkeypatch: pytest.MonkeyPatch, read: int
):
    """The books could not be read at the start, so what was held before is not known: a fill of 5
    does not make it 5, and neither does a position book that is behind that fill."""
    carried = 10 if read == 15 else 5
    fresh = World()
    fresh.paper.unreadable = True
    await fresh.desk.start()  # nothing is known
    fresh.paper.unreadable = False
    fresh.paper.rows = position(read if read == 15 else carried)
    order = Order(
        "1", "SBIN", "NSE", Action.BUY, 5, PriceType.MARKET, Product.MIS,
        status=OrderStatus.COMPLETE, filled_quantity=5,
    )  # fmt: skip
    fresh.paper.book.append(order)
    fresh.paper.push(order)

    async def catch_up() -> None:
        await asyncio.sleep(0.1)
        fresh.paper.rows = position(carried + 5)

    late = asyncio.create_task(catch_up())
    view = await fresh.desk.under_way.view(Mode.SANDBOX, fresh.paper, KEY)
    await late
    assert (view.held, view.pending) == (carried + 5, ())
    await fresh.desk.stop()


@pytest.mark.parametrize(
    ("held", "target", "closes"),
    [
        (0, 10, False),
        (10, 15, False),
        (10, 4, True),
        (10, 0, True),
        (10, -5, False),
        (-8, 2, False),
    ],
)
async def test_only_a_smart_order_that_takes_a_position_down_passes_the_limits(
    world: World, monkeypatch: pytest.MonkeyPatch, held: int, target: int, closes: bool
):
    if held:
        await world.hold(held)
    told: list[bool] = []
    place = world.desk.place

    async def seen(*args: Any, closing: bool = False, **more: Any) -> Placed:
        told.append(closing)
        return await place(*args, closing=closing, **more)

    monkeypatch.setattr(world.desk, "place", seen)
    await world.smart.place(BUY, target, "api:a")
    await world.paper.done()
    assert (told, world.paper.real) == ([closes], target)


# -- sending -------------------------------------------------------------------------------------
async def test_the_intent_is_durable_before_a_broker_hears_of_the_order(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    """Whatever the paper account does: a live order is on disk first."""
    stored = asyncio.Event()
    intent = rig.journal.intent
    shares: list[bool] = []

    async def slow(entry: JournalEntry, *, shared: bool = False) -> None:
        shares.append(shared)
        await stored.wait()
        await intent(entry)

    monkeypatch.setattr(rig.journal, "intent", slow)
    await rig.desk.set_mode(Mode.LIVE, "test")
    order = asyncio.create_task(rig.desk.place(BUY, "window"))
    await until(lambda: bool(shares))
    for _ in range(20):
        await asyncio.sleep(0)
    assert (rig.live.arrived, shares) == ([], [False])
    stored.set()
    await order
    assert len(rig.live.arrived) == 1


async def test_no_answer_before_the_intent_is_durable(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """In the paper account both go at once; the caller waits for both."""
    stored = asyncio.Event()
    intent = rig.journal.intent

    async def slow(entry: JournalEntry, *, shared: bool = False) -> None:
        await stored.wait()
        await intent(entry)

    monkeypatch.setattr(rig.journal, "intent", slow)
    order = asyncio.create_task(rig.desk.place(BUY, "window"))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not order.done()
    stored.set()
    await order
    assert len(rig.paper.arrived) == 1


async def test_an_order_that_was_not_journaled_is_not_under_way(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """A store that is known to fail is asked before the gateway."""

    async def full(entry: JournalEntry, *, shared: bool = False) -> None:
        assert not shared
        raise StorageError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(world.journal, "intent", full)
        patch.setattr(world.journal, "well", False)
        with pytest.raises(StorageError):
            await world.smart.place(BUY, 10, "api:a")
    await world.smart.place(BUY, 10, "api:a")
    await world.paper.done()
    assert world.sent == ["BUY 10"] and world.paper.real == 10


async def test_an_order_that_may_not_be_there_is_not_counted_on(world: World):
    """10 are held and the answer of 5 more was lost: to 10 nothing is sold."""

    def lose() -> None:
        world.paper.book.pop()
        raise OrderStateUnknown("reset", tag="")

    await world.hold(10)
    world.paper.answer = lose
    with pytest.raises(OrderStateUnknown):
        await world.desk.place(msgspec.structs.replace(BUY, quantity=5), "window")
    world.paper.tasks.clear()
    world.paper.answer = lambda: None
    assert isinstance(await world.smart.place(BUY, 10, "api:a"), NotNeeded)
    assert world.sent == ["BUY 5"]


async def test_the_answer_of_another_order_is_waited_for(world: World):
    """It may be refused: then it does not count."""
    gate = asyncio.Event()
    place = world.paper.place

    async def refuse_late(request: OrderRequest, tag: str) -> OrderAck:
        await asyncio.sleep(0.02)
        gate.set()
        raise RejectedByBroker("RMS")

    world.paper.place = refuse_late  # type: ignore[method-assign]
    first = asyncio.create_task(world.desk.place(BUY, "window"))
    await asyncio.sleep(0)
    second = asyncio.create_task(world.smart.place(BUY, 10, "api:a"))
    await gate.wait()
    world.paper.place = place  # type: ignore[method-assign]
    await asyncio.gather(first, second, return_exceptions=True)
    await world.paper.done()
    assert (world.sent, world.paper.real) == (["BUY 10"], 10)


@pytest.mark.parametrize("late", ["accepted", "refused", "unknown"])
async def test_a_late_answer_says_what_it_says(
    rig: Rig, late: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rig.paper, "orders", nothing)  # no book tells
    settled: list[OrderSettled] = []
    rig.bus.subscribe(OrderSettled, settled.append)
    rig.paper.hold = asyncio.Event()

    def answer() -> None:
        if late == "refused":
            raise RejectedByBroker("RMS")
        if late == "unknown":
            raise OrderStateUnknown("reset", tag="")

    rig.paper.answer = answer
    rig.answer = SOON
    with pytest.raises(OrderStateUnknown):
        await rig.desk.place(BUY, "window")
    rig.answer = Rig.answer
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.UNKNOWN]
    rig.paper.hold.set()
    await rig.desk.quiet()
    await rig.desk.quiet()
    expected = {
        "accepted": JournalState.ACKNOWLEDGED,
        "refused": JournalState.REJECTED,
        "unknown": JournalState.UNKNOWN,
    }
    assert rig.journal.states() == [expected[late]]
    assert len(settled) == (late != "unknown")
    assert rig.desk.unsettled() == (late == "unknown")


def settle_fails(rig: Rig, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """The journal takes an answer only after so many tries."""
    settle, failures = rig.journal.settle, times

    async def sometimes(*args: object, **more: object) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise StorageError("disk full")
        await settle(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(rig.journal, "settle", sometimes)


async def test_an_answer_is_written_again_until_the_store_takes_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sending, "RETRY_STORE", 0.01)
    settle_fails(rig, monkeypatch, times=3)
    monkeypatch.setattr(reconcile, "BUSY_INTERVAL", 60.0)
    await rig.desk.place(BUY, "window")
    await until(lambda: rig.journal.states() == [JournalState.ACKNOWLEDGED])


async def test_the_end_waits_for_an_answer_that_the_store_does_not_take_at_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sending, "RETRY_STORE", 0.001)
    settle_fails(rig, monkeypatch, times=2)
    await rig.desk.place(BUY, "window")
    await rig.desk.sender.stop()
    assert rig.journal.states() == [JournalState.ACKNOWLEDGED]


async def test_what_cannot_be_written_at_all_is_not_under_way(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*args: object, **more: object) -> None:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    monkeypatch.setattr(rig.journal, "intent", refuse)
    with pytest.raises(UnicodeEncodeError):
        await rig.desk.place(BUY, "window")
    assert rig.paper.arrived == []
    assert not list(
        rig.desk.sender.outstanding.of("sandbox:1", (BUY.exchange, BUY.symbol, BUY.product))
    )


async def test_an_end_lets_go_of_an_answer_that_the_store_keeps_waiting(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    waits: list[asyncio.Future[int]] = []

    def slow(*args: object, **more: object) -> asyncio.Future[int]:
        waits.append(asyncio.get_running_loop().create_future())
        return waits[0]

    monkeypatch.setattr(rig.journal, "settle", slow)
    monkeypatch.setattr(reconcile, "BUSY_INTERVAL", 60.0)
    await rig.desk.place(BUY, "window")
    await rig.desk.sender.abandon()  # for ever, where the loop got no turn
    assert [future.cancelled() for future in waits] == [True]
    assert dict(rig.desk.reconciler.flying) == {}


@pytest.mark.parametrize("disk", ["full", "silent"])
@pytest.mark.parametrize("way", ["cancel", "close"])
async def test_a_full_disk_keeps_nobody_in_a_broker_s_book(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, way: str, disk: str
):
    """What opens is not sent without its intent on disk; what leaves is, and its row follows."""
    monkeypatch.setattr(sending, "RETRY_STORE", 0.01)
    monkeypatch.setattr(sending, "EXIT_WAITS", 0.05)
    monkeypatch.setattr(exits, "SETTLE", 0.04)
    monkeypatch.setattr(exits, "POLL", 0.02)
    monkeypatch.setattr(reconcile, "BUSY_INTERVAL", 60.0)
    await rig.desk.set_mode(Mode.LIVE, "test")
    resting = await rig.desk.place(limit(Action.BUY, 3), "window")
    rig.live.rows = [Position("SBIN", "NSE", Product.MIS, 10, 800.0)]
    await rig.desk.books.rebase(Mode.LIVE)
    await until(lambda: rig.journal.states() == [JournalState.ACKNOWLEDGED])
    intent, full = rig.journal.intent, True

    answers = asyncio.Event()

    async def store(entry: JournalEntry, *, shared: bool = False) -> None:
        if full and disk == "silent":
            await answers.wait()
        if full:
            raise StorageError("disk full")
        await intent(entry, shared=shared)

    monkeypatch.setattr(rig.journal, "intent", store)
    rig.answer = 4 * SOON  # a close waits so long for what opens
    rig.live.arrived.clear()
    opening = asyncio.ensure_future(rig.desk.place(BUY, "window"))
    await asyncio.sleep(0.1)
    assert rig.live.arrived == []
    if way == "cancel":
        await rig.desk.cancel(resting.order_id, "window")
    else:
        result = await rig.desk.closing.close_all("window")
        assert (result.closed, result.failed) == (1, 0)
    assert [kind for kind, _ in rig.live.arrived] == ["cancel" if way == "cancel" else "place"]
    assert rig.journal.states() == [JournalState.ACKNOWLEDGED]  # of the resting order
    answers.set()
    with pytest.raises(StorageError):
        await opening
    full = False
    await until(lambda: rig.journal.states() == [JournalState.ACKNOWLEDGED] * 2)


# -- the reconciler ------------------------------------------------------------------------------
async def test_an_order_whose_call_has_not_ended_is_not_given_up(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    """Its request may still arrive, however long it takes to answer."""
    monkeypatch.setattr(rig.paper, "orders", nothing)
    rig.paper.hold = asyncio.Event()
    rig.answer = SOON
    with pytest.raises(OrderStateUnknown):
        await rig.desk.place(BUY, "window")
    rig.clock.advance(reconcile.ABSENT_AFTER + 1)
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.UNKNOWN]
    rig.clock.advance(reconcile.ANSWER_WITHIN)
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.REJECTED]
    rig.paper.hold.set()


async def test_an_order_of_this_run_has_its_thirty_seconds(rig: Rig):
    """Those of an earlier run are older than the process; this one is not."""

    def lose() -> None:
        rig.paper.book.pop()
        raise OrderStateUnknown("reset", tag="")

    rig.paper.answer = lose
    with pytest.raises(OrderStateUnknown):
        await rig.desk.place(BUY, "window")
    await rig.desk.quiet()
    rig.clock.advance(reconcile.ABSENT_AFTER - 0.1)
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.UNKNOWN]
    rig.clock.advance(0.1)
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.REJECTED]


async def test_a_rejected_row_of_a_rejected_order_corrects_nothing(rig: Rig):
    def refuse() -> None:
        raise RejectedByBroker("RMS: no")

    told: list[OrderCorrected] = []
    rig.bus.subscribe(OrderCorrected, told.append)
    rig.paper.answer = refuse
    with pytest.raises(RejectedByBroker):
        await rig.desk.place(BUY, "window")
    await rig.desk.quiet()
    row = rig.paper.book[0]
    row.status = OrderStatus.REJECTED
    assert rig.paper.listener is not None
    rig.paper.listener(OrderUpdate("sandbox:1", msgspec.structs.replace(row)))
    await rig.desk.books.compare(Mode.SANDBOX)
    await rig.desk.quiet()
    assert told == [] and rig.journal.states() == [JournalState.REJECTED]


async def test_a_correction_that_is_not_stored_is_made_by_the_next_book(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    def refuse() -> None:
        rig.paper.book.pop()
        raise RejectedByBroker("RMS: no")

    told: list[OrderCorrected] = []
    rig.bus.subscribe(OrderCorrected, told.append)
    rig.paper.answer = refuse
    with pytest.raises(RejectedByBroker):
        await rig.desk.place(BUY, "window")
    await rig.desk.quiet()
    rig.paper.answer = lambda: None
    await rig.paper.place(BUY, next(iter(rig.journal.rows)))
    settle, tries = rig.journal.settle, 0

    async def fails_once(*args: object, **more: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise StorageError("disk full")
        await settle(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(rig.journal, "settle", fails_once)
    rig.desk.reconciler.saw_book(rig.paper.book)
    await until(lambda: tries == 1)
    await asyncio.sleep(0)
    assert told == []
    rig.desk.reconciler.saw_book(rig.paper.book)
    await until(lambda: bool(told))
    assert rig.journal.states() == [JournalState.ACKNOWLEDGED]


async def test_what_becomes_unknown_during_a_look_is_shown_after_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    def lose() -> None:
        rig.paper.book.pop()
        raise OrderStateUnknown("reset", tag="")

    gate, reading, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    read = rig.journal.open_entries

    async def slow() -> list[JournalEntry]:
        rows = await read()
        # The look of the test reads while the order is lost; the next one takes its time.
        event = again if reading.is_set() else gate
        reading.set()
        await event.wait()
        return rows

    monkeypatch.setattr(rig.journal, "open_entries", slow)
    look = asyncio.create_task(rig.desk.reconciler.run_once())
    await reading.wait()
    rig.paper.answer = lose
    with pytest.raises(OrderStateUnknown):
        await rig.desk.place(BUY, "window")
    gate.set()
    await look
    assert rig.desk.unsettled() == 1
    again.set()


async def test_a_position_whose_symbol_left_the_master_gets_out_and_nothing_else_does(rig: Rig):
    """The master was renewed without it (expired, renamed, a list that came short)."""
    rig.paper.rows = [Position("GONE", "NSE", Product.MIS, 7, 100.0)]
    with pytest.raises(SymbolUnknown):
        await rig.desk.place(OrderRequest("GONE", "NSE", Action.SELL, 7), "window")
    assert rig.paper.arrived == []
    placed = await rig.desk.closing.close_position("GONE", "NSE", Product.MIS, "window")
    assert placed is not None
    (order,) = rig.paper.book
    assert (order.symbol, order.action, order.quantity) == ("GONE", Action.SELL, 7)


class NoMarket:
    """Nobody knows a price."""

    def fresh(self, key: Key, need: int = 0, max_age: float | None = None) -> None:
        return None

    def latest(self, key: Key) -> None:
        return None

    async def snapshot(self, key: Key, need: int = 0) -> None:
        raise DataError("no quote")


async def test_where_market_orders_go_out_as_limits_it_gets_out_at_the_price_of_the_book(rig: Rig):
    ticks: Any = NoMarket()
    settings = {"trading.market_protection": "needed", "trading.freeze_split": False}
    rig.desk.policies = OrderPolicies(ticks, settings.__getitem__)
    rule = {PriceType.MARKET: frozenset({Exchange.NSE})}
    rig.paper.traits = Traits(protect=rule)
    rig.paper.rows = [Position("GONE", "NSE", Product.MIS, 7, 90.0, ltp=100.0)]
    sent: list[OrderRequest] = []
    place = rig.paper.place

    async def seen(request: OrderRequest, tag: str) -> OrderAck:
        sent.append(request)
        return await place(request, tag)

    rig.paper.place = seen  # type: ignore[method-assign]
    await rig.desk.closing.close_position("GONE", "NSE", Product.MIS, "window")
    (request,) = sent
    assert request.price_type is PriceType.LIMIT and 90.0 < request.price < 100.0


async def test_what_closes_a_position_says_so_on_its_way(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """A broker's rate limit lets it go first; what opens is sent as ever."""
    await rig.desk.set_mode(Mode.LIVE, "test")
    rig.live.rows = [Position("SBIN", "NSE", Product.MIS, 10, 800.0)]
    await rig.desk.books.rebase(Mode.LIVE)
    place, said = rig.live.place, []

    async def hears(request: OrderRequest, tag: str) -> OrderAck:
        said.append((request.action, is_leaving()))
        return await place(request, tag)

    monkeypatch.setattr(rig.live, "place", hears)
    await rig.desk.place(BUY, "window")
    await rig.desk.closing.close_all("window")
    assert said == [(Action.BUY, False), (Action.SELL, True)] and not is_leaving()
