"""Lines of the chart: a drag changes once, on release, armed or after Apply; the x takes away."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.exits import ExitPlan
from openalgo_desktop.core.model import Instrument, ModifyRequest, OrderRequest
from openalgo_desktop.core.money import is_on_tick
from openalgo_desktop.ui.chart import PriceLine
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.charts.gtt_lines import size_text
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart", "positions")

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


class Chart:
    """A chart of SBIN with a position of 20, a resting target and a watched stop."""

    def __init__(self, session: Session) -> None:
        self.session, self.bridge = session, session.bridge
        dock = session.window.docks["chart"]
        assert isinstance(dock, ChartDock)
        self.dock = dock
        self.modified: list[ModifyRequest] = []
        self.cancelled: list[str] = []

    async def ready(self) -> Chart:
        window, bridge = self.session.window, self.bridge
        window.showNormal()
        window.resize(1600, 1000)
        window.default_layout()
        await priced(self.session)
        self.dock.raise_()
        await until(lambda: self.dock.cell.data.is_drawn, "bars")
        tick = bridge.latest(SBIN)
        assert tick is not None
        self.last = tick.ltp
        await bridge.desk.place(OrderRequest(SBIN[1], SBIN[0], Action.BUY, 20), bridge.mode)
        await until(lambda: bool(self.dock.cell.hand.positions(SBIN)), "the position")
        target = round(self.last * 1.004 / 0.05) * 0.05
        request = OrderRequest(
            SBIN[1], SBIN[0], Action.SELL, 20, PriceType.LIMIT, Product.MIS, round(target, 2)
        )
        placed = await bridge.desk.place(request, bridge.mode)
        self.order_id = placed.ids[0]
        stop = round(round(self.last * 0.996 / 0.05) * 0.05, 2)
        await bridge.watch.set_stop(SBIN[1], SBIN[0], Product.MIS, bridge.mode, stop)
        await until(lambda: len(self.dock.view.shown_lines) == 3, "three lines")
        self.draw()
        return self

    @property
    def view(self) -> Any:
        return self.dock.view

    @property
    def port(self) -> Any:
        return self.view.canvas

    def draw(self) -> None:
        self.view.flush()
        self.view.canvas.grab()

    def spy(self) -> None:
        bridge: Any = self.bridge

        async def modify(request: ModifyRequest, mode: Mode) -> None:
            self.modified.append(request)

        async def cancel(order_id: str, mode: Mode) -> None:
            self.cancelled.append(order_id)

        bridge.desk.modify, bridge.desk.cancel = modify, cancel

    def line(self, word: str) -> PriceLine:
        self.draw()
        (found,) = [row for row in self.view.shown_lines if word in row.text]
        return found

    def tag(self, word: str) -> QPoint:
        return self.view.canvas.overlay.chip_of(self.line(word).line_id)[0].center()

    def cross(self, word: str) -> QPoint:
        return self.view.canvas.overlay.chip_of(self.line(word).line_id)[1].center()

    def drag(self, start: QPoint, by: int) -> float:
        """Drag a tag; the price where it was let go."""
        end = start + QPoint(0, by)
        QTest.mousePress(self.port, LEFT, pos=start)
        QTest.mouseMove(self.port, end)
        price: float = self.view.canvas.overlay.frame.price(end.y())
        QTest.mouseRelease(self.port, LEFT, pos=end)
        return price

    @property
    def plan(self) -> ExitPlan:
        (plan,) = self.bridge.watch.of_position(SBIN[1], SBIN[0], Product.MIS, self.bridge.mode)
        return plan


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_lines_say_side_size_and_what_they_bring(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        assert chart.line("LIMIT").text.startswith("SELL 20 LIMIT  +")
        assert chart.line("Stop 20").text.split()[-1].startswith("-")
        position = chart.line("MIS")
        assert position.text.startswith("+20 MIS") and not position.draggable
        lots = Instrument("F", "NFO", lot_size=65)
        assert [size_text(n, lots) for n in (65, 130, 100)] == ["1 lot", "2 lots", "100"]

    drive(scenario)


def test_armed_a_dragged_order_is_changed_once_on_release(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        chart.spy()
        chart.bridge.arm.arm(chart.bridge.mode)
        edges = (chart.view.canvas.scale_x.left, chart.view.canvas.scale_x.right)
        start = chart.tag("LIMIT")
        QTest.mousePress(chart.port, LEFT, pos=start)
        for step in range(5, 30, 5):
            QTest.mouseMove(chart.port, start + QPoint(0, step))
        await settle()
        assert chart.modified == []
        _, shown = chart.view.canvas.overlay._ghost
        assert is_on_tick(shown, 0.05)  # what is read is what will be sent
        price = chart.view.canvas.overlay.frame.price(start.y() + 25)
        QTest.mouseRelease(chart.port, LEFT, pos=start + QPoint(0, 25))
        await until(lambda: bool(chart.modified), "the change")
        await settle()
        (change,) = chart.modified
        assert change.order_id == chart.order_id and change.price is not None
        assert abs(change.price - price) <= 0.05 and change.price == shown
        assert (chart.view.canvas.scale_x.left, chart.view.canvas.scale_x.right) == edges
        # Esc, a second button, a drag out of the pane and a mere click change nothing.
        start = chart.tag("LIMIT")
        QTest.mousePress(chart.port, LEFT, pos=start)
        QTest.mouseMove(chart.port, start + QPoint(0, 30))
        QTest.keyClick(chart.view.canvas, Qt.Key.Key_Escape)
        QTest.mouseRelease(chart.port, LEFT, pos=start + QPoint(0, 30))
        QTest.mousePress(chart.port, LEFT, pos=start)
        QTest.mousePress(chart.port, RIGHT, pos=start)
        QTest.mouseRelease(chart.port, LEFT, pos=start + QPoint(0, 30))
        chart.drag(start, -5000)
        chart.drag(start, 1)
        await settle()
        assert len(chart.modified) == 1 and chart.dock.cell.work.asked is None

    drive(scenario)


def test_a_stop_is_dragged_lower_than_the_chart_ends(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        chart.bridge.arm.arm(chart.bridge.mode)
        frame, before = chart.view.canvas.overlay.frame, chart.plan.stop_at
        start = chart.tag("Stop")
        depth = round(frame.pane.bottom()) + 12 - start.y()  # over the volumes
        price = chart.drag(start, depth)
        assert price < frame.low and before is not None
        await until(lambda: chart.plan.stop_at != before, "the moved stop")
        assert chart.plan.stop_at is not None
        assert float(chart.plan.stop_at) == pytest.approx(price, abs=0.06)
        chart.draw()
        start = chart.tag("Stop")
        chart.drag(start, round(frame.bottom) + 20 - start.y())  # below everything: given up
        await settle()
        assert float(chart.plan.stop_at) == pytest.approx(price, abs=0.06)

    drive(scenario)


def test_not_armed_a_drag_asks_at_the_line(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        chart.spy()
        bubble = chart.dock.cell.work.bubble
        chart.drag(chart.tag("LIMIT"), 25)
        await settle()
        assert chart.modified == [] and bubble.isVisible()
        QTest.mouseClick(bubble.no, LEFT)
        assert not bubble.isVisible() and chart.dock.cell.work.asked is None
        chart.drag(chart.tag("LIMIT"), 25)
        QTest.keyClick(chart.view.canvas, Qt.Key.Key_Escape)
        assert not bubble.isVisible()
        # Another symbol, or the end of the order, takes the question away.
        chart.drag(chart.tag("LIMIT"), 25)
        session.bridge.select(("NSE", "INFY"))
        assert not bubble.isVisible()
        # Until its bars are there a price of the view is one of the other symbol: it means nothing.
        cell, picked = chart.dock.cell, []
        session.bridge.price_picked.connect(lambda *what: picked.append(what))
        cell.show_lines()
        assert not cell.data.is_drawn and list(chart.view.shown_lines) == []
        cell.chart_menu.pick(chart.last)
        cell.chart_menu.open(chart.last, QPoint(0, 0))
        assert picked == [] and not [m for m in chart.dock.findChildren(QMenu) if m.isVisible()]
        session.bridge.select(SBIN)
        await until(lambda: len(chart.view.shown_lines) == 3, "the lines again")
        await until(lambda: chart.dock.cell.data.is_drawn, "bars")
        chart.draw()
        chart.drag(chart.tag("LIMIT"), 25)
        wanted = chart.dock.cell.work.asked
        assert wanted is not None
        session.terminal.hub._spoil()
        session.terminal.hub._source.set_sink(lambda tick: None)  # type: ignore[union-attr]
        QTest.mouseClick(bubble.yes, LEFT)
        await settle()
        assert chart.modified == []  # old prices: not even after Apply
        session.terminal.hub._source.set_sink(session.terminal.hub.publish)  # type: ignore[union-attr]
        await until(lambda: not session.bridge.feed.is_stale(SBIN), "fresh prices")
        chart.drag(chart.tag("LIMIT"), 25)
        QTest.mouseClick(bubble.yes, LEFT)
        await until(lambda: bool(chart.modified), "the change")
        await settle()
        assert len(chart.modified) == 1 and not bubble.isVisible()

    drive(scenario)


def test_a_watched_stop_is_moved_by_one_drag_and_taken_away_by_its_x(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        before = chart.plan.stop_at
        chart.bridge.arm.arm(chart.bridge.mode)
        price = chart.drag(chart.tag("Stop"), -8)
        await until(lambda: chart.plan.stop_at != before, "the stop elsewhere")
        assert chart.plan.stop_at is not None and abs(float(chart.plan.stop_at) - price) <= 0.05
        await until(
            lambda: chart.line("Stop").price == float(chart.plan.stop_at or 0), "its line there"
        )
        await until(lambda: not chart.dock.cell.work.lines._busy, "the answer")
        chart.bridge.arm.disarm()
        # Pressed on the x and released elsewhere: nothing. Not armed it asks.
        cross = chart.cross("Stop") - QPoint(7, 0)  # (the click below is no double click)
        QTest.mousePress(chart.port, LEFT, pos=cross)
        QTest.mouseRelease(chart.port, LEFT, pos=cross + QPoint(0, 40))
        assert chart.plan.state.is_open
        QTest.mouseClick(chart.port, LEFT, pos=chart.cross("Stop") + QPoint(7, 0))

        def asked() -> list[ConfirmDialog]:
            return [d for d in chart.dock.findChildren(ConfirmDialog) if d.isVisible()]

        await until(asked, "the question")
        asked()[0].yes.click()
        await until(lambda: len(chart.view.shown_lines) == 2, "the end of the stop")
        assert not chart.bridge.watch.of_position(SBIN[1], SBIN[0], Product.MIS, chart.bridge.mode)

    drive(scenario)


def test_the_x_of_an_order_cancels_it(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        books = chart.bridge.books
        QTest.mouseClick(chart.port, LEFT, pos=chart.cross("LIMIT"))
        await until(lambda: not books.working_of(SBIN), "the cancellation")
        await until(lambda: len(chart.view.shown_lines) == 2, "the end of its line")

    drive(scenario)


def test_a_line_that_ends_while_it_is_dragged_is_not_changed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        chart.bridge.arm.arm(chart.bridge.mode)
        start = chart.tag("LIMIT")
        QTest.mousePress(chart.port, LEFT, pos=start)
        QTest.mouseMove(chart.port, start + QPoint(0, 20))
        await chart.bridge.desk.cancel(chart.order_id, chart.bridge.mode)
        await until(lambda: len(chart.view.shown_lines) == 2, "its end")
        chart.spy()
        QTest.mouseRelease(chart.port, LEFT, pos=start + QPoint(0, 20))
        await settle()
        assert chart.modified == []

    drive(scenario)


def test_several_charts_each_have_their_lines_and_hidden_ones_cost_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        other = session.window.docking.open("chart")
        assert isinstance(other, ChartDock)
        other.set_group(2)
        other.pick(("NSE", "INFY"))
        await until(lambda: other.key == ("NSE", "INFY"), "the other symbol")
        await until(lambda: not other.view.shown_lines, "no lines of SBIN")
        await until(chart.dock.is_hidden, "it is behind the other one")
        calls: list[int] = []
        chart.dock.cell.work.lines.of = lambda instrument: calls.append(1) or []  # type: ignore[method-assign, func-returns-value]
        bridge, mine, others = chart.bridge, frozenset({SBIN}), frozenset({("NSE", "INFY")})
        bridge.books.held_changed.emit(mine)
        assert calls == []
        chart.dock.raise_()
        await until(lambda: bool(calls), "its lines once it is seen")
        # What changes of another instrument asks nothing.
        told = (bridge.books.held_changed, bridge.gtts.changed)
        (plan,) = bridge.watch.of(SBIN, bridge.mode)
        for symbol, keys, times in (("INFY", others, 0), ("SBIN", mine, 4)):
            calls.clear()
            for signal in told:
                signal.emit(keys)
            bridge.watch.changed.emit(msgspec.structs.replace(plan, symbol=symbol))
            bridge.alerts.changed.emit(SimpleNamespace(key=("NSE", symbol)))
            assert len(calls) == times

    drive(scenario)
