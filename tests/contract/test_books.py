"""M, B, Q: symbol master, books and market data."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from openalgo_desktop.core.enums import Action, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, DataError, NoHistory, SymbolUnknown
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.symbols import ParsedSymbol, format_symbol, parse
from tests.contract.rig import SANDBOX, Rig
from tests.contract.test_orders import order_of, tag


# -- M: master ------------------------------------------------------------------------------
async def test_m01_kinds_of_rows(rig: Rig) -> None:
    kinds = {(row.exchange, row.instrument_type) for row in rig.rows.values()}
    assert {("NSE", "EQ"), ("NFO", "FUT"), ("NFO", "CE"), ("NFO", "PE")} <= kinds
    assert ("NSE_INDEX", "INDEX") in kinds


async def test_m02_symbols_read_and_format_back(rig: Rig) -> None:
    for row in rig.rows.values():
        if row.expiry is None:
            continue
        kind = row.instrument_type
        parts = ParsedSymbol(row.name, kind, row.expiry, row.strike)
        assert format_symbol(parts) == row.symbol
        again = parse(row.symbol)
        assert (again.base, again.kind, again.expiry) == (row.name, kind, row.expiry)
        assert again.strike == row.strike


async def test_m03_names_are_unique_and_found_both_ways(rig: Rig) -> None:
    index = rig.account.index
    assert len({row.token for row in rig.rows.values() if row.exchange == "NFO"}) > 100
    names = Counter((row.exchange, row.brsymbol) for row in rig.rows.values())
    for row in rig.rows.values():
        assert index.get(row.key) is row or index.get(row.key) == row
        found = index.by_token(row.token, row.exchange)
        assert found is not None and found.symbol == row.symbol
        by_name = index.by_brsymbol(row.brsymbol, row.exchange)
        if names[row.exchange, row.brsymbol] > 1:  # weekly options of a month: by token only
            assert by_name is None
            continue
        assert by_name is not None and by_name.symbol == row.symbol


async def test_m04_indices_have_unified_names(rig: Rig) -> None:
    names = {row.symbol for row in rig.rows.values() if row.exchange == "NSE_INDEX"}
    assert {"NIFTY", "BANKNIFTY"} <= names


async def test_m05_lots_and_ticks(rig: Rig) -> None:
    for row in rig.rows.values():
        assert row.lot_size >= 1 and row.tick_size > 0


# -- B: books -------------------------------------------------------------------------------
async def test_b01_empty_books(trader: Any) -> None:
    assert await trader.gateway.orders() == []
    assert await trader.gateway.trades() == []
    assert [p for p in await trader.gateway.positions() if p.quantity] == []


async def test_b02_a_status_of_each_kind(trader: Any) -> None:
    row = trader.row("NSE")
    wanted = {}
    for kind, status in (
        (PriceType.LIMIT, OrderStatus.OPEN),
        (PriceType.SL, OrderStatus.TRIGGER_PENDING),
        (PriceType.MARKET, OrderStatus.COMPLETE),
    ):
        ack = await trader.gateway.place(await order_of(trader, row, kind), tag())
        wanted[ack.order_id] = status
    gone = await trader.gateway.place(await order_of(trader, row, PriceType.LIMIT), tag())
    await trader.gateway.cancel(gone.order_id)
    wanted[gone.order_id] = OrderStatus.CANCELLED
    book = {order.order_id: order for order in await trader.gateway.orders()}
    assert {key: order.status for key, order in book.items()} == wanted
    for order in book.values():
        assert order.placed_at is not None and order.placed_at.tzinfo is not None
        assert order.account_id == trader.gateway.account_id


def tells_price(trader: Any) -> bool:
    """Whether the rows of the position book have a price of their own."""
    return trader.broker == SANDBOX or "ltp" in trader.account.spec.rows["position"]


async def test_b03_trades_positions_and_their_sign(trader: Any) -> None:
    row = trader.row("NSE")

    async def deal(action: Action, quantity: int) -> None:
        request = OrderRequest(row.symbol, "NSE", action, quantity, PriceType.MARKET, Product.MIS)
        await trader.gateway.place(request, tag())

    async def net() -> Any:
        return next(p for p in await trader.gateway.positions() if p.symbol == row.symbol)

    await deal(Action.BUY, 10)
    long = await net()
    assert (long.quantity, long.product) == (10, Product.MIS)
    assert long.average_price > 0
    # Where the row has no price, its open result tells it; a result of nothing tells nothing.
    assert long.ltp > 0 or (not tells_price(trader) and long.pnl == 0)
    await deal(Action.SELL, 25)
    assert (await net()).quantity == -15
    await deal(Action.BUY, 15)
    flat = await net()
    assert flat.quantity == 0
    trades = await trader.gateway.trades()
    assert [trade.action for trade in trades].count(Action.SELL) >= 1
    assert sum(t.quantity * t.action.sign for t in trades) == 0
    bought = sum(t.quantity * t.price for t in trades if t.action is Action.BUY)
    sold = sum(t.quantity * t.price for t in trades if t.action is Action.SELL)
    assert flat.pnl == pytest.approx(sold - bought, abs=0.05)


async def test_b04_funds_follow_orders(trader: Any) -> None:
    before = await trader.gateway.funds()
    row = trader.row("NSE")
    await trader.gateway.place(await order_of(trader, row, PriceType.LIMIT, quantity=100), tag())
    after = await trader.gateway.funds()
    assert after.utilised > before.utilised
    assert before.available_cash > 0


async def test_b05_holdings(trader: Any) -> None:
    holdings = await trader.gateway.holdings()
    for holding in holdings:
        assert holding.quantity >= holding.t1_quantity >= 0


async def test_b06_margin(trader: Any) -> None:
    assert trader.gateway.traits.margin == trader.can.margin
    if not trader.can.margin:
        return
    equity, future = trader.row("NSE"), trader.row("NFO", "FUT")
    one = await trader.gateway.margin([await order_of(trader, equity, PriceType.LIMIT)])
    assert one.total > 0
    legs = [await order_of(trader, row, PriceType.LIMIT) for row in (equity, future)]
    two = await trader.gateway.margin(legs)
    assert two.total > one.total


# -- Q: quotes ------------------------------------------------------------------------------
async def test_q01_quote(rig: Rig) -> None:
    row = rig.row("NSE")
    tick = (await rig.account.market.quotes([row.key]))[row.key]
    assert not isinstance(tick, AppError)
    assert tick.low <= tick.ltp <= tick.high
    assert tick.bid < tick.ask and tick.close > 0


async def test_q02_many_quotes_with_errors_of_their_own(rig: Rig) -> None:
    keys = [row.key for row in list(rig.rows.values())[:40]]
    answers = await rig.account.market.quotes([*keys, ("NSE", "NOSUCHNAME")])
    assert isinstance(answers["NSE", "NOSUCHNAME"], SymbolUnknown)
    good = [key for key in keys if not isinstance(answers[key], AppError)]
    assert len(good) >= 38


async def test_q03_depth_has_five_levels(rig: Rig) -> None:
    tick = await rig.account.market.depth(rig.row("NSE").key)
    assert tick.depth is not None
    assert len(tick.depth.buy) == len(tick.depth.sell) == rig.can.depth_levels
    buys = [level.price for level in tick.depth.buy if level.price]
    sells = [level.price for level in tick.depth.sell if level.price]
    assert buys == sorted(buys, reverse=True) and sells == sorted(sells)
    assert buys[0] < sells[0]


async def test_q04_history_of_each_interval(rig: Rig) -> None:
    key = rig.row("NSE").key
    today = rig.clock.now().date()
    for interval in rig.account.market.intervals():
        bars = await rig.account.market.history(
            key, interval, today - timedelta(days=5), today - timedelta(days=1)
        )
        assert len(bars) > 0, interval
        times = bars.time.tolist()
        assert times == sorted(set(times))
        assert (bars.low <= bars.high).all() and (bars.low <= bars.close).all()
        if interval is Interval.DAY:
            assert all(moment % 86_400 == 0 for moment in times)
        elif interval.is_intraday:
            opening = 9 * 3600 + 15 * 60
            assert all((moment + 19_800) % 86_400 >= opening for moment in times)


async def test_q05_long_ranges_are_asked_in_pieces(rig: Rig) -> None:
    rules = rig.can.intervals
    interval = Interval.M5 if Interval.M5 in rules else next(iter(rules))
    days = rules[interval].days
    end = rig.clock.now().date() - timedelta(days=1)
    rig.account.rest.timings.clear()
    bars = await rig.account.market.history(
        rig.row("NSE").key, interval, end - timedelta(days=days + 5), end
    )
    asked = [timing for timing in rig.account.rest.timings if timing.op == rules[interval].op]
    assert len(asked) == math.ceil((days + 6) / days)
    times = bars.time.tolist()
    assert times == sorted(set(times))
    assert times[-1] - times[0] > days * 80_000


async def test_q06_no_such_interval_or_symbol(rig: Rig) -> None:
    market = rig.account.market
    day = date(2026, 11, 2)
    missing = next(kind for kind in Interval if kind not in market.intervals())
    with pytest.raises(NoHistory):
        await market.history(rig.row("NSE").key, missing, day, day)
    with pytest.raises(SymbolUnknown):
        await market.history(("NSE", "NOSUCHNAME"), Interval.DAY, day, day)
    with pytest.raises(DataError):
        await market.depth(("NSE", "NOSUCHNAME"))
