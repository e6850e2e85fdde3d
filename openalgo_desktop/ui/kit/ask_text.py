"""Ask for one line of text; what is wrong with it is said under the field."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.widgets import label, named, push_button


class TextDialog(QDialog):
    """``take`` is called with the text; an :class:`AppError` of it keeps the dialog open."""

    def __init__(
        self, parent: QWidget, title: str, caption: str, text: str, take: Callable[[str], object]
    ) -> None:
        super().__init__(parent)
        self._take = take
        self.setWindowTitle(title)
        self.setMinimumWidth(look.px(380))
        named(self, "dialog-text", title)
        column = QVBoxLayout(self)
        column.addWidget(label(caption, "dialog-text-caption"))
        self.line = named(QLineEdit(text), "dialog-text-line", caption)
        self.line.selectAll()
        column.addWidget(self.line)
        self.error = label("", "dialog-text-error", "error")
        self.error.setWordWrap(True)
        self.error.hide()
        column.addWidget(self.error)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(push_button("Cancel", "dialog-text-cancel", "Cancel", self.reject))
        self.yes = push_button("OK", "dialog-text-ok", title, self._try)
        self.yes.setProperty("role", "primary")
        self.yes.setDefault(True)
        buttons.addWidget(self.yes)
        column.addLayout(buttons)

    def _try(self) -> None:
        try:
            self._take(self.line.text())
        except AppError as error:
            self.error.setText(error.message)
            self.error.show()
        else:
            self.accept()


async def ask_text(
    parent: QWidget, title: str, caption: str, text: str, take: Callable[[str], object]
) -> bool:
    """Whether ``take`` got a text that it accepted."""
    return await ask(TextDialog(parent, title, caption, text, take))
