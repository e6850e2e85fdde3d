"""The login dialog, made from the steps that the broker declares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import AppError, BadCredentials, ConfigError
from openalgo_desktop.core.logins import with_redirect
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.logins import Field, Login
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.tab_order import order_tabs
from openalgo_desktop.ui.kit.widgets import (
    copy_text,
    label,
    named,
    plain_tip,
    push_button,
    set_role,
)

NAME = "dialog-login"


def open_url(url: str) -> None:
    """The system browser."""
    QDesktopServices.openUrl(QUrl(url))


class LoginDialog(QDialog):
    """Fields of one way to log in; also the human side (:class:`LoginHelper`) while it runs.

    Nothing that was typed is kept by the dialog; what a broker needs again goes to the secret
    store by the login itself.
    """

    def __init__(
        self,
        parent: QWidget,
        bridge: Bridge,
        account: str,
        browse: Callable[[str], None] = open_url,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._account = account
        self._browse = browse
        self._logins = {login.id: login for login in bridge.accounts.logins(account)}
        self._inputs: dict[str, QLineEdit] = {}
        self._task: asyncio.Task[Any] | None = None
        self._more: asyncio.Future[None] | None = None
        self._pasted: asyncio.Future[Mapping[str, str]] | None = None
        self._state = ""
        status = bridge.accounts.status(account)
        self.setWindowTitle(f"Log in to {status.title}")
        self.setMinimumWidth(look.px(520))
        named(self, NAME, f"Log in to {status.title}")
        column = QVBoxLayout(self)
        column.setSpacing(10)
        self.method = named(QComboBox(), f"{NAME}-method", "Way to log in")
        for login in self._logins.values():
            self.method.addItem(login.title, login.id)
        self.method.setVisible(len(self._logins) > 1)
        self.method.activated.connect(lambda _: self._show_fields())
        column.addWidget(self.method)
        self._build_redirect(column)
        self._form_place = QVBoxLayout()
        column.addLayout(self._form_place)
        self._form_widget: QWidget | None = None
        self._build_paste(column)
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        column.addWidget(self.message)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        bottom.addWidget(push_button("Cancel", f"{NAME}-cancel", "Cancel", self.reject))
        self.go = push_button("Log in", f"{NAME}-go", "Log in", self._go)
        self.go.setProperty("role", "primary")
        self.go.setDefault(True)
        bottom.addWidget(self.go)
        column.addLayout(bottom)
        self.finished.connect(lambda _: self._stop())
        self._show_fields()

    # -- building ---------------------------------------------------------------------------
    def _build_redirect(self, column: QVBoxLayout) -> None:
        self.redirect_row = named(QWidget(), f"{NAME}-redirect-row", "Redirect address")
        row = QHBoxLayout(self.redirect_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label("Redirect address", f"{NAME}-redirect-caption", "muted"))
        self.redirect = named(QLineEdit(), f"{NAME}-redirect", "Redirect address to register")
        self.redirect.setReadOnly(True)
        row.addWidget(self.redirect, 1)
        copy = push_button(
            "Copy",
            f"{NAME}-redirect-copy",
            "Copy the redirect address",
            lambda: copy_text(self.redirect.text()),
        )
        copy.setAutoDefault(False)
        row.addWidget(copy)
        column.addWidget(self.redirect_row)

    def _build_paste(self, column: QVBoxLayout) -> None:
        self.paste = named(
            QLineEdit(), f"{NAME}-paste", "Address to which the browser was sent after the login"
        )
        self.paste.setPlaceholderText("No return from the browser? Paste its address here")
        self.paste.textChanged.connect(self._on_paste)
        self.paste.hide()
        column.addWidget(self.paste)

    @property
    def login(self) -> Login:
        """The chosen way."""
        return self._logins[str(self.method.currentData())]

    def _show_fields(self) -> None:
        if self._form_widget is not None:
            self._form_place.removeWidget(self._form_widget)
            self._form_widget.deleteLater()
        self._form_widget = named(QWidget(), f"{NAME}-form", "Login fields")
        form = QFormLayout(self._form_widget)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(14)
        self._inputs = {}
        for field in self.login.fields:
            form.addRow(field.label + (" (optional)" if field.optional else ""), self._input(field))
        self._form_place.addWidget(self._form_widget)
        order_tabs(self)
        self.redirect_row.setVisible(self.login.needs_browser)
        if self.login.needs_browser:
            self._bridge.spawn(self._show_redirect(), "redirect address")
        self._say("", "muted")

    def _input(self, field: Field) -> QLineEdit:
        line = named(QLineEdit(), f"{NAME}-field-{field.name}", field.label, field.help)
        if field.secret:
            line.setEchoMode(QLineEdit.EchoMode.Password)
        if field.digits:
            line.setMaxLength(field.digits)
            line.setInputMethodHints(Qt.InputMethodHint.ImhDigitsOnly)
        if field.stored:
            line.setPlaceholderText("kept in the keyring; leave empty if entered before")
        line.setToolTip(plain_tip(field.help))
        self._inputs[field.name] = line
        return line

    async def _show_redirect(self) -> None:
        broker = self._bridge.accounts.status(self._account).broker
        self.redirect.setText(await self._bridge.accounts.redirect_address(broker))
        self.redirect.setCursorPosition(0)

    def _say(self, text: str, role: str) -> None:
        self.message.setText(text)
        set_role(self.message, role)

    # -- running ----------------------------------------------------------------------------
    def _go(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)  # a later step waited for these fields
        elif self._task is None or self._task.done():
            self._task = self._bridge.spawn(self._run(), "login")

    async def _run(self) -> None:
        self._say("Logging in…", "muted")
        self.method.setEnabled(False)
        try:
            status = await self._bridge.accounts.login(
                self._account, self._values(self.login.fields), self, self.login.id
            )
        except BadCredentials as error:
            self._say(error.message, "error")
            self._focus(getattr(error, "field", ""))
        except AppError as error:
            self._say(error.message, "error")
        else:
            until = f" until {status.valid_until:%d %b %H:%M}" if status.valid_until else ""
            self._bridge.notice.emit("info", f"Logged in to {status.title}{until}.")
            self._task = None
            self.accept()
        finally:
            self.method.setEnabled(True)
            self.paste.hide()

    def _values(self, fields: Sequence[Field]) -> dict[str, str]:
        return {
            field.name: text
            for field in fields
            if field.name in self._inputs and (text := self._inputs[field.name].text().strip())
        }

    def _focus(self, name: str) -> None:
        if name in self._inputs:
            self._inputs[name].setFocus()
            self._inputs[name].selectAll()

    def _stop(self) -> None:
        """The dialog is closed: what still runs for it ends."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
        for line in self._inputs.values():
            line.clear()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._stop()
        super().closeEvent(event)

    # -- LoginHelper ------------------------------------------------------------------------
    async def ask(self, fields: Sequence[Field]) -> Mapping[str, str]:
        """Values of these fields; waits for the button when one that is needed is empty."""
        known = self._values(fields)
        missing = [f for f in fields if not f.optional and not f.stored and f.name not in known]
        if not missing:
            return known
        self._say(f"Now needed: {', '.join(field.label for field in missing)}", "warning")
        self._focus(missing[0].name)
        self._more = asyncio.get_running_loop().create_future()
        await self._more
        self._say("Logging in…", "muted")
        return self._values(fields)

    async def browse(self, url: str, broker: str, state: str) -> Mapping[str, str]:
        """Open the broker's page and wait for its return or for a pasted address."""
        self._state = state
        self._pasted = asyncio.get_running_loop().create_future()
        self.paste.clear()
        self.paste.show()
        self._say("Log in on the page that opened in your browser.", "muted")
        address = await self._bridge.accounts.redirect_address(broker)
        self._browse(with_redirect(url, address))
        return await self._bridge.accounts.callback(broker, state, self._pasted)

    def _on_paste(self, text: str) -> None:
        params = dict(parse_qsl(urlsplit(text.strip()).query))
        if not params or self._pasted is None or self._pasted.done():
            return
        if self._state and params.get("state") != self._state:
            self._pasted.set_exception(
                ConfigError("This address belongs to another login. Start again.")
            )
        else:
            self._pasted.set_result(params)
