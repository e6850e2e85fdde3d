"""Money of the account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

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
from openalgo_desktop.core.funds_days import FundsDay
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.table_menu import TableMenu
from openalgo_desktop.ui.kit.tables import Column as Col
from openalgo_desktop.ui.kit.tables import FastTableModel, FastTableView
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


def _known(
    key: str, title: str, value: Callable[[FundsDay], float | None], *, profit: bool = False
) -> Col[FundsDay]:
    def text(row: FundsDay) -> str:
        number = value(row)
        if number is None:
            return fmt.MISSING
        return fmt.signed_money(number) if profit else fmt.money(number)

    return Col(
        key,
        title,
        116,
        value,
        text,
        (lambda row: fmt.sign_role(value(row) or 0.0)) if profit else None,
    )


#: Columns of the history.
DAYS: tuple[Col[FundsDay], ...] = (
    Col(
        "day", "Day", 104, lambda d: d.day.toordinal(), lambda d: f"{d.day:%d %b %Y}", numeric=False
    ),
    _known("available", "Available", lambda d: d.available),
    _known("utilised", "Used margin", lambda d: d.utilised),
    _known("realised", "Realised", lambda d: d.realised, profit=True),
    _known("unrealised", "Open P&L", lambda d: d.unrealised, profit=True),
    _known("collateral", "Collateral", lambda d: d.collateral),
    _known("payin", "Paid in", lambda d: d.payin),
    _known("payout", "Paid out", lambda d: d.payout),
)


class FundsDock(Dock):
    """Cash, margin used and profit as cards, with a bar of the share in use."""

    name = "funds"
    title = "Funds"

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        panel = named(QWidget(), "funds-panel", "Funds")
        column = QVBoxLayout(panel)
        column.setContentsMargins(EDGE, EDGE, EDGE, EDGE)
        column.setSpacing(10)
        self._grid = QGridLayout()
        self._grid.setSpacing(GAP)
        self._cards: list[QFrame] = []
        self._values = {}
        self._as_of = "never read"
        self._reading: asyncio.Task[None] | None = None
        self._news = False
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
        self.history_button = push_button(
            "History", "funds-history", "Funds day by day", self._show_page
        )
        self.history_button.setCheckable(True)
        self.history_button.setToolTip("The last figures of each day that the program saw")
        foot.addWidget(self.history_button)
        foot.addWidget(
            push_button("Refresh", "funds-refresh", "Refresh funds", bridge.books.refresh)
        )
        foot.setContentsMargins(EDGE, 0, EDGE, EDGE)
        foot.setSpacing(6)
        column.addStretch(1)
        self.panel = panel
        self.content.addWidget(panel)
        self._build_history()
        self.content.addLayout(foot)
        self.listen(bridge.books.funds_changed, self.reload)
        self.listen(bridge.books.positions_changed, self._show_segments)
        self.listen(bridge.books.prices_moved, self._show_open)
        self.listen(bridge.books.gaps_changed, lambda _: self._show_age())
        if bridge.books.funds_known:
            self.reload()

    # -- history ----------------------------------------------------------------------------
    def _build_history(self) -> None:
        self.days: FastTableModel[FundsDay] = FastTableModel(DAYS)
        self.history = named(
            FastTableView(self.days, "No day was seen yet."), "funds-days", "Funds day by day"
        )
        self.history.setMinimumHeight(look.px(90))
        self.history_menu = TableMenu(self, self.history, DAYS, "Funds day by day")
        self.history.hide()
        self.content.addWidget(self.history, 1)

    def _show_page(self) -> None:
        """Funds as they are now, or those of each day."""
        past = self.history_button.isChecked()
        self.panel.setVisible(not past)
        self.history.setVisible(past)
        if past:
            self._read_days()

    def _read_days(self) -> None:
        self._news = True
        if self._reading is None or self._reading.done():
            self._reading = self.spawn(self._load_days(), "funds history")

    async def _load_days(self) -> None:
        while self._news:  # what comes meanwhile is read after it
            self._news = False
            self.days.set_rows(await self.bridge.funds.days())
            self.history.flush()

    def exports(self) -> list[tuple[str, Callable[[], object]]]:
        past = self.history_button.isChecked()
        return self.history_menu.exports() if past else super().exports()

    def save_state(self) -> dict[str, object]:
        return super().save_state() | {"history": self.history_button.isChecked()}

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        self.history_button.setChecked(state.get("history") is True)
        self._show_page()

    # -- now --------------------------------------------------------------------------------
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
        value.setToolTip(plain_tip(self.bridge.feed.tips([row.key for row in missing])))
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
        if self.history_button.isChecked():
            self._read_days()

    def _show_age(self) -> None:
        gaps = self.bridge.books.gaps.get(self.name)
        self.age.setText(self._as_of if gaps is None else f"⚠ Not read now; {self._as_of}")
        self.age.setToolTip(plain_tip("" if gaps is None else self.bridge.clean(gaps.reasons)))
        set_role(self.age, "" if gaps is None else "warning", "tone")
