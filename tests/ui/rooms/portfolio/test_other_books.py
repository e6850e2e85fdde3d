"""Trades, holdings and funds: charges, days, weights, what a row gives."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action, FeedMode, Product
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.funds_days import FundsDay
from openalgo_desktop.core.model import BookRows, Funds, Holding, Position, Trade
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.exchange.state import DayRow
from openalgo_desktop.ui.engine.funds import SCOPE
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.orders.trades import TradesDock
from openalgo_desktop.ui.rooms.portfolio.funds import FundsDock
from openalgo_desktop.ui.rooms.portfolio.holdings import HoldingsDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click
from tests.ui.rooms.portfolio.test_book_docks import order, seen, shown, stand_still, trade
from tests.waiting import until, until_told

pytestmark = pytest.mark.whole_layout


def calls(dock: Any, row: object) -> dict[str, Any]:
    menu = QMenu(dock)
    dock.fill_menu(menu, row)
    return {action.text(): action.trigger for action in menu.actions()}


def test_charges_of_a_trade_are_told_or_estimated_and_said_so(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        told = msgspec.structs.replace(trade(1), charges=3.5)
        books.trades = BookRows([told, trade(2)])
        books.trades_changed.emit()
        dock = await seen(session, "trades")
        assert isinstance(dock, TradesDock)
        texts = [shown(dock, n)["charges"] for n in range(2)]  # type: ignore[arg-type]
        assert texts[1] == "3.50" and texts[0].startswith("≈ ")
        assert "≈" not in dock.model.as_csv()
        day = session.bridge.day_trades
        other = day.charges_of(trade(2))[0]
        assert other is not None and day.charges == pytest.approx(3.5 + other)
        assert f"charges ₹ {3.5 + other:.2f}" in dock.title_bar.subject.text()

    drive(scenario)


def test_a_book_that_is_read_again_is_counted_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books, day = await stand_still(session), session.bridge.day_trades

        def read(*trades: Trade) -> tuple[int, float | None]:
            books.trades = BookRows(msgspec.structs.replace(row) for row in trades)
            books.trades_changed.emit()
            found = day.of(("NSE", "SBIN"), Product.MIS)
            return found.bought, found.charges

        one, two = trade(1), msgspec.structs.replace(trade(2), charges=2.0)
        assert read(one)[0] == 10
        assert read(one)[0] == 10
        assert read(one, two)[0] == 20
        told = msgspec.structs.replace(one, charges=3.5)  # the account tells it later
        assert read(told, two) == (20, 5.5)
        assert read(two) == (10, 2.0)
        assert read() == (0, 0.0)

    drive(scenario)


def test_two_trades_of_one_order_share_its_charges(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        one = msgspec.structs.replace(trade(1), quantity=30)
        two = msgspec.structs.replace(trade(2), order_id=one.order_id, quantity=10)
        books.trades = BookRows([one, two])
        books.trades_changed.emit()
        day = session.bridge.day_trades
        first, second = (day.charges_of(row)[0] for row in (one, two))
        assert first is not None and second is not None
        assert first == pytest.approx(3 * second) and day.charges == pytest.approx(first + second)
        total = day.of(one.key, one.product)
        assert (total.bought, total.sold, total.buy_average) == (40, 0, 800.0)
        books._clear()
        assert day.charges == 0

    drive(scenario)


def test_a_trade_leads_to_its_order_and_chart(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        books.orders = {"1": order(1)}
        books.orders_changed.emit()
        old = datetime(2001, 1, 1, tzinfo=UTC)
        books.trades = BookRows([msgspec.structs.replace(trade(1), traded_at=old)])
        books.trades_changed.emit()
        dock = await seen(session, "trades")
        found = calls(dock, dock.rows[0])
        found["Show order"]()
        orders = session.window.docks["orders"]
        await until(lambda: not orders.is_hidden(), "the order book")
        assert orders.selected_row().order_id == "1"  # type: ignore[attr-defined]
        session.bridge.select(("NSE", "TCS"))
        chart = session.window.docks["chart"]
        assert isinstance(chart, ChartDock)
        found["Chart at this trade"]()
        assert session.bridge.selected == ("NSE", "SBIN")
        history = chart.cell.history
        await until(
            lambda: (
                not (chart.cell.moment.waiting or history.loading) and len(chart.view.canvas.series)
            ),
            "bars",
        )
        assert "is loaded" in history.message.text()  # the trade is older than its history
        times = chart.view.canvas.series.time
        middle = len(times) // 2
        moment = datetime.fromtimestamp(int(times[middle]) + 7, UTC)
        session.bridge.moment_wanted.emit(("NSE", "SBIN"), moment)
        scale = chart.view.canvas.scale_x
        assert (scale.left + scale.right) / 2 == pytest.approx(middle, abs=1)

    drive(scenario)


def test_holdings_know_day_and_weight_and_ask_for_quotes_while_seen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        hub = session.terminal.hub
        assert hub._source is not None
        hub._source.set_sink(lambda tick: None)
        rows = [Holding("SBIN", "NSE", 10, 500.0, 600.0), Holding("TCS", "NSE", 5, 900.0)]
        books.holdings = BookRows(rows)
        for symbol, last in (("SBIN", 600.0), ("TCS", 400.0)):
            hub.publish(Tick(symbol, "NSE", last, close=last - 10.0, mode=FeedMode.QUOTE))
        rows[1].ltp = 400.0
        books.holdings_changed.emit()
        dock = await seen(session, "holdings")
        assert isinstance(dock, HoldingsDock)
        wanted = session.bridge.prices._wanted
        await until(lambda: len(wanted.get("dock-holdings", {})) == 2, "quotes")
        row = shown(dock)  # type: ignore[arg-type]
        assert (row["day"], row["weight"], row["percent"]) == ("+100.00", "75.0%", "+20.00%")
        assert dock.total.numbers[2].text() == "+150.00"
        dock.hide()
        assert not wanted.get("dock-holdings")

    drive(scenario)


def test_selling_a_holding_fills_the_ticket_and_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        books.holdings = BookRows([Holding("SBIN", "NSE", 10, 500.0, 600.0)])
        books.holdings_changed.emit()
        dock = await seen(session, "holdings")
        wishes: list[Any] = []
        session.bridge.ticket_wanted.connect(wishes.append)
        dock.select_row("NSE:SBIN")
        QTest.keyClick(dock.view, Qt.Key.Key_Delete)
        calls(dock, dock.rows[0])["Sell…"]()
        assert [(w.action, w.quantity, w.product) for w in wishes] == [
            (Action.SELL, 10, Product.CNC)
        ] * 2

    drive(scenario)


def test_funds_say_what_positions_use_and_are_never_blank(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        dock = session.window.docks["funds"]
        assert isinstance(dock, FundsDock)
        dock.show()
        dock.raise_()
        books.positions = BookRows(
            [
                Position("SBIN", "NSE", Product.MIS, 10, 800.0, margin=1600.0),
                Position("TCS", "NSE", Product.MIS, 1, 800.0, margin=400.0),
            ]
        )
        books.positions_changed.emit()
        assert dock.segments.text() == "Used by positions: NSE ₹ 2,000.00"
        assert [dock._values[name].text() for name in ("payin", "payout")] == ["–", "–"]
        books.funds = Funds(payin=500.0, payout=0.0, used_by={"Equity": 30.0, "Commodity": 5.0})
        books.funds_changed.emit()
        assert dock._values["payin"].text() == "₹ 500.00"
        assert dock._values["payout"].text() == "₹ 0.00"  # told, so no dash
        assert dock.segments.text() == "Used: Commodity ₹ 5.00, Equity ₹ 30.00"
        before = dock._values["available_cash"].text()
        books._failed("funds", DataError("Not logged in."))
        assert dock._values["available_cash"].text() == before  # the last value, with its age
        assert "Not read now" in dock.age.text()

    drive(scenario)


def test_funds_have_a_history_of_each_account_by_day(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        dock = session.window.docks["funds"]
        assert isinstance(dock, FundsDock)
        dock.show()
        dock.raise_()
        terminal, door = session.terminal, session.bridge.funds
        today = session.bridge.now().date()
        # A day that the paper account filed, one that the window saw, one of another account.
        filed, seen = today - timedelta(days=3), today - timedelta(days=2)
        terminal.sandbox.state.add_day(
            DayRow(filed, 50.0, -20.0, 5.0, 35.0, 9000.0, 1000.0, 10000.0)
        )
        line = {"day": seen.isoformat(), "available": 8000.0, "utilised": 2000.0}
        await terminal.state.put(SCOPE, f"sandbox|{seen.isoformat()}", line)
        await terminal.state.put(SCOPE, f"live:AB1234|{seen.isoformat()}", line)
        books.funds = Funds(available_cash=7000.0, utilised=3000.0, payin=500.0)
        books.funds_known = True
        books.funds_changed.emit()
        click(dock.history_button)
        await until(lambda: len(dock.days.store.rows) == 3, "the days")
        rows = dock.days.store.rows
        assert [row.day for row in rows] == [today, seen, filed]
        assert [row.available for row in rows] == [7000.0, 8000.0, 9000.0]
        assert (rows[2].realised, rows[2].unrealised) == (50.0, -15.0)
        texts = dock.days.store.cells(1).texts
        assert texts[1:4] == ["8,000.00", "2,000.00", "–"]  # what was not told is no 0
        assert dock.history.isVisible() and not dock.panel.isVisible()
        assert "Save as CSV…" in [text for text, _ in dock.exports()]
        # What comes while it is looked at is there, and is kept over a restart.
        books.funds = Funds(available_cash=6500.0, utilised=3500.0)
        books.funds_changed.emit()
        await until(lambda: dock.days.store.rows[0].available == 6500.0, "the new figures")
        # So is what comes while an earlier figure is still being read.
        read, reads, gate = door.days, list[int](), asyncio.Event()

        async def slow() -> list[FundsDay]:
            rows = await read()
            reads.append(len(rows))
            await gate.wait()
            return rows

        door.days = slow  # type: ignore[method-assign]
        reading = dock._reading
        await until(lambda: reading is None or reading.done(), "the first reading")
        books.funds_changed.emit()
        await until(lambda: reads, "a reading")
        books.funds = Funds(available_cash=6400.0, utilised=3600.0)
        books.funds_changed.emit()
        gate.set()
        await until(lambda: dock.days.store.rows[0].available == 6400.0, "what came meanwhile")
        door.keep()
        key = f"sandbox|{today.isoformat()}"
        stored: dict[str, Any] = {}

        async def kept() -> bool:
            stored.update(await terminal.state.all(SCOPE))
            return stored.get(key, {}).get("available") == 6400.0

        await until_told(kept, "the new figures stored")
        click(dock.history_button)
        assert dock.panel.isVisible() and not dock.history.isVisible()

    drive(scenario)


def test_what_is_not_known_is_not_kept_as_zeros(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books, door = await stand_still(session), session.bridge.funds
        kept: list[str] = []
        door._put = lambda key, _value: kept.append(key)
        door.keep()
        assert len(kept) == 1
        books.funds, books.funds_known = Funds(), False
        books.funds_changed.emit()
        door.keep()
        assert len(kept) == 1

    drive(scenario)
