"""What a strategy did and holds: results after charges, drawdown, the curve of its days."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategy_book import StrategyDay, StrategyPosition, StrategySummary
from openalgo_desktop.ui.chart.equity import EquityCurve, Point
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.tables import Column, FastTableModel, FastTableView
from openalgo_desktop.ui.kit.widgets import Totals, label, named

NAME = "strategies-book"
SANDBOX, LIVE = "Sandbox", "Live"
NOTHING = "It has not traded here."
CAPTIONS = ("Net P&L", "Realised", "Open", "Charges", "Today", "Drawdown", "Largest", "Fills")


def position_columns(bridge: Bridge) -> tuple[Column[StrategyPosition], ...]:
    """What it holds."""

    def price(row: StrategyPosition, value: Decimal | None) -> str:
        return fmt.MISSING if value is None else fmt.exact(float(value), bridge.places(row.key))

    return (
        Column("symbol", "Symbol", 160, lambda r: bridge.name(r.key), numeric=False,
               tip=lambda r: contract_tip(r.key), copied=lambda r: r.symbol),
        Column("product", "Product", 60, lambda r: r.product.value, numeric=False),
        Column("quantity", "Quantity", 80, lambda r: r.quantity, lambda r: fmt.quantity(r.quantity),
               tone=lambda r: "up" if r.quantity > 0 else "down"),
        Column("average", "Average", 90, lambda r: r.average, lambda r: price(r, r.average)),
        Column("ltp", "LTP", 90, lambda r: r.ltp, lambda r: price(r, r.ltp), live=True),
        Column("open", "P&L", 100, lambda r: r.open,
               lambda r: fmt.MISSING if r.open is None else fmt.signed_money(float(r.open)),
               tone=lambda r: "" if not r.open else "up" if r.open > 0 else "down"),
        Column("since", "Since", 140, lambda r: r.since, lambda r: fmt.date_time_text(r.since),
               numeric=False),
    )  # fmt: skip


def points_of(days: Sequence[StrategyDay]) -> list[Point]:
    """Sums of the net results at the end of each day, from 0 on."""
    points = [Point(f"{day.day:%d %b %Y}", float(day.equity)) for day in days]
    return [Point("start", 0.0), *points] if points else []


class BookPage(QWidget):
    """Of one name at a time, in one mode at a time: paper and money are never added up."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        named(self, NAME, "Book of the strategy")
        self._bridge = bridge
        self._name = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(6)
        head = QHBoxLayout()
        self.where = Segments(f"{NAME}-mode", "Book of", (SANDBOX, LIVE), compact=True)
        self.where.changed.connect(lambda _: self.again())
        self.totals = Totals(f"{NAME}-totals", CAPTIONS)
        head.addWidget(self.where)
        head.addWidget(self.totals, 1)
        column.addLayout(head)
        self.about = label("", f"{NAME}-about", "muted")
        self.about.setWordWrap(True)
        column.addWidget(self.about)
        below = QHBoxLayout()
        self.curve = EquityCurve(f"{NAME}-curve")
        self.positions: FastTableModel[StrategyPosition] = FastTableModel(position_columns(bridge))
        self.view = named(
            FastTableView(self.positions, "It holds nothing."), f"{NAME}-positions", "Positions"
        )
        below.addWidget(self.curve, 1)
        below.addWidget(self.view, 2)
        column.addLayout(below, 1)

    @property
    def mode(self) -> Mode:
        """Which book is shown."""
        return Mode.LIVE if self.where.value() == LIVE else Mode.SANDBOX

    def show_name(self, name: str, mode: Mode | None) -> None:
        """Another strategy, in the mode of its run where it runs."""
        if name != self._name:
            self._name = name
            wanted = mode or self._bridge.mode
            self.where.choose(LIVE if wanted is Mode.LIVE else SANDBOX)
        self.again()

    def is_of(self, mode: Mode, names: frozenset[str]) -> bool:
        """Whether news of these books are news here."""
        return mode is self.mode and self._name in names

    def again(self) -> None:
        """Read what there is now."""
        books, name, mode = self._bridge.strategies.books, self._name, self.mode
        found = books.summary(name, mode)
        self._show_totals(found)
        self.curve.set_points(points_of(books.curve(name, mode)), 0.0)
        self.positions.set_rows(books.positions(name, mode))
        self.view.flush()

    def _show_totals(self, found: StrategySummary | None) -> None:
        if found is None:
            ready = self._bridge.strategies.books.ready
            self.about.setText(NOTHING if ready else "The book is being read…")
            self.totals.show_numbers(*((fmt.MISSING, "") for _ in CAPTIONS))
            return

        def money(value: Decimal | None, *, toned: bool = True) -> tuple[str, str]:
            if value is None:
                return fmt.MISSING, ""
            tone = "" if not toned or not value else "up" if value > 0 else "down"
            text = fmt.signed_money(float(value)) if toned else fmt.money(float(value))
            return text, tone

        today = found.day_realised - found.day_charges
        self.totals.show_numbers(
            money(found.net),
            money(found.realised),
            money(found.open),
            money(found.charges, toned=False),
            money(today),
            money(found.drawdown, toned=False),
            money(found.max_drawdown, toned=False),
            (fmt.quantity(found.fills), ""),
        )
        text = f"{found.account_id}, since {found.since:%d %b %Y}. Net is after charges."
        if found.unknown:
            text += f" {found.unknown} expired positions have no known result and are in no sum."
        self.about.setText(text)
