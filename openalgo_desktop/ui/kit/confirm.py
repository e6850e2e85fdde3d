"""Ask before something that cannot be taken back."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, shortcut_text

#: The dialog is this wide, and rows may widen it up to that, pixels.
NARROWEST, WIDEST = 440, 860
#: A key that was pressed for something else must not answer a question that appears under it.
READ_SECONDS = 0.5


class ConfirmDialog(QDialog):
    """A question, optional rows to review, a box to tick (``option``, on at first), and two buttons
    of which *Cancel* is the default."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str,
        yes: str,
        rows: Sequence[str] = (),
        danger: bool = False,
        option: str = "",
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(NARROWEST)
        named(self, "dialog-confirm", title)
        layout = self.body = QVBoxLayout(self)
        layout.setSpacing(12)
        question = self.question = label(text, "dialog-confirm-text")
        question.setWordWrap(True)
        question.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(question)
        self.review: PlainList | None = None
        if rows:
            review = self.review = PlainList.to_read(
                "dialog-confirm-rows", "What will be done", rows
            )
            layout.addWidget(review)
            review.ensurePolished()  # the theme's font, which is wider than Qt's own
            needed = review.sizeHintForColumn(0) + 44
            review.setWordWrap(needed > WIDEST)
            wide = min(WIDEST, needed)
            margins = layout.contentsMargins()
            # A minimum of its own keeps the dialog from growing with what is in it.
            self.setMinimumWidth(max(NARROWEST, wide + margins.left() + margins.right()))
        self.option = named(QCheckBox(option), "dialog-confirm-option", option or "Option")
        self.option.setChecked(bool(option))
        if option:
            layout.addWidget(self.option)
        else:
            self.option.setParent(self)
            self.option.hide()
        buttons = named(QDialogButtonBox(), "dialog-confirm-buttons", "Answers")
        self.yes = named(QPushButton(yes), "dialog-confirm-yes", yes)
        self.yes.setProperty("role", "danger" if danger else "primary")
        self.no = named(QPushButton("Cancel"), "dialog-confirm-no", "Cancel")
        buttons.addButton(self.yes, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.no, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.yes.setAutoDefault(False)
        self.no.setDefault(True)
        self.no.setFocus()
        self.yes.setToolTip(plain_tip(f"{yes} ({shortcut_text('Ctrl+Return')})"))
        self._since = time.monotonic()
        for part in (self, self.yes, self.no, self.option):
            part.installEventFilter(self)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._since = time.monotonic()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ctrl+Enter says yes: pressed anew, once the question could have been read. An Enter
        that is still held from before answers nothing."""
        if event.type() is not QEvent.Type.KeyPress:
            return False
        assert isinstance(event, QKeyEvent)
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return False
        if event.isAutoRepeat():
            return True
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if ctrl and time.monotonic() - self._since >= READ_SECONDS:
            self.yes.click()
        return ctrl


async def confirm(
    parent: QWidget,
    title: str,
    text: str,
    yes: str,
    rows: Sequence[str] = (),
    danger: bool = False,
) -> bool:
    """Whether the user said yes."""
    return await ask(ConfirmDialog(parent, title, text, yes, rows, danger))
