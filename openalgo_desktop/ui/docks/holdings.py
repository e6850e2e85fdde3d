"""Delivered shares with live value."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.model import Holding
from openalgo_desktop.ui import format as fmt
from openalgo_desktop.ui.bridge import Bridge
from openalgo_desktop.ui.docks.table_dock import Col, TableDock
from openalgo_desktop.ui.frames import Ticks
from openalgo_desktop.ui.widgets import Totals

COLUMNS: tuple[Col[Holding], ...] = (
    Col("symbol", "Symbol", 170, lambda h: h.symbol, numeric=False),
    Col("exchange", "Exch", 52, lambda h: h.exchange, numeric=False),
    Col("quantity", "Qty", 80, lambda h: h.quantity, lambda h: fmt.quantity(h.quantity)),
    Col("t1", "T1", 64, lambda h: h.t1_quantity, lambda h: fmt.quantity(h.t1_quantity)),
    Col("average", "Avg", 92, lambda h: h.average_price, lambda h: fmt.exact(h.average_price)),
    Col(
        "ltp",
        "LTP",
        92,
        lambda h: h.ltp,
        lambda h: fmt.exact(h.ltp) if h.ltp else fmt.MISSING,
        live=True,
    ),
    Col(
        "value",
        "Value",
        120,
        lambda h: h.ltp * h.quantity,
        lambda h: fmt.money(h.ltp * h.quantity),
        live=True,
    ),
    Col(
        "pnl",
        "P&L",
        110,
        lambda h: h.pnl,
        lambda h: fmt.signed_money(h.pnl),
        lambda h: fmt.sign_role(h.pnl),
        live=True,
    ),
    Col(
        "percent",
        "P&L %",
        76,
        lambda h: h.pnl_percent,
        lambda h: fmt.signed_percent(h.pnl_percent),
        lambda h: fmt.sign_role(h.pnl),
        live=True,
    ),
)


class HoldingsDock(TableDock[Holding]):
    """What lies in the depository."""

    name = "holdings"
    title = "Holdings"
    empty_text = "No holdings.\nShares bought with CNC arrive here after settlement."
    columns = COLUMNS
    book = "holdings"

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.total = Totals("holdings-total", ("Invested", "Value", "P&L"))
        self.total.setContentsMargins(10, 5, 6, 5)
        self.content.addWidget(self.total)
        bridge.books.holdings_changed.connect(self.refresh)

    def row_id(self, row: Holding) -> str:
        return f"{row.exchange}:{row.symbol}"

    def reload(self) -> None:
        """Show the book."""
        self.set_rows(sorted(self.bridge.books.holdings, key=lambda h: h.symbol))
        self._show_totals()

    def _show_totals(self) -> None:
        value = sum(row.ltp * row.quantity for row in self.rows)
        profit = sum(row.pnl for row in self.rows)
        self.total.setVisible(bool(self.rows))
        self.total.show_numbers(
            (f"₹ {fmt.money(value - profit)}", ""),
            (f"₹ {fmt.money(value)}", ""),
            (fmt.signed_money(profit), fmt.sign_role(profit)),
        )

    def take(self, ticks: Ticks) -> None:
        if self.is_hidden():
            return
        for row in self.rows:
            if row.key in ticks:
                self.row_changed(row)

    def flush(self) -> None:
        super().flush()
        self._show_totals()

    def activated(self, row: Holding) -> None:
        self.bridge.select(row.key)

    def fill_menu(self, menu: QMenu, row: Holding) -> None:
        self.add_item(menu, "Sell", lambda: self._sell(row))
        self.add_item(menu, "Show in linked docks", lambda: self.bridge.select(row.key))

    def _sell(self, row: Holding) -> None:
        self.bridge.select(row.key)
        self.bridge.trade_wanted.emit(Action.SELL)
