"""Leaving while something is at work; the tray; where orders go said on floating panels."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.shell.leaving import LeaveDialog
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.mode_marks import SHORT
from openalgo_desktop.ui.shell.tray import Tray
from tests.ui.driving import SBIN, Drive, click, ended, priced
from tests.waiting import until

pytestmark = pytest.mark.docks()


async def hold_one(session: Session) -> None:
    await priced(session)
    bridge = session.bridge
    request = OrderRequest("SBIN", "NSE", Action.BUY, 5, PriceType.MARKET, Product.MIS)
    await bridge.desk.place(request, bridge.mode)
    await until(lambda: any(p.quantity for p in bridge.books.positions), "a position")


async def question(session: Session) -> LeaveDialog:
    session.window.close()
    await until(lambda: session.window.findChildren(LeaveDialog), "the question")
    return session.window.findChildren(LeaveDialog)[0]


async def gone(session: Session) -> None:
    await until(lambda: not session.window.findChildren(LeaveDialog), "the end of the question")
    await ended(session, "leave")


def test_an_open_position_asks_and_each_answer_is_kept(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await hold_one(session)
        window = session.window
        dialog = await question(session)
        assert "1 open position" in dialog.rows.item(0).text()
        assert not dialog.tray.isVisible()  # there is none here
        session.window.close()  # a second time: one question
        click(dialog.stay)
        await gone(session)
        assert not session.closing.is_set() and window.isVisible()
        tray = Tray(window, session.bridge, window.sounds)
        window.take_tray(tray)
        click((await question(session)).tray)
        await gone(session)
        assert not window.isVisible() and not session.closing.is_set()
        tray.actions["show"].trigger()
        assert window.isVisible()
        click((await question(session)).quit)
        await until(session.closing.is_set, "the end")

    drive(scenario)


def test_the_tray_tells_mutes_and_flattens_with_a_review(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        await hold_one(session)
        window = session.window
        tray = Tray(window, session.bridge, window.sounds)
        window.take_tray(tray)
        assert "SANDBOX" in tray.text() and "1 open, 0 working" in tray.text()
        tray.actions["mute"].trigger()
        assert session.bridge.setting("sounds.on") is False
        told: list[str] = []
        tray.show_message = lambda title, text, *rest: told.append(text)
        for state, wanted, expected in (
            (Qt.ApplicationState.ApplicationActive, True, []),
            (Qt.ApplicationState.ApplicationInactive, False, []),
            (Qt.ApplicationState.ApplicationInactive, True, ["Filled: 5"]),
        ):
            monkeypatch.setattr(QGuiApplication, "applicationState", lambda state=state: state)
            session.bridge.set_setting("ui.notifications", wanted)
            tray.notify("info", "Filled: 5")
            assert told == expected
        window.keep_in_tray()
        tray.actions["flatten"].trigger()
        await until(lambda: window.findChildren(ConfirmDialog), "the review")
        assert window.isVisible()
        assert any(p.quantity for p in session.bridge.books.positions)
        click(window.findChildren(ConfirmDialog)[0].no)
        await until(lambda: not window.findChildren(ConfirmDialog), "its end")

    drive(scenario)


def test_floating_panels_and_further_windows_say_where_orders_go(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session, SBIN)
        window = session.window
        dock = window.docks["ticket"]
        strip = window.marks._strips[dock]
        assert dock.windowTitle() == "Order ticket" and not strip.isVisible()
        dock.setFloating(True)
        assert dock.windowTitle() == "[SANDBOX] Order ticket"
        assert strip.isVisible() and strip.text() == SHORT[Mode.SANDBOX]
        side = window.workspaces.add_window()
        assert window.sandbox_banner.isVisible() and not window.live_banner.isVisible()
        await session.bridge.set_mode(Mode.LIVE)
        assert dock.windowTitle() == "[LIVE] Order ticket"
        assert strip.text() == SHORT[Mode.LIVE] and strip.property("role") == "banner-live"
        assert window.live_banner.isVisible() and not window.sandbox_banner.isVisible()
        assert "real money" in window.live_banner.text()
        assert window.windowTitle().startswith("[LIVE]") and side.windowTitle().startswith("[LIVE]")
        assert side._strip.text() == SHORT[Mode.LIVE]
        dock.setFloating(False)
        assert dock.windowTitle() == "Order ticket" and not strip.isVisible()

    drive(scenario)
