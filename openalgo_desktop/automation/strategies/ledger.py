"""The order rows of one run: written before an order leaves, then true to what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

import msgspec

from openalgo_desktop.core.enums import OrderStatus
from openalgo_desktop.core.exit_rules import exact
from openalgo_desktop.core.model import Order
from openalgo_desktop.core.strategies.model import ZERO
from openalgo_desktop.core.strategies.rows import RunOrder
from openalgo_desktop.core.strategies.words import OrderKind, OrderState

_STATES = {
    OrderStatus.COMPLETE: OrderState.COMPLETE,
    OrderStatus.CANCELLED: OrderState.CANCELLED,
    OrderStatus.EXPIRED: OrderState.CANCELLED,
    OrderStatus.REJECTED: OrderState.REJECTED,
    OrderStatus.OPEN: OrderState.OPEN,
    OrderStatus.TRIGGER_PENDING: OrderState.OPEN,
}
FINAL = (OrderState.COMPLETE, OrderState.CANCELLED, OrderState.REJECTED)


class Fills(msgspec.Struct):
    """Filled units of one position and their value in rupees of price; ``charges`` rupees."""

    bought: int = 0
    bought_value: Decimal = ZERO
    out: int = 0
    out_value: Decimal = ZERO
    charges: Decimal = ZERO


class Ledger:
    """Rows by position and order. ``save`` takes a changed row under its place (position, number),
    in order; ``charge`` gives what an order's fills cost."""

    def __init__(
        self,
        save: Callable[[str, int, RunOrder], None],
        charge: Callable[[RunOrder], Decimal],
    ) -> None:
        self._save = save
        self._charge = charge
        self._rows: dict[str, list[RunOrder]] = {}  # by position
        self._by_order: dict[str, tuple[str, int]] = {}
        self._costs: dict[tuple[str, int], tuple[int, float, Decimal]] = {}

    def load(self, row: RunOrder) -> int:
        """A row that is on disk; its number within its position."""
        rows = self._rows.setdefault(row.position_ref, [])
        rows.append(row)
        if row.broker_order_id:
            self._by_order[row.broker_order_id] = (row.position_ref, len(rows) - 1)
        return len(rows) - 1

    def rows(self) -> Iterator[RunOrder]:
        """All of them, by position."""
        for rows in self._rows.values():
            yield from rows

    def of(self, ref: str) -> list[RunOrder]:
        """Those of one position, oldest first."""
        return self._rows.get(ref, [])

    def ref_of(self, order_id: str) -> str:
        """The position of an order; empty when it is none of this run."""
        return self._by_order.get(order_id, ("", 0))[0]

    def exit(self, template: RunOrder) -> None:
        """An exit is about to leave (or its next part): a row without an order yet."""
        rows = self._rows.setdefault(template.position_ref, [])
        if any(not row.broker_order_id and row.status is OrderState.PENDING for row in rows):
            return
        rows.append(template)
        self._save(template.position_ref, len(rows) - 1, template)

    def link(self, ref: str, order_id: str, *, entry: bool) -> None:
        """A row that waits for its order has it; else the order gets a row of its own, like the
        first one of its kind."""
        if order_id in self._by_order:
            return
        rows = self._rows.get(ref, [])
        like = [row for row in rows if (row.kind is OrderKind.ENTRY) is entry]
        for number, row in enumerate(rows):
            waits = not row.broker_order_id and row.status is OrderState.PENDING
            if waits and row in like:
                self._put(ref, number, msgspec.structs.replace(row, broker_order_id=order_id))
                self._by_order[order_id] = (ref, number)
                return
        if like:
            more = msgspec.structs.replace(
                like[-1], row_id=0, broker_order_id=order_id, status=OrderState.PENDING,
                filled=0, filled_at=None, average_price=0.0, reject_reason="",
            )  # fmt: skip
            rows.append(more)
            self._by_order[order_id] = (ref, len(rows) - 1)
            self._save(ref, len(rows) - 1, more)

    def update(self, order: Order, at: datetime) -> tuple[RunOrder, RunOrder] | None:
        """What an order of this run has become: its row before and now; None where it says nothing
        new. A final row stays as it is, except that it can have filled more."""
        place = self._by_order.get(order.order_id)
        if place is None:
            return None
        before = self._rows[place[0]][place[1]]
        status = _STATES.get(order.status, before.status)  # unknown ones count as they did
        if before.status in FINAL and (
            status not in FINAL or order.filled_quantity <= before.filled
        ):
            return None
        filled = max(before.filled, order.filled_quantity)
        after = msgspec.structs.replace(
            before,
            status=status,
            quantity=order.quantity or before.quantity,
            filled=filled,
            average_price=order.average_price or before.average_price,
            filled_at=at if filled > before.filled else before.filled_at,
            reject_reason=order.rejection_reason or before.reject_reason,
        )
        if after == before:
            return None
        self._put(place[0], place[1], after)
        return before, after

    def refuse(self, ref: str, why: str) -> None:
        """What waits for an order of a position never got one."""
        for number, row in enumerate(self._rows.get(ref, [])):
            if not row.broker_order_id and row.status is OrderState.PENDING:
                change = msgspec.structs.replace(row, status=OrderState.REJECTED, reject_reason=why)
                self._put(ref, number, change)

    def _put(self, ref: str, number: int, row: RunOrder) -> None:
        self._rows[ref][number] = row
        self._save(ref, number, row)

    def fills(self, ref: str, entry: Decimal) -> Fills:
        """What a position bought and sold; where nobody told an average its ``entry`` counts."""
        found = Fills()
        for number, row in enumerate(self._rows.get(ref, ())):
            if not row.filled:
                continue
            price = exact(row.average_price) if row.average_price > 0 else entry
            if row.kind is OrderKind.ENTRY:
                found.bought += row.filled
                found.bought_value += row.filled * price
            else:
                found.out += row.filled
                found.out_value += row.filled * price
            found.charges += self._cost((ref, number), row)
        return found

    def _cost(self, place: tuple[str, int], row: RunOrder) -> Decimal:
        known = self._costs.get(place)
        if known is not None and known[:2] == (row.filled, row.average_price):
            return known[2]
        cost = self._charge(row)
        self._costs[place] = (row.filled, row.average_price, cost)
        return cost
