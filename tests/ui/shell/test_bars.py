"""The toolbar's cells and menus, slow news of the strip, errors and jobs in the status bar."""

from __future__ import annotations

import logging
from datetime import datetime

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import AccountState
from openalgo_desktop.core.model import AccountStatus
from openalgo_desktop.ui.rooms.accounts.account_menu import AccountMenu
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks()


def entries(menu: QMenu) -> dict[str, bool]:
    """Texts of a menu and whether they can be chosen."""
    return {row.text(): row.isEnabled() for row in menu.actions() if row.text()}


async def wide(session: Session, width: int = 1600) -> None:
    """The window at a width, laid out."""
    window = session.window
    window.showNormal()
    window.resize(width, 700)
    await until(lambda: window.top_bar.width() == width, "the width")
    for _ in range(20):
        QApplication.processEvents()


def test_what_a_new_ticket_begins_with_is_chosen_in_the_toolbar(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge, chip = session.bridge, session.window.top_bar.defaults
        ticket = session.window.ticket
        shown = ticket.product.value()
        assert chip.text() == "MIS · 1 lot"
        rows = {action.objectName(): action for action in chip.menu().actions()}
        rows["toolbar-defaults-nrml"].trigger()
        rows["toolbar-defaults-5"].trigger()
        assert chip.text() == "NRML · 5 lots"
        assert bridge.setting("ui.default_product") == "NRML"
        assert rows["toolbar-defaults-5"].isChecked() and not rows["toolbar-defaults-1"].isChecked()
        assert ticket.product.value() == shown  # the order in hand is not rewritten

    drive(scenario)


def test_the_account_chip_opens_roles_and_log_in(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge, bar = session.bridge, session.window.top_bar
        await wide(session)
        click(bar.account)
        await until(lambda: bar.window().findChildren(AccountMenu), "the menu")
        menu = bar.window().findChildren(AccountMenu)[0]
        texts = entries(menu)
        assert texts["Prices come from it"] is False  # it has the role; another can take it
        assert "Log in…" not in texts  # the simulator has no log-in
        menu.close()
        await bridge.accounts.add("zerodha")
        second = AccountMenu(session.window, bridge, session.window.actions_by_name["accounts"])
        second.fill()
        parts = [action.menu() for action in second.actions() if action.menu() is not None]
        assert len(parts) == 2
        zerodha = entries(parts[1])
        assert zerodha["Log in…"] and not zerodha["Log out"]
        assert zerodha["Prices come from it"] and zerodha["Live orders go to it"]
        take = next(a for a in parts[1].actions() if a.text() == "Live orders go to it")
        take.trigger()
        name = next(name for name in bridge.accounts.names() if name.startswith("zerodha"))
        await until(lambda: bridge.accounts.roles(name)[1], "the role")

    drive(scenario)


def test_margin_in_use_follows_the_funds_and_is_a_dash_unknown(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await wide(session)
        cell, books = session.window.top_bar.margin, session.bridge.books
        await until(lambda: books.funds_known, "the funds")
        books.funds.available_cash, books.funds.utilised = 250.0, 750.0
        books.funds_changed.emit()
        assert cell.text.text() == "Margin 75 %" and cell.bar.value() == 750
        books.funds.utilised = 9_750.0
        books.funds_changed.emit()
        assert cell.bar.property("tone") == "warning"
        books.funds_known = False
        books.funds_changed.emit()
        assert cell.text.text() == "Margin –" and cell.bar.value() == 0
        click(cell.text)
        await until(lambda: "funds" in session.window.docks, "the funds dock")

    drive(scenario)


@pytest.mark.parametrize("width", [800, 1024, 1366, 1920])
def test_nothing_of_the_toolbar_is_behind_an_arrow(drive: Drive, width: int) -> None:
    async def scenario(session: Session) -> None:
        bar = session.window.top_bar
        await wide(session, width)
        assert bar._needed() <= bar.width()
        for button in (bar.kill, bar.mode, bar._buttons["flatten"], bar._buttons["cancel-all"]):
            assert button.isVisible() and button.geometry().right() <= bar.width()

    drive(scenario)


def test_fitting_comes_to_rest(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bar = session.window.top_bar
        await wide(session, 900)
        calls: list[int] = []
        real = bar.adjust
        bar.adjust = lambda: (calls.append(1), real())[1]  # type: ignore[method-assign]
        bar.layout().invalidate()
        for _ in range(50):
            QApplication.processEvents()
        assert len(calls) <= 2

    drive(scenario)


def test_a_wrong_clock_and_a_holiday_are_told_in_the_strip(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge, strip = session.bridge, session.window.alert_banner
        skew = [("Zerodha", 1.9)]
        bridge.accounts.skew = lambda: skew[0]  # type: ignore[method-assign]
        bridge.feed.aged.emit()
        assert "CLOCK" not in strip.text()
        skew[0] = ("Zerodha", -4.2)
        bridge.feed.aged.emit()
        assert "THIS CLOCK IS WRONG: at least 4 s ahead of Zerodha" in strip.text()
        assert strip.property("tone") == ""
        skew[0] = ("", 0.0)
        session.terminal.account._always_open = False  # type: ignore[attr-defined]
        session.terminal.clock.jump(datetime(2026, 1, 26, 11, 0, tzinfo=IST))
        bridge.feed.aged.emit()
        assert strip.text().startswith("Holiday") and "NSE" in strip.text()
        assert strip.property("tone") == "note"  # nothing is wrong
        session.terminal.clock.jump(datetime(2026, 1, 28, 11, 0, tzinfo=IST))
        bridge.feed.aged.emit()
        assert "Holiday" not in strip.text()

    drive(scenario)


def test_errors_are_counted_until_somebody_looks(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await wide(session)
        bar = session.window.status_bar
        bar.refresh()
        assert not bar.errors.isVisible()
        logging.getLogger("openalgo_desktop.trading.desk").error("order 77: rejected")
        logging.getLogger("openalgo_desktop.trading.desk").warning("not counted")
        bar.refresh()
        assert bar.errors.isVisible() and bar.errors.text() == "⚠ 1 error"
        click(bar.errors)
        assert not bar.errors.isVisible()
        dock = session.window.docks["log"]
        assert "order 77: rejected" in dock.lines.toPlainText()
        assert "not counted" not in dock.lines.toPlainText()

    drive(scenario)


@pytest.mark.docks("watchlist", "chart", "depth", "positions", "orders")
def test_background_work_and_the_room_of_the_feed_are_shown(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await wide(session)
        bridge, bar = session.bridge, session.window.status_bar
        details = {"busy": "symbol master: downloading 63 %", "feed": {"capacity": 3}, "skew": 0.0}
        session.terminal.account.details = lambda: details  # type: ignore[method-assign]
        await until(lambda: bridge.feed.subscribed >= 3, "some prices")
        bar.refresh()
        assert "symbol master: downloading 63 %" in bar._parts["jobs"].text()
        assert f"{bridge.feed.subscribed}/3" in bar._parts["feed"].text()
        assert bar._parts["feed"].property("tone") == "warning"
        details["busy"] = ""
        bar.refresh()
        assert not bar._parts["jobs"].isVisible()

    drive(scenario)


def test_another_account_without_a_session_is_told_in_its_menu(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge = session.bridge
        await bridge.accounts.add("zerodha")
        status = AccountStatus("AB", "zerodha", "AB", "Zerodha", AccountState.LOGIN_NEEDED, "")
        bridge.accounts.status = lambda name: status  # type: ignore[method-assign]
        menu = AccountMenu(session.window, bridge, session.window.actions_by_name["accounts"])
        menu.fill()
        assert any("(login needed)" in text for text in entries(menu))

    drive(scenario)


@pytest.mark.parametrize("width", [800, 1100, 1600])
def test_a_result_that_grows_never_takes_kill_out_of_a_hand(drive: Drive, width: int) -> None:
    """The switches are not put away for a moment while the toolbar makes room."""

    async def scenario(session: Session) -> None:
        bar, books = session.window.top_bar, session.bridge.books
        await wide(session, width)
        hidden: list[str] = []

        class Watch(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() in (QEvent.Type.Hide, QEvent.Type.FocusOut):
                    hidden.append(f"{watched.objectName()} {event.type()}")
                return False

        watch = Watch()
        bar.kill.setFocus()
        switches = (bar.kill, bar.mode, bar._buttons["flatten"], bar._buttons["cancel-all"])
        for button in switches:
            button.installEventFilter(watch)
        real = type(books).day_pnl
        try:
            for amount in (0.0, -12.5, 1_234_567.0, -98_76_543.25, 5.0, 123_456_789.0, 0.0):
                type(books).day_pnl = property(lambda _, a=amount: (a, -a / 2))  # type: ignore[assignment, misc]
                bar.show_pnl()
                for _ in range(10):
                    QApplication.processEvents()
                assert bar._needed() <= bar.width()
        finally:
            type(books).day_pnl = real  # type: ignore[method-assign]
        assert hidden == []
        before = bar._given
        await wide(session, 1900)
        assert bar._given < before or before == 0  # there is room again

    drive(scenario)


def test_kill_held_by_the_mouse_goes_on_when_something_takes_the_focus(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bar = session.window.top_bar
        await wide(session)
        QTest.mousePress(bar.kill, Qt.MouseButton.LeftButton)
        session.window.ticket.setFocus()
        assert bar.kill.holding and bar.kill.isDown()
        await until(lambda: session.bridge.safety.killed, "the kill")
        QTest.mouseRelease(bar.kill, Qt.MouseButton.LeftButton)

    drive(scenario)
