"""What the corridor makes of an order before it goes on, whatever the broker: slices below the
freeze quantity, and limits in place of market orders where those are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from openalgo_desktop.core.enums import PriceType
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest, Part, with_quantity
from openalgo_desktop.core.money import split_freeze
from openalgo_desktop.core.ports import TickSource, TradingGateway
from openalgo_desktop.core.protection import protected_price

#: Most slices of one order: more is a typing error.
MAX_PARTS = 100

_PROTECTED = {PriceType.MARKET: PriceType.LIMIT, PriceType.SLM: PriceType.SL}


def slices(request: OrderRequest, row: Instrument) -> list[OrderRequest]:
    """The order in parts of at most the freeze quantity, however many."""
    parts = split_freeze(request.quantity, row.freeze_qty, row.lot_size)
    return [with_quantity(request, part) for part in parts]


class OrderPolicies:
    """Reads its settings at each order.

    ``trading.freeze_split``: an order above the freeze quantity is sent in slices.
    ``trading.market_protection``: ``never``, ``needed`` (the gateway says that it takes no market
    orders), ``always``.
    """

    def __init__(self, ticks: TickSource, setting: Callable[[str], Any]) -> None:
        self._ticks = ticks
        self._setting = setting

    def split(self, request: OrderRequest, row: Instrument) -> list[OrderRequest]:
        """The order in slices that the exchange takes; itself when it is small enough."""
        freeze = row.freeze_qty
        if not self._setting("trading.freeze_split") or freeze <= 1 or request.quantity <= freeze:
            return [request]
        parts = slices(request, row)
        if len(parts) > MAX_PARTS:
            raise InvalidOrder(
                f"Quantity {request.quantity} needs {len(parts)} orders of at most {freeze}; "
                f"more than {MAX_PARTS} are not sent at once.",
                field="quantity",
            )
        return parts

    async def protect(
        self, request: OrderRequest, row: Instrument, gateway: TradingGateway
    ) -> OrderRequest:
        """A market order as a limit a little through the price, a stop-market as a stop-limit a
        little through its trigger. Raises the error of the price when there is none."""
        when = self._setting("trading.market_protection")
        limited = _PROTECTED.get(request.price_type)
        needed = getattr(gateway, "needs_market_protection", False)
        if limited is None or not (when == "always" or (when == "needed" and needed)):
            return request
        if request.price_type is PriceType.SLM:
            price = request.trigger_price
        else:
            price = (await self._ticks.snapshot(request.key, Part.LTP)).ltp
        if price <= 0:
            raise InvalidOrder(
                f"No price of {request.symbol} is known to protect the market order: send a "
                "limit order.",
                field="pricetype",
            )
        return msgspec.structs.replace(
            request, price_type=limited, price=protected_price(price, request.action, row)
        )
