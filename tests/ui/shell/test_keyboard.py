"""Trading by keyboard, with real key events: of the window, of panels, of price fields."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.kit import confirm as confirming
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.kit.fields import PriceField
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.market.depth import DepthDock
from openalgo_desktop.ui.shell.keys_help import KeysDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, ended, hold_still, priced
from tests.waiting import until

D = TypeVar("D", bound=QDialog)
Key, Mod = Qt.Key, Qt.KeyboardModifier
NONE, CTRL, SHIFT, ALT = (
    Mod.NoModifier,
    Mod.ControlModifier,
    Mod.ShiftModifier,
    Mod.AltModifier,
)
#: Keys of the window and the action that each means. Those that open something come last.
WINDOW = (
    (Key.Key_F7, NONE, "cancel-all"),
    (Key.Key_F7, SHIFT, "cancel-symbol"),
    (Key.Key_F6, NONE, "flatten"),
    (Key.Key_F6, SHIFT, "flatten-symbol"),
    (Key.Key_F8, NONE, "reverse-symbol"),
    (Key.Key_F9, NONE, "arm"),
    (Key.Key_F9, NONE, "arm"),
    (Key.Key_Tab, CTRL, "next-dock"),
    (Key.Key_B, CTRL | SHIFT, "buy"),
    (Key.Key_V, CTRL | SHIFT, "sell"),
)


async def chart_of(session: Session) -> ChartDock:
    await priced(session)
    dock = session.window.docks["chart"]
    assert isinstance(dock, ChartDock)
    dock.raise_()
    await until(lambda: dock.cell.data.is_drawn, "bars")
    dock.view.canvas.setFocus()
    return dock


def test_the_keys_of_the_window_work_from_a_panel(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await chart_of(session)
        window, done = session.window, list[str]()
        for name, action in window.actions_by_name.items():
            action.triggered.connect(lambda _checked=False, name=name: done.append(name))
        armed = []
        for key, modifiers, name in WINDOW:
            QTest.keyClick(chart.view.canvas, key, modifiers)
            armed.append(session.bridge.arm.armed)
            assert done == [name], (key, modifiers)
            done.clear()
        assert armed[5:7] == [True, False]  # F9 arms and disarms
        assert window.ticket.action is Action.SELL
        held = QKeyEvent(QEvent.Type.ShortcutOverride, Key.Key_F7, NONE, "", True)
        QApplication.sendEvent(chart.view.canvas, held)
        assert done == []
        QTest.keyClick(chart.view.canvas, Key.Key_2, CTRL)
        assert window.workspaces.current == window.workspaces.names()[1]
        assert await session.terminal.desk.read.orders() == []

    drive(scenario)


def test_the_switch_asks_before_it_goes_live_and_f1_tells_the_keys(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await chart_of(session)
        window, canvas = session.window, chart.view.canvas

        def opened(kind: type[D]) -> list[D]:
            return [dialog for dialog in window.findChildren(kind) if dialog.isVisible()]

        QTest.keyClick(canvas, Key.Key_F1)
        await until(lambda: opened(KeysDialog), "the keys")
        (keys,) = opened(KeysDialog)
        assert chart.title in keys.windowTitle() and keys.local.rowCount() > 0
        keys.reject()
        for key, mode in ((Key.Key_Escape, Mode.SANDBOX), (Key.Key_Return, Mode.LIVE)):
            window.activateWindow()
            await until(window.isActiveWindow, "the window")
            canvas.setFocus()
            QTest.keyClick(canvas, Key.Key_S, CTRL | SHIFT)
            await until(lambda: opened(ConfirmDialog), "the question")
            (question,) = opened(ConfirmDialog)
            QTest.keyClick(canvas, Key.Key_S, CTRL | SHIFT)  # one question, not two
            assert len(opened(ConfirmDialog)) == 1
            assert question.windowTitle() == "Switch to LIVE?"
            assert session.bridge.mode is Mode.SANDBOX
            question._since -= confirming.READ_SECONDS  # it was read
            QTest.keyClick(question.no, key, CTRL if key is Key.Key_Return else NONE)
            await until(lambda: not opened(ConfirmDialog), "the answer")
            await until(lambda mode=mode: session.bridge.mode is mode, f"{mode}")
            await ended(session, "switch mode")
        window.activateWindow()
        await until(window.isActiveWindow, "the window")
        QTest.keyClick(canvas, Key.Key_S, CTRL | SHIFT)  # back, where nothing stays: no question
        await until(lambda: session.bridge.mode is Mode.SANDBOX, "the sandbox")

    drive(scenario)


def test_b_and_s_fill_the_ticket_from_every_panel_with_a_symbol(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await chart_of(session)
        window, ticket = session.window, session.window.ticket
        window.docking.show("depth")
        ladder = window.docking.show("ladder")
        depth = window.docks["depth"]
        assert isinstance(depth, DepthDock)
        for place in (chart.view.canvas, depth.view, ladder.focusProxy()):
            for key, side in ((Key.Key_S, Action.SELL), (Key.Key_B, Action.BUY)):
                QTest.keyClick(place, key)
                assert ticket.action is side and ticket.instrument is not None
                assert ticket.instrument.key == SBIN
        QTest.keyClicks(chart.view.canvas, "1")  # an interval is being typed: B is no order
        ticket.set_action(Action.SELL)
        QTest.keyClicks(chart.view.canvas, "b")
        assert ticket.action is Action.SELL and chart.cell.entry.typed == "1B"
        assert await session.terminal.desk.read.orders() == []

    drive(scenario)


def test_delete_ends_the_chosen_order_line_and_only_one_in_sight(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await chart_of(session)
        bridge, canvas = session.bridge, chart.view.canvas
        price = round(hold_still(session).ltp * 0.998, 1)
        request = OrderRequest(SBIN[1], SBIN[0], Action.BUY, 3, PriceType.LIMIT, Product.MIS, price)
        placed = await bridge.desk.place(request, bridge.mode)
        await until(lambda: chart.view.shown_lines, "its line")
        chart.flush()
        closed: list[str] = []
        chart.view.line_closed.connect(closed.append)
        QTest.keyClick(canvas, Key.Key_Delete)  # none is chosen
        QTest.keyClick(canvas, Key.Key_N)
        assert canvas.overlay.chosen == placed.ids[0]
        QTest.keyClick(canvas, Key.Key_Escape)
        QTest.keyClick(canvas, Key.Key_Delete)
        QTest.keyClick(canvas, Key.Key_N)
        window = session.window
        window.docks["watchlist"].setFocus()  # who looks elsewhere means something else
        canvas.clearFocus()
        QTest.keyClick(canvas, Key.Key_Delete)
        assert closed == []
        canvas.setFocus()
        QTest.keyClick(canvas, Key.Key_N)
        QTest.keyClick(canvas, Key.Key_Delete)
        QTest.keyClick(canvas, Key.Key_Delete)
        assert closed == [placed.ids[0]]
        await until(lambda: not bridge.books.working_of(SBIN), "its end")

    drive(scenario)


def test_ctrl_b_and_ctrl_enter_send_the_ticket_and_confirm(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirming, "READ_SECONDS", 3600.0)  # however late the key comes

    async def scenario(session: Session) -> None:
        chart = await chart_of(session)
        window = session.window
        window.ticket.price_type.choose(PriceType.MARKET.value)
        window.ticket.units.setValue(3)
        QTest.keyClick(chart.view.canvas, Key.Key_B, CTRL)
        await until(lambda: window.findChildren(ConfirmDialog), "the question")
        dialog = window.findChildren(ConfirmDialog)[0]
        QTest.keyClick(dialog.no, Key.Key_Return, CTRL)  # at once: it was not read
        assert dialog.isVisible()
        monkeypatch.setattr(confirming, "READ_SECONDS", 0.0)
        held = QKeyEvent(QEvent.Type.KeyPress, Key.Key_Return, CTRL, "", True)
        QApplication.sendEvent(dialog.no, held)
        assert dialog.isVisible() and await session.terminal.desk.read.orders() == []
        QTest.keyClick(dialog.no, Key.Key_Return, CTRL)
        await until(lambda: len(session.bridge.books.orders) == 1, "the order")
        await asyncio.sleep(0)
        assert session.bridge.mode is Mode.SANDBOX

    drive(scenario)


@pytest.mark.parametrize(
    ("key", "modifiers", "value"),
    [
        (Key.Key_Up, NONE, 800.05),
        (Key.Key_Down, NONE, 799.95),
        (Key.Key_Up, SHIFT, 800.50),
        (Key.Key_Down, SHIFT, 799.50),
        (Key.Key_Up, CTRL, 800.80),
        (Key.Key_Down, CTRL, 799.20),
    ],
)
def test_a_price_goes_by_ticks(qtbot: QtBot, key: Key, modifiers: Mod, value: float) -> None:
    field = PriceField()
    qtbot.addWidget(field)
    field.set_tick(0.05)
    field.setValue(800.0)
    QTest.keyClick(field, key, modifiers)
    assert field.value() == pytest.approx(value)


@pytest.mark.docks("watchlist", "orders", "positions")
def test_alt_digits_take_sizes_in_ticket_and_ladder(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ladder = session.window.docking.show("ladder")
        view = ladder.focusProxy()
        assert isinstance(view, QWidget)
        session.window.hands.focus(ladder)  # as Ctrl+Tab does: where its keys work
        assert view.hasFocus()
        QTest.keyClick(view, Key.Key_3, ALT)
        lots = ladder.findChild(QWidget, "ladder-lots")
        assert lots is not None and lots.property("value") == 5
        ticket = session.window.ticket
        before = ticket.units.value()
        ticket.units.setFocus()
        QTest.keyClick(ticket.units, Key.Key_4, ALT)
        assert ticket.units.value() == 100 != before

    drive(scenario)
