"""Market depth: as many levels as the account has, bars, how old it is, and none for indices."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.core.ticks import Depth, Level
from openalgo_desktop.ui.kit import fonts
from openalgo_desktop.ui.rooms.market.depth import DepthDock
from openalgo_desktop.ui.rooms.market.depth_view import TIGHT, DepthView
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("depth")

DEEP = Depth(
    tuple(Level(800.0 - n * 0.05, 10 + n, 1) for n in range(20)),
    tuple(Level(800.05 + n * 0.05, 20, 2) for n in range(20)),
)


async def shown(session: Session) -> DepthDock:
    window = session.window
    window.showNormal()
    window.resize(1600, 1000)
    window.default_layout()
    await priced(session)
    dock = window.docks["depth"]
    assert isinstance(dock, DepthDock)
    dock.raise_()
    await until(lambda: bool(dock.view._depth.buy), "a book")
    return dock


def test_what_the_account_streams_can_be_chosen_and_is_kept(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        offered = [text for text in dock.count.options if not dock.count.button(text).isHidden()]
        assert offered == ["5", "20"]
        dock.count.button("20").click()
        await until(lambda: len(dock.view._depth.buy) == 20, "twenty levels")
        assert dock.view.height() > dock.view.head + 20 * TIGHT
        state = dock.save_state()
        dock.close()
        assert session.bridge.depths._wishes == {}
        again = session.window.docking.show("depth")
        assert isinstance(again, DepthDock) and again.view.levels == 20
        assert again.save_state() == state
        again.count.button("5").click()
        await until(lambda: len(again.view._depth.buy) == 5, "five levels")
        assert session.bridge.depths._wishes == {}

    drive(scenario)


def test_a_wish_that_the_account_cannot_meet_waits_for_one_that_can(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dock.restore_state({"levels": 200})
        assert dock.view.levels == 20 and dock.save_state()["levels"] == 200
        dock.restore_state({"levels": 7})
        assert dock.save_state()["levels"] == 200
        source: Any = session.terminal.hub._source
        kind = type(source)
        before = kind.depth_levels
        kind.depth_levels = (5,)
        try:
            dock._offer()
            assert dock.view.levels == 5 and dock.count.isHidden()
        finally:
            kind.depth_levels = before

    drive(scenario)


def test_an_old_book_says_how_old_it_is(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        hub = session.terminal.hub
        hub._source.set_sink(lambda tick: None)  # type: ignore[union-attr]
        hub._spoil()
        await until(lambda: dock.view._stale, "the grey book")
        await until(lambda: "old" in dock.view._note, "its age")
        assert not dock.view.grab().isNull()

    drive(scenario)


def test_an_index_has_no_depth_and_says_so(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        session.bridge.select(("NSE_INDEX", "NIFTY"))
        await until(lambda: dock.view._note == "No depth for indices", "the reason")
        assert dock.spread.text().endswith("No depth for indices")
        session.bridge.select(SBIN)
        await until(lambda: bool(dock.view._depth.buy) and not dock.view._note, "a book again")

    drive(scenario)


def test_a_long_name_is_shown_whole_or_marked_as_cut(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        option = next(
            row for row in session.bridge.search("NIFTY CE", 50) if row.instrument_type == "CE"
        )
        session.bridge.select(option.key)
        name = session.bridge.name(option.key)
        await until(lambda: name in dock.title_bar.subject.text(), "its name")
        assert option.symbol in dock.title_bar.subject.toolTip()

    drive(scenario)


@pytest.mark.parametrize("levels", [5, 20])
def test_clicks_and_keys_reach_every_level(qtbot: QtBot, levels: int) -> None:
    view = DepthView()
    qtbot.addWidget(view)
    view.set_levels(levels)
    view.resize(400, view.height())
    view.show_depth(DEEP, 2)
    view.show()
    picked: list[tuple[float, str]] = []
    view.picked.connect(lambda price, side: picked.append((price, side)))
    last = QPoint(20, view.head + (levels - 1) * view.row + view.row // 2)
    ctrl = Qt.KeyboardModifier.ControlModifier
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=last)
    assert picked == []
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, ctrl, last)
    assert picked == [(DEEP.buy[levels - 1].price, "BUY")]
    for _ in range(levels + 3):
        QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Right)
    view.take_chosen()  # what Enter does in the dock
    assert picked[-1] == (DEEP.sell[levels - 1].price, "SELL")
    assert not view.grab().isNull()


def test_the_menu_of_a_level_fills_the_ticket_and_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        view = dock.view
        await until(lambda: bool(view._depth.sell), "a book")
        session.bridge.arm.arm(session.bridge.mode)  # even then
        wishes: list[TicketWish] = []
        session.bridge.ticket_wanted.connect(wishes.append)
        price = view._depth.sell[0].price
        place = QPoint(view.width() - 20, view.head + view.row // 2)
        for reason in (QContextMenuEvent.Reason.Mouse, QContextMenuEvent.Reason.Keyboard):
            view._hover = (0, "SELL")
            price = view._depth.sell[0].price
            QApplication.sendEvent(view, QContextMenuEvent(reason, place, view.mapToGlobal(place)))
            menu = dock.findChildren(QMenu, "dock-depth-menu")[-1]
            items = {action.text(): action for action in menu.actions()}
            assert f"Alert at {price:,.2f}…" in items and {"Chart", "Ladder"} <= set(items)
            items[f"Buy at {price:,.2f}…"].trigger()
            assert (wishes[-1].action, wishes[-1].price) == (Action.BUY, price)
            menu.close()
        assert len(wishes) == 2 and await session.terminal.desk.read.orders() == []

    drive(scenario)


@pytest.mark.parametrize("width", [100, 300, 365])
def test_a_price_is_never_cut(qtbot: QtBot, width: int) -> None:
    view = DepthView()
    qtbot.addWidget(view)
    view.show_depth(Depth((Level(123_456.5, 10, 1),), (Level(123_456.55, 10, 1),)), 2)
    view.resize(max(width, view.minimumSizeHint().width()), 200)
    advance = QFontMetrics(fonts.table_font()).horizontalAdvance("1,23,456.50")
    for side in ("BUY", "SELL"):
        cell, _ = view._cells(side, 0, 20)[-1]
        assert cell.width() >= advance and cell.left() >= 0 and cell.right() <= view.width()
