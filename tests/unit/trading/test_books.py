"""The own book against the broker's: differences that stay, updates that were missed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from openalgo_desktop.core.enums import AccountState, Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.events import AccountChanged, BooksDiffer, OrderUpdated
from openalgo_desktop.core.model import AccountStatus, BookRows, Order, OrderUpdate, Position, Trade
from openalgo_desktop.trading import books, ownbook
from tests.unit.trading.test_desk import BUY, Rig
from tests.waiting import until

KEY = ("NSE", "SBIN", Product.MIS)


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr(books, "CONFIRM_AFTER", 0.0)
    made = Rig()
    made.paper.rows = [Position("SBIN", "NSE", Product.MIS, 10, 800.0)]
    await made.desk.start()
    yield made
    await made.desk.stop()


def fill(rig: Rig, order: Order, number: str, quantity: int) -> None:
    trade = Trade(
        number, order.order_id, "SBIN", "NSE", order.action, Product.MIS, quantity, 801.0,
        rig.clock.now(),
    )  # fmt: skip
    order.filled_quantity += quantity
    order.status = OrderStatus.COMPLETE
    assert rig.paper.listener is not None
    rig.paper.listener(OrderUpdate("sandbox:1", msgspec.structs.replace(order), trade))


async def test_books_that_agree_say_nothing(rig: Rig):
    events: list[BooksDiffer] = []
    rig.bus.subscribe(BooksDiffer, events.append)
    await rig.desk.place(BUY, "window")
    fill(rig, rig.paper.book[0], "t1", 10)
    rig.paper.rows[0].quantity = 20
    assert await rig.desk.books.compare(Mode.SANDBOX) == ()
    assert events == []
    assert rig.desk.books.book(Mode.SANDBOX).positions[KEY].quantity == 20


async def test_differences_are_shown_once_and_gone_after_the_review(rig: Rig):
    events: list[BooksDiffer] = []
    rig.bus.subscribe(BooksDiffer, events.append)
    foreign = Order("99", "SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, Product.MIS)
    rig.paper.book.append(foreign)
    rig.paper.rows = [Position("SBIN", "NSE", Product.MIS, 15, 800.0)]
    for _ in range(2):
        found = await rig.desk.books.compare(Mode.SANDBOX)
    assert {(one.kind, one.subject, one.ours, one.theirs) for one in found} == {
        ("order from elsewhere", "99", "not known", "open"),
        ("position", "NSE:SBIN:MIS", "+10", "+15"),
    }
    assert len(events) == 1 and events[0].differences == found
    await rig.desk.books.rebase(Mode.SANDBOX)
    assert events[-1].differences == ()
    assert await rig.desk.books.compare(Mode.SANDBOX) == ()


async def test_an_order_that_the_broker_lost_is_a_difference(rig: Rig):
    await rig.desk.place(BUY, "window")
    order = rig.paper.book[0]
    assert rig.paper.listener is not None
    rig.paper.listener(OrderUpdate("sandbox:1", msgspec.structs.replace(order)))
    rig.paper.book.clear()
    (one,) = await rig.desk.books.compare(Mode.SANDBOX)
    assert (one.kind, one.subject) == ("order missing", "1") and "not in its book" in one.text


async def test_a_missed_update_is_told_to_everybody(rig: Rig):
    await rig.desk.place(BUY, "window")
    events: list[OrderUpdated] = []
    rig.bus.subscribe(OrderUpdated, events.append)
    rig.paper.book[0].status = OrderStatus.CANCELLED
    assert await rig.desk.books.compare(Mode.SANDBOX) == ()
    assert [event.order.status for event in events] == [OrderStatus.CANCELLED]
    await rig.desk.books.compare(Mode.SANDBOX)
    assert len(events) == 1


async def test_a_difference_that_passes_is_not_shown(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    calls = iter([15, 10])

    async def positions() -> BookRows[Position]:
        return BookRows([Position("SBIN", "NSE", Product.MIS, next(calls), 800.0)])

    monkeypatch.setattr(rig.paper, "positions", positions)
    assert await rig.desk.books.compare(Mode.SANDBOX) == ()


async def test_a_new_day_begins_with_the_brokers_books(rig: Rig):
    assert rig.paper.listener is not None
    old = Order("1", "SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, Product.MIS)
    rig.paper.listener(OrderUpdate("sandbox:1", old))
    rig.clock.advance(timedelta(days=1).total_seconds())
    assert await rig.desk.books.compare(Mode.SANDBOX) == ()
    assert rig.desk.books.book(Mode.SANDBOX).orders == {}


def test_updates_twice_and_out_of_order_leave_the_newest():
    book = ownbook.OwnBook("a", Mode.LIVE)
    order = Order("1", "SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS)
    half = msgspec.structs.replace(order, filled_quantity=5)
    done = msgspec.structs.replace(order, filled_quantity=10, status=OrderStatus.COMPLETE)
    for update in (done, half, order, done):
        book.update(update, None)
    assert book.orders["1"] == done


def test_fills_close_before_they_open():
    net = ownbook._Net()
    for quantity, price in ((10, 100.0), (10, 110.0), (-5, 120.0), (-25, 90.0), (10, 80.0)):
        net.fill(quantity, price, 1.0)
    # average 105; +75, then 15 closed at 90 (-225) and 10 sold at 90, bought back at 80 (+100)
    assert (net.quantity, net.average, net.realised) == (0, 0.0, pytest.approx(-50.0))


async def test_repeated_and_late_updates_are_not_told_again_but_their_trades_are(rig: Rig):
    events: list[OrderUpdated] = []
    rig.bus.subscribe(OrderUpdated, events.append)
    listener = rig.paper.listener
    assert listener is not None
    order = Order("1", "SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS)
    half = msgspec.structs.replace(order, filled_quantity=5)
    done = msgspec.structs.replace(order, filled_quantity=10, status=OrderStatus.COMPLETE)

    def trade(number: str) -> Trade:
        at = rig.clock.now()
        return Trade(number, "1", "SBIN", "NSE", Action.BUY, Product.MIS, 5, 801.0, at)

    for update, number in ((done, "t2"), (done, "t2"), (half, "t1"), (order, ""), (half, "t1")):
        copy = msgspec.structs.replace(update)
        listener(OrderUpdate("sandbox:1", copy, trade(number) if number else None))
    told = [(event.order.status, event.trade and event.trade.trade_id) for event in events]
    assert told == [(OrderStatus.COMPLETE, "t2"), (OrderStatus.COMPLETE, "t1")]
    assert rig.desk.books.book(Mode.SANDBOX).positions[KEY].quantity == 20


async def test_a_log_in_brings_the_books_at_once(rig: Rig):
    """The loop waits an hour here; the risk rules must not."""
    rig.desk.set_gateway(Mode.LIVE, None)
    book = rig.desk.books.book(Mode.SANDBOX)
    book.positions.clear()
    book.day = None  # the broker was not connected when the program started
    status = AccountStatus("sandbox:1", "sandbox", "1", "Paper", AccountState.CONNECTED)
    rig.bus.publish(AccountChanged(status=status))
    await until(lambda: KEY in rig.desk.books.book(Mode.SANDBOX).positions)
