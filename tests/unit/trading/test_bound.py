"""Lanes of a fixed mode: the switch neither stops them nor carries them over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.basket import Basket, LineState
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AuthError, NotConnected, OrderError, RiskBlocked
from openalgo_desktop.core.events import OrderNamed, OrderRefused
from openalgo_desktop.core.model import (
    Funds,
    Margin,
    ModifyRequest,
    Order,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.trading.basket import BasketSender
from openalgo_desktop.trading.bulk import place_basket, place_split
from openalgo_desktop.trading.lane import Lane
from openalgo_desktop.trading.lane_parts import NoUnits
from openalgo_desktop.trading.limits import RiskRules
from openalgo_desktop.trading.own_part import OwnPart
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.smart import SmartOrders
from tests.unit.trading.test_desk import BUY, Gateway, Rig

OTHER = {Mode.SANDBOX: Mode.LIVE, Mode.LIVE: Mode.SANDBOX}


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    await rig.desk.start()
    yield rig
    await rig.desk.stop()


def at(rig: Rig, mode: Mode) -> Gateway:
    return rig.live if mode is Mode.LIVE else rig.paper


async def flip(rig: Rig) -> None:
    await rig.desk.set_mode(OTHER[rig.desk.mode], "test")


@pytest.mark.parametrize("mode", Mode)
async def test_every_order_of_a_bound_lane_goes_to_the_gateway_of_its_mode(rig: Rig, mode: Mode):
    lane = rig.desk.bound(mode)
    for _ in range(2):
        placed = await lane.place(BUY, "strategy:one")
        assert placed.mode is lane.mode is mode
        await lane.modify(ModifyRequest(placed.order_id, quantity=5), "strategy:one")
        await lane.cancel(placed.order_id, "strategy:one", mode)
        await flip(rig)
    kinds = [kind for kind, _ in at(rig, mode).arrived]
    assert kinds == ["place", "modify", "cancel"] * 2
    assert at(rig, OTHER[mode]).arrived == []
    assert {row.mode for row in rig.journal.rows.values()} == {mode}


@pytest.mark.parametrize("mode", Mode)
async def test_a_switch_in_the_middle_of_a_basket_and_of_a_split_changes_nothing(
    rig: Rig, mode: Mode
):
    """The desk itself refuses what is left then."""

    async def after(lane: Lane, request: OrderRequest) -> Placed:
        began = lane.mode
        placed = await lane.place(request, "strategy:one", began)
        await flip(rig)
        return placed

    lane = rig.desk.bound(mode)
    basket = [BUY, msgspec.structs.replace(BUY, symbol="INFY")]
    children = await place_basket(lambda request: after(lane, request), basket)
    children += await place_split(lambda request: after(lane, request), BUY, 4, 0.0)
    assert [type(child.outcome) for child in children] == [Placed] * 5
    assert len(at(rig, mode).arrived) == 5
    assert at(rig, OTHER[mode]).arrived == []


async def test_a_bound_basket_of_many_lines_is_sent_whole(rig: Rig):
    lane = rig.desk.bound(Mode.SANDBOX)
    states: list[LineState] = []
    moves: list[asyncio.Task[None]] = []

    def on_line(place: int, result: Any) -> None:
        states.append(result.state)
        moves.append(asyncio.ensure_future(flip(rig)))

    lines = tuple(msgspec.structs.replace(BUY, quantity=n) for n in (1, 2, 3))
    sender = BasketSender(lane, rig.bus, lambda order_id: None, on_line)
    await sender.send(Basket(lines=lines), "window", Mode.SANDBOX)
    await asyncio.gather(*moves)
    assert states.count(LineState.SENT) == 3
    assert (len(rig.paper.arrived), len(rig.live.arrived)) == (3, 0)


@pytest.mark.parametrize("mode", Mode)
async def test_a_smart_order_counts_what_its_own_mode_holds(rig: Rig, mode: Mode):
    at(rig, mode).rows = [Position("SBIN", "NSE", Product.MIS, 4, 800.0)]
    at(rig, OTHER[mode]).rows = [Position("SBIN", "NSE", Product.MIS, -50, 800.0)]
    for each in Mode:
        await rig.desk.books.rebase(each, tell=False)
    lane, reading = rig.desk.bound(mode), at(rig, mode).positions

    async def moved() -> Any:
        await flip(rig)
        return await reading()

    at(rig, mode).positions = moved  # type: ignore[method-assign]
    await SmartOrders(lane).place(BUY, 10, "strategy:one")
    (order,) = at(rig, mode).book
    assert (order.action, order.quantity) == (Action.BUY, 6)
    assert at(rig, OTHER[mode]).arrived == []


async def test_closing_all_stays_in_the_mode_in_which_it_began(rig: Rig):
    """Also from the window: cancelling the orders first takes time, and a human may switch."""
    rig.paper.rows = [Position("SBIN", "NSE", Product.MIS, 4, 800.0)]
    rig.live.rows = [Position("INFY", "NSE", Product.MIS, 7, 800.0)]
    for each in Mode:
        await rig.desk.books.rebase(each, tell=False)
    reading = rig.paper.orders

    async def moved() -> Any:
        if rig.desk.mode is Mode.SANDBOX:
            await flip(rig)
        return await reading()

    rig.paper.orders = moved  # type: ignore[method-assign]
    with pytest.raises(OrderError, match="switched to live"):
        await rig.desk.closing.close_all("window", Mode.SANDBOX, cancel_orders=True)
    assert (rig.paper.book, rig.live.book) == ([], [])
    await rig.desk.bound(Mode.SANDBOX).closing.close_all("strategy:one", cancel_orders=True)
    assert [(order.symbol, order.quantity) for order in rig.paper.book] == [("SBIN", 4)]
    assert rig.live.arrived == []


async def test_nothing_of_the_other_mode_comes_through_a_bound_lane(rig: Rig):
    lane = rig.desk.bound(Mode.SANDBOX)
    with pytest.raises(OrderError, match="bound to sandbox"):
        await lane.place(BUY, "strategy:one", Mode.LIVE)
    with pytest.raises(OrderError, match="bound to sandbox"):
        await lane.place(BUY, "strategy:one", Mode.LIVE, standing=True)
    with pytest.raises(OrderError, match="bound to sandbox"):
        await lane.closing.close_all("strategy:one", Mode.LIVE)
    assert (rig.paper.arrived, rig.live.arrived) == ([], [])


async def test_reads_of_a_bound_lane_are_of_its_mode(rig: Rig):
    for gateway, amount in ((rig.paper, 1.0), (rig.live, 44.0)):

        async def margin(legs: Sequence[OrderRequest], total: float = amount) -> Margin:
            return Margin(total)

        async def funds(cash: float = amount) -> Funds:
            return Funds(available_cash=cash)

        gateway.margin = margin  # type: ignore[attr-defined]
        gateway.funds = funds  # type: ignore[method-assign]
        gateway.traits = Traits(margin=True)
        gateway.rows = [Position("SBIN", "NSE", Product.MIS, int(amount), 800.0)]
    await rig.live.place(BUY, "elsewhere")
    for mode, amount, orders in ((Mode.LIVE, 44.0, 1), (Mode.SANDBOX, 1.0, 0)):
        read = rig.desk.bound(mode).read
        assert read.account_id == at(rig, mode).account_id
        assert (await read.margin([BUY])).total == amount
        assert (await read.funds()).available_cash == amount
        assert [row.quantity for row in await read.positions()] == [int(amount)]
        assert len(await read.orders()) == orders


async def test_a_live_lane_needs_a_live_account_and_an_open_vault(rig: Rig):
    lane = rig.desk.bound(Mode.LIVE)

    def locked(mode: Mode) -> None:
        if mode is Mode.LIVE:
            raise AuthError("the vault is locked")

    rig.desk.set_bound_guard(locked)
    with pytest.raises(AuthError):
        await lane.place(BUY, "strategy:one")
    with pytest.raises(AuthError):
        await lane.send(
            "gtt_place", BUY, "strategy:one", lambda gateway, tag: gateway.place(BUY, tag)
        )
    await rig.desk.bound(Mode.SANDBOX).place(BUY, "strategy:one")
    rig.desk.set_gateway(Mode.LIVE, None)
    with pytest.raises(NotConnected):
        await lane.place(BUY, "strategy:one")
    assert (len(rig.paper.arrived), rig.live.arrived) == (1, [])


async def test_a_refusal_names_the_mode_and_the_account_of_the_lane(rig: Rig):
    told: list[OrderRefused] = []
    rig.bus.subscribe(OrderRefused, told.append)
    rig.desk.risk.block("the kill switch is on")
    with pytest.raises(RiskBlocked):
        await rig.desk.bound(Mode.LIVE).place(BUY, "strategy:one")
    assert [(one.mode, one.account_id) for one in told] == [(Mode.LIVE, "kite:1")]
    assert rig.live.arrived == []


def with_limits(rig: Rig, **values: Any) -> RiskRules:
    settings = Settings()
    for name, value in values.items():
        settings.set(f"risk.{name}", value)
    ticks: Any = None  # no rule here needs a price
    rules = RiskRules(
        rig.clock,
        ticks,
        rig.lookup,
        rig.desk.books,
        settings.__getitem__,
        lambda exchange: True,
        MarketCalendar(),
    )
    rig.desk.risk.rules = rules
    return rules


async def test_limits_of_a_bound_order_look_at_the_book_of_its_mode(rig: Rig):
    rig.live.rows = [Position("INFY", "NSE", Product.MIS, 7, 800.0)]
    for each in Mode:
        await rig.desk.books.rebase(each, tell=False)
    with_limits(rig, open_positions=1)
    with pytest.raises(RiskBlocked, match="open position 2"):
        await rig.desk.bound(Mode.LIVE).place(BUY, "strategy:one")  # the switch is at SANDBOX
    await flip(rig)
    await rig.desk.bound(Mode.SANDBOX).place(BUY, "strategy:one")
    assert (len(rig.paper.arrived), rig.live.arrived) == (1, [])


async def test_a_limit_of_a_strategy_counts_what_it_has_in_its_mode(rig: Rig):
    rules = with_limits(rig)
    rules.set_scope("strategy:ema", {"orders_per_minute": 1, "max_quantity": 10})
    ema = msgspec.structs.replace(BUY, strategy="ema")
    live, paper = rig.desk.bound(Mode.LIVE), rig.desk.bound(Mode.SANDBOX)
    for lane in (live, paper):
        with pytest.raises(RiskBlocked, match=r"quantity 11 .*strategy:ema|strategy:ema.*11"):
            await lane.place(msgspec.structs.replace(ema, quantity=11), "api:ema")
        await lane.place(ema, "api:ema")
        with pytest.raises(RiskBlocked, match="order 2 within a minute"):
            await lane.place(msgspec.structs.replace(ema, quantity=9), "api:ema")
    await live.place(msgspec.structs.replace(BUY, strategy="two"), "api:two")
    assert (len(rig.live.arrived), len(rig.paper.arrived)) == (2, 1)


async def test_paper_and_live_of_one_strategy_are_no_repetition_of_each_other(rig: Rig):
    rules = with_limits(rig, duplicate_ms=60_000, orders_per_minute=2)
    for mode in Mode:
        await rig.desk.bound(mode).place(BUY, "strategy:one")
        with pytest.raises(RiskBlocked, match="same order"):
            await rig.desk.bound(mode).place(BUY, "strategy:one")
    await rig.desk.bound(Mode.LIVE).place(msgspec.structs.replace(BUY, quantity=2), "strategy:one")
    assert [rules.sent_within_a_minute(mode) for mode in (Mode.SANDBOX, Mode.LIVE)] == [1, 2]
    with pytest.raises(RiskBlocked, match="order 3 within a minute"):
        await rig.desk.bound(Mode.LIVE).place(
            msgspec.structs.replace(BUY, quantity=3), "strategy:one"
        )


async def test_a_name_that_comes_after_the_fill_is_told_with_it(rig: Rig):
    """The gateway tells of a fill, without our tag, before it answers the placement."""
    told: list[OrderNamed] = []
    rig.bus.subscribe(OrderNamed, told.append)
    request = msgspec.structs.replace(BUY, strategy="ema")

    def fill() -> None:
        order = Order(
            "1", "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS,
            status=OrderStatus.COMPLETE, filled_quantity=10,
        )  # fmt: skip
        at = rig.clock.now()
        trade = Trade("T1", "1", "SBIN", "NSE", Action.BUY, Product.MIS, 10, 800.0, at)
        assert rig.live.listener is not None
        rig.live.listener(OrderUpdate("kite:1", order, trade))

    rig.live.answer = fill
    await rig.desk.bound(Mode.LIVE).place(request, "strategy:ema")
    (event,) = told
    assert (event.mode, event.account_id, event.order.strategy) == (Mode.LIVE, "kite:1", "ema")
    assert [(trade.trade_id, trade.strategy) for trade in event.trades] == [("T1", "ema")]
    assert rig.desk.books.book(Mode.LIVE).strategy_positions("ema") == 1
    rig.live.answer = lambda: None
    await rig.desk.bound(Mode.LIVE).place(request, "strategy:ema")
    assert len(told) == 1


async def test_the_journal_knows_which_orders_were_bound(rig: Rig):
    """After a restart, too: the kill switch asks."""
    bound = await rig.desk.bound(Mode.LIVE).place(BUY, "strategy:one")
    await flip(rig)
    free = await rig.desk.place(BUY, "window")
    again = rig.make_desk()
    await again.sender.origins.learn("kite:1", await rig.live.orders())
    for desk in (rig.desk, again):
        assert desk.sender.origins.is_bound(bound.order_id)
        assert not desk.sender.origins.is_bound(free.order_id)


class Units(NoUnits):
    """What strategies hold by their book."""

    def __init__(self, units: Callable[[Mode, str], Mapping[PositionKey, int]]) -> None:
        self._units = units

    def units(self, mode: Mode, strategy: str) -> Mapping[PositionKey, int]:
        return self._units(mode, strategy)


async def test_a_strategy_closes_what_it_carried_over_and_no_more_than_the_account_holds(rig: Rig):
    """By the strategy book, which knows of earlier days; the rest of the position is not its."""
    key = ("NSE", "SBIN", Product.MIS)
    rig.live.rows = [Position("SBIN", "NSE", Product.MIS, 10, 800.0)]
    await rig.desk.books.rebase(Mode.LIVE, tell=False)
    part = OwnPart(rig.desk.bound(Mode.LIVE), "ema")
    assert part.units() == {}
    for held, closes in ((3, 3), (30, 10), (-3, 0)):
        rig.desk.set_strategy_units(Units(lambda mode, name, held=held: {key: held}))
        assert part.units() == ({key: closes} if closes else {})
    rig.desk.set_strategy_units(Units(lambda mode, name: {key: 3} if mode is Mode.LIVE else {}))
    result = await part.close_all("strategy:ema")
    assert (result.closed, result.failed) == (1, 0)
    (order,) = rig.live.book
    assert (order.action, order.quantity) == (Action.SELL, 3)
    (entry,) = rig.journal.rows.values()
    assert entry.request["strategy"] == "ema"
