"""The ladder under the hand: mouse and wheel as gestures.

It sends nothing and judges nothing: a gesture that was meant becomes a signal. Meant is what was
pressed and released on the same cell of the same price, with no jump of the ladder in between.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent

from openalgo_desktop.core.model import Order
from openalgo_desktop.ui.kit.sending import trades_on_click
from openalgo_desktop.ui.rooms.market.ladder_picture import OWN, SIDES, Cell, Column, LadderPicture

#: Rows that a turn of the wheel moves.
WHEEL_ROWS = 3


class LadderView(LadderPicture):
    """``clicked`` carries side and price, ``dragged`` own orders and their new price."""

    clicked = Signal(object, float)  # Action
    dragged = Signal(list, float)  # list[Order]
    cancel_wanted = Signal(list)  # list[Order]
    menu_wanted = Signal(QPoint, object)  # place on the screen, Cell

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._press: tuple[Cell, int, Qt.MouseButton] | None = None  # cell, grid.moved, button
        trades_on_click(self)

    def set_armed(self, armed: bool) -> None:
        if armed != self.armed:
            self.give_up()
        super().set_armed(armed)

    @property
    def pointed_at(self) -> bool:
        """Whether the mouse is over it or a button is down: it must not move by itself."""
        return self._hover is not None or self._press is not None

    @property
    def dragging(self) -> bool:
        """Whether an own order is being dragged."""
        return bool(self._drag)

    # -- mouse ------------------------------------------------------------------------------
    def _own_at(self, cell: Cell) -> list[Order]:
        if cell.column not in OWN:
            return []
        return self.market.own.get((SIDES[cell.column], cell.number), [])

    def give_up(self) -> None:
        """Forget what was pressed and dragged: nothing comes of it."""
        self._press = None
        self._drag = ()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if self._press is not None:  # a second button: neither is meant
            self.give_up()
            return
        cell = self.cell_at(event.position().toPoint())
        if cell is None:
            return
        self._press = (cell, self.grid.moved, event.button())
        if event.button() == Qt.MouseButton.LeftButton and self.armed:
            self._drag = tuple(self._own_at(cell))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second press of a double click means nothing here."""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position().toPoint())
        if cell != self._hover:
            self._hover = cell
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = None
        self.update()
        super().leaveEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.give_up()
        super().focusOutEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press, drag = self._press, self._drag
        self.give_up()
        cell = self.cell_at(event.position().toPoint())
        if press is None or cell is None or press[2] != event.button():
            return
        pressed, moved, button = press
        if moved != self.grid.moved:  # the ladder jumped under the hand
            return
        if button == Qt.MouseButton.LeftButton and drag and cell.number != pressed.number:
            if cell.number > 0:
                self.dragged.emit(list(drag), self.grid.price(cell.number))
        elif cell == pressed:
            self._clicked(cell, button, event.globalPosition().toPoint())

    def _clicked(self, cell: Cell, button: Qt.MouseButton, at: QPoint) -> None:
        own = self._own_at(cell)
        if button == Qt.MouseButton.LeftButton:
            if cell.column in (Column.BID, Column.ASK) and cell.number > 0:
                self.clicked.emit(SIDES[cell.column], self.grid.price(cell.number))
        elif own and self.armed:
            self.cancel_wanted.emit(list(own))
        elif button == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(at, cell)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu comes with the release of the right button; by key it comes here."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            middle = Cell(Column.PRICE, self.grid.at(self.grid.rows // 2))
            at = self._hover or middle
            self.menu_wanted.emit(self.mapToGlobal(self.cell_rect(at).center()), at)
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120.0
        if steps:
            self.scroll_rows(round(steps * WHEEL_ROWS) or (1 if steps > 0 else -1))
        event.accept()

    # -- keys -------------------------------------------------------------------------------
    def scroll_rows(self, rows: int) -> None:
        """Show higher (positive) or lower prices."""
        self.grid.scroll(rows)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the ladder are the dock's; giving up is of the gesture here."""
        if event.key() == Qt.Key.Key_Escape and (self._press is not None or self._drag):
            self.give_up()
        else:
            super().keyPressEvent(event)
