"""A table view that paints its cells itself, straight from the row store.

Header, scrolling, selection and keyboard stay Qt's. Per cell there is no model call, no delegate
and no layout of text that was shown before.
"""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QAccessible,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
)
from PySide6.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView

from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.tables.cell_text import TINT_ALPHA, CellText
from openalgo_desktop.ui.kit.tables.columns import RowAction
from openalgo_desktop.ui.kit.tables.ink import Ink
from openalgo_desktop.ui.kit.tables.model import FastTableModel
from openalgo_desktop.ui.kit.tables.store import FLASH_TIME
from openalgo_desktop.ui.kit.tables.widths import PADDING, Widths

ACTION_GAP = 14
#: Up to this many changed rows are painted as strips, more as one update.
STRIPS = 8
RESORT_EVERY = 1.0
ANNOUNCE_EVERY = 1.0
FLASH_ALPHA = 34

Section = tuple[int, int, int]  # logical index, x, width
#: Height of a table in the lowest panel: its titles and the beginning of a row, pixels.
LOWEST = 44


class FastTableView(QTableView):
    """Shows a :class:`FastTableModel`. Call :meth:`flush` once a frame after ``model.touch``."""

    action_clicked = Signal(str, int)  # name of the RowAction, view row

    def __init__(self, model: FastTableModel[Any], empty_text: str = "") -> None:
        super().__init__()
        self.table = model
        self.empty_text = empty_text
        self.ink = Ink()
        self._stale = False
        self._hover = -1
        self._pressed: tuple[int, str] | None = None
        self._sorted_at = 0.0
        self._announced_at = 0.0
        self.setModel(model)
        self._set_up()
        self._flash_timer = QTimer(self)
        self._flash_timer.setSingleShot(True)
        self._flash_timer.setInterval(int(FLASH_TIME * 1000) + 20)
        self._flash_timer.timeout.connect(self._end_flashes)

    def minimumSizeHint(self) -> QSize:
        """Little: in a low panel the rows scroll, and the buttons below them stay in sight."""
        hint = super().minimumSizeHint()
        return QSize(hint.width(), min(hint.height(), LOWEST))

    def _set_up(self) -> None:
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_Hover, False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(28)
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.widths = Widths(header, self.table.columns, self.ink)
        self._cell_text = CellText(self.ink, self.table.columns, self.widths)
        self._size_rows()

    def _size_rows(self) -> None:
        rows = self.verticalHeader()
        rows.setMinimumSectionSize(self.ink.row_height)
        rows.setDefaultSectionSize(self.ink.row_height)
        self.horizontalHeader().setFixedHeight(self.ink.header_height)

    @property
    def row_height(self) -> int:
        """Height of a row at the density and text scale in force, pixels."""
        return self.ink.row_height

    def set_stale(self, stale: bool) -> None:
        """Whether live columns show prices that are too old."""
        if stale != self._stale:
            self._stale = stale
            self.viewport().update()

    # -- frames -----------------------------------------------------------------------------
    def flush(self) -> None:
        """Ask for a repaint of what changed; sort again when it is time."""
        store = self.table.store
        if not store.dirty:
            return
        dirty, store.dirty = store.dirty, set()
        now = time.monotonic()
        if self._may_resort(now):
            self._sorted_at = now
            self.table.resort()  # repaints everything if it moved anything
        self.announce(now)
        self._update_rows(dirty)

    def announce(self, now: float) -> None:
        """Tell assistive tools, where there are some, that cells changed; once a second."""
        if QAccessible.isActive() and now - self._announced_at >= ANNOUNCE_EVERY:
            self._announced_at = now
            last = self.table.index(self.table.rowCount() - 1, self.table.columnCount() - 1)
            self.table.dataChanged.emit(self.table.index(0, 0), last)

    def _may_resort(self, now: float) -> bool:
        return (
            self.table.store.sort_column is not None
            and now - self._sorted_at >= RESORT_EVERY
            and self._hover < 0  # rows do not move under the pointer
        )

    def _update_rows(self, sources: set[int], *, again: bool = False) -> None:
        """Repaint rows that can be seen and have something new to show, or all with ``again``."""
        viewport = self.viewport()
        if len(sources) > 4 * STRIPS:
            viewport.update()
            return
        height = viewport.height()
        store = self.table.store
        visible = []
        for source in sources:
            top = self.rowViewportPosition(store.place[source])
            if -self.ink.row_height < top < height and (again or store.looks_new(source)):
                visible.append(top)
        if len(visible) > STRIPS:
            viewport.update()
            return
        for top in visible:
            viewport.update(0, top, viewport.width(), self.ink.row_height)

    def _end_flashes(self) -> None:
        rows, more = self.table.store.take_expired_flashes()
        shown = {source for source in rows if source < self.table.rowCount()}
        self._update_rows(shown, again=True)
        if more:
            self._flash_timer.start()

    # -- painting ---------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setFont(self.ink.font)
        area = event.region().boundingRect()
        count = self.table.rowCount()
        if not count:
            self._paint_empty(painter)
            return
        sections = self._sections(area)
        selection = self.selectionModel()
        selected = set()
        if selection.hasSelection():
            selected = {index.row() for index in selection.selectedRows()}
        current = self.currentIndex().row() if self.hasFocus() else -1
        for row in self._rows_in(event.region(), count):
            y = self.rowViewportPosition(row)
            self._paint_row(painter, row, y, sections, row in selected, row == current)
        painter.end()
        if self.table.store.flashing and not self._flash_timer.isActive():
            self._flash_timer.start()

    def _rows_in(self, region: QRegion, count: int) -> list[int]:
        """Rows that a region touches; what lies between its parts is painted already."""
        rows: set[int] = set()
        for area in region:  # type: ignore[attr-defined]  # the stub does not know it
            first, last = max(0, self.rowAt(area.top())), self.rowAt(area.bottom())
            rows.update(range(first, count if last < 0 else last + 1))
        return sorted(rows)

    def _sections(self, area: QRect) -> list[Section]:
        header = self.horizontalHeader()
        sections = []
        for index in range(self.table.columnCount()):
            if header.isSectionHidden(index):
                continue
            x, width = header.sectionViewportPosition(index), header.sectionSize(index)
            if x <= area.right() and x + width >= area.left():
                sections.append((index, x, width))
        return sections

    def _paint_empty(self, painter: QPainter) -> None:
        painter.setPen(self.ink.pen("muted"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.viewport().rect().adjusted(16, 16, -16, -16), flags, self.empty_text)

    def _paint_row(
        self,
        painter: QPainter,
        row: int,
        y: int,
        sections: list[Section],
        selected: bool,
        current: bool,
    ) -> None:
        width, tall = self.viewport().width(), self.ink.row_height
        if selected:
            painter.fillRect(0, y, width, tall, self.ink.colour("selection"))
        elif row == self._hover:
            painter.fillRect(0, y, width, tall, self.ink.colour("hover"))
        self.paint_under(painter, row, y, sections)
        store = self.table.store
        cells = store.cells(row)
        flashing = store.flashing and not look.still()
        columns = self.table.columns
        baseline = y + (tall - self.ink.metrics.height()) // 2
        for index, x, size in sections:
            column = columns[index]
            tint = store.flash(row, index) if flashing and column.flash else ""
            if tint:
                painter.fillRect(x, y, size, tall - 1, self.ink.tint(tint, FLASH_ALPHA))
            elif cells.tints[index]:
                colour = self.ink.tint(cells.tints[index], TINT_ALPHA)
                painter.fillRect(x, y, size, tall - 1, colour)
            if column.actions is not None:
                self._paint_actions(painter, row, index, x, size, baseline)
            else:
                room = self.centred_area(row, x, size) if column.centred else (x, size)
                self._cell_text.paint(
                    painter, cells, index, room, baseline, selected=selected, stale=self._stale
                )
        painter.setPen(self.ink.pen("grid"))
        painter.drawLine(0, y + tall - 1, width, y + tall - 1)
        self.paint_over(painter, row, y, sections)
        if current:
            self.paint_focus(painter, row, y)

    # -- for tables with more than cells -----------------------------------------------------
    def paint_under(self, painter: QPainter, row: int, y: int, sections: list[Section]) -> None:
        """Paint behind the cells of a view row whose top is at ``y``."""

    def paint_over(self, painter: QPainter, row: int, y: int, sections: list[Section]) -> None:
        """Paint over the cells of a view row."""

    def centred_area(self, row: int, x: int, size: int) -> tuple[int, int]:
        """Left edge and width of what is left for the text of a centred cell."""
        return x, size

    def paint_focus(self, painter: QPainter, row: int, y: int) -> None:
        """The frame that says where the keyboard is."""
        painter.setPen(self.ink.pen("focus"))
        painter.drawRect(0, y, self.viewport().width() - 1, self.row_height - 1)

    def paint_words(self, painter: QPainter, text: str, tone: str, area: QRect) -> None:
        """A short text in the middle of ``area``."""
        static, width = self.ink.text(text)
        painter.setPen(self.ink.pen(tone))
        left = area.left() + (area.width() - width) // 2
        painter.drawStaticText(
            left, area.top() + (area.height() - self.ink.metrics.height()) // 2, static
        )

    def _paint_actions(
        self, painter: QPainter, row: int, index: int, x: int, size: int, baseline: int
    ) -> None:
        for action, left, width in self._action_areas(row, index, x, size):
            painter.setPen(self.ink.pen(action.tone))
            painter.drawStaticText(left, baseline, self.ink.text(action.text)[0])
            if (row, action.name) == self._pressed:
                bottom = baseline + self.ink.metrics.height() - 1
                painter.drawLine(left, bottom, left + width, bottom)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.ink.renew()
            self._size_rows()
            self.widths.rescale()
            self.viewport().update()
        super().changeEvent(event)

    # -- mouse ------------------------------------------------------------------------------
    def _action_areas(
        self, row: int, index: int, x: int, size: int
    ) -> list[tuple[RowAction, int, int]]:
        """Links of a cell with left edge and width; links that do not fit are left out."""
        offered = self.table.columns[index].actions
        if offered is None:
            return []
        areas = []
        left = x + PADDING
        for action in offered(self.table.row_at(row)):
            width = self.ink.text(action.text)[1]
            if left + width > x + size:
                self.widths.want(index, left + width - x - PADDING)
                break
            areas.append((action, left, width))
            left += width + ACTION_GAP
        return areas

    def action_at(self, position: QPoint) -> tuple[int, str] | None:
        """View row and name of the link at a viewport position."""
        index = self.indexAt(position)
        if not index.isValid():
            return None
        x = self.columnViewportPosition(index.column())
        size = self.columnWidth(index.column())
        for action, left, width in self._action_areas(index.row(), index.column(), x, size):
            if left - ACTION_GAP // 2 <= position.x() < left + width + ACTION_GAP // 2:
                return index.row(), action.name
        return None

    def action_rect(self, row: int, name: str) -> QRect:
        """Viewport area of a link, for tests and tools; empty when it is not shown."""
        for index, column in enumerate(self.table.columns):
            if column.actions is None:
                continue
            x, size = self.columnViewportPosition(index), self.columnWidth(index)
            for action, left, width in self._action_areas(row, index, x, size):
                if action.name == name:
                    return QRect(left, self.rowViewportPosition(row), width, self.ink.row_height)
        return QRect()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = None
        if event.button() == Qt.MouseButton.LeftButton:
            hit = self.action_at(event.position().toPoint())
        self._pressed = hit
        if hit is None:
            super().mousePressEvent(event)
        else:
            self._update_view_row(hit[0])

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if pressed is None:
            super().mouseReleaseEvent(event)
            return
        self._update_view_row(pressed[0])
        # Press and release must hit the same link of the same row, with the same button.
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self.action_at(event.position().toPoint()) == pressed:
            self.action_clicked.emit(pressed[1], pressed[0])

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # A second fast click on a link must not act twice nor count as a double click on the row.
        if self.action_at(event.position().toPoint()) is None:
            super().mouseDoubleClickEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        self._set_hover(self.rowAt(position.y()))
        hand = self.action_at(position) is not None
        shape = Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor
        if self.viewport().cursor().shape() != shape:
            self.viewport().setCursor(shape)
        if self._pressed is None:
            super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(-1)
        super().leaveEvent(event)

    def _set_hover(self, row: int) -> None:
        if row == self._hover:
            return
        old, self._hover = self._hover, row
        for changed in (old, row):
            self._update_view_row(changed)

    def _update_view_row(self, row: int) -> None:
        if 0 <= row < self.table.rowCount():
            top = self.rowViewportPosition(row)
            self.viewport().update(0, top, self.viewport().width(), self.ink.row_height)

    # -- keyboard ---------------------------------------------------------------------------
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.selected_text())
            event.accept()
        else:
            super().keyPressEvent(event)

    def selected_text(self) -> str:
        """The selected rows as plain text with titles; the whole table when none is selected."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return self.table.as_text(rows or None)

    def currentChanged(
        self,
        current: QModelIndex | QPersistentModelIndex,
        previous: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().currentChanged(current, previous)
        # The focus frame spans the row; Qt would repaint one cell.
        self._update_view_row(previous.row())
        self._update_view_row(current.row())
