"""Orders that are worked out from the position: bring it to a wanted size."""

from __future__ import annotations

import msgspec

from openalgo_desktop.core.enums import Action, Mode, PriceType
from openalgo_desktop.core.model import OrderRequest, with_quantity
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.underway import key_of

MATCHED = "Positions Already Matched. No Action needed."
NOTHING_TO_EXIT = "No OpenPosition Found. Not placing Exit order."


class NotNeeded(msgspec.Struct, frozen=True):
    """The position is as wanted already."""

    mode: Mode
    message: str


def smart_order(request: OrderRequest, target: int, current: int) -> OrderRequest | str:
    """The order that brings ``current`` to ``target`` (signed units), or why none is needed.

    Action and quantity of ``request`` count only for a plain entry: target and position 0,
    quantity given.
    """
    if target == 0 and current == 0 and request.quantity > 0:
        return request
    if target == current:
        return NOTHING_TO_EXIT if request.quantity == 0 and current == 0 else MATCHED
    change = target - current
    side = Action.BUY if change > 0 else Action.SELL
    return msgspec.structs.replace(with_quantity(request, abs(change)), action=side)


class SmartOrders:
    """Smart orders of one desk: the target less the position and all that is under way to it."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    async def place(
        self, request: OrderRequest, target: int, source: str, mode: Mode | None = None
    ) -> Placed | NotNeeded:
        """Send what is missing to ``target``. Errors and ``mode`` as :meth:`OrderDesk.place`;
        a position that cannot be read raises its error and sends nothing."""
        mode = mode or self._desk.mode
        key = key_of(request)
        async with self._desk.under_way.lock(mode, key):
            view = await self._desk.under_way.view(mode, self._desk.gateway_of(mode), key)
            # A stop does not count towards a target, but a repeated smart stop is no second one.
            expected = view.expected(triggers=request.price_type.has_trigger)
            order = smart_order(request, target, expected)
            if isinstance(order, str):
                return NotNeeded(mode, order)
            reduces = order.action.sign * view.held < 0 and order.quantity <= view.to_close
            closing = reduces and order.price_type is PriceType.MARKET
            return await self._desk.place(order, source, mode, closing=closing)
