"""Choosing the bar at which a replay begins: what comes after the bar under the pointer is veiled,
for it will not be there; a click takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QLineF, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen

from openalgo_desktop.ui.chart.layer import Projection
from openalgo_desktop.ui.kit import theme

#: How much of what comes later shines through, of 255.
VEIL = 190


class StartLayer(QObject):
    """A :class:`~openalgo_desktop.ui.chart.layer.Layer`, on a canvas while it is chosen.
    ``moved`` asks its owner for ``layer_moved``."""

    chosen = Signal(float)  # epoch seconds: the begin of the bar after the chosen one
    moved = Signal()
    given_up = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._index: int | None = None

    def paint_base(self, painter: QPainter, at: Projection) -> Iterator[None]:
        """Nothing stays."""
        yield from ()

    def shifted(self, at: Projection, way: float) -> Sequence[QRectF] | None:
        return ()

    def paint_again(self, painter: QPainter, at: Projection) -> None:
        """Nothing stays."""

    def paint_top(self, painter: QPainter, at: Projection) -> None:
        if self._index is None:
            return
        colours, pane = theme.current(), at.pane
        edge = min(max(at.x(self._index + 0.5), pane.left()), pane.right())
        veiled = QRectF(edge, pane.top(), pane.right() - edge, pane.height())
        painter.fillRect(veiled, colours.color("panel", VEIL))
        painter.setPen(QPen(colours.color("accent"), 1.5))
        painter.drawLine(QLineF(edge, pane.top(), edge, pane.bottom()))

    def press(self, event: QMouseEvent, at: Projection) -> bool:
        if event.button() is not Qt.MouseButton.LeftButton:
            return False
        self._point(event.position().x(), at)
        return True

    def move(self, event: QMouseEvent, at: Projection) -> None:
        self._point(event.position().x(), at)

    def release(self, event: QMouseEvent, at: Projection) -> None:
        self._point(event.position().x(), at)
        if self._index is not None:
            self.chosen.emit(at.time_of(self._index + 1))

    def hover(self, point: QPointF, at: Projection) -> Qt.CursorShape | None:
        self._point(point.x(), at)
        return Qt.CursorShape.SplitHCursor

    def _point(self, x: float, at: Projection) -> None:
        index = min(max(round(at.index(x)), 0), len(at.series) - 1) if len(at.series) else None
        if index != self._index:
            self._index = index
            self.moved.emit()

    def double_click(self, event: QMouseEvent, at: Projection) -> bool:
        return True

    def menu(self, point: QPointF, at: Projection) -> bool:
        self.given_up.emit()
        return True

    def key(self, event: QKeyEvent) -> bool:
        if event.key() != Qt.Key.Key_Escape:
            return False
        self.given_up.emit()
        return True

    def cancel(self) -> bool:
        """What is pointed at is given up; the choice goes on."""
        was, self._index = self._index, None
        return was is not None
