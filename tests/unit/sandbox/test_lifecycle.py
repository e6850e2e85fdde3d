"""Timed events of the sandbox, by jumping its clock; each also after being closed over it.

16 November 2026 is a Monday; Tuesday 24 November is a holiday of NSE.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import RejectedByBroker
from openalgo_desktop.core.model import SQUARE_OFF_STRATEGY, Instrument, OrderRequest
from tests.unit.sandbox.helpers import Rig, one

SBIN = ("NSE", "SBIN")
CRUDE = ("MCX", "CRUDEOIL18DEC26FUT")
CALL = ("NFO", "NIFTY23NOV2625000CE")
FUT = ("NFO", "NIFTY23NOV26FUT")
ROWS = [
    Instrument("SBIN", "NSE"),
    Instrument(CRUDE[1], "MCX", "CRUDEOIL", "FUT", 100, tick_size=1.0, expiry=date(2026, 12, 18)),
    Instrument(CALL[1], "NFO", "NIFTY", "CE", 75, expiry=date(2026, 11, 23), strike=25000.0),
    Instrument(FUT[1], "NFO", "NIFTY", "FUT", 75, expiry=date(2026, 11, 23)),
]
BUY, SELL = Action.BUY, Action.SELL
MIS, CNC, NRML = Product.MIS, Product.CNC, Product.NRML


@pytest.fixture
async def rig():
    rig = Rig(ROWS)
    rig.market.set(SBIN, 800.0)
    rig.market.set(CRUDE, 5600.0)
    rig.market.set(CALL, 120.0)
    rig.market.set(FUT, 25000.0)
    await rig.start()
    yield rig
    rig.check()
    await rig.kill()


# -- square-off -------------------------------------------------------------------------------
async def test_mis_leaves_at_the_time_of_its_exchange(rig: Rig):
    await rig.trade(BUY, 10, SBIN, MIS)
    await rig.trade(SELL, 100, CRUDE, MIS)
    await rig.trade(BUY, 10, SBIN, CNC)
    resting = await rig.trade(BUY, 10, SBIN, MIS, 700.0)
    await rig.at("2026-11-16T15:14:59")
    assert rig.position(SBIN, MIS) == 10
    rig.market.set(SBIN, 810.0, bid=809.0, ask=811.0)
    await rig.at("2026-11-16T15:15:00")
    assert (rig.position(SBIN, MIS), rig.position(SBIN, CNC), rig.position(CRUDE, MIS)) == (
        0,
        10,
        -100,
    )
    assert resting.order.status is OrderStatus.CANCELLED
    exit_ = list(rig.box.state.orders.values())[-1].order
    assert (exit_.strategy, exit_.average_price) == (SQUARE_OFF_STRATEGY, 809.0)
    assert rig.box.state.meta.realised_today == Decimal("90.00")
    await rig.at("2026-11-16T23:30:00")
    assert rig.position(CRUDE, MIS) == 0


async def test_an_exit_without_a_quote_is_tried_again_each_minute(rig: Rig):
    await rig.trade(BUY, 10, SBIN, MIS)
    del rig.market.quotes[SBIN]
    await rig.at("2026-11-16T15:15:00")
    assert rig.position(SBIN, MIS) == 10
    rig.market.set(SBIN, 790.0)
    await rig.at("2026-11-16T15:16:01")
    assert rig.position(SBIN, MIS) == 0
    exits = [
        r.order for r in rig.box.state.orders.values() if r.order.strategy == SQUARE_OFF_STRATEGY
    ]
    assert [order.status for order in exits] == [OrderStatus.CANCELLED, OrderStatus.COMPLETE]


async def test_mis_is_refused_after_the_cut_off_but_may_reduce(rig: Rig):
    await rig.trade(BUY, 10, SBIN, MIS)
    rig.clock.advance(5.3 * 3600)  # 15:18, before the minute's sweep
    with pytest.raises(RejectedByBroker, match=r"after square-off time \(15:15 IST\)"):
        await rig.trade(BUY, 1, SBIN, MIS)
    with pytest.raises(RejectedByBroker, match="square-off time"):
        await rig.trade(SELL, 11, SBIN, MIS)
    await rig.trade(SELL, 4, SBIN, MIS)
    assert rig.position(SBIN, MIS) == 6
    await rig.trade(SELL, 4, SBIN, MIS, 900.0)
    with pytest.raises(RejectedByBroker, match="square-off time"):
        await rig.trade(SELL, 3, SBIN, MIS)  # 4 of the 6 are spoken for
    await rig.at("2026-11-17T08:59:00")
    with pytest.raises(RejectedByBroker, match="Trading resumes at 09:00 AM IST"):
        await rig.trade(BUY, 1, SBIN, MIS)


async def test_the_cut_off_is_a_moment_and_not_a_minute(rig: Rig):
    """The last order before it is taken and closed by its sweep; at it, none is taken."""
    rig.clock.jump(datetime.fromisoformat("2026-11-16T15:14:59.999"))
    last = await rig.trade(BUY, 10, SBIN, MIS)
    assert last.order.status is OrderStatus.COMPLETE
    resting = await rig.trade(BUY, 5, SBIN, MIS, 700.0)
    await rig.box.run_due()
    assert rig.position(SBIN, MIS) == 10 and resting.order.status is OrderStatus.OPEN
    rig.clock.jump(datetime.fromisoformat("2026-11-16T15:15:00.000"))
    for action, quantity in ((BUY, 1), (SELL, 11)):
        with pytest.raises(RejectedByBroker, match=r"after square-off time \(15:15 IST\)"):
            await rig.trade(action, quantity, SBIN, MIS)
    await rig.box.run_due()
    assert rig.position(SBIN, MIS) == 0 and resting.order.status is OrderStatus.CANCELLED


async def test_a_sweep_at_the_very_cut_off_is_of_today(rig: Rig):
    """Also without the event: what the minute's sweep finds at 15:15:00 is due."""
    await rig.trade(BUY, 10, SBIN, MIS)
    moment = datetime.fromisoformat("2026-11-16T15:15:00+05:30")
    assert not await rig.box.lifecycle.square_off(moment - timedelta(milliseconds=1))
    assert rig.position(SBIN, MIS) == 10
    rig.clock.jump(moment)
    assert await rig.box.lifecycle.square_off(moment)
    assert rig.position(SBIN, MIS) == 0


async def test_mis_begins_again_at_a_moment(rig: Rig):
    await rig.at("2026-11-17T08:59:59")
    rig.clock.jump(datetime.fromisoformat("2026-11-17T08:59:59.999"))
    with pytest.raises(RejectedByBroker, match="Trading resumes at 09:00 AM IST"):
        await rig.trade(BUY, 1, SBIN, MIS)
    rig.clock.jump(datetime.fromisoformat("2026-11-17T09:00:00.000"))
    order = (await rig.trade(BUY, 1, SBIN, MIS)).order
    assert order.status is OrderStatus.OPEN  # before the market opens it waits
    await rig.box.run_due()  # and the sweep of that very minute leaves it
    assert rig.box.book.find(order.order_id).order.status is OrderStatus.OPEN


async def test_a_missed_square_off_uses_the_stored_price(rig: Rig):
    await rig.trade(BUY, 10, SBIN, MIS)
    rig.market.tick(SBIN, 805.0)
    rig.box.mark()
    await rig.box.stored()
    rig.market.set(SBIN, 900.0)
    await rig.restart("2026-11-17T10:00:00+05:30")
    meta = rig.box.state.meta
    assert rig.position(SBIN, MIS) == 0
    assert (meta.realised, meta.realised_today) == (Decimal("50.00"), 0)
    missed = rig.box.state.days[date(2026, 11, 16)]
    assert (missed.realised, missed.total_mtm, missed.equity) == (50.0, 50.0, 1_000_050.0)


async def test_a_square_off_missed_over_days_is_in_the_line_of_its_own_day_only(rig: Rig):
    await rig.trade(SELL, 10, SBIN, MIS)
    rig.market.tick(SBIN, 790.0)
    rig.box.mark()
    await rig.box.stored()
    await rig.restart("2026-11-19T10:00:00+05:30")
    days = rig.box.state.days
    assert [days[date(2026, 11, day)].realised for day in (16, 17, 18)] == [100.0, 0.0, 0.0]
    assert (await rig.box.funds()).m2m_realised == 0


async def test_a_square_off_missed_this_morning_is_todays(rig: Rig):
    await rig.trade(BUY, 10, SBIN, MIS)
    rig.market.tick(SBIN, 805.0)
    await rig.box.stored()
    await rig.restart("2026-11-16T18:00:00+05:30")
    assert rig.box.state.meta.realised_today == Decimal("50.00")


# -- hours ------------------------------------------------------------------------------------
async def test_orders_after_hours_wait_for_the_open(rig: Rig):
    rig.clock.advance(12 * 3600)  # 22:00
    row = await rig.trade(BUY, 10, SBIN, CNC)
    rig.market.tick(SBIN, 801.0)
    assert row.order.status is OrderStatus.OPEN and row.session == date(2026, 11, 17)
    await rig.at("2026-11-17T09:05:00")
    rig.market.tick(SBIN, 802.0)  # pre-open
    assert row.order.status is OrderStatus.OPEN
    await rig.at("2026-11-17T09:15:01")
    rig.market.tick(SBIN, 803.0)
    assert (row.order.status, row.order.average_price) == (OrderStatus.COMPLETE, 803.0)


async def test_holidays_are_closed(rig: Rig):
    await rig.at("2026-11-24T11:00:00")
    row = await rig.trade(BUY, 10, SBIN, CNC)
    assert row.order.status is OrderStatus.OPEN and row.session == date(2026, 11, 25)


async def test_day_orders_end_with_their_day(rig: Rig):
    row = await rig.trade(BUY, 10, SBIN, CNC, 700.0)
    stop = OrderRequest("SBIN", "NSE", BUY, 1, PriceType.SLM, CNC, trigger_price=900.0)
    await rig.box.place(stop, "")
    await rig.at("2026-11-16T15:29:59")
    assert row.order.status is OrderStatus.OPEN
    await rig.at("2026-11-16T15:30:00")
    assert row.order.status is OrderStatus.CANCELLED and not rig.box.book.all_working()
    assert rig.box.state.ledger.reserved == 0


async def test_day_orders_end_also_while_closed(rig: Rig):
    await rig.trade(BUY, 10, SBIN, CNC, 700.0)
    await rig.restart("2026-11-19T10:00:00+05:30")
    assert not rig.box.book.all_working() and rig.box.state.ledger.reserved == 0


async def test_round_the_clock_has_no_cut_off_and_no_close():
    rig = Rig(ROWS, hours="always")
    rig.market.set(SBIN, 800.0)
    await rig.start()
    await rig.at("2026-11-21T23:00:00")  # a Saturday
    filled = await rig.trade(BUY, 10, SBIN, MIS)
    resting = await rig.trade(BUY, 10, SBIN, MIS, 700.0)
    assert filled.order.status is OrderStatus.COMPLETE
    await rig.at("2026-11-22T02:59:00")
    assert resting.order.status is OrderStatus.OPEN and rig.position(SBIN, MIS) == 10
    await rig.at("2026-11-22T03:00:00")
    assert resting.order.status is OrderStatus.CANCELLED and rig.position(SBIN, MIS) == 10
    await rig.kill()


# -- delivery ---------------------------------------------------------------------------------
async def test_shares_are_delivered_on_the_next_trading_day(rig: Rig):
    await rig.at("2026-11-20T10:00:00")  # Friday
    await rig.trade(BUY, 10, SBIN, CNC)
    await rig.at("2026-11-22T12:00:00")
    assert rig.position(SBIN, CNC) == 10 and not rig.box.state.holdings
    assert one(await rig.box.positions()).quantity == 10
    await rig.at("2026-11-23T00:00:00")
    holding = one(await rig.box.holdings())
    assert (holding.quantity, holding.average_price) == (10, 800.0)
    assert holding.settlement_date == date(2026, 11, 23)
    assert await rig.box.positions() == []
    assert rig.box.state.ledger.cash == Decimal("992000.00")


async def test_a_sale_of_held_shares_books_its_profit_and_delivers_later(rig: Rig):
    await rig.trade(BUY, 10, SBIN, CNC)
    await rig.at("2026-11-17T10:00:00")
    rig.market.set(SBIN, 850.0)
    await rig.trade(SELL, 4, SBIN, CNC)
    meta = rig.box.state.meta
    assert meta.realised_today == Decimal("200.00")
    assert one(await rig.box.positions()).pnl == 200.0
    await rig.at("2026-11-18T00:00:00")
    assert one(await rig.box.holdings()).quantity == 6
    assert rig.box.state.ledger.cash == Decimal("995400.00")


async def test_buying_sold_shares_back_keeps_the_holding(rig: Rig):
    await rig.trade(BUY, 10, SBIN, CNC)
    await rig.at("2026-11-17T10:00:00")
    rig.market.set(SBIN, 850.0)
    await rig.trade(SELL, 10, SBIN, CNC)
    rig.market.set(SBIN, 840.0)
    await rig.trade(BUY, 10, SBIN, CNC)
    assert rig.box.state.meta.realised == Decimal("100.00")
    await rig.at("2026-11-18T10:00:00")
    holding = one(await rig.box.holdings())
    assert (holding.quantity, holding.average_price) == (10, 800.0)


async def test_delivery_after_days_away_has_its_own_date(rig: Rig):
    await rig.trade(BUY, 10, SBIN, CNC)
    await rig.restart("2026-11-20T10:00:00+05:30")
    assert one(await rig.box.holdings()).settlement_date == date(2026, 11, 17)


# -- expiry -----------------------------------------------------------------------------------
async def test_contracts_settle_after_the_close_of_their_last_day(rig: Rig):
    await rig.trade(BUY, 75, CALL, NRML)
    await rig.trade(SELL, 75, FUT, NRML)
    await rig.at("2026-11-23T15:00:00")
    resting = await rig.trade(BUY, 75, CALL, NRML, 50.0)
    rig.market.tick(CALL, 150.0)
    rig.market.tick(FUT, 25100.0)
    await rig.at("2026-11-23T15:39:59")
    assert rig.position(CALL, NRML) == 75
    await rig.at("2026-11-23T15:40:00")
    assert (rig.position(CALL, NRML), rig.position(FUT, NRML)) == (0, 0)
    assert resting.order.status is OrderStatus.CANCELLED
    meta = rig.box.state.meta
    assert meta.realised_today == Decimal("2250.00") - Decimal("7500.00")
    assert rig.box.state.ledger.reserved == 0


async def test_an_expiry_while_closed_settles_at_the_stored_price(rig: Rig):
    await rig.trade(BUY, 75, CALL, NRML)
    rig.market.tick(CALL, 150.0)
    rig.box.mark()
    await rig.box.stored()
    del rig.market.quotes[CALL]
    await rig.restart("2026-11-26T10:00:00+05:30")
    meta = rig.box.state.meta
    assert rig.position(CALL, NRML) == 0
    assert (meta.realised, meta.realised_today) == (Decimal("2250.00"), Decimal("2250.00"))
    assert rig.box.state.days[date(2026, 11, 23)].realised == 2250.0
    await rig.at("2026-11-27T03:00:00")
    assert meta.realised_today == 0


async def test_options_may_expire_worthless_and_the_day_after():
    rig = Rig(ROWS, option_expiry_settlement="zero", expiry_settlement_timing="next_day")
    rig.market.set(CALL, 120.0)
    await rig.start()
    await rig.trade(SELL, 75, CALL, NRML)
    await rig.at("2026-11-23T23:59:00")
    assert rig.position(CALL, NRML) == -75
    await rig.at("2026-11-24T00:00:00")
    assert rig.box.state.meta.realised == Decimal("9000.00")
    rig.check()
    await rig.kill()


# -- session, snapshot, reset -----------------------------------------------------------------
async def test_the_boundary_starts_todays_figures_anew(rig: Rig):
    await rig.trade(BUY, 10, SBIN, CNC)
    rig.market.set(SBIN, 820.0)
    await rig.trade(SELL, 10, SBIN, CNC)
    assert len(await rig.box.orders()) == 2
    await rig.at("2026-11-17T02:59:59")
    assert rig.box.state.meta.realised_today == Decimal("200.00")
    await rig.at("2026-11-17T03:00:00")
    meta = rig.box.state.meta
    assert (meta.realised_today, meta.realised) == (0, Decimal("200.00"))
    assert (await rig.box.orders(), await rig.box.trades(), await rig.box.positions()) == (
        [],
        [],
        [],
    )


async def test_what_was_closed_without_profit_stays_in_the_book_for_its_day(rig: Rig):
    await rig.trade(BUY, 10, SBIN, MIS)
    await rig.trade(SELL, 10, SBIN, MIS)
    assert one(await rig.box.positions()).quantity == 0


async def test_each_trading_day_has_a_line_also_those_while_closed(rig: Rig):
    await rig.trade(BUY, 75, FUT, NRML)
    rig.market.tick(FUT, 25010.0)
    await rig.at("2026-11-16T23:59:00")
    line = rig.box.state.days[date(2026, 11, 16)]
    assert (line.positions_unrealised, line.total_mtm) == (750.0, 750.0)
    assert (line.portfolio_value, line.equity) == (1_000_000.0, 1_000_750.0)
    await rig.restart("2026-11-23T10:00:00+05:30")
    assert sorted(day.day for day in rig.box.state.days) == [16, 17, 18, 19, 20]


async def test_the_weekly_reset_comes_once_and_cancels_what_rests():
    rig = Rig(ROWS, reset_day="Sunday", reset_time="00:00")
    rig.market.set(SBIN, 800.0)
    await rig.start()
    await rig.trade(BUY, 10, SBIN, CNC)
    await rig.at("2026-11-21T23:59:59")
    assert rig.box.state.meta.reset_count == 0
    await rig.at("2026-11-22T00:00:05")
    state = rig.box.state
    assert (state.meta.reset_count, state.ledger.cash) == (1, Decimal("1000000.00"))
    assert not state.positions and not state.holdings and len(state.trades) == 1
    await rig.at("2026-11-25T00:00:00")
    assert state.meta.reset_count == 1
    await rig.restart("2026-12-01T10:00:00+05:30")
    assert rig.box.state.meta.reset_count == 2
    rig.check()
    await rig.kill()


async def test_a_clock_set_back_repeats_nothing(rig: Rig):
    await rig.at("2026-11-17T10:00:00")
    await rig.trade(BUY, 10, SBIN, CNC)
    rig.market.set(SBIN, 820.0)
    await rig.trade(SELL, 10, SBIN, CNC)
    await rig.at("2026-11-17T02:00:00")
    await rig.at("2026-11-17T10:30:00")
    assert rig.box.state.meta.realised_today == Decimal("200.00")


async def test_a_new_starting_capital_moves_cash_by_the_difference(rig: Rig):
    await rig.trade(BUY, 10, SBIN, MIS)
    rig.values["sandbox.starting_capital"] = 500_000.0
    rig.box.apply_settings("sandbox.starting_capital", 500_000.0)
    assert rig.box.state.ledger.cash == Decimal("498400.00")


async def test_whoever_shows_the_books_is_told_of_changes_without_orders(rig: Rig):
    told: list[date] = []

    async def changed() -> None:
        told.append(rig.clock.now().date())

    await rig.trade(BUY, 10, SBIN, CNC)
    rig.box.on_changed = changed
    await rig.at("2026-11-16T10:00:30")
    assert told == []
    await rig.at("2026-11-17T00:00:00")
    assert told == [date(2026, 11, 17)]


async def test_reading_the_books_writes_nothing(rig: Rig):
    await rig.trade(BUY, 10, SBIN, MIS)
    saves = rig.store.saves
    for price in (801.0, 802.0):
        rig.market.tick(SBIN, price)
        await rig.box.positions()
    await rig.box.stored()
    assert rig.store.saves == saves
    rig.box.mark()
    await rig.box.stored()
    assert rig.store.tables["sandbox:test"]["positions"]["NSE|SBIN|MIS"]["mark"] == 802.0
