"""Ask for one line of text; what is wrong with it is said under the field."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.widgets import label, named, push_button


class TextDialog(QDialog):
    """``take`` is called with the text; an :class:`AppError` of it keeps the dialog open. What is
    a name that ``exists`` takes a second press, on *Replace*: nothing is lost by Enter alone."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        caption: str,
        text: str,
        take: Callable[[str], object],
        exists: Callable[[str], bool] = lambda _name: False,
    ) -> None:
        super().__init__(parent)
        self._take, self._exists = take, exists
        self._warned = ""  # the name that the user was told of
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
        self.no = push_button("Cancel", "dialog-text-cancel", "Cancel", self.reject)
        buttons.addWidget(self.no)
        self.yes = push_button("OK", "dialog-text-ok", title, self._try)
        self.yes.setProperty("role", "primary")
        self.yes.setDefault(True)
        buttons.addWidget(self.yes)
        column.addLayout(buttons)
        self.line.textEdited.connect(self._edited)

    def _edited(self) -> None:
        if self._warned:
            self._warned = ""
            self._offer("OK")
            self.error.hide()

    def _offer(self, words: str) -> None:
        """What the button does; Enter does it only where nothing is lost by that."""
        self.yes.setText(words)
        (self.no if self._warned else self.yes).setDefault(True)

    def _say(self, text: str) -> None:
        self.error.setText(text)
        self.error.show()
        self.adjustSize()  # it may take two lines

    def _try(self) -> None:
        name = self.line.text().strip()
        if name != self._warned and self._exists(name):
            self._warned = name
            self._offer("Replace")
            self._say(f"There is one named {name} already. Replace it, or give another name.")
            return
        try:
            self._take(self.line.text())
        except AppError as error:
            self._say(error.message)
        else:
            self.accept()


async def ask_text(
    parent: QWidget,
    title: str,
    caption: str,
    text: str,
    take: Callable[[str], object],
    exists: Callable[[str], bool] = lambda _name: False,
) -> bool:
    """Whether ``take`` got a text that it accepted."""
    return await ask(TextDialog(parent, title, caption, text, take, exists))
