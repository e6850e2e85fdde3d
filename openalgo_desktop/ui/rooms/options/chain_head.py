"""What stands above the chain: its expiries, its figures in a line, its menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.chain import ChainHead
from openalgo_desktop.core.naming import expiry_text
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.clips import may_scroll
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, slug
from openalgo_desktop.ui.rooms.options.chain_columns import PRESETS, ColumnPlan
from openalgo_desktop.ui.rooms.options.chain_rows import SPECS, strike_text

#: Strikes that are streamed on each side of the money, and how the menu calls it.
SPANS: tuple[tuple[int | None, str], ...] = (
    (10, "10 strikes each side"),
    (20, "20 strikes each side"),
    (40, "40 strikes each side"),
    (None, "All strikes"),
)
_FROM = {
    "synthetic": "synthetic: strike + call - put near the money",
    "future": "the future of this expiry",
    "spot": "the spot price; no future and no pair of options has a price",
}


def left_text(seconds: float) -> str:
    """Time to expiry: ``2 d 5 h``, ``5 h 10 min``, ``9 min``."""
    minutes = int(max(0.0, seconds) // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def figures(head: ChainHead, seconds: float, places: int) -> str:
    """The head in a line that breaks where it must; what is not known is left out, but for the
    two that everybody looks for."""
    parts = []
    if head.spot is not None and head.spot.ltp:
        change = f" {quote.percent_text(head.spot)}" if quote.percent(head.spot) is not None else ""
        parts.append(f"Spot {fmt.price(head.spot.ltp, places)}{change}")
    if head.forward is not None:
        parts.append(f"Forward {fmt.price(head.forward, places)} ({head.forward_from})")
    parts.append(f"{left_text(seconds)} left" if seconds > 0 else "expired")
    if head.atm is not None:
        iv = fmt.MISSING if head.atm_iv is None else f"{head.atm_iv:.1f}"
        parts.append(f"ATM {strike_text(head.atm)}, IV {iv}")
    if head.straddle is not None and head.forward:
        share = fmt.percent(100.0 * head.straddle / head.forward, 1)
        parts.append(f"Straddle {fmt.price(head.straddle, 2)} ({share})")
    pcr = fmt.MISSING if head.pcr is None else f"{head.pcr:.2f}"
    pain = fmt.MISSING if head.max_pain is None else strike_text(head.max_pain)
    parts += [f"PCR {pcr}", f"Max pain {pain}"]
    if head.call_oi is not None and head.put_oi is not None:
        parts.append(f"OI calls {fmt.short(head.call_oi)}, puts {fmt.short(head.put_oi)}")
    # Breaks between them only.
    return "\u00a0\u00a0\u00a0 ".join(part.replace(" ", "\u00a0") for part in parts)


def explained(head: ChainHead) -> str:
    """What the figures rest on, for the tooltip."""
    lines = [
        f"Put-call ratio, max pain and open interest: {head.counted} of {head.listed} strikes, "
        "those whose open interest is known on both sides.",
        "Straddle: call + put at the money; in brackets its share of the forward.",
    ]
    if head.forward_from:
        lines.insert(0, f"Volatilities rest on {_FROM[head.forward_from]}.")
    if head.pcr_volume is not None:
        lines.append(f"Put-call ratio by volume: {head.pcr_volume:.2f}.")
    return "\n".join(lines)


class ChainBar(QWidget):
    """The row of controls; ``expiry_chosen`` carries a date."""

    expiry_chosen = Signal(object)

    def __init__(self, name: str, search: SymbolSearch) -> None:
        super().__init__()
        self.setObjectName(f"{name}-bar")
        self._days: list[date] = []
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 2)
        row.setSpacing(6)
        search.setMaximumWidth(170)
        search.setMinimumWidth(80)
        row.addWidget(search, 1)
        self.tabs = may_scroll(named(QTabBar(), f"{name}-expiries", "Expiries"))
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.tabs.currentChanged.connect(self._on_tab)
        row.addWidget(self.tabs, 3)
        self.menu_button = named(
            QPushButton("Columns"), f"{name}-columns", "Columns and more of the chain"
        )
        row.addWidget(self.menu_button)
        self.figures = label("", f"{name}-figures", "muted")
        self.figures.setWordWrap(True)
        self.figures.setContentsMargins(8, 0, 8, 3)
        self.figures.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        sides = QHBoxLayout()
        sides.setContentsMargins(0, 0, 0, 2)
        for words in ("Calls", "Puts"):
            title = label(words, f"{name}-{slug(words)}", "caption")
            title.setAlignment(Qt.AlignmentFlag.AlignCenter)
            sides.addWidget(title, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.figures)
        layout.addLayout(sides)

    def show_expiries(self, days: Sequence[date], current: date | None, today: date) -> None:
        """These tabs; nothing is chosen by it."""
        blocker = QSignalBlocker(self.tabs)
        if list(days) != self._days:
            while self.tabs.count():
                self.tabs.removeTab(0)
            for place, day in enumerate(days):
                self.tabs.addTab(expiry_text(day, today))
                self.tabs.setTabToolTip(place, plain_tip(f"{day:%A, %d %B %Y}"))
            self._days = list(days)
        if current in self._days:
            self.tabs.setCurrentIndex(self._days.index(current))
        blocker.unblock()

    def show_figures(self, text: str, tip: str) -> None:
        """The line of figures; unchanged texts cost nothing."""
        if self.figures.text() != text:
            self.figures.setText(text)
            self._make_room()
        if self.figures.toolTip() != plain_tip(tip):
            self.figures.setToolTip(plain_tip(tip))

    def _make_room(self) -> None:
        """As many lines as the figures need now; the layout alone comes too late for a text that
        is longer than the one before."""
        self.figures.setMinimumHeight(max(0, self.figures.heightForWidth(self.figures.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _on_tab(self, place: int) -> None:
        if 0 <= place < len(self._days):
            self.expiry_chosen.emit(self._days[place])


def fill_columns(menu: QMenu, plan: ColumnPlan, name: str, changed: Callable[[], None]) -> None:
    """Presets and single columns; ``changed`` is called when the plan is another one."""

    def use(preset: str) -> None:
        plan.use(preset)
        changed()

    def toggle(column: str) -> None:
        plan.toggle(column)
        changed()

    for preset in PRESETS:
        action = menu.addAction(preset)
        action.setObjectName(f"{name}-preset-{slug(preset)}")
        action.setCheckable(True)
        action.setChecked(plan.preset == preset)
        action.triggered.connect(lambda _checked=False, preset=preset: use(preset))
    menu.addSeparator()
    for spec in SPECS:
        action = menu.addAction(spec.words)
        action.setObjectName(f"{name}-column-{spec.name}")
        action.setCheckable(True)
        action.setChecked(spec.name in plan.shown)
        action.triggered.connect(lambda _checked=False, column=spec.name: toggle(column))
