"""Orders that are worked out from the position: bring it to a wanted size."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import msgspec

from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.model import OrderRequest, with_quantity
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.results import Placed

MATCHED = "Positions Already Matched. No Action needed."
NOTHING_TO_EXIT = "No OpenPosition Found. Not placing Exit order."
#: Locks kept for symbols nobody waits on.
_MAX_LOCKS = 1024


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
    """Smart orders of one desk, one at a time per symbol and product, so that two alerts cannot
    both see the old position."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._locks: OrderedDict[tuple[str, str, str], asyncio.Lock] = OrderedDict()

    async def place(
        self, request: OrderRequest, target: int, source: str, mode: Mode | None = None
    ) -> Placed | NotNeeded:
        """Send what is missing to ``target``. Errors and ``mode`` as :meth:`OrderDesk.place`."""
        mode = mode or self._desk.mode
        async with self._lock(request):
            order = smart_order(request, target, await self._current(request))
            if isinstance(order, str):
                return NotNeeded(mode, order)
            return await self._desk.place(order, source, mode)

    def _lock(self, request: OrderRequest) -> asyncio.Lock:
        name = (request.exchange, request.symbol, request.product.value)
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
            for old in [key for key, value in self._locks.items() if not value.locked()]:
                if len(self._locks) <= _MAX_LOCKS or old == name:
                    break
                del self._locks[old]
        return lock

    async def _current(self, request: OrderRequest) -> int:
        for row in await self._desk.positions():
            if row.key == request.key and row.product is request.product:
                return row.quantity
        return 0
