"""Whether an order still is what it was filled in for: of its position, and never more of it."""

from __future__ import annotations

from collections.abc import Iterable

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.model import OrderRequest, Position
from openalgo_desktop.core.ticketing import TicketUse


def held_of(positions: Iterable[Position], request: OrderRequest) -> Position | None:
    """The open position that the order would change."""
    for row in positions:
        if (row.key, row.product) == (request.key, request.product) and row.quantity:
            return row
    return None


def still_fits(
    use: TicketUse, product: Product | None, request: OrderRequest, held: Position | None
) -> bool:
    """Whether side and product are still those of the use."""
    sign = -1 if use.leaves else 1
    fits = held is not None and held.quantity * request.action.sign * sign > 0
    return fits and request.product is product


def too_much(use: TicketUse, request: OrderRequest, held: Position | None) -> str:
    """Why the order would take more than is held, also when that shrank since it was filled in;
    empty when it does not."""
    if not use.leaves:
        return ""
    units = abs(held.quantity) if held is not None else 0
    if request.quantity <= units:
        return ""
    return f"Only {units} are held now." if units else "Nothing is held any more."


def is_typed(request: OrderRequest) -> bool:
    """Whether every price that belongs to the order has been typed (or followed)."""
    kind = request.price_type
    return not (
        (kind.has_trigger and not request.trigger_price) or (kind.has_price and not request.price)
    )
