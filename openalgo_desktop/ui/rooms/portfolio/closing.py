"""What closing positions would do, for the review before it: orders sent, orders cancelled, and
whether it is asked about."""

from __future__ import annotations

from collections.abc import Sequence

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Order, OrderRequest, Position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt


def _resting(bridge: Bridge, row: Position) -> list[Order]:
    """Limits and stops against a position: they would open the other side once it is flat."""
    return [
        order
        for order in bridge.books.working_of(row.key)
        if order.rests and order.leaves(row) and order.pending_quantity
    ]


def exits(bridge: Bridge, row: Position) -> list[str]:
    """A line for each resting order that is cancelled before the position is left."""
    return [_cancel_text(bridge, order) for order in _resting(bridge, row)]


def _cancel_text(bridge: Bridge, order: Order) -> str:
    places = bridge.places(order.key)
    kind = order.price_type
    units = fmt.lots_text(order.pending_quantity, bridge.lot(order.key))
    text = f"cancel  {order.action.value} {units}"
    text += f" {bridge.name(order.key)} {order.product.value} {kind.value}"
    if kind.has_price:
        text += f" {fmt.exact(order.price, places)}"
    if kind.has_trigger:
        text += f" trigger {fmt.exact(order.trigger_price, places)}"
    return f"{text}    order {order.order_id}"


def lines(bridge: Bridge, rows: Sequence[Position]) -> list[str]:
    """What closing these positions would cancel and send, position by position."""
    found: list[str] = []
    for row in rows:
        found += exits(bridge, row)
        side = "SELL" if row.quantity > 0 else "BUY"
        opened = fmt.signed_money(row.unrealised) if row.ltp else fmt.MISSING
        old = "" if bridge.books.is_live(row) else "  (not live)"
        units = fmt.lots_text(abs(row.quantity), bridge.lot(row.key))
        what = f"{units} {bridge.name(row.key)} {row.product.value}"
        found.append(f"{side} {what} at market    open {opened}{old}")
    return found


def count(bridge: Bridge, rows: Sequence[Position]) -> int:
    """How many resting orders would be cancelled."""
    return sum(len(_resting(bridge, row)) for row in rows)


def words(cancelled: int) -> str:
    """The same in a sentence."""
    if not cancelled:
        return "No limit or stop rests against what is held."
    orders = "1 limit or stop" if cancelled == 1 else f"{cancelled} limits and stops"
    verb = "rests" if cancelled == 1 else "rest"
    return f"{orders} that {verb} against what is held will be cancelled first (listed below)."


def part(held: int, percent: int, lot: int) -> int:
    """Units that are ``percent`` of a position, in whole lots, rounded down but one lot at least;
    0 where that would be all of it though less was asked for (one lot cannot be halved)."""
    units, lot = abs(held), max(1, lot)
    if percent >= 100:
        return units
    wanted = max(1, units * percent // 100 // lot) * lot
    return wanted if wanted < units else 0


def asks(bridge: Bridge, act: Act, row: Position, units: int, mode: Mode) -> tuple[str, ...]:
    """Why to ask before ``units`` of a position go out at market (or turn it), as sentences."""
    side = Action.SELL if row.quantity > 0 else Action.BUY
    request = OrderRequest(row.symbol, row.exchange, side, units, product=row.product)
    try:
        return bridge.orders.why_ask(act, [request], mode)
    except AppError as error:  # the master does not have it any more
        return (error.message,)
