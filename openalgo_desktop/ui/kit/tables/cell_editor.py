"""A line of text edited in the place of its cell."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit

from openalgo_desktop.ui.kit.tables.fastview import FastTableView
from openalgo_desktop.ui.kit.widgets import named

#: An editor is at least so wide, pixels.
NARROWEST = 160


class CellEditor(QLineEdit):
    """Enter and leaving keep the text (``done``), Escape does not. Tab keeps it and goes on
    (``onward``). It is gone after that, and when the table scrolls."""

    def __init__(
        self,
        view: FastTableView,
        cell: tuple[int, int],
        text: str,
        caption: str,
        done: Callable[[str], None],
        onward: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(text, view.viewport())
        named(self, f"{view.objectName()}-editor", caption)
        self._done, self._onward = done, onward
        self._open = True
        view.scrollTo(view.table.index(*cell))
        area = view.visualRect(view.table.index(*cell))
        left = max(0, min(area.left(), view.viewport().width() - NARROWEST))
        self.setGeometry(left, area.top(), max(area.width(), NARROWEST), area.height())
        self.setFrame(False)
        self.selectAll()
        self.show()
        self.setFocus()
        self._view = view
        for bar in (view.verticalScrollBar(), view.horizontalScrollBar()):
            bar.valueChanged.connect(self._keep)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self._leave()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._keep()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        if not self._open:  # Qt asks again for a widget that is hidden with the focus
            return False
        onward = self._onward if forward else None
        self._keep()
        if onward is not None:
            onward()
        return True

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:  # its own context menu
            self._keep()

    def _keep(self) -> None:
        if self._open:
            text = self.text()
            self._leave()
            self._done(text)

    def _leave(self) -> None:
        if not self._open:
            return
        self._open = False
        self._view.setFocus()
        self.hide()
        self.deleteLater()
