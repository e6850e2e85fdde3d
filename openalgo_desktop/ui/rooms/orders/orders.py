"""The order book: filter, modify and cancel."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, starmap

from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action, OrderStatus
from openalgo_desktop.core.model import Order
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.fields import Segments
from openalgo_desktop.ui.kit.names import symbol_column
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.table_dock import Col, TableDock
from openalgo_desktop.ui.kit.tables import RowAction
from openalgo_desktop.ui.kit.widgets import copy_text, name_inner_controls, push_button
from openalgo_desktop.ui.rooms.orders.modify import ModifyDialog

FILTERS: dict[str, Callable[[Order], bool]] = {
    "Open": lambda order: not order.status.is_final,
    "Executed": lambda order: order.status is OrderStatus.COMPLETE,
    "Rejected": lambda order: order.status is OrderStatus.REJECTED,
    "All": lambda order: True,
}
STATUS_TONE = {
    OrderStatus.OPEN: "buy",
    OrderStatus.TRIGGER_PENDING: "warning",
    OrderStatus.COMPLETE: "up",
    OrderStatus.REJECTED: "down",
    OrderStatus.UNKNOWN: "warning",
    OrderStatus.PENDING: "warning",
}


def side_tone(action: Action) -> str:
    """Colour role of a side."""
    return "buy" if action is Action.BUY else "sell"


def _is_newer(order: Order, other: Order) -> bool:
    """Whether ``order`` was placed when ``other`` was, or after it."""
    at, before = order.placed_at, other.placed_at
    return at is not None and before is not None and at >= before


WORKING_ACTIONS = (RowAction("modify", "Modify"), RowAction("cancel", "Cancel", "down"))
WHY = (RowAction("why", "Why?"),)


def _columns(bridge: Bridge) -> tuple[Col[Order], ...]:
    def price_text(row: Order, value: float) -> str:
        return fmt.exact(value, bridge.places(row.key)) if value else fmt.MISSING

    return (
        Col(
            "time",
            "Time",
            66,
            lambda o: o.placed_at.timestamp() if o.placed_at else 0.0,
            lambda o: fmt.clock_text(o.placed_at) if o.placed_at else fmt.MISSING,
            numeric=False,
        ),
        symbol_column(bridge, lambda o: o.key),
        Col(
            "side",
            "Side",
            46,
            lambda o: o.action.value,
            tone=lambda o: side_tone(o.action),
            numeric=False,
        ),
        Col(
            "quantity",
            "Filled / Qty",
            100,
            lambda o: o.quantity,
            lambda o: f"{fmt.quantity(o.filled_quantity)} / {fmt.quantity(o.quantity)}",
        ),
        Col("type", "Type", 64, lambda o: o.price_type.value, numeric=False),
        Col("product", "Prod", 50, lambda o: o.product.value, numeric=False),
        Col("price", "Price", 82, lambda o: o.price, lambda o: price_text(o, o.price)),
        Col(
            "trigger",
            "Trigger",
            82,
            lambda o: o.trigger_price,
            lambda o: price_text(o, o.trigger_price),
        ),
        Col(
            "average",
            "Avg",
            82,
            lambda o: o.average_price,
            lambda o: price_text(o, o.average_price),
        ),
        Col(
            "status",
            "Status",
            108,
            lambda o: o.status.value,
            tone=lambda o: STATUS_TONE.get(o.status, "muted"),
            numeric=False,
        ),
        Col(
            "action",
            "",
            112,
            lambda o: o.status.is_working,
            numeric=False,
            actions=lambda o: (
                WORKING_ACTIONS if o.status.is_working else WHY if o.rejection_reason else ()
            ),
        ),
        Col(
            "reason",
            "Reason",
            320,
            lambda o: o.rejection_reason,
            tone=lambda o: "down",
            numeric=False,
        ),
        Col("exchange", "Exch", 52, lambda o: o.exchange, numeric=False),
        Col("source", "Source", 90, lambda o: o.source or o.strategy, numeric=False),
        Col("id", "Order id", 150, lambda o: o.order_id, numeric=False),
    )


class OrdersDock(TableDock[Order]):
    """All orders of the mode; newest first."""

    name = "orders"
    title = "Orders"
    linkable = True
    many = True
    empty_text = "No orders here today.\nBuy or sell with the order ticket."
    book = "orders"
    priority = 1

    def __init__(self, bridge: Bridge, name: str = "") -> None:
        self.columns = _columns(bridge)
        super().__init__(bridge, name)
        self._modify: dict[str, ModifyDialog] = {}
        self.filter = Segments("orders-filter", "Show orders", tuple(FILTERS), compact=True)
        self.filter.choose("All")
        self.filter.changed.connect(lambda _: self.refresh())
        self.modify_button = push_button(
            "Modify", "orders-modify", "Modify the selected order", self._modify_selected
        )
        self.cancel_button = push_button(
            "Cancel", "orders-cancel", "Cancel the selected order", self._cancel_selected
        )
        sends(self.cancel_button)
        self.add_head(self.filter, self.modify_button, self.cancel_button)
        self.listen(bridge.books.orders_changed, self.refresh)
        self.listen(bridge.books.orders_updated, self._on_orders)
        self.selection_changed.connect(self._on_selection)

    def row_id(self, row: Order) -> str:
        return row.order_id

    def reload(self) -> None:
        """Show the book through the filter."""
        keep = FILTERS[self.filter.value()]
        orders = list(reversed(self.bridge.books.orders.values()))
        if not all(starmap(_is_newer, pairwise(orders))):
            orders.sort(key=lambda o: o.placed_at.timestamp() if o.placed_at else 0.0, reverse=True)
        self.set_rows([order for order in orders if keep(order)])
        self._show_counts()

    def _on_orders(self, orders: list[Order]) -> None:
        """Touch the rows of these orders, and put new ones before the others."""
        if self.is_hidden() or self._whole:
            self._whole = self.dirty = True
            return
        keep = FILTERS[self.filter.value()]
        fresh: list[Order] = []
        for order in {order.order_id: order for order in orders}.values():
            if self.replace_row(order, keep(order)):
                continue
            newest = fresh[-1] if fresh else self.rows[0] if self.rows else None
            if not keep(order) or not (newest is None or _is_newer(order, newest)):
                return self.reload_soon()
            fresh.append(order)
        if fresh:
            self.add_front(fresh[::-1])
        self._show_counts()
        self.dirty = True

    def _show_counts(self) -> None:
        books = self.bridge.books
        self.set_subject(f"{books.working_count} working of {len(books.orders)}")
        self._on_selection()

    def _on_selection(self) -> None:
        row = self.selected_row()
        enabled = row is not None and row.status.is_working
        for button in (self.modify_button, self.cancel_button):
            button.setEnabled(enabled)

    # -- interaction ------------------------------------------------------------------------
    def activated(self, row: Order) -> None:
        self.pick(row.key)

    def act(self, row: Order, name: str) -> None:
        if name == "cancel":
            self.cancel(row)
        elif name == "why":
            self.bridge.notice.emit("error", f"{row.order_id}: {row.rejection_reason}")
        else:
            self.modify(row)

    def delete_pressed(self, row: Order) -> None:
        self.cancel(row)

    def fill_menu(self, menu: QMenu, row: Order) -> None:
        if row.status.is_working:
            self.add_item(menu, "Modify", lambda: self.modify(row))
            self.add_item(menu, "Cancel", lambda: self.cancel(row))
            menu.addSeparator()
        self.add_item(menu, "Show in linked docks", lambda: self.pick(row.key))
        self.add_item(menu, "Copy order id", lambda: copy_text(row.order_id))

    def _modify_selected(self) -> None:
        if (row := self.selected_row()) is not None:
            self.modify(row)

    def _cancel_selected(self) -> None:
        if (row := self.selected_row()) is not None:
            self.cancel(row)

    def modify(self, order: Order) -> None:
        """Open the modify window of a working order (one per order)."""
        if not order.status.is_working:
            return
        dialog = self._modify.get(order.order_id)
        if dialog is None:
            dialog = ModifyDialog(self, self.bridge, order)
            self._modify[order.order_id] = dialog
            dialog.finished.connect(lambda _: self._forget(order.order_id))
        name_inner_controls(dialog)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def _forget(self, order_id: str) -> None:
        dialog = self._modify.pop(order_id, None)
        if dialog is not None:
            dialog.deleteLater()

    def cancel(self, order: Order) -> None:
        """Cancel a working order; risk-reducing, so it does not ask."""
        if order.status.is_working:
            self.spawn(self._cancel(order.order_id), "cancel order", sends=True)

    def show_order(self, order_id: str) -> None:
        """Choose the row of an order; the filter gives way."""
        if self.choose_row(order_id):
            return
        self.filter.choose("All")
        self.reload()
        self.choose_row(order_id)

    async def _cancel(self, order_id: str) -> None:
        await self.bridge.cancel(order_id, self.bridge.mode)
