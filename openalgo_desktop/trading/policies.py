"""What the corridor makes of an order before it goes on, whatever the broker: slices below the
freeze quantity, and limits in place of market orders where those are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from openalgo_desktop.core.enums import PriceType
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.model import Instrument, Key, OrderRequest, with_quantity
from openalgo_desktop.core.money import split_freeze
from openalgo_desktop.core.ports import TickSource, TradingGateway
from openalgo_desktop.core.protection import (
    ALWAYS,
    is_protected,
    needs_price,
    no_price,
    protect,
    within_circuits,
)
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.core.traits import ProtectRule

#: An exit that is priced by what was last known, and not by the market now, goes out so many times
#: as far through the price.
OLD_PRICE_TIMES = 3.0
#: Longest time that exits wait for prices which are asked together.
PREPARE_SECONDS = 2.0
#: Most slices of one order: more is a typing error.
MAX_PARTS = 100
#: Whether exits that go out now are limits, whatever the settings say: a human asked for it.
protected_exits: ContextVar[bool] = ContextVar("protected_exits", default=False)


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
        self._asked: dict[Key, Tick] = {}  # for exits that go out together
        self._held_at: dict[Key, float] = {}
        self._together = 0  # closings that use them now; two modes may close at once

    def split(self, request: OrderRequest, row: Instrument) -> list[OrderRequest]:
        """The order in slices that the exchange takes; itself when it is small enough."""
        freeze = row.freeze_qty
        if not self._setting("trading.freeze_split") or freeze <= 1 or request.quantity <= freeze:
            return [request]
        parts = len(split_freeze(request.quantity, freeze, row.lot_size))
        if parts > MAX_PARTS:  # before a million requests are made of a typing error
            raise InvalidOrder(
                f"Quantity {request.quantity} needs {parts} orders of at most {freeze}; "
                f"more than {MAX_PARTS} are not sent at once.",
                field="quantity",
            )
        return slices(request, row)

    def last(self, key: Key) -> float:
        """The last price, rupees; 0 while no fresh one is known."""
        tick = self._ticks.fresh(key, Part.LTP)
        return tick.ltp if tick is not None else 0.0

    async def protect(
        self,
        request: OrderRequest,
        row: Instrument,
        gateway: TradingGateway,
        *,
        retyped: bool = True,
        closing: bool = False,
        held_at: float = 0.0,
    ) -> OrderRequest:
        """A market order as a limit a little through the price, a stop-market as a stop-limit a
        little through its trigger. ``retyped`` is False for a change that leaves an order's type
        as it is: then only the broker's own rule counts. Raises :class:`NoPrice` when no
        price is known. What is ``closing`` a position gets out with an old one too, further
        through it, in the end with the one that the position book has (``held_at``): what left the
        symbol master has no other."""
        rule = self._rule(gateway, retyped, closing)
        ticks = gateway.traits.ticks
        if not needs_price(request, rule):
            return protect(request, row, 0.0, rule, ticks=ticks)
        market = self._prepared(request.key) if closing else None
        if market is None:
            try:
                market = await self._ticks.snapshot(request.key, Part.LTP)
            except AppError as error:
                if closing and (old := self._last_known(request.key) or held_at) > 0:
                    return protect(request, row, old, rule, times=OLD_PRICE_TIMES, ticks=ticks)
                raise no_price(request.symbol, error.message) from error
        return within_circuits(protect(request, row, market.ltp, rule, ticks=ticks), market)

    async def prepare(
        self, keys: Iterable[Key], held_at: Mapping[Key, float], gateway: TradingGateway
    ) -> None:
        """Ask for the prices of exits that will go out together, in one go: one after the other
        they would run into the broker's limit on quotes. ``held_at`` are the last prices that
        the position book has, rupees. :meth:`prepared_over` ends their use."""
        self._together += 1
        rule = self._rule(gateway, True, True)
        wanted = [
            key
            for key in dict.fromkeys(keys)
            if is_protected(PriceType.MARKET, key[0], rule)
            and self._ticks.fresh(key, Part.LTP) is None
        ]
        self._held_at |= held_at
        if len(wanted) < 2:
            return
        try:
            async with asyncio.timeout(PREPARE_SECONDS):  # nothing leaves meanwhile
                found = await self._ticks.quotes(wanted)
        except (AppError, TimeoutError):
            return  # each asks for itself, or takes what was last known
        self._asked |= {key: tick for key, tick in found.items() if isinstance(tick, Tick)}

    def prepared_over(self) -> None:
        """The exits of one :meth:`prepare` are out: their prices grow old."""
        self._together -= 1
        if not self._together:
            self._asked, self._held_at = {}, {}

    def _prepared(self, key: Key) -> Tick | None:
        found = self._ticks.fresh(key, Part.LTP) or self._asked.get(key)
        return found if found is not None and found.knows(Part.LTP) and found.ltp > 0 else None

    def _last_known(self, key: Key) -> float:
        """The last price that anybody had; 0 for none."""
        tick = self._ticks.latest(key)
        if tick is not None and tick.knows(Part.LTP) and tick.ltp > 0:
            return tick.ltp
        return self._held_at.get(key, 0.0)

    def _rule(self, gateway: TradingGateway, retyped: bool, closing: bool) -> ProtectRule:
        if closing and protected_exits.get():
            return ALWAYS
        when = self._setting("trading.market_protection")
        if when == "always" and retyped:
            return ALWAYS
        return {} if when == "never" else gateway.traits.protect
