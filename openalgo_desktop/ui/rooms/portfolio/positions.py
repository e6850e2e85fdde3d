"""The position book with live profit, totals, and closing."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QMenu

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Key, Position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.names import symbol_column
from openalgo_desktop.ui.kit.table_dock import Col, TableDock
from openalgo_desktop.ui.kit.tables import RowAction
from openalgo_desktop.ui.kit.widgets import Totals, plain_tip, push_button
from openalgo_desktop.ui.rooms.portfolio import closing


def is_valued(row: Position) -> bool:
    """Whether its open profit can be told: 0 is not what an unknown price gives."""
    return not row.quantity or bool(row.ltp)


def _columns(bridge: Bridge) -> tuple[Col[Position], ...]:
    feed, books = bridge.feed, bridge.books

    def price_text(row: Position, value: float) -> str:
        return fmt.exact(value, bridge.places(row.key)) if value else fmt.MISSING

    def badge(row: Position) -> str:
        return "" if books.is_live(row) else feed.note(row.key) or "no price"

    def tip(row: Position) -> str:
        return "" if books.is_live(row) else f"{feed.tips([row.key])}. {feed.tip(row.key)}"

    return (
        symbol_column(bridge, lambda p: p.key, tip=tip),
        Col("exchange", "Exch", 46, lambda p: p.exchange, numeric=False),
        Col("product", "Prod", 48, lambda p: p.product.value, numeric=False),
        Col(
            "quantity",
            "Net qty",
            66,
            lambda p: p.quantity,
            lambda p: fmt.quantity(p.quantity),
            lambda p: "buy" if p.quantity > 0 else "sell" if p.quantity < 0 else "muted",
        ),
        Col(
            "average",
            "Avg",
            86,
            lambda p: p.average_price,
            lambda p: price_text(p, p.average_price) if p.quantity else fmt.MISSING,
        ),
        Col(
            "ltp",
            "LTP",
            96,
            lambda p: p.ltp or None,
            lambda p: price_text(p, p.ltp),
            flash=True,
            live=True,
            badge=badge,
            tip=tip,
        ),
        Col(
            "unrealised",
            "Open P&L",
            94,
            lambda p: p.unrealised if is_valued(p) else None,
            lambda p: fmt.signed_money(p.unrealised) if is_valued(p) else fmt.MISSING,
            lambda p: fmt.sign_role(p.unrealised),
            live=True,
        ),
        Col(
            "realised",
            "Realised",
            94,
            lambda p: p.realised_today,
            lambda p: fmt.signed_money(p.realised_today),
            lambda p: fmt.sign_role(p.realised_today),
        ),
        Col(
            "pnl",
            "Day P&L",
            94,
            lambda p: p.pnl if is_valued(p) else None,
            lambda p: fmt.signed_money(p.pnl) if is_valued(p) else fmt.MISSING,
            lambda p: fmt.sign_role(p.pnl),
            live=True,
        ),
        Col(
            "action",
            "",
            52,
            lambda p: bool(p.quantity),
            numeric=False,
            actions=lambda p: (RowAction("close", "Close", "down"),) if p.quantity else (),
        ),
        Col("margin", "Margin", 98, lambda p: p.margin, lambda p: fmt.money(p.margin)),
        Col(
            "bought", "Bought", 70, lambda p: p.buy_quantity, lambda p: fmt.quantity(p.buy_quantity)
        ),
        Col("sold", "Sold", 70, lambda p: p.sell_quantity, lambda p: fmt.quantity(p.sell_quantity)),
    )


PositionId = tuple[Key, str]


class PositionsDock(TableDock[Position]):
    """Net positions; prices are live, totals are at the bottom."""

    name = "positions"
    title = "Positions"
    linkable = True
    empty_text = "Flat. Nothing at risk."
    book = "positions"
    priority = 0

    def __init__(self, bridge: Bridge, name: str = "") -> None:
        self.columns = _columns(bridge)
        super().__init__(bridge, name)
        self._closing: set[PositionId] = set()
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 5, 6, 5)
        foot.setSpacing(6)
        self.total = Totals("positions-total", ("Day P&L", "Realised", "Open"))
        self.close_button = push_button(
            "Close position", "positions-close", "Close the selected position", self._close_selected
        )
        self.close_button.setEnabled(False)
        policy = self.total.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.total.setSizePolicy(policy)
        self.close_all_button = push_button(
            "Close all  F6", "positions-close-all", "Close all positions", self._close_all
        )
        foot.addWidget(self.total, 1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.close_all_button)
        self.content.addLayout(foot)
        self.listen(bridge.books.positions_changed, self.refresh)
        # The same moment as the toolbar: the two never show different amounts.
        self.listen(bridge.books.prices_moved, self._on_prices)
        self.listen(bridge.feed.aged, self._on_aged)
        self.listen(bridge.feed.changed, lambda _: self._on_prices())
        self.selection_changed.connect(self._on_selection)

    def row_id(self, row: Position) -> PositionId:
        return (row.key, row.product.value)

    def reload(self) -> None:
        """Show the book; open positions first."""
        rows = sorted(
            self.bridge.books.positions,
            key=lambda p: (p.quantity == 0, self.bridge.names.of(p.key).rank),
        )
        self.set_rows(rows)
        self._show_totals()
        self._on_selection()

    def _on_prices(self) -> None:
        if not self.is_hidden():
            self._show_totals()

    def _show_totals(self) -> None:
        realised, unrealised = self.bridge.books.day_pnl
        open_rows = sum(1 for row in self.rows if row.quantity)
        self.set_subject(f"{open_rows} open" if self.rows else "")
        self.total.setVisible(bool(self.rows))
        missing = self.bridge.books.not_live
        day, done, opened = (
            (fmt.signed_money(amount), fmt.sign_role(amount))
            for amount in (realised + unrealised, realised, unrealised)
        )
        if missing:
            day, opened = (day[0], "stale"), (fmt.partly(opened[0], len(missing)), "stale")
        self.total.show_numbers(day, done, opened)
        tip = self.bridge.feed.tips(row.key for row in missing)
        self.total.setToolTip(plain_tip(tip))
        self.close_all_button.setEnabled(open_rows > 0)

    def row_stale(self, row: Position) -> bool:
        return not self.bridge.books.is_live(row)

    def _on_aged(self) -> None:
        if self.age_rows():
            self._show_totals()

    def take(self, ticks: Ticks) -> None:
        if self.is_hidden():
            return
        for row in self.rows:
            if row.quantity and row.key in ticks:
                self.row_changed(row)

    # -- interaction ------------------------------------------------------------------------
    def _on_selection(self) -> None:
        row = self.selected_row()
        self.close_button.setEnabled(row is not None and row.quantity != 0)

    def activated(self, row: Position) -> None:
        self.pick(row.key)

    def act(self, row: Position, name: str) -> None:
        self.close_row(row)

    def fill_menu(self, menu: QMenu, row: Position) -> None:
        if row.quantity:
            self.add_item(menu, "Close at market", lambda: self.close_row(row))
            self.add_item(menu, "Reverse at market", lambda: self.reverse_row(row))
            menu.addSeparator()
        self.add_item(menu, "Show in linked docks", lambda: self.pick(row.key))

    def _close_selected(self) -> None:
        if (row := self.selected_row()) is not None:
            self.close_row(row)

    def _close_all(self) -> None:
        self.bridge.flatten_wanted.emit()

    def close_row(self, row: Position) -> None:
        """Close one position at market; a second click while it is under way does nothing."""
        identity = self.row_id(row)
        if row.quantity and identity not in self._closing:
            self._closing.add(identity)
            self.spawn(self._close(row, identity, self.bridge.mode), "close position", sends=True)

    def reverse_row(self, row: Position) -> None:
        """Turn one position to the other side at market, after a question."""
        identity = self.row_id(row)
        if row.quantity and identity not in self._closing:
            self._closing.add(identity)
            self.spawn(
                self._reverse(row, identity, self.bridge.mode), "reverse position", sends=True
            )

    async def _reverse(self, row: Position, identity: PositionId, mode: Mode) -> None:
        side = "short" if row.quantity > 0 else "long"
        where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
        name = self.bridge.name(row.key)
        text = (
            f"{name} {row.product.value} becomes {side} {fmt.quantity(abs(row.quantity))} "
            f"at market {where}. {closing.words(closing.count(self.bridge, [row]))}"
        )
        lines = closing.exits(self.bridge, row)
        try:
            if await confirm(self, "Reverse the position?", text, "Reverse", lines, True):
                said = await self.bridge.reverse(row.symbol, row.exchange, row.product, mode)
                self.bridge.notice.emit("info", said)
        finally:
            self._closing.discard(identity)

    async def _close(self, row: Position, identity: PositionId, mode: Mode) -> None:
        try:
            placed = await self.bridge.close_position(row.symbol, row.exchange, row.product, mode)
            if placed is not None and placed.message:  # in parts, or under way already
                self.bridge.notice.emit("info", f"{self.bridge.name(row.key)}: {placed.message}")
        finally:
            self._closing.discard(identity)
