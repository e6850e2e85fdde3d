"""The app lock in the window: set up, locked by hand, by idle time and at the start; live mode."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from shiboken6 import isValid

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import AuthError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.safety.app_lock import LockSetupDialog, PasswordDialog
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.tray import Tray
from tests.ui.driving import SBIN, Drive, click, ended, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist", "orders", "positions")

PASSWORD = "correct horse"


async def set_up(session: Session) -> None:
    window = session.window
    window.actions_by_name["lock-now"].trigger()  # without a password it offers to set one
    await until(lambda: window.findChildren(LockSetupDialog), "the set-up")
    dialog = window.findChildren(LockSetupDialog)[0]
    dialog.new.setText(PASSWORD)
    dialog.again.setText("another horse")
    click(dialog.save)
    assert "differ" in dialog.said.text() and not session.bridge.lock.enabled
    dialog.again.setText(PASSWORD)
    click(dialog.save)
    await until(lambda: "is set" in dialog.said.text(), "the password")
    assert session.bridge.lock.enabled
    dialog.accept()
    await until(lambda: not window.findChildren(LockSetupDialog), "the dialog's end")


async def answer(dialog: PasswordDialog, text: str) -> None:
    dialog.password.setText(text)
    click(dialog.ok)
    # A right password ends the dialog, and Qt deletes it.
    await until(lambda: not isValid(dialog) or dialog.ok.isEnabled(), "the answer")


@pytest.mark.whole_layout
def test_locked_window_shows_nothing_and_opens_with_the_password_only(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        floating = window.docks["log"]
        floating.setFloating(True)
        await set_up(session)
        menu = floating.menu()  # as it stands when idle time locks: prices of then, orders of then
        floating.add_item(menu, "Sell now", lambda: None)
        menu.popup(QPoint(100, 100))
        session.bridge.lock.lock()
        screen = window.lock_screen
        await until(lambda: screen.dialog is not None and screen.dialog.isVisible(), "the question")
        dialog = screen.dialog
        assert dialog is not None
        assert screen.cover.isVisible() and screen.cover.geometry() == window.rect()
        assert not floating.isVisible()
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert dialog.isVisible()
        await answer(dialog, "wrong horse")
        assert "Wrong password" in dialog.problem.text() and session.bridge.lock.locked
        await answer(dialog, PASSWORD)
        await until(lambda: not screen.cover.isVisible(), "the open window")
        assert floating.isVisible() and not session.bridge.lock.locked
        assert not isValid(menu) or not menu.isVisible()

    drive(scenario)


def test_it_locks_when_idle_and_a_hand_keeps_it_open(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await set_up(session)
        lock = session.terminal.lock
        lock._touched -= 3600
        handle = session.window.windowHandle()
        QTest.mouseMove(handle, QPoint(50, 50))
        QTest.mouseClick(handle, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
        await until(lambda: session.terminal.clock.monotonic() - lock._touched < 60, "the touch")
        lock._touched -= 3600
        await until(lambda: session.window.lock_screen.dialog is not None, "the lock")
        dialog = session.window.lock_screen.dialog
        assert dialog is not None
        await answer(dialog, PASSWORD)
        await until(lambda: not lock.locked, "the open window")

    drive(scenario)


def test_going_live_asks_for_the_password(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await set_up(session)
        window = session.window
        for text, mode in (("wrong horse", Mode.SANDBOX), (PASSWORD, Mode.LIVE)):
            window.actions_by_name["toggle-mode"].trigger()
            await until(lambda: window.findChildren(ConfirmDialog), "the question")
            click(window.findChildren(ConfirmDialog)[0].yes)
            await until(lambda: window.findChildren(PasswordDialog), "the password")
            dialog = window.findChildren(PasswordDialog)[0]
            await answer(dialog, text)
            if mode is Mode.SANDBOX:
                assert session.bridge.mode is mode
                dialog.reject()
                await until(lambda: not window.findChildren(PasswordDialog), "the end")
                await ended(session, "switch mode")
            else:
                await until(lambda: session.bridge.mode is Mode.LIVE, "live mode")

    drive(scenario)


def test_a_start_with_a_password_is_locked(drive: Drive) -> None:
    drive(set_up)

    async def scenario(session: Session) -> None:
        await until(lambda: session.window.lock_screen.dialog is not None, "the lock")
        dialog = session.window.lock_screen.dialog
        assert dialog is not None and session.window.lock_screen.cover.isVisible()
        await answer(dialog, PASSWORD)
        await until(lambda: not session.bridge.lock.locked, "the open window")

    drive(scenario)


def test_cancel_flatten_and_kill_work_while_locked_and_nothing_else_does(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge, window = session.bridge, session.window

        async def order(kind: PriceType, price: float = 0.0) -> None:
            request = OrderRequest("SBIN", "NSE", Action.BUY, 5, kind, Product.MIS, price=price)
            await bridge.desk.place(request, bridge.mode)

        last = (await bridge.snapshot(SBIN)).ltp
        await order(PriceType.MARKET)
        await order(PriceType.LIMIT, round(last * 0.95))
        await until(lambda: bridge.books.working_count == 1, "a resting order")
        await until(lambda: any(p.quantity for p in bridge.books.positions), "a position")
        await set_up(session)
        window.actions_by_name["lock-now"].trigger()
        screen = window.lock_screen
        await until(lambda: screen.emergency is not None and screen.emergency.isVisible(), "panel")
        panel, dialog = screen.emergency, screen.dialog
        assert panel is not None and dialog is not None
        shown = " ".join(label.text() for label in dialog.findChildren(QLabel))
        assert "SBIN" not in shown and "SANDBOX" in shown
        click(panel.buttons["cancel"])  # a click is no hold
        assert bridge.books.working_count == 1
        dialog.activateWindow()
        await until(dialog.isActiveWindow, "the lock screen in front: keys of others do nothing")
        QTest.keyClick(dialog, Qt.Key.Key_F7)  # nor is a key that is not held
        assert panel.buttons["cancel"].progress > 0.0
        await until(lambda: not panel.buttons["cancel"].isDown(), "the key counts as released")
        assert bridge.books.working_count == 1
        for name, done in (
            ("cancel", "1 cancelled, 0 failed."),
            ("flatten", "1 closed, 0 failed."),
            ("kill", "Kill switch on"),
        ):
            QTest.mousePress(panel.buttons[name], Qt.MouseButton.LeftButton)
            await until(lambda done=done: panel.said.text().startswith(done), done)  # type: ignore[misc]
            QTest.mouseRelease(panel.buttons[name], Qt.MouseButton.LeftButton)
        assert bridge.books.working_count == 0 and bridge.safety.killed and bridge.lock.locked
        await until(lambda: not any(p.quantity for p in bridge.books.positions), "flat books")
        with pytest.raises(AuthError):
            await bridge.set_mode(Mode.LIVE)
        await answer(dialog, PASSWORD)
        await until(lambda: not bridge.lock.locked, "the open window")
        # What was begun while it was locked may end later: it is told, and not called failed.
        told: list[tuple[str, str]] = []
        bridge.notice.connect(lambda level, text: told.append((level, text)))
        await until(lambda: not isValid(panel), "the panel gone")
        await bridge.spawn(panel._run(panel._flatten, Mode.SANDBOX), "locked flatten")
        assert told == [("info", "0 closed, 0 failed.")]

    drive(scenario)


def test_the_tray_opens_nothing_while_locked(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        await priced(session)
        request = OrderRequest("SBIN", "NSE", Action.BUY, 5)
        await session.bridge.desk.place(request, session.bridge.mode)
        await until(lambda: any(p.quantity for p in session.bridge.books.positions), "a position")
        side = window.workspaces.add_window()
        tray = Tray(window, session.bridge, window.sounds)
        window.take_tray(tray)
        await set_up(session)
        window.keep_in_tray()
        window.actions_by_name["lock-now"].trigger()
        screen = window.lock_screen
        await until(lambda: screen.dialog is not None, "the question")
        tray.actions["show"].trigger()
        tray.actions["flatten"].trigger()
        assert window.isVisible() and not side.isVisible()
        await asyncio.sleep(0)
        assert not window.findChildren(ConfirmDialog)  # no review of what is held
        assert screen.dialog is not None
        await answer(screen.dialog, PASSWORD)
        await until(side.isVisible, "the other window comes with the password")

    drive(scenario)
