"""Kill switch and action centre, by mouse and keys."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.enums import (
    Action,
    ApprovalStatus,
    KeyRights,
    Mode,
    OrderStatus,
    Product,
)
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.reports import AuditEntry
from openalgo_desktop.storage import database
from openalgo_desktop.ui.kit import hold_button, theme
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.kit.hold_button import HOLD_SECONDS, HoldButton
from openalgo_desktop.ui.rooms.safety.approvals import ApprovalsDock, elsewhere, mode_of
from openalgo_desktop.ui.rooms.safety.audit import AuditDock
from openalgo_desktop.ui.rooms.safety.kill_report import KillReportDialog
from openalgo_desktop.ui.rooms.safety.review import ReviewDialog
from openalgo_desktop.ui.rooms.safety.risk_scopes import RiskScopesDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.ui.rooms.api.test_api_window import ORDER, post
from tests.waiting import at_rest, until, until_told

pytestmark = pytest.mark.docks("watchlist", "chart", "depth", "positions", "orders")

LEFT = Qt.MouseButton.LeftButton


async def exposed(session: Session) -> None:
    """An open position and a resting order."""
    await priced(session)
    ticket = session.window.ticket
    ticket.units.setValue(20)
    click(ticket.send)
    await until(lambda: session.bridge.books.day_pnl and session.bridge.books.positions, "position")
    click(ticket.price_type.button("LIMIT"))
    ticket.price.setValue(round(ticket.price.value() * 0.95, 0))
    await until(lambda: not ticket.sending.busy, "the first answer")
    click(ticket.send)
    await until(session.bridge.books.working, "a working order")


def hand_clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time that buttons which are held go by; it stands still but for the test."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(hold_button, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_a_position_is_reversed_after_a_question(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("confirm.reverse", "always")
        await exposed(session)
        books, dock = session.bridge.books, session.window.docks["positions"]
        notices: list[str] = []
        session.bridge.notice.connect(lambda level, text: notices.append(text))
        dock.reverse_row(books.positions[0])
        await until(lambda: dock.findChildren(ConfirmDialog), "the question")
        (question,) = dock.findChildren(ConfirmDialog)
        click(question.yes)
        await until(lambda: [row.quantity for row in books.positions] == [-20], "the other side")
        await until(lambda: any("SBIN is reversed by order" in text for text in notices), "toast")
        assert books.working(), "the resting entry stays"

    drive(scenario)


def test_the_kill_switch_needs_a_hold_and_leaves_nothing_open(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        await exposed(session)
        window, books = session.window, session.bridge.books
        kill, clock = window.top_bar.kill, hand_clock(monkeypatch)
        QTest.mousePress(kill, LEFT)
        clock.now += HOLD_SECONDS - 0.1
        kill._tick()
        QTest.mouseRelease(kill, LEFT)
        clock.now += HOLD_SECONDS
        kill._tick()
        assert not kill.holding and not session.bridge.safety.killed
        QTest.mousePress(kill, LEFT)
        clock.now += HOLD_SECONDS
        await until(lambda: session.bridge.safety.killed, "the kill")
        QTest.mouseRelease(kill, LEFT)
        await until(lambda: window.findChildren(KillReportDialog), "the report")
        report = window.findChildren(KillReportDialog)[0]
        assert "Nothing is left" in report.findChildren(type(window.ticket.result))[0].text()
        await until(lambda: not books.working(), "no working order")
        await until(lambda: all(not row.quantity for row in books.positions), "no open position")
        assert "KILL SWITCH ON" in window.alert_banner.text()
        assert window.alert_banner.isVisible()
        report.accept()
        ticket = window.ticket
        click(ticket.price_type.button("MARKET"))
        click(ticket.send)
        await until(lambda: "kill switch" in ticket.result.text(), "the refusal")
        click(window.top_bar.reset_kill)
        await until(lambda: window.findChildren(ConfirmDialog), "the question")
        click(window.findChildren(ConfirmDialog)[0].yes)
        await until(lambda: not session.bridge.safety.killed, "the reset")
        assert not window.alert_banner.isVisible()
        # A toolbar takes a widget away with its next layout, one turn of the loop later.
        await until(lambda: not window.top_bar.reset_kill.isVisible(), "no button to reset")

    drive(scenario)


def test_a_key_pressed_once_is_no_hold_and_a_held_one_is(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    button, clock = HoldButton("Kill"), hand_clock(monkeypatch)
    qtbot.addWidget(button)
    held: list[float] = []
    button.held.connect(lambda: held.append(clock.now))

    def wait(seconds: float) -> None:
        for _ in range(round(seconds / 0.04)):
            clock.now += 0.04
            button._tick()

    button.key_pulse()
    wait(HOLD_SECONDS + 0.3)
    assert held == []
    assert button.progress == 0.0 and not button.holding
    started = clock.now
    while not held and clock.now - started < 3:
        button.key_pulse()
        wait(0.04)
    assert HOLD_SECONDS <= held[0] - started <= HOLD_SECONDS + 0.08


def approvals(session: Session) -> ApprovalsDock:
    dock = session.window.docks["approvals"]
    assert isinstance(dock, ApprovalsDock)
    dock.raise_()
    return dock


@pytest.mark.whole_layout
def test_orders_of_scripts_wait_for_a_yes(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        session.bridge.set_setting("approvals.sources", "api:*")
        dock = approvals(session)
        first = await post(session, "placeorder", **ORDER)
        assert first["status"] == "success"
        await until(lambda: len(dock.rows) == 1, "the waiting request")
        assert session.bridge.books.orders == {}
        assert dock.rows[0].source == "api:default"
        dock.view.selectRow(0)
        click(dock.approve_button)
        await until(
            lambda: [
                order
                for order in session.bridge.books.orders.values()
                if order.key == SBIN and order.status is OrderStatus.COMPLETE
            ],
            "the approved order",
        )
        await until(lambda: not dock.rows, "an empty queue")
        await post(session, "placeorder", **ORDER)
        await until(lambda: len(dock.rows) == 1, "the second request")
        dock.view.selectRow(0)
        click(dock.reject_button)
        await until(lambda: not dock.rows, "the rejection")
        assert len(session.bridge.books.orders) == 1
        dock.page.choose("Decided")
        await until(lambda: len(dock.rows) == 2, "both decisions")
        assert [row.status for row in dock.rows] == [
            ApprovalStatus.REJECTED,
            ApprovalStatus.APPROVED,
        ]
        # An answer that comes after that of a later question shows nothing.
        answered, safety = asyncio.Event(), session.bridge.safety
        decided = safety.decided

        async def late(count: int) -> list[Approval]:
            await answered.wait()
            return []

        safety.decided = late  # type: ignore[method-assign]
        older = asyncio.create_task(dock._load())
        await asyncio.sleep(0)
        safety.decided = decided  # type: ignore[method-assign]
        await dock._load()
        answered.set()
        await older
        assert len(dock.rows) == 2

    drive(scenario)


def test_old_prices_are_grey_everywhere_until_the_feed_is_back(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        window, feed = session.window, session.bridge.feed
        account = session.terminal.account
        window.showNormal()
        window.resize(1600, 900)
        window.default_layout()
        await at_rest(lambda: [dock.geometry() for dock in window.docks.values()])
        book = window.docks["depth"].view  # type: ignore[attr-defined]
        await until(lambda: book._depth.buy, "a book")
        rows = window.docks["watchlist"].rows  # type: ignore[attr-defined]
        await until(lambda: all(row.tick for row in rows), "a price in each row")
        assert not feed.stale
        await account.control({"faults": {"disconnect": True}})
        await until(lambda: feed.stale, "stale prices")
        assert "prices are old" in window.alert_banner.text()
        assert window.alert_banner.isVisible()
        docks = window.docks
        assert docks["watchlist"].view._stale  # type: ignore[attr-defined]
        await until(lambda: docks["depth"].view._stale, "a grey book")  # type: ignore[attr-defined]
        await until(lambda: window.ticket.ltp.property("tone") == "stale", "a grey ticket")
        assert window.top_bar.pnl.property("tone") == "stale"
        grey = theme.current().color("stale").rgb()
        image = docks["watchlist"].view.viewport().grab().toImage()  # type: ignore[attr-defined]
        points = ((x, y) for x in range(170, image.width()) for y in range(min(48, image.height())))
        assert any(image.pixel(x, y) == grey for x, y in points)
        await account.control({"faults": {"disconnect": False}})
        await until(lambda: not feed.stale, "fresh prices")
        assert not docks["watchlist"].view._stale  # type: ignore[attr-defined]
        assert not window.alert_banner.isVisible()

    drive(scenario)


def test_limits_of_a_symbol_are_set_in_the_window(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        session.window.actions_by_name["risk-limits"].trigger()
        await until(lambda: session.window.findChildren(RiskScopesDialog), "the dialog")
        dialog = session.window.findChildren(RiskScopesDialog)[0]
        click(dialog.save_button)
        assert "which one" in dialog.message.text()
        dialog.kind.setCurrentText("Strategy")
        assert dialog.scope().startswith("strategy:") and not dialog.search.isVisible()
        dialog.kind.setCurrentText("Symbol")
        dialog._on_symbol(SBIN)
        assert dialog.scope() == f"symbol:{SBIN[0]}:{SBIN[1]}"
        dialog.fields["max_quantity"].setValue(5)
        click(dialog.save_button)
        assert dialog.list.count() == 1
        ticket = session.window.ticket
        ticket.units.setValue(6)
        ticket.submit()
        await until(lambda: "above the limit of 5" in ticket.result.text(), "the refusal")
        click(dialog.remove_button)
        assert dialog.list.count() == 0
        ticket.submit()
        await until(lambda: "sent" in ticket.result.text(), "the order")
        dialog.accept()

    drive(scenario)


def test_books_that_differ_get_a_badge_and_one_click_settles_them(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        window, bridge = session.window, session.bridge
        badge = window.status_bar.differ
        assert not badge.isVisible()
        # A fill that our own book was never told of.
        own = session.terminal.desk.books.book(bridge.mode)
        own.positions.clear()
        window.ticket.submit()
        await until(lambda: "sent" in window.ticket.result.text(), "an order")
        await until(lambda: bridge.books.positions, "its position")
        await until(lambda: own.positions, "the own position")
        own.positions.clear()
        await bridge.safety.compare(bridge.mode)
        await until(badge.isVisible, "the badge")
        click(badge)
        await until(lambda: window.findChildren(ReviewDialog), "the review")
        dialog = window.findChildren(ReviewDialog)[0]
        assert dialog.table.rowCount() == 1
        click(dialog.take)
        await until(lambda: dialog.table.rowCount() == 0, "agreement")
        assert not badge.isVisible()
        assert await bridge.safety.compare(bridge.mode) == ()
        dialog.accept()

    drive(scenario)


def test_the_audit_trail_is_searched_and_exported(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        session.window.ticket.submit()
        await until(lambda: "sent" in session.window.ticket.result.text(), "an order")
        await post(session, "placeorder", **ORDER)
        dock = session.window.docking.open("audit")
        assert isinstance(dock, AuditDock)
        dock.raise_()

        async def found(text: str) -> list[str]:
            dock.text.setText(text)
            await dock._search()
            return [row.who for row in dock.rows]

        async def both() -> bool:
            return {"window", "api:default"} <= set(await found("SBIN"))

        await until_told(both, "entries of both")
        assert set(await found("api:default")) == {"api:default"}
        # An answer that comes after that of a later search shows nothing.
        asked, answered, audit = asyncio.Event(), asyncio.Event(), session.bridge.safety.audit

        async def late(*question: Any) -> list[AuditEntry]:
            rows = await audit(*question)
            asked.set()
            await answered.wait()
            return rows

        session.bridge.safety.audit = late  # type: ignore[method-assign]
        dock.text.setText("SBIN")
        older = asyncio.create_task(dock._search())
        await asyncio.wait_for(asked.wait(), 30)
        session.bridge.safety.audit = audit  # type: ignore[method-assign]
        assert set(await found("api:default")) == {"api:default"}
        answered.set()
        await older
        assert {row.who for row in dock.rows} == {"api:default"}
        await found("SBIN")
        path = tmp_path / "audit.csv"
        await dock.export(path)
        lines = path.read_text("utf-8-sig").splitlines()
        assert len(lines) == len(dock.rows) + 1
        assert any("api:default" in line for line in lines)
        key = await session.bridge.api.default_key()
        assert key is not None
        assert key.reveal() not in path.read_text("utf-8-sig")

    drive(scenario)


def test_a_disk_that_takes_nothing_is_said_in_the_strip(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop that could not be stored is told, and is none; the one before goes on."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(database, "PROBE", 0.05)

    async def scenario(session: Session) -> None:
        await priced(session)
        strip = session.window.alert_banner
        last = (await session.terminal.hub.snapshot(("NSE", "SBIN"))).ltp
        await session.bridge.desk.place(OrderRequest("SBIN", "NSE", Action.BUY, 10), Mode.SANDBOX)
        await until(lambda: session.bridge.books.positions, "the position")
        door = session.bridge.watch

        async def stop(factor: float) -> None:
            at = round(last * factor)
            await door.set_stop("SBIN", "NSE", Product.MIS, Mode.SANDBOX, at)

        def stop_at() -> Decimal | None:
            return door.stop_price("SBIN", "NSE", Product.MIS, Mode.SANDBOX)

        await stop(0.9)
        before = stop_at()
        place = session.terminal.data_dir.database_url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match="locked"):
                await stop(0.8)
            assert stop_at() == before
            await until(lambda: "NOTHING CAN BE STORED" in strip.text(), "the strip")
            assert "locked" in strip.text() and strip.isVisible()
        await until(lambda: not strip.isVisible(), "the end of it")
        await stop(0.8)
        assert stop_at() != before

    drive(scenario)


@pytest.mark.docks("watchlist", "approvals")
def test_a_request_that_goes_to_the_other_mode_says_so_and_asks(drive: Drive) -> None:
    """Of a key that is bound to live mode, while the switch stands at SANDBOX."""

    async def scenario(session: Session) -> None:
        await priced(session)
        session.bridge.set_setting("approvals.sources", "api:*")
        dock, terminal = approvals(session), session.terminal
        _, text = await terminal.keys.create("ema", KeyRights.TRADE, strategy="ema", mode=Mode.LIVE)
        await post(session, "placeorder", text, **ORDER)
        await until(lambda: len(dock.rows) == 1, "the waiting request")
        (row,) = dock.rows
        assert mode_of(row) is Mode.LIVE and elsewhere(row, session.bridge.mode) is Mode.LIVE
        assert elsewhere(row, Mode.LIVE) is None
        orders = terminal.desk.books.book(Mode.LIVE).orders
        for sends in (False, True):
            dock.decide(row, "approve")
            await until(lambda: dock.findChildren(ConfirmDialog), "the question")
            question = dock.findChildren(ConfirmDialog)[-1]
            assert "stands at SANDBOX, and this request goes to LIVE" in question.question.text()
            click(question.yes if sends else question.no)
            await until(lambda: not dock._busy, "its end")
            await until(lambda: not dock.findChildren(ConfirmDialog), "a closed question")
            assert sends or not orders
        await until(lambda: len(orders) == 1, "the approved order")
        assert terminal.desk.books.book(Mode.SANDBOX).orders == {}

    drive(scenario)
