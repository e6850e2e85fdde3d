"""Positions of a paper account that become another product."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.errors import InsufficientFunds, InvalidOrder, RejectedByBroker
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import future_symbol
from tests.unit.sandbox.helpers import Rig

SBIN = ("NSE", "SBIN")
EXPIRY = date(2026, 11, 24)
FUTURE = ("NFO", future_symbol("NIFTY", EXPIRY))
MIS, CNC, NRML = Product.MIS, Product.CNC, Product.NRML
BUY, SELL = Action.BUY, Action.SELL


def asked(quantity: int, product: Product, to: Product, **more: Any) -> ConvertRequest:
    values = {"symbol": "SBIN", "exchange": "NSE", "action": BUY, **more}
    return ConvertRequest(quantity=quantity, product=product, to=to, **values)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rows = [
        Instrument("SBIN", "NSE"),
        Instrument(FUTURE[1], "NFO", "NIFTY", "FUT", 75, expiry=EXPIRY),
    ]
    rig = Rig(rows, margin_model="leverage", starting_capital=100_000.0)
    rig.market.set(SBIN, 800.0, bid=799.95, ask=800.0)
    rig.market.set(FUTURE, 1000.0, bid=999.95, ask=1000.0)
    await rig.start()
    yield rig
    await rig.kill()


async def test_intraday_shares_become_delivery_and_are_paid_for_in_full(rig: Rig) -> None:
    await rig.trade(BUY, 100, SBIN, MIS)
    assert rig.box.state.ledger.reserved == 16_000
    await rig.box.convert(asked(100, MIS, CNC), "tag1")
    row = rig.box.state.positions[*SBIN, "CNC"]
    assert (rig.position(SBIN, MIS), row.quantity, row.average) == (0, 100, Decimal(800))
    assert (rig.box.state.ledger.reserved, row.margin) == (80_000, 80_000)
    rig.check()
    await rig.restart()
    assert (rig.position(SBIN, MIS), rig.position(SBIN, CNC)) == (0, 100)
    rig.check()
    await rig.at("2026-11-17T10:00:00+05:30")  # they are delivered and not squared off
    assert rig.box.state.holdings[SBIN].quantity == 100
    rig.check()


async def test_a_part_joins_what_is_there_at_the_average_of_both(rig: Rig) -> None:
    await rig.trade(BUY, 20, SBIN, CNC)
    rig.market.set(SBIN, 900.0, bid=899.95, ask=900.0)
    await rig.trade(BUY, 50, SBIN, MIS)
    await rig.box.convert(asked(20, MIS, CNC), "tag1")
    row = rig.box.state.positions[*SBIN, "CNC"]
    assert (rig.position(SBIN, MIS), row.quantity, row.average) == (30, 40, Decimal(850))
    assert row.margin == 34_000
    rig.check()
    await rig.box.convert(asked(40, CNC, MIS), "tag2")
    assert (rig.position(SBIN, MIS), rig.position(SBIN, CNC)) == (70, 0)
    rig.check()


async def test_without_the_money_nothing_moves(rig: Rig) -> None:
    await rig.trade(BUY, 200, SBIN, MIS)
    before = rig.box.state.ledger.reserved
    with pytest.raises(InsufficientFunds, match="Required: ₹128000"):
        await rig.box.convert(asked(200, MIS, CNC), "tag1")
    assert (rig.position(SBIN, MIS), rig.position(SBIN, CNC)) == (200, 0)
    assert rig.box.state.ledger.reserved == before
    rig.check()


async def test_a_short_future_is_carried(rig: Rig) -> None:
    await rig.trade(SELL, 75, FUTURE, MIS)
    wanted = asked(75, MIS, NRML, symbol=FUTURE[1], exchange="NFO", action=SELL)
    await rig.box.convert(wanted, "tag1")
    assert (rig.position(FUTURE, MIS), rig.position(FUTURE, NRML)) == (0, -75)
    rig.check()
    await rig.at("2026-11-16T15:20:00+05:30")  # the square-off of MIS leaves it alone
    assert rig.position(FUTURE, NRML) == -75


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"to": NRML}, "NRML is not allowed on NSE"),
        ({"to": MIS}, "is MIS already"),
        ({"quantity": 11}, "Only 10 units"),
        ({"quantity": 0}, "must be positive"),
        ({"action": SELL}, "cannot be short"),
        ({"product": CNC, "to": MIS}, "no open CNC position"),
        ({"there": -5}, "on the other side"),
    ],
)
async def test_what_cannot_be_is_refused(rig: Rig, change: dict[str, Any], words: str) -> None:
    await rig.trade(BUY, 10, SBIN, MIS)
    wanted = {"quantity": 10, "product": MIS, "to": CNC, **change}
    with pytest.raises(InvalidOrder, match=words):
        await rig.box.convert(asked(**wanted), "tag1")
    assert rig.position(SBIN, MIS) == 10
    rig.check()


async def test_an_exit_keeps_its_position_where_it_is(rig: Rig) -> None:
    await rig.trade(BUY, 10, SBIN, MIS)
    await rig.trade(SELL, 6, SBIN, MIS, price=810.0)
    with pytest.raises(InvalidOrder, match="Orders rest"):
        await rig.box.convert(asked(10, MIS, CNC), "tag1")
    await rig.box.convert(asked(4, MIS, CNC), "tag2")
    assert (rig.position(SBIN, MIS), rig.position(SBIN, CNC)) == (6, 4)
    rig.check()


async def test_nothing_becomes_intraday_after_the_cut_off(rig: Rig) -> None:
    await rig.trade(BUY, 10, SBIN, CNC)
    await rig.at("2026-11-16T15:20:00+05:30")
    with pytest.raises(RejectedByBroker, match="square-off time"):
        await rig.box.convert(asked(10, CNC, MIS), "tag1")
    assert rig.position(SBIN, CNC) == 10


async def test_portfolio_margin_stays_what_it_is(rig: Rig) -> None:
    rig.values["sandbox.margin_model"] = "span"
    rig.values["sandbox.starting_capital"] = 1_000_000.0
    rig.box.apply_settings("sandbox.starting_capital", 1_000_000.0)
    await rig.trade(BUY, 75, FUTURE, MIS)
    before = rig.box.state.ledger.reserved
    await rig.box.convert(asked(75, MIS, NRML, symbol=FUTURE[1], exchange="NFO"), "tag1")
    assert rig.position(FUTURE, NRML) == 75
    assert rig.box.state.ledger.reserved == before == rig.box.book.justified() > 0
    rig.check()
