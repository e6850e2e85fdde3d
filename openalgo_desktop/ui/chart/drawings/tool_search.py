"""Finds a drawing tool by what it is called: type, Enter takes the first."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget, QWidgetAction

from openalgo_desktop.core.charting.drawings.model import Tool
from openalgo_desktop.core.charting.drawings.tools import find
from openalgo_desktop.ui.chart.drawings.icons import icon_of
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.widgets import named, plain_tip, shortcut_text

#: So many are listed.
MOST = 14
WIDTH = 280


class ToolSearch(QMenu):
    """A menu with a field on top; ``take`` is called with the tool that was chosen."""

    def __init__(
        self, name: str, parent: QWidget, fits: Callable[[Tool], bool], take: Callable[[Tool], None]
    ) -> None:
        super().__init__(parent)
        named(self, f"{name}-tool-search", "Find a drawing tool")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setToolTipsVisible(True)
        self._name, self._fits, self._take = name, fits, take
        self._found: list[Tool] = []
        self.field = named(QLineEdit(), f"{name}-tool-search-field", "Name of the tool")
        self.field.setPlaceholderText("Find a tool: trend, fib, pitchfork…")
        self.field.setMinimumWidth(look.px(WIDTH))
        self.field.textChanged.connect(self._show)
        self.field.installEventFilter(self)
        row = QWidgetAction(self)
        row.setDefaultWidget(self.field)
        self.addAction(row)
        self._row = row
        self._show("")

    def open_at(self, at: QPoint) -> None:
        """Show it, ready to type."""
        self.popup(at)
        self.field.setFocus()

    def _show(self, text: str) -> None:
        for action in self.actions():
            if action is not self._row:
                self.removeAction(action)
        self._found = [tool for tool in find(text) if self._fits(tool)][:MOST]
        for tool in self._found:
            key = f"\t{shortcut_text(tool.key)}" if tool.key else ""
            action = self.addAction(icon_of(tool), f"{tool.title}{key}")
            action.setObjectName(f"{self._name}-tool-search-{tool.tool}")
            action.setToolTip(plain_tip(tool.help or tool.title))
            action.triggered.connect(lambda _on=False, tool=tool: self._take(tool))
        if not self._found:
            none = self.addAction("No tool has this name")
            none.setObjectName(f"{self._name}-tool-search-none")
            none.setEnabled(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            watched is self.field
            and event.type() is QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
        ):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.close()
                if self._found:
                    self._take(self._found[0])
                return True
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self._found:
                rows = [one for one in self.actions() if one is not self._row]
                self.setFocus()
                self.setActiveAction(rows[0 if event.key() == Qt.Key.Key_Down else -1])
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.close()
                return True
        return super().eventFilter(watched, event)
