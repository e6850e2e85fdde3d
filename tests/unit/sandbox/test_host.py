"""The gateway around the book: storing, latency, silent feeds, settings that change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from openalgo_desktop.core.enums import Action, FeedMode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.model import Instrument, Key, OrderRequest
from openalgo_desktop.core.ports import PaperRow
from openalgo_desktop.core.ticks import Depth, Level
from openalgo_desktop.exchange import row_writer
from tests.unit.sandbox.helpers import MemoryStore, Rig, one
from tests.waiting import until

SBIN = ("NSE", "SBIN")
ROWS = [Instrument("SBIN", "NSE")]
BUY, SELL = Action.BUY, Action.SELL


async def opened(**changes: object) -> Rig:
    rig = Rig(ROWS, **changes)
    rig.market.set(SBIN, 800.0)
    await rig.start()
    return rig


class Failing(MemoryStore):
    """A disk that is full for the next ``failures`` batches."""

    failures = 0

    async def save(self, account_id: str, rows: Mapping[str, Sequence[PaperRow]]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        await super().save(account_id, rows)


async def test_rows_that_could_not_be_stored_are_stored_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(row_writer, "_RETRY", 0.01)
    rig = Rig(ROWS)
    rig.store = store = Failing()
    rig.box = rig._make()
    rig.market.set(SBIN, 800.0)
    await rig.start()
    store.failures = 3
    with pytest.raises(StorageError):
        await rig.trade(BUY, 10, SBIN, Product.MIS)
    assert one(await rig.box.orders()).status is OrderStatus.COMPLETE  # it is known, not lost
    await until(lambda: store.failures == 0, "the disk has room")
    await rig.trade(BUY, 1, SBIN, Product.MIS)
    assert len(store.tables["sandbox:test"]["orders"]) == 2
    told = [line for line in caplog.messages if "stored" in line]
    assert [line.split("could not")[0] == line for line in told] == [False, True]  # once each
    money = rig.box.state.ledger.cash
    await rig.restart()
    assert rig.box.state.ledger.cash == money and len(rig.box.state.trades) == 2
    await rig.kill()


async def test_one_batch_stores_a_burst():
    rig = await opened()
    before = rig.store.saves
    await asyncio.gather(*(rig.trade(BUY, 1, SBIN, Product.MIS, 700.0) for _ in range(50)))
    assert len(rig.box.state.orders) == 50 and rig.store.saves - before < 10
    await rig.kill()


def held_on_the_way(rig: Any) -> asyncio.Event:
    """Orders arrive when this is set, however long the test takes until then."""
    go, arrive = asyncio.Event(), rig.box._arrive

    async def later(order_id: str, key: Key) -> None:
        await go.wait()
        await arrive(order_id, key)

    rig.box._arrive = later
    return go


async def test_an_order_sees_the_market_at_its_arrival():
    rig = await opened(fill_model="book", book_latency_ms=30)
    go = held_on_the_way(rig)
    row = await rig.trade(BUY, 10, SBIN, Product.MIS)
    assert row.order.status is OrderStatus.OPEN
    rig.market.tick(SBIN, 805.0)
    assert row.order.status is OrderStatus.OPEN
    go.set()
    async with asyncio.timeout(60):
        while row.order.status is not OrderStatus.COMPLETE:
            await asyncio.sleep(0.005)
    assert row.order.average_price == 805.0
    rig.check()
    await rig.kill()


async def test_an_order_cancelled_on_its_way_never_arrives():
    rig = await opened(fill_model="book", book_latency_ms=20)
    go = held_on_the_way(rig)
    row = await rig.trade(BUY, 10, SBIN, Product.MIS)
    await rig.box.cancel(row.order.order_id)
    go.set()
    async with asyncio.timeout(60):
        while rig.box._arrivals:
            await asyncio.sleep(0.005)
    assert row.order.status is OrderStatus.CANCELLED and not rig.box.state.trades
    rig.check()
    await rig.kill()


async def test_the_fill_model_changes_while_running():
    rig = await opened()
    await rig.trade(BUY, 10, SBIN, Product.MIS, 700.0)
    assert rig.box.feed_mode is FeedMode.QUOTE
    rig.values["sandbox.fill_model"] = "book"
    rig.box.apply_settings("sandbox.fill_model", "book")
    assert rig.box.feed_mode is FeedMode.DEPTH and set(rig.market.watchers) == {SBIN}
    depth = Depth((Level(799.0, 5),), (Level(801.0, 5), Level(802.0, 5)))
    rig.market.set(SBIN, 800.0, depth=depth, bid=799.0, ask=801.0)
    row = await rig.trade(BUY, 10, SBIN, Product.MIS)
    assert row.order.average_price == 801.5
    rig.check()
    await rig.kill()


async def test_a_silent_feed_is_asked():
    rig = await opened()
    row = await rig.trade(BUY, 10, SBIN, Product.MIS, 790.0)
    rig.market.set(SBIN, 785.0)  # nobody sends it
    await rig.box._check_silent(rig.clock.monotonic() + 60)
    assert row.order.status is OrderStatus.COMPLETE
    await rig.kill()


async def test_the_running_clock_does_what_is_due():
    rig = await opened()
    await rig.trade(BUY, 10, SBIN, Product.MIS)
    await rig.box.stop()
    rig.box = rig._make()
    await rig.box.start()
    rig.clock.advance(5.3 * 3600)
    async with asyncio.timeout(60):
        while rig.position(SBIN, Product.MIS):
            await asyncio.sleep(0.05)
    assert list(rig.box.state.orders.values())[-1].order.strategy == "AUTO_SQUARE_OFF"
    await rig.box.stop()
    assert rig.market.watchers == {}


async def test_ids_stay_unique_when_the_clock_stands_still():
    rig = await opened()
    request = OrderRequest("SBIN", "NSE", BUY, 1, PriceType.LIMIT, Product.MIS, 700.0)
    ids = [(await rig.box.place(request, "")).order_id for _ in range(100)]
    await rig.restart()
    ids += [(await rig.box.place(request, "")).order_id for _ in range(100)]
    assert len(set(ids)) == 200 and all(len(i) == 14 and i.isdigit() for i in ids)
    await rig.kill()


async def test_prices_of_holdings_are_asked_for_but_not_all_the_time():
    rig = await opened()
    await rig.trade(BUY, 10, SBIN, Product.CNC)
    await rig.at("2026-11-17T10:00:00")
    assert rig.market.watchers == {}
    rig.market.set(SBIN, 850.0)
    rig.market.streamed = False
    assert one(await rig.box.holdings()).ltp == 850.0
    rig.market.set(SBIN, 860.0)
    assert one(await rig.box.holdings()).ltp == 850.0
    rig.clock.advance(6)
    assert one(await rig.box.holdings()).pnl == 600.0
    await rig.kill()


async def test_orders_of_earlier_sessions_are_found_again_by_tag_and_id():
    rig = await opened()
    request = OrderRequest("SBIN", "NSE", BUY, 1, product=Product.CNC)
    first = await rig.box.place(request, "tag1")
    second = await rig.box.place(request, "")
    await rig.restart("2026-11-18T10:00:00+05:30")
    assert await rig.box.orders() == []
    found = await rig.box.recall({"tag1", ""}, {second.order_id, ""})
    assert [order.order_id for order in found] == [first.order_id, second.order_id]
    await rig.kill()
