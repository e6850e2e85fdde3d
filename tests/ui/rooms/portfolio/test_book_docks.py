"""Book docks: rows that cannot be read, rows that changed, docks that nobody sees."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec
import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import BookRows, Holding, Order, OrderRequest, Position, Trade
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine.books import Books
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.market.watch_rows import WatchRow
from openalgo_desktop.ui.rooms.portfolio.funds import FundsDock
from openalgo_desktop.ui.rooms.portfolio.position_rows import Line
from openalgo_desktop.ui.rooms.portfolio.positions import PositionsDock
from openalgo_desktop.ui.rooms.portfolio.sandbox import SandboxDock
from openalgo_desktop.ui.shell.feedback import FILL
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.whole_layout

START = datetime(2026, 11, 24, 10, 0, tzinfo=IST)
WHY = "order 7: <b>its time</b> is not known"
BOOKS = ("orders", "positions", "trades", "holdings")


def order(number: int, **changes: object) -> Order:
    row = Order(
        str(number), "SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, 800.0,
        placed_at=START + timedelta(seconds=number),
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def trade(number: int) -> Trade:
    return Trade(
        f"t{number}", str(number), "SBIN", "NSE", Action.BUY, Product.MIS, 10, 800.0,
        START + timedelta(seconds=number),
    )  # fmt: skip


def position(symbol: str, quantity: int = 10, ltp: float = 800.0) -> Position:
    return Position(symbol, "NSE", Product.MIS, quantity, 790.0, ltp)


async def stand_still(session: Session) -> Books:
    """The books change by the test alone."""
    await priced(session)
    books = session.bridge.books
    await until(lambda: not books._stale and books.funds.available_cash, "the first reading")
    for task in session.bridge._tasks:
        if task.get_name() == "ui-books":
            task.cancel()
    return books


async def seen(session: Session, name: str) -> TableDock[object]:
    dock = session.window.docks[name]
    assert isinstance(dock, TableDock)
    dock.show()
    dock.raise_()
    await until(lambda: not dock.is_hidden() and not dock.dirty, f"{name} in sight")
    dock.model.store.dirty.clear()
    return dock


async def unseen(session: Session, name: str) -> TableDock[object]:
    dock = await seen(session, name)
    dock.hide()
    assert dock.is_hidden()
    return dock


@pytest.mark.parametrize("name", BOOKS)
def test_a_book_with_rows_that_cannot_be_read_says_so(drive: Drive, name: str) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        dock = await seen(session, name)
        assert dock.gaps.isHidden()
        books._read(name, (WHY,))
        assert dock.gaps.isVisible()
        assert dock.gaps.text() == "⚠ 1 unreadable row: the book is incomplete"
        assert "&lt;b&gt;" in dock.gaps.toolTip()  # shown as it is
        assert "incomplete" in dock._empty.text()  # an empty table is no empty book
        books._read(name, ())
        assert dock.gaps.isHidden()
        assert dock._empty.text() == dock.empty_text

    drive(scenario)


def test_flatten_of_an_incomplete_book_is_not_flat(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        books._read("positions", (WHY,))
        told: list[str] = []
        session.window.toasts.show = lambda level, text: told.append(text)  # type: ignore
        session.window.actions_by_name["flatten"].trigger()
        await until(lambda: told, "the answer")
        assert "1 unreadable row" in told[0] and "Flat" not in told[0]

    drive(scenario)


def test_a_book_read_again_touches_the_rows_that_changed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        books.positions = BookRows([position("AAA"), position("BBB"), position("CCC")])
        books.positions_changed.emit()
        dock = await seen(session, "positions")
        dock.select_row((("NSE", "BBB"), "MIS"))
        books.positions = BookRows([position("AAA"), position("BBB", 20), position("CCC")])
        books.positions_changed.emit()
        assert dock.model.store.dirty == {1}
        selected = dock.selected_row()
        assert isinstance(selected, Line) and selected.members[0].quantity == 20
        books.holdings = BookRows([Holding("AAA", "NSE", 1, 5.0), Holding("BBB", "NSE", 1, 5.0)])
        books.holdings_changed.emit()
        dock = await seen(session, "holdings")
        books.holdings = BookRows([Holding("AAA", "NSE", 1, 5.0), Holding("BBB", "NSE", 2, 5.0)])
        books.holdings_changed.emit()
        assert dock.model.store.dirty == {1}

    drive(scenario)


def test_new_orders_and_trades_go_before_the_others_untouched(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        books.orders = {str(n): order(n) for n in range(1000)}
        books.orders_changed.emit()
        dock = await seen(session, "orders")
        await until(lambda: len(dock.rows) == 1000 and not dock.model.store.dirty, "the orders")
        dock.select_row("500")
        cells = dock.model.store.cells(0)
        for fresh in (order(1000), order(1001)):
            books.orders[fresh.order_id] = fresh
        done = order(3, status=OrderStatus.COMPLETE)
        books.orders_updated.emit([order(1000), done, order(1001)])
        assert [row.order_id for row in dock.rows[:3]] == ["1001", "1000", "999"]  # type: ignore
        assert dock.model.store.dirty == {0, 1, 998}
        assert dock.model.store.cells(2) is cells
        assert dock.row_of("3") is done
        assert dock.selected_row() is dock.row_of("500")
        books.trades = BookRows(trade(n) for n in range(1000))
        books.trades_changed.emit()
        dock = await seen(session, "trades")
        await until(lambda: len(dock.rows) == 1000 and not dock.model.store.dirty, "the trades")
        cells = dock.model.store.cells(0)
        books.trades_added.emit([trade(1000), trade(1001)])
        assert [row.trade_id for row in dock.rows[:3]] == ["t1001", "t1000", "t999"]  # type: ignore
        assert dock.model.store.dirty == {0, 1}
        assert dock.model.store.cells(2) is cells
        assert "turnover ₹ 80,16,000.00" in dock.title_bar.subject.text()

    drive(scenario)


def test_a_sorted_table_takes_new_rows_at_their_places(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        books.orders = {str(n): order(n, quantity=n) for n in (5, 9)}
        books.orders_changed.emit()
        dock = await seen(session, "orders")
        dock.model.sort([column.key for column in dock.columns].index("quantity"))
        books.orders["10"] = order(10, quantity=7)
        books.orders_updated.emit([books.orders["10"]])
        shown = [dock.model.row_at(n).quantity for n in range(3)]  # type: ignore[attr-defined]
        assert shown == [5, 7, 9]

    drive(scenario)


@pytest.mark.parametrize("name", BOOKS)
def test_a_hidden_book_does_nothing_until_it_is_seen(drive: Drive, name: str) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        dock = await unseen(session, name)
        before = list(dock.rows)
        books.orders = {"1": order(1)}
        books.positions, books.trades = BookRows([position("SBIN")]), BookRows([trade(1)])
        books.holdings = BookRows([Holding("SBIN", "NSE", 1, 5.0)])
        for changed in (
            books.orders_changed,
            books.positions_changed,
            books.trades_changed,
            books.holdings_changed,
        ):
            changed.emit()
        books.orders_updated.emit([order(1)])
        books.trades_added.emit([trade(1)])
        dock.take({("NSE", "SBIN"): Tick("SBIN", "NSE", 801.0)})
        assert dock.rows == before and not dock.model.store.dirty
        dock.show()
        dock.raise_()
        await until(lambda: len(dock.rows) == 1, "the book, once it is seen")

    drive(scenario)


def test_the_depth_dock_streams_a_book_only_while_it_is_seen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock = session.window.docks["depth"]
        dock.show()
        dock.raise_()
        wanted = session.bridge.prices._wanted
        await until(lambda: wanted.get("dock-depth"), "the book is asked for")
        dock.hide()
        await until(lambda: not wanted.get("dock-depth"), "nothing is asked for")
        dock.show()
        dock.raise_()
        await until(lambda: wanted.get("dock-depth"), "the book is asked for again")

    drive(scenario)


def shown(dock: TableDock[object], row: int = 0) -> dict[str, str]:
    texts = dock.model.store.cells(row).texts
    return {column.key: text for column, text in zip(dock.columns, texts, strict=True)}


def test_a_profit_without_a_fresh_price_is_marked(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        hub, bar = session.terminal.hub, session.window.top_bar
        assert hub._source is not None
        hub._source.set_sink(lambda tick: None)
        dock = await seen(session, "positions")
        assert isinstance(dock, PositionsDock)
        sbin, tcs = position("SBIN", ltp=0.0), position("TCS", ltp=0.0)
        sbin.realised_today = 5.0
        books.positions = BookRows([sbin, tcs])
        hub._spoil()
        books.positions_changed.emit()
        first = shown(dock)
        assert [first[name] for name in ("ltp", "unrealised", "pnl")] == ["–"] * 3
        assert first["realised"] == "+5.00"
        assert dock.model.store.cells(0).badges
        assert bar.pnl.text().endswith("⚠") and "SBIN" in bar.pnl.toolTip()
        assert bar.pnl.property("tone") == "stale"
        for symbol in ("SBIN", "TCS"):
            hub.publish(Tick(symbol, "NSE", 800.0))
        await until(lambda: shown(dock)["unrealised"] == "+100.00", "the profit")
        assert not dock.model.store.cells(0).badges
        await until(lambda: bar.pnl.text() == "+205.00", "the whole profit")
        assert bar.pnl.property("tone") == "up"
        hub.refused(("NSE", "TCS"), DataError("not streamed"))
        ltp = [column.key for column in dock.columns].index("ltp")
        await until(lambda: dock.model.store.cells(1).badges == {ltp: "no feed"}, "the badge")
        assert dock.row_stale(Line((tcs,)))
        await until(lambda: "1 not live" in dock.total.numbers[2].text(), "the mark of the total")
        dock = await seen(session, "holdings")
        books.holdings = BookRows([Holding("WIPRO", "NSE", 10, 500.0)])
        books.holdings_changed.emit()
        row = shown(dock)
        assert [row[name] for name in ("ltp", "value", "pnl", "percent")] == ["–"] * 4

    drive(scenario)


def test_prices_keep_the_decimals_of_their_instrument(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        rupee = next(
            row
            for row in session.bridge.search("USDINR", 50)
            if row.exchange == "CDS" and row.instrument_type == "FUT"
        )
        symbol, exchange = rupee.symbol, rupee.exchange
        books.orders = {
            "1": order(1, symbol=symbol, exchange=exchange, price=87.1225, average_price=87.12)
        }
        books.orders_changed.emit()
        dock = await seen(session, "orders")
        assert (shown(dock)["price"], shown(dock)["average"]) == ("87.1225", "87.1200")
        assert "87.1225" in dock.model.as_csv()
        fill = msgspec.structs.replace(trade(1), symbol=symbol, exchange=exchange, price=87.15)
        books.trades = BookRows([fill])
        books.trades_changed.emit()
        assert shown(await seen(session, "trades"))["price"] == "87.1500"
        row = Position(symbol, exchange, Product.NRML, 1000, 87.122541, 87.13)
        books.positions = BookRows([row])
        books.positions_changed.emit()
        dock = await seen(session, "positions")
        assert shown(dock)["average"] == "87.1225"
        assert re.fullmatch(r"\d+\.\d{4}", shown(dock)["ltp"])
        session.bridge.select(rupee.key)
        ticket = session.window.ticket
        ticket.set_action(Action.BUY)
        ticket.price_type.choose("LIMIT")
        ticket.price.setValue(87.1225)
        assert ticket.send.text().endswith("LIMIT 87.1225")
        line = ticket.position_bar.lines[Product.NRML].text
        await until(lambda: "@ 87.1225" in line.text(), "the average")
        filled = order(2, symbol=symbol, exchange=exchange, average_price=87.13)
        assert session.window.feedback.words(FILL, "USDINR", [filled]).endswith("@ 87.1300")
        chart, depth = session.window.docks["chart"], session.window.docks["depth"]
        for dock_, owner, part in ((chart, chart.cell, "quote"), (depth, depth, "last")):
            dock_.raise_()
            label = getattr(owner, part)
            await until(
                lambda label=label: len(label.text().split()[0].partition(".")[2]) == 4, part
            )

    drive(scenario)


def test_averages_are_not_cut_to_the_tick() -> None:
    assert fmt.exact(800.03333, 2) == "800.0333"
    assert fmt.exact(800.5, 2) == "800.50"
    assert fmt.exact(87.1, 4) == "87.1000"
    assert fmt.exact(100.0, 2) == "100.00"
    assert fmt.exact(float("nan")) == fmt.MISSING


def test_money_that_nobody_told_is_not_zero(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        window, dock = session.window, session.window.docks["funds"]
        assert isinstance(dock, FundsDock)
        cash, available = dock._values["available_cash"], window.ticket.facts._rows["available"][1]
        await until(lambda: available.text().startswith("₹ 1,00,00,000"), "the money")
        books._clear()  # the other mode, which cannot be read
        books._failed("funds", DataError("Not logged in."))
        books._failed("orders", DataError("Not logged in."))
        books._failed("positions", DataError("Not logged in."))
        assert cash.text() == fmt.MISSING
        assert "Not read now" in dock.age.text() and "Not logged in" in dock.age.toolTip()
        await until(lambda: available.text() == fmt.MISSING, "the ticket")
        await until(lambda: window.top_bar.pnl.text().endswith("⚠"), "the toolbar")
        orders = window.status_bar._parts["orders"]
        await until(lambda: "working ⚠" in orders.text(), "the status bar")

    drive(scenario)


def test_a_hidden_watchlist_catches_up_when_it_is_seen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock = await unseen(session, "watchlist")
        row = dock.row_of(("NSE", "SBIN"))
        assert isinstance(row, WatchRow)
        before = row.tick
        dock.take({("NSE", "SBIN"): Tick("SBIN", "NSE", 1.0)})
        assert row.tick is before and not dock.model.store.dirty
        dock.show()
        await until(lambda: row.tick is session.bridge.latest(("NSE", "SBIN")), "the price")

    drive(scenario)


def test_the_equity_of_the_sandbox_says_when_prices_are_old(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge, dock = session.bridge, session.window.docks["sandbox"]
        assert isinstance(dock, SandboxDock)
        buy = OrderRequest("SBIN", "NSE", Action.BUY, 10, product=Product.MIS)
        await bridge.desk.place(buy, Mode.SANDBOX)
        await until(lambda: any(row.quantity for row in bridge.books.positions), "the position")
        await until(lambda: not bridge.paper.not_live(), "its price")
        dock.reload()
        assert dock.equity.property("tone") != "stale"
        await session.terminal.account.control({"faults": {"disconnect": True}})
        await until(lambda: bridge.feed.stale, "the loss of the feed")
        dock.reload()
        assert dock.equity.text().endswith("(1 not live)")
        assert dock.equity.property("tone") == "stale"
        assert "SBIN" in dock.equity.toolTip()

    drive(scenario)


def test_lines_of_a_hidden_chart_are_drawn_when_it_is_seen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        dock = session.window.docks["chart"]
        assert isinstance(dock, ChartDock)
        await until(lambda: dock.cell.data.loaded and not dock.cell.dirty, "the chart")
        dock.hide()
        books.positions = BookRows([position("SBIN")])
        books.positions_changed.emit()
        assert not dock.view._lines
        dock.show()
        dock.raise_()
        await until(lambda: dock.view._lines, "the line of the position")

    drive(scenario)
