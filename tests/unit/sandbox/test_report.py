"""Charges and the report of the real sandbox: what it says adds up to its ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.symbols import future_symbol, option_symbol
from openalgo_desktop.exchange.ledger import ZERO, EntryKind
from openalgo_desktop.sandbox.account import Sandbox
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


async def test_a_bought_option_that_expires_with_value_pays_the_tax(rig: Rig) -> None:
    expiry = rig.clock.now().date()
    symbol = option_symbol("NIFTY", expiry, 24000, "CE")
    row = Instrument(symbol, "NFO", "NIFTY", "CE", 65, expiry=expiry, strike=24000.0)
    rig.instruments.load([row, Instrument("SBIN", "NSE")])
    rig.market.set(row.key, 300.0, bid=300.0, ask=300.0)
    await rig.box.place(
        OrderRequest(symbol, "NFO", Action.BUY, 65, PriceType.MARKET, Product.NRML), "tag"
    )
    before = rig.box.state.meta.charges
    rig.clock.jump(rig.clock.now().replace(hour=18))
    await rig.box.run_due()
    assert not (await rig.box.positions())[0].quantity
    tax = rig.box.state.meta.charges - before
    assert tax == Decimal("29.25")  # 0.15 % of 300 x 65


async def test_switched_off_nothing_is_charged(rig: Rig) -> None:
    rig.values["sandbox.charges"] = False
    await rig.trade(Action.BUY)
    (trade,) = await rig.box.trades()
    assert trade.charges == 0
    assert EntryKind.CHARGE not in rig.box.state.ledger.totals


async def test_report_is_net_of_charges_and_at_market(rig: Rig) -> None:
    await rig.trade(Action.BUY)
    rig.market.tick(SBIN, 810.0, bid=810.0, ask=810.0)
    found = rig.box.summary()
    charges = rig.box.state.meta.charges
    assert found.figures.charges == charges
    assert found.figures.gross == 1000
    assert found.days[-1].equity == CAPITAL + 1000 - charges
    await rig.trade(Action.SELL)
    found = rig.box.summary()
    assert found.days[-1].realised == 1000
    assert found.days[-1].equity == rig.box.state.ledger.cash
    assert [profit for _, profit in found.curve] == [found.days[-1].net]
    assert (found.figures.closed, found.figures.wins) == (1, 1)


async def test_a_trade_closed_at_its_price_counts_and_is_neither_won_nor_lost(rig: Rig) -> None:
    await rig.trade(Action.BUY)
    assert rig.box.summary().figures.closed == 0
    await rig.trade(Action.SELL)  # at the price of the purchase
    figures = rig.box.summary().figures
    assert (figures.closed, figures.wins, figures.losses) == (1, 0, 0)


async def test_a_settlement_without_a_trade_is_a_closed_trade(rig: Rig) -> None:
    await rig.trade(Action.BUY)
    rig.box.summary()
    now = rig.clock.now()
    rig.box.book.settle(("NSE", "SBIN", "MIS"), Decimal(790), now, today=True)
    figures = rig.box.summary().figures
    assert (figures.closed, figures.losses, figures.gross) == (1, 1, -1000)


async def test_a_restart_keeps_brokerage_and_report(rig: Rig) -> None:
    await rig.trade(Action.BUY, Product.CNC)
    before = rig.box.summary()
    await rig.box.stop()
    rig.box = rig.make()
    await rig.box.start()
    after = rig.box.summary()
    assert after == before
    assert len(rig.box.all_trades()) == 1


async def test_a_reset_starts_the_report_over(rig: Rig) -> None:
    await rig.trade(Action.BUY)
    await rig.box.reset()
    found = rig.box.summary()
    assert (found.capital, found.figures.trades) == (CAPITAL, 0)
    assert [day.equity for day in found.days] == [CAPITAL]
    assert rig.box.all_trades() == []


async def test_margin_of_a_basket_by_both_models(rig: Rig) -> None:
    expiry = date(2026, 11, 24)
    symbol = future_symbol("SBIN", expiry)
    rows = [Instrument("SBIN", "NSE", "SBIN"), Instrument(symbol, "NFO", "SBIN", "FUT", 750)]
    rows[1] = replace(rows[1], expiry=expiry)
    rig.instruments.load(rows)
    rig.market.set(("NFO", symbol), 800.0)
    leg = OrderRequest(symbol, "NFO", Action.SELL, 750, PriceType.MARKET, Product.NRML)
    assert (await rig.box.margin([leg])).total == 800 * 750 / 10
    rig.values["sandbox.margin_model"] = "span"
    found = await rig.box.margin([leg])
    assert found.span == pytest.approx(800 * 750 * 0.142)
    assert found.exposure == pytest.approx(800 * 750 * 0.035)
    hedged = await rig.box.margin([leg, replace(leg, action=Action.BUY)])
    assert hedged.total == 0
    await rig.box.place(leg, "tag")
    assert rig.box.state.ledger.reserved == Decimal(str(found.total))


async def test_a_month_of_trading_adds_up(rig: Rig) -> None:
    """Each trading day one round trip; the program is closed and opened again half way."""
    results: list[Decimal] = []
    day = rig.clock.now()
    while day.date() < date(2026, 12, 22):
        if rig.box.hours.calendar.is_trading_day(day.date()):
            rig.clock.jump(day.replace(hour=10))
            await rig.box.run_due()
            gain = 5.0 - len(results) % 4 * 3.0
            for action, price in ((Action.BUY, 800.0), (Action.SELL, 800.0 + gain)):
                rig.market.tick(SBIN, price, bid=price, ask=price)
                await rig.trade(action)
            results.append(Decimal(str(gain)) * 100)
        if len(results) == 10:
            await rig.box.stop()
            rig.box = rig.make()
            await rig.box.start()
        rig.clock.jump(day.replace(hour=23, minute=59, second=30))
        await rig.box.run_due()
        day += timedelta(days=1)
    found = rig.box.summary()
    figures = found.figures
    assert figures.closed == len(results) == len({d.day for d in found.days if d.charges})
    assert figures.wins == sum(profit > 0 for profit in results)
    assert figures.gross == sum(results)
    assert figures.charges == rig.box.state.meta.charges > 0
    assert found.equity == rig.box.state.ledger.cash == CAPITAL + figures.net
    assert [profit for _, profit in found.curve][-1] == pytest.approx(figures.net, abs=1)
    traded = [d for d in found.days if d.charges]
    assert [d.gross for d in traded] == results
