"""Unknown orders when things go wrong around them: the store, the clock, the book, the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from openalgo_desktop.core.enums import JournalState, Mode, OrderStatus
from openalgo_desktop.core.errors import (
    NetTimeout,
    OrderStateUnknown,
    RejectedByBroker,
    StorageError,
)
from openalgo_desktop.core.events import OrderCorrected, OrderSettled
from openalgo_desktop.core.model import BookRows, Order, OrderUpdate
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.trading import books, reconcile
from tests.unit.trading.test_desk import BUY, Rig
from tests.waiting import until


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr(books, "CONFIRM_AFTER", 0.0)
    monkeypatch.setattr(reconcile, "BUSY_INTERVAL", 0.05)
    made = Rig()
    await made.desk.start()
    yield made
    await made.desk.stop()


def lose(rig: Rig, *, arrives: bool) -> None:
    """The next answers are lost."""

    def answer() -> None:
        if not arrives:
            rig.paper.book.pop()
        raise OrderStateUnknown("reset", tag="")

    rig.paper.answer = answer


async def lost_order(rig: Rig, *, arrives: bool) -> JournalEntry:
    lose(rig, arrives=arrives)
    with pytest.raises(OrderStateUnknown):
        await rig.desk.place(BUY, "window")
    return list(rig.journal.rows.values())[-1]


async def test_a_failed_read_of_the_store_blinds_nobody(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    broken = True
    read = rig.journal.open_entries

    async def sometimes() -> list[JournalEntry]:
        if broken:
            raise StorageError("disk")
        return await read()

    monkeypatch.setattr(rig.journal, "open_entries", sometimes)
    await lost_order(rig, arrives=True)
    await rig.desk.quiet()
    rig.paper.book.clear()
    (row,) = await rig.desk.read.orders()
    assert (row.status, rig.desk.unsettled()) == (OrderStatus.UNKNOWN, 1)
    rig.paper.answer = lambda: None
    await rig.paper.place(BUY, next(iter(rig.journal.rows)))
    broken = False  # the next look comes soon, not after the minute of quiet times
    await until(lambda: rig.journal.states() == [JournalState.ACKNOWLEDGED])
    await until(lambda: rig.desk.unsettled() == 0)


async def test_who_is_settled_in_a_long_look_is_not_unknown_until_its_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    """Its row stood beside the order itself, or beside a journal that said rejected."""
    monkeypatch.setattr(rig.desk.reconciler, "wake", lambda: None)
    first = await lost_order(rig, arrives=False)
    second = await lost_order(rig, arrives=False)
    await rig.desk.quiet()
    rig.clock.advance(reconcile.ABSENT_AFTER + 1)
    seen: list[list[str]] = []
    settle = rig.journal.settle

    async def watched(tag: str, *rest: object, **options: object) -> None:
        seen.append([row.order_id for row in await rig.desk.read.orders()])
        await settle(tag, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(rig.journal, "settle", watched)
    await rig.desk.reconciler.run_once()
    assert seen == [[first.tag, second.tag], [second.tag]]
    assert list(await rig.desk.read.orders()) == []


@pytest.mark.parametrize("readable", [True, False])
async def test_who_is_lost_during_a_look_has_the_whole_time_to_show_up(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, readable: bool
):
    """Its row is younger than the look's reading; it was taken for one of an earlier run and told
    as never arrived at once. In an outage every look is long and ends in nothing."""
    monkeypatch.setattr(rig.desk.reconciler, "wake", lambda: None)
    rig.clock.advance(100)  # the program has run for a while
    first = await lost_order(rig, arrives=False)
    await rig.desk.quiet()
    read, later = rig.paper.orders, list[JournalEntry]()

    async def meanwhile() -> BookRows[Order]:
        later.append(await lost_order(rig, arrives=False))
        await rig.desk.quiet()
        if not readable:
            raise NetTimeout("no network")
        return await read()

    monkeypatch.setattr(rig.paper, "orders", meanwhile)
    await rig.desk.reconciler.run_once()
    monkeypatch.setattr(rig.paper, "orders", read)  # the book lags: it shows neither
    await rig.desk.reconciler.run_once()
    states = {tag: row.state for tag, row in rig.journal.rows.items()}
    assert states == {first.tag: JournalState.UNKNOWN, later[0].tag: JournalState.UNKNOWN}
    rig.clock.advance(reconcile.ABSENT_AFTER + 1)
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.REJECTED] * 2


async def test_an_answer_that_comes_during_a_look_ends_the_unknown(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    lost = await lost_order(rig, arrives=False)
    await rig.desk.quiet()
    read = rig.paper.orders

    async def meanwhile() -> BookRows[Order]:
        rig.desk.reconciler.answered(lost.tag)
        return await read()

    monkeypatch.setattr(rig.paper, "orders", meanwhile)
    await rig.desk.reconciler.run_once()
    assert rig.desk.unsettled() == 0


async def test_a_failed_read_at_the_start_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reconcile, "BUSY_INTERVAL", 0.05)
    rig = Rig()
    request = msgspec.to_builtins(BUY)
    entry = JournalEntry("T", "place", "sandbox:1", Mode.SANDBOX, "w", request, rig.clock.now())
    await rig.journal.intent(entry)
    await rig.paper.place(BUY, "T")
    calls = 0
    settle = rig.journal.settle

    async def fails_once(*args: object, **options: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise StorageError("disk")
        await settle(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(rig.journal, "settle", fails_once)
    await rig.desk.reconciler.start()
    assert rig.desk.unsettled() == 1
    await until(lambda: rig.journal.states() == [JournalState.ACKNOWLEDGED])
    await rig.desk.reconciler.stop()


async def test_looks_come_one_after_the_other(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """A slow look that began before an order became unknown does not hide it."""
    gate = asyncio.Event()
    orders = rig.paper.orders
    running = most = 0

    async def slow() -> BookRows[Order]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        return await orders()

    await lost_order(rig, arrives=False)
    monkeypatch.setattr(rig.paper, "orders", slow)
    looks = [asyncio.create_task(rig.desk.reconciler.run_once()) for _ in range(3)]
    await until(lambda: running == 1)
    await lost_order(rig, arrives=False)
    assert rig.desk.unsettled() == 2
    gate.set()
    await asyncio.gather(*looks)
    assert (most, rig.desk.unsettled()) == (1, 2)


@pytest.mark.parametrize("leap", [-86_400, 0, 3600])
async def test_what_is_open_at_the_start_is_of_an_earlier_run(leap: float):
    """Whatever the clock says: an order "of tomorrow" too."""
    rig = Rig()
    request = msgspec.to_builtins(BUY)
    entry = JournalEntry("T", "place", "sandbox:1", Mode.SANDBOX, "w", request, rig.clock.now())
    await rig.journal.intent(entry)
    rig.clock.leap(leap)
    desk = rig.make_desk()
    await desk.start()
    if leap <= 0:
        assert rig.journal.states() == [JournalState.UNKNOWN]
        assert [row.tag for row in await desk.read.orders()] == ["T"]
    rig.clock.advance(reconcile.ABSENT_AFTER_RESTART)
    await desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.REJECTED]
    await desk.stop()


async def test_a_clock_put_forward_does_not_settle_an_order_of_this_run(rig: Rig):
    await lost_order(rig, arrives=False)
    rig.clock.leap(reconcile.ABSENT_AFTER + 1)
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.UNKNOWN]


@pytest.mark.parametrize("way", ["push", "book", "restart"])
async def test_a_rejection_that_arrived_after_all_is_corrected(rig: Rig, way: str):
    def refuse() -> None:
        rig.paper.book.pop()
        raise RejectedByBroker("RMS: no")

    told: list[OrderCorrected] = []
    rig.bus.subscribe(OrderCorrected, told.append)
    settled: list[OrderSettled] = []
    rig.bus.subscribe(OrderSettled, settled.append)
    rig.paper.answer = refuse
    with pytest.raises(RejectedByBroker):
        await rig.desk.place(BUY, "window")
    await rig.desk.quiet()
    (tag,) = rig.journal.rows
    rig.paper.answer = lambda: None
    await rig.paper.place(BUY, tag)
    if way == "push":
        assert rig.paper.listener is not None
        rig.paper.listener(OrderUpdate("sandbox:1", rig.paper.book[0]))
    elif way == "book":
        await rig.desk.books.compare(Mode.SANDBOX)
    else:
        desk = rig.make_desk()
        await desk.start()
        await desk.stop()
    await until(lambda: rig.journal.states() == [JournalState.ACKNOWLEDGED])
    await until(lambda: bool(told))
    assert (told[0].order_id, told[0].source) == ("1", "window") and "RMS: no" in told[0].message
    assert settled[0].order_id == "1"
    assert any("told as rejected" in notice.text for notice in rig.notices)


async def test_a_partial_book_proves_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    await lost_order(rig, arrives=False)
    whole = False

    async def orders() -> BookRows[Order]:
        return BookRows([], [] if whole else ["row 3: quantity 'NaN'"])

    monkeypatch.setattr(rig.paper, "orders", orders)
    rig.clock.advance(reconcile.ABSENT_AFTER + 1)
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.UNKNOWN]
    whole = True
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.REJECTED]


async def test_an_order_missing_in_a_partial_book_is_no_difference(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    await rig.desk.place(BUY, "window")
    assert rig.paper.listener is not None
    rig.paper.listener(OrderUpdate("sandbox:1", msgspec.structs.replace(rig.paper.book[0])))

    async def orders() -> BookRows[Order]:
        return BookRows([], ["row 1: no status"])

    monkeypatch.setattr(rig.paper, "orders", orders)
    assert await rig.desk.books.compare(Mode.SANDBOX) == ()
