"""The table of a dock: rows can be dragged, and the menu key opens the menu at the row."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from openalgo_desktop.ui.kit.tables import FastTableView


class BookView(FastTableView):
    """A fast table whose rows can be dragged. It remembers on which row a link was pressed: rows
    may move before the button is released."""

    drag_wanted = Signal()  # of the selected rows, where the dock lets them be dragged
    draggable = False
    pressed_row: Any = None
    _grabbed: QPoint | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = self.action_at(event.position().toPoint())
        self.pressed_row = self.table.row_at(hit[0]) if hit else None
        super().mousePressEvent(event)
        position = event.position().toPoint()
        left = event.button() == Qt.MouseButton.LeftButton
        grabs = self.draggable and left and hit is None and self.rowAt(position.y()) >= 0
        self._grabbed = position if grabs else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None
        super().mouseReleaseEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        moved = (event.position().toPoint() - self._grabbed).manhattanLength()
        if moved >= QApplication.startDragDistance():
            self._grabbed = None
            self.drag_wanted.emit()

    def event(self, event: QEvent) -> bool:
        # Of the menu key Qt tells a place that its header is not counted in.
        if event.type() is QEvent.Type.ContextMenu:
            assert isinstance(event, QContextMenuEvent)
            if event.reason() is QContextMenuEvent.Reason.Keyboard:
                place = self.visualRect(self.currentIndex()).center()
                self.customContextMenuRequested.emit(place)
                return True
        return super().event(event)
