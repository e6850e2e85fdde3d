"""Seeded campaign of watched exits: brackets, stops, partial targets and hands over an exchange
that refuses, loses answers and delays, and programs that stop in between.

At every fill: what is held never turns to the other side. At the end: everything that was bought is
out, and no plan is left open.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import pytest

from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import AppError, OrderStateUnknown, RejectedByBroker
from openalgo_desktop.core.exits import ExitSpec, Offset, PlanState, Target, Unit
from openalgo_desktop.core.model import Order, OrderAck, OrderRequest, Trade
from openalgo_desktop.trading import exits, reconcile, underway
from openalgo_desktop.trading.watch import drive, service
from tests.unit.trading.test_underway import KEY
from tests.unit.trading.watching import Floor, Market, buy
from tests.waiting import until

STEPS = 25
SEEDS = (*range(1, 13), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(13, 213)))


class Line(Market):
    """An exchange at the end of a bad line."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng = rng
        self.clock = SystemClock()
        self.bad = False
        self.worst = 0  # the position at its lowest

    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        luck = self.rng.random() if self.bad else 1.0
        if luck < 0.15:
            raise RejectedByBroker("RMS: not now")
        if luck < 0.25:
            raise OrderStateUnknown("the request was lost", tag=tag)
        ack = await super().place(request, tag)
        if luck < 0.4:
            raise OrderStateUnknown("the answer was lost", tag=tag)
        return ack

    async def cancel(self, order_id: str) -> OrderAck:
        if self.bad and self.rng.random() < 0.2:
            raise RejectedByBroker("not now")
        return await super().cancel(order_id)

    def push(self, order: Order, trade: Trade | None = None) -> None:
        order.updated_at = self.clock.now()  # a broker tells it: what is young may not be booked
        super().push(order, trade)

    async def _fill(self, order: Order) -> None:
        await super()._fill(order)
        self.worst = min(self.worst, self.real)


class Day(Floor):
    """One seed."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.rng = random.Random(seed)
        self.line = Line(self.rng)
        self.paper = self.line
        self.desk = self.make_desk()
        self.watch = self.make_watch()
        self.price = 800.0

    async def step(self) -> None:
        acts = (
            self.enter, self.enter, self.protect_some, self.move, self.move, self.move,
            self.fill_some, self.fill_some, self.by_hand, self.feed, self.switch, self.stop_and_go,
        )  # fmt: skip
        self.line.delay = self.rng.choice((0.0, 0.0, 0.01, 0.03))
        self.line.lag = self.rng.choice((0.0, 0.0, 0.01, 0.03))
        with contextlib.suppress(AppError):
            await self.rng.choice(acts)()
        await asyncio.sleep(self.rng.choice((0.0, 0.0, 0.01, 0.03)))

    def spec(self) -> ExitSpec:
        part = self.rng.choice((25, 40, 100))
        return ExitSpec(
            stop=Offset.of(self.rng.choice((5, 10, 20)), Unit.POINTS),
            targets=(Target(Offset.of(self.rng.choice((5, 15)), Unit.POINTS), part),),
            trail=self.rng.choice((None, Offset.of(8, Unit.POINTS))),
        )

    async def enter(self) -> None:
        price = self.rng.choice((0.0, 799.0))
        request = buy(self.rng.randint(1, 20), price)
        await self.watch.commands.bracket(request, self.spec(), "window", Mode.SANDBOX)

    async def protect_some(self) -> None:
        await self.watch.commands.attach(KEY, self.spec(), "window", Mode.SANDBOX)

    async def move(self) -> None:
        self.price = round(800.0 + self.rng.uniform(-30, 30), 1)
        self.ticks.say(self.price)

    async def fill_some(self) -> None:
        resting = [row for row in self.line.book if row.price and row.status.is_working]
        if resting:
            order = self.rng.choice(resting)
            units = self.rng.randint(1, order.quantity - order.filled_quantity)
            await self.line.fill_part(order.order_id, units)

    async def by_hand(self) -> None:
        if self.desk.mode is Mode.LIVE:
            return
        if self.rng.random() < 0.5:
            await self.desk.closing.close_position("SBIN", "NSE", Product.MIS, "hand")
        elif working := [row for row in self.line.book if row.price and row.status.is_working]:
            await self.desk.cancel(self.rng.choice(working).order_id, "hand")

    async def feed(self) -> None:
        self.ticks.stale = not self.ticks.stale

    async def switch(self) -> None:
        other = Mode.LIVE if self.desk.mode is Mode.SANDBOX else Mode.SANDBOX
        if self.rng.random() < 0.3 or self.desk.mode is Mode.LIVE:
            await self.desk.set_mode(other, "test")

    async def stop_and_go(self) -> None:
        mode = self.desk.mode
        await self.restart()
        await self.desk.set_mode(mode, "test")
        await self.desk.books.rebase(Mode.SANDBOX)

    async def peace(self) -> None:
        """The faults end; the price falls below every stop."""
        self.line.bad = False
        self.ticks.stale = False
        self.line.delay = self.line.lag = 0.0
        await self.desk.set_mode(Mode.SANDBOX, "test")
        for order in self.line.book:
            if order.price and order.status.is_working:
                with contextlib.suppress(AppError):
                    await self.desk.cancel(order.order_id, "peace")

        def quiet() -> bool:
            self.ticks.say(100.0)
            for plan in self.watch.plans(Mode.SANDBOX):
                if plan.state is PlanState.FAILED:
                    self.retries.append(
                        asyncio.create_task(self.watch.commands.resume(plan.plan_id, Mode.SANDBOX))
                    )
            return not any(plan.state.is_open for plan in self.watch.plans(Mode.SANDBOX))

        self.retries: list[asyncio.Task[object]] = []
        await until(quiet, f"no open plan: {self.left()}")
        await self.line.done()

    def left(self) -> list[tuple[str, str, str]]:
        plans = self.watch.plans(Mode.SANDBOX)
        return [(p.plan_id, p.state.value, p.message) for p in plans if p.state.is_open]


@pytest.fixture
async def quick(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(underway, "LAG", 0.3)
    monkeypatch.setattr(underway, "PERSISTS", 0.1)
    monkeypatch.setattr(underway, "AGAIN", 0.02)
    monkeypatch.setattr(exits, "SETTLE", 0.2)
    monkeypatch.setattr(exits, "POLL", 0.02)
    monkeypatch.setattr(drive, "AGAIN", (0.01,) * 8)
    monkeypatch.setattr(drive, "LOOK", 0.05)
    monkeypatch.setattr(service, "LOOK", 0.05)
    monkeypatch.setattr(reconcile, "ABSENT_AFTER", 0.3)
    monkeypatch.setattr(reconcile, "ABSENT_AFTER_RESTART", 0.3)
    monkeypatch.setattr(reconcile, "BUSY_INTERVAL", 0.05)
    yield


@pytest.mark.parametrize("seed", SEEDS)
async def test_never_two_never_none_never_more_than_is_held(seed: int, quick: None):
    day = Day(seed)
    await day.begin()
    try:
        day.line.bad = True
        for _ in range(STEPS):
            await day.step()
        await day.peace()
        bought = sum(row.filled_quantity for row in day.line.book if row.action.sign > 0)
        sold = sum(row.filled_quantity for row in day.line.book if row.action.sign < 0)
        assert (day.line.worst, day.units, sold) == (0, 0, bought), day.watch.plans()
        assert day.live.arrived == []
    finally:
        await day.end()
