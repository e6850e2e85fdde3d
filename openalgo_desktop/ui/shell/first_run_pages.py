"""The pages of the first steps. Each changes settings at once: leaving early loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidgetItem,
    QProgressBar,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.enums import AccountState
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.fields import ALIGN_RIGHT, CountField, DecimalField, StillCombo
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.widgets import copy_text, label, named, push_button, set_role

NAME = "dialog-first-run"


class Workplaces(NamedTuple):
    """Workspaces to choose from: names, what each is for, which is shown, how to change it."""

    names: Sequence[str]
    about: Callable[[str], str]
    current: Callable[[], str]
    switch: Callable[[str], None]


class Page(QWidget):
    """One step. ``changed`` when it may or may not be left in another way now."""

    title = ""
    text = ""
    changed = Signal()

    def __init__(self, bridge: Bridge, step: str) -> None:
        super().__init__()
        self.bridge = bridge
        self.name = f"{NAME}-{step}"
        named(self, self.name, self.title)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(10)
        note = label(self.text, f"{self.name}-text", "muted")
        note.setWordWrap(True)
        note.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.column.addWidget(note)

    def entered(self) -> None:
        """It is shown now."""

    def problem(self) -> str:
        """Why the page cannot be left forward: what stands in a field is not its value."""
        return ""

    def form(self) -> QFormLayout:
        """A form at the end of the page."""
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(8)
        self.column.addLayout(form)
        return form

    def choice(self, form: QFormLayout, key: str, caption: str) -> QComboBox:
        """A setting with choices as a row; it is changed at once."""
        box = named(StillCombo(), f"{self.name}-{key.replace('.', '-')}", caption)
        for value in SETTINGS[key].choices:
            box.addItem(str(value).replace("-", " ").capitalize(), value)
        box.setCurrentIndex(box.findData(self.bridge.setting(key)))
        box.activated.connect(lambda _: self.bridge.set_setting(key, box.currentData()))
        form.addRow(caption, box)
        return box

    def tick(self, key: str, caption: str) -> QCheckBox:
        """A setting that is on or off."""
        box = named(QCheckBox(caption), f"{self.name}-{key.replace('.', '-')}", caption)
        box.setChecked(bool(self.bridge.setting(key)))
        box.toggled.connect(lambda on: self.bridge.set_setting(key, on))
        self.column.addWidget(box)
        return box


class LookPage(Page):
    """Language, colours, sizes, numbers."""

    title = "How it looks"
    text = "Everything here can be changed later in Settings."

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge, "look")
        form = self.form()
        language = named(StillCombo(), f"{self.name}-language", "Language")
        language.addItem("English")
        form.addRow("Language", language)
        self.theme = self.choice(form, "ui.theme", "Colours")
        if "ui.density" in SETTINGS:
            self.choice(form, "ui.density", "Density")
        self.grouping = named(StillCombo(), f"{self.name}-grouping", "Large numbers")
        for text, value in (("12,34,567  (lakh, crore)", "indian"), ("1,234,567", "western")):
            self.grouping.addItem(text, value)
        self.grouping.setCurrentIndex(self.grouping.findData(bridge.setting("ui.grouping")))
        self.grouping.activated.connect(
            lambda _: bridge.set_setting("ui.grouping", self.grouping.currentData())
        )
        form.addRow("Large numbers", self.grouping)
        self.column.addStretch(1)


class BrokerPage(Page):
    """Sandbox, or a broker."""

    title = "Where you trade"
    text = (
        "The sandbox needs no account: simulated prices and money, the same window. A broker can "
        "be added at any time (File, Accounts)."
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge, "broker")
        self.sandbox = named(
            QRadioButton("Try the sandbox now"), f"{self.name}-sandbox", "Try the sandbox now"
        )
        self.own = named(QRadioButton("Connect my broker"), f"{self.name}-own", "Connect my broker")
        self.group = QButtonGroup(self)
        for button in (self.sandbox, self.own):
            self.group.addButton(button)
            self.column.addWidget(button)
        self.sandbox.setChecked(True)
        self.filter = named(QLineEdit(), f"{self.name}-filter", "Find a broker")
        self.filter.setPlaceholderText("Find a broker")
        self.filter.setClearButtonEnabled(True)
        self.list = PlainList(f"{self.name}-list", "Brokers")
        for broker in bridge.accounts.brokers():
            item = QListWidgetItem(broker.replace("_", " ").title())
            item.setData(Qt.ItemDataRole.UserRole, broker)
            self.list.addItem(item)
        self.list.setMinimumHeight(120)
        self.needs = label("", f"{self.name}-needs", "muted")
        self.needs.setWordWrap(True)
        row = QHBoxLayout()
        self.redirect = named(QLineEdit(), f"{self.name}-redirect", "Redirect address")
        self.redirect.setReadOnly(True)
        self.redirect.setPlaceholderText("Redirect address to register with the broker")
        self.copy = push_button(
            "Copy redirect URL",
            f"{self.name}-copy",
            "Copy the redirect address",
            lambda: copy_text(self.redirect.text()),
        )
        self.copy.setAutoDefault(False)
        row.addWidget(self.redirect, 1)
        row.addWidget(self.copy)
        for widget in (self.filter, self.list, self.needs):
            self.column.addWidget(widget)
        self.column.addLayout(row)
        self.column.addStretch(0)  # what is left when the list is not shown
        self._naming = False
        self.filter.textChanged.connect(self._filter)
        self.list.currentItemChanged.connect(lambda *_: self._on_broker())
        self.group.buttonClicked.connect(lambda _: self._on_kind())
        self._on_kind()

    @property
    def broker(self) -> str:
        """Id of the chosen broker; empty for the sandbox."""
        item = self.list.currentItem()
        if self.sandbox.isChecked() or item is None:
            return ""
        return str(item.data(Qt.ItemDataRole.UserRole))

    def _on_kind(self) -> None:
        own = self.own.isChecked()
        for widget in (self.filter, self.list, self.needs, self.redirect, self.copy):
            widget.setVisible(own)
        if own and self.list.currentItem() is None:
            self.list.setCurrentRow(0)
        if own and not self._naming:
            self._naming = True
            self.bridge.spawn(self._name_brokers(), "broker titles")
        self.changed.emit()

    async def _name_brokers(self) -> None:
        """What they are called, one after the other: it imports their adapters, in a thread."""
        for row in range(self.list.count()):
            broker = str(self.list.item(row).data(Qt.ItemDataRole.UserRole))
            title = await self.bridge.accounts.title(broker)
            if not isValid(self):  # skipped meanwhile
                return
            if title:
                self.list.item(row).setText(title)

    def _filter(self, text: str) -> None:
        wanted = text.strip().lower()
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setHidden(wanted not in item.text().lower())

    def _on_broker(self) -> None:
        self.redirect.clear()
        broker = self.broker
        if broker:
            self.bridge.spawn(self._show(broker), "broker needs")
        self.changed.emit()

    async def _show(self, broker: str) -> None:
        title = await self.bridge.accounts.title(broker)
        address = await self.bridge.accounts.redirect_address(broker)
        if not isValid(self) or broker != self.broker:
            return
        item = self.list.currentItem()
        if title:
            item.setText(title)
            self.needs.setText(self.bridge.accounts.needs(broker))
        self.redirect.setText(address)


class LoginPage(Page):
    """The log-in of the broker that was chosen."""

    title = "Log in"
    text = "Keys and passwords go to the keyring of this machine, never into a file or a log."
    login_wanted = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge, "login")
        self.account = ""
        self.said = label("", f"{self.name}-said")
        self.said.setWordWrap(True)
        self.column.addWidget(self.said)
        self.log_in = push_button("Log in…", f"{self.name}-go", "Log in", self.login_wanted.emit)
        self.log_in.setAutoDefault(False)
        self.column.addWidget(self.log_in, 0, Qt.AlignmentFlag.AlignLeft)
        self.funds = label("", f"{self.name}-funds", "number")
        self.column.addWidget(self.funds)
        self.note = label("", f"{self.name}-note", "muted")
        self.note.setWordWrap(True)
        self.column.addWidget(self.note)
        self.column.addStretch(1)

    def show_account(self, account: str) -> None:
        """Which account is to be logged in; empty for the sandbox."""
        self.account = account
        self.log_in.setVisible(bool(account))
        self.funds.clear()
        self.note.clear()
        if not account:
            capital = fmt.money(float(self.bridge.setting("sandbox.starting_capital")))
            self.said.setText(f"The sandbox needs no log-in. It begins with ₹ {capital}.")
            set_role(self.said, "success")
            return
        status = self.bridge.accounts.status(account)
        done = status.state is AccountState.CONNECTED
        self.said.setText(
            f"Logged in to {status.title}." if done else f"{status.title} is not logged in yet."
        )
        set_role(self.said, "success" if done else "warning")
        if done:
            self.note.setText(
                "Its prices are used from now on. Orders stay in the sandbox until you switch to "
                "LIVE in the toolbar."
            )
            self.bridge.spawn(self._show_funds(account), "funds")

    async def _show_funds(self, account: str) -> None:
        try:
            funds = await self.bridge.accounts.funds(account)
            text = f"Available: ₹ {fmt.money(funds.available_cash)}"
        except AppError as error:
            text = f"Funds: {error.message}"
        if isValid(self):
            self.funds.setText(text)


class SymbolsPage(Page):
    """The symbol master comes while the user picks a workspace."""

    title = "Your workplace"
    text = "Panels can be moved, floated and closed; Ctrl+1 to Ctrl+9 switch workspaces."

    def __init__(self, bridge: Bridge, places: Workplaces) -> None:
        super().__init__(bridge, "symbols")
        self._places = places
        self.list = PlainList(f"{self.name}-workspaces", "Workspaces")
        for name in places.names:
            about = places.about(name)
            item = QListWidgetItem(f"{name}   {about}" if about else name)
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.list.addItem(item)
            if name == places.current():
                self.list.setCurrentItem(item)
        self.list.setVisible(bool(places.names))
        self.list.currentItemChanged.connect(self._on_chosen)
        self.column.addWidget(self.list)
        self.progress = named(QProgressBar(), f"{self.name}-progress", "Symbol master")
        self.column.addWidget(self.progress)
        self.said = label("", f"{self.name}-said", "muted")
        self.said.setWordWrap(True)
        self.column.addWidget(self.said)
        self.column.addStretch(1)
        bridge.instruments_loaded.connect(self._on_loaded)
        # The master of an account that has just been added is on its way while one is here.
        bridge.feed.aged.connect(self._show_progress)
        self._on_loaded(bridge.instrument_count)
        self._show_progress()

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self._places.switch(str(item.data(Qt.ItemDataRole.UserRole)))

    def _show_progress(self) -> None:
        """What is being downloaded, with its share where the broker tells how long it is."""
        busy = self.bridge.accounts.busy()
        if not busy:
            self._on_loaded(self.bridge.instrument_count)
            return
        share = self.bridge.accounts.downloaded()
        self.progress.setRange(0, 0 if share is None else 100)
        self.progress.setValue(0 if share is None else round(100 * share))
        self.progress.setFormat("" if share is None else "%p %")
        self.said.setText(f"{'; '.join(busy)}. Go on meanwhile.")

    def _on_loaded(self, count: int) -> None:
        self.progress.setRange(0, 1 if count else 0)  # without an end while it is on its way
        self.progress.setValue(1 if count else 0)
        self.progress.setFormat(f"{fmt.quantity(count)} symbols" if count else "")
        self.said.setText(
            "The symbol master is here."
            if count
            else "The symbol master is being fetched; go on meanwhile."
        )


class SafetyPage(Page):
    """Limits, questions, sounds, the local API."""

    title = "Safety"
    text = "0 is off. Exits always pass the limits: a rule never keeps you in a position."

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge, "safety")
        form = self.form()
        self.lots = named(CountField(), f"{self.name}-lots", "Most lots in one order")
        self.lots.setRange(0, 100_000)
        self.lots.setValue(int(bridge.setting("risk.max_lots")))
        self.first = named(CountField(), f"{self.name}-first", "Lots of a new ticket")
        self.first.setRange(1, 100)
        self.first.setValue(int(bridge.setting("ui.default_lots")))
        self.first.setAlignment(ALIGN_RIGHT)
        form.addRow("Lots of a new ticket", self.first)
        self.first.editingFinished.connect(lambda: self._set("ui.default_lots", self.first.value()))
        self.loss = named(DecimalField(0), f"{self.name}-loss", "Stop at a day's loss of, rupees")
        self.loss.setRange(0.0, 1e12)
        self.loss.setSingleStep(1000.0)
        self.loss.setValue(float(bridge.setting("risk.day_loss")))
        for field, caption in (
            (self.lots, "Most lots in one order"),
            (self.loss, "Stop at a day's loss of ₹"),
        ):
            field.setSpecialValueText("off")
            field.setAlignment(ALIGN_RIGHT)
            form.addRow(caption, field)
        self.lots.editingFinished.connect(lambda: self._set("risk.max_lots", self.lots.value()))
        self.loss.editingFinished.connect(lambda: self._set("risk.day_loss", self.loss.value()))
        self._numbers: dict[str, CountField | DecimalField] = {
            "Lots of a new ticket": self.first,
            "Most lots in one order": self.lots,
            "Stop at a day's loss of ₹": self.loss,
        }
        self.choice(form, "confirm.place", "Ask before an order")
        self.tick("sounds.on", "Sounds for fills, rejections and alerts")
        self.api = self.tick("api.enabled", "Local API for scripts and alerts (at the next start)")
        row = QHBoxLayout()
        self.key = push_button(
            "Copy API key",
            f"{self.name}-key",
            "Copy the API key",
            lambda: bridge.command_wanted.emit("copy-api-key"),
        )
        self.key.setAutoDefault(False)
        row.addWidget(self.key)
        row.addStretch(1)
        self.column.addLayout(row)
        note = label(
            "One-click trading is off at every start; F9 arms it. Orders go to the sandbox until "
            "you switch to LIVE.",
            f"{self.name}-note",
            "muted",
        )
        note.setWordWrap(True)
        self.column.addWidget(note)
        self.column.addStretch(1)

    def problem(self) -> str:
        for caption, field in self._numbers.items():
            if why := field.problem():
                return f"{caption}: {why}"
        return ""

    def _set(self, key: str, value: Any) -> None:
        if self.bridge.setting(key) != value:
            self.bridge.set_setting(key, value)
