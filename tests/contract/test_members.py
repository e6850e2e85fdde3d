"""From the login to an order against an emulator of each member's own variant: brokers whose family
is shown in whole by another member."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.enums import (
    AccountState,
    Action,
    FeedMode,
    Interval,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import ModifyRequest, OrderRequest
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.ticks import Part
from tests.contract.rig import REGISTRY, Rig, open_rig
from tests.contract.test_orders import find, order_of, tag
from tests.faces.face import face_names
from tests.waiting import until

MEMBERS = sorted(set(face_names(whole=False)) - set(face_names()))


#: Those with prices of their own; the others show orders and books.
PRICED = [name for name in MEMBERS if REGISTRY.get(name).spec.capabilities.quote_batch]


@pytest.fixture
async def priced(request: Any, tmp_path: Path) -> AsyncIterator[Rig]:
    """A logged-in account of a member with market data."""
    async with open_rig(request.param, tmp_path) as rig:
        await rig.login()
        yield rig


@pytest.fixture(params=MEMBERS)
async def member(request: Any, tmp_path: Path) -> AsyncIterator[Rig]:
    """A logged-in account of a member."""
    async with open_rig(request.param, tmp_path) as rig:
        await rig.login()
        yield rig


async def test_login_to_order(member: Rig) -> None:
    assert member.account.status.client_id
    assert (await member.gateway.funds()).available_cash > 0
    exchanges = {row.exchange for row in member.rows.values()}
    offered = set(member.can.exchanges)
    assert exchanges <= offered and {"NSE", "NFO", "NSE_INDEX"} <= exchanges
    row = member.row("NSE")
    price = await member.price(row)
    assert price.bid < price.ask

    ack = await member.gateway.place(await order_of(member, row, PriceType.LIMIT), tag())
    assert (await find(member, ack.order_id)).status is OrderStatus.OPEN
    await member.gateway.modify(ModifyRequest(order_id=ack.order_id, quantity=7))
    assert (await find(member, ack.order_id)).quantity == 7
    await member.gateway.cancel(ack.order_id)
    assert (await find(member, ack.order_id)).status is OrderStatus.CANCELLED

    # What trades at once: a limit through the price, where market orders are not taken.
    limit = to_tick(price.ask * 1.02, row.tick_size)
    deal = OrderRequest(row.symbol, "NSE", Action.BUY, 3, PriceType.LIMIT, Product.MIS, limit)
    ack = await member.gateway.place(deal, tag())
    await until(lambda: any(u.trade for u in member.updates), "the fill")
    (position,) = [p for p in await member.gateway.positions() if p.quantity]
    assert (position.symbol, position.quantity) == (row.symbol, 3)
    assert sum(trade.quantity for trade in await member.gateway.trades()) == 3
    held = await member.gateway.holdings()
    assert all(holding.ltp > 0 for holding in held)


async def test_margin_where_it_is_offered(member: Rig) -> None:
    legs = [await order_of(member, member.row("NSE"), PriceType.LIMIT)]
    if member.can.margin:
        assert (await member.gateway.margin(legs)).total > 0
    else:
        with pytest.raises(AppError):
            await member.account.api.margin(legs)


@pytest.mark.parametrize("mode", list(FeedMode))
@pytest.mark.parametrize("priced", PRICED, indirect=True)
async def test_the_feed_ticks_in_each_mode(priced: Rig, mode: FeedMode) -> None:
    future = priced.row("NFO", "FUT")
    rows = [priced.row("NSE"), future]
    await priced.account.market.subscribe({row.key: mode for row in rows})
    await until(
        lambda: (
            {t.symbol for t in priced.ticks if t.mode >= mode and t.knows(Part.LTP)}
            >= {r.symbol for r in rows}
        ),
        "a tick of each",
    )
    # What brings the open interest alone knows no price.
    assert all(tick.ltp > 0 for tick in priced.ticks if tick.knows(Part.LTP))
    if mode is not FeedMode.LTP:
        await until(lambda: any(t.symbol == future.symbol and t.oi for t in priced.ticks), "the oi")
    stream = priced.account.stream
    assert stream is not None and stream.figures()["bad_frames"] == 0


@pytest.mark.parametrize("priced", PRICED, indirect=True)
async def test_the_feed_comes_back(priced: Rig) -> None:
    row = priced.row("NSE")
    await priced.account.market.subscribe({row.key: FeedMode.QUOTE})
    await until(lambda: bool(priced.ticks), "a tick")
    await priced.emulator.drop_sockets()
    await until(lambda: priced.account.status.state is AccountState.DISCONNECTED, "the loss")
    priced.ticks.clear()
    await until(lambda: bool(priced.ticks), "ticks again")


@pytest.mark.parametrize("priced", PRICED, indirect=True)
async def test_history(priced: Rig) -> None:
    today = priced.clock.now().date()
    bars = await priced.account.market.history(
        priced.row("NSE").key, Interval.M5, today - timedelta(days=9), today - timedelta(days=1)
    )
    days = {moment // 86_400 for moment in bars.time.tolist()}
    assert len(days) >= 5
