"""The table of a watchlist: headings, the bar of the day, buttons under the pointer, dragging."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
)

from openalgo_desktop.core.enums import Action
from openalgo_desktop.ui.kit.book_view import BookView
from openalgo_desktop.ui.kit.symbol_drag import MIME
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.rooms.market.watch_rows import WatchRow, place_in_day

Section = tuple[int, int, int]
CHIP_GAP = 4


class WatchView(BookView):
    """Speaks of view rows; the dock knows what they are."""

    typed = Signal(object)  # QKeyEvent: text for the search
    dropped = Signal(object, int)  # QDropEvent, view row before which

    def __init__(self, model: FastTableModel[WatchRow]) -> None:
        super().__init__(model)
        self._drop_at = -1
        self.setAcceptDrops(True)
        self.viewport().setAcceptDrops(True)
        keys = [column.key for column in model.columns]
        self._range = keys.index("range")

    def _row(self, view_row: int) -> WatchRow:
        row: WatchRow = self.table.row_at(view_row)
        return row

    # -- painting ---------------------------------------------------------------------------
    def paint_under(self, painter: QPainter, row: int, y: int, sections: list[Section]) -> None:
        if self._row(row).item.is_heading:
            wide, tall = self.viewport().width(), self.row_height
            painter.fillRect(0, y, wide, tall, self.ink.colour("header"))

    def paint_over(self, painter: QPainter, row: int, y: int, sections: list[Section]) -> None:
        shown = self._row(row)
        for index, x, size in sections:
            place = place_in_day(shown) if index == self._range else None
            if place is None:
                continue
            middle, left, wide = y + self.row_height // 2, x + 6, size - 12
            painter.fillRect(left, middle - 1, wide, 3, self.ink.colour("border-strong"))
            tone = "stale" if shown.stale else "accent"
            at = left + round(place * (wide - 4))
            painter.fillRect(at, middle - 5, 4, 11, self.ink.colour(tone))
        if row == self._hover:
            chips = self._chips(row)
            if chips:  # no half numbers between them
                left = chips[-1][1].left() - CHIP_GAP
                ground = QRect(left, y, self.viewport().width() - left, self.row_height - 1)
                painter.fillRect(ground, self.ink.colour("hover"))
            for action, area in chips:
                role = action.value.lower()
                painter.fillRect(area, self.ink.colour(f"{role}-fill"))
                pressed = self._pressed == (row, role)
                self.paint_words(painter, action.value.title(), "on-fill", area)
                if pressed:
                    painter.drawRect(area.adjusted(0, 0, -1, -1))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._drop_at >= 0:
            painter = QPainter(self.viewport())
            painter.fillRect(
                0,
                self._edge(self._drop_at) - 1,
                self.viewport().width(),
                2,
                self.ink.colour("focus"),
            )
            painter.end()

    def _edge(self, row: int) -> int:
        """Where the upper edge of a view row is."""
        count = self.table.rowCount()
        if not count:
            return 1
        if row < count:
            return self.rowViewportPosition(row)
        return self.rowViewportPosition(count - 1) + self.row_height

    # -- buttons under the pointer ----------------------------------------------------------
    def _chips(self, row: int) -> list[tuple[Action, QRect]]:
        """Buy and Sell at the right edge: over prices, never over the name of what is traded."""
        if not 0 <= row < self.table.rowCount() or not self._row(row).tradable:
            return []
        wide = max(self.ink.text(action.value.title())[1] for action in Action) + 12
        top, right = self.rowViewportPosition(row) + 1, self.viewport().width() - CHIP_GAP
        areas = []
        for action in reversed(Action):
            areas.append((action, QRect(right - wide, top, wide, self.row_height - 3)))
            right -= wide + CHIP_GAP
        return areas

    def action_at(self, position: QPoint) -> tuple[int, str] | None:
        row = self.rowAt(position.y())
        if row >= 0 and row == self._hover:  # what is not seen cannot be pressed
            for action, area in self._chips(row):
                if area.contains(position):
                    return row, action.value.lower()
        return super().action_at(position)

    def action_rect(self, row: int, name: str) -> QRect:
        areas = (area for action, area in self._chips(row) if action.value.lower() == name)
        return next(areas, QRect())

    # -- dragging ---------------------------------------------------------------------------
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        data = event.mimeData()
        if data.hasFormat(MIME) or data.hasText():
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._show_drop(self.drop_row(event.position().toPoint()))
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._show_drop(-1)

    def dropEvent(self, event: QDropEvent) -> None:
        self._show_drop(-1)
        self.dropped.emit(event, self.drop_row(event.position().toPoint()))

    def drop_row(self, position: QPoint) -> int:
        """The view row before which something falls that is dropped there."""
        row = self.rowAt(position.y())
        if row < 0:
            return self.table.rowCount()
        below = position.y() > self.rowViewportPosition(row) + self.row_height // 2
        return row + (1 if below else 0)

    def _show_drop(self, row: int) -> None:
        if row != self._drop_at:
            self._drop_at = row
            self.viewport().update()

    # -- keys -------------------------------------------------------------------------------
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What is typed is searched for; the keys of the list are the dock's."""
        ctrl_alt = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        text = event.text().strip()
        if text and text.isprintable() and not event.modifiers() & ctrl_alt:
            self.typed.emit(event)
        else:
            super().keyPressEvent(event)
