"""What the window wants the order ticket to show: from a row, a position, a ladder, a chart.

The ticket fills its fields; it never sends by itself.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from openalgo_desktop.core.enums import Action, PriceType, Product, Validity
from openalgo_desktop.core.model import Instrument, Key, Order, Position
from openalgo_desktop.core.offered import price_types


class TicketUse(StrEnum):
    """What the order is for. All but ``OPEN`` belong to a position and, but for ``ADD``, may not
    exceed it when they are sent."""

    OPEN = "open"
    EXIT = "exit"
    ADD = "add"
    STOP = "stop"
    TARGET = "target"

    @property
    def leaves(self) -> bool:
        """Whether the order takes the position down."""
        return self in (TicketUse.EXIT, TicketUse.STOP, TicketUse.TARGET)


class TicketWish(msgspec.Struct, frozen=True, kw_only=True):
    """None and 0 leave a field as a new ticket has it; ``action`` None leaves the side to the user.

    Quantities in units, prices in rupees and on the tick.
    """

    key: Key
    use: TicketUse = TicketUse.OPEN
    action: Action | None = None
    quantity: int = 0
    product: Product | None = None
    price_type: PriceType | None = None
    price: float = 0.0
    trigger_price: float = 0.0
    disclosed_quantity: int = 0
    validity: Validity = Validity.DAY


def stop_type(instrument: Instrument) -> PriceType:
    """The stop that is surest to get out: SL-M where the exchange takes it, else SL."""
    return PriceType.SLM if PriceType.SLM in price_types(instrument) else PriceType.SL


def of_position(row: Position, use: TicketUse, instrument: Instrument) -> TicketWish:
    """Exit, add to, or protect a position: side, quantity and product right. Prices of a stop and
    a target are left to the trader."""
    held = Action.BUY if row.quantity > 0 else Action.SELL
    kinds = {
        TicketUse.EXIT: PriceType.MARKET,
        TicketUse.STOP: stop_type(instrument),
        TicketUse.TARGET: PriceType.LIMIT,
    }
    return TicketWish(
        key=row.key,
        use=use,
        action=held.opposite if use.leaves else held,
        quantity=abs(row.quantity) if use.leaves else 0,
        product=row.product,
        price_type=kinds.get(use),
    )


def of_order(order: Order) -> TicketWish:
    """The same order again, to look at and send."""
    return TicketWish(
        key=order.key,
        action=order.action,
        quantity=order.quantity,
        product=order.product,
        price_type=order.price_type,
        price=order.price,
        trigger_price=order.trigger_price,
        disclosed_quantity=order.disclosed_quantity,
        validity=order.validity,
    )
