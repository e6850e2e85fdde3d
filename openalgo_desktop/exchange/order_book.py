"""The order book of a paper account, kept ready to be shown."""

from __future__ import annotations

from copy import copy
from datetime import datetime

from openalgo_desktop.core.model import Order
from openalgo_desktop.exchange.paper import PaperBook
from openalgo_desktop.exchange.state import PaperState


class OrderBook:
    """Orders of the session, and every order that still works. The rows are shared and never
    changed: a changed order is a new row."""

    def __init__(self, book: PaperBook) -> None:
        self._book = book
        self._rows: dict[str, Order] = {}
        self._of: tuple[PaperState, datetime] | None = None

    @property
    def is_read(self) -> bool:
        """Whether anybody has asked for it: only then changes have to be taken into it."""
        return self._of is not None

    def rows(self, start: datetime) -> dict[str, Order]:
        """The book by id, oldest first, of the session that began at ``start``; made anew for a
        new session and after a reset."""
        state, known = self._book.state, self._of
        same = known is not None and known[0] is state
        if known is not None and same and known[1] == start:
            return self._rows
        rows = {row.order.order_id: row for row in self._book.all_working()}
        for row in reversed(state.orders.values()):
            if row.order.placed_at is None or row.order.placed_at < start:
                break  # rows are kept in order of placement
            rows[row.order.order_id] = row
        self._rows = {
            order_id: (self._rows.get(order_id) if same else None) or copy(row.order)
            for order_id, row in sorted(rows.items())
        }
        self._of = (state, start)
        return self._rows

    def take(self, order: Order, start: datetime) -> None:
        """An order has a new state. One of an earlier session is listed while it works."""
        earlier = order.placed_at is not None and order.placed_at < start
        if earlier and not order.status.is_working:
            self._rows.pop(order.order_id, None)
        else:
            self._rows[order.order_id] = order
