"""Accounts in the window: a browser login from the generated dialog, roles, LIVE orders."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import AccountState, Exchange, Mode, OrderStatus
from openalgo_desktop.ui.engine.work import AtWork
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.kit.widgets import controls, name_inner_controls
from openalgo_desktop.ui.rooms.accounts.account_menu import log_out
from openalgo_desktop.ui.rooms.accounts.accounts import AccountsDialog
from openalgo_desktop.ui.rooms.accounts.login import LoginDialog
from openalgo_desktop.ui.shell.main import Session
from tests.emulators.kite import API_KEY, API_SECRET, KiteEmulator
from tests.ui.driving import Drive, click, priced
from tests.waiting import until


@asynccontextmanager
async def kite(session: Session) -> AsyncIterator[KiteEmulator]:
    """An emulator of Zerodha that the terminal takes for the broker."""
    address = await session.bridge.accounts.redirect_address("zerodha")
    emulator = KiteEmulator(SystemClock(), redirect=address)
    await emulator.start()
    try:
        for host, url in emulator.hosts().items():
            session.bridge.set_setting(f"brokers.zerodha.hosts.{host}", url)
        yield emulator
    finally:
        await emulator.stop()


class Browser:
    """Opens the page in the emulator instead of at the broker, like a user who logs in."""

    def __init__(self, emulator: KiteEmulator) -> None:
        self._emulator = emulator
        self.task: asyncio.Task[Any] | None = None
        self.status = 0

    def __call__(self, url: str) -> None:
        parts = urlsplit(url)
        page = f"{self._emulator.url}{parts.path}?{parts.query}"
        self.task = asyncio.get_event_loop().create_task(asyncio.to_thread(self._get, page))

    def _get(self, url: str) -> None:
        with urllib.request.urlopen(url, timeout=10) as answer:
            self.status = answer.status


def accounts_dialog(session: Session) -> AccountsDialog:
    dialog = AccountsDialog(session.window, session.bridge)
    dialog.show()
    return dialog


def test_a_broker_is_added_and_logged_in_by_browser(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        async with kite(session) as emulator:
            name = await session.bridge.accounts.add("zerodha")
            dialog = LoginDialog(session.window, session.bridge, name, Browser(emulator))
            name_inner_controls(dialog)
            dialog.show()
            unnamed = [c for c in controls(dialog) if not (c.objectName() and c.accessibleName())]
            assert unnamed == []
            await until(lambda: "/zerodha/callback" in dialog.redirect.text(), "the address")
            assert (
                dialog._inputs["api_secret"].echoMode()
                == dialog._inputs["api_secret"].EchoMode.Password
            )
            click(dialog.go)
            await until(lambda: "API key" in dialog.message.text(), "what is missing")
            dialog._inputs["api_key"].setText(API_KEY)
            dialog._inputs["api_secret"].setText(API_SECRET)
            click(dialog.go)
            status = session.bridge.accounts.status
            await until(
                lambda: status(name).state is AccountState.CONNECTED,
                f"the login; {dialog.message.text()}",
                20,
            )
            await until(lambda: not dialog.isVisible(), "the end of the dialog")
            assert dialog._inputs["api_secret"].text() == ""
            await session.bridge.accounts.logout(name)
            assert status(name).state is AccountState.LOGIN_NEEDED

    drive(scenario)


def test_a_broker_is_found_by_a_part_of_its_name_and_says_what_it_needs(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        manager = accounts_dialog(session)
        line = manager.broker.lineEdit()
        assert line is not None
        registered = session.bridge.accounts.brokers()
        await until(lambda: manager._titled == set(registered), "the titles")
        assert registered == [manager.broker.itemData(i) for i in range(manager.broker.count())]
        for typed, broker in (("kite", "zerodha"), ("server", "openalgo"), ("nobody", "openalgo")):
            line.setText(typed)
            line.editingFinished.emit()
            assert manager.broker.currentData() == broker
            assert line.text() == manager.broker.currentText()
        assert "API key" in manager.needs.text()
        line.setText("kite")
        line.editingFinished.emit()
        assert "API secret" in manager.needs.text() and "browser" in manager.needs.text()
        assert "fixed IP address" in manager.needs.text()
        assert manager.figures.text() == ""  # the simulator has no limits
        manager.accept()

    drive(scenario)


def test_closing_the_dialog_ends_the_login(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        async with kite(session):
            name = await session.bridge.accounts.add("zerodha")
            opened: list[str] = []
            dialog = LoginDialog(session.window, session.bridge, name, opened.append)
            dialog.show()
            dialog._inputs["api_key"].setText(API_KEY)
            dialog._inputs["api_secret"].setText(API_SECRET)
            click(dialog.go)
            await until(lambda: opened, "the browser")
            assert API_SECRET not in opened[0]
            dialog.paste.setText("http://127.0.0.1/zerodha/callback?request_token=x&state=other")
            await until(lambda: "another login" in dialog.message.text(), "the refusal")
            click(dialog.go)
            await until(lambda: len(opened) == 2, "the second try")
            dialog.close()
            await until(lambda: dialog._task is None or dialog._task.done(), "the end of the task")
            assert session.bridge.accounts.status(name).state is AccountState.LOGIN_NEEDED

    drive(scenario)


def test_live_orders_reach_the_account_that_was_chosen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        async with kite(session) as emulator:
            door = session.bridge.accounts
            name = await door.add("zerodha")
            dialog = LoginDialog(session.window, session.bridge, name, Browser(emulator))
            dialog._inputs["api_key"].setText(API_KEY)
            dialog._inputs["api_secret"].setText(API_SECRET)
            dialog._go()
            await until(lambda: door.status(name).state is AccountState.CONNECTED, "the login")
            manager = accounts_dialog(session)
            manager.table.selectRow(manager._names.index(name))
            await until(lambda: "last frame" in manager.figures.text(), "the age of the feed")
            assert "orders: 10 of 10 a second" in manager.figures.text()
            assert "5,000 a day" in manager.figures.text()
            click(manager.buttons["Use for orders"])
            await until(lambda: door.roles(name) == (False, True), "the role")
            chip = session.window.top_bar.account
            await until(lambda: "Zerodha" in chip.text(), "its name in the toolbar")
            manager.accept()
            await session.bridge.set_mode(Mode.LIVE)
            await priced(session)
            ticket = session.window.ticket
            click(ticket.send)
            await until(lambda: ticket.result.text() not in ("", "Sending…"), "an answer")
            assert "LIVE" in ticket.result.text()
            await until(
                lambda: [
                    o
                    for o in session.bridge.books.orders.values()
                    if o.symbol == "SBIN" and o.status is OrderStatus.COMPLETE
                ],
                "the live order in the window",
            )
            await session.bridge.set_mode(Mode.SANDBOX)

    drive(scenario)


def test_sizes_that_are_in_doubt_are_confirmed_from_the_accounts_dialog(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        async with kite(session) as emulator:
            door = session.bridge.accounts
            name = await door.add("zerodha")
            account: Any = session.terminal.accounts[name]
            dialog = LoginDialog(session.window, session.bridge, name, Browser(emulator))
            dialog._inputs["api_key"].setText(API_KEY)
            dialog._inputs["api_secret"].setText(API_SECRET)
            dialog._go()
            await until(lambda: door.status(name).state is AccountState.CONNECTED, "the login")
            manager = accounts_dialog(session)
            manager.table.selectRow(manager._names.index(name))
            button = manager.buttons["Confirm sizes"]
            assert button.isHidden()  # of Zerodha it is known what it counts
            account.api.sizes.doubted = frozenset({Exchange.MCX})
            manager.reload()
            assert button.isVisible()
            assert "No orders on MCX before" in manager.figures.text()
            read = account.sizing.taken

            async def counting_contracts(rows: Any, index: Any) -> Any:
                lots = [
                    replace(r, lot_size=1, contract_value=r.contract_value * r.lot_size)
                    if r.exchange == "MCX"
                    else r
                    for r in rows
                ]
                await asyncio.to_thread(index.load, lots)
                return await read(lots, index)

            account.sizing.taken = counting_contracts
            click(button)
            await until(lambda: "counts contracts" in manager.message.text(), "the answer")
            assert "of its value" in manager.message.text()
            await until(button.isHidden, "nothing left to confirm")
            assert "No orders on" not in manager.figures.text()

    drive(scenario)


def test_an_expired_session_is_told_in_the_strip_and_renewed_in_place(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        async with kite(session) as emulator:
            door, strip = session.bridge.accounts, session.window.alert_banner
            name = await door.add("zerodha")
            given = {"api_key": API_KEY, "api_secret": API_SECRET}
            helper = LoginDialog(session.window, session.bridge, name, Browser(emulator))
            await door.login(name, given, helper, "browser")
            await door.use_for_data(name)
            await until(lambda: session.bridge.feed.connected, "the feed")
            assert not strip.isVisible()
            await door.logout(name)
            await until(strip.isVisible, "the strip")
            assert strip.log_in.isVisible()
            click(strip.log_in)
            await until(
                lambda: [
                    d
                    for d in session.window.findChildren(LoginDialog)
                    if d is not helper and d.isVisible()
                ],
                "the login dialog",
            )
            dialog = next(d for d in session.window.findChildren(LoginDialog) if d is not helper)
            dialog._browse = Browser(emulator)
            click(dialog.go)  # key and secret are in the keyring
            await until(lambda: door.status(name).state is AccountState.CONNECTED, "login")
            await until(lambda: not strip.log_in.isVisible(), "the end of the alert")

    drive(scenario)


def test_logging_out_of_what_holds_live_positions_is_asked_about(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its watched stops see nothing then."""

    async def scenario(session: Session) -> None:
        await priced(session)
        bridge, gone = session.bridge, []
        name = bridge.accounts.names()[0]

        async def logout(account: str) -> None:
            gone.append(account)

        async def at_work() -> AtWork:
            return AtWork(live_positions=held)

        monkeypatch.setattr(bridge.accounts, "logout", logout)
        monkeypatch.setattr(bridge.work, "at_work", at_work)
        held = 2
        task = bridge.spawn(log_out(session.window, bridge, name), "log out")
        await until(lambda: session.window.findChildren(ConfirmDialog), "the question")
        (question,) = session.window.findChildren(ConfirmDialog)
        assert "2 open positions" in question.question.text()
        question.reject()
        await task
        assert gone == []
        held = 0
        await log_out(session.window, bridge, name)
        assert gone == [name]

    drive(scenario)
