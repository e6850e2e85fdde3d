"""Order round trips and what is left of ten orders a second."""

from __future__ import annotations

import asyncio

import pytest

from openalgo_desktop.core.errors import RejectedByBroker
from openalgo_desktop.core.model import OrderAck
from openalgo_desktop.trading.pace import BUDGET, OrderPace
from tests.unit.trading.test_desk import BUY, Rig


class Watch:
    """A monotonic clock that is moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def answered(future: asyncio.Future[OrderAck]) -> None:
    """Its callbacks have run."""
    await asyncio.sleep(0)


async def test_the_median_of_the_answers_and_the_time_of_an_order(watch: Watch) -> None:
    pace = OrderPace(watch)
    assert pace.round_trip("kite:1") is None
    for number, seconds in enumerate((0.5, 0.25, 2.0), 1):
        sending: asyncio.Future[OrderAck] = asyncio.get_running_loop().create_future()
        pace.follow("kite:1", "place", sending)
        watch.now += seconds
        sending.set_result(OrderAck(str(number)))
        await answered(sending)
    found = pace.round_trip("kite:1")
    assert found is not None
    assert (found.last, found.median, found.count) == (2000.0, 500.0, 3)
    assert found.steps == (0, 0, 1, 1, 0, 1)  # a step's upper end belongs to it
    assert (pace.of_order("2"), pace.of_order("9")) == (250.0, None)
    assert pace.round_trip("fyers:1") is None


async def test_a_refusal_tells_no_time_but_uses_the_budget(watch: Watch) -> None:
    pace = OrderPace(watch)
    sending: asyncio.Future[OrderAck] = asyncio.get_running_loop().create_future()
    pace.follow("kite:1", "place", sending)
    sending.set_exception(RejectedByBroker("RMS"))
    await answered(sending)
    assert pace.round_trip("kite:1") is None
    assert pace.left("kite:1") == BUDGET - 1


async def test_the_budget_is_of_one_second_and_one_account(watch: Watch) -> None:
    pace = OrderPace(watch)
    for _ in range(BUDGET + 3):
        pace.follow("kite:1", "cancel", asyncio.get_running_loop().create_future())
    assert (pace.left("kite:1"), pace.left("fyers:1")) == (0, BUDGET)
    watch.now += 1.0
    assert pace.left("kite:1") == BUDGET


async def test_orders_of_all_sources_count() -> None:
    rig = Rig()
    await rig.desk.start()
    for source in ("window", "api:key", "webhook:alerts"):
        placed = await rig.desk.place(BUY, source)
    await rig.desk.cancel(placed.order_id, "window")
    pace = rig.desk.sender.pace
    assert pace.left(rig.paper.account_id) == BUDGET - 4
    assert pace.left(rig.live.account_id) == BUDGET
    assert pace.of_order(placed.order_id) is not None
    await rig.desk.stop()
