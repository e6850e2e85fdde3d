"""Broker accounts: log in and out, choose which gives data and which takes orders."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import ask, is_open
from openalgo_desktop.ui.kit.plain_table import PlainTable
from openalgo_desktop.ui.kit.widgets import (
    label,
    make_searchable,
    named,
    push_button,
    set_role,
    slug,
)
from openalgo_desktop.ui.rooms.accounts.account_menu import log_out, take_orders
from openalgo_desktop.ui.rooms.accounts.login import LoginDialog

NAME = "dialog-accounts"
COLUMNS = ("Account", "Client", "State", "Session until", "Role", "Message")
#: Room for the longest title of a broker.
_TITLE_LETTERS = 26
FIGURES_MS = 1000


class AccountsDialog(QDialog):
    """One line per open account; the buttons act on the selected one."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._names: list[str] = []
        self._titled: set[str] = set()  # brokers whose adapter was imported
        self._naming: asyncio.Task[None] | None = None
        self.setWindowTitle("Accounts")
        self.resize(look.px(860), look.px(380))
        named(self, NAME, "Broker accounts")
        column = QVBoxLayout(self)
        column.setSpacing(10)
        self.table = PlainTable(f"{NAME}-table", "Open accounts", COLUMNS)
        self.table.itemSelectionChanged.connect(self._on_selection)
        column.addWidget(self.table, 1)
        self.figures = label("", f"{NAME}-figures", "muted")
        self.figures.setWordWrap(True)
        column.addWidget(self.figures)
        column.addLayout(self._build_buttons())
        self.needs = label("", f"{NAME}-needs", "muted")
        self.needs.setWordWrap(True)
        column.addWidget(self.needs)
        column.addLayout(self._build_bottom())
        self._show_needs()
        bridge.account_changed.connect(self.reload)
        self.reload()
        self.table.selectRow(0)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._show_figures)
        self._timer.start(FIGURES_MS)
        self.finished.connect(lambda _: self._timer.stop())

    def _build_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.buttons: dict[str, QPushButton] = {}
        for text, work in (
            ("Log in", self._log_in),
            ("Log out", self._log_out),
            ("Use for data", self._use_for_data),
            ("Use for orders", self._use_for_orders),
            ("Confirm sizes", self._confirm_sizes),
            ("Remove", self._remove),
        ):
            button = push_button(text, f"{NAME}-{slug(text)}", text, self._starter(work))
            button.setAutoDefault(False)
            self.buttons[text] = button
            row.addWidget(button)
        row.addStretch(1)
        self.broker = named(QComboBox(), f"{NAME}-broker", "Broker to add")
        for broker in self._bridge.accounts.brokers():
            self.broker.addItem(broker, broker)
        make_searchable(self.broker)
        self.broker.setMinimumContentsLength(_TITLE_LETTERS)
        self.broker.currentIndexChanged.connect(lambda _: self._show_needs())
        row.addWidget(self.broker)
        add = push_button("Add account", f"{NAME}-add", "Add an account", self._starter(self._add))
        add.setProperty("role", "primary")
        add.setAutoDefault(False)
        row.addWidget(add)
        return row

    def _build_bottom(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        row.addWidget(self.message, 1)
        row.addWidget(push_button("Close", f"{NAME}-close", "Close", self.accept))
        return row

    # -- content ----------------------------------------------------------------------------
    def reload(self, *_: object) -> None:
        """Show the accounts as they are now; the selection stays."""
        keep = self.selected()
        door = self._bridge.accounts
        self._names = door.names()
        rows = []
        for name in self._names:
            status = door.status(name)
            data, orders = door.roles(name)
            role = " + ".join(
                text for text, has in (("data", data), ("live orders", orders)) if has
            )
            until = fmt.date_time_text(status.valid_until) if status.valid_until else fmt.MISSING
            hosts = f"  host changed: {', '.join(status.hosts)}" if status.hosts else ""
            rows.append(
                (
                    status.title or name,
                    status.client_id or fmt.MISSING,
                    status.state.value,
                    until if door.has_login(name) else "no login needed",
                    role or fmt.MISSING,
                    status.message + hosts,
                )
            )
        self.table.show_rows(rows)
        if keep in self._names:
            self.table.selectRow(self._names.index(keep))
        self._on_selection()

    def selected(self) -> str:
        """Name of the selected account; empty when there is none."""
        rows = self.table.selectionModel().selectedRows()
        return self._names[rows[0].row()] if rows and rows[0].row() < len(self._names) else ""

    def _on_selection(self) -> None:
        name = self.selected()
        known = name in self._bridge.accounts.names()
        data, orders = self._bridge.accounts.roles(name) if known else (False, False)
        login = known and self._bridge.accounts.has_login(name)
        # Of most brokers it is known what they count: the button is there where it is not.
        waits = known and self._bridge.accounts.open_sizes(name)
        self.buttons["Confirm sizes"].setVisible(waits)
        for text, enabled in (
            ("Log in", login),
            ("Log out", login),
            ("Use for data", known and not data),
            ("Use for orders", known and not orders),
            ("Remove", known and not data and not orders),
        ):
            self.buttons[text].setEnabled(enabled)
        self._show_figures()

    def _show_figures(self) -> None:
        name = self.selected()
        known = name in self._bridge.accounts.names()
        text = self._bridge.accounts.figures(name) if known else ""
        self.figures.setText(text)
        self.figures.setVisible(bool(text))

    def _show_needs(self) -> None:
        broker = self.broker.currentData()
        known = broker in self._titled
        self.needs.setText(self._bridge.accounts.needs(str(broker)) if known else "")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._naming is None:
            self._naming = self._bridge.spawn(self._name_brokers(), "broker-titles")
            self.finished.connect(self._naming.cancel)

    async def _name_brokers(self) -> None:
        """Titles in place of ids, adapter by adapter; one that does not load is taken out."""
        for broker in self._bridge.accounts.brokers():
            title = await self._bridge.accounts.title(broker)
            place = self.broker.findData(broker)
            if title:
                self._titled.add(broker)
                self.broker.setItemText(place, title)
                if place == self.broker.currentIndex() and (line := self.broker.lineEdit()):
                    line.setCursorPosition(0)  # a long name is read from its beginning
            else:
                self.broker.removeItem(place)
            self._show_needs()

    def _say(self, text: str, role: str = "muted") -> None:
        self.message.setText(text)
        set_role(self.message, role)

    # -- commands ---------------------------------------------------------------------------
    def _starter(self, work: Callable[[], Awaitable[None]]) -> Callable[[], object]:
        async def run() -> None:
            try:
                await work()
            except AppError as error:
                if not is_open(self):
                    raise
                self._say(error.message, "error")
            if is_open(self):
                self.reload()

        return lambda: self._bridge.spawn(run(), "accounts")

    async def _log_in(self) -> None:
        await ask(LoginDialog(self, self._bridge, self.selected()))

    async def _log_out(self) -> None:
        await log_out(self, self._bridge, self.selected())

    async def _use_for_data(self) -> None:
        await self._bridge.accounts.use_for_data(self.selected())

    async def _use_for_orders(self) -> None:
        await take_orders(self, self._bridge, self.selected())

    async def _remove(self) -> None:
        name = self.selected()
        if await confirm(
            self,
            "Remove this account?",
            f"{name} is logged out and its stored keys are deleted.",
            "Remove",
            danger=True,
        ):
            await self._bridge.accounts.remove(name)

    async def _confirm_sizes(self) -> None:
        text = await self._bridge.accounts.confirm_sizes(self.selected())
        if is_open(self):
            self._say(text)

    async def _add(self) -> None:
        name = await self._bridge.accounts.add(str(self.broker.currentData()))
        if not is_open(self):
            return
        self.reload()
        self.table.selectRow(self._names.index(name))
        await self._log_in()
