"""What has been told of each order: turns books and pushes into updates, each change once.

Pushes come twice, late and out of order, and after a lost line the order book fills the gap;
so a message counts only when it moves the order forward.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import OrderStatus
from openalgo_desktop.core.model import Order, OrderUpdate, Trade
from openalgo_desktop.core.money import priced

_SHOWN = (
    "status",
    "quantity",
    "price",
    "trigger_price",
    "price_type",
    "filled_quantity",
    "average_price",
    "rejection_reason",
    "reported_pending",
    "settling",
)


class OrderTracker:
    """The newest known state of every order of an account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Order] = {}

    def clear(self) -> None:
        """Forget all (a new day, another login)."""
        self._known.clear()

    def update(self, orders: Iterable[Order]) -> list[OrderUpdate]:
        """The changes that these rows bring; a fill comes with its trade."""
        found = []
        for order in orders:
            before = self._known.get(order.order_id)
            if before is not None and not _is_news(before, order):
                continue
            # A push may leave out what the book has.
            if before is not None and not order.tag:
                order.tag = before.tag
            self._known[order.order_id] = msgspec.structs.replace(order)
            found.append(
                OrderUpdate(
                    account_id=order.account_id,
                    order=msgspec.structs.replace(order),
                    trade=self._trade(before, order),
                )
            )
        return found

    def _trade(self, before: Order | None, order: Order) -> Trade | None:
        """The execution between two states; its price follows from the averages."""
        was = before.filled_quantity if before is not None else 0
        quantity = order.filled_quantity - was
        if quantity <= 0 or order.average_price <= 0:
            return None
        spent = before.average_price * was if before is not None else 0.0
        price = (order.average_price * order.filled_quantity - spent) / quantity
        trade_id = f"{order.order_id}-{order.filled_quantity}"
        at = order.updated_at or self._clock.now()
        return Trade.of(order, trade_id, quantity, priced(price), at)


def _is_news(before: Order, order: Order) -> bool:
    """Whether ``order`` is a later state than ``before``, not the same and not an older one."""
    if all(getattr(before, name) == getattr(order, name) for name in _SHOWN):
        return False
    if order.filled_quantity < before.filled_quantity:
        return False
    if before.status.is_final:
        # Only more executions or a reason may still follow the end.
        return order.status is before.status and (
            order.filled_quantity > before.filled_quantity
            or (not before.rejection_reason and bool(order.rejection_reason))
        )
    if order.filled_quantity > before.filled_quantity or order.status.is_final:
        return True
    if before.updated_at and order.updated_at and order.updated_at < before.updated_at:
        return False
    return order.status is not OrderStatus.UNKNOWN
