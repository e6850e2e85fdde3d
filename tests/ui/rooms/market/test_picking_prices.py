"""Prices reach the ticket by an explicit gesture only."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action, PriceType
from openalgo_desktop.core.money import is_on_tick
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.market.depth import DepthDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart", "depth")

LEFT = Qt.MouseButton.LeftButton


def test_a_price_is_taken_only_when_it_was_meant_and_on_the_tick(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        picked: list[float] = []
        session.bridge.price_picked.connect(lambda key, price, side: picked.append(price))
        session.bridge.pick_price(SBIN, 801.03)
        assert picked == []
        session.bridge.pick_price(SBIN, 801.03, explicit=True)
        session.bridge.pick_price(SBIN, 0.001, explicit=True)
        session.bridge.pick_price(("NSE", "NOSUCH"), 801.0, explicit=True)
        tick = session.bridge.instrument(SBIN).tick_size  # type: ignore[union-attr]
        assert picked == [801.05, tick]

    drive(scenario)


def test_a_plain_click_in_depth_leaves_the_ticket_alone(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        depth = session.window.docks["depth"]
        assert isinstance(depth, DepthDock)
        depth.raise_()
        await until(lambda: bool(depth.view.summary() != "no depth"), "a book")
        picked: list[float] = []
        session.bridge.price_picked.connect(lambda key, price, side: picked.append(price))
        level = QPoint(20, depth.view.head + depth.view.row // 2)
        before = session.window.ticket.price_type.value()
        QTest.mouseClick(depth.view, LEFT, pos=level)
        assert picked == [] and session.window.ticket.price_type.value() == before
        QTest.mouseClick(depth.view, LEFT, Qt.KeyboardModifier.ControlModifier, level)
        assert len(picked) == 1
        QTest.mouseDClick(depth.view, LEFT, pos=level)
        assert len(picked) == 2
        assert session.window.ticket.price_type.value() == PriceType.LIMIT.value

    drive(scenario)


def test_the_chart_offers_an_order_in_its_menu_and_ignores_a_click(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        chart = session.window.docks["chart"]
        assert isinstance(chart, ChartDock)
        await until(lambda: chart.cell.data.is_drawn, "bars")
        chart.view.flush()
        wishes: list[TicketWish] = []
        session.bridge.ticket_wanted.connect(wishes.append)
        picked: list[float] = []
        session.bridge.price_picked.connect(lambda key, price, side: picked.append(price))
        canvas = chart.view.canvas
        at = canvas.overlay.frame.pane.center().toPoint()
        QTest.mouseClick(canvas, LEFT, pos=at)
        assert picked == [] and wishes == []
        last = quote.price(session.bridge.latest(SBIN))
        assert last is not None
        chart.view.menu_wanted.emit(last * 0.99, QPoint(0, 0))  # at the market there is no stop
        (menu,) = [
            widget
            for widget in chart.findChildren(QMenu)
            if widget.objectName() == "dock-chart-menu"
        ]
        texts = [action.text() for action in menu.actions() if action.text()]
        words = [text.split()[0] for text in texts]
        assert words[:7] == ["Buy", "Sell", "Stop", "Take", "Add", "Add", "Alert"]
        menu.actions()[1].trigger()
        (wish,) = wishes
        assert (wish.key, wish.action, wish.price_type) == (SBIN, Action.SELL, PriceType.LIMIT)
        row = session.bridge.instrument(SBIN)
        assert row is not None and is_on_tick(wish.price, row.tick_size)
        menu.close()

    drive(scenario)
