"""Averages of the paper account keep the decimals of a price on every exchange, and its profit is
of what was really paid."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.sandbox.statistics import trades_csv
from tests.unit.sandbox.helpers import Rig, one

DAY = date(2026, 12, 29)
ROWS = {
    key: Instrument(
        key[1], key[0], name, kind, lot_size=1, tick_size=tick, expiry=DAY if kind else None,
        contract_value=value,
    )
    for key, name, kind, tick, value in (
        (("NSE", "SBIN"), "SBIN", "", 0.05, 1.0),
        (("CDS", "USDINR29DEC26FUT"), "USDINR", "FUT", 0.0025, 1000.0),
        (("BCD", "USDINR29DEC26FUT"), "USDINR", "FUT", 0.0025, 1000.0),
        (("MCX", "CRUDEOIL29DEC26FUT"), "CRUDEOIL", "FUT", 1.0, 1.0),
        (("NCO", "GOLD29DEC26FUT"), "GOLD", "FUT", 0.0025, 1.0),
        (("NFO", "NIFTY29DEC26FUT"), "NIFTY", "FUT", 0.1, 1.0),
    )
}  # fmt: skip


@pytest.mark.parametrize("key", ROWS, ids=lambda key: key[0])
async def test_an_average_of_thirds_keeps_four_decimals(key: Key) -> None:
    rig = Rig(list(ROWS.values()), starting_capital=100_000_000.0)
    await rig.start()
    tick = ROWS[key].tick_size
    low, high = 100 * tick, 101 * tick
    rig.market.tick(key, low)
    await rig.trade(Action.BUY, 2, key, Product.MIS)
    rig.market.tick(key, high)
    await rig.trade(Action.BUY, 1, key, Product.MIS)
    position = one(await rig.box.positions())
    exact = (2 * low + high) / 3
    assert position.average_price == round(exact, 4)
    assert position.average_price == pytest.approx(exact, abs=0.00005)
    await rig.trade(Action.SELL, 3, key, Product.MIS)
    profit = 2 * (high - low) * (ROWS[key].contract_value or 1.0)
    assert one(await rig.box.positions()).realised == pytest.approx(profit, abs=0.00501)
    prices = [float(row["price"]) for row in csv.DictReader(io.StringIO(
        trades_csv(rig.box.all_trades())))]  # fmt: skip
    assert prices == [low, high, high]
    await rig.kill()


async def test_a_holding_keeps_its_average_over_the_night() -> None:
    rig = Rig(list(ROWS.values()))
    key: Key = ("NSE", "SBIN")
    await rig.start()
    rig.market.tick(key, 800.0)
    await rig.trade(Action.BUY, 2, key, Product.CNC)
    rig.market.tick(key, 800.05)
    await rig.trade(Action.BUY, 1, key, Product.CNC)
    await rig.at("2026-11-17T10:00:00")
    assert one(await rig.box.holdings()).average_price == 800.0167
    await rig.kill()


async def test_prices_of_a_currency_come_back_as_they_were_traded() -> None:
    rig = Rig(list(ROWS.values()))
    key: Key = ("CDS", "USDINR29DEC26FUT")
    await rig.start()
    rig.market.tick(key, 87.1225)
    row = await rig.trade(Action.BUY, 1, key, Product.MIS)
    assert row.order.average_price == 87.1225
    assert one(await rig.box.positions()).average_price == 87.1225
    assert one(await rig.box.trades()).price == 87.1225
    assert one(csv.DictReader(io.StringIO(trades_csv(rig.box.all_trades()))))["price"] == "87.1225"
    await rig.kill()
