"""The trade book."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from PySide6.QtWidgets import QMenu, QWidget

from openalgo_desktop.core.model import Key, Trade
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.turns import parts
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.format import units_text
from openalgo_desktop.ui.kit.names import symbol_column
from openalgo_desktop.ui.kit.table_dock import Col, TableDock
from openalgo_desktop.ui.kit.widgets import copy_text
from openalgo_desktop.ui.rooms.orders.order_columns import side_tone


def _columns(bridge: Bridge) -> tuple[Col[Trade], ...]:
    return (
        Col(
            "time",
            "Time",
            76,
            lambda t: t.traded_at.timestamp(),
            lambda t: fmt.clock_text(t.traded_at),
            numeric=False,
        ),
        symbol_column(bridge, lambda t: t.key),
        Col("exchange", "Exch", 52, lambda t: t.exchange, numeric=False),
        Col(
            "side",
            "Side",
            50,
            lambda t: t.action.value,
            tone=lambda t: side_tone(t.action),
            numeric=False,
        ),
        Col("product", "Prod", 54, lambda t: t.product.value, numeric=False),
        Col(
            "quantity",
            "Qty",
            96,
            lambda t: t.quantity,
            lambda t: units_text(t.quantity, bridge.lot(t.key)),
            copied=lambda t: str(t.quantity),
        ),
        Col(
            "price",
            "Price",
            92,
            lambda t: t.price,
            lambda t: fmt.exact(t.price, bridge.places(t.key)),
        ),
        Col("value", "Value", 120, lambda t: t.value, lambda t: fmt.money(t.value)),
        Col(
            "charges",
            "Charges",
            84,
            lambda t: bridge.day_trades.charges_of(t)[0],
            lambda t: _charges(bridge.day_trades.charges_of(t)),
            tone=lambda t: "muted" if bridge.day_trades.charges_of(t)[1] else "",
            tooltip="Brokerage, taxes and fees as the account tells them; ≈ is an estimate by the "
            "brokerage plan of the settings",
            copied=lambda t: _plain(bridge.day_trades.charges_of(t)[0]),
        ),
        Col("strategy", "Strategy", 100, lambda t: t.strategy, numeric=False),
        Col("order", "Order id", 150, lambda t: t.order_id, numeric=False),
        Col("trade", "Trade id", 150, lambda t: t.trade_id, numeric=False),
    )


def _charges(told: tuple[float | None, bool]) -> str:
    value, estimated = told
    if value is None:
        return fmt.MISSING
    return f"≈ {fmt.money(value)}" if estimated else fmt.money(value)


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


class TradesDock(TableDock[Trade]):
    """Executions of the mode, newest first."""

    name = "trades"
    drags = True
    title = "Trades"
    linkable = True
    empty_text = "No trades today."
    book = "trades"

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.columns = _columns(bridge)
        super().__init__(bridge, name, parent)
        self._turnover = 0.0
        self.listen(bridge.books.trades_changed, self.refresh)
        self.listen(bridge.books.trades_added, self._on_trades)
        self.listen(bridge.setting_changed, self._on_plan)

    def key_of(self, row: Trade) -> Key | None:
        return (row.exchange, row.symbol)

    def row_id(self, row: Trade) -> str:
        return row.trade_id

    def reload(self) -> None:
        """Show the book."""
        trades = list(self.bridge.books.trades)
        trades.reverse()
        self.load(self._reading(trades), len(trades))

    def _reading(self, trades: list[Trade]) -> Iterator[None]:
        """Take these trades in, step by step."""
        turnover, moments = 0.0, list[datetime]()
        for part in parts(trades):
            turnover += sum(trade.value for trade in part)
            moments += [trade.traded_at for trade in part]
            yield
        # Nothing to do where they came in order.
        order = sorted(range(len(trades)), key=moments.__getitem__, reverse=True)
        yield from self.taking([trades[place] for place in order])
        self._turnover = turnover
        self._show_turnover()

    def _on_trades(self, trades: list[Trade]) -> None:
        """New executions go before the others, which nobody touches."""
        if self.is_hidden() or self._whole:
            self._whole = self.dirty = True
        elif self.long_load.under_way:
            self.long_load.after(partial(self._show_trades, trades))
        else:
            self._show_trades(trades)

    def _show_trades(self, trades: list[Trade]) -> None:
        moments = [trade.traded_at for trade in (*self.rows[:1], *trades)]
        if any(self.row_of(self.row_id(trade)) for trade in trades) or moments != sorted(moments):
            return self.reload_soon()
        self.add_front(trades[::-1])
        self._turnover += sum(trade.value for trade in trades)
        self._show_turnover()

    def _on_plan(self, key: str, _value: object) -> None:
        """Another brokerage plan: the estimates are other ones."""
        if key.startswith("sandbox."):
            self.refresh()

    def _show_turnover(self) -> None:
        count = fmt.quantity(len(self.rows))
        text = f"{count} · turnover ₹ {fmt.money(self._turnover)}"
        charges = self.bridge.day_trades.charges
        if charges:
            text += f" · charges ₹ {fmt.money(charges)}"
        self.set_subject(text if self.rows else "")

    def activated(self, row: Trade) -> None:
        self.pick(row.key)

    def _show_chart(self, row: Trade) -> None:
        """The chart of the symbol, at the bar of the trade."""
        self.bridge.dock_wanted.emit("chart", row.key)
        self.bridge.moment_wanted.emit(row.key, row.traded_at)

    def fill_menu(self, menu: QMenu, row: Trade) -> None:
        self.add_item(menu, "Show in linked docks", lambda: self.pick(row.key))
        self.add_item(menu, "Chart at this trade", lambda: self._show_chart(row))
        self.add_item(menu, "Show order", lambda: self.bridge.order_wanted.emit(row.order_id))
        self.add_item(menu, "Copy order id", lambda: copy_text(row.order_id))
