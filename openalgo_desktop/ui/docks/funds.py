"""Money of the account."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QProgressBar, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui import format as fmt
from openalgo_desktop.ui.bridge import Bridge
from openalgo_desktop.ui.docks.base import Dock
from openalgo_desktop.ui.widgets import label, named, push_button, set_role

ROWS = (
    ("available_cash", "Available cash", False),
    ("utilised", "Used margin", False),
    ("collateral", "Collateral", False),
    ("m2m_realised", "Realised today", True),
    ("m2m_unrealised", "Open P&L", True),
    ("realised_total", "Realised, all time", True),
)


class FundsDock(Dock):
    """Cash, margin used and profit, with a bar of the share in use."""

    name = "funds"
    title = "Funds"

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        panel = named(QWidget(), "funds-panel", "Funds")
        grid = QGridLayout(panel)
        grid.setContentsMargins(14, 12, 14, 12)
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(8)
        self._values = {}
        for index, (key, caption, _) in enumerate(ROWS):
            grid.addWidget(label(caption, f"funds-{key}-caption", "muted"), index, 0)
            value = label(fmt.MISSING, f"funds-{key}", "number")
            value.setAccessibleName(caption)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(value, index, 1)
            self._values[key] = value
        self.bar = named(QProgressBar(), "funds-bar", "Share of money in use")
        self.bar.setTextVisible(True)
        self.bar.setRange(0, 1000)
        grid.addWidget(self.bar, len(ROWS), 0, 1, 2)
        self.age = label("", "funds-age", "muted")
        grid.addWidget(self.age, len(ROWS) + 1, 0)
        refresh = push_button("Refresh", "funds-refresh", "Refresh funds", bridge.books.refresh)
        grid.addWidget(refresh, len(ROWS) + 1, 1, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(2, 1)
        grid.setRowStretch(len(ROWS) + 2, 1)
        self.content.addWidget(panel)
        bridge.books.funds_changed.connect(self.reload)

    def reload(self) -> None:
        """Show the funds of the mode."""
        funds = self.bridge.books.funds
        for key, _, signed in ROWS:
            number = float(getattr(funds, key))
            value = self._values[key]
            value.setText(f"₹ {fmt.signed_money(number) if signed else fmt.money(number)}")
            if signed:
                set_role(value, fmt.sign_role(number), "tone")
        total = funds.available_cash + funds.utilised
        share = funds.utilised / total if total > 0 else 0.0
        self.bar.setValue(round(1000 * share))
        self.bar.setFormat(f"{100 * share:.1f} % in use")
        where = "sandbox" if self.bridge.mode is Mode.SANDBOX else "live account"
        self.set_subject(where)
        self.age.setText(f"as of {self.bridge.now():%H:%M:%S}, {where}")
