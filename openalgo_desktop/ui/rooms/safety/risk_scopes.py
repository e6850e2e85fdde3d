"""Risk limits of single accounts, symbols and strategies, on top of those in the settings."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.rows import Limits
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.fields import DecimalField
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

NAME = "dialog-risk"
KINDS = ("symbol", "strategy", "account")
#: Field of :class:`Limits`, caption, decimals, suffix.
FIELDS: tuple[tuple[str, str, int, str], ...] = (
    ("max_quantity", "Most units in an order", 0, ""),
    ("max_lots", "Most lots in an order", 0, ""),
    ("max_value", "Highest value of an order ₹", 2, ""),
    ("orders_per_minute", "Orders per minute", 0, ""),
    ("open_positions", "Open positions", 0, ""),
    ("price_band", "Price away from the last, at most", 2, " %"),
    ("day_loss", "Stop at a day's loss of ₹", 2, ""),
    ("day_profit", "Stop at a day's profit of ₹", 2, ""),
)
MOST = 1e12


class RiskScopesDialog(QDialog):
    """Scopes at the left, the limits of the chosen one at the right; 0 is off."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.setWindowTitle("Risk limits")
        self.resize(look.px(760), look.px(440))
        named(self, NAME, "Risk limits by scope")
        row = QHBoxLayout(self)
        row.setSpacing(14)
        left = QVBoxLayout()
        self.list = PlainList(f"{NAME}-list", "Scopes with limits", "No limits of their own yet.")
        self.list.setFixedWidth(look.px(250))
        self.list.itemClicked.connect(lambda item: self._show(item.text()))
        left.addWidget(self.list, 1)
        row.addLayout(left)
        row.addLayout(self._build_form(), 1)
        self.reload()

    def _build_form(self) -> QVBoxLayout:
        column = QVBoxLayout()
        note = label(
            "An order must keep these limits and those of Settings, Risk. Orders that only reduce "
            "a position pass day limits and position counts.",
            f"{NAME}-note",
            "muted",
        )
        note.setWordWrap(True)
        column.addWidget(note)
        head = QHBoxLayout()
        self.kind = named(QComboBox(), f"{NAME}-kind", "Kind of scope")
        for kind in KINDS:
            self.kind.addItem(kind.capitalize(), kind)
        self.kind.currentIndexChanged.connect(lambda _: self._on_kind())
        self.subject = named(QLineEdit(), f"{NAME}-subject", "Which one")
        self.search = SymbolSearch(self._bridge, f"{NAME}-search", "Find the symbol")
        self.search.chosen.connect(self._on_symbol)
        head.addWidget(self.kind)
        head.addWidget(self.subject, 1)
        head.addWidget(self.search, 1)
        column.addLayout(head)
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        self.fields: dict[str, DecimalField] = {}
        for name, caption, places, suffix in FIELDS:
            field = named(DecimalField(places), f"{NAME}-{name}", caption)
            field.setRange(0.0, MOST)
            field.setSuffix(suffix)
            field.setSpecialValueText("off")
            form.addRow(caption, field)
            self.fields[name] = field
        column.addLayout(form)
        column.addStretch(1)
        bottom = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        bottom.addWidget(self.message, 1)
        self.remove_button = push_button("Remove", f"{NAME}-remove", "Remove limits", self._remove)
        self.save_button = push_button("Save", f"{NAME}-save", "Save limits", self._save)
        self.save_button.setProperty("role", "primary")
        close = push_button("Close", f"{NAME}-close", "Close", self.accept)
        for button in (self.remove_button, close, self.save_button):
            button.setAutoDefault(False)
            bottom.addWidget(button)
        column.addLayout(bottom)
        self._on_kind()
        return column

    # -- content ----------------------------------------------------------------------------
    def reload(self) -> None:
        """Show the scopes that have limits."""
        self.list.clear()
        self.list.addItems(sorted(self._bridge.safety.risk_scopes()))
        self.remove_button.setEnabled(self.scope() in self._bridge.safety.risk_scopes())

    def _on_kind(self) -> None:
        kind = self.kind.currentData()
        self.search.setVisible(kind == "symbol")
        hints = {
            "symbol": "NSE:SBIN",
            "strategy": "name of the strategy",
            "account": self._bridge.accounts.orders_status().account_id,
        }
        self.subject.setPlaceholderText(hints[kind])

    def _on_symbol(self, key: Key) -> None:
        self.subject.setText(f"{key[0]}:{key[1]}")

    def scope(self) -> str:
        """The scope as the fields stand."""
        return f"{self.kind.currentData()}:{self.subject.text().strip()}"

    def _show(self, scope: str) -> None:
        kind, _, subject = scope.partition(":")
        self.kind.setCurrentIndex(max(0, self.kind.findData(kind)))
        self.subject.setText(subject)
        limits = self._bridge.safety.risk_scopes().get(scope, Limits())
        for name, field in self.fields.items():
            field.setValue(float(getattr(limits, name)))
        self.remove_button.setEnabled(True)
        self._say("", "muted")

    def _say(self, text: str, role: str) -> None:
        self.message.setText(text)
        set_role(self.message, role)

    # -- commands ---------------------------------------------------------------------------
    def _save(self) -> None:
        if not self.subject.text().strip():
            self._say("Say which one the limits are for.", "error")
            return
        for field in self.fields.values():
            if why := field.problem():
                self._say(f"{field.accessibleName()}: {why}", "error")
                field.setFocus()
                return
        values = {name: field.value() for name, field in self.fields.items()}
        whole = {name for name, _, places, _ in FIELDS if not places}
        limits = {n: int(v) if n in whole else v for n, v in values.items()}
        self._store(limits, "Saved; it counts from the next order on.")

    def _remove(self) -> None:
        self._store({}, "Removed.")

    def _store(self, limits: dict[str, float], text: str) -> None:
        try:
            self._bridge.safety.set_risk_scope(self.scope(), limits)
        except AppError as error:
            self._say(error.message, "error")
            return
        self.reload()
        self._say(text, "success")
