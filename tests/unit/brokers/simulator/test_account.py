"""The simulator's live account: matching on the book, pushes, faults, control."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from openalgo_desktop.brokers.simulator.account import SimulatorAccount, SimulatorOptions
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import AccountState, Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import (
    ConfigError,
    NotConnected,
    OrderNotFound,
    OrderStateUnknown,
    RejectedByBroker,
)
from openalgo_desktop.core.model import AccountStatus, OrderRequest, OrderUpdate
from tests.unit.sandbox.helpers import MemoryStore, one

FIXTURE = Path(__file__).parents[3] / "data" / "fixture_symbols.json"


def buy(quantity: int, price: float = 0.0, **more: object) -> OrderRequest:
    kind = PriceType.LIMIT if price else PriceType.MARKET
    values = {"price_type": kind, "product": Product.MIS, "price": price, **more}
    return OrderRequest("SBIN", "NSE", Action.BUY, quantity, **values)  # type: ignore[arg-type]


class Rig:
    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        self.store = MemoryStore()
        self.statuses: list[AccountStatus] = []
        self.updates: list[OrderUpdate] = []
        self.account = self.make()

    def make(self) -> SimulatorAccount:
        account = SimulatorAccount(
            self.clock, self.store, SimulatorOptions(frozen=True, universe=FIXTURE, rate=500)
        )
        account.set_status_listener(self.statuses.append)
        account.gateway.set_listener(self.updates.append)
        return account

    async def until(self, order_id: str, status: OrderStatus) -> None:
        async with asyncio.timeout(60):
            while self.account.gateway.book.find(order_id).order.status is not status:
                await asyncio.sleep(0.01)


@pytest.fixture
async def rig():
    rig = Rig()
    await rig.account.connect()
    yield rig
    await rig.account.disconnect()


async def test_a_market_order_walks_the_book(rig: Rig):
    tick = await rig.account.market.depth(("NSE", "SBIN"))
    assert tick.depth is not None
    first, second = tick.depth.sell[:2]
    await rig.account.gateway.place(buy(first.quantity + 1), "t1")
    trades = await rig.account.gateway.trades()
    assert [(t.quantity, t.price) for t in trades] == [
        (first.quantity, first.price),
        (1, second.price),
    ]
    row = one(await rig.account.gateway.orders())
    assert row.status is OrderStatus.COMPLETE and first.price < row.average_price < second.price
    assert [u.order.filled_quantity for u in rig.updates] == [0, first.quantity, row.quantity]


async def test_an_order_larger_than_the_book_fills_in_parts(rig: Rig):
    tick = await rig.account.market.depth(("NSE", "SBIN"))
    assert tick.depth is not None
    visible = sum(level.quantity for level in tick.depth.sell)
    ack = await rig.account.gateway.place(buy(visible + 10), "t1")
    row = rig.account.gateway.book.find(ack.order_id).order
    assert (row.status, row.filled_quantity) == (OrderStatus.OPEN, visible)
    await rig.until(ack.order_id, OrderStatus.COMPLETE)


async def test_a_resting_order_fills_when_the_price_comes(rig: Rig):
    ack = await rig.account.gateway.place(buy(10, 790.0), "t1")
    assert one(await rig.account.gateway.orders()).status is OrderStatus.OPEN
    await rig.account.control({"prices": {"NSE:SBIN": 785.0}})
    await rig.until(ack.order_id, OrderStatus.COMPLETE)
    assert rig.account.gateway.book.find(ack.order_id).order.average_price == 790.0


async def test_a_frozen_price_moved_beyond_the_days_range_still_trades(rig: Rig):
    await rig.account.control({"prices": {"NSE:SBIN": 900.0}})
    await rig.account.gateway.place(buy(10), "t1")
    row = one(await rig.account.gateway.orders())
    assert (row.status, row.average_price) == (OrderStatus.COMPLETE, 900.05)


async def test_refusals_of_the_risk_system_are_rows(rig: Rig):
    with pytest.raises(RejectedByBroker, match="Insufficient funds") as caught:
        await rig.account.gateway.place(buy(1_000_000), "t1")
    row = one(await rig.account.gateway.orders())
    assert (row.order_id, row.status) == (caught.value.order_id, OrderStatus.REJECTED)
    stop = buy(1, price_type=PriceType.SLM, trigger_price=790.0)
    await rig.account.gateway.place(stop, "t2")
    last = (await rig.account.gateway.orders())[-1]
    assert last.status is OrderStatus.REJECTED and "must be above" in last.rejection_reason


async def test_lost_acknowledgement_leaves_the_order_in_the_book(rig: Rig):
    await rig.account.control({"faults": {"lose_acks": 1}})
    with pytest.raises(OrderStateUnknown):
        await rig.account.gateway.place(buy(1), "mytag")
    assert one(await rig.account.gateway.orders()).tag == "mytag"
    await rig.account.gateway.place(buy(1), "other")


async def test_disconnect_refuses_calls_and_delivers_changes_afterwards(rig: Rig):
    ack = await rig.account.gateway.place(buy(10, 790.0), "t1")
    seen = len(rig.updates)
    await rig.account.control({"faults": {"disconnect": True}})
    assert rig.statuses[-1].state is AccountState.DISCONNECTED
    with pytest.raises(NotConnected):
        await rig.account.gateway.place(buy(1), "t2")
    with pytest.raises(NotConnected):
        await rig.account.gateway.orders()
    await rig.account.control({"prices": {"NSE:SBIN": 785.0}})
    await rig.until(ack.order_id, OrderStatus.COMPLETE)
    assert len(rig.updates) == seen
    await rig.account.control({"faults": {"disconnect": False}})
    assert rig.updates[-1].order.status is OrderStatus.COMPLETE
    assert rig.statuses[-1].state is AccountState.CONNECTED


async def test_the_account_survives_a_restart(rig: Rig):
    await rig.account.gateway.place(buy(10), "t1")
    funds = await rig.account.gateway.funds()
    await rig.account.disconnect()
    rig.account = rig.make()
    await rig.account.connect()
    assert (await rig.account.gateway.funds()).available_cash == funds.available_cash
    assert one(await rig.account.gateway.positions()).quantity == 10


@pytest.mark.parametrize(
    "payload",
    [
        {"price": {}},
        {"prices": {"NSE:NOPE": 1.0}},
        {"prices": {"NSE:SBIN": "x"}},
        {"faults": {"gremlins": 1}},
        {"faults": {"lose_acks": -1}},
        {"faults": 3},
    ],
)
async def test_control_refuses_what_it_does_not_know(rig: Rig, payload):
    with pytest.raises(ConfigError):
        await rig.account.control(payload)


async def test_the_order_book_is_kept_ready_and_its_rows_are_shared(rig: Rig):
    gateway = rig.account.gateway
    ids = [(await gateway.place(buy(10, 1.0 + number), "")).order_id for number in range(3)]
    before = await gateway.orders()
    again = await gateway.orders()
    assert all(one is other for one, other in zip(before, again, strict=True))
    assert [row.order_id for row in before] == ids
    await gateway.cancel(ids[1])
    after = await gateway.orders()
    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, True]
    assert (before[1].status, after[1].status) == (OrderStatus.OPEN, OrderStatus.CANCELLED)
    assert await gateway.order(ids[1]) is after[1]
    rig.clock.advance(86_400)  # a new session lists what still works
    assert [row.order_id for row in await gateway.orders()] == [ids[0], ids[2]]
    await gateway.cancel(ids[0])
    assert [row.order_id for row in await gateway.orders()] == [ids[2]]
    with pytest.raises(OrderNotFound):
        await gateway.order(ids[0])
