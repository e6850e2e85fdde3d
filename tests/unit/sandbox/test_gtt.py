"""Good-till-triggered orders: reserve, trigger, order; over restarts and closed markets."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, GttStatus, GttType, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import GttNotFound, InsufficientFunds, InvalidOrder
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument
from tests.unit.sandbox.helpers import Rig, one

SBIN = ("NSE", "SBIN")
BUY, SELL = Action.BUY, Action.SELL


def single(action: Action, price: float, **more: object) -> GttRequest:
    values = {"trigger_below": 780.0, "product": Product.CNC, **more}
    return GttRequest(GttType.SINGLE, "SBIN", "NSE", action, 10, price=price, **values)  # type: ignore[arg-type]


def oco(action: Action, **more: object) -> GttRequest:
    values = {
        "trigger_below": 780.0,
        "trigger_above": 820.0,
        "stoploss": 779.0,
        "target": 821.0,
        **more,
    }
    return GttRequest(GttType.OCO, "SBIN", "NSE", action, 10, **values)  # type: ignore[arg-type]


@pytest.fixture
async def rig():
    rig = Rig([Instrument("SBIN", "NSE")], starting_capital=100_000.0)
    rig.market.set(SBIN, 800.0)
    await rig.start()
    yield rig
    rig.check()
    await rig.kill()


def used(rig: Rig) -> Decimal:
    return rig.box.state.ledger.reserved


async def test_it_waits_reserved_and_becomes_an_order(rig: Rig):
    assert rig.box.traits.gtt
    ack = await rig.box.gtt_place(single(BUY, 781.0, strategy="dip"), "tag123")
    assert ack.order_id.startswith("GTT-261116-") and used(rig) == Decimal("7810.00")
    assert set(rig.market.watchers) == {SBIN}
    rig.market.tick(SBIN, 780.05)
    assert one(await rig.box.gtt_orders()).status is GttStatus.ACTIVE
    rig.market.tick(SBIN, 779.0)
    order = one(await rig.box.orders())
    assert (order.status, order.average_price, order.strategy) == (
        OrderStatus.COMPLETE,
        779.0,
        "dip",
    )
    gtt = rig.box.state.gtts[ack.order_id]
    assert (gtt.status, gtt.legs[0].order_id, gtt.margin) == (
        GttStatus.TRIGGERED,
        order.order_id,
        0.0,
    )
    assert await rig.box.gtt_orders() == []


async def test_one_leg_of_an_oco_cancels_the_other(rig: Rig):
    await rig.trade(BUY, 10, SBIN, Product.CNC)
    ack = await rig.box.gtt_place(oco(SELL), "")
    assert used(rig) == Decimal("8000.00") + Decimal("8210.00")
    rig.market.tick(SBIN, 825.0)
    gtt = rig.box.state.gtts[ack.order_id]
    assert [leg.status for leg in gtt.legs] == [GttStatus.CANCELLED, GttStatus.TRIGGERED]
    assert rig.position(SBIN, Product.CNC) == 0
    rig.market.tick(SBIN, 770.0)
    assert len(rig.box.state.orders) == 2


async def test_a_refused_order_ends_the_gtt_with_the_reason(rig: Rig):
    ack = await rig.box.gtt_place(oco(SELL), "")
    for price in (825.0, 826.0, 827.0):
        rig.market.tick(SBIN, price)
    gtt = rig.box.state.gtts[ack.order_id]
    assert gtt.status is GttStatus.REJECTED and "No positions or holdings" in gtt.message
    assert one(await rig.box.orders()).status is OrderStatus.REJECTED and used(rig) == 0


async def test_it_survives_a_restart_and_fires_on_what_happened_meanwhile(rig: Rig):
    await rig.box.gtt_place(single(BUY, 781.0), "")
    await rig.restart("2026-11-17T10:00:00+05:30")
    assert len(await rig.box.gtt_orders()) == 1 and used(rig) == Decimal("7810.00")
    rig.market.set(SBIN, 770.0)
    await rig.restart("2026-11-18T10:00:00+05:30")
    assert one(await rig.box.orders()).average_price == 770.0


async def test_nothing_fires_while_the_market_is_closed(rig: Rig):
    await rig.box.gtt_place(single(BUY, 781.0), "")
    await rig.at("2026-11-16T20:00:00")
    rig.market.tick(SBIN, 770.0)
    assert len(await rig.box.gtt_orders()) == 1
    await rig.at("2026-11-17T09:15:05")
    rig.market.tick(SBIN, 771.0)
    assert await rig.box.gtt_orders() == []


async def test_modify_reserves_anew_both_ways_and_keeps_identity(rig: Rig):
    ack = await rig.box.gtt_place(single(BUY, 781.0), "")
    await rig.box.gtt_modify(ack.order_id, single(BUY, 700.0, trigger_below=701.0))
    assert used(rig) == Decimal("7000.00")
    with pytest.raises(InvalidOrder, match=r"action cannot be changed .* \(BUY -> SELL\)"):
        await rig.box.gtt_modify(ack.order_id, single(SELL, 781.0))
    with pytest.raises(InsufficientFunds):
        await rig.box.gtt_modify(
            ack.order_id,
            GttRequest(GttType.SINGLE, "SBIN", "NSE", BUY, 500, price=781.0, trigger_below=780.0),
        )
    gtt = one(await rig.box.gtt_orders())
    assert (gtt.quantity, gtt.legs[0].trigger_price) == (10, 701.0)


async def test_without_money_it_is_refused_in_the_form_of_an_order(rig: Rig):
    asked = GttRequest(GttType.SINGLE, "SBIN", "NSE", BUY, 2000, price=781.0, trigger_below=780.0)
    short = "Required: ₹1562000.0, Available: ₹100000.00, Shortage: ₹1462000.00"
    with pytest.raises(InsufficientFunds, match=short):
        await rig.box.gtt_place(asked, "")
    with pytest.raises(InsufficientFunds, match=short):
        await rig.trade(BUY, 2000, SBIN, Product.CNC, 781.0)
    small = await rig.box.gtt_place(single(BUY, 781.0), "")
    with pytest.raises(InsufficientFunds, match=r"Required: ₹1554190\.0, Available: ₹92190\.00"):
        await rig.box.gtt_modify(small.order_id, asked)


async def test_cancel_gives_back_once(rig: Rig):
    ack = await rig.box.gtt_place(single(BUY, 781.0), "")
    await rig.box.gtt_cancel(ack.order_id)
    assert used(rig) == 0 and rig.market.watchers == {}
    with pytest.raises(GttNotFound, match=f"No active GTT with trigger_id '{ack.order_id}'"):
        await rig.box.gtt_cancel(ack.order_id)


async def test_it_ends_with_its_validity(rig: Rig):
    soon = datetime(2026, 11, 18, 12, 0, tzinfo=IST)
    await rig.box.gtt_place(single(BUY, 781.0, expires_at=soon), "")
    ack = await rig.box.gtt_place(single(BUY, 781.0), "")
    await rig.at("2026-11-18T12:00:00")
    assert [gtt.trigger_id for gtt in await rig.box.gtt_orders()] == [ack.order_id]
    await rig.at((rig.clock.now() + timedelta(days=365)).isoformat())
    assert await rig.box.gtt_orders() == [] and used(rig) == 0


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (single(BUY, 781.0, trigger_above=820.0), "triggerprice_sl"),
        (single(BUY, 781.0, trigger_below=0.0), "triggerprice_sl"),
        (single(BUY, 781.0, product=Product.MIS), "product"),
        (single(BUY, 781.0, price_type=PriceType.SLM), "pricetype"),
        (single(BUY, 781.01), "price"),
        (single(BUY, 0.0), "price"),
        (single(BUY, 781.0, trigger_below=780.01), "triggerprice_sl"),
        (oco(BUY, trigger_below=830.0), "triggerprice_sl"),
        (oco(BUY, target=0.0), "target"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field(rig: Rig, request_, field):
    with pytest.raises(InvalidOrder) as caught:
        await rig.box.gtt_place(request_, "")
    assert caught.value.field == field and used(rig) == 0


async def test_sum_mode_reserves_both_legs():
    rig = Rig([Instrument("SBIN", "NSE")], gtt_oco_margin_mode="sum")
    rig.market.set(SBIN, 800.0)
    await rig.start()
    await rig.box.gtt_place(oco(BUY), "")
    assert used(rig) == Decimal("16000.00")
    await rig.kill()
