"""What to paste into TradingView, GoCharting, Chartink and others, and a try of one's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.strategies.payloads import Paste
from openalgo_desktop.core.strategies.rows import MadeStrategy
from openalgo_desktop.core.webhook_log import WebhookEvent
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.rows import Tried, WebhookStrategy
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.tables import Column
from openalgo_desktop.ui.kit.widgets import copy_text, label, named, push_button, set_role

NAME = "dialog-payloads"
HINT = (
    "The address reaches this machine only. docs/webhooks.md says how a sender outside reaches it, "
    "and what that risks."
)


def event_columns(bridge: Bridge) -> tuple[Column[WebhookEvent], ...]:
    """Alerts that came, newest first."""

    def tone(row: WebhookEvent) -> str:
        return "" if row.status < 300 else "warning" if row.status < 500 else "down"

    def became(row: WebhookEvent) -> str:
        return bridge.names.spoken(bridge.clean(row.outcome or row.message))

    return (
        Column("at", "Time", 140, lambda r: r.received_at,
               lambda r: fmt.date_time_text(r.received_at), numeric=False),
        Column("action", "Action", 96, lambda r: r.action or fmt.MISSING, numeric=False),
        Column("mode", "Mode", 76, lambda r: r.mode.upper() or fmt.MISSING, numeric=False),
        Column("result", "Result", 150, lambda r: r.result.value.replace("_", " "), numeric=False,
               tone=tone),
        Column("became", "What became of it", 320, became, numeric=False, elides=True),
        Column("said", "Said", 240, lambda r: bridge.clean(r.said), numeric=False, elides=True),
        Column("client", "From", 110, lambda r: r.client, numeric=False),
    )  # fmt: skip


class PayloadsDialog(QDialog):
    """For a made strategy or a webhook strategy; ``turn`` makes a new address (made ones)."""

    def __init__(
        self,
        parent: QWidget,
        bridge: Bridge,
        title: str,
        pastes: Sequence[Paste],
        test: Callable[[], Awaitable[Tried]],
        turn: Callable[[], Awaitable[Sequence[Paste]]] | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._test, self._turn = bridge, test, turn
        self._pastes: list[Paste] = []
        self.setWindowTitle(f"Alerts for {title}")
        self._title = title
        self.resize(look.px(820), look.px(420))
        named(self, NAME, self.windowTitle())
        row = QHBoxLayout()
        self.list = PlainList(f"{NAME}-list", "Alerts to set up", "Nothing to paste.")
        self.list.setMinimumWidth(look.px(260))
        self.list.currentRowChanged.connect(self._show)
        row.addWidget(self.list, 2)
        row.addLayout(self._build_paste(), 3)
        column = QVBoxLayout(self)
        column.addLayout(row, 1)
        hint = label(HINT, f"{NAME}-hint", "muted")
        hint.setWordWrap(True)
        column.addWidget(hint)
        column.addLayout(self._build_foot())
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        self.take(pastes)

    def _build_paste(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.addWidget(label("Webhook address", f"{NAME}-address-caption", "caption"))
        line = QHBoxLayout()
        self.address = named(QLineEdit(), f"{NAME}-address", "Webhook address")
        self.address.setReadOnly(True)
        line.addWidget(self.address, 1)
        line.addWidget(
            push_button("Copy", f"{NAME}-copy-address", "Copy the address",
                        lambda: copy_text(self.address.text()))
        )  # fmt: skip
        column.addLayout(line)
        column.addWidget(label("Message", f"{NAME}-body-caption", "caption"))
        self.body = named(QPlainTextEdit(), f"{NAME}-body", "Message of the alert")
        self.body.setReadOnly(True)
        self.body.setProperty("role", "mono")
        column.addWidget(self.body, 1)
        line = QHBoxLayout()
        self.note = label("", f"{NAME}-note", "muted")
        self.note.setWordWrap(True)
        line.addWidget(self.note, 1)
        line.addWidget(
            push_button("Copy", f"{NAME}-copy-body", "Copy the message",
                        lambda: copy_text(self.body.toPlainText())),
            0, Qt.AlignmentFlag.AlignTop,
        )  # fmt: skip
        column.addLayout(line)
        return column

    def _build_foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        row.addWidget(self.message, 1)
        self.turn = push_button("New address…", f"{NAME}-turn", "Make a new address", self._rotate)
        self.turn.setVisible(self._turn is not None)
        self.test = push_button(
            "Test in the sandbox", f"{NAME}-test", "Send an alert of its own, in the sandbox",
            self._try,
        )  # fmt: skip
        for button in (self.turn, self.test):
            row.addWidget(button)
        row.addWidget(push_button("Close", f"{NAME}-close", "Close", self.accept))
        return row

    def take(self, pastes: Sequence[Paste]) -> None:
        """Show these."""
        self._pastes = list(pastes)
        self.list.clear()
        for paste in self._pastes:
            self.list.addItem(QListWidgetItem(paste.title))
        self.list.setCurrentRow(0 if self._pastes else -1)

    def _show(self, at: int) -> None:
        paste = self._pastes[at] if 0 <= at < len(self._pastes) else Paste("", "", "")
        self.address.setText(paste.address)
        self.address.setCursorPosition(0)
        self.body.setPlainText(paste.body)
        self.note.setText(paste.note)

    def _say(self, text: str, role: str) -> None:
        self.message.setText(self._bridge.clean(text))
        set_role(self.message, role)

    # -- commands -----------------------------------------------------------------------------
    def _rotate(self) -> None:
        self._bridge.spawn(self._ask_rotate(), "new webhook address")

    async def _ask_rotate(self) -> None:
        text = "Alerts to the address of before are refused from now on. It is shown once."
        if self._turn is None or not await confirm(
            self, f"A new address for {self._title}?", text, "Make a new address", danger=True
        ):
            return
        pastes = await self._turn()
        if is_open(self):
            self.take(pastes)
            self._say("Copy the address now: it is not shown again.", "success")

    def _try(self) -> None:
        self.test.setEnabled(False)
        self._say("Sending…", "muted")
        self._bridge.spawn(self._send(), "test webhook")

    async def _send(self) -> None:
        try:
            tried = await self._test()
        except AppError as error:
            if not is_open(self):
                raise
            self._say(error.message, "error")
        else:
            if is_open(self):
                said = msgspec.json.encode(tried.answer).decode()
                text = f"{tried.status}  {said}  {tried.outcome}".strip()
                self._say(text, "success" if tried.status < 300 else "error")
        finally:
            if is_open(self):
                self.test.setEnabled(True)


def of_made(parent: QWidget, bridge: Bridge, made: MadeStrategy) -> PayloadsDialog:
    """The dialog of a made strategy."""
    door = bridge.strategies

    async def turn() -> Sequence[Paste]:
        token = await door.rotate_token(made.strategy_id)
        return door.pastes_of_made(made, token)

    return PayloadsDialog(
        parent,
        bridge,
        made.definition.name,
        door.pastes_of_made(made),
        lambda: door.try_made(made.strategy_id),
        turn,
    )


def of_hook(parent: QWidget, bridge: Bridge, strategy: WebhookStrategy) -> PayloadsDialog:
    """The dialog of a webhook strategy."""
    door = bridge.strategies
    pastes = door.pastes_of_hook(strategy)
    return PayloadsDialog(parent, bridge, strategy.name, pastes, lambda: door.try_hook(strategy))
