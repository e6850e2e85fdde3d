"""Charges and the report of the real sandbox: what it says adds up to its ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal

import pytest

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.exchange.ledger import ZERO, EntryKind
from openalgo_desktop.sandbox.account import Sandbox
from openalgo_desktop.sandbox.statistics import summarise
from tests.unit.sandbox.helpers import Market, MemoryStore, settings

SBIN = ("NSE", "SBIN")
CAPITAL = Decimal(1_000_000)


class Rig:
    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 23, 10, 0, tzinfo=IST))
        self.instruments = InstrumentTable()
        self.instruments.load([Instrument("SBIN", "NSE")])
        self.market, self.store = Market(), MemoryStore()
        self.market.set(SBIN, 800.0, bid=800.0, ask=800.0)
        self.values = settings(starting_capital=float(CAPITAL), charges=True)
        self.box = self.make()

    def make(self) -> Sandbox:
        return Sandbox(
            "sandbox:test", self.clock, self.instruments, self.market, self.store, self.values
        )

    async def trade(self, action: Action, product: Product = Product.MIS) -> None:
        await self.box.place(
            OrderRequest("SBIN", "NSE", action, 100, PriceType.MARKET, product), "tag"
        )


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    await rig.box.start()
    yield rig
    await rig.box.stop()


async def test_trades_carry_their_charges_and_the_ledger_pays_them(rig: Rig) -> None:
    await rig.trade(Action.BUY)
    await rig.trade(Action.SELL)
    trades = await rig.box.trades()
    assert all(trade.charges > 20 for trade in trades)  # brokerage and levies on 80,000
    paid = sum((Decimal(str(trade.charges)) for trade in trades), ZERO)
    assert rig.box.state.ledger.totals[EntryKind.CHARGE] == -paid
    assert rig.box.state.ledger.cash == CAPITAL - paid
    assert rig.box.state.meta.charges_today == paid


async def test_switched_off_nothing_is_charged(rig: Rig) -> None:
    rig.values["sandbox.charges"] = False
    await rig.trade(Action.BUY)
    (trade,) = await rig.box.trades()
    assert trade.charges == 0
    assert EntryKind.CHARGE not in rig.box.state.ledger.totals


async def test_report_is_net_of_charges_and_at_market(rig: Rig) -> None:
    await rig.trade(Action.BUY)
    rig.market.tick(SBIN, 810.0, bid=810.0, ask=810.0)
    found = summarise(await rig.box.report())
    charges = rig.box.state.meta.charges
    assert found.figures.charges == charges
    assert found.figures.gross == 1000
    assert found.days[-1].equity == CAPITAL + 1000 - charges
    await rig.trade(Action.SELL)
    found = summarise(await rig.box.report())
    assert found.days[-1].realised == 1000
    assert found.days[-1].equity == rig.box.state.ledger.cash
    assert [equity for _, equity in found.trade_curve] == [found.days[-1].equity]


async def test_a_restart_keeps_brokerage_and_report(rig: Rig) -> None:
    await rig.trade(Action.BUY, Product.CNC)
    before = summarise(await rig.box.report())
    await rig.box.stop()
    rig.box = rig.make()
    await rig.box.start()
    after = summarise(await rig.box.report())
    assert after.figures == before.figures
    assert after.fills == before.fills


async def test_a_reset_starts_the_report_over(rig: Rig) -> None:
    await rig.trade(Action.BUY)
    await rig.box.reset()
    found = await rig.box.report()
    assert (found.capital, found.fills) == (CAPITAL, [])
    assert [day.equity for day in found.days] == [CAPITAL]
