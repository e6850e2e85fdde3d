"""What the corridor makes of an order before it goes on, whatever the broker: slices below the
freeze quantity, and limits in place of market orders where those are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest, Part, with_quantity
from openalgo_desktop.core.money import split_freeze
from openalgo_desktop.core.ports import TickSource, TradingGateway
from openalgo_desktop.core.protection import ALWAYS, needs_price, no_price, protect
from openalgo_desktop.core.traits import ProtectRule

#: Most slices of one order: more is a typing error.
MAX_PARTS = 100


def slices(request: OrderRequest, row: Instrument) -> list[OrderRequest]:
    """The order in parts of at most the freeze quantity, however many."""
    parts = split_freeze(request.quantity, row.freeze_qty, row.lot_size)
    return [with_quantity(request, part) for part in parts]


class OrderPolicies:
    """Reads its settings at each order.

    ``trading.freeze_split``: an order above the freeze quantity is sent in slices.
    ``trading.market_protection``: ``never``, ``needed`` (where the gateway's traits say so),
    ``always``.
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
        self,
        request: OrderRequest,
        row: Instrument,
        gateway: TradingGateway,
        *,
        retyped: bool = True,
    ) -> OrderRequest:
        """A market order as a limit a little through the price, a stop-market as a stop-limit a
        little through its trigger. ``retyped`` is False for a change that leaves an order's type
        as it is: then only the broker's own rule counts. Raises :class:`InvalidOrder` when no
        price is known."""
        rule = self._rule(gateway, retyped)
        price = 0.0
        if needs_price(request, rule):
            try:
                price = (await self._ticks.snapshot(request.key, Part.LTP)).ltp
            except AppError as error:
                raise no_price(request.symbol, error.message) from error
        return protect(request, row, price, rule)

    def _rule(self, gateway: TradingGateway, retyped: bool) -> ProtectRule:
        when = self._setting("trading.market_protection")
        if when == "always" and retyped:
            return ALWAYS
        return {} if when == "never" else gateway.traits.protect
