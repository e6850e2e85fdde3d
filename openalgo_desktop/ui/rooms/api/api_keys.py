"""API keys: the default one to show and copy, and keys with names and rights of their own."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.enums import KeyRights
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.plain_table import PlainTable
from openalgo_desktop.ui.kit.secret_line import SecretLine
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

#: What a key may do, in words.
RIGHTS = {
    KeyRights.TRADE: "Read and trade",
    KeyRights.SANDBOX: "Trade the sandbox only",
    KeyRights.READ: "Read only",
}
ANY_ACCOUNT = "Any account"
COLUMNS = ("Name", "Rights", "Account", "Bound to", "Created")


def bound_text(key: ApiKey) -> str:
    """The strategy and the mode that a key is bound to; a dash for one that is free."""
    mode = key.mode.value.upper() if key.mode is not None else ""
    return ", ".join(filter(None, (key.strategy, mode))) or "\u2013"


class ApiKeysDialog(QDialog):
    """Create, name, give rights, bind to an account, revoke. Load with :meth:`load`."""

    def __init__(self, parent: QWidget, bridge: Bridge, default: Secret | None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._keys: list[ApiKey] = []
        self.setWindowTitle("API keys")
        self.setMinimumWidth(look.px(740))
        named(self, "dialog-api-keys", "API keys")
        column = QVBoxLayout(self)
        column.setSpacing(10)
        self._build_default(column, default)
        self._build_table(column)
        self._build_create(column)
        self.message = label("", "dialog-api-keys-message", "muted")
        self.message.setWordWrap(True)
        bottom = QHBoxLayout()
        bottom.addWidget(self.message, 1)
        bottom.addWidget(push_button("Close", "dialog-api-keys-close", "Close", self.accept))
        column.addLayout(bottom)

    # -- building ---------------------------------------------------------------------------
    def _build_default(self, column: QVBoxLayout, default: Secret | None) -> None:
        column.addWidget(label("Default key", "dialog-api-keys-default-title", "heading"))
        note = label(
            "Scripts on this machine use it with the openalgo client. It can place orders: treat "
            "it like a password.",
            "dialog-api-keys-note",
            "muted",
        )
        note.setWordWrap(True)
        column.addWidget(note)
        self.default = SecretLine("dialog-api-keys-default", "default API key")
        if default is not None:
            self.default.set_secret(default)
        self.default.setEnabled(default is not None)
        column.addWidget(self.default)
        rest, ws, _ = self._bridge.api.state()
        where = f"REST  {rest}      WebSocket  {ws}" if rest else "The local API is switched off."
        addresses = label(where, "dialog-api-keys-addresses", "mono")
        addresses.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(addresses)

    def _build_table(self, column: QVBoxLayout) -> None:
        column.addWidget(label("All keys", "dialog-api-keys-all-title", "heading"))
        self.table = PlainTable("dialog-api-keys-table", "API keys that work", COLUMNS, stretch=0)
        self.table.setMinimumHeight(150)
        self.table.itemSelectionChanged.connect(self._on_selection)
        column.addWidget(self.table)
        row = QHBoxLayout()
        row.addStretch(1)
        self.revoke_button = push_button(
            "Revoke", "dialog-api-keys-revoke", "Revoke the selected key", self._revoke_selected
        )
        self.revoke_button.setEnabled(False)
        row.addWidget(self.revoke_button)
        column.addLayout(row)

    def _build_create(self, column: QVBoxLayout) -> None:
        frame = named(QFrame(), "dialog-api-keys-new", "New key")
        frame.setProperty("role", "card-frame")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(12, 10, 12, 10)
        row = QHBoxLayout()
        self.name = named(QLineEdit(), "dialog-api-keys-name", "Name of the new key")
        self.name.setPlaceholderText("Name, for example: TradingView")
        self.name.setMaxLength(100)
        self.name.returnPressed.connect(self._create)
        self.rights = named(QComboBox(), "dialog-api-keys-rights", "What the new key may do")
        for right, text in RIGHTS.items():
            self.rights.addItem(text, right)
        self.account = named(QComboBox(), "dialog-api-keys-account", "Account of the new key")
        self.account.addItem(ANY_ACCOUNT, "")
        for account in self._bridge.account_ids():
            self.account.addItem(account, account)
        create = push_button("Create", "dialog-api-keys-create", "Create a key", self._create)
        create.setProperty("role", "primary")
        create.setAutoDefault(False)
        row.addWidget(self.name, 1)
        for widget in (self.rights, self.account, create):
            row.addWidget(widget)
        inside.addLayout(row)
        self.made = SecretLine("dialog-api-keys-made", "text of the new key")
        self.made.hide()
        inside.addWidget(self.made)
        column.addWidget(frame)

    # -- content ----------------------------------------------------------------------------
    async def load(self) -> None:
        """Show the keys that work."""
        self._keys = await self._bridge.api.keys()
        self.table.show_rows(
            [
                (
                    key.name,
                    RIGHTS[key.rights],
                    key.account_id or ANY_ACCOUNT,
                    bound_text(key),
                    fmt.date_time_text(key.created_at),
                )
                for key in self._keys
            ]
        )
        self._on_selection()

    def _selected(self) -> ApiKey | None:
        rows = self.table.selectionModel().selectedRows()
        return self._keys[rows[0].row()] if rows else None

    def _on_selection(self) -> None:
        self.revoke_button.setEnabled(self._selected() is not None)

    def _say(self, text: str, role: str = "muted") -> None:
        self.message.setText(text)
        set_role(self.message, role)

    # -- commands ---------------------------------------------------------------------------
    def _create(self) -> None:
        self._bridge.spawn(self._create_key(), "create API key")

    async def _create_key(self) -> None:
        try:
            key, secret = await self._bridge.api.create_key(
                self.name.text(), KeyRights(self.rights.currentData()), self.account.currentData()
            )
        except AppError as error:
            if not is_open(self):
                raise
            self._say(error.message, "error")
            return
        if not is_open(self):  # its text was never seen, so it is worth nothing
            await self._bridge.api.revoke_key(key.key_id)
            return
        self.name.clear()
        self.made.set_secret(secret, visible=True)
        self.made.show()
        self._say(f"“{key.name}” was made. Copy its text now: it is never shown again.", "warning")
        await self.load()

    def _revoke_selected(self) -> None:
        key = self._selected()
        if key is not None:
            self._bridge.spawn(self._revoke(key), "revoke API key")

    async def _revoke(self, key: ApiKey) -> None:
        if not await confirm(
            self,
            "Revoke this key?",
            f"“{key.name}” stops working at once and its open connections are closed.",
            "Revoke",
            danger=True,
        ):
            return
        await self._bridge.api.revoke_key(key.key_id)
        if not is_open(self):
            return
        self.made.hide()
        self._say(f"“{key.name}” was revoked.")
        await self.load()
