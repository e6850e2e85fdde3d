"""Money of the account."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, push_button, set_role

#: Field of :class:`Funds`, caption, whether it is a profit.
CARDS = (
    ("available_cash", "Available cash", False),
    ("utilised", "Used margin", False),
    ("collateral", "Collateral", False),
    ("m2m_unrealised", "Open P&L", True),
    ("m2m_realised", "Realised today", True),
    ("realised_total", "Realised, all time", True),
    ("payin", "Paid in today", False),
    ("payout", "Paid out today", False),
)
#: Cards beside each other, where there is room; in a narrow dock; pixels between them and around.
PER_ROW, NARROW_ROW = 4, 2
GAP, EDGE = 8, 8


class FundsDock(Dock):
    """Cash, margin used and profit as cards, with a bar of the share in use."""

    name = "funds"
    title = "Funds"

    def __init__(self, bridge: Bridge, name: str = "") -> None:
        super().__init__(bridge, name)
        panel = named(QWidget(), "funds-panel", "Funds")
        column = QVBoxLayout(panel)
        column.setContentsMargins(EDGE, EDGE, EDGE, EDGE)
        column.setSpacing(10)
        self._grid = QGridLayout()
        self._grid.setSpacing(GAP)
        self._cards: list[QFrame] = []
        self._values = {}
        self._as_of = "never read"
        for index, (key, caption, _) in enumerate(CARDS):
            card, value = self._card(key, caption)
            self._grid.addWidget(card, index // PER_ROW, index % PER_ROW)
            self._cards.append(card)
            self._values[key] = value
        column.addLayout(self._grid)
        self.bar = named(QProgressBar(), "funds-bar", "Share of money in use")
        self.bar.setTextVisible(True)
        self.bar.setRange(0, 1000)
        column.addWidget(self.bar)
        self.segments = label("", "funds-segments", "caption")
        self.segments.setAccessibleName("Used margin by exchange")
        self.segments.setWordWrap(True)
        column.addWidget(self.segments)
        foot = QHBoxLayout()
        self.age = label("", "funds-age", "caption")
        foot.addWidget(self.age, 1)
        foot.addWidget(
            push_button("Refresh", "funds-refresh", "Refresh funds", bridge.books.refresh)
        )
        column.addLayout(foot)
        column.addStretch(1)
        self.content.addWidget(panel)
        self.listen(bridge.books.funds_changed, self.reload)
        self.listen(bridge.books.positions_changed, self._show_segments)
        self.listen(bridge.books.prices_moved, self._show_open)
        self.listen(bridge.books.gaps_changed, lambda _: self._show_age())
        if bridge.books.funds_known:
            self.reload()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        widest = max(card.sizeHint().width() for card in self._cards)
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        needed = PER_ROW * (widest + GAP) + 2 * EDGE + bar
        per_row = PER_ROW if self.width() >= needed else NARROW_ROW
        for index, card in enumerate(self._cards):
            self._grid.addWidget(card, index // per_row, index % per_row)

    @staticmethod
    def _card(key: str, caption: str) -> tuple[QFrame, QLabel]:
        card = named(QFrame(), f"funds-{key}-card", caption)
        card.setProperty("role", "card-frame")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(9, 8, 9, 8)
        inside.setSpacing(2)
        inside.addWidget(label(caption, f"funds-{key}-caption", "caption"))
        value = label(fmt.MISSING, f"funds-{key}", "card")
        value.setAccessibleName(caption)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        inside.addWidget(value)
        return card, value

    def _show(self, key: str, number: float | None, profit: bool) -> None:
        """An amount; a dash where nobody told it."""
        value = self._values[key]
        if number is None or not self.bridge.books.funds_known:
            value.setText(fmt.MISSING)
            set_role(value, "", "tone")
            return
        value.setText(fmt.rupees(number, signed=profit))
        if profit:
            set_role(value, fmt.sign_role(number), "tone")

    def _show_segments(self) -> None:
        """What is used by segment, where the account tells it; else what positions block by
        exchange, where it tells that of each."""
        used, what = dict(self.bridge.books.funds.used_by), "Used"
        if not used:
            what = "Used by positions"
            for row in self.bridge.books.positions:
                if row.margin:
                    used[row.exchange] = used.get(row.exchange, 0.0) + row.margin
        parts = [f"{name} ₹ {fmt.money(used[name])}" for name in sorted(used)]
        self.segments.setText(f"{what}: {', '.join(parts)}" if parts else "")
        self.segments.setVisible(bool(parts))

    def _show_open(self) -> None:
        # Live, and the same amount as in the toolbar and under the positions.
        if not self.visibleRegion().isEmpty():
            self._show("m2m_unrealised", self.bridge.books.day_pnl[1], True)
            self._mark_open()

    def _mark_open(self) -> None:
        """The open profit is no better than the prices that it comes from."""
        missing = self.bridge.books.not_live
        value = self._values["m2m_unrealised"]
        value.setToolTip(plain_tip(self.bridge.feed.tips(row.key for row in missing)))
        if missing and self.bridge.books.funds_known:
            value.setText(fmt.partly(value.text(), len(missing)))
            set_role(value, "stale", "tone")

    def reload(self) -> None:
        """Show the funds of the mode."""
        funds = self.bridge.books.funds
        for key, _, profit in CARDS:
            self._show(key, getattr(funds, key), profit)
        self._mark_open()
        total = funds.available_cash + funds.utilised
        share = funds.utilised / total if total > 0 else 0.0
        self.bar.setValue(round(1000 * share))
        known = self.bridge.books.funds_known
        self.bar.setFormat(f"{100 * share:.1f} % of the money is in use" if known else fmt.MISSING)
        where = "sandbox" if self.bridge.mode is Mode.SANDBOX else "live account"
        self.set_subject(where)
        self._as_of = (
            f"as of {self.bridge.now():%H:%M:%S} IST, {where}" if known else "not read yet"
        )
        self._show_age()
        self._show_segments()

    def _show_age(self) -> None:
        gaps = self.bridge.books.gaps.get(self.name)
        self.age.setText(self._as_of if gaps is None else f"⚠ Not read now; {self._as_of}")
        self.age.setToolTip(plain_tip("" if gaps is None else self.bridge.clean(gaps.reasons)))
        set_role(self.age, "" if gaps is None else "warning", "tone")
