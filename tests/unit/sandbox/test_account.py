"""The sandbox as a gateway: orders, money, restart, feed."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal

import pytest

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product, Validity
from openalgo_desktop.core.errors import (
    InsufficientFunds,
    InvalidOrder,
    OrderNotFound,
    OrderNotWorking,
    RejectedByBroker,
)
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, ModifyRequest, OrderRequest, OrderUpdate
from openalgo_desktop.exchange.paper import IOC_ENDED
from openalgo_desktop.exchange.records import PaperPosition
from openalgo_desktop.sandbox.account import Sandbox
from tests.unit.sandbox.helpers import Market, MemoryStore, one, settings
from tests.unit.sandbox.helpers import Rig as Bench

SBIN = ("NSE", "SBIN")
BUY, SELL = Action.BUY, Action.SELL


def order(action: Action, quantity: int, price: float = 0, **more: object) -> OrderRequest:
    kind = PriceType.LIMIT if price else PriceType.MARKET
    values = {"price_type": kind, "product": Product.MIS, "price": price, **more}
    return OrderRequest("SBIN", "NSE", action, quantity, **values)  # type: ignore[arg-type]


class Rig:
    """A sandbox on a Monday morning with SBIN at 800."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 23, 10, 0, tzinfo=IST))
        self.instruments = InstrumentTable()
        self.instruments.load([Instrument("SBIN", "NSE"), Instrument("TCS", "NSE")])
        self.market = Market()
        self.market.set(SBIN, 800.0, bid=799.95, ask=800.05)
        self.store = MemoryStore()
        self.values = settings(starting_capital=100_000.0)
        self.updates: list[OrderUpdate] = []
        self.box = self.make()

    def make(self) -> Sandbox:
        box = Sandbox(
            "sandbox:test", self.clock, self.instruments, self.market, self.store, self.values
        )
        box.set_listener(self.updates.append)
        return box

    async def restart(self) -> None:
        """As after a kill: nothing is written on the way out."""
        await self.box.stop()
        self.box = self.make()
        await self.box.start()

    async def money(self) -> tuple[float, float]:
        funds = await self.box.funds()
        assert self.box.book.justified() == self.box.state.ledger.reserved
        return funds.available_cash, funds.utilised


@pytest.fixture
async def rig():
    rig = Rig()
    await rig.box.start()
    yield rig
    await rig.box.stop()


async def test_market_order_fills_at_the_quote_and_blocks_margin(rig: Rig):
    ack = await rig.box.place(order(BUY, 10), "tag1")
    assert len(ack.order_id) == 14 and ack.order_id.startswith("261123")
    row = one(await rig.box.orders())
    assert (row.status, row.average_price, row.tag) == (OrderStatus.COMPLETE, 800.05, "tag1")
    position = one(await rig.box.positions())
    assert (position.quantity, position.average_price, position.margin) == (10, 800.05, 1600.0)
    assert await rig.money() == (98_400.0, 1600.0)
    assert one(await rig.box.trades()).order_id == ack.order_id


async def test_updates_come_before_the_acknowledgement_and_in_order(rig: Rig):
    await rig.box.place(order(BUY, 10), "tag1")
    assert [update.order.status for update in rig.updates] == [
        OrderStatus.OPEN,
        OrderStatus.COMPLETE,
    ]
    assert rig.updates[0].trade is None and rig.updates[1].trade is not None


async def test_only_what_matters_is_watched(rig: Rig):
    assert rig.market.watchers == {}
    ack = await rig.box.place(order(BUY, 10, 790.0), "tag1")
    assert set(rig.market.watchers) == {SBIN}
    await rig.box.cancel(ack.order_id)
    assert rig.market.watchers == {}
    await rig.box.place(order(BUY, 10), "tag2")
    assert set(rig.market.watchers) == {SBIN}
    await rig.box.place(order(SELL, 10), "tag3")
    assert rig.market.watchers == {}


async def test_a_resting_limit_fills_at_its_limit(rig: Rig):
    await rig.box.place(order(BUY, 10, 790.0), "tag1")
    rig.market.tick(SBIN, 791.0)
    assert one(await rig.box.orders()).status is OrderStatus.OPEN
    rig.market.tick(SBIN, 785.0, bid=784.0, ask=786.0)
    row = one(await rig.box.orders())
    assert (row.status, row.average_price) == (OrderStatus.COMPLETE, 790.0)


async def test_a_buy_limit_does_not_fill_below_the_ask(rig: Rig):
    await rig.box.place(order(BUY, 10, 790.0), "tag1")
    rig.market.tick(SBIN, 789.0, bid=788.0, ask=795.0)
    assert one(await rig.box.orders()).status is OrderStatus.OPEN


async def test_everything_survives_a_restart(rig: Rig):
    await rig.box.place(order(BUY, 10), "tag1")
    resting = await rig.box.place(order(SELL, 4, 810.0), "tag2")
    before = await rig.money()
    ids = [row.order_id for row in await rig.box.orders()]
    await rig.restart()
    assert await rig.money() == before
    assert [row.order_id for row in await rig.box.orders()] == ids
    rig.market.tick(SBIN, 812.0)
    row = rig.box.book.find(resting.order_id).order
    assert (row.status, row.average_price) == (OrderStatus.COMPLETE, 810.0)
    again = await rig.box.place(order(BUY, 1), "tag3")
    assert again.order_id not in ids


async def test_refusals_leave_no_row_and_move_no_money(rig: Rig):
    with pytest.raises(InsufficientFunds, match=r"Required: ₹160000\.0, Available: ₹100000\.00"):
        await rig.box.place(order(BUY, 1000), "tag1")
    with pytest.raises(InvalidOrder):
        await rig.box.place(order(BUY, 10, 790.01), "tag2")
    with pytest.raises(InvalidOrder, match="Symbol NOPE not found on NSE"):
        await rig.box.place(OrderRequest("NOPE", "NSE", BUY, 1), "tag4")
    with pytest.raises(RejectedByBroker, match="unable to fetch current price"):
        await rig.box.place(
            OrderRequest("TCS", "NSE", BUY, 1, PriceType.MARKET, Product.MIS), "tag3"
        )
    assert await rig.box.orders() == [] and await rig.money() == (100_000.0, 0.0)


async def test_selling_shares_that_are_not_there_leaves_a_rejected_row(rig: Rig):
    with pytest.raises(RejectedByBroker, match="No positions or holdings available") as caught:
        await rig.box.place(order(SELL, 10, product=Product.CNC), "tag1")
    row = one(await rig.box.orders())
    assert (row.order_id, row.status) == (caught.value.order_id, OrderStatus.REJECTED)


async def test_resting_sales_of_shares_count(rig: Rig):
    await rig.box.place(order(BUY, 10, product=Product.CNC), "tag1")
    await rig.box.place(order(SELL, 6, 820.0, product=Product.CNC), "tag2")
    with pytest.raises(RejectedByBroker, match="Only 4 shares available"):
        await rig.box.place(order(SELL, 6, 820.0, product=Product.CNC), "tag3")


async def test_modify_margins_again_and_refuses_what_money_does_not_allow(rig: Rig):
    ack = await rig.box.place(order(BUY, 10, 700.0), "tag1")
    assert await rig.money() == (98_600.0, 1400.0)
    await rig.box.modify(ModifyRequest(ack.order_id, price=790.0))
    assert await rig.money() == (98_420.0, 1580.0)
    with pytest.raises(InsufficientFunds):
        await rig.box.modify(ModifyRequest(ack.order_id, quantity=1000))
    assert one(await rig.box.orders()).quantity == 10
    await rig.box.modify(ModifyRequest(ack.order_id, quantity=5))
    assert await rig.money() == (99_210.0, 790.0)
    await rig.box.modify(ModifyRequest(ack.order_id, price=801.0))
    assert one(await rig.box.orders()).average_price == 800.0


async def test_final_orders_cannot_be_changed(rig: Rig):
    ack = await rig.box.place(order(BUY, 10), "tag1")
    with pytest.raises(OrderNotWorking, match="Cannot cancel order in complete status"):
        await rig.box.cancel(ack.order_id)
    with pytest.raises(OrderNotWorking, match="Cannot modify order in complete status"):
        await rig.box.modify(ModifyRequest(ack.order_id, quantity=1))
    with pytest.raises(OrderNotFound):
        await rig.box.cancel("1")


async def test_two_exits_cannot_go_naked(rig: Rig):
    await rig.box.place(order(BUY, 100), "tag1")
    await rig.box.place(order(SELL, 100, 810.0), "tag2")
    assert await rig.money() == (84_000.0, 16_000.0)
    await rig.box.place(order(SELL, 100, 820.0), "tag3")
    assert await rig.money() == (67_600.0, 32_400.0)
    rig.market.tick(SBIN, 825.0)
    position = one(await rig.box.positions())
    assert (position.quantity, position.margin) == (-100, 16_400.0)
    assert (await rig.money())[1] == 16_400.0


async def test_an_exit_whose_position_is_gone_is_margined_or_cancelled(rig: Rig):
    await rig.box.place(order(BUY, 300), "tag1")
    exit_ = await rig.box.place(order(SELL, 300, 810.0), "tag2")
    await rig.box.place(order(SELL, 300, 805.0), "tag3")  # opens: needs 48,300
    rig.market.tick(SBIN, 806.0)  # the younger one fills first and takes the position
    assert one(await rig.box.positions()).quantity == 0
    assert rig.box.book.find(exit_.order_id).margin == Decimal("48600.00")
    assert (await rig.money())[1] == 48_600.0


async def test_every_exit_that_lost_its_position_is_paid_for_or_cancelled(rig: Rig):
    await rig.box.place(order(BUY, 400), "tag1")  # 64,000 of 100,000
    sizes = ((300, 810.0), (100, 820.0))
    exits = [await rig.box.place(order(SELL, *size), "") for size in sizes]
    rig.box.book.settle(("NSE", "SBIN", "MIS"), Decimal(600), rig.clock.now(), today=True)
    rig.box.publish()
    rows = [rig.box.book.find(ack.order_id) for ack in exits]
    assert [row.margin for row in rows] == [Decimal(0), Decimal("16400.00")]
    assert rows[0].order.status is OrderStatus.CANCELLED
    assert "position this order would close is gone" in rows[0].order.rejection_reason
    assert (await rig.money())[1] == 16_400.0


async def test_a_smaller_exit_leaves_its_cover_to_the_next(rig: Rig):
    await rig.box.place(order(BUY, 100), "tag1")
    first = await rig.box.place(order(SELL, 100, 810.0), "tag2")
    second = await rig.box.place(order(SELL, 60, 820.0), "tag3")
    assert (await rig.money())[1] == 16_000.0 + 9_840.0
    await rig.box.modify(ModifyRequest(first.order_id, quantity=40))
    assert rig.box.book.find(second.order_id).covered == 60
    assert (await rig.money())[1] == 16_000.0


async def test_reset_starts_over(rig: Rig):
    await rig.box.place(order(BUY, 10), "tag1")
    await rig.box.place(order(BUY, 10, 700.0), "tag2")
    await rig.box.reset()
    assert await rig.money() == (100_000.0, 0.0)
    assert await rig.box.orders() == [] and await rig.box.positions() == []
    assert rig.market.watchers == {}
    await rig.restart()
    funds = await rig.box.funds()
    assert (funds.available_cash, funds.reset_count) == (100_000.0, 1)


async def test_ticks_write_nothing_by_themselves(rig: Rig):
    await rig.box.place(order(BUY, 10, 700.0), "tag1")
    saves = rig.store.saves
    for step in range(50):
        rig.market.tick(SBIN, 800.0 + step)
    await asyncio.sleep(0)
    assert rig.store.saves == saves


async def test_a_long_position_book_lets_others_have_the_loop(rig: Rig):
    """Reading it takes the prices of all rows, and so do the marks that are taken now and then."""
    for number in range(3000):
        row = PaperPosition(f"S{number}", "NSE", Product.MIS, quantity=1)
        row.updated = rig.clock.now()
        rig.box.state.positions[row.position_key] = row
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await asyncio.sleep(0)
    turns = 0
    assert len(await rig.box.positions()) == 3000
    task.cancel()
    assert turns >= 3000 // 500 + 3000 // 300 - 1


async def test_marks_of_many_positions_are_stored_in_portions(rig: Rig):
    for number in range(1200):
        row = PaperPosition(f"S{number}", "NSE", Product.MIS, quantity=1)
        rig.box.state.positions[row.position_key] = row
        rig.box.watching.last[row.key] = 100.0 + number
    await rig.box._marks.look()
    portions = []
    while rig.box._marks.store():
        portions.append(sum(map(len, rig.box.state.take().values())))
    assert portions == [500, 500, 200]


@pytest.mark.parametrize("at", ["2026-11-16T10:05:00", "2026-11-16T22:00:00"])
async def test_what_left_the_symbol_master_is_closed_at_its_last_price(at: str):
    """It has no market and no hours any more; no more than is held goes, and nothing opens."""
    rig = Bench([Instrument("OLD", "NSE", lot_size=1), Instrument("SBIN", "NSE")])
    await rig.start()
    key = ("NSE", "OLD")
    rig.market.set(key, 200.0)
    await rig.trade(Action.BUY, 10, key, Product.CNC)
    rig.instruments.load([Instrument("SBIN", "NSE")])
    rig.market.quotes.clear()
    rig.clock.jump(datetime.fromisoformat(at))
    for action, quantity in ((Action.BUY, 1), (Action.SELL, 11)):
        with pytest.raises(InvalidOrder, match="not found"):
            await rig.trade(action, quantity, key, Product.CNC)
    row = await rig.trade(Action.SELL, 10, key, Product.CNC)
    assert row.order.status is OrderStatus.COMPLETE and row.order.average_price == 200.0
    assert rig.position(key, Product.CNC) == 0
    rig.check()
    await rig.kill()


# -- immediate or cancel --------------------------------------------------------------------------
IOC = {"validity": Validity.IOC}


async def test_what_an_ioc_order_does_not_get_at_once_is_cancelled_and_frees_its_money(rig: Rig):
    free = (await rig.box.funds()).available_cash
    rests = await rig.box.place(order(BUY, 10, 790.0, **IOC), "T1")
    row = rig.box.book.find(rests.order_id).order
    assert row.status is OrderStatus.CANCELLED and row.filled_quantity == 0
    assert row.rejection_reason == IOC_ENDED and row.validity is Validity.IOC
    assert (await rig.box.funds()).available_cash == free
    assert not rig.box.book.matcher.has_orders(SBIN)
    fills = await rig.box.place(order(BUY, 10, 801.0, **IOC), "T2")
    assert rig.box.book.find(fills.order_id).order.status is OrderStatus.COMPLETE


async def test_an_ioc_order_fills_in_part_and_the_rest_is_cancelled():
    """With the depth as it is shown: what is there at the limit, and no more."""
    rig = Bench([Instrument("SBIN", "NSE")], fill_model="book")
    await rig.start()
    rig.market.set(SBIN, 800.0, bid=799.95, ask=800.05, bid_quantity=50, ask_quantity=40)
    ack = await rig.box.place(order(BUY, 100, 800.05, **IOC), "T1")
    row = rig.box.book.find(ack.order_id).order
    assert (row.status, row.filled_quantity) == (OrderStatus.CANCELLED, 40)
    rig.market.tick(SBIN, 799.0, bid=798.95, ask=799.05, bid_quantity=50, ask_quantity=500)
    assert row.filled_quantity == rig.position(SBIN, Product.MIS) == 40
    rig.check()
    await rig.kill()


async def test_an_ioc_order_waits_for_no_open_and_no_price():
    rig = Bench([Instrument("SBIN", "NSE")])
    await rig.start()
    ack = await rig.box.place(order(BUY, 10, 801.0, **IOC), "T1")  # nobody knows the price
    assert rig.box.book.find(ack.order_id).order.status is OrderStatus.CANCELLED
    rig.market.set(SBIN, 800.0)
    await rig.at("2026-11-16T20:00:00")
    with pytest.raises(InvalidOrder, match="market is closed: an IOC order cannot wait"):
        await rig.box.place(order(BUY, 10, 801.0, **IOC, product=Product.CNC), "T2")
    await rig.kill()


async def test_an_ioc_order_on_its_way_when_the_program_ended_does_not_rest(rig: Rig):
    """It had not arrived (latency); after the start it is cancelled, not let loose."""
    rig.box.latency = 60.0
    ack = await rig.box.place(order(BUY, 10, 801.0, **IOC), "T1")
    assert rig.box.book.find(ack.order_id).order.status is OrderStatus.OPEN
    box = rig.make()
    await box.start(box.capital)
    row = box.book.find(ack.order_id).order
    assert row.status is OrderStatus.CANCELLED and not box.book.matcher.has_orders(SBIN)
    await box.stop()


async def test_a_disclosed_quantity_is_kept_and_changes_no_fill(rig: Rig):
    ack = await rig.box.place(order(BUY, 10, 790.0, disclosed_quantity=5), "T1")
    await rig.box.modify(ModifyRequest(ack.order_id, price=791.0))
    row = rig.box.book.find(ack.order_id).order
    assert (row.disclosed_quantity, row.price, row.status) == (5, 791.0, OrderStatus.OPEN)
    await rig.box.modify(ModifyRequest(ack.order_id, disclosed_quantity=4))
    assert rig.box.book.find(ack.order_id).order.disclosed_quantity == 4
    rig.market.tick(SBIN, 790.0, bid=789.0, ask=790.0)
    assert rig.box.book.find(ack.order_id).order.filled_quantity == 10
