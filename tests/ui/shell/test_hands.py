"""Palette, keys and panels by keyboard on the real window; the ticket from anywhere."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.market.watchlist import WatchlistDock
from openalgo_desktop.ui.shell import toasts
from openalgo_desktop.ui.shell.hotkey_editor import HotkeyDialog
from openalgo_desktop.ui.shell.keys_help import KeysDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist", "orders", "positions")

INFY = ("NSE", "INFY")
CTRL = Qt.KeyboardModifier.ControlModifier


def watchlist(session: Session) -> WatchlistDock:
    dock = session.window.docks["watchlist"]
    assert isinstance(dock, WatchlistDock)
    return dock


async def open_palette(session: Session, text: str, action: str = "search") -> None:
    session.window.actions_by_name[action].trigger()
    palette = session.window.hands.palette
    await until(palette.isVisible, "the palette")
    QTest.keyClicks(palette.field, text)
    await until(lambda: not palette._timer.isActive(), "the search")


def press(session: Session, key: Qt.Key, modifiers: Qt.KeyboardModifier = CTRL) -> None:
    QTest.keyClick(session.window.hands.palette.field, key, modifiers)


NONE = Qt.KeyboardModifier.NoModifier


def test_a_symbol_is_shown_and_with_ctrl_enter_added_and_nothing_is_sent(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        window, palette = session.window, session.window.hands.palette
        await open_palette(session, "infy")
        held = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, NONE, "", True)
        QApplication.sendEvent(palette.field, held)
        assert palette.isVisible()  # an Enter that is still held from before
        press(session, Qt.Key.Key_Return, NONE)
        assert session.bridge.selected == INFY and not palette.isVisible()
        watchlist(session).set_keys([SBIN])
        await open_palette(session, "tcs")
        press(session, Qt.Key.Key_Return)
        assert ("NSE", "TCS") in set(watchlist(session).keys())
        assert session.bridge.selected == ("NSE", "TCS")  # as with the field of the watchlist
        await open_palette(session, "infy")
        press(session, Qt.Key.Key_Escape, NONE)
        assert not palette.isVisible()
        assert not window.findChildren(ConfirmDialog)
        assert await session.terminal.desk.read.orders() == []

    drive(scenario)


def test_commands_are_found_run_and_remembered_over_a_restart(drive: Drive) -> None:
    async def change(session: Session) -> None:
        before = str(session.bridge.setting("ui.theme"))
        await open_palette(session, "theme light", "commands")
        press(session, Qt.Key.Key_Return, NONE)
        assert str(session.bridge.setting("ui.theme")) == "light" != before
        await open_palette(session, "open performance")
        press(session, Qt.Key.Key_Return, NONE)
        assert "performance" in session.window.docks
        await open_palette(session, "square off")  # another name of Flatten
        first = session.window.hands.palette._found[0]
        assert first.command is not None and first.command.ident == "flatten"
        press(session, Qt.Key.Key_Escape, NONE)

    async def again(session: Session) -> None:
        assert session.window.hands.palette.recent[:2] == [
            "command:dock:performance",
            "command:theme:light",
        ]
        await open_palette(session, "")
        first = session.window.hands.palette._found[0]
        assert first.ident == "command:dock:performance"
        offered = {entry.ident for entry in session.window.hands.entries()}
        assert "send-ticket" not in offered
        assert {"flatten", "dock:chart", "setting:api.rest_port", "theme:dark"} <= offered
        assert f"workspace:{session.window.workspaces.names()[0]}" in offered

    drive(change)
    drive(again)


def test_the_ticket_is_sent_from_anywhere_but_asked_outside_of_it(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        window, send = session.window, session.window.actions_by_name["send-ticket"]
        session.bridge.set_setting("trading.duplicate_guard_ms", 0)
        window.ticket.units.setValue(7)
        window.hands.focus(watchlist(session))
        send.trigger()
        await until(lambda: window.findChildren(ConfirmDialog), "the question")
        dialog = window.findChildren(ConfirmDialog)[0]
        assert dialog.no.isDefault()
        send.trigger()  # a second press while it asks
        assert len(window.findChildren(ConfirmDialog)) == 1
        click(dialog.no)
        await until(lambda: not window.findChildren(ConfirmDialog), "its end")
        await until(lambda: not window.hands._sending, "the end of the sending")
        assert await session.terminal.desk.read.orders() == []
        # what was asked about is what is sent, or nothing
        send.trigger()
        await until(lambda: window.findChildren(ConfirmDialog), "the question")
        window.ticket.units.setValue(700)
        click(window.findChildren(ConfirmDialog)[0].yes)
        await until(lambda: not window.findChildren(ConfirmDialog), "its end")
        await until(lambda: not window.hands._sending, "the end of the sending")
        assert await session.terminal.desk.read.orders() == []
        # armed it sends at once, and so it does within the ticket
        window.actions_by_name["arm"].trigger()
        assert session.bridge.arm.armed
        window.ticket.units.setValue(3)
        send.trigger()
        await until(lambda: session.bridge.books.orders, "the order")
        window.actions_by_name["arm"].trigger()
        await until(lambda: not window.ticket.sending.busy, "its answer")
        window.activateWindow()
        window.hands.focus(window.docks["ticket"])
        await until(lambda: window.hands.focused_dock() is window.docks["ticket"], "the focus")
        window.ticket.units.setValue(4)
        send.trigger()
        await until(lambda: len(session.bridge.books.orders) == 2, "the second order")
        window.docks["ticket"].close()
        await asyncio.sleep(0)
        send.trigger()
        await until(lambda: any("No order ticket" in t for t in window.toasts.texts()), "the word")
        assert {row.quantity for row in await session.terminal.desk.read.orders()} == {3, 4}

    drive(scenario)


def test_keys_of_the_linked_symbol_cancel_close_and_reverse_only_it(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        window, bridge = session.window, session.bridge

        async def order(symbol: str, kind: PriceType, price: float = 0.0) -> None:
            request = OrderRequest(symbol, "NSE", Action.BUY, 5, kind, Product.MIS, price=price)
            await bridge.desk.place(request, bridge.mode)

        ltp = (await bridge.snapshot(SBIN)).ltp
        await order("SBIN", PriceType.LIMIT, round(ltp * 0.95))
        await order("INFY", PriceType.LIMIT, 1000.0)
        await order("SBIN", PriceType.MARKET)
        await order("INFY", PriceType.MARKET)
        await until(lambda: len(bridge.books.working()) == 2, "two resting orders")
        await until(lambda: sum(p.quantity for p in bridge.books.positions) == 10, "positions")
        window.actions_by_name["cancel-symbol"].trigger()
        await until(lambda: len(bridge.books.working()) == 1, "the cancellation")
        assert bridge.books.working()[0].symbol == "INFY"

        def quantity(symbol: str) -> int:
            return sum(p.quantity for p in bridge.books.positions if p.symbol == symbol)

        window.actions_by_name["reverse-symbol"].trigger()  # small: no question
        await until(lambda: quantity("SBIN") == -5, "the other side")
        assert not window.findChildren(ConfirmDialog)
        window.actions_by_name["flatten-symbol"].trigger()
        await until(lambda: window.findChildren(ConfirmDialog), "the review")
        click(window.findChildren(ConfirmDialog)[0].yes)
        await until(lambda: quantity("SBIN") == 0, "a flat symbol")
        assert quantity("INFY") == 5 and bridge.books.working_count == 1

    drive(scenario)


def test_f1_tells_the_keys_of_this_panel_and_leads_to_the_editor(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        window.hands.focus(window.docks["orders"])
        window.actions_by_name["keys-help"].trigger()
        await until(lambda: window.findChildren(KeysDialog), "the keys")
        dialog = window.findChildren(KeysDialog)[0]
        assert dialog.windowTitle() == "Keys: Orders" and dialog.local.rowCount() >= 3
        dialog._change()
        await until(lambda: window.findChildren(HotkeyDialog), "the editor")
        editor = window.findChildren(HotkeyDialog)[0]
        window.hands.hotkeys.set("flatten", "Ctrl+Alt+F")
        flatten = window.actions_by_name["flatten"]
        assert flatten.shortcut().toString() == "Ctrl+Alt+F"
        assert window.top_bar._buttons["flatten"].text().startswith("Flatten")
        editor.accept()
        await until(lambda: not window.findChildren(HotkeyDialog), "its end")

    async def again(session: Session) -> None:
        flatten = session.window.actions_by_name["flatten"]
        assert flatten.shortcut().toString() == "Ctrl+Alt+F"

    drive(scenario)
    drive(again)


@pytest.mark.whole_layout
def test_ctrl_tab_goes_through_all_panels_and_ctrl_digits_through_workspaces(
    drive: Drive,
) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        window.activateWindow()
        count = len(window.docks)
        seen = []
        for _ in range(count):
            window.actions_by_name["next-dock"].trigger()
            dock = window.hands.focused_dock()
            assert dock is not None
            seen.append(dock.name)
        assert sorted(seen) == sorted(window.docks)
        last = window.hands.focused_dock()
        window.actions_by_name["previous-dock"].trigger()
        window.actions_by_name["next-dock"].trigger()
        assert window.hands.focused_dock() is last
        names = window.workspaces.names()
        window.actions_by_name["workspace-2"].trigger()
        assert window.workspaces.current == names[1]
        window.actions_by_name["workspace-1"].trigger()
        assert window.workspaces.current == names[0]

    drive(scenario)


def test_fills_are_grouped_told_once_and_lead_to_the_order(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(toasts.STAY_MS, "info", 3_600_000)  # however late the next fill comes

    async def scenario(session: Session) -> None:
        await priced(session)
        window, bridge = session.window, session.bridge
        played: list[str] = []
        window.sounds._play = lambda file, volume: played.append(file)

        async def buy(quantity: int) -> None:
            request = OrderRequest(
                "SBIN", "NSE", Action.BUY, quantity, PriceType.MARKET, Product.MIS
            )
            await bridge.desk.place(request, bridge.mode)

        await buy(1)
        await until(lambda: any("Filled: BUY 1 SBIN" in t for t in window.toasts.texts()), "one")
        for quantity in (2, 3):
            await buy(quantity)
        await until(lambda: "info: 3 fills SBIN" in window.toasts.texts(), "a group")
        assert played and all(file.endswith("fill.wav") for file in played)
        last = next(o for o in bridge.books.orders.values() if o.quantity == 3)
        assert last.status is OrderStatus.COMPLETE
        window.toasts._stack[-1].click()
        dock = window.docks["orders"]
        assert dock.selected_row().order_id == last.order_id  # type: ignore[attr-defined]
        bridge.books.orders_updated.emit([last])  # the broker repeats itself
        assert not window.feedback._fresh and not window.feedback._timer.isActive()

    drive(scenario)
