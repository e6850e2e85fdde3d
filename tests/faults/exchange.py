"""A broker that misbehaves: the simulator's account behind a bad line, with the line's truth."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from openalgo_desktop.brokers.simulator.account import SimulatorGateway
from openalgo_desktop.core.errors import NetTimeout, NotConnected, OrderStateUnknown
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.core.traits import Traits

#: What may happen to one order call, and how often.
CALL_FAULTS = {
    "none": 50,
    "refused before it left": 6,
    "request lost": 8,
    "acknowledgement lost": 10,
    "acknowledgement after the timeout": 8,
    "request arrives after the timeout": 6,
    "connection reset after the send": 6,
    "unreadable answer": 4,
    "no answer ever": 2,
}
PUSH_FAULTS = {"none": 60, "twice": 12, "late": 12, "dropped": 8, "held and mixed up": 8}


class MemoryStore:
    """The exchange's own disk, which is not ours and does not fail."""

    async def save(self, account_id: str, rows: Any) -> None: ...
    async def load(self, account_id: str) -> dict[str, list[dict[str, Any]]]:
        return {}

    async def clear(self, account_id: str, tables: Any) -> None: ...


class BadLine:
    """A :class:`TradingGateway` over the real one. ``on`` switches the faults."""

    account_id = "simulator:SIM001"
    broker = "simulator"
    traits = Traits()

    def __init__(
        self, inner: SimulatorGateway, rng: random.Random, timeout: float, *, tags: bool
    ) -> None:
        self.inner = inner
        self.on = False
        self.down = False  # half open: nothing comes in, calls hang
        self.under_way = 0  # calls that will end
        self.counts: Counter[str] = Counter()
        self._rng = rng
        self._timeout = timeout
        self._tags = tags
        self._listener: Callable[[OrderUpdate], None] = lambda update: None
        self._held: list[OrderUpdate] = []
        self._late: set[asyncio.TimerHandle] = set()
        inner.set_listener(self._pushed)

    # -- pushes -----------------------------------------------------------------------------
    def set_listener(self, listener: Callable[[OrderUpdate], None]) -> None:
        self._listener = listener

    def _shown(self, order: Order) -> Order:
        if self._tags:
            return msgspec.structs.replace(order)
        return msgspec.structs.replace(order, tag="", strategy="")

    def _pushed(self, update: OrderUpdate) -> None:
        update = OrderUpdate(update.account_id, self._shown(update.order), update.trade)
        fault = self._draw(PUSH_FAULTS, "push ") if self.on else "none"
        if self.down or fault == "dropped":
            return
        if fault == "held and mixed up":
            self._held.append(update)
            return
        if fault == "late":
            self._deliver_later(update)
            return
        self._deliver(update)
        if fault == "twice":
            self._deliver_later(update)

    def _deliver(self, update: OrderUpdate) -> None:
        copy = msgspec.structs.replace(update.order)
        self._listener(OrderUpdate(update.account_id, copy, update.trade))

    def _deliver_later(self, update: OrderUpdate) -> None:
        delay = self._rng.uniform(0, 2 * self._timeout)
        loop = asyncio.get_running_loop()
        self._late.add(loop.call_later(delay, self._deliver, update))

    def release(self) -> None:
        """Deliver what was held, in any order."""
        held, self._held = self._held, []
        self._rng.shuffle(held)
        for update in held:
            self._deliver(update)

    # -- orders -----------------------------------------------------------------------------
    def _draw(self, table: dict[str, int], kind: str) -> str:
        fault = self._rng.choices(list(table), list(table.values()))[0]
        if fault != "none":
            self.counts[kind + fault] += 1
        return fault

    async def _call(self, send: Callable[[], Coroutine[Any, Any, OrderAck]]) -> OrderAck:
        fault = self._draw(CALL_FAULTS, "") if self.on else "none"
        self.under_way += 1
        try:
            ack = await self._answered(fault, send)
        finally:
            self.under_way -= 1
        if fault == "no answer ever":
            await asyncio.Event().wait()
        return ack

    async def _answered(
        self, fault: str, send: Callable[[], Coroutine[Any, Any, OrderAck]]
    ) -> OrderAck:
        if fault == "refused before it left":
            raise NotConnected("The line is down.")
        if fault == "request lost" or self.down:
            raise OrderStateUnknown("The line was lost.", tag="")
        if fault == "request arrives after the timeout":
            await asyncio.sleep(self._timeout * self._rng.uniform(1.1, 3))
        ack = await send()
        if fault == "acknowledgement lost":
            raise OrderStateUnknown("The line was lost.", tag="")
        if fault == "acknowledgement after the timeout":
            await asyncio.sleep(self._timeout * self._rng.uniform(1.1, 3))
        elif fault == "connection reset after the send":
            raise NetTimeout("Connection reset by peer")
        elif fault == "unreadable answer":
            raise ValueError("not JSON")
        return ack

    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        return await self._call(lambda: self.inner.place(request, tag))

    async def modify(self, request: ModifyRequest) -> OrderAck:
        return await self._call(lambda: self.inner.modify(request))

    async def cancel(self, order_id: str) -> OrderAck:
        return await self._call(lambda: self.inner.cancel(order_id))

    # -- books ------------------------------------------------------------------------------
    def _read(self) -> None:
        if self.down or (self.on and self._rng.random() < 0.1):
            self.counts["book not readable"] += 1
            raise NetTimeout("The book did not come.")

    async def orders(self) -> BookRows[Order]:
        self._read()
        return BookRows(self._shown(order) for order in await self.inner.orders())

    async def order(self, order_id: str) -> Order:
        self._read()
        return self._shown(await self.inner.order(order_id))

    async def trades(self) -> BookRows[Trade]:
        self._read()
        return await self.inner.trades()

    async def positions(self) -> BookRows[Position]:
        self._read()
        return await self.inner.positions()

    async def holdings(self) -> BookRows[Holding]:
        return BookRows()

    async def funds(self) -> Funds:
        return Funds()
