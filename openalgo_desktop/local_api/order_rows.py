"""Order rows as JSON, kept ready for the order book."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Order
from openalgo_desktop.local_api.handlers import shapes

#: Rows that are looked up, and rows that are encoded, before other work gets its turn; 1 to 2 ms.
_CHUNK, _FRESH = 2000, 200


class OrderRows:
    """A row is encoded once for each state of its order, however many clients read the book."""

    def __init__(self) -> None:
        self._ready: dict[str, tuple[Order, bytes]] = {}
        self._mode: Mode | None = None

    async def encoded(self, orders: Sequence[Order], mode: Mode) -> bytes:
        """The rows, separated by commas; others get the loop in between."""
        if mode is not self._mode:
            self._ready, self._mode = {}, mode
        ready, used = self._ready, []
        spent = 0  # in units of a row that is looked up
        for order in orders:
            known = ready.get(order.order_id)
            if known is None or (known[0] is not order and known[0] != order):
                row = msgspec.json.encode(shapes.order_row(order, mode))
                known = ready[order.order_id] = (order, row)
                spent += _CHUNK // _FRESH
            used.append(known[1])
            spent += 1
            if spent >= _CHUNK:
                spent = 0
                await asyncio.sleep(0)
        if len(ready) > 2 * len(orders) + _CHUNK:  # rows of earlier sessions and accounts
            self._ready = {}
        return b",".join(used)
