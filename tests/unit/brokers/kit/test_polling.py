"""Order updates from polling and pushes: each change once, in spite of duplicates and delays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.brokers.kit.polling import OrderWatch, PollPolicy, is_news
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import NetError, SessionExpired
from openalgo_desktop.core.model import Order, OrderUpdate
from tests.unit.brokers.kit.feed_server import until

NINE = datetime(2026, 12, 1, 9, 15, tzinfo=IST)
FAST = PollPolicy(busy=0.01, idle=0.01, pushed=30.0, slowest=0.05, soon=0.0, attentive=0.0)


def order(order_id: str = "1", **changes: Any) -> Order:
    values: dict[str, Any] = {
        "symbol": "SBIN", "exchange": "NSE", "action": Action.BUY, "quantity": 10,
        "price_type": PriceType.LIMIT, "product": Product.MIS, "price": 800.0, "account_id": "x:1",
    }  # fmt: skip
    return Order(order_id, **(values | changes))


def filled(quantity: int, **changes: Any) -> Order:
    status = OrderStatus.COMPLETE if quantity == 10 else OrderStatus.OPEN
    return order(filled_quantity=quantity, average_price=800.0, status=status, **changes)


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
def clock() -> ManualClock:
    return ManualClock(NINE)


@pytest.fixture
def told() -> list[OrderUpdate]:
    return []


@pytest.fixture
async def watch(
    broker: Broker, clock: ManualClock, told: list[OrderUpdate]
) -> AsyncIterator[OrderWatch]:
    watching = OrderWatch(broker.read, clock, FAST)
    watching.set_listener(told.append)
    yield watching
    await watching.stop()


def faces(told: list[OrderUpdate]) -> list[tuple[str, str, int]]:
    return [(u.order.order_id, u.order.status.value, u.order.filled_quantity) for u in told]


async def test_first_book_is_the_baseline_then_changes_are_told(
    broker: Broker, watch: OrderWatch, told: list[OrderUpdate]
) -> None:
    broker.book = [order("1"), order("2", status=OrderStatus.COMPLETE, filled_quantity=10)]
    watch.start()
    await until(lambda: broker.reads >= 2, "two polls")
    assert told == []
    broker.book = [filled(4), broker.book[1], order("3")]
    await until(lambda: len(told) == 2, "a fill and a new order")
    broker.book[0] = filled(10)
    await until(lambda: len(told) == 3, "complete")
    assert faces(told) == [("1", "open", 4), ("3", "open", 0), ("1", "complete", 10)]
    assert told[0].account_id == "x:1"


async def test_push_and_poll_tell_a_change_once(
    watch: OrderWatch, told: list[OrderUpdate], clock: ManualClock
) -> None:
    watch.polled([order()], clock.monotonic())
    watch.pushed(filled(4))
    watch.pushed(filled(4))
    clock.advance(1)
    watch.polled([filled(4)], clock.monotonic())
    watch.polled([filled(10)], clock.monotonic())
    watch.pushed(filled(10))
    watch.pushed(filled(4))  # late
    watch.pushed(order(status=OrderStatus.OPEN))  # later still
    assert faces(told) == [("1", "open", 4), ("1", "complete", 10)]


async def test_book_that_was_on_its_way_during_a_push_is_older(
    watch: OrderWatch, told: list[OrderUpdate], clock: ManualClock
) -> None:
    watch.polled([order()], clock.monotonic())
    clock.advance(1)
    asked_at = clock.monotonic()
    clock.advance(0.1)
    watch.pushed(order(price=805.0))  # modified
    watch.polled([order(price=800.0)], asked_at)
    assert [u.order.price for u in told] == [805.0]
    clock.advance(1)
    watch.polled([order(price=805.0)], clock.monotonic())
    assert len(told) == 1


async def test_what_happened_during_a_stop_is_told_after_it(
    broker: Broker, watch: OrderWatch, told: list[OrderUpdate]
) -> None:
    broker.book = [order("1"), order("2")]
    watch.start()
    await until(lambda: broker.reads, "baseline")
    await until(lambda: watch.known("2") is not None, "known")
    await watch.stop()
    broker.book = [order("1", status=OrderStatus.CANCELLED), order("2")]
    watch.start()
    await until(lambda: told, "the missed cancel")
    assert faces(told) == [("1", "cancelled", 0)]


async def test_failures_slow_down_and_a_lost_session_stops(
    broker: Broker, watch: OrderWatch, told: list[OrderUpdate]
) -> None:
    watch.start()
    await until(lambda: broker.reads >= 1, "poll")
    broker.error = NetError("away")
    await until(lambda: broker.reads >= 4, "retries")
    broker.error = SessionExpired("log in")
    await until(lambda: watch._task is not None and watch._task.done(), "stopped")
    reads = broker.reads
    broker.error, broker.book = None, [order()]
    watch.start()  # after the log-in
    await until(lambda: broker.reads > reads and told, "polls again")


async def test_poke_looks_at_once_although_pushes_are_alive(
    broker: Broker, clock: ManualClock, told: list[OrderUpdate]
) -> None:
    watch = OrderWatch(broker.read, clock, FAST, push_alive=lambda: True)
    watch.set_listener(told.append)
    watch.start()
    try:
        await until(lambda: broker.reads == 1, "baseline")
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert broker.reads == 1  # pushes are relied on
        broker.book = [order()]
        watch.poke()
        await until(lambda: told, "the new order")
        assert broker.reads == 2
    finally:
        await watch.stop()


async def test_next_day_old_final_orders_are_forgotten(
    watch: OrderWatch, told: list[OrderUpdate], clock: ManualClock
) -> None:
    watch.polled([order("1"), order("2", status=OrderStatus.CANCELLED)], 0.0)
    clock.advance(24 * 3600)
    watch.pushed(order("2"))  # a broker that counts anew
    assert faces(told) == [("2", "open", 0)]
    assert watch.known("1") is not None


def test_older_time_is_no_news() -> None:
    new = order(price=805.0, updated_at=NINE + timedelta(seconds=5))
    old = order(price=800.0, updated_at=NINE + timedelta(seconds=4))
    assert not is_news(new, old)
    assert is_news(old, new)


def test_what_is_known_is_not_shared(watch: OrderWatch, told: list[OrderUpdate]) -> None:
    mine = order()
    watch.pushed(mine)
    mine.filled_quantity = 99
    told[0].order.price = 1.0
    known = watch.known("1")
    assert known is not None and (known.filled_quantity, known.price) == (0, 800.0)


LIFE = [order(), filled(2), filled(5), filled(10)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=30))
def test_any_mix_of_late_and_double_messages_tells_a_life_once(
    messages: list[tuple[bool, int]],
) -> None:
    async def run() -> list[int]:
        clock, told = ManualClock(NINE), []
        watch = OrderWatch(Broker().read, clock)
        watch.set_listener(lambda update: told.append(update.order.filled_quantity))
        for push, stage in messages:
            clock.advance(0.01)
            if push:
                watch.pushed(LIFE[stage])
            else:
                watch.polled([LIFE[stage]], clock.monotonic())
        return told

    told = asyncio.run(run())
    assert told == sorted(set(told))  # never back, never twice
