"""A list of lines for dialogs: to read, or to choose one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QListWidget

from openalgo_desktop.ui.kit import theme
from openalgo_desktop.ui.kit.widgets import named

EDGE = 12


class PlainList(QListWidget):
    """``empty_text`` says what belongs here while nothing does."""

    def __init__(self, object_name: str, accessible_name: str, empty_text: str = "") -> None:
        super().__init__()
        named(self, object_name, accessible_name, empty_text)
        self._empty_text = empty_text

    @classmethod
    def to_read(cls, object_name: str, accessible_name: str, lines: Sequence[str]) -> PlainList:
        """Lines of which none can be chosen; a long one goes on below."""
        made = cls(object_name, accessible_name)
        made.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        made.setWordWrap(True)
        made.addItems(list(lines))
        return made

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._empty_text and not self.count():
            painter = QPainter(self.viewport())
            painter.setPen(theme.current().color("muted"))
            area = self.viewport().rect().adjusted(EDGE, EDGE, -EDGE, -EDGE)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
            painter.drawText(area, flags | Qt.TextFlag.TextWordWrap, self._empty_text)
            painter.end()
