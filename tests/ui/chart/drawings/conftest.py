"""A chart with drawings on it, without an engine."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from openalgo_desktop.core.charting.drawings.book import DrawingBook
from openalgo_desktop.core.charting.history import History
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.drawings.board import Board
from openalgo_desktop.ui.chart.drawings.layer import DrawingsLayer
from openalgo_desktop.ui.engine.drawings import DrawingsDoor
from openalgo_desktop.ui.kit import theme
from tests.unit.core.charting.drawings.pane import bars

KEY = ("NSE", "SBIN")


class Bench:
    """One chart: its view, layer and board; the mouse by bars and prices."""

    def __init__(self, book: DrawingBook, parent: QObject) -> None:
        self.book = book
        self.kept: dict[str, object] = {}
        state = SimpleNamespace(put_later=lambda scope: self.kept.__setitem__, texts=self._texts)
        clock = SimpleNamespace(time=lambda: 5.0)
        terminal = SimpleNamespace(drawings=book, clock=clock, state=state)
        self.door = DrawingsDoor(terminal, lambda work, _name: asyncio.run(work), parent)
        self.history = History(self.door.apply)
        self.board = Board(self.door, self.history, parent)
        self.layer = DrawingsLayer(self.board, parent)
        self.view = ChartView()
        self.view.setObjectName("chart-view")

    async def _texts(self, scope: str) -> dict[str, bytes]:
        return {
            "ray": b'{"Mine": {"width": 4.0}}',
            "path": b'{"Mine": {"width": "x"}}',
            "arc": b"{",
        }

    def show(self) -> None:
        self.view.resize(900, 560)
        self.view.show()
        columns = bars()
        values = (columns.open, columns.high, columns.low, columns.close)
        volume = columns.volume.astype("int64")
        self.view.set_bars(Bars(columns.time, *values, volume, volume * 0), Interval.M5, 2)
        canvas = self.view.canvas
        canvas.add_layer(self.layer)
        self.layer.base_changed.connect(lambda: canvas.layer_changed(self.layer))
        self.layer.top_changed.connect(lambda: canvas.layer_moved(self.layer))
        self.board.set_chart(KEY, Span.parse("5m"))
        QTest.qWait(1)
        self.view.flush()

    @property
    def at(self):
        return self.view.canvas.stage.at(self.view.canvas.stage.prices)

    def place(self, index: float, price: float) -> QPoint:
        return QPoint(round(self.at.x(index)), round(self.at.y(price)))

    def grab(self):
        return self.view.grab().toImage()

    def click(self, index: float, price: float, button=Qt.MouseButton.LeftButton, **more) -> None:
        QApplication.processEvents()  # what is seen is what is hit
        canvas, place = self.view.canvas, self.place(index, price)
        QTest.mouseMove(canvas, place)
        QTest.mouseClick(canvas, button, more.get("held", Qt.KeyboardModifier.NoModifier), place)

    def drag(self, start, end, held=Qt.KeyboardModifier.NoModifier) -> None:
        QApplication.processEvents()
        canvas = self.view.canvas
        one, two = self.place(*start), self.place(*end)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, held, one)
        for part in (0.5, 1.0):
            spot = one + (two - one) * part
            event = QMouseEvent(
                QEvent.Type.MouseMove,
                QPointF(spot),
                QPointF(canvas.mapToGlobal(spot)),
                Qt.MouseButton.NoButton,
                Qt.MouseButton.LeftButton,
                held,
            )
            QApplication.sendEvent(canvas, event)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, held, two)

    @property
    def drawings(self):
        return self.book.of(KEY)


@pytest.fixture
def bench(qtbot, qapp):
    theme.apply(qapp, "dark")
    owner = QObject()
    made = Bench(DrawingBook(), owner)
    qtbot.addWidget(made.view)
    made.show()
    yield made
    made.door.close()
    made.view.close()
