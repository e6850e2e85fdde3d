"""The window's copy of the books: updates in order, refreshes after changes, mode switches."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime
from types import SimpleNamespace

import msgspec
import pytest
from PySide6.QtCore import QObject

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import (
    AccountState,
    Action,
    FeedMode,
    Mode,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import AccountChanged, Bus, ModeChanged, OrderUpdated
from openalgo_desktop.core.model import (
    AccountStatus,
    BookRows,
    Funds,
    Holding,
    Key,
    Order,
    Position,
    Trade,
)
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.trading import books as books_of_trading
from openalgo_desktop.ui.engine import turns
from openalgo_desktop.ui.engine.books import Books, _ModeMoved
from openalgo_desktop.ui.engine.day_trades import AT_ONCE, DayTrades
from tests.waiting import until

CLOCK = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))


def order(order_id: str, status: OrderStatus = OrderStatus.OPEN) -> Order:
    return Order(
        order_id, "SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, 800.0, status=status
    )


class Desk:
    """A desk whose books are set by the test."""

    def __init__(self) -> None:
        self.mode = Mode.SANDBOX
        self.account_id = "a"
        self.book: list[Order] = []
        self.net: list[Position] = []
        self.unreadable: tuple[str, ...] = ()
        self.failure: AppError | None = None
        self.gate: asyncio.Event | None = None
        self.asked = False

    async def orders(self) -> BookRows[Order]:
        return BookRows((msgspec.structs.replace(row) for row in self.book), self.unreadable)

    async def trades(self) -> BookRows[Trade]:
        return BookRows()

    async def positions(self) -> BookRows[Position]:
        net, failure = list(self.net), self.failure
        if self.gate is not None:
            self.asked = True
            await self.gate.wait()
        if failure is not None:
            raise failure
        return BookRows(net)

    async def holdings(self) -> BookRows[Holding]:
        return BookRows()

    async def funds(self) -> Funds:
        return Funds(available_cash=1.0)


class Market:
    """Fresh prices of some instruments."""

    def __init__(self, **prices: float) -> None:
        self.losses = 0
        self.last = {("NSE", symbol): price for symbol, price in prices.items()}

    def fresh(self, key: Key) -> Tick | None:
        return Tick(key[1], key[0], self.last[key]) if key in self.last else None


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def settled(books: Books) -> asyncio.Task[None]:
    """Run the refresher until it waits again."""
    read, reload = asyncio.Event(), books._reload

    async def reloaded(stale: set[str]) -> None:
        await reload(stale)
        read.set()

    books._reload = reloaded  # type: ignore[method-assign]
    task = asyncio.create_task(books.run())
    await asyncio.wait_for(read.wait(), 30)
    return task


async def test_first_run_loads_everything(desk: Desk, qapp: object) -> None:
    desk.book = [order("1")]
    parent = QObject()
    books = Books(desk, Market(), Bus(), parent)
    task = await settled(books)
    assert list(books.orders) == ["1"]
    assert books.funds.available_cash == 1.0
    task.cancel()


async def test_updates_of_the_shown_mode_are_told_once_per_frame(desk: Desk, qapp: object) -> None:
    bus, parent = Bus(), QObject()
    books = Books(desk, Market(), bus, parent)
    seen: list[list[str]] = []
    books.orders_updated.connect(lambda rows: seen.append([row.order_id for row in rows]))
    bus.publish(OrderUpdated("a", Mode.LIVE, "x", order("live")))
    bus.publish(OrderUpdated("a", Mode.SANDBOX, "sandbox", order("1")))
    bus.publish(OrderUpdated("a", Mode.SANDBOX, "sandbox", order("2")))
    assert seen == []  # whoever placed the order does not wait for the window
    assert [row.order_id for row in books.working()] == ["1", "2"]
    assert books.news.wants_flush()
    books.news.flush()
    assert seen == [["1", "2"]]
    assert not books.news.wants_flush()


async def test_who_shows_one_instrument_is_told_of_that_one(desk: Desk, qapp: object) -> None:
    def row(symbol: str, units: int) -> Position:
        return Position(symbol, "NSE", Product.MIS, units, 800.0, 801.0)

    desk.net = [row("SBIN", 10), row("TCS", 5)]
    parent, bus = QObject(), Bus()
    books = Books(desk, Market(), bus, parent)
    told: list[set[str]] = []
    books.held_changed.connect(lambda keys: told.append({symbol for _, symbol in keys}))
    task = await settled(books)
    assert told == [{"SBIN", "TCS"}]
    assert [held.quantity for held in books.positions_of(("NSE", "SBIN"))] == [10]
    desk.net = [row("SBIN", 20), row("TCS", 5)]
    books.recheck()
    await until(lambda: len(told) == 2)
    assert told[1] == {"SBIN"}
    desk.net = [row("SBIN", 20)]
    books.recheck()
    await until(lambda: len(told) == 3)
    assert (told[2], books.positions_of(("NSE", "TCS"))) == ({"TCS"}, ())
    books.take({("NSE", "TCS"): Tick("TCS", "NSE", 9.0), ("NSE", "SBIN"): Tick("SBIN", "NSE", 8.0)})
    books.flush()
    assert told[3] == {"SBIN"} and books.positions[0].ltp == 8.0
    books.take({("NSE", "TCS"): Tick("TCS", "NSE", 9.0)})
    assert not books.wants_flush()
    desk.mode = Mode.LIVE
    bus.publish(ModeChanged(mode=Mode.LIVE, by="test"))
    await until(lambda: len(told) == 5)
    assert told[4] == {"SBIN"}
    task.cancel()


async def test_working_orders_are_found_by_instrument(desk: Desk, qapp: object) -> None:
    bus, parent = Bus(), QObject()
    desk.book = [order("1"), order("2"), msgspec.structs.replace(order("3"), symbol="INFY")]
    books = Books(desk, Market(), bus, parent)
    task = await settled(books)
    assert [row.order_id for row in books.working_of(("NSE", "SBIN"))] == ["1", "2"]
    assert (books.working_count, len(books.working())) == (3, 3)
    done = order("1", OrderStatus.COMPLETE)
    for _ in range(2):  # told twice
        bus.publish(OrderUpdated("a", Mode.SANDBOX, "sandbox", done))
    assert [row.order_id for row in books.working_of(("NSE", "SBIN"))] == ["2"]
    assert (books.working_count, books.working_of(("NSE", "TCS"))) == (2, [])
    task.cancel()


async def test_a_mode_switch_replaces_the_books(desk: Desk, qapp: object) -> None:
    bus, parent = Bus(), QObject()
    desk.book = [order("paper")]
    books = Books(desk, Market(), bus, parent)
    task = await settled(books)
    desk.mode, desk.book = Mode.LIVE, [order("live")]
    bus.publish(ModeChanged(Mode.LIVE, "test"))
    await until(lambda: list(books.orders) == ["live"], "those of the other mode")
    task.cancel()


async def test_a_long_order_book_is_taken_in_turns_and_updates_win(
    desk: Desk, qapp: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two parts others have the loop: an update then is newer than the answer, and a mode
    that is switched then leaves nothing of it."""
    monkeypatch.setattr(books_of_trading, "TURN", 10)
    desk.book = [order(str(number)) for number in range(100)]
    bus, parent = Bus(), QObject()
    books = Books(desk, Market(), bus, parent)
    task = await settled(books)
    assert (len(books.orders), books.working_count) == (100, 100)
    work = asyncio.create_task(books._read_orders())
    turns = 0
    while not work.done():
        turns += 1
        if turns == 4:
            done = order("7", OrderStatus.CANCELLED)
            bus.publish(OrderUpdated("a", Mode.SANDBOX, "x", done))
            # A new one rests: nothing will be told of it until it fills.
            bus.publish(OrderUpdated("a", Mode.SANDBOX, "x", order("new")))
            bus.publish(OrderUpdated("a", Mode.SANDBOX, "x", order("lost", OrderStatus.UNKNOWN)))
        await asyncio.sleep(0)
    assert turns >= 10 and books.orders["7"].status is OrderStatus.CANCELLED
    assert books.working_count == 100 == len(books.working_of(("NSE", "SBIN")))
    assert books.orders["new"].status is OrderStatus.OPEN and "lost" not in books.orders
    work = asyncio.create_task(books._read_orders())
    for _ in range(4):
        await asyncio.sleep(0)
    desk.mode = Mode.LIVE
    with pytest.raises(_ModeMoved):
        await work
    task.cancel()


async def test_live_prices_move_the_profit(desk: Desk, qapp: object) -> None:
    parent = QObject()
    desk.net = [Position("SBIN", "NSE", Product.MIS, 10, 800.0, realised_today=5.0)]
    books = Books(desk, Market(), Bus(), parent)
    task = await settled(books)
    tick = Tick("SBIN", "NSE", 810.0)
    books.take({tick.key: tick})
    assert books.wants_flush()
    assert books.day_pnl == (5.0, 100.0)
    task.cancel()


async def test_close_leaves_no_handler(desk: Desk, qapp: object) -> None:
    bus, parent = Bus(), QObject()
    books = Books(desk, Market(), bus, parent)
    books.close()
    assert bus.handler_count() == 0


class Odd(AppError):
    """The account cannot tell its positions."""


async def test_a_book_with_unreadable_rows_is_incomplete_until_it_is_whole(
    desk: Desk, qapp: object
) -> None:
    parent = QObject()
    desk.unreadable = ("order 7: its time is not known",)
    books = Books(desk, Market(), Bus(), parent)
    told: list[str] = []
    books.gaps_changed.connect(told.append)
    task = await settled(books)
    gaps = books.gaps["orders"]
    assert gaps.text == "⚠ 1 unreadable row: the book is incomplete"
    assert gaps.reasons == "order 7: its time is not known"
    desk.unreadable = ()
    books.refresh()
    await until(lambda: not books.gaps, "the whole book")
    assert told == ["orders", "orders"]
    task.cancel()


async def test_a_book_that_cannot_be_read_keeps_no_other_from_being_read(
    desk: Desk, qapp: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openalgo_desktop.ui.engine.books.RETRY", 0.01)
    parent = QObject()
    desk.failure = Odd("Not logged in.")
    books = Books(desk, Market(), Bus(), parent)
    task = await settled(books)
    assert books.funds.available_cash == 1.0  # asked after the positions
    assert books.gaps["positions"].text.startswith("⚠ Not read now")
    assert books.gaps["positions"].reasons == "Not logged in."
    desk.failure = None
    desk.net = [Position("SBIN", "NSE", Product.MIS, 10, 800.0)]
    await until(lambda: books.positions, "a second try")
    assert not books.gaps
    task.cancel()


async def test_rows_of_one_mode_are_never_shown_in_the_other(desk: Desk, qapp: object) -> None:
    bus, parent = Bus(), QObject()
    desk.book, desk.net = [order("paper")], [Position("SBIN", "NSE", Product.MIS, 10, 800.0)]
    books = Books(desk, Market(), bus, parent)
    task = await settled(books)
    seen: list[int] = []
    books.positions_changed.connect(lambda: seen.append(len(books.positions)))
    desk.gate = asyncio.Event()  # the switch is moved while the positions are asked for
    books.refresh()
    await until(lambda: desk.asked, "the question")
    desk.mode, desk.failure = Mode.LIVE, Odd("Not logged in.")
    bus.publish(ModeChanged(Mode.LIVE, "test"))
    await asyncio.sleep(0)
    assert books.positions == []  # though the answer is still to come
    desk.gate.set()
    await until(lambda: "positions" in books.gaps, "the failure")
    assert books.positions == []
    assert seen == [0]
    task.cancel()


async def test_rows_of_one_account_are_never_shown_for_another(desk: Desk, qapp: object) -> None:
    """Live orders go to another account: what is pressed from now on means what that one has."""
    bus, parent = Bus(), QObject()
    desk.mode = Mode.LIVE
    desk.book, desk.net = [order("1")], [Position("SBIN", "NSE", Product.MIS, 100, 800.0)]
    books = Books(desk, Market(), bus, parent)
    task = await settled(books)
    assert list(books.orders) == ["1"] and books.shows(Mode.LIVE)
    status = AccountStatus("b", "kite", "B1", "B", AccountState.CONNECTED)
    bus.publish(AccountChanged(status=status))  # another one is there; orders go where they went
    await asyncio.sleep(0)
    assert list(books.orders) == ["1"]
    desk.account_id = "b"
    desk.book, desk.net = [order("2")], [Position("SBIN", "NSE", Product.MIS, 5, 810.0)]
    assert not books.shows(Mode.LIVE)
    bus.publish(AccountChanged(status=status))
    await asyncio.sleep(0)
    assert not books.orders and not books.positions and not books.working()
    await until(lambda: books.positions, "those of the other")
    assert list(books.orders) == ["2"] and books.positions[0].quantity == 5
    bus.publish(OrderUpdated("a", Mode.LIVE, "kite", order("3")))  # it stays logged in
    bus.publish(OrderUpdated("b", Mode.LIVE, "kite", order("4")))
    assert sorted(books.orders) == ["2", "4"]
    task.cancel()


async def test_executions_are_told_one_by_one(desk: Desk, qapp: object) -> None:
    bus, parent = Bus(), QObject()
    books = Books(desk, Market(), bus, parent)
    task = await settled(books)
    seen: list[list[str]] = []
    books.trades_added.connect(lambda rows: seen.append([row.trade_id for row in rows]))
    fill = Trade(
        "t1", "1", "SBIN", "NSE", Action.BUY, Product.MIS, 10, 800.0, datetime(2026, 11, 24)
    )
    for _ in range(2):  # told twice
        bus.publish(OrderUpdated("a", Mode.SANDBOX, "sandbox", order("1"), fill))
    books.news.flush()
    assert seen == [["t1"]]
    task.cancel()


async def test_the_stream_is_newer_than_the_last_prices_of_the_account(
    desk: Desk, qapp: object
) -> None:
    parent, market = QObject(), Market(SBIN=810.0, ITC=400.0)
    desk.net = [
        Position("SBIN", "NSE", Product.MIS, 10, 800.0, 790.0),
        Position("INFY", "NSE", Product.MIS, 10, 1500.0, 1490.0),  # not streamed
        Position("ITC", "NSE", Product.MIS, 0, 0.0),
    ]
    books = Books(desk, market, Bus(), parent)
    task = await settled(books)
    assert [row.ltp for row in books.positions] == [810.0, 1490.0, 0.0]
    assert [row.symbol for row in books.not_live] == ["INFY"]
    market.last.clear()  # the feed is lost
    market.losses += 1
    assert [row.symbol for row in books.not_live] == ["SBIN", "INFY"]
    blind = Tick("SBIN", "NSE", 0.0, FeedMode.LTP, unknown=Part.LTP)
    books.take({blind.key: blind})
    assert books.positions[0].ltp == 810.0
    task.cancel()


def trade(number: int) -> Trade:
    at = datetime(2026, 11, 24, 10, 0, number % 60, tzinfo=IST)
    return Trade(
        f"T{number}", f"O{number}", ("SBIN", "TCS")[number % 2], "NSE", Action.BUY, Product.MIS,
        10, 800.0, at,
    )  # fmt: skip


async def test_a_long_trade_book_is_counted_in_turns_before_it_is_told(
    desk: Desk, qapp: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = [0]

    def cost(key: Key, product: Product, side: Action, units: int, price: float) -> float:
        asked[-1] += 1
        return 2.0

    clock = itertools.count()
    still = SimpleNamespace(perf_counter=lambda: next(clock) / 1000.0)
    monkeypatch.setattr(turns, "time", still)
    bus, parent = Bus(), QObject()
    books = Books(desk, Market(), bus, parent)
    day = DayTrades(books, cost)
    listed = BookRows([trade(n) for n in range(1000)])

    async def trades() -> BookRows[Trade]:
        return BookRows(listed)

    desk.trades = trades  # type: ignore[method-assign]
    told: list[tuple[int, float | None]] = []
    books.trades_changed.connect(lambda: told.append((len(books.trades), day.charges)))
    reading = asyncio.create_task(books._read_trades())
    while not reading.done():
        asked.append(0)
        await asyncio.sleep(0)
        if len(asked) == 10:  # one more, while the others are counted
            fill = trade(1000)
            row = order(fill.order_id, OrderStatus.COMPLETE)
            bus.publish(
                OrderUpdated(account_id="", mode=desk.mode, broker="sandbox", order=row, trade=fill)
            )
    assert told == [(1001, 2002.0)]
    assert max(asked) <= 4 * AT_ONCE and sum(asked) == 1001
    assert day.of(("NSE", "SBIN"), Product.MIS).bought == 5010
    books._clear()
    assert day.charges == 0 and not day.of(("NSE", "SBIN"), Product.MIS).bought
