"""The whole window on a real terminal and the built-in simulator: orders by clicking."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import Order
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.kit.widgets import controls
from openalgo_desktop.ui.rooms.market.watchlist import WatchlistDock
from openalgo_desktop.ui.rooms.orders.orders import OrdersDock
from openalgo_desktop.ui.rooms.portfolio.positions import PositionsDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, ended, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist", "orders", "positions")


def orders_dock(session: Session) -> OrdersDock:
    dock = session.window.docks["orders"]
    assert isinstance(dock, OrdersDock)
    dock.raise_()  # a hidden one keeps its rows as they were
    return dock


def only_order(session: Session) -> Order:
    rows = orders_dock(session).rows
    assert len(rows) == 1
    return rows[0]


def test_a_clicked_market_order_is_in_the_books(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = session.window.ticket
        ticket.units.setValue(10)
        click(ticket.send)
        await until(lambda: orders_dock(session).rows, "a row in the order book")
        await until(
            lambda: only_order(session).status is OrderStatus.COMPLETE, "the fill of the order"
        )
        order = only_order(session)
        assert (order.symbol, order.quantity, order.source) == ("SBIN", 10, "window")
        await until(lambda: order.order_id in ticket.result.text(), "the order id in the ticket")
        positions = session.window.docks["positions"]
        assert isinstance(positions, PositionsDock)
        positions.raise_()
        await until(lambda: positions.rows, "a row in the positions")
        positions.view.selectRow(0)
        session.window.docks["positions"].raise_()
        click(positions.close_button)
        await until(lambda: positions.rows[0].closed, "the position to be flat")

    drive(scenario)


def test_a_limit_order_is_modified_and_cancelled(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = session.window.ticket
        click(ticket.price_type.button("LIMIT"))
        tick = session.bridge.latest(SBIN)
        assert tick is not None
        ticket.price.setValue(round(tick.ltp * 0.95, 0))
        click(ticket.send)
        dock = orders_dock(session)
        await until(lambda: dock.rows, "the order in the book")
        dock.raise_()
        dock.view.selectRow(0)
        click(dock.modify_button)
        editor = dock.changes.editor
        assert editor is not None
        editor.fields["price"].setValue(round(tick.ltp * 0.94, 0))
        QTest.keyClick(editor.fields["price"], Qt.Key.Key_Return)
        await until(lambda: only_order(session).price == round(tick.ltp * 0.94, 0), "the new price")
        dock.view.selectRow(0)
        click(dock.cancel_button)
        await until(lambda: only_order(session).status is OrderStatus.CANCELLED, "the cancellation")

    drive(scenario)


def test_bad_input_is_said_under_the_field(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = session.window.ticket
        click(ticket.price_type.button("LIMIT"))
        ticket.price.setValue(800.013)
        click(ticket.send)
        assert ticket.price_field.error()
        assert ticket.price_field.message.isVisibleTo(ticket.price_field)
        ticket.price.setValue(800.0)
        ticket.units.setValue(0)
        assert not ticket.price_field.error()
        assert ticket.units_field.error()
        await asyncio.sleep(0.1)
        assert orders_dock(session).rows == []

    drive(scenario)


def test_lots_and_units_stay_in_step(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        future = next(
            row
            for row in session.bridge.search("NIFTY", 200)
            if row.instrument_type == "FUT" and row.name == "NIFTY"
        )
        session.bridge.select(future.key)
        ticket = session.window.ticket
        ticket.lots.setValue(3)
        assert ticket.units.value() == 3 * future.lot_size
        ticket.units.setValue(2 * future.lot_size)
        assert ticket.lots.value() == 2
        assert [
            name for name in ticket.product.options if not ticket.product.button(name).isHidden()
        ] == [
            "MIS",
            "NRML",
        ]

    drive(scenario)


def test_each_price_type_shows_its_fields_and_no_others(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = session.window.ticket
        fields = (ticket.lots, ticket.units, ticket.price, ticket.trigger)
        wanted = {
            "MARKET": (False, True, False, False),
            "LIMIT": (False, True, True, False),
            "SL": (False, True, True, True),
            "SL-M": (False, True, False, True),
        }
        for kind, shown in wanted.items():
            click(ticket.price_type.button(kind))
            assert tuple(field.isVisible() for field in fields) == shown, kind
        future = next(
            row for row in session.bridge.search("NIFTY", 200) if row.instrument_type == "FUT"
        )
        session.bridge.select(future.key)
        assert ticket.lots.isVisible()
        # What is shown has room: nothing lies outside of its dock.
        await until(
            lambda: (
                ticket.frame.mapTo(ticket, ticket.frame.rect().topRight()).x() <= ticket.width()
            ),
            "the ticket in its width",
        )

    drive(scenario)


def test_the_same_order_at_once_asks_first(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("trading.duplicate_guard_ms", 10_000)
        await priced(session)
        ticket = session.window.ticket
        click(ticket.send)
        await until(lambda: len(orders_dock(session).rows) == 1, "the first order")
        await until(lambda: not ticket.sending.busy, "the answer")
        click(ticket.send)
        await until(lambda: ticket.findChildren(ConfirmDialog), "the question")
        click(ticket.findChildren(ConfirmDialog)[0].no)
        await until(lambda: not ticket.sending.busy, "the end of the question")
        assert len(orders_dock(session).rows) == 1

    drive(scenario)


def test_live_is_asked_for_and_sandbox_is_not(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        assert window.windowTitle().startswith("[SANDBOX]")
        assert window.sandbox_banner.isVisible()
        assert window._sandbox_bar.rect().contains(window.sandbox_banner.geometry())  # not cut
        click(window.top_bar.mode)
        await until(lambda: window.findChildren(ConfirmDialog), "the question")
        assert session.bridge.mode is Mode.SANDBOX
        click(window.findChildren(ConfirmDialog)[0].yes)
        await until(lambda: session.bridge.mode is Mode.LIVE, "the switch")
        assert not window.windowTitle().startswith("[SANDBOX]")
        assert not window.sandbox_banner.isVisible()
        await ended(session, "switch mode")
        click(window.top_bar.mode)
        await until(lambda: session.bridge.mode is Mode.SANDBOX, "the way back")
        assert not [d for d in window.findChildren(QDialog) if d.isVisible()]

    drive(scenario)


def test_what_was_confirmed_for_one_mode_does_not_reach_the_other(
    drive: Drive,
) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = session.window.ticket
        click(ticket.send)  # decided in SANDBOX; the switch moves before the order leaves
        await session.terminal.desk.set_mode(Mode.LIVE, "script")
        await until(lambda: "switched" in ticket.result.text(), "the refusal")
        assert await session.terminal.desk.read.orders() == []

    drive(scenario)


@pytest.mark.whole_layout
def test_every_control_has_both_names(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await asyncio.sleep(0.1)
        found = controls(session.window)
        assert len(found) > 60
        unnamed = [
            (type(control).__name__, control.objectName(), control.accessibleName())
            for control in found
            if not control.objectName() or not control.accessibleName()
        ]
        assert unnamed == []

    drive(scenario)


@pytest.mark.whole_layout
def test_layout_watchlist_and_symbol_come_back(drive: Drive) -> None:
    async def change(session: Session) -> None:
        watchlist = session.window.docks["watchlist"]
        watchlist.set_keys([SBIN])  # type: ignore[attr-defined]
        session.bridge.select(SBIN)
        session.window.docks["funds"].close()

    async def check(session: Session) -> None:
        watchlist = session.window.docks["watchlist"]
        assert watchlist.keys() == [SBIN]  # type: ignore[attr-defined]
        assert session.bridge.selected == SBIN
        assert "funds" not in session.window.docks
        assert session.window.docks["chart"].isVisible()

    drive(change)
    drive(check)


@pytest.mark.whole_layout
def test_stop_leaves_nothing_running(drive: Drive) -> None:
    sessions: list[Session] = []

    async def scenario(session: Session) -> None:
        sessions.append(session)
        session.window.close()
        await until(session.closing.is_set, "the end")

    drive(scenario)
    assert not sessions[0].bridge._tasks
    assert sessions[0].terminal.api is None or sessions[0].terminal.api.clients == 0


@pytest.mark.whole_layout
def test_order_events_touch_their_rows_only_and_nothing_of_a_hidden_dock(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock = orders_dock(session)
        await until(lambda: not dock.is_hidden() and not dock.dirty, "the dock is seen")
        resting = Order("1", "SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, Product.MIS, price=1.0)
        other = msgspec.structs.replace(resting, order_id="2", symbol="INFY")
        books = session.bridge.books
        for order in (resting, other):
            books.orders[order.order_id] = order
        dock.reload()
        kept = [row for row in dock.rows if row.order_id == "2"]
        half = msgspec.structs.replace(resting, filled_quantity=2)
        books.orders["1"] = half
        dock.model.store.dirty.clear()
        books.orders_updated.emit([half])
        source = dock._source("1")
        assert dock.rows[source] is half and dock.model.store.dirty == {source}
        assert next(row for row in dock.rows if row.order_id == "2") is kept[0]
        dock.hide()
        done = msgspec.structs.replace(half, status=OrderStatus.COMPLETE)
        books.orders["1"] = done
        books.orders_updated.emit([done])
        assert dock.rows[source] is half  # nobody sees it
        dock.show()
        dock.raise_()
        await until(lambda: done in dock.rows, "shown as soon as the dock is seen")

    drive(scenario)


def test_buy_in_a_row_is_of_that_row_whatever_the_ticket_is_linked_to(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket, watchlist = session.window.ticket, session.window.docks["watchlist"]
        assert isinstance(watchlist, WatchlistDock)
        ticket.set_group(0)
        watchlist.trade(("NSE", "INFY"), Action.SELL)
        assert ticket.request().symbol == "INFY"
        assert ticket.action is Action.SELL
        session.bridge.select(SBIN)
        assert ticket.request().symbol == "INFY"  # it is not linked

    drive(scenario)


@pytest.mark.whole_layout
def test_a_switch_of_the_mode_moves_no_panel(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        chart = window.docks["chart"]
        await until(lambda: not chart.visibleRegion().isEmpty(), "the chart")
        session.app.sendPostedEvents()

        class Moves(QObject):
            seen = 0

            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                self.seen += event.type() in (QEvent.Type.Resize, QEvent.Type.Move)
                return False

        moves = Moves()
        chart.installEventFilter(moves)
        for mode in (Mode.LIVE, Mode.SANDBOX, Mode.LIVE, Mode.SANDBOX):
            window._on_mode(mode)
            session.app.sendPostedEvents()
            sandbox = mode is Mode.SANDBOX
            assert window._sandbox_bar.isVisible() is sandbox
            assert window._live_bar.isVisible() is not sandbox
        assert moves.seen == 0
        chart.removeEventFilter(moves)

    drive(scenario)
