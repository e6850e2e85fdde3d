"""What an order book says about a journal entry: is this its order, and what became of it? Pure."""

from __future__ import annotations

import msgspec

from openalgo_desktop.core.enums import GttType, JournalState, OrderStatus
from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.core.model import BookRows, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ports import JournalEntry

#: Where the broker keeps no tag, an order with the same attributes belongs to an intent when it
#: was placed from this long before (clocks differ) to this long after it; seconds.
EARLIER, LATER = 5.0, 120.0


def order_of_entry(entry: JournalEntry) -> Order:
    """An unsettled *place* as a row for the order book, with status unknown."""
    request = msgspec.convert(entry.request, OrderRequest)
    return Order(
        order_id=entry.order_id or entry.tag,
        symbol=request.symbol,
        exchange=request.exchange,
        action=request.action,
        quantity=request.quantity,
        price_type=request.price_type,
        product=request.product,
        price=request.price,
        trigger_price=request.trigger_price,
        disclosed_quantity=request.disclosed_quantity,
        validity=request.validity,
        status=OrderStatus.UNKNOWN,
        rejection_reason=entry.message,
        placed_at=entry.created_at,
        updated_at=entry.updated_at,
        strategy=request.strategy,
        tag=entry.tag,
        source=entry.source,
        account_id=entry.account_id,
    )


def outcome(entry: JournalEntry, order: Order) -> tuple[JournalState, str] | None:
    """What the order book says about ``entry``; None when it does not show an effect (yet)."""
    if entry.kind == "place":
        if order.status is OrderStatus.REJECTED:
            return JournalState.REJECTED, order.rejection_reason or "rejected"
        return JournalState.ACKNOWLEDGED, "it was found in the order book"
    if entry.kind == "cancel":
        done = order.status is OrderStatus.CANCELLED
    else:
        done = _has_values(order, msgspec.convert(entry.request, ModifyRequest))
    if done:
        return JournalState.ACKNOWLEDGED, "the order book shows it"
    if order.status.is_final:
        return JournalState.REJECTED, f"too late, the order was {order.status.value}"
    return None


def gtt_outcome(entry: JournalEntry, book: BookRows[Gtt]) -> str:
    """The trigger id when the GTT book shows that ``entry`` took effect, else empty: a placement by
    its tag, a cancellation by absence from a whole book, a change by the values asked for."""
    if entry.kind == "gtt_place":
        return next((row.trigger_id for row in book if row.tag == entry.tag), "")
    row = next((row for row in book if row.trigger_id == entry.order_id), None)
    if entry.kind == "gtt_cancel":
        return "" if row is not None or book.partial else entry.order_id
    request = msgspec.convert(entry.request, GttRequest)
    return entry.order_id if row is not None and _gtt_has_values(row, request) else ""


def _gtt_has_values(row: Gtt, request: GttRequest) -> bool:
    single = request.trigger_type is GttType.SINGLE
    wanted = (
        (request.trigger_below, request.price if single else request.stoploss),
        (request.trigger_above, request.price if single else request.target),
    )
    priced = request.price_type.has_price
    asked = sorted((trigger, price if priced else 0.0) for trigger, price in wanted if trigger)
    shown = sorted((leg.trigger_price, leg.price if priced else 0.0) for leg in row.legs)
    return row.quantity == request.quantity and asked == shown


def may_be_of(flying: OrderRequest, request: OrderRequest, orders: list[Order]) -> bool:
    """Whether one of ``orders``, taken for that of ``request``, may be the order of ``flying``:
    what was modified may have been anything."""
    if msgspec.structs.replace(flying, strategy="") == msgspec.structs.replace(
        request, strategy=""
    ):
        return True
    return (flying.key, flying.action, flying.product) == (
        request.key,
        request.action,
        request.product,
    ) and any(_was_modified(order) for order in orders)


def _was_modified(order: Order) -> bool:
    return order.updated_at is not None and order.updated_at != order.placed_at


def is_untouched(entry: JournalEntry, request: OrderRequest, order: Order) -> bool:
    """The order is exactly what was asked, and nothing happened to it since."""
    return not _was_modified(order) and is_alike(entry, request, order)


def is_alike(entry: JournalEntry, request: OrderRequest, order: Order) -> bool:
    """The order is what was asked, and was placed when it was asked."""
    return (
        _is_of(entry, request, order)
        and order.quantity == request.quantity
        and order.price_type is request.price_type
        and (not request.price_type.has_price or order.price == request.price)
        and (not request.price_type.has_trigger or order.trigger_price == request.trigger_price)
    )


def is_changed(entry: JournalEntry, request: OrderRequest, order: Order) -> bool:
    """The order may be what was asked and was modified since."""
    return _was_modified(order) and _is_of(entry, request, order)


def _is_of(entry: JournalEntry, request: OrderRequest, order: Order) -> bool:
    same = (
        order.symbol == request.symbol
        and order.exchange == request.exchange
        and order.action is request.action
        and order.product is request.product
    )
    if not same or order.placed_at is None:
        return same
    return -EARLIER <= (order.placed_at - entry.created_at).total_seconds() <= LATER


def _has_values(order: Order, wanted: ModifyRequest) -> bool:
    pairs = (
        (wanted.quantity, order.quantity),
        (wanted.price, order.price),
        (wanted.trigger_price, order.trigger_price),
    )
    return all(asked is None or asked == has for asked, has in pairs)
