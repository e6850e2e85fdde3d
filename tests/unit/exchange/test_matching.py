"""The matcher and its two fill models, tick by tick."""

from __future__ import annotations

from typing import Any

import pytest

from openalgo_desktop.core.enums import Action, FeedMode, PriceType
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Tick
from openalgo_desktop.exchange.fills import BookModel, TouchModel
from openalgo_desktop.exchange.matching import Fill, Matcher, Refused, Resting, Triggered

KEY: Key = ("NSE", "SBIN")
BUY, SELL = Action.BUY, Action.SELL
MARKET, LIMIT, SL, SLM = PriceType.MARKET, PriceType.LIMIT, PriceType.SL, PriceType.SLM


def tick(ltp: float, **more: Any) -> Tick:
    return Tick("SBIN", "NSE", ltp, **more)


def rest(
    kind: PriceType,
    action: Action = BUY,
    price: float = 0,
    trigger: float = 0,
    quantity: int = 100,
    order_id: str = "1",
) -> Resting:
    return Resting(order_id, KEY, action, kind, quantity, price, trigger)


def book(ltp: float, buy: list[tuple[float, int]], sell: list[tuple[float, int]], volume: int = 0):
    return tick(
        ltp,
        mode=FeedMode.DEPTH,
        volume=volume,
        depth=Depth(tuple(Level(*x) for x in buy), tuple(Level(*x) for x in sell)),
        bid=buy[0][0] if buy else 0.0,
        ask=sell[0][0] if sell else 0.0,
    )


# -- touch ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("order", "market", "price"),
    [
        (rest(MARKET), tick(800, bid=799, ask=801), 801),
        (rest(MARKET, SELL), tick(800, bid=799, ask=801), 799),
        (rest(MARKET), tick(800), 800),
        (rest(LIMIT, price=805), tick(800, bid=799, ask=801), 800),
        (rest(LIMIT, price=800), tick(800, bid=799, ask=801), 800),
        (rest(LIMIT, price=799.9), tick(800, bid=799, ask=801), None),
        (rest(LIMIT, price=800.5), tick(800, bid=799, ask=801), None),
        (rest(LIMIT, SELL, price=799.5), tick(800, bid=799, ask=801), None),
        (rest(LIMIT, SELL, price=799), tick(800, bid=799, ask=801), 800),
        (rest(SL, price=805, trigger=799), tick(800), 800),
        (rest(SLM, trigger=799), tick(800), 800),
        (rest(SLM, trigger=801), tick(800), None),
        (rest(SLM, SELL, trigger=801), tick(800), 800),
        (rest(MARKET), tick(800, high=790, low=780), None),
        (rest(MARKET), tick(800, high=0, low=780), 800),
    ],
)
def test_touch_at_placement(order: Resting, market: Tick, price: float | None):
    fills = [o for o in Matcher(TouchModel()).submit(order, market) if isinstance(o, Fill)]
    assert fills == ([] if price is None else [Fill("1", 100, price)])


@pytest.mark.parametrize(
    ("order", "market", "price"),
    [
        (rest(LIMIT, price=790), tick(785, bid=784, ask=786), 790),
        (rest(LIMIT, price=790), tick(790), 790),
        (rest(LIMIT, price=790), tick(789, ask=795), None),
        (rest(LIMIT, SELL, price=810), tick(815), 810),
        (rest(LIMIT, SELL, price=810), tick(809.95), None),
        (rest(SLM, trigger=810), tick(818, ask=819), 818),
        (rest(SLM, SELL, trigger=790), tick(785), 785),
        (rest(SL, price=815, trigger=810), tick(812), 812),
    ],
)
def test_touch_on_a_tick(order: Resting, market: Tick, price: float | None):
    matcher = Matcher(TouchModel())
    assert matcher.submit(order, tick(800)) == []
    fills = [o for o in matcher.on_tick(market) if isinstance(o, Fill)]
    assert fills == ([] if price is None else [Fill("1", 100, price)])
    assert len(matcher) == (price is None)


@pytest.mark.parametrize(
    ("order", "ltp", "fires"),
    [
        (rest(SLM, trigger=810), 810.0, True),
        (rest(SLM, trigger=810), 809.95, False),
        (rest(SLM, SELL, trigger=790), 790.0, True),
        (rest(SLM, SELL, trigger=790), 790.05, False),
    ],
)
@pytest.mark.parametrize("at_placement", [True, False])
def test_a_stop_fires_at_its_trigger_and_not_a_tick_before(
    order: Resting, ltp: float, fires: bool, at_placement: bool
):
    order = Resting(
        order.order_id, KEY, order.action, order.price_type, order.quantity, 0, order.trigger
    )
    matcher = Matcher(TouchModel())
    outcomes = list(matcher.submit(order, tick(ltp if at_placement else 800)))
    if not at_placement:
        assert outcomes == []
        outcomes = list(matcher.on_tick(tick(ltp)))
    assert [type(one) for one in outcomes] == ([Triggered, Fill] if fires else [])


def test_a_quote_that_contradicts_its_day_fills_nothing_that_rests():
    matcher = Matcher(TouchModel())
    matcher.submit(rest(LIMIT, price=795), tick(800))
    assert not matcher.on_tick(tick(790, high=810, low=792))  # below the low of the day
    assert not matcher.on_tick(tick(0.0))
    assert [type(one) for one in matcher.on_tick(tick(793, high=810, low=792))] == [Fill]


def test_slippage_never_makes_a_price_of_nothing():
    worst = BookModel(slippage_bps=20_000)  # 200 per cent
    market = book(0.05, [(0.05, 100)], [(0.1, 100)])
    (fill,) = Matcher(worst).submit(rest(MARKET, SELL), market)
    assert isinstance(fill, Fill) and fill.price == 0.05


def test_a_stop_limit_becomes_a_limit_and_forgets_its_trigger():
    matcher = Matcher(TouchModel())
    matcher.submit(rest(SL, price=815, trigger=810), tick(800))
    assert matcher.on_tick(tick(820)) == [Triggered("1")]
    assert matcher.on_tick(tick(816)) == ()
    assert matcher.on_tick(tick(805)) == [Fill("1", 100, 805)]


def test_only_the_instrument_that_ticks_is_touched():
    matcher = Matcher(TouchModel())
    matcher.submit(rest(LIMIT, price=790), tick(800))
    assert matcher.on_tick(Tick("TCS", "NSE", 1.0)) == ()


def test_better_prices_come_first_then_older_orders():
    matcher = Matcher(TouchModel())
    for order_id, price in (("a", 790), ("b", 791), ("c", 790)):
        matcher.submit(rest(LIMIT, price=price, order_id=order_id), tick(800))
    assert [o.order_id for o in matcher.on_tick(tick(785))] == ["b", "a", "c"]


def test_a_removed_order_does_not_fill():
    matcher = Matcher(TouchModel())
    matcher.submit(rest(LIMIT, price=790), tick(800))
    assert matcher.remove("1") is not None and matcher.remove("1") is None
    assert matcher.on_tick(tick(700)) == () and not matcher.has_orders(KEY)


# -- book -------------------------------------------------------------------------------------
QUIET = book(800, [(799.95, 200), (799.9, 300)], [(800.05, 50), (800.1, 70)])


def test_a_market_order_walks_the_levels_and_waits_with_the_rest():
    matcher = Matcher(BookModel())
    outcomes = matcher.submit(rest(MARKET, quantity=150), QUIET)
    assert outcomes == [Fill("1", 50, 800.05), Fill("1", 70, 800.1)]
    assert matcher.on_tick(QUIET) == [Fill("1", 30, 800.05)]
    assert len(matcher) == 0


def test_slippage_worsens_market_orders_only():
    matcher = Matcher(BookModel(slippage_bps=10))
    assert matcher.submit(rest(MARKET, quantity=10), QUIET) == [Fill("1", 10, 800.85)]
    assert matcher.submit(rest(MARKET, SELL, quantity=10), QUIET) == [Fill("1", 10, 799.15)]
    assert matcher.submit(rest(LIMIT, price=801, quantity=10), QUIET) == [Fill("1", 10, 800.05)]


def test_an_aggressive_limit_takes_what_it_reaches_and_rests():
    matcher = Matcher(BookModel())
    assert matcher.submit(rest(LIMIT, price=800.05), QUIET) == [Fill("1", 50, 800.05)]
    resting = matcher.get("1")
    assert resting is not None and (resting.quantity, resting.ahead) == (50, 0)


def test_a_resting_limit_waits_for_its_place_in_the_queue():
    matcher = Matcher(BookModel())
    start = book(800, [(799.95, 200)], [(800.05, 50)], volume=1000)
    matcher.submit(rest(LIMIT, price=799.95, quantity=30), start)
    side = [(799.95, 200)], [(800.05, 50)]
    assert matcher.on_tick(book(799.95, *side, volume=1150)) == []  # 150 of 200 before it
    assert matcher.on_tick(book(799.95, *side, volume=1220)) == [Fill("1", 20, 799.95)]
    assert matcher.on_tick(book(799.95, *side, volume=1225)) == [Fill("1", 5, 799.95)]


def test_half_the_queue_share_waits_half_as_long():
    matcher = Matcher(BookModel(queue_share=0.5))
    start = book(800, [(799.95, 200)], [(800.05, 50)], volume=1000)
    matcher.submit(rest(LIMIT, price=799.95, quantity=30), start)
    market = book(799.95, [(799.95, 200)], [(800.05, 50)], volume=1120)
    assert matcher.on_tick(market) == [Fill("1", 20, 799.95)]


def test_a_price_that_trades_through_fills_by_what_traded():
    matcher = Matcher(BookModel())
    start = book(800, [(799.95, 200)], [(800.05, 50)], volume=1000)
    matcher.submit(rest(LIMIT, price=799.95, quantity=100), start)
    market = book(799.9, [(799.85, 200)], [(800.0, 50)], volume=1060)
    assert matcher.on_tick(market) == [Fill("1", 60, 799.95)]


def test_sellers_who_come_to_a_resting_buy_trade_at_its_price():
    matcher = Matcher(BookModel())
    matcher.submit(rest(LIMIT, price=799.95, quantity=100), QUIET)
    market = book(799.9, [(799.8, 10)], [(799.85, 40), (799.95, 20), (800, 90)])
    assert matcher.on_tick(market) == [Fill("1", 60, 799.95)]


def test_orders_share_what_one_tick_offers():
    matcher = Matcher(BookModel())
    matcher.submit(rest(MARKET, quantity=200, order_id="a"), QUIET)
    matcher.submit(rest(MARKET, quantity=100, order_id="b"), tick(0))
    total = sum(o.quantity for o in matcher.on_tick(QUIET) if isinstance(o, Fill))
    assert total == 120


def test_with_a_last_price_only_a_limit_needs_a_trade_beyond_it():
    matcher = Matcher(BookModel())
    matcher.submit(rest(LIMIT, price=790), tick(800))
    assert matcher.on_tick(tick(790)) == []
    assert matcher.on_tick(tick(789.95)) == [Fill("1", 100, 790)]


def test_a_stop_on_the_wrong_side_is_refused():
    outcome = Matcher(BookModel()).submit(rest(SLM, trigger=790), QUIET)
    assert isinstance(outcome[0], Refused) and "must be above" in outcome[0].reason


def test_an_order_on_its_way_does_not_match():
    matcher = Matcher(BookModel())
    order = rest(MARKET, quantity=10)
    order.active = False
    assert matcher.submit(order, QUIET) == [] and matcher.on_tick(QUIET) == []
    order.active = True
    assert matcher.wake("1", QUIET) == [Fill("1", 10, 800.05)]
