"""The question at a line that was moved while clicks do not send: Apply, or leave it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import label, push_button


class ApplyBubble(QFrame):
    """Small, at the line, no dialog."""

    applied = Signal()
    dropped = Signal()

    def __init__(self, parent: QWidget, name: str) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}-apply-bubble")
        self.setProperty("role", "palette")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 4, 3)
        row.setSpacing(6)
        self.text = label("", f"{name}-apply-text", "number")
        self.yes = sends(
            push_button("Apply", f"{name}-apply", "Apply the new price", self.applied.emit)
        )
        self.yes.setProperty("role", "primary")
        self.no = push_button("✕", f"{name}-apply-drop", "Leave the line where it was", self._drop)
        row.addWidget(self.text)
        row.addWidget(self.yes)
        row.addWidget(self.no)
        self.hide()

    def _drop(self) -> None:
        self.hide()
        self.dropped.emit()

    def add(self, words: str) -> None:
        """Say something more beside the price; empty takes it away."""
        base = self.text.text().partition("   ")[0]
        self.text.setText(f"{base}   {words}" if words else base)
        right = self.geometry().right() + 1
        self.adjustSize()
        self.move(max(0, right - self.width()), self.y())

    def ask(self, text: str, right: int, y: int) -> None:
        """Appear with its right edge at ``right``, just over the line at ``y``."""
        self.text.setText(text)
        self.adjustSize()
        parent = self.parentWidget()
        assert parent is not None
        top = y - self.height() - 4
        if top < 0:
            top = min(y + 4, parent.height() - self.height())
        self.move(max(0, right - self.width()), top)
        self.show()
        self.raise_()
