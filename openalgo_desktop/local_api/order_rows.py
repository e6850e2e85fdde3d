"""Order rows as JSON, kept ready for the order book."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Order
from openalgo_desktop.local_api.handlers import shapes

#: Rows that are made before other work gets its turn; about 2 ms.
_CHUNK = 500


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
        for first in range(0, len(orders), _CHUNK):
            if first:
                await asyncio.sleep(0)
            for order in orders[first : first + _CHUNK]:
                known = ready.get(order.order_id)
                if known is None or (known[0] is not order and known[0] != order):
                    row = msgspec.json.encode(shapes.order_row(order, mode))
                    known = ready[order.order_id] = (order, row)
                used.append(known[1])
        if len(ready) > 2 * len(orders) + _CHUNK:  # rows of earlier sessions and accounts
            self._ready = {}
        return b",".join(used)
