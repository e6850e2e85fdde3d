"""A desk with an exchange, prices and the watch, for tests of exit plans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, FeedMode, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, NotConnected, StorageError
from openalgo_desktop.core.exits import AnyPlan, ExitPlan, ExitSpec, Offset, Target, Unit
from openalgo_desktop.core.model import Key, ModifyRequest, OrderAck, OrderRequest
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.trading import exits, underway
from openalgo_desktop.trading.watch import drive, service
from openalgo_desktop.trading.watch.service import Watch
from tests.unit.trading.test_underway import KEY, Exchange, World
from tests.waiting import until

SBIN: Key = ("NSE", "SBIN")


class Ticks:
    """Prices as the hub gives them."""

    def __init__(self) -> None:
        self.ticks: dict[Key, Tick] = {}
        self.stale = False
        self.listeners: dict[Key, list[Callable[[Tick], None]]] = {}

    def say(self, price: float, key: Key = SBIN, **fields: Any) -> None:
        """A tick comes."""
        tick = self.ticks[key] = Tick(key[1], key[0], price, **fields)
        for listener in tuple(self.listeners.get(key, ())):
            listener(tick)

    def latest(self, key: Key) -> Tick | None:
        return self.ticks.get(key)

    def fresh(self, key: Key, need: int = Part.LTP, max_age: float | None = None) -> Tick | None:
        return None if self.stale else self.ticks.get(key)

    def watch(
        self, key: Key, mode: FeedMode, listener: Callable[[Tick], None]
    ) -> Callable[[], None]:
        rows = self.listeners.setdefault(key, [])
        rows.append(listener)
        return lambda: rows.remove(listener)

    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        return {}

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        tick = self.ticks.get(key)
        if tick is None or self.stale:
            raise NotConnected("no price")
        return tick


class Store:
    """Plans on a disk that outlives the watch."""

    def __init__(self) -> None:
        self.full = False
        self.rows: dict[str, AnyPlan] = {}
        self.log: list[AnyPlan] = []

    def save(self, plan: AnyPlan) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.full:
            done.set_exception(StorageError("disk full"))
            return done
        self.rows[plan.plan_id] = msgspec.json.decode(msgspec.json.encode(plan), type=AnyPlan)
        self.log.append(plan)
        done.set_result(None)
        return done

    async def unended(self) -> list[AnyPlan]:
        return [row for row in self.rows.values() if row.state.is_open]

    async def recent(self, limit: int) -> list[AnyPlan]:
        return list(self.rows.values())[-limit:]


class Market(Exchange):
    """An exchange whose orders can be changed, and are complete when they are filled."""

    async def fill_part(self, order_id: str, quantity: int) -> None:
        order = next(row for row in self.book if row.order_id == order_id)
        if order.filled_quantity + quantity == order.quantity:
            order.status = OrderStatus.COMPLETE
        await super().fill_part(order_id, quantity)

    async def modify(self, request: ModifyRequest) -> OrderAck:
        self.arrived.append(("modify", f"{request.order_id} {request.quantity}"))
        order = next(row for row in self.book if row.order_id == request.order_id)
        assert request.quantity is not None
        order.quantity = request.quantity
        self.push(order)
        return OrderAck(order.order_id)


class Floor(World):
    """Everything that the watch needs; ``restart`` is another run on the same disk."""

    def __init__(self) -> None:
        super().__init__()
        self.paper: Market = Market()  # type: ignore[assignment]
        self.live = Market()  # type: ignore[assignment]
        self.live.broker, self.live.account_id = "kite", "kite:1"
        self.ticks = Ticks()
        self.store = Store()
        self.open = True
        self.open_ones: set[str] | None = None  # exchanges; None: all, while ``open``
        self.desk = self.make_desk()
        self.watch = self.make_watch()

    def make_watch(self) -> Watch:
        return Watch(
            self.clock,
            self.bus,
            self.desk,
            self.journal,
            self.lookup,
            self.ticks,
            self.store,
            lambda name: self.open if self.open_ones is None else name in self.open_ones,
        )

    async def begin(self) -> None:
        await self.desk.start()
        self.ticks.say(800.0)
        await self.watch.start()

    async def end(self) -> None:
        await self.watch.stop()
        await self.paper.done()
        await self.desk.stop()

    async def restart(self) -> None:
        """The program is gone where it stands, and comes again."""
        await self.watch.stop()
        await self.desk.sender.abandon()
        await self.desk.stop()
        self.desk = self.make_desk()
        await self.desk.start()
        self.watch = self.make_watch()
        await self.watch.start()

    async def protect(self, spec: ExitSpec, **more: Any) -> ExitPlan:
        mode = more.pop("mode", Mode.SANDBOX)
        return await self.watch.commands.attach(KEY, spec, "window", mode, **more)

    def plan(self, plan_id: str) -> ExitPlan:
        found = self.watch.plan(plan_id)
        assert isinstance(found, ExitPlan)
        return found

    @property
    def units(self) -> int:
        """What is really held at the exchange."""
        return self.paper.real

    async def settled(self) -> None:
        """Nothing is under way any more."""
        await self.paper.done()
        await until(lambda: not self.desk.books.book(Mode.SANDBOX).working(KEY))


def stop_at(price: float, target: float = 0.0, percent: int = 100) -> ExitSpec:
    """A stop, and a target where one is given."""
    targets = (Target(Offset.of(target), percent),) if target else ()
    return ExitSpec(stop=Offset.of(price), targets=targets)


def points(stop: float) -> ExitSpec:
    """A stop so many points from the entry."""
    return ExitSpec(stop=Offset.of(stop, Unit.POINTS))


def buy(quantity: int = 10, price: float = 0.0) -> OrderRequest:
    """An entry of SBIN, at market or a limit."""
    kind = PriceType.LIMIT if price else PriceType.MARKET
    return OrderRequest("SBIN", "NSE", Action.BUY, quantity, kind, Product.MIS, price=price)


@pytest.fixture
async def floor(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Floor]:
    """Started; quick enough for a test."""
    monkeypatch.setattr(underway, "LAG", 0.5)
    monkeypatch.setattr(underway, "PERSISTS", 0.1)
    monkeypatch.setattr(underway, "AGAIN", 0.02)
    monkeypatch.setattr(exits, "SETTLE", 0.2)
    monkeypatch.setattr(exits, "POLL", 0.02)
    monkeypatch.setattr(drive, "AGAIN", (0.01, 0.02, 0.02))
    monkeypatch.setattr(drive, "LOOK", 0.05)
    monkeypatch.setattr(service, "LOOK", 0.05)
    made = Floor()
    await made.begin()
    yield made
    await made.end()
