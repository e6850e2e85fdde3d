"""Named faults: each a situation that real desks report, over the real desk, journal and database
and the simulator's exchange. The line takes what it is given and never refuses on our behalf."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, JournalState, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import (
    AppError,
    NetTimeout,
    OrderStateUnknown,
    RejectedByBroker,
    StorageError,
)
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.model import BookRows, Order, OrderAck, OrderRequest, Position
from openalgo_desktop.trading import reconcile, underway
from openalgo_desktop.trading.bulk import place_basket
from openalgo_desktop.trading.killswitch import KillSwitch
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.smart import NotNeeded, SmartOrders
from tests.faults.campaign import Campaign
from tests.unit.trading.test_underway import World
from tests.waiting import until

BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10, strategy="named")
KEY = ("NSE", "SBIN", Product.MIS)
_MINUTE = timedelta(minutes=1)


class Desk(Campaign):
    """A campaign of single steps, whose exchange answers, however busy the machine is."""

    answer = 30.0

    async def start(self) -> None:
        await super().start()
        self.smart = SmartOrders(self.desk)
        self.notices: list[Notice] = []
        self.bus.subscribe(Notice, self.notices.append)

    @property
    def host(self) -> Any:
        """The exchange's own side."""
        return self.account.gateway

    async def held(self) -> int:
        rows = await self.line.inner.positions()
        return sum(row.quantity for row in rows if row.symbol == "SBIN")

    async def at_exchange(self) -> list[Order]:
        return await self.line.inner.orders()

    async def states(self) -> list[JournalState]:
        return [row.state for row in await self.journal.recent(100)]


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(underway, "LAG", 0.2)
    monkeypatch.setattr(underway, "AGAIN", 0.02)
    monkeypatch.setattr(reconcile, "BUSY_INTERVAL", 0.02)
    made = Desk(tmp_path, 1)
    await made.start()
    yield made
    await made.stop()


async def test_position_read_failed(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    await desk.desk.place(BUY, "named")
    await until(lambda: desk.desk.books.book(Mode.LIVE).positions)
    before = len(await desk.at_exchange())

    async def silent() -> BookRows[Position]:
        raise NetTimeout("no answer")

    monkeypatch.setattr(desk.line, "positions", silent)
    for work in (
        desk.smart.place(BUY, 20, "named"),
        desk.desk.closing.close_position("SBIN", "NSE", Product.MIS, "named"),
        desk.desk.closing.close_all("named"),
    ):
        with pytest.raises(NetTimeout, match="no answer"):
            await work
    assert len(await desk.at_exchange()) == before


async def test_fill_after_the_acknowledgement(desk: Desk):
    desk.host.latency = 0.05
    answers = [await desk.smart.place(BUY, 10, "named") for _ in range(3)]
    assert isinstance(answers[0], Placed) and all(isinstance(a, NotNeeded) for a in answers[1:])
    await until(lambda: not desk.desk.books.book(Mode.LIVE).working(KEY))
    assert await desk.held() == 10
    for _ in range(2):
        await desk.desk.closing.close_all("named")
    await until(lambda: not desk.desk.books.book(Mode.LIVE).working(KEY))
    assert await desk.held() == 0


async def test_rejected_but_arrived(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """The broker says no and has the order: the book is believed, and a human is told."""
    place = desk.line.place

    async def deny(request: OrderRequest, tag: str) -> OrderAck:
        await place(request, tag)
        raise RejectedByBroker("RMS: rejected")

    monkeypatch.setattr(desk.line, "place", deny)
    with pytest.raises(AppError):
        await desk.desk.place(
            msgspec.structs.replace(BUY, price_type=PriceType.LIMIT, price=700.0), "n"
        )
    (order,) = await desk.at_exchange()

    async def corrected() -> bool:
        await desk.desk.read.orders()
        return await desk.states() == [JournalState.ACKNOWLEDGED]

    await _eventually(corrected)
    (row,) = await desk.journal.recent(10)
    assert row.order_id == order.order_id
    await until(lambda: any(order.order_id in notice.text for notice in desk.notices))


async def test_clock_back_and_forth(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """Neither jump makes an order that is there one that never arrived, or sends it again."""
    place = desk.line.place

    async def lose(request: OrderRequest, tag: str) -> OrderAck:
        await place(request, tag)
        raise OrderStateUnknown("lost", tag=tag)

    monkeypatch.setattr(desk.line, "place", lose)
    readable = desk.line.orders

    async def silent() -> BookRows[Order]:
        raise NetTimeout("no answer")

    monkeypatch.setattr(desk.line, "orders", silent)
    with pytest.raises(OrderStateUnknown):
        await desk.desk.place(BUY, "named")
    now = desk.clock.now()
    for minutes in (-90, 180, -1):
        desk.clock.jump(now + minutes * _MINUTE)
        await desk.desk.reconciler.run_once()
        assert desk.desk.unsettled() == 1
    monkeypatch.setattr(desk.line, "orders", readable)
    await _eventually(lambda: _settled(desk))
    assert await desk.states() == [JournalState.ACKNOWLEDGED]
    assert len(await desk.at_exchange()) == 1


async def test_store_failing_once(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """One failed read of the journal does not blind the reconciler."""
    place, read = desk.line.place, desk.journal.open_entries
    failures = [StorageError("disk")]

    async def lose(request: OrderRequest, tag: str) -> OrderAck:
        await place(request, tag)
        raise OrderStateUnknown("lost", tag=tag)

    async def failing() -> Any:
        if failures:
            raise failures.pop()
        return await read()

    monkeypatch.setattr(desk.line, "place", lose)
    monkeypatch.setattr(desk.journal, "open_entries", failing)
    with pytest.raises(OrderStateUnknown):
        await desk.desk.place(BUY, "named")
    await _eventually(lambda: _settled(desk))
    assert not failures and await desk.states() == [JournalState.ACKNOWLEDGED]


async def test_odd_rows(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """A book with a row that cannot be read never proves that an order did not arrive."""
    place, read = desk.line.place, desk.line.orders

    async def lose(request: OrderRequest, tag: str) -> OrderAck:
        await place(request, tag)
        raise OrderStateUnknown("lost", tag=tag)

    async def odd() -> BookRows[Order]:
        rows = await read()
        return BookRows(rows[:-1], ("order 1: quantity nan",))

    monkeypatch.setattr(desk.line, "place", lose)
    monkeypatch.setattr(desk.line, "orders", odd)
    with pytest.raises(OrderStateUnknown):
        await desk.desk.place(BUY, "named")
    for _ in range(3):
        desk.clock.jump(desk.clock.now() + 2 * _MINUTE)
        await desk.desk.reconciler.run_once()
    assert desk.desk.unsettled() == 1
    monkeypatch.setattr(desk.line, "orders", read)
    await _eventually(lambda: _settled(desk))
    assert await desk.states() == [JournalState.ACKNOWLEDGED]


async def test_buy_before_sell(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """Hedges are answered before anything is sold, however slow their answers."""
    place = desk.line.place
    walk: list[str] = []

    async def slow(request: OrderRequest, tag: str) -> OrderAck:
        walk.append(f"sent {request.action.value}")
        if request.action is Action.BUY:
            await asyncio.sleep(0.02)
        ack = await place(request, tag)
        walk.append(f"answered {request.action.value}")
        return ack

    monkeypatch.setattr(desk.line, "place", slow)
    sell = msgspec.structs.replace(BUY, action=Action.SELL, symbol="INFY")
    rows = [sell, BUY, msgspec.structs.replace(BUY, symbol="TCS"), sell]
    await place_basket(lambda request: desk.desk.place(request, "named"), rows, at_once=10)
    sold = walk.index("sent SELL")
    assert walk[:sold].count("answered BUY") == 2


async def test_exit_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """It is told with its reason; the next try closes exactly what is held."""
    await desk.smart.place(BUY, 10, "named")
    place = desk.line.place

    async def refuse(request: OrderRequest, tag: str) -> OrderAck:
        raise RejectedByBroker("RMS: exit blocked")

    monkeypatch.setattr(desk.line, "place", refuse)
    result = await desk.desk.closing.close_all("named")
    assert (result.closed, result.errors) == (0, ("SBIN: RMS: exit blocked",))
    assert await desk.held() == 10
    monkeypatch.setattr(desk.line, "place", place)
    await desk.desk.closing.close_all("named")
    await desk.desk.closing.close_all("named")
    assert await desk.held() == 0


async def test_partial_then_cancel(monkeypatch: pytest.MonkeyPatch):
    """What filled counts, what was cancelled does not."""
    monkeypatch.setattr(underway, "LAG", 0.2)
    world = World()
    await world.desk.start()
    order_id = await world.rest(PriceType.LIMIT, Action.BUY)
    await world.paper.fill_part(order_id, 4)
    # the rest is under way: nothing more is needed
    assert isinstance(await world.smart.place(BUY, 10, "named"), NotNeeded)
    await world.desk.cancel(order_id, "named")
    await world.smart.place(BUY, 10, "named")
    await world.paper.done()
    assert (world.sent[-1], world.paper.real) == ("BUY 6", 10)
    await world.desk.stop()


async def test_kill_while_an_exit_is_under_way(desk: Desk):
    """The kill switch and a hand on the button at once: flat, not short."""
    await desk.smart.place(BUY, 10, "named")
    desk.host.latency = 0.05

    class Store:
        async def get(self, scope: str, key: str) -> Any:
            return None

        async def put(self, scope: str, key: str, value: Any) -> None: ...
        async def delete(self, scope: str, key: str) -> None: ...

    kill = KillSwitch(desk.clock, desk.bus, desk.desk, Store())
    by_hand = desk.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    report, _ = await asyncio.gather(kill.trip("window"), by_hand, return_exceptions=True)
    assert not isinstance(report, BaseException) and report.clean
    assert await desk.held() == 0
    assert all(o.status is not OrderStatus.OPEN for o in await desk.at_exchange())


async def _settled(desk: Desk) -> bool:
    return not await desk.journal.open_entries()


async def _eventually(condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.01)
