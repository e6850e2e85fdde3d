"""The order book: tabs with counts, a filter, changes in the row, cancellations of several."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise, starmap

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from openalgo_desktop.core.enums import OrderStatus
from openalgo_desktop.core.model import Key, Order, OrderRequest
from openalgo_desktop.core.ticketing import of_order
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.turns import parts
from openalgo_desktop.ui.kit.dialogs import come_up
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.kit.trader_words import source_text
from openalgo_desktop.ui.kit.widgets import copy_text, label, named, push_button
from openalgo_desktop.ui.rooms.orders.order_changes import OrderChanges
from openalgo_desktop.ui.rooms.orders.order_columns import OrderColumns
from openalgo_desktop.ui.rooms.orders.order_text import OrderText

FILTERS: dict[str, frozenset[OrderStatus]] = {
    "Open": frozenset(status for status in OrderStatus if not status.is_final),
    "Executed": frozenset({OrderStatus.COMPLETE}),
    "Rejected": frozenset({OrderStatus.REJECTED}),
    "All": frozenset(OrderStatus),
}
NOTHING = {
    "Open": "No open orders.",
    "Executed": "Nothing was executed today.",
    "Rejected": "No rejected orders.",
    "All": "No orders today.\nBuy or sell with the order ticket.",
}
#: The filter looks once nobody has typed for so long, milliseconds.
TYPING = 120
#: Rows that wait for an answer are looked at so often, milliseconds.
LOOK_MS = 1000


def _is_newer(order: Order, other: Order) -> bool:
    """Whether ``order`` was placed when ``other`` was, or after it."""
    at, before = order.placed_at, other.placed_at
    return at is not None and before is not None and at >= before


class OrdersDock(TableDock[Order]):
    """All orders of the mode; newest first."""

    name = "orders"
    drags = True
    title = "Orders"
    linkable = True
    many = True
    empty_text = NOTHING["All"]
    book = "orders"
    priority = 1

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.changes = OrderChanges(self, bridge)
        self.columns = OrderColumns(bridge, self.changes.waiting, time.monotonic).all()
        super().__init__(bridge, name, parent)
        self._states: dict[str, OrderStatus] = {}  # of all orders, for the counts
        self._counts: Counter[OrderStatus] = Counter()
        self._texts: dict[str, tuple[Order, str]] = {}  # what the filter looks into
        self._needle = ""
        self.filter = Segments("orders-filter", "Show orders", tuple(FILTERS), compact=True)
        self.filter.choose("All")
        self.filter.changed.connect(lambda _: self.refresh())
        self.search = named(QLineEdit(), "orders-search", "Filter orders by text")
        self.search.setPlaceholderText("Filter")
        self.search.setToolTip("Symbol, side, status, product, source, tag, id or reason")
        self.search.setClearButtonEnabled(True)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING)
        self._typing.timeout.connect(self._on_typed)
        self.search.textChanged.connect(lambda _: self._typing.start())
        self.modify_button = push_button(
            "Modify", "orders-modify", "Modify the selected order", self._modify_selected
        )
        self.cancel_button = sends(
            push_button(
                "Cancel", "orders-cancel", "Cancel the selected orders", self.cancel_selected
            )
        )
        self.search.setMinimumWidth(self.search.fontMetrics().horizontalAdvance("m" * 12))
        self.add_head((self.filter, self.search), self.modify_button, self.cancel_button)
        self.unanswered = label("", "orders-unanswered", "warning")
        self.unanswered.setContentsMargins(10, 3, 10, 3)
        self.unanswered.hide()
        self.content.insertWidget(1, self.unanswered)
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._look_at_waiting)
        self._look.start()
        self.listen(bridge.books.orders_changed, self.refresh)
        self.listen(bridge.books.orders_updated, self._on_orders)
        self.listen(bridge.work.waiting_changed, self._show_unanswered)
        self.listen(bridge.mode_changed, lambda _: self.changes.leave())
        self.selection_changed.connect(self._on_selection)

    def key_of(self, row: Order) -> Key | None:
        return row.key

    def row_id(self, row: Order) -> str:
        return row.order_id

    # -- rows -------------------------------------------------------------------------------
    def reload(self) -> None:
        """Show the book through the filter."""
        orders = list(self.bridge.books.orders.values())
        orders.reverse()
        self.load(self._reading(orders), len(orders))

    def _reading(self, orders: list[Order]) -> Iterator[None]:
        """Take these orders in, step by step."""
        if len(self._texts) > 2 * len(orders):
            self._texts.clear()
        wanted = FILTERS[self.filter.value()]  # once: the field is asked for its buttons
        states: dict[str, OrderStatus] = {}
        counts: Counter[OrderStatus] = Counter()
        rows: list[Order] = []
        before: Sequence[Order] = orders[:1]
        in_order = True
        for part in parts(orders):
            states.update((order.order_id, order.status) for order in part)
            counts.update(order.status for order in part)
            in_order = in_order and all(starmap(_is_newer, pairwise((*before, *part))))
            rows += [o for o in part if o.status in wanted and self._finds(o)]
            before = part[-1:]
            yield
        if not in_order:
            moments: list[float] = []
            for part in parts(rows):
                moments += [o.placed_at.timestamp() if o.placed_at else 0.0 for o in part]
                yield
            order_of = sorted(range(len(rows)), key=moments.__getitem__, reverse=True)
            rows = [rows[place] for place in order_of]
        yield from self.taking(rows)
        self._states, self._counts = states, counts
        self._show_counts()
        self.changes.check()

    def _nothing(self) -> str:
        said = super()._nothing()
        if said != self.empty_text:  # the book is incomplete
            return said
        if self._needle and self._states:
            return f"No order has “{self.search.text().strip()}” in it."
        return NOTHING[self.filter.value()]

    def _keeps(self, order: Order) -> bool:
        return order.status in FILTERS[self.filter.value()] and self._finds(order)

    def _finds(self, order: Order) -> bool:
        return not self._needle or self._needle in self._text(order)

    def _text(self, order: Order) -> str:
        """What the filter looks into, made once for each state of an order."""
        known = self._texts.get(order.order_id)
        if known is not None and known[0] is order:
            return known[1]
        parts = (
            self.bridge.name(order.key),
            order.symbol,
            order.exchange,
            order.action,
            order.price_type,
            order.product,
            order.status,
            source_text(order.source) if order.source else "",
            order.strategy,
            order.tag,
            order.order_id,
            order.rejection_reason,
        )
        text = " ".join(parts).casefold()
        self._texts[order.order_id] = (order, text)
        return text

    def _on_typed(self) -> None:
        needle = " ".join(self.search.text().casefold().split())
        if needle != self._needle:
            self._needle = needle
            self.refresh()

    def _on_orders(self, orders: list[Order]) -> None:
        """Touch the rows of these orders, and put new ones before the others."""
        self.changes.answered(orders)
        if self.is_hidden() or self._whole:
            self._whole = self.dirty = True
        elif self.long_load.under_way:
            self.long_load.after(partial(self._show_changes, orders))
        else:
            self._show_changes(orders)

    def _show_changes(self, orders: list[Order]) -> None:
        fresh: list[Order] = []
        for order in {order.order_id: order for order in orders}.values():
            self._count(order)
            keep = self._keeps(order)
            if self.replace_row(order, keep):
                continue
            newest = fresh[-1] if fresh else self.rows[0] if self.rows else None
            if not keep or not (newest is None or _is_newer(order, newest)):
                return self.reload_soon()
            fresh.append(order)
        if fresh:
            self.add_front(fresh[::-1])
        self._show_counts()
        self.changes.check()
        self.dirty = True

    def _count(self, order: Order) -> None:
        before = self._states.get(order.order_id)
        if before is not None:
            self._counts[before] -= 1
        self._states[order.order_id] = order.status
        self._counts[order.status] += 1

    def _show_counts(self) -> None:
        working = self.bridge.books.working_count
        self.set_subject(f"{working} working of {len(self._states)}")
        counts = self._counts.items()
        self.filter.show_counts(
            {
                name: sum(count for status, count in counts if status in kept)
                for name, kept in FILTERS.items()
            }
        )
        self._on_selection()

    def _on_selection(self) -> None:
        working = [row for row in self.selected_rows() if row.status.is_working]
        self.modify_button.setEnabled(len(working) == 1)
        self.cancel_button.setEnabled(bool(working))
        self.cancel_button.setText(f"Cancel {len(working)}" if len(working) > 1 else "Cancel")

    def flush(self) -> None:
        super().flush()
        self.changes.place()

    # -- no answer yet ----------------------------------------------------------------------
    def _show_unanswered(self, count: int) -> None:
        what = "1 order write has" if count == 1 else f"{count} order writes have"
        self.unanswered.setText(
            f"⚠ {what} no answer yet: the account is being asked, nothing is sent again"
        )
        self.unanswered.setVisible(bool(count))

    def _look_at_waiting(self) -> None:
        """Rows that wait for an answer say so by themselves, once it is overdue."""
        if self.is_hidden():
            return
        unsure = self._counts[OrderStatus.PENDING] + self._counts[OrderStatus.UNKNOWN]
        late = set(self.changes.asked())
        if unsure:
            late |= {row.order_id for row in self.rows if not _is_known(row)}
        for order_id in late:
            if (row := self.row_of(order_id)) is not None:
                self.row_changed(row)

    # -- interaction ------------------------------------------------------------------------
    def activated(self, row: Order) -> None:
        self.pick(row.key)

    def act(self, row: Order, name: str) -> None:
        if name == "cancel":
            self.cancel(row)
        elif name == "why":
            reason = self.bridge.names.spoken(row.rejection_reason)
            self.bridge.notice.emit("error", f"{row.order_id}: {reason}")
        elif name == "repeat":
            self.repeat(row)
        else:
            self.modify(row)

    def row_keys(self) -> Mapping[str, Callable[[Order], object]]:
        return {"cancel": lambda _row: self.cancel_selected(), "edit": self.modify}

    def fill_menu(self, menu: QMenu, row: Order) -> None:
        chosen = self.selected_rows()
        working = [order for order in chosen if order.status.is_working]
        if len(chosen) > 1:
            if working:
                self.add_item(menu, f"Cancel {len(working)} orders", self.cancel_selected)
            return
        if row.status.is_working:
            self.changes.fill_menu(menu, row)
            self.add_item(menu, "Cancel", partial(self.cancel, row))
            if parts := self._working_parts(row):
                text = f"Cancel all {len(parts)} working parts"
                self.add_item(menu, text, partial(self.changes.cancel, parts))
            menu.addSeparator()
        self.add_item(menu, "Repeat in the ticket…", partial(self.repeat, row))
        self.add_item(menu, "Add to basket", partial(self.to_basket, row))
        self.add_item(menu, "Show in linked docks", lambda: self.pick(row.key))
        for kind, text in (("chart", "Show chart"), ("ladder", "Show ladder")):
            self.add_item(menu, text, partial(self.bridge.dock_wanted.emit, kind, row.key))
        self.add_item(menu, "Copy order id", partial(copy_text, row.order_id))
        self.add_item(menu, "Raw JSON…", partial(self.show_raw, row))

    def repeat(self, order: Order) -> None:
        """The same order again in the ticket; nothing is sent."""
        self.bridge.ticket_wanted.emit(of_order(order))

    def to_basket(self, order: Order) -> None:
        """The same order again as a line of the basket; nothing is sent."""
        self.bridge.basket_wanted.emit(
            OrderRequest(
                symbol=order.symbol,
                exchange=order.exchange,
                action=order.action,
                quantity=order.quantity,
                price_type=order.price_type,
                product=order.product,
                price=order.price if order.price_type.has_price else 0.0,
                trigger_price=order.trigger_price if order.price_type.has_trigger else 0.0,
                disclosed_quantity=order.disclosed_quantity,
                validity=order.validity,
            )
        )

    def _working_parts(self, order: Order) -> list[Order]:
        """The slices of the same order that still work, where there are others."""
        part_of = self.bridge.orders.part_of
        mine = part_of(order)
        if mine is None:
            return []
        found = [
            other
            for other in self.bridge.books.orders.values()
            if other.status.is_working
            and (its := part_of(other)) is not None
            and its.parent == mine.parent
        ]
        return found if len(found) > 1 else []

    def show_raw(self, order: Order) -> None:
        """The row as JSON."""
        dialog = OrderText(self, self.bridge, order)
        dialog.finished.connect(dialog.deleteLater)
        come_up(dialog)

    def _modify_selected(self) -> None:
        working = [row for row in self.selected_rows() if row.status.is_working]
        if working:
            self.modify(working[0])

    def modify(self, order: Order) -> None:
        """Change a working order in its row."""
        self.changes.edit(order)

    def cancel_selected(self) -> None:
        """Cancel the working ones of the selected orders."""
        self.changes.cancel([row for row in self.selected_rows() if row.status.is_working])

    def cancel(self, order: Order) -> None:
        """Cancel a working order; risk-reducing, so it does not ask unless the settings say so."""
        self.changes.cancel([order])

    def show_order(self, order_id: str) -> None:
        """Choose the row of an order; the filters give way."""
        if self.choose_row(order_id):
            return
        self.search.clear()
        self._needle = ""
        self.filter.choose("All")
        self.reload()
        self.long_load.after(lambda: self.choose_row(order_id))

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        return super().save_state() | {"filter": self.filter.value()}

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        chosen = state.get("filter")
        if isinstance(chosen, str) and chosen in FILTERS:
            self.filter.choose(chosen)


def _is_known(order: Order) -> bool:
    return order.status not in (OrderStatus.PENDING, OrderStatus.UNKNOWN)


__all__: Sequence[str] = ("FILTERS", "OrdersDock")
