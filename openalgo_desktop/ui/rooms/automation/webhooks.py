"""Webhook strategies: what alerts of TradingView, Chartink and others may trade."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidgetItem,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.enums import CASH_EXCHANGES, Product
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.rows import (
    SymbolMap,
    WebhookKind,
    WebhookMode,
    WebhookStrategy,
)
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.fields import CountField
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.plain_table import PlainTable
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.widgets import (
    copy_text,
    label,
    name_inner_controls,
    named,
    push_button,
    set_role,
)

NAME = "dialog-webhooks"
#: What the two kinds and the sides are called.
SENDERS: Mapping[str, str] = {
    WebhookKind.STRATEGY: "TradingView, or an alert with symbol and side",
    WebhookKind.CHARTINK: "Chartink scan",
}
SIDES: Mapping[str, str] = {
    WebhookMode.LONG: "Long only",
    WebhookMode.SHORT: "Short only",
    WebhookMode.BOTH: "Long and short",
}
TIMES = (("start", "First entry"), ("end", "Last entry"), ("square_off", "Square off"))
COLUMNS = ("Symbol", "Exchange", "Quantity", "Product")
SYMBOL, EXCHANGE, QUANTITY, PRODUCT = range(4)


class SymbolTable(PlainTable):
    """The symbols that a strategy may trade, with editable quantity and product."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(
            f"{NAME}-symbols", "Symbols that alerts may trade", COLUMNS, stretch=SYMBOL
        )
        self._bridge = bridge
        self.setMinimumHeight(150)

    def least(self, column: int) -> int:
        return look.px({EXCHANGE: 80, QUANTITY: 120, PRODUCT: 100}.get(column, 0))

    def add(self, row: SymbolMap) -> None:
        """One more line."""
        place = self.rowCount()
        self.insertRow(place)
        self.setItem(place, SYMBOL, QTableWidgetItem(row.symbol))
        self.setItem(place, EXCHANGE, QTableWidgetItem(row.exchange))
        quantity = named(CountField(), f"{NAME}-quantity-{place}", f"Quantity of {row.symbol}")
        instrument = self._bridge.instrument((row.exchange, row.symbol))
        if instrument is not None:
            quantity.setSingleStep(max(1, instrument.lot_size))
        quantity.setValue(row.quantity)
        self.setCellWidget(place, QUANTITY, quantity)
        product = named(QComboBox(), f"{NAME}-product-{place}", f"Product of {row.symbol}")
        cash = row.exchange in CASH_EXCHANGES
        product.addItems([Product.MIS.value, (Product.CNC if cash else Product.NRML).value])
        product.setCurrentText(row.product.value)
        self.setCellWidget(place, PRODUCT, product)
        name_inner_controls(self)

    def remove_selected(self) -> None:
        """Take the selected line out."""
        for index in self.selectionModel().selectedRows():
            self.removeRow(index.row())

    def _text(self, row: int, column: int) -> str:
        item = self.item(row, column)
        return item.text() if item is not None else ""

    def rows(self) -> tuple[SymbolMap, ...]:
        """The lines as they stand."""
        found = []
        for row in range(self.rowCount()):
            quantity, product = self.cellWidget(row, QUANTITY), self.cellWidget(row, PRODUCT)
            assert isinstance(quantity, CountField)
            assert isinstance(product, QComboBox)
            found.append(
                SymbolMap(
                    self._text(row, SYMBOL),
                    self._text(row, EXCHANGE),
                    quantity.value(),
                    Product(product.currentText()),
                )
            )
        return tuple(found)

    def show_symbols(self, rows: tuple[SymbolMap, ...]) -> None:
        """Replace all lines."""
        self.setRowCount(0)
        for row in rows:
            self.add(row)


class WebhooksDialog(QDialog):
    """Strategies at the left, the chosen one at the right. Load with :meth:`load`."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._current = self._new()
        self.setWindowTitle("Webhook strategies")
        self.resize(look.px(1000), look.px(580))
        named(self, NAME, "Webhook strategies")
        row = QHBoxLayout(self)
        row.setSpacing(14)
        row.addLayout(self._build_list())
        row.addLayout(self._build_form(), 1)
        self._show(self._current)

    def _new(self) -> WebhookStrategy:
        return WebhookStrategy(self._bridge.safety.new_webhook_id(), "")

    # -- building ---------------------------------------------------------------------------
    def _build_list(self) -> QVBoxLayout:
        column = QVBoxLayout()
        self.list = PlainList(
            f"{NAME}-list", "Strategies", "No strategies yet. Fill in the form and save it."
        )
        self.list.setFixedWidth(look.px(210))
        self.list.itemClicked.connect(self._on_item)
        column.addWidget(self.list, 1)
        column.addWidget(push_button("New", f"{NAME}-new", "New strategy", self._start_new))
        return column

    def _build_form(self) -> QVBoxLayout:
        column = QVBoxLayout()
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        self.name = named(QLineEdit(), f"{NAME}-name", "Name")
        self.kind = self._combo("kind", "Who sends", SENDERS)
        self.kind.currentTextChanged.connect(lambda _: self._show_address())
        self.mode = self._combo("mode", "Sides", SIDES)
        form.addRow("Name", self.name)
        form.addRow("Sender", self.kind)
        form.addRow("Sides", self.mode)
        form.addRow("", self._build_flags())
        form.addRow("Hours (IST)", self._build_times())
        form.addRow("Address", self._build_address())
        column.addLayout(form)
        self.symbols = SymbolTable(self._bridge)
        self.add_symbol = SymbolSearch(self._bridge, f"{NAME}-add", "Add a symbol")
        self.add_symbol.chosen.connect(self._add_symbol)
        line = QHBoxLayout()
        line.addWidget(self.add_symbol, 1)
        remove = self.symbols.remove_selected
        line.addWidget(push_button("Remove", f"{NAME}-remove", "Remove the symbol", remove))
        column.addLayout(line)
        column.addWidget(self.symbols, 1)
        column.addLayout(self._build_bottom())
        return column

    @staticmethod
    def _combo(name: str, accessible: str, words: Mapping[str, str]) -> QComboBox:
        combo = named(QComboBox(), f"{NAME}-{name}", accessible)
        for value, text in words.items():
            combo.addItem(text, value)
        return combo

    def _build_flags(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.active = named(QCheckBox("Active"), f"{NAME}-active", "Follow alerts")
        self.intraday = named(QCheckBox("Intraday"), f"{NAME}-intraday", "Keep to the hours below")
        self.intraday.toggled.connect(self._on_intraday)
        row.addWidget(self.active)
        row.addWidget(self.intraday)
        row.addStretch(1)
        return row

    def _build_times(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.times: dict[str, QLineEdit] = {}
        for name, caption in TIMES:
            field = named(QLineEdit(), f"{NAME}-{name}", caption)
            field.setInputMask("99:99")
            field.setFixedWidth(look.px(70))
            row.addWidget(label(caption, f"{NAME}-{name}-caption", "caption"))
            row.addWidget(field)
            self.times[name] = field
        row.addStretch(1)
        return row

    def _build_address(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.address = named(QLineEdit(), f"{NAME}-address", "Address for alerts")
        self.address.setReadOnly(True)
        row.addWidget(self.address, 1)
        row.addWidget(
            push_button(
                "Copy",
                f"{NAME}-copy",
                "Copy the address",
                lambda: copy_text(self.address.text()),
            )
        )
        return row

    def _build_bottom(self) -> QHBoxLayout:
        bottom = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        bottom.addWidget(self.message, 1)
        self.delete_button = push_button(
            "Delete", f"{NAME}-delete", "Delete the strategy", self._delete
        )
        self.save_button = push_button("Save", f"{NAME}-save", "Save the strategy", self._save)
        self.save_button.setProperty("role", "primary")
        close = push_button("Close", f"{NAME}-close", "Close", self.accept)
        for button in (self.delete_button, close, self.save_button):
            button.setAutoDefault(False)
            bottom.addWidget(button)
        return bottom

    # -- content ----------------------------------------------------------------------------
    async def load(self) -> None:
        """Show the stored strategies; the one at the right stays."""
        stored = await self._bridge.safety.webhooks()
        self.list.clear()
        for strategy in stored:
            item = QListWidgetItem(strategy.name + ("" if strategy.active else "  (off)"))
            item.setData(Qt.ItemDataRole.UserRole, strategy)
            self.list.addItem(item)
            if strategy.webhook_id == self._current.webhook_id:
                self.list.setCurrentItem(item)
        known = any(row.webhook_id == self._current.webhook_id for row in stored)
        self.delete_button.setEnabled(known)
        if stored and not known and not self._current.name:
            self.list.setCurrentRow(0)
            self._show(stored[0])
            self.delete_button.setEnabled(True)

    def choose(self, webhook_id: str) -> None:
        """Show the strategy of this id; an empty one is new."""
        if not webhook_id:
            self._start_new()
            return
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item.data(Qt.ItemDataRole.UserRole).webhook_id == webhook_id:
                self.list.setCurrentItem(item)
                self._on_item(item)

    def _on_item(self, item: QListWidgetItem) -> None:
        self._show(item.data(Qt.ItemDataRole.UserRole))
        self.delete_button.setEnabled(True)

    def _start_new(self) -> None:
        self.list.setCurrentRow(-1)
        self._show(self._new())
        self.delete_button.setEnabled(False)
        self.name.setFocus()

    def _show(self, strategy: WebhookStrategy) -> None:
        self._current = strategy
        self.name.setText(strategy.name)
        self.kind.setCurrentText(SENDERS[strategy.kind])
        self.mode.setCurrentText(SIDES[strategy.mode])
        self.active.setChecked(strategy.active)
        self.intraday.setChecked(strategy.intraday)
        for name, field in self.times.items():
            field.setText(getattr(strategy, name))
        self._on_intraday(strategy.intraday)
        self.symbols.show_symbols(strategy.symbols)
        self._show_address()
        self._say("", "muted")

    def _on_intraday(self, intraday: bool) -> None:
        for field in self.times.values():
            field.setEnabled(intraday)

    def _show_address(self) -> None:
        rest = self._bridge.api.state()[0] or "(the local API is off)"
        self.address.setText(f"{rest}/{self.kind.currentData()}/webhook/{self._current.webhook_id}")
        self.address.setCursorPosition(0)

    def _add_symbol(self, key: Key) -> None:
        instrument = self._bridge.instrument(key)
        if instrument is None or any(row.symbol == key[1] for row in self.symbols.rows()):
            return
        if instrument.is_index:
            self._say("An index has no orders: add a future, an option or a share.", "error")
            return
        self.symbols.add(SymbolMap(key[1], key[0], instrument.lot_size))

    def _say(self, text: str, role: str) -> None:
        self.message.setText(text)
        set_role(self.message, role)

    # -- commands ---------------------------------------------------------------------------
    def strategy(self) -> WebhookStrategy:
        """The strategy as the fields stand."""
        return msgspec.structs.replace(
            self._current,
            name=self.name.text().strip(),
            kind=WebhookKind(self.kind.currentData()),
            mode=WebhookMode(self.mode.currentData()),
            symbols=self.symbols.rows(),
            active=self.active.isChecked(),
            intraday=self.intraday.isChecked(),
            **{name: field.text() for name, field in self.times.items()},
        )

    def _save(self) -> None:
        self._bridge.spawn(self._store(), "save webhook strategy")

    async def _store(self) -> None:
        try:
            strategy = self.strategy()
            if not strategy.symbols:
                raise ConfigError("symbols: add at least one symbol that alerts may trade.")
            await self._bridge.safety.save_webhook(strategy)
        except AppError as error:
            if not is_open(self):
                raise
            self._say(error.message, "error")
            return
        if not is_open(self):
            return
        self._current = strategy
        await self.load()
        self._say("Saved. Alerts are followed at once.", "success")

    def _delete(self) -> None:
        self._bridge.spawn(self._remove(), "delete webhook strategy")

    async def _remove(self) -> None:
        name = self._current.name
        if not await confirm(
            self,
            "Delete this strategy?",
            f"Alerts to the address of “{name}” are refused from now on.",
            "Delete",
            danger=True,
        ):
            return
        await self._bridge.safety.delete_webhook(self._current.webhook_id)
        self._show(self._new())
        await self.load()
        self._say(f"“{name}” was deleted.", "muted")
