"""Bar replay on a chart: the strip moves it, practice trades it, and nothing of it is sent."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.charting.studies import StudyWish
from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.events import AccountChanged, ModeChanged
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.engine.studies import _FINER
from openalgo_desktop.ui.kit.replayed import NOT_HERE, focus_is_replayed
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.charts.replay.control import NO_ORDERS
from openalgo_desktop.ui.rooms.charts.replay.moments import parse, shown
from openalgo_desktop.ui.rooms.charts.replay.strip import PRACTICE, ReplayStrip
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart", "positions", "orders")


class Replayed:
    """A chart of SBIN in a replay, and spies on every way to an account."""

    def __init__(self, session: Session) -> None:
        self.session, self.bridge = session, session.bridge
        dock = session.window.docks["chart"]
        assert isinstance(dock, ChartDock)
        self.dock, self.cell, self.control = dock, dock.cell, dock.cell.replay
        self.left: list[object] = []
        self.notices: list[str] = []
        self.bridge.notice.connect(lambda _level, text: self.notices.append(text))

    def _spy(self) -> None:
        """Whatever would send, and whatever would carry a price to the ticket."""
        bridge: Any = self.bridge
        desk: Any = self.session.terminal.desk
        gateway: Any = self.session.terminal.sandbox

        async def place(request: OrderRequest, *rest: object) -> None:
            self.left.append(request)

        for owner in (bridge.desk, desk, gateway):
            for name in ("place", "modify", "cancel"):
                if hasattr(owner, name):
                    setattr(owner, name, place)
        for signal in (
            bridge.price_picked,
            bridge.trade_wanted,
            bridge.ticket_wanted,
            bridge.basket_wanted,
        ):
            signal.connect(lambda *args: self.left.append(args))

    @property
    def strip(self) -> ReplayStrip:
        assert self.control.strip is not None
        return self.control.strip

    async def choosing(self) -> Replayed:
        window = self.session.window
        window.showNormal()
        window.resize(1600, 1000)
        await priced(self.session)
        self.dock.raise_()
        await until(lambda: len(self.cell.view.canvas.series), "the history")
        self._spy()
        self.control.begin()
        return self

    async def ready(self) -> Replayed:
        await self.choosing()
        day = self.bridge.now() - timedelta(days=1)
        while self.bridge.replay._terminal.calendar.session("NSE", day.date()) is None:
            day -= timedelta(days=1)
        self.strip.when.setText(f"{day:%Y-%m-%d} 11:00")
        QTest.keyClick(self.strip.when, Qt.Key.Key_Return)
        await until(lambda: self.control.active, "the replay")
        await self.loaded()
        return self

    async def loaded(self) -> None:
        data = self.cell.data
        await until(lambda: data.loaded and data.is_drawn, "the bars")
        self.cell.flush()

    async def press(self, word: str) -> None:
        button = self.strip.findChild(QPushButton, f"{self.cell.name}-replay-{word}")
        assert button is not None
        click(button)
        await settle()

    @property
    def last(self) -> datetime:
        time = self.cell.view.canvas.series.time[-1]
        return datetime.fromtimestamp(int(time), self.bridge.now().tzinfo)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_the_strip_moves_the_chart_and_practice_reaches_no_account(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        it = await Replayed(session).ready()
        door, bridge = it.bridge.replay, it.bridge
        assert it.strip.banner.words.text() == PRACTICE and it.strip.banner.isVisible()
        assert (it.last.hour, it.last.minute) == (10, 55)
        assert not it.cell.sides.isEnabled()
        QTest.keyClick(it.strip, Qt.Key.Key_Right)
        await until(lambda: door.now is not None and door.now.minute == 5, "a step")
        it.cell.flush()
        assert (it.last.hour, it.last.minute) == (11, 0)

        # Practice: at the replayed price, with a line on the chart that can be closed.
        await it.press("buy")
        held = door.positions(SBIN)
        assert [row.quantity for row in held] == [1]
        assert held[0].average_price == door.last(SBIN)
        it.cell.flush()
        texts = [line.text for line in it.cell.view.shown_lines]
        assert len(texts) == 1 and texts[0].startswith("Practice long 1")
        it.cell.view.price_picked.emit(500.0)
        assert it.notices[-1] == NO_ORDERS
        assert it.dock._trade_here(Action.BUY)
        it.cell.view.menu_wanted.emit(held[0].average_price - 1, QPoint(50, 50))
        menu = it.dock.findChild(QMenu, "dock-chart-menu")
        assert menu is not None
        words = [action.text() for action in menu.actions() if action.text()]
        assert words[0].startswith("Practice buy 1 at") and "End replay" in words
        assert not [word for word in words if "ticket" in word or "basket" in word]
        menu.actions()[0].trigger()
        menu.close()
        assert len(door.orders(SBIN)) == 1
        order = next(line for line in it.cell.view.shown_lines if line.draggable)
        it.cell.view.line_moved.emit(order.line_id, order.price - 1)
        assert door.orders(SBIN)[0].price == order.price - 1
        it.cell.view.line_closed.emit(order.line_id)
        assert door.orders(SBIN) == []

        # Keys of the window: what sends or turns something is refused here, whatever is armed.
        for surface in (it.strip, it.cell.view.canvas):
            for call in (session.window.hands.send_ticket, session.window.ending.reverse_symbol):
                session.window.activateWindow()
                surface.setFocus()
                await until(focus_is_replayed, "the focus")
                it.notices.clear()
                call()
                await settle()
                assert it.notices == [NOT_HERE], call
        marks = it.cell.own._replayed
        assert marks is not None and [fill[2] for fill in marks] == [1]

        # A step back undoes what came after it; a switch of the mode pauses.
        QTest.keyClick(it.strip, Qt.Key.Key_Left)
        await until(lambda: door.positions(SBIN) == [], "the account of then")
        QTest.keyClick(it.strip, Qt.Key.Key_Space)
        assert door.playing
        session.terminal.bus.publish(ModeChanged(mode=Mode.SANDBOX, by="test"))
        await until(lambda: not door.playing, "a pause")

        it.control.begin()  # does nothing: it is in it
        # Where it ends the prices in the view are of the past: no place means one of now.
        drawn: list[bool] = []
        it.control.changed.connect(lambda: drawn.append(it.cell.data.is_drawn))
        await it.press("end")
        await until(lambda: not it.control.active, "the end")
        await it.loaded()
        assert it.control.strip is None and it.cell.sides.isEnabled()
        assert it.last.date() == bridge.now().date() or it.last > bridge.now() - timedelta(days=5)
        assert it.left == [] and drawn == [False] and it.cell.data.is_drawn

    drive(scenario)


def test_the_begin_is_chosen_by_a_click_on_a_bar_and_all_charts_come_in(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        it = await Replayed(session).choosing()
        it.strip.all.setChecked(True)
        it.strip.when.setText("next year")
        await it.press("begin")
        assert "Write it like" in it.strip.banner.error.text()
        it.dock.arrange("2 side by side")
        other = it.dock.cells[1]
        other.show_interval("15m")
        await until(lambda: other.data.loaded and len(other.view.canvas.series), "the other")
        canvas = it.cell.view.canvas
        it.cell.flush()
        bar = len(canvas.series) - 40
        share = (bar - canvas.scale_x.left) / canvas.scale_x.span
        pane = canvas.stage.prices.rect
        place = QPointF(pane.left() + share * pane.width(), pane.center().y()).toPoint()
        began = int(canvas.series.time[bar])
        QTest.mouseMove(canvas, place)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
        await until(lambda: it.control.active, "the replay")
        await it.loaded()
        assert abs(it.last.timestamp() - began) <= 300
        assert other.replay.active and other.replay.banner is not None
        now = it.bridge.replay.now
        assert now is not None
        end = now.timestamp()

        def replayed() -> bool:  # it had bars before, of another time
            other.flush()
            times = other.view.canvas.series.time
            return bool(len(times)) and end - 900 <= times[-1] < end

        await until(replayed, "the replayed bars of the other")
        assert other.replay.banner.words.text() == PRACTICE
        assert it.left == []

        # Prices of another account are another past.
        it.bridge.replay._account = "another"
        session.terminal.bus.publish(AccountChanged(status=it.bridge.account_status()))
        await until(lambda: not it.bridge.replay.active, "the end")
        assert not it.control.active and not other.replay.active
        assert it.notices == ["The replay ended: prices come from another account now."]

    drive(scenario)


def test_moments_are_read_as_they_are_shown() -> None:
    moment = parse("20.11.2026 10:15")
    assert shown(moment) == "2026-11-20 10:15" and parse(shown(moment)) == moment
    assert parse("2026-11-20").hour == 0


def test_studies_of_a_replay_are_given_nothing_of_its_future(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        window.showNormal()
        it = Replayed(session)
        it.cell.studies.set_wishes([StudyWish("a", "cpr"), StudyWish("b", "volume-profile")])
        await it.ready()
        door = it.bridge.replay
        run = it.cell.studies._run
        assert run is not None and door.now is not None and door.source is not None
        assert run._past is door.source and door.source.moment == door.now.timestamp()
        await until(lambda: run.around.days is not None, "daily bars for studies")
        days = run.around.days
        assert days is not None
        assert days.time[-1] <= door.now.timestamp() + 19_800
        # What was asked of the market before the replay began is not let in.
        live = it.bridge.bars
        late = run.around
        await run._fetch(_FINER["Levels"], late, live)
        assert run.around.days is days

        it.control.end()
        await until(lambda: not it.control.active, "the end of the replay")
        assert run._past is live

    drive(scenario)


def test_no_button_of_the_strip_moves_by_a_result_or_a_message(qtbot: QtBot) -> None:
    window, strip = QWidget(), ReplayStrip("chart", ("1 bars/s",))
    column = QVBoxLayout(window)
    column.addWidget(strip)
    column.addStretch(1)
    qtbot.addWidget(window)
    strip.show_choosing(False)
    buy = strip.findChild(QPushButton, "chart-replay-buy")
    assert buy is not None
    texts = ((0.0, "", True), (-1814.69, "", False), (123456.7, "", True), (5.0, "x" * 90, False))
    for width in (400, 500, 611, 640, 900):
        window.resize(width, 400)
        window.show()
        places = []
        for profit, words, playing in (*texts, *texts):
            strip.show_state(datetime(2026, 11, 27, 10, 15), playing, "5m", profit)
            strip.tell(words)
            for _ in range(4):  # one layout after the other
                QApplication.processEvents()
            places.append(buy.mapTo(window, QPoint()).toTuple())
        assert len(set(places[1:])) == 1, width  # once it stands as wide as it is
        assert strip.banner.words.isVisible() and strip.banner.error.isVisible()
