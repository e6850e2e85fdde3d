"""The password question, and the dialog that sets the app lock up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFormLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.widgets import label, named, push_button

Check = Callable[[str, str], Awaitable[None]]


def secret_field(object_name: str, title: str) -> QLineEdit:
    """A line whose text is not shown."""
    field = named(QLineEdit(), object_name, title)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    return field


class PasswordDialog(QDialog):
    """Asks for the password (and the one-time code) until ``check`` is content. One that cannot
    be left (``must``) has no way out but the right answer."""

    def __init__(
        self, parent: QWidget, bridge: Bridge, text: str, check: Check, *, must: bool = False
    ) -> None:
        super().__init__(parent)
        self._bridge, self._check, self._must = bridge, check, must
        self.setWindowTitle("Locked" if must else "Password")
        self.setMinimumWidth(look.px(380))
        named(self, "dialog-password", "Password")
        if must:
            self.setWindowFlag(Qt.WindowType.WindowCloseButtonHint, False)
            self.setWindowModality(Qt.WindowModality.ApplicationModal)
        column = QVBoxLayout(self)
        note = label(text, "dialog-password-note")
        note.setWordWrap(True)
        column.addWidget(note)
        form = QFormLayout()
        self.password = secret_field("dialog-password-field", "Password")
        self.code = named(QLineEdit(), "dialog-password-code", "One-time code")
        form.addRow("Password", self.password)
        if bridge.lock.wants_code:
            form.addRow("One-time code", self.code)
        column.addLayout(form)
        self.problem = label("", "dialog-password-problem", "error")
        self.problem.setWordWrap(True)
        column.addWidget(self.problem)
        row = QHBoxLayout()
        row.addStretch(1)
        self.ok = push_button(
            "Unlock" if must else "Continue", "dialog-password-ok", "Go on", self._go
        )
        self.ok.setDefault(True)
        self.ok.setProperty("role", "primary")
        self._column = column
        if not must:
            row.addWidget(push_button("Cancel", "dialog-password-cancel", "Cancel", self.reject))
        row.addWidget(self.ok)
        column.addLayout(row)
        self.password.setFocus()

    def add_below(self, widget: QWidget) -> None:
        """Something that works without the password."""
        self._column.addWidget(widget)

    def reject(self) -> None:
        """Escape does not open a lock."""
        if not self._must:
            super().reject()

    def _go(self) -> None:
        self.ok.setEnabled(False)
        self._bridge.spawn(self._ask(), "password")

    async def _ask(self) -> None:
        try:
            await self._check(self.password.text(), self.code.text())
        except AppError as error:
            self.problem.setText(error.message)
            self.password.selectAll()
            self.password.setFocus()
        else:
            self.password.clear()
            self.accept()
        finally:
            self.ok.setEnabled(True)


class LockSetupDialog(QDialog):
    """Set, change or remove the password; add one-time codes."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._open = True
        self.finished.connect(lambda _: setattr(self, "_open", False))
        self.setWindowTitle("App lock")
        self.setMinimumWidth(look.px(520))
        named(self, "dialog-lock", "App lock")
        column = QVBoxLayout(self)
        note = label(
            "With a password the window locks after idle time (Settings, Safety) and at every "
            "start, and going live asks for it. Orders of scripts go on while it is locked.",
            "dialog-lock-note",
            "muted",
        )
        note.setWordWrap(True)
        column.addWidget(note)
        self.form = QFormLayout()
        self.old = secret_field("dialog-lock-old", "Present password")
        self.new = secret_field("dialog-lock-new", "New password")
        self.again = secret_field("dialog-lock-again", "New password again")
        self.code = named(QLineEdit(), "dialog-lock-code", "One-time code")
        self.secret = named(QLineEdit(), "dialog-lock-secret", "Secret for the authenticator app")
        self.secret.setReadOnly(True)
        for title, field in (
            ("Present password", self.old),
            ("New password", self.new),
            ("Again", self.again),
            ("Authenticator secret", self.secret),
            ("One-time code", self.code),
        ):
            self.form.addRow(title, field)
        column.addLayout(self.form)
        self.said = label("", "dialog-lock-result")
        self.said.setWordWrap(True)
        column.addWidget(self.said)
        row = QHBoxLayout()
        self.save = push_button("Set password", "dialog-lock-save", "Set password", self._save)
        self.use_code = push_button(
            "Use one-time codes", "dialog-lock-use-code", "Use one-time codes", self._use_code
        )
        self.remove = push_button("Remove lock", "dialog-lock-remove", "Remove lock", self._remove)
        close = push_button("Close", "dialog-lock-close", "Close", self.accept)
        self.save.setProperty("role", "primary")
        row.addWidget(self.remove)
        row.addWidget(self.use_code)
        row.addStretch(1)
        row.addWidget(close)
        row.addWidget(self.save)
        column.addLayout(row)
        self._show()

    def _show(self) -> None:
        lock = self._bridge.lock
        self.form.setRowVisible(self.old, lock.enabled)
        self.form.setRowVisible(self.secret, bool(self.secret.text()))
        self.form.setRowVisible(self.code, lock.wants_code or bool(self.secret.text()))
        self.use_code.setEnabled(lock.enabled and not lock.wants_code)
        self.remove.setEnabled(lock.enabled)

    def _try(self, work: Callable[[], Awaitable[None]], done: str) -> None:
        async def run() -> None:
            try:
                await work()
            except AppError as error:
                if self._open:
                    self.said.setText(error.message)
                return
            if not self._open:
                return
            self.said.setText(done)
            for field in (self.old, self.new, self.again, self.code):
                field.clear()
            self._show()

        self._bridge.spawn(run(), "app lock")

    def _save(self) -> None:
        if self.new.text() != self.again.text():
            self.said.setText("The two new passwords differ.")
            return
        lock, texts = self._bridge.lock, (self.new.text(), self.old.text(), self.code.text())
        self._try(lambda: lock.set_password(*texts), "The password is set.")

    def _remove(self) -> None:
        lock, texts = self._bridge.lock, (self.old.text(), self.code.text())
        self._try(lambda: lock.remove(*texts), "The lock is off.")

    def _use_code(self) -> None:
        lock = self._bridge.lock
        if not self.secret.text():
            self.secret.setText(lock.new_code_secret())
            self.said.setText(
                "Type this secret into an authenticator app, then its code and the password here, "
                "and press again."
            )
            self._show()
            return
        texts = (self.secret.text(), self.code.text(), self.old.text())

        async def enable() -> None:
            await lock.enable_code(*texts)
            self.secret.clear()

        self._try(enable, "One-time codes are asked from now on.")
