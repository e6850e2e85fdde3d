"""Show and copy the API key for scripts."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.secret import Secret
from openalgo_desktop.ui.widgets import copy_text, label, named, push_button


class ApiKeyDialog(QDialog):
    """The default key, hidden until asked for, with the addresses that a script needs."""

    def __init__(self, parent: QWidget, key: Secret, rest_url: str, ws_url: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("API key")
        self.setMinimumWidth(560)
        named(self, "dialog-api-key", "API key")
        self._key = key
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        note = label(
            "Scripts on this machine use this key with the openalgo client. It can place orders: "
            "treat it like a password.",
            "dialog-api-key-note",
            "muted",
        )
        note.setWordWrap(True)
        layout.addWidget(note)
        self.field = named(QLineEdit(key.reveal()), "dialog-api-key-field", "API key")
        self.field.setReadOnly(True)
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        row = QHBoxLayout()
        row.addWidget(self.field)
        self.show_button = push_button(
            "Show", "dialog-api-key-show", "Show or hide the key", self._toggle
        )
        row.addWidget(self.show_button)
        row.addWidget(push_button("Copy", "dialog-api-key-copy", "Copy the key", self._copy))
        layout.addLayout(row)
        self.copied = label("", "dialog-api-key-copied", "muted")
        for caption, name, url in (("REST", "rest", rest_url), ("WebSocket", "ws", ws_url)):
            address = label(f"{caption}   {url or 'switched off'}", f"dialog-api-key-{name}")
            layout.addWidget(address)
        layout.addWidget(self.copied)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        bottom.addWidget(push_button("Close", "dialog-api-key-close", "Close", self.accept))
        layout.addLayout(bottom)

    def _toggle(self) -> None:
        hidden = self.field.echoMode() == QLineEdit.EchoMode.Password
        self.field.setEchoMode(QLineEdit.EchoMode.Normal if hidden else QLineEdit.EchoMode.Password)
        self.show_button.setText("Hide" if hidden else "Show")

    def _copy(self) -> None:
        copy_text(self._key.reveal())
        self.copied.setText("Copied to the clipboard.")
