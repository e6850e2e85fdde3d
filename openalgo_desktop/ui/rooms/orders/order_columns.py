"""Columns of the order book, and how an order reads."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import msgspec

from openalgo_desktop.core.enums import Action, OrderStatus
from openalgo_desktop.core.model import Order
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.names import symbol_column
from openalgo_desktop.ui.kit.table_dock import Col
from openalgo_desktop.ui.kit.tables import RowAction
from openalgo_desktop.ui.kit.trader_words import source_text

STATUS_TONE = {
    OrderStatus.OPEN: "buy",
    OrderStatus.TRIGGER_PENDING: "warning",
    OrderStatus.COMPLETE: "up",
    OrderStatus.REJECTED: "down",
    OrderStatus.UNKNOWN: "warning",
    OrderStatus.PENDING: "warning",
}
WORKING_ACTIONS = (RowAction("modify", "Modify"), RowAction("cancel", "Cancel", "down"))
WHY = (RowAction("why", "Why?"),)
REPEAT = (RowAction("repeat", "Repeat"),)
#: An answer that is not there after so many seconds is told in the row.
PATIENCE = 3.0
NO_ANSWER = "No answer yet, querying"


class Waiting(msgspec.Struct):
    """What was asked of an order here, and since when its answer is awaited (monotonic seconds;
    never, while the user is asked)."""

    word: str
    since: float = inf


def side_tone(action: Action) -> str:
    """Colour role of a side."""
    return "buy" if action is Action.BUY else "sell"


def quantity_text(order: Order, lot: int) -> str:
    """``0 / 2 lots · 130``, or ``4 / 10`` where there are no lots."""
    filled, units = order.filled_quantity, order.quantity
    if lot <= 1 or units % lot:
        return f"{fmt.quantity(filled)} / {fmt.quantity(units)}"
    lots = units // lot
    word = "lot" if lots == 1 else "lots"
    done = f"{filled / lot:g}"
    return f"{done} / {fmt.quantity(lots)} {word} · {fmt.quantity(units)}"


class OrderColumns:
    """Makes the columns. ``waiting`` tells what was asked of an order and is not answered,
    ``now`` the monotonic time in seconds."""

    def __init__(
        self,
        bridge: Bridge,
        waiting: Callable[[str], Waiting | None],
        now: Callable[[], float],
    ) -> None:
        self._bridge = bridge
        self._waiting = waiting
        self._now = now

    def all(self) -> tuple[Col[Order], ...]:
        """In their order."""
        bridge = self._bridge
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
                112,
                lambda o: o.quantity,
                lambda o: quantity_text(o, bridge.lot(o.key)),
                copied=lambda o: str(o.quantity),
            ),
            Col(
                "filled",
                "Filled",
                70,
                lambda o: o.filled_quantity,
                lambda o: fmt.quantity(o.filled_quantity),
                hidden=True,
            ),
            Col(
                "status",
                "Status",
                112,
                self.status,
                tone=self._tone,
                tint=lambda o: "warning" if self.is_late(o) else "",
                numeric=False,
            ),
            self._price("price", "Price", lambda o: o.price),
            self._price("trigger", "Trigger", lambda o: o.trigger_price),
            Col(
                "action",
                "",
                124,
                lambda o: o.status.is_working,
                numeric=False,
                spoken="Buttons",
                actions=_actions,
            ),
            Col("type", "Type", 64, lambda o: o.price_type.value, numeric=False),
            Col("product", "Prod", 50, lambda o: o.product.value, numeric=False),
            self._price("average", "Avg", lambda o: o.average_price),
            Col("source", "Source", 90, lambda o: source_text(o.source), numeric=False),
            Col("strategy", "Strategy", 90, lambda o: o.strategy, numeric=False),
            Col(
                "latency",
                "Latency",
                70,
                bridge.orders.time_of,
                lambda o: _latency(bridge.orders.time_of(o)),
                tooltip="From sending to the answer; known of orders of this run",
            ),
            Col(
                "reason",
                "Reason",
                320,
                lambda o: o.rejection_reason,
                lambda o: bridge.names.spoken(o.rejection_reason),
                lambda o: "down",
                numeric=False,
                elides=True,
            ),
            Col("validity", "Validity", 62, lambda o: o.validity.value, numeric=False, hidden=True),
            Col(
                "disclosed",
                "Disclosed",
                76,
                lambda o: o.disclosed_quantity,
                lambda o: fmt.quantity(o.disclosed_quantity) if o.disclosed_quantity else "all",
                hidden=True,
                tooltip="How much of it the depth shows at a time, in units",
            ),
            Col(
                "part",
                "Part of",
                110,
                self._parent,
                self._part,
                numeric=False,
                hidden=True,
                tooltip="Slices of one order above the freeze quantity",
            ),
            Col("tag", "Tag", 150, lambda o: o.tag, numeric=False, hidden=True),
            Col("exchange", "Exch", 52, lambda o: o.exchange, numeric=False),
            Col("id", "Order id", 150, lambda o: o.order_id, numeric=False),
        )

    def _price(self, key: str, title: str, value: Callable[[Order], float]) -> Col[Order]:
        def text(order: Order) -> str:
            price = value(order)
            return fmt.exact(price, self._bridge.places(order.key)) if price else fmt.MISSING

        return Col(key, title, 82, value, text)

    def _parent(self, order: Order) -> str:
        """Slices of one order stand together, in their order."""
        found = self._bridge.orders.part_of(order)
        return "" if found is None else f"{found.parent} {found.part:04d}"

    def _part(self, order: Order) -> str:
        found = self._bridge.orders.part_of(order)
        return "" if found is None else f"{found.part} of {found.parts} · {found.parent[-6:]}"

    # -- state ------------------------------------------------------------------------------
    def is_late(self, order: Order) -> bool:
        """Whether an answer is overdue: nothing is sent again, the account is asked."""
        asked = self._waiting(order.order_id)
        if asked is not None and self._now() - asked.since >= PATIENCE:
            return True
        if order.status is OrderStatus.UNKNOWN:
            return True
        if order.status is not OrderStatus.PENDING or order.placed_at is None:
            return False
        return (self._bridge.now() - order.placed_at).total_seconds() >= PATIENCE

    def status(self, order: Order) -> str:
        """The state, or what is being asked of the order."""
        if self.is_late(order):
            return NO_ANSWER
        asked = self._waiting(order.order_id)
        word = order.status.value if asked is None else f"{asked.word}…"
        return word.capitalize()

    def _tone(self, order: Order) -> str:
        if self.is_late(order):
            return "warning"
        return STATUS_TONE.get(order.status, "muted")


def _actions(order: Order) -> tuple[RowAction, ...]:
    if order.status.is_working:
        return WORKING_ACTIONS
    if not order.status.is_final:
        return ()
    return REPEAT + WHY if order.rejection_reason else REPEAT


def _latency(milliseconds: float | None) -> str:
    return fmt.MISSING if milliseconds is None else f"{milliseconds:,.0f} ms"
