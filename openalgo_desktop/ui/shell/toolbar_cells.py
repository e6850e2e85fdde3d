"""Cells of the toolbar: what a new ticket begins with, the day's result, the margin in use."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import (
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, push_button, set_role

PRODUCT, LOTS = "ui.default_product", "ui.default_lots"
#: Offered numbers of lots; any other is a setting.
SIZES = (1, 2, 3, 5, 10, 20)
#: Margin in use from which the bar warns, per cent.
HIGH = 90.0
BAR_WIDTH, BAR_HEIGHT = 96, 6


class DefaultsChip(QToolButton):
    """Product and lots of the next symbol in the ticket; what stands in it now is not changed."""

    more_wanted = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        named(self, "toolbar-defaults", "Product and lots of a new ticket")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setProperty("role", "plain")
        menu = named(QMenu(self), "toolbar-defaults-menu", "Product and lots of a new ticket")
        menu.addSection("Product of a new ticket")
        self._choices = {
            PRODUCT: self._group(menu, PRODUCT, [(str(p), p) for p in SETTINGS[PRODUCT].choices])
        }
        menu.addSection("Lots of a new ticket")
        sizes = [("1 lot" if size == 1 else f"{size} lots", size) for size in SIZES]
        self._choices[LOTS] = self._group(menu, LOTS, sizes)
        other = menu.addAction("Other…")
        other.setObjectName("toolbar-defaults-other")
        other.triggered.connect(lambda _=False: self.more_wanted.emit())
        self.setMenu(menu)
        bridge.setting_changed.connect(self._on_setting)
        self.refresh()

    def _group(self, menu: QMenu, key: str, rows: Sequence[tuple[str, object]]) -> QActionGroup:
        group = QActionGroup(menu)
        for text, value in rows:
            action = menu.addAction(text)
            action.setObjectName(f"toolbar-defaults-{value}".lower())
            action.setCheckable(True)
            action.setData(value)
            group.addAction(action)
            action.triggered.connect(lambda _=False, v=value: self._bridge.set_setting(key, v))
        return group

    def _on_setting(self, key: str, _value: object) -> None:
        if key in (PRODUCT, LOTS):
            self.refresh()

    def refresh(self) -> None:
        """Show what counts now."""
        product, lots = (self._bridge.setting(key) for key in (PRODUCT, LOTS))
        text = f"{product} · {lots} lot" if lots == 1 else f"{product} · {lots} lots"
        self.setText(text)
        self.setAccessibleName(f"A new ticket begins with {text}")
        self.setToolTip(plain_tip(f"A new ticket begins with {text}. The open one stays as it is."))
        for key, value in ((PRODUCT, product), (LOTS, lots)):
            for action in self._choices[key].actions():
                action.setChecked(action.data() == value)


class DayCell(QWidget):
    """Day P&L in large, below it its two parts."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        named(self, "toolbar-day", "Day profit and loss")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        self.total: QLabel = label(fmt.MISSING, "toolbar-pnl", "pnl")
        self.total.setAccessibleName("Day profit and loss")
        self.parts: QLabel = label("", "toolbar-pnl-parts", "caption")
        self.parts.setAccessibleName("Realised and open profit and loss")
        for part in (self.total, self.parts):
            part.setAlignment(right)
            column.addWidget(part)

    def refresh(self) -> bool:
        """From the positions with live prices; whether it needs another width now."""
        bridge = self._bridge
        realised, unrealised = bridge.books.day_pnl
        total = realised + unrealised
        missing, gaps = bridge.books.not_live, bridge.books.gaps.get("positions")
        before = len(self.total.text()), len(self.parts.text())
        self.total.setText(fmt.signed_money(total) + (" ⚠" if missing or gaps else ""))
        done, still = fmt.signed_money(realised), fmt.signed_money(unrealised)
        self.parts.setText(f"realised {done}  open {still}")
        tip = f"Day P&L: realised {done}, open {still}"
        if missing:
            tip += f"\nNot at a fresh price:\n{bridge.feed.tips([p.key for p in missing])}"
        if gaps is not None:
            tip += f"\nPositions: {gaps.text}"
        for part in (self.total, self.parts):
            part.setToolTip(plain_tip(tip))
        tone = "stale" if missing or gaps or bridge.feed.stale else fmt.sign_role(total)
        set_role(self.total, tone, "tone")
        return before != (len(self.total.text()), len(self.parts.text()))


class MarginCell(QWidget):
    """How much of the money is in use; a click shows the funds."""

    clicked = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        named(self, "toolbar-margin-cell", "Margin in use")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self.text: QPushButton = push_button(
            "", "toolbar-margin", "Margin in use", self.clicked.emit
        )
        self.text.setProperty("role", "cell-link")
        self.bar = named(QProgressBar(), "toolbar-margin-bar", "Margin in use")
        self.bar.setProperty("role", "thin")
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setFixedHeight(BAR_HEIGHT)
        column.addStretch(1)
        column.addWidget(self.text)
        column.addWidget(self.bar)
        column.addStretch(1)
        self.setFixedWidth(look.px(BAR_WIDTH))
        self.refresh()

    def refresh(self) -> None:
        """From the funds of the mode; a dash while nobody has told them."""
        books = self._bridge.books
        funds = books.funds
        total = funds.available_cash + funds.utilised
        if not books.funds_known or total <= 0:
            text, share = f"Margin {fmt.MISSING}", 0.0
            tip = "The funds are not known" if not books.funds_known else "There is no money"
        else:
            share = min(100.0, max(0.0, 100.0 * funds.utilised / total))
            text = f"Margin {share:.0f} %"
            tip = f"In use ₹ {fmt.money(funds.utilised)}, free ₹ {fmt.money(funds.available_cash)}"
        self.text.setText(text)
        self.bar.setValue(round(share * 10))
        warn = "warning" if share >= HIGH else ""
        set_role(self.bar, warn, "tone")
        set_role(self.text, warn, "tone")
        for part in (self.text, self.bar):
            part.setToolTip(plain_tip(f"{tip}. A click shows the funds."))
            part.setAccessibleDescription(f"{text}. {tip}")
