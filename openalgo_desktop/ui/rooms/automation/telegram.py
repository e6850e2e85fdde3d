"""The Telegram bot: token, switch, linked chats. Settings has what it tells and when."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.telegram import BotState, LinkCode, LinkedChat
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.plain_table import PlainTable
from openalgo_desktop.ui.kit.secret_line import SecretLine
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

NAME = "dialog-telegram"
COLUMNS = ("Chat", "User", "Kind", "Linked", "Last command")
#: The time that is left of a code is shown anew this often, milliseconds.
LOOK_MS = 500
_WORDS = {
    BotState.OFF: ("The bot is off.", "muted"),
    BotState.STARTING: ("The bot starts…", "warning"),
    BotState.RUNNING: ("The bot runs.", "success"),
    BotState.WAITING: ("The bot has no connection just now; it tries again.", "warning"),
    BotState.REFUSED: ("Telegram refuses the token.", "error"),
}
NO_CHAT = "Switch the bot on, press Link a chat and send the code to the bot."


def _moment(at: datetime | None) -> str:
    return fmt.MISSING if at is None else fmt.date_time_text(at)


class TelegramDialog(QDialog):
    """Load with :meth:`load`."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._chats: list[LinkedChat] = []
        self._code: LinkCode | None = None
        self.setWindowTitle("Telegram")
        self.setMinimumWidth(look.px(640))
        named(self, NAME, "Telegram")
        column = QVBoxLayout(self)
        column.setSpacing(10)
        self.state = label("", f"{NAME}-state", "heading")
        self.state.setWordWrap(True)
        column.addWidget(self.state)
        column.addLayout(self._build_token())
        column.addLayout(self._build_link())
        self.code = label("", f"{NAME}-code")
        self.code.setWordWrap(True)
        column.addWidget(self.code)
        self.table = PlainTable(f"{NAME}-chats", "Linked chats", COLUMNS, stretch=0)
        self.table.setMinimumHeight(look.px(120))
        self.table.itemSelectionChanged.connect(self._on_selection)
        column.addWidget(self.table, 1)
        self.secret = SecretLine(f"{NAME}-secret", "secret for the authenticator app")
        self.secret.hide()
        column.addWidget(self.secret)
        column.addLayout(self._build_bottom())
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._show_code)
        bridge.telegram.changed.connect(self._show)
        self.finished.connect(lambda _: self._let_go())

    def _let_go(self) -> None:
        self._timer.stop()
        self._bridge.telegram.changed.disconnect(self._show)

    # -- building -----------------------------------------------------------------------------
    def _build_token(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.token = named(QLineEdit(), f"{NAME}-token", "Token of the bot")
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setPlaceholderText("Token of your bot, from @BotFather")
        self.token.returnPressed.connect(self._keep)
        row.addWidget(self.token, 1)
        self.keep = push_button("Keep", f"{NAME}-keep", "Keep the token in the vault", self._keep)
        self.forget = push_button("Forget", f"{NAME}-forget", "Forget the token", self._forget)
        self.on = push_button("Switch on", f"{NAME}-on", "Switch the bot on or off", self._switch)
        for button in (self.keep, self.forget, self.on):
            row.addWidget(button)
        return row

    def _build_link(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.link = push_button("Link a chat", f"{NAME}-link", "Link a chat by a code", self._link)
        self.test = push_button("Test message", f"{NAME}-test", "Send a test message", self._test)
        self.app = push_button(
            "Authenticator…", f"{NAME}-app", "The chat's secret for an authenticator app",
            self._show_secret,
        )  # fmt: skip
        self.unlink = push_button("Unlink…", f"{NAME}-unlink", "Unlink the chat", self._unlink)
        for button in (self.link, self.test):
            row.addWidget(button)
        row.addStretch(1)
        for button in (self.app, self.unlink):
            row.addWidget(button)
        return row

    def _build_bottom(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        row.addWidget(self.message, 1)
        row.addWidget(push_button("Close", f"{NAME}-close", "Close", self.accept))
        return row

    # -- content ------------------------------------------------------------------------------
    async def load(self) -> None:
        """Show state and chats."""
        await self._bridge.telegram.load()
        self._show()

    def _show(self) -> None:
        status = self._bridge.telegram.status()
        words, role = _WORDS[status.state]
        name = f"  @{status.bot}" if status.bot else ""
        self.state.setText(f"{words}{name}")
        set_role(self.state, role if role != "muted" else "heading")
        self.token.setPlaceholderText(
            "A token is kept in the vault"
            if status.has_token
            else "Token of your bot, from @BotFather"
        )
        self.forget.setEnabled(status.has_token)
        self.on.setEnabled(status.has_token)
        self.on.setText("Switch off" if status.is_active else "Switch on")
        self.link.setEnabled(status.state is BotState.RUNNING)
        if status.text:
            self._say(status.text, "warning" if status.is_active else "muted")
        self._show_chats()

    def _show_chats(self) -> None:
        chosen = self._chosen()
        self._chats = self._bridge.telegram.chats()
        self.table.setRowCount(len(self._chats))
        for row, chat in enumerate(self._chats):
            texts = (
                chat.name,
                f"@{chat.username}" if chat.username else fmt.MISSING,
                "private" if chat.private else "group",
                _moment(chat.linked_at),
                _moment(chat.last_command_at),
            )
            for place, text in enumerate(texts):
                self.table.setItem(row, place, QTableWidgetItem(text))
            if chosen is not None and chat.chat_id == chosen.chat_id:
                self.table.selectRow(row)
        if not self._chats and not self.code.text():
            self.code.setText(NO_CHAT)
        self.test.setEnabled(bool(self._chats) and self._bridge.telegram.status().is_active)
        self._on_selection()

    def _chosen(self) -> LinkedChat | None:
        rows = self.table.selectionModel().selectedRows()
        return self._chats[rows[0].row()] if rows and rows[0].row() < len(self._chats) else None

    def _on_selection(self) -> None:
        there = self._chosen() is not None
        self.app.setEnabled(there)
        self.unlink.setEnabled(there)
        self.secret.hide()

    def _show_code(self) -> None:
        code = self._code
        if code is None:
            return
        left = (code.expires_at - self._bridge.now()).total_seconds()
        if left <= 0:
            self._code = None
            self._timer.stop()
            self.code.setText("The code is not valid any more. Press Link a chat for another one.")
            return
        bot = f"@{code.bot}" if code.bot else "the bot"
        self.code.setText(f"Send  /link {code.code}  to {bot} within {int(left) + 1} seconds.")

    def _say(self, text: str, role: str) -> None:
        self.message.setText(self._bridge.clean(text))
        set_role(self.message, role)

    # -- commands -----------------------------------------------------------------------------
    def _do(self, work: Awaitable[object], said: str, name: str) -> None:
        async def done() -> None:
            try:
                await work
            except AppError as error:
                if not is_open(self):
                    raise
                self._say(error.message, "error")
            else:
                if is_open(self):
                    self._show()
                    if said:
                        self._say(said, "success")

        self._bridge.spawn(done(), name)

    def _keep(self) -> None:
        text = self.token.text().strip()
        if not text:
            self._say("Paste the token that @BotFather gave you.", "error")
            return
        self.token.clear()
        work = self._bridge.telegram.set_token(Secret(text))
        self._do(work, "The token is in the vault.", "keep the bot's token")

    def _forget(self) -> None:
        said = "The token is forgotten and the bot is off. Revoke it at @BotFather, too."
        self._do(self._bridge.telegram.forget_token(), said, "forget the bot's token")

    def _switch(self) -> None:
        on = not self._bridge.telegram.status().is_active
        self._do(self._bridge.telegram.switch(on), "", "switch the bot")

    def _link(self) -> None:
        try:
            self._code = self._bridge.telegram.new_code()
        except AppError as error:
            self._say(error.message, "error")
            return
        self._timer.start()
        self._show_code()

    def _test(self) -> None:
        self._do(self._bridge.telegram.test(), "The test message was sent.", "test message")

    def _show_secret(self) -> None:
        chat = self._chosen()
        if chat is not None:
            self._bridge.spawn(self._authenticator(chat), "the chat's secret")

    async def _authenticator(self, chat: LinkedChat) -> None:
        address = await self._bridge.telegram.authenticator(chat.chat_id)
        if not is_open(self):
            return
        secret = parse_qs(urlsplit(address.reveal()).query).get("secret", [""])[0]
        self.secret.set_secret(Secret(secret))
        self.secret.show()
        self._say(
            f"Type the secret of {chat.name} into an authenticator app; its codes allow what "
            "changes money.",
            "muted",
        )

    def _unlink(self) -> None:
        chat = self._chosen()
        if chat is not None:
            self._bridge.spawn(self._ask_unlink(chat), "unlink a chat")

    async def _ask_unlink(self, chat: LinkedChat) -> None:
        text = "It is told nothing more, and its commands are refused."
        if await confirm(self, f"Unlink {chat.name}?", text, "Unlink", danger=True):
            await self._bridge.telegram.unlink(chat.chat_id)
            if is_open(self):
                self._show()
