"""The foot of the ticket: margin, warnings, the answer, and the send button at the very bottom."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Action
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import label, named, set_role


class TicketFoot(QWidget):
    """It stands under what scrolls: texts grow upwards, the button stays where it is."""

    def __init__(
        self, margins: QWidget, on_press: Callable[[], None], on_send: Callable[[], None]
    ) -> None:
        super().__init__()
        named(self, "ticket-foot", "Send")
        self._lasting = False  # what is said outlives a change of the order
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(4)
        column.addWidget(margins)
        self.warning = label("", "ticket-warning", "warning")
        self.result = label("", "ticket-result")
        for text in (self.warning, self.result):
            text.setWordWrap(True)
            text.hide()
            column.addWidget(text)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.send = sends(named(QPushButton(), "ticket-send", "Send order"))
        self.send.setStyleSheet(
            "min-height: 40px; padding: 3px 4px;"
        )  # the theme's sheet wins over the property
        self.send.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.send.pressed.connect(on_press)
        self.send.clicked.connect(lambda _checked: on_send())
        column.addWidget(self.send)

    def warn(self, text: str) -> None:
        """What is odd about the order; an empty text takes no room."""
        _show(self.warning, text)

    def say(self, text: str, role: str) -> None:
        """What became of the order."""
        _show(self.result, text)
        self.result.setAccessibleName(text)
        set_role(self.result, role)
        self._lasting = role == "warning"

    def outdate(self) -> None:
        """The order was changed, or is tried again: the answer to the one before must not be read
        as one to this. That an order may be on its way stays."""
        if not self._lasting:
            self.say("", "muted")

    def show_order(self, text: str, spoken: str, action: Action) -> None:
        """The button says the order."""
        self.send.setEnabled(True)
        if self.send.text() != text:
            self.send.setText(text)
            self.send.setAccessibleName(f"Send order: {spoken}")
        set_role(self.send, f"send-{action.value.lower()}")

    def show_nothing(self, text: str) -> None:
        """There is no order; the button says why."""
        self.warn("")
        self.send.setEnabled(False)
        self.send.setText(text)
        self.send.setAccessibleName(text)
        set_role(self.send, "send-none")


def _show(part: QLabel, text: str) -> None:
    if part.text() != text:
        part.setText(text)
        part.setVisible(bool(text))
