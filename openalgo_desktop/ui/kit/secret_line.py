"""A secret that is shown only when asked for."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from openalgo_desktop.core.secret import Secret
from openalgo_desktop.ui.kit.widgets import copy_text, named, push_button

HIDDEN = "Hidden; Copy works all the same"


class SecretLine(QWidget):
    """A secret in a field, hidden until asked for, with a copy button."""

    def __init__(self, name: str, accessible: str) -> None:
        super().__init__()
        self._secret: Secret | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.field = named(QLineEdit(), f"{name}-field", accessible)
        self.field.setReadOnly(True)
        self.field.setPlaceholderText(HIDDEN)
        row.addWidget(self.field, 1)
        self.show_button = push_button(
            "Show", f"{name}-show", f"Show or hide: {accessible}", self._toggle
        )
        self.copy_button = push_button("Copy", f"{name}-copy", f"Copy: {accessible}", self._copy)
        row.addWidget(self.show_button)
        row.addWidget(self.copy_button)

    def set_secret(self, secret: Secret, visible: bool = False) -> None:
        """What to show."""
        self._secret = secret
        self._set_visible(visible)

    def _set_visible(self, visible: bool) -> None:
        # Hidden means not in the widget at all, so that nothing can read it there.
        text = self._secret.reveal() if visible and self._secret is not None else ""
        self.field.setText(text)
        self.field.setCursorPosition(0)
        self.show_button.setText("Hide" if text else "Show")

    def _toggle(self) -> None:
        self._set_visible(not self.field.text())

    def _copy(self) -> None:
        if self._secret is not None:
            copy_text(self._secret.reveal())
            self.copy_button.setText("Copied")
