"""The two-sided table of a chain: calls on the left, puts on the right, the strike between.

One side of one line is the current one; it is chosen by the mouse or the arrows. What asks for an
order (a button, a bid, an ask, a key) says so by a signal, and never by a key that is held down.
"""

from __future__ import annotations

import time
from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView

from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dock_keys import Answer
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.kit.tables.fastview import Section
from openalgo_desktop.ui.rooms.options.chain_columns import ColumnPlan
from openalgo_desktop.ui.rooms.options.chain_grid import BADGE, BUTTON, EDGE, ChainGrid
from openalgo_desktop.ui.rooms.options.chain_rows import (
    STRIKE,
    Line,
    column_of,
    name_at,
)

#: More changed lines than these are painted in two turns.
AT_ONCE = 12
ITM_ALPHA, BAR_ALPHA, CURRENT_ALPHA = 14, 46, 150
CALL_OI, PUT_OI = column_of("oi", True), column_of("oi", False)
#: Cells that are clicked to trade, and what a click asks for.
PRICES = {"bid": "hit", "ask": "lift"}


class ChainTable(ChainGrid):
    """``asked`` carries what is wanted (buy, sell, hit the bid, lift the ask, basket, choose), the
    strike and whether it is the call. It names the strike and not a place: lines may have changed
    by the time that somebody listens."""

    asked = Signal(str, float, bool)
    current_side_changed = Signal()

    def __init__(self, model: FastTableModel[Line], plan: ColumnPlan) -> None:
        super().__init__(model, plan)
        self.call_side = True
        self.forward: float | None = None
        self.largest_oi = 0.0
        self._lower = False  # which half was painted in the last turn
        self._hover_call: bool | None = None
        self._pressed_strike = 0.0
        self.setSortingEnabled(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)

    def flush(self) -> None:
        """Repaint what changed and can be seen; of many lines the upper half in one turn and the
        lower half in the next, so that no paint holds the loop for long."""
        store = self.table.store
        self.announce(time.monotonic())
        first, end = self.visible_rows()
        rows = sorted(
            row for row in map(store.place.__getitem__, store.dirty) if first <= row < end
        )
        self._lower = len(rows) > AT_ONCE and not self._lower
        middle = (first + end) // 2
        later: set[int] = set()
        if len(rows) > AT_ONCE:
            later = {store.order[row] for row in rows if (row >= middle) is not self._lower}
        # What nobody sees is formatted when it is painted.
        chosen = [row for row in rows if store.order[row] not in later]
        store.dirty = later
        changed = [row for row in chosen if store.looks_new(store.order[row])]
        if changed:
            top = self.rowViewportPosition(changed[0])
            bottom = self.rowViewportPosition(changed[-1]) + self.row_height
            self.viewport().update(0, top, self.viewport().width(), bottom - top)

    # -- where things are -------------------------------------------------------------------
    @property
    def current_line(self) -> Line | None:
        """The line that the keyboard is on."""
        return self.line_at(self.currentIndex().row())

    def row_of(self, strike: float) -> int:
        """The view row of a strike, -1 when it is not listed."""
        rows = self.table.store.rows
        return next((row for row, line in enumerate(rows) if line.strike == strike), -1)

    def set_current(self, strike: float, is_call: bool, *, scroll: bool = True) -> None:
        """Make one side of a strike the current one."""
        row = self.row_of(strike)
        if row < 0:
            return
        self.call_side = is_call
        bar = self.horizontalScrollBar()
        before = bar.value(), self.verticalScrollBar().value()
        self.setCurrentIndex(self.table.index(row, STRIKE))
        bar.setValue(before[0])
        if not scroll:
            self.verticalScrollBar().setValue(before[1])
        self._update_view_row(row)
        self.current_side_changed.emit()

    def centre_on(self, strike: float) -> None:
        """Scroll so that a strike is in the middle."""
        row = self.row_of(strike)
        if row >= 0:
            half = (self.viewport().height() - self.row_height) // 2
            self.verticalScrollBar().setValue(row * self.row_height - half)

    # -- mouse ------------------------------------------------------------------------------
    def action_at(self, position: QPoint) -> tuple[int, str] | None:
        row = self.rowAt(position.y())
        line = self.line_at(row)
        if line is None:
            return None
        column = self.columnAt(position.x())
        if column == STRIKE:
            return self._button_at(row, line, position)
        where = name_at(column) if column >= 0 else None
        if where is None or where[0] not in PRICES:
            return None
        side = line.side(where[1])
        tick = side.tick
        offered = tick is not None and (tick.bid if where[0] == "bid" else tick.ask) > 0
        return (row, f"{PRICES[where[0]]} {where[1]:d}") if offered else None

    def _button_at(self, row: int, line: Line, position: QPoint) -> tuple[int, str] | None:
        for is_call in (True, False):
            if line.side(is_call).leg is None:
                continue
            for name in ("buy", "sell"):
                if self.button_rect(row, name, is_call).contains(position):
                    return row, f"{name} {is_call:d}"
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        line = self.line_at(self.rowAt(position.y()))
        if line is not None:
            self._pressed_strike = line.strike
            self.set_current(line.strike, self.is_call_at(position.x()), scroll=False)
        hit = self.action_at(position)
        super().mousePressEvent(event)
        left = event.button() == Qt.MouseButton.LeftButton
        if hit is None and line is not None and left:
            # A click beside all buttons and prices says: this one, everywhere.
            self.asked.emit("choose", line.strike, self.call_side)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = self.rowAt(event.position().toPoint().y())
        line = self.line_at(row)
        if line is None or line.strike != self._pressed_strike:
            self._pressed = None  # the lines are others now: that button is gone
        super().mouseReleaseEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hover = self.is_call_at(event.position().toPoint().x())
        if hover is not self._hover_call:
            self._hover_call = hover
            self._update_view_row(self._hover)
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_call = None
        super().leaveEvent(event)

    def on_action(self, name: str, row: int) -> None:
        """A button or a price was clicked."""
        line = self.line_at(row)
        if line is not None and line.strike == self._pressed_strike:
            word, _, side = name.partition(" ")
            self.asked.emit(word, line.strike, side == "1")

    # -- keyboard ---------------------------------------------------------------------------
    def answers(self) -> dict[str, Answer]:
        """What is done at the keys of a chain, by their ids."""
        return {
            "call": partial(self.choose_side, True),
            "put": partial(self.choose_side, False),
            "money": self.go_to_money,
            **{word: partial(self.ask, word) for word in ("buy", "sell", "basket", "choose")},
        }

    def choose_side(self, is_call: bool) -> None:
        """The call or the put of the current strike."""
        if (line := self.current_line) is not None:
            self.set_current(line.strike, is_call)

    def go_to_money(self) -> None:
        """The strike that is nearest to the forward."""
        rows = self.table.store.rows
        if self.forward is not None and rows:
            nearest = min(rows, key=lambda line: abs(line.strike - (self.forward or 0.0)))
            self.set_current(nearest.strike, self.call_side)
            self.centre_on(nearest.strike)

    def ask(self, word: str) -> None:
        """Ask for something of the current side, if there is one."""
        line = self.current_line
        if line is not None and line.side(self.call_side).leg is not None:
            self.asked.emit(word, line.strike, self.call_side)

    def keyboardSearch(self, search: str) -> None:
        """Letters are commands here, not a search."""

    def selected_text(self) -> str:
        """The contract of the current side; what Ctrl+C copies."""
        line = self.current_line
        leg = line.side(self.call_side).leg if line is not None else None
        return leg.row.symbol if leg is not None else ""

    def currentChanged(
        self,
        current: QModelIndex | QPersistentModelIndex,
        previous: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().currentChanged(current, previous)
        self.current_side_changed.emit()

    # -- painting ---------------------------------------------------------------------------
    def _half(self, is_call: bool, y: int) -> QRect:
        left = self._strike_left()
        if is_call:
            return QRect(0, y, left, self.row_height - 1)
        start = left + self.strike_width
        return QRect(start, y, self.viewport().width() - start, self.row_height - 1)

    def paint_under(self, painter: QPainter, row: int, y: int, sections: list[Section]) -> None:
        line = self.table.row_at(row)
        if self.forward is not None and line.strike != self.forward:
            tint = self.ink.tint("text", ITM_ALPHA)
            painter.fillRect(self._half(line.strike < self.forward, y), tint)
        if row == self.currentIndex().row():
            tint = self.ink.tint("selection", CURRENT_ALPHA)
            painter.fillRect(self._half(self.call_side, y), tint)
        middle = QRect(self._strike_left(), y, self.strike_width, self.row_height - 1)
        painter.fillRect(middle, self.ink.colour("raised"))
        if self.largest_oi > 0:
            for index, x, width in sections:
                if index in (CALL_OI, PUT_OI):
                    self._paint_bar(painter, line, index == CALL_OI, QRect(x, y, width, 0))

    def _paint_bar(self, painter: QPainter, line: Line, is_call: bool, cell: QRect) -> None:
        """Open interest as a bar that grows away from the strike."""
        tick = line.side(is_call).tick
        if tick is None or tick.oi <= 0:
            return
        length = int((cell.width() - 4) * min(1.0, tick.oi / self.largest_oi))
        x = cell.right() - 1 - length if is_call else cell.left() + 2
        role = "down" if is_call else "up"
        bar = QRect(x, cell.top() + 4, length, self.row_height - 9)
        painter.fillRect(bar, self.ink.tint(role, BAR_ALPHA))

    def paint_over(self, painter: QPainter, row: int, y: int, sections: list[Section]) -> None:
        line = self.table.row_at(row)
        hovered = self._hover_call if row == self._hover else None
        for is_call in (True, False):
            side = line.side(is_call)
            if side.leg is None:
                continue
            if hovered is is_call:
                self._paint_button(painter, row, "buy", is_call)
                self._paint_button(painter, row, "sell", is_call)
            elif side.held:
                chip = self.badge_rect(row, is_call)
                painter.fillRect(chip, self.ink.tint("position", BAR_ALPHA))
                self.paint_words(painter, side.badge, "position", chip)
        if line.atm:
            painter.setPen(self.ink.pen("accent"))
            painter.drawRect(self._strike_left(), y, self.strike_width - 1, self.row_height - 2)
        if self._forward_is_above(row, line):
            painter.fillRect(0, y - 1, self.viewport().width(), 2, self.ink.colour("accent"))

    def centred_area(self, row: int, x: int, size: int) -> tuple[int, int]:
        """The strike gives way to buttons and badges beside it."""
        line = self.table.row_at(row)
        call, put = (self._taken(row, line, is_call) for is_call in (True, False))
        return x + call, size - call - put

    def _taken(self, row: int, line: Line, is_call: bool) -> int:
        """What stands at one edge of the strike, pixels."""
        side = line.side(is_call)
        if side.leg is None:
            return 0
        if row == self._hover and self._hover_call is is_call:
            return EDGE + 2 * look.px(BUTTON)
        return EDGE + look.px(BADGE) if side.held else 0

    def _forward_is_above(self, row: int, line: Line) -> bool:
        """Whether the forward lies between this line and the one above it."""
        above = self.line_at(row - 1)
        if self.forward is None or above is None:
            return False
        return above.strike < self.forward <= line.strike

    def _paint_button(self, painter: QPainter, row: int, name: str, is_call: bool) -> None:
        area = self.button_rect(row, name, is_call)
        pressed = self._pressed == (row, f"{name} {is_call:d}")
        painter.fillRect(area, self.ink.colour(f"{name}-fill{'-hover' if pressed else ''}"))
        self.paint_words(painter, name[0].upper(), "on-fill", area)

    def paint_focus(self, painter: QPainter, row: int, y: int) -> None:
        painter.setPen(self.ink.pen("focus"))
        half = self._half(self.call_side, y)
        painter.drawRect(half.adjusted(0, 0, -1, -1))
