"""When the order book is read, and that a change is told once whatever way it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.brokers.kit.books.polling import BookPoller, PollPolicy
from openalgo_desktop.brokers.kit.books.tracker import OrderTracker
from openalgo_desktop.core.clock import IST, ManualClock, SystemClock
from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import NetError, SessionExpired
from openalgo_desktop.core.model import Order
from tests.waiting import until

NINE = datetime(2026, 12, 1, 9, 15, tzinfo=IST)
FAST = PollPolicy(busy=0.01, idle=0.01, pushed=30.0, slowest=0.05, soon=0.0, attentive=0.0)


def order(order_id: str = "1", **changes: Any) -> Order:
    values: dict[str, Any] = {
        "symbol": "SBIN", "exchange": "NSE", "action": Action.BUY, "quantity": 10,
        "price_type": PriceType.LIMIT, "product": Product.MIS, "price": 800.0, "account_id": "x:1",
    }  # fmt: skip
    return Order(order_id, **(values | changes))


class Broker:
    """An order book that the test writes."""

    def __init__(self) -> None:
        self.book: list[Order] = []
        self.reads = 0
        self.error: Exception | None = None

    async def read(self) -> list[Order]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return list(self.book)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def poller(broker: Broker) -> AsyncIterator[BookPoller]:
    polling = BookPoller(broker.read, SystemClock(), FAST)
    yield polling
    await polling.stop()


async def test_polls_until_stopped(broker: Broker, poller: BookPoller) -> None:
    poller.start()
    poller.start()
    await until(lambda: broker.reads >= 3, "polls")
    await poller.stop()
    reads = broker.reads
    await asyncio.sleep(0.05)
    assert broker.reads == reads
    assert not poller.running


async def test_failures_slow_down_and_a_lost_session_stops(
    broker: Broker, poller: BookPoller
) -> None:
    broker.error = NetError("away")
    poller.start()
    await until(lambda: broker.reads >= 3, "retries")
    assert poller.interval() == 0.05  # the slowest
    broker.error = ValueError("a bug")
    reads = broker.reads
    await until(lambda: broker.reads >= reads + 2, "goes on after a bug")
    broker.error = SessionExpired("log in")
    await until(lambda: not poller.running, "stopped")
    reads, broker.error = broker.reads, None
    poller.start()  # after the log-in
    await until(lambda: broker.reads > reads, "polls again")
    assert poller.interval() == 0.01


async def test_poke_reads_at_once_although_pushes_are_alive(broker: Broker) -> None:
    poller = BookPoller(broker.read, SystemClock(), FAST, push_alive=lambda: True)
    poller.start()
    try:
        await until(lambda: broker.reads == 1, "first read")
        await asyncio.sleep(0.1)
        assert broker.reads == 1  # pushes are relied on
        poller.poke()
        await until(lambda: broker.reads == 2, "read after the poke")
        await asyncio.sleep(0.1)
        assert broker.reads == 2
    finally:
        await poller.stop()


async def test_interval_follows_what_goes_on(broker: Broker) -> None:
    clock, alive = ManualClock(NINE), True
    policy = PollPolicy()
    poller = BookPoller(broker.read, clock, push_alive=lambda: alive)
    poller.start()
    try:
        await until(lambda: broker.reads == 1, "first read")
        assert poller.interval() == policy.pushed
        alive = False
        assert poller.interval() == policy.idle
        broker.book = [order()]
        poller.poke()
        await until(lambda: broker.reads == 2, "second read")
        assert poller.interval() == policy.busy
        clock.advance(policy.attentive + 1)
        assert poller.interval() == policy.busy  # an order works
        broker.book = [order(status=OrderStatus.CANCELLED)]
        poller.poke()
        await until(lambda: broker.reads == 3, "third read")
        assert poller.interval() == policy.busy  # just poked
        clock.advance(policy.attentive + 1)
        assert poller.interval() == policy.idle
    finally:
        await poller.stop()


def filled(quantity: int) -> Order:
    status = OrderStatus.COMPLETE if quantity == 10 else OrderStatus.OPEN
    return order(filled_quantity=quantity, average_price=800.0, status=status)


LIFE = [0, 2, 5, 10]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=30))
def test_any_mix_of_late_and_double_messages_tells_a_life_once(stages: list[int]) -> None:
    """Books and pushes in any order: fills are told in order, each once, and add up."""
    tracker = OrderTracker(ManualClock(NINE))
    told = [u for stage in stages for u in tracker.update([filled(LIFE[stage])])]
    fills = [u.order.filled_quantity for u in told]
    assert fills == sorted(set(fills))  # never back, never twice
    traded = sum(u.trade.quantity for u in told if u.trade is not None)
    assert traded == max((LIFE[stage] for stage in stages), default=0)
