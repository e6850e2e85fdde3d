"""The own book: indexes, what it refuses, and strategies that a broker does not tell."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.events import OrderUpdated
from openalgo_desktop.core.model import (
    SQUARE_OFF_STRATEGY,
    BookRows,
    Order,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.trading.ownbook import OwnBook, impossible
from openalgo_desktop.trading.watch.results import label_units
from tests.unit.trading.test_desk import Rig

AT = datetime(2026, 11, 24, 10, 0, tzinfo=IST)
KEY = ("NSE", "SBIN", Product.MIS)
OPEN = Order("1", "SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, Product.MIS, price=800.0)


def changed(order: Order = OPEN, **values: object) -> Order:
    return msgspec.structs.replace(order, **values)


def trade_of(order: Order, quantity: int, number: str = "", price: float = 800.0) -> Trade:
    return Trade.of(order, number or f"{order.order_id}-t", quantity, price, AT)


def test_working_orders_are_found_by_instrument_and_position():
    book = OwnBook("a", Mode.LIVE)
    for number in range(4):
        product = (Product.MIS, Product.CNC)[number % 2]
        book.put(changed(order_id=str(number), product=product))
    book.put(changed(order_id="x", symbol="INFY"))
    assert [order.order_id for order in book.working(KEY)] == ["0", "2"]
    assert {order.order_id for order in book.working_of(("NSE", "SBIN"))} == {"0", "1", "2", "3"}
    book.put(changed(order_id="0", status=OrderStatus.CANCELLED))
    assert [order.order_id for order in book.working(KEY)] == ["2"]
    assert book.working(("NSE", "TCS", Product.MIS)) == []


@pytest.mark.parametrize(
    ("order", "trade"),
    [
        (changed(order_id=""), None),
        (changed(filled_quantity=50), None),
        (changed(filled_quantity=-5), None),
        (changed(quantity=-1), None),
        (changed(filled_quantity=5), trade_of(OPEN, 50)),
        (changed(filled_quantity=5), trade_of(OPEN, -5)),
        (changed(filled_quantity=5), trade_of(OPEN, 5, price=float("nan"))),
        (changed(filled_quantity=5), trade_of(changed(order_id="2"), 5)),
    ],
)
async def test_what_cannot_be_is_refused_and_logged(
    order: Order, trade: Trade | None, caplog: pytest.LogCaptureFixture
):
    assert impossible(order, trade)
    rig = Rig()
    await rig.desk.start()
    events: list[object] = []
    rig.bus.subscribe(OrderUpdated, events.append)
    assert rig.live.listener is not None
    rig.live.listener(OrderUpdate("kite:1", order, trade))
    book = rig.desk.books.book(Mode.LIVE)
    book.update(order, trade)
    book.seen([order] if trade is None else [])
    assert (book.orders, book.positions, events) == ({}, {}, [])
    assert "cannot be" in caplog.text and "is refused" in caplog.text
    await rig.desk.stop()


async def test_a_new_position_of_a_contract_counts_what_its_unit_earns():
    """A unit of crude earns 100 rupees a point, also before the account shows the position: the
    limits of a day and of a strategy, and stops in rupees, are worked out from it."""
    rig = Rig()
    row = rig.lookup.rows[("NSE", "SBIN")]
    rig.lookup.rows[("NSE", "SBIN")] = msgspec.structs.replace(row, contract_value=100.0)
    await rig.desk.start()
    book = rig.desk.books.book(Mode.SANDBOX)
    for order_id, action, price in (("1", Action.BUY, 800.0), ("2", Action.SELL, 790.0)):
        order = changed(
            order_id=order_id,
            action=action,
            filled_quantity=5,
            status=OrderStatus.COMPLETE,
            strategy="breakout",
        )
        trade = msgspec.structs.replace(
            trade_of(order, 5, order_id), price=price, strategy="breakout"
        )
        book.update(order, trade)
        if action is Action.BUY:
            assert book.day_profit({("NSE", "SBIN"): 799.0}) == -500.0
            assert book.strategy_profit({("NSE", "SBIN"): 799.0}, "breakout") == -500.0
    assert book.day_profit({}) == book.strategy_profit({}, "breakout") == -5000.0
    await rig.desk.stop()


def test_a_fill_that_is_told_again_under_another_id_counts_once():
    book = OwnBook("a", Mode.LIVE)
    done = changed(filled_quantity=5, status=OrderStatus.COMPLETE)
    book.adopt([done], [Position("SBIN", "NSE", Product.MIS, 5, 800.0)], [trade_of(done, 5, "T1")])
    book.update(done, trade_of(done, 5, "1-5"))  # the push comes after the books that had it
    assert book.positions[KEY].quantity == 5


ASK = OrderRequest("SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, price=800.0, strategy="breakout")


class Forgetful:
    """Makes the live gateway one that keeps neither tag nor strategy of an order."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        rig.live.answer = self.forget

    def forget(self) -> None:
        order = self.rig.live.book[-1]
        order.tag = order.strategy = ""
        self.push(order)  # before the answer is here

    def push(self, order: Order, quantity: int = 0) -> None:
        assert self.rig.live.listener is not None
        order.filled_quantity += quantity
        if order.filled_quantity == order.quantity:
            order.status = OrderStatus.COMPLETE
        trade = trade_of(order, quantity, f"{order.filled_quantity}") if quantity else None
        self.rig.live.listener(OrderUpdate("kite:1", msgspec.structs.replace(order), trade))


async def test_a_strategy_is_the_same_at_a_broker_that_does_not_tell_it():
    rig = Rig()
    broker = Forgetful(rig)
    await rig.desk.start()
    await rig.desk.set_mode(Mode.LIVE, "test")
    await rig.desk.place(ASK, "api:key")
    book = rig.desk.books.book(Mode.LIVE)
    assert book.orders["1"].strategy == "breakout"  # its push came before its answer
    broker.push(rig.live.book[0], 5)
    assert book.strategy_positions("breakout") == 1
    (row,) = await rig.desk.read.orders()
    assert (row.strategy, row.source) == ("breakout", "api:key")
    await rig.desk.stop()


async def test_a_fill_before_the_answer_is_its_strategys_too():
    rig = Rig()
    broker = Forgetful(rig)
    await rig.desk.start()
    await rig.desk.set_mode(Mode.LIVE, "test")

    def filled() -> None:
        broker.forget()
        broker.push(rig.live.book[-1], 5)

    rig.live.answer = filled
    await rig.desk.place(ASK, "api:key")
    assert rig.desk.books.book(Mode.LIVE).strategy_positions("breakout") == 1
    await rig.desk.stop()


async def test_strategies_are_known_after_a_restart(monkeypatch: pytest.MonkeyPatch):
    rig = Rig()
    broker = Forgetful(rig)
    await rig.desk.start()
    await rig.desk.set_mode(Mode.LIVE, "test")
    await rig.desk.place(ASK, "api:key")
    broker.push(rig.live.book[0], 5)
    await rig.desk.stop()
    trades = BookRows([trade_of(rig.live.book[0], 5, "T1")])

    async def book() -> BookRows[Trade]:
        return trades

    monkeypatch.setattr(rig.live, "trades", book)
    rig.live.rows = [Position("SBIN", "NSE", Product.MIS, 5, 800.0)]
    rig.desk = rig.make_desk()
    await rig.desk.start()
    own = rig.desk.books.book(Mode.LIVE)
    assert own.strategy_positions("breakout") == 1
    assert own.orders["1"].strategy == "breakout"
    assert await rig.desk.books.compare(Mode.LIVE) == ()
    await rig.desk.stop()


def traded(book: OwnBook, number: int, units: int, price: float, strategy: str) -> None:
    """An order of that strategy filled at once; negative ``units`` sell."""
    action = Action.BUY if units > 0 else Action.SELL
    order = changed(
        order_id=str(number), action=action, quantity=abs(units), filled_quantity=abs(units),
        status=OrderStatus.COMPLETE, strategy=strategy,
    )  # fmt: skip
    book.update(order, trade_of(order, abs(units), price=price))


@pytest.mark.parametrize("side", [1, -1])
def test_what_a_hand_closes_has_left_its_strategy(side: int):
    book, prices = OwnBook("a", Mode.SANDBOX), {("NSE", "SBIN"): 500.0}
    traded(book, 1, 10 * side, 800.0, "breakout")
    traded(book, 2, -10 * side, 800.0 + 5 * side, SQUARE_OFF_STRATEGY)
    assert book.strategy_positions("breakout") == 0
    assert book.strategy_profit(prices, "breakout") == 50.0  # whatever the price is now
    traded(book, 3, 10 * side, 500.0, "")  # later, by hand: not the strategy's
    assert label_units(book, "breakout") == {}


def test_what_belongs_to_no_strategy_is_closed_first():
    book = OwnBook("a", Mode.SANDBOX)
    traded(book, 1, 20, 800.0, "")
    traded(book, 2, 10, 800.0, "breakout")
    traded(book, 3, -15, 810.0, SQUARE_OFF_STRATEGY)
    assert label_units(book, "breakout") == {KEY: 10}
    traded(book, 4, -10, 820.0, SQUARE_OFF_STRATEGY)
    assert label_units(book, "breakout") == {KEY: 5}
    traded(book, 5, -5, 830.0, SQUARE_OFF_STRATEGY)
    assert label_units(book, "breakout") == {}
    assert book.strategy_profit({}, "breakout") == 5 * 20.0 + 5 * 30.0


def test_strategies_that_are_opposite_keep_what_the_account_cannot_have_closed():
    book = OwnBook("a", Mode.SANDBOX)
    traded(book, 1, 75, 800.0, "long")
    traded(book, 2, -25, 800.0, "short")
    traded(book, 3, -50, 810.0, SQUARE_OFF_STRATEGY)
    nets = {name: book.strategies[name][KEY].quantity for name in ("long", "short")}
    assert nets == {"long": 25, "short": -25} and book.positions[KEY].quantity == 0


def test_it_is_the_same_when_the_book_is_read_again_or_the_name_comes_late():
    told = OwnBook("a", Mode.LIVE)
    traded(told, 1, 10, 800.0, "breakout")
    traded(told, 2, -10, 805.0, "")
    told.attribute("2", SQUARE_OFF_STRATEGY)
    read = OwnBook("a", Mode.LIVE)
    orders = list(told.orders.values())
    trades = [
        trade_of(order, 10, price=price)
        for order, price in zip(orders, (800.0, 805.0), strict=True)
    ]
    read.adopt(orders, [Position("SBIN", "NSE", Product.MIS, 0, 0.0)], trades)
    for book in (told, read):
        assert book.strategy_positions("breakout") == 0
        assert book.strategy_profit({}, "breakout") == 50.0
