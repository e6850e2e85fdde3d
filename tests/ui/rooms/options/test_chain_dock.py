"""The chain in the window: what it shows of which underlying, what it asks for, what it costs to
close it."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Action, Interval, PriceType, Product
from openalgo_desktop.core.model import Key, OrderRequest, Position
from openalgo_desktop.core.ticketing import TicketUse, TicketWish
from openalgo_desktop.ui.rooms.options.chain import NOTHING, ChainDock
from openalgo_desktop.ui.rooms.options.chain_head import left_text
from openalgo_desktop.ui.rooms.options.chain_rows import column_of
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click
from tests.waiting import until

LEFT = Qt.MouseButton.LeftButton
NIFTY: Key = ("NSE_INDEX", "NIFTY")
BANK: Key = ("NSE_INDEX", "BANKNIFTY")


async def opened(session: Session) -> ChainDock:
    """A chain on the screen, at the money, with figures."""
    session.bridge.select(NIFTY)
    dock = session.window.docking.open("chain")
    assert isinstance(dock, ChainDock)
    dock.setFloating(True)
    dock.resize(1200, 700)
    await until(lambda: not dock.is_hidden(), "the dock on the screen")
    await until(lambda: money(dock) is not None and dock._centred, "figures at the money")
    # Figures come from quotes; what is sent at one click is compared with a price of the stream.
    await until(lambda: streamed(dock), "prices at the money")
    return dock


def streamed(dock: ChainDock) -> bool:
    """Whether the call at the money and the one above and below have a fresh price."""
    atm = money(dock)
    keys = [] if atm is None else [key_of(dock, atm + step) for step in (-50, 0, 50)]
    return bool(keys) and all(dock.bridge.orders.fresh(key) is not None for key in keys)


def money(dock: ChainDock) -> float | None:
    """The strike at the money once its call has a volatility."""
    if dock.view is None or dock.view.head.atm is None:
        return None
    line = dock.table.line_at(dock.table.row_of(dock.view.head.atm))
    call = line.call.leg if line is not None else None
    return line.strike if line is not None and call is not None and call.iv is not None else None


def key_of(dock: ChainDock, strike: float, is_call: bool = True) -> Key:
    side = dock._leg(strike, is_call)
    assert side is not None and side.key is not None
    return side.key


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(190_000.0, "2 d 4 h"), (19_000.0, "5 h 16 min"), (540.0, "9 min"), (-5.0, "0 min")],
)
def test_time_to_expiry_as_it_is_read(seconds: float, text: str) -> None:
    assert left_text(seconds) == text


@pytest.mark.docks("watchlist", "chart", "depth", "positions", "orders")
def test_it_shows_the_money_with_its_figures(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        atm = money(dock)
        assert atm is not None
        assert dock.title_bar.subject.text().startswith("NIFTY")
        assert dock.bar.tabs.count() == len(dock.bridge.chains.expiries(dock._family))
        first, end = dock.table.visible_rows()
        assert first < dock.table.row_of(atm) < end
        assert dock.table.current_line is not None
        assert abs(dock.table.current_line.strike - atm) <= 50  # the money may move on
        for name in ("ltp", "bid", "ask", "iv", "delta", "theta", "oi", "oi_change", "oi_percent"):
            await until(
                lambda n=name: (
                    dock.model.store.cells(dock.table.row_of(atm)).texts[column_of(n, True)]
                    not in ("", "–")
                ),
                name,
            )
        words = dock.bar.figures.text().replace("\u00a0", " ")
        for word in ("Spot", "Forward", "synthetic", "left", "ATM", "IV", "PCR", "Max pain"):
            assert word in words
        tip = dock._tip(dock.model.row_at(dock.table.row_of(atm)), True)
        assert "CE" in tip and "greeks rest on" in tip

    drive(scenario)


def test_it_follows_its_group_and_says_when_there_are_no_options(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        bridge = session.bridge
        atm = money(dock)
        assert atm is not None
        second = bridge.chains.expiries(dock._family)[1]
        view = dock.view
        bridge.select(key_of(dock, atm + 100, False))  # an option of the same chain
        assert dock.view is view
        assert dock.table.current_line is not None
        assert (dock.table.current_line.strike, dock.table.call_side) == (atm + 100, False)
        dock.bar.tabs.setCurrentIndex(1)
        assert dock._expiry == second
        bridge.select(NIFTY)
        assert dock._expiry == second  # the same underlying: the expiry stays
        bridge.select(BANK)
        assert dock._family is not None and dock._family.name == "BANKNIFTY"
        bridge.select(("NSE_INDEX", "INDIAVIX"))
        assert dock.view is None
        assert dock._empty.isVisible() and dock._empty.text() == NOTHING
        assert not dock.table.isVisible()
        assert bridge.chains.open_views == 0
        bridge.select(NIFTY)
        assert dock.table.isVisible() and not dock._empty.isVisible()
        dock.set_group(0)
        bridge.select(BANK)
        assert dock._family is not None and dock._family.name == "NIFTY"

    drive(scenario)


def test_keys_and_clicks_fill_the_ticket_and_send_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        bridge, table = session.bridge, dock.table
        wishes: list[TicketWish] = []
        sent: list[OrderRequest] = []
        bridge.ticket_wanted.connect(wishes.append)
        bridge.basket_wanted.connect(sent.append)
        atm = money(dock)
        assert atm is not None
        table.set_current(atm, True)
        table.setFocus()
        QTest.keyClick(table, Qt.Key.Key_B)
        QTest.keyClick(table, Qt.Key.Key_Right)
        QTest.keyClick(table, Qt.Key.Key_S)
        assert [(wish.key, wish.action, wish.price) for wish in wishes] == [
            (key_of(dock, atm), Action.BUY, 0.0),
            (key_of(dock, atm, False), Action.SELL, 0.0),
        ]
        QTest.keyClick(table, Qt.Key.Key_A)
        assert [(one.symbol, one.action) for one in sent] == [
            (key_of(dock, atm, False)[1], Action.BUY)
        ]
        QTest.keyClick(table, Qt.Key.Key_Return)
        assert bridge.selected == key_of(dock, atm, False)
        wishes.clear()
        area = table.cell_rect(table.row_of(atm), "ask", True)
        QTest.mouseClick(table.viewport(), LEFT, pos=area.center())
        (wish,) = wishes
        assert (wish.action, wish.price_type) == (Action.BUY, PriceType.LIMIT)
        assert wish.price > 0
        assert bridge.books.orders == {}

    drive(scenario)


def test_armed_one_click_sends_a_lot_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        bridge, table = session.bridge, dock.table
        atm = money(dock)
        assert atm is not None
        for name in ("value", "lots", "percent", "spread"):
            bridge.set_setting(f"confirm.{name}", 0)
        bridge.arm.arm(bridge.mode)
        side = dock._leg(atm, True)
        assert side is not None
        refused: list[str] = []
        wishes: list[TicketWish] = []
        bridge.notice.connect(lambda _level, text: refused.append(text))
        bridge.ticket_wanted.connect(wishes.append)
        area = table.cell_rect(table.row_of(atm), "ask", True)
        for _ in range(50):
            QTest.mouseClick(table.viewport(), LEFT, pos=area.center())
            if not wishes:
                break
            # On a busy machine its price may be old again: the ticket, and nothing is sent.
            assert bridge.books.orders == {}
            wishes.clear()
            refused.clear()
            await asyncio.sleep(0.1)
        await until(lambda: bridge.books.orders or refused, "the order")
        assert bridge.books.orders, refused
        (order,) = bridge.books.orders.values()
        assert (order.symbol, order.action, order.quantity) == (
            key_of(dock, atm)[1], Action.BUY, side.lot,
        )  # fmt: skip
        assert (order.price_type, order.product) == (PriceType.LIMIT, Product.MIS)

    drive(scenario)


def test_armed_an_unusual_order_is_not_sent_at_one_click(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        bridge = session.bridge
        atm = money(dock)
        wishes: list[TicketWish] = []
        notices: list[str] = []
        bridge.ticket_wanted.connect(wishes.append)
        bridge.notice.connect(lambda _level, text: notices.append(text))
        bridge.set_setting("confirm.value", 1)  # rupee
        bridge.arm.arm(bridge.mode)
        assert atm is not None
        area = dock.table.cell_rect(dock.table.row_of(atm), "ask", True)
        clicks = 0

        def told() -> bool:
            """On a busy machine its price may be old again: then that is the reason."""
            nonlocal clicks
            clicks += 1
            QTest.mouseClick(dock.table.viewport(), LEFT, pos=area.center())
            assert len(wishes) == clicks
            return notices[-1].startswith("Not sent at one click: Its value")

        await until(told, "why it was not sent")
        assert bridge.books.orders == {}

    drive(scenario)


def test_buying_the_call_at_the_money_takes_three_clicks(drive: Drive) -> None:
    """The first of the ten jobs: B at the money, Buy in the ticket, and yes if it asks."""

    async def scenario(session: Session) -> None:
        dock = await opened(session)
        atm = money(dock)
        assert atm is not None
        clicks = 0
        area = dock.table.button_rect(dock.table.row_of(atm), "buy", True)
        QTest.mouseClick(dock.table.viewport(), LEFT, pos=area.center())
        clicks += 1
        ticket = session.window.ticket
        assert ticket.instrument is not None
        assert ticket.instrument.key == key_of(dock, atm)
        assert ticket.units.value() == ticket.instrument.lot_size
        click(ticket.send)
        clicks += 1

        def answered() -> bool:
            nonlocal clicks
            asking = QApplication.activeModalWidget()
            if asking is not None:
                yes = asking.findChild(type(ticket.send), "dialog-confirm-yes")
                if yes is not None and yes.isEnabled():
                    click(yes)
                    clicks += 1
            return bool(session.bridge.books.orders)

        await until(answered, "the order")
        (order,) = session.bridge.books.orders.values()
        assert (order.symbol, order.action) == (key_of(dock, atm)[1], Action.BUY)
        assert clicks <= 3

    drive(scenario)


def test_a_position_is_shown_at_its_strike(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        bridge = session.bridge
        atm = money(dock)
        assert atm is not None
        key = key_of(dock, atm)
        side = dock._leg(atm, True)
        assert side is not None
        row = Position(key[1], key[0], Product.NRML, 2 * side.lot, 100.0)
        other = Position(key[1], key[0], Product.MIS, -side.lot, 100.0)
        bridge.books.positions = [row, other]
        bridge.books.positions_changed.emit()
        assert side.badge == "+1"
        wishes: list[TicketWish] = []
        bridge.ticket_wanted.connect(wishes.append)
        instrument = bridge.instrument(key)
        assert instrument is not None
        dock.orders.leave(instrument)
        assert [(wish.use, wish.action, wish.quantity) for wish in wishes] == [
            (TicketUse.EXIT, Action.SELL, 2 * side.lot)
        ]
        bridge.books.positions = []
        bridge.books.positions_changed.emit()
        assert side.badge == ""

    drive(scenario)


def test_a_strike_that_was_chosen_stays_while_the_money_is_found(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        atm = money(dock)
        assert atm is not None
        # The pointer may rest on the table since an earlier test, and nothing moves under a hand.
        dock.table.underMouse = lambda: False  # type: ignore[method-assign]
        dock._centred, dock._placed = False, atm  # as before the first synthetic forward
        dock.table.set_current(atm + 200, False)
        dock._on_solved(set())
        line = dock.table.current_line
        assert line is not None
        assert (line.strike, dock.table.call_side) == (atm + 200, False)
        dock._centred, dock._placed = False, atm + 200  # nobody chose anything
        dock._on_solved(set())
        line = dock.table.current_line
        assert line is not None and dock.view is not None
        assert line.strike == dock.view.head.atm

    drive(scenario)


def test_the_menu_of_a_side(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        bridge, table = session.bridge, dock.table
        atm = money(dock)
        assert atm is not None
        wanted: list[tuple[str, Key]] = []
        sent: list[OrderRequest] = []
        bridge.dock_wanted.connect(lambda kind, key: wanted.append((kind, key)))
        bridge.basket_wanted.connect(sent.append)
        area = table.cell_rect(table.row_of(atm), "ltp", False)
        dock._on_menu(area.center())
        menu = next(one for one in dock.findChildren(QMenu) if one.isVisible())
        items = {action.text(): action for action in menu.actions() if action.text()}
        assert list(items) == [
            "Buy", "Sell", "Add buy to basket", "Add sell to basket", "Chart",
            "Straddle chart", "Ladder", "Alert…",
            "Show in linked docks", "Copy contract", "Copy table",
            "Save as CSV…", "Save as picture…",
        ]  # fmt: skip
        assert bridge.books.orders == {}
        put = key_of(dock, atm, False)
        items["Ladder"].trigger()
        items["Add sell to basket"].trigger()
        items["Copy contract"].trigger()
        assert wanted == [("ladder", put)]
        assert [(one.symbol, one.action) for one in sent] == [(put[1], Action.SELL)]
        assert QApplication.clipboard().text() == put[1]
        menu.close()
        dock._on_header_menu(QPoint(200, 5))
        menu = next(one for one in dock.findChildren(QMenu) if one.isVisible())
        greeks = next(action for action in menu.actions() if action.text() == "Greeks")
        greeks.trigger()
        assert table.plan.preset == "Greeks"
        menu.close()

    drive(scenario)


def test_old_prices_are_grey_and_told_with_their_age(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        session.terminal.hub.connected = False
        dock._on_aged()
        atm = money(dock)
        assert atm is not None
        row = dock.table.row_of(atm)
        assert dock.model.row_at(row).call.stale
        assert dock.model.store.cells(row).tones[column_of("ltp", True)] == "stale"
        assert "old" in dock.bar.figures.text()
        # Armed or not: nothing is sent at an old price.
        wishes: list[TicketWish] = []
        session.bridge.ticket_wanted.connect(wishes.append)
        session.bridge.arm.arm(session.bridge.mode)
        dock._on_asked("lift", atm, True)
        assert len(wishes) == 1
        assert session.bridge.books.orders == {}

    drive(scenario)


def test_what_it_shows_comes_back_after_a_restart(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        dock.table.plan.use("Greeks")
        dock.bar.tabs.setCurrentIndex(2)
        dock.set_span(10)
        dock.toggle_lots()
        state, expiry = dock.save_state(), dock._expiry
        for damaged in ({}, {"columns": 3, "span": "x", "symbol": "y", "expiry": 7}):
            dock.restore_state(damaged)
        dock.restore_state(state)
        assert dock.save_state() == state
        assert dock._expiry == expiry
        assert dock.table.plan.preset == "Greeks"
        assert sum(row.streamed for row in dock.view.rows) < len(dock.view.rows)

    drive(scenario)


def test_open_interest_in_lots(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        atm = money(dock)
        assert atm is not None
        row, column = dock.table.row_of(atm), column_of("oi", True)
        side = dock._leg(atm, True)
        assert side is not None and side.tick is not None
        tick = side.tick
        dock.toggle_lots()
        value = dock.model.columns[column].value(dock.model.row_at(row))
        assert value == pytest.approx(tick.oi / side.lot, rel=0.01)

    drive(scenario)


def test_with_something_in_it_opened_and_closed_leaves_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge, docking = session.bridge, session.window.docking
        bridge.select(NIFTY)
        first = docking.open("chain")
        first.close()
        await until(lambda: bridge.chains.open_views == 0, "the first one closed")
        gc.collect()
        served, tasks = bridge.frames.served, len(bridge._tasks)
        children = len(bridge.children())
        for _ in range(10):
            dock = docking.open("chain")
            assert isinstance(dock, ChainDock) and dock.view is not None
            dock.close()
        assert bridge.chains.open_views == 0
        assert bridge.frames.served == served
        await until(lambda: len(bridge._tasks) <= tasks, "its questions ended")
        await until(lambda: len(bridge.children()) <= children, "its timers gone")
        await until(lambda: not list(session.window.findChildren(ChainDock)), "the docks gone")

    drive(scenario)


def test_the_change_of_open_interest_comes_from_candles_where_the_feed_has_none(
    drive: Drive,
) -> None:
    async def scenario(session: Session) -> None:
        quoters = session.terminal.accounts["simulator"]._world.quoters  # type: ignore[attr-defined]
        for quoter in quoters.values():
            session_day = quoter._new_day
            quoter._new_day = partial(without_extras, session_day)
            quoter.reset()
        dock = await opened(session)
        atm = money(dock)
        assert atm is not None
        dock.table.plan.use("OI")
        dock.arrange()
        key = key_of(dock, atm)
        leg = dock.model.row_at(dock.table.row_of(atm)).call.leg
        assert leg is not None and leg.tick is not None and leg.tick.extras is None
        await until(lambda: leg.oi_change is not None, "the change of the day")
        today = session.bridge.now().date()
        week = today - timedelta(days=7)
        days = await session.bridge.bars.of_days(key, Span.of(Interval.DAY), week, today)
        assert leg.prev_oi == days.oi[-2]
        dock.close()
        assert dock.name not in session.bridge.day_facts._wanted

    drive(scenario)


def without_extras(new_day: Any, window: Any) -> Any:
    """A day of a feed that tells no open interest of the day before."""
    day = new_day(window)
    day.extras = None
    return day
