"""What an order would mean, from the market alone."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.enums import Action, FeedMode, PriceType, Product
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.preview import (
    Caution,
    LegPreview,
    Thresholds,
    confirm_facts,
    expected_price,
    market_warnings,
    percent_from_last,
    spread_percent,
)
from openalgo_desktop.core.ticks import Part, Tick

SHARE = Instrument("SBIN", "NSE")
CALL = Instrument("NIFTY29DEC2626000CE", "NFO", instrument_type="CE", lot_size=75)
LEVELS = Thresholds(percent=3.0, spread=5.0)
TICK = Tick("SBIN", "NSE", 800.0, FeedMode.QUOTE, bid=799.9, ask=800.1,
            lower_circuit=720.0, upper_circuit=880.0)  # fmt: skip


def order(kind: PriceType, action: Action = Action.BUY, **prices: float) -> OrderRequest:
    return OrderRequest("SBIN", "NSE", action, 10, kind, Product.MIS, **prices)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "price"),
    [
        (order(PriceType.MARKET), 800.1),
        (order(PriceType.MARKET, Action.SELL), 799.9),
        (order(PriceType.LIMIT, price=795.0), 795.0),
        (order(PriceType.SL, price=812.0, trigger_price=810.0), 812.0),
        (order(PriceType.SLM, trigger_price=810.0), 810.0),
    ],
)
def test_the_price_at_which_it_is_expected_to_trade(request_: OrderRequest, price: float) -> None:
    assert expected_price(request_, TICK) == price


def test_what_is_not_known_is_none() -> None:
    last_only = Tick("SBIN", "NSE", 800.0)
    assert expected_price(order(PriceType.MARKET), last_only) == 800.0
    assert expected_price(order(PriceType.MARKET), None) is None
    assert percent_from_last(order(PriceType.MARKET), TICK) is None
    assert percent_from_last(order(PriceType.LIMIT, price=790.0), None) is None
    assert spread_percent(last_only) is None


def kinds(request: OrderRequest, row: Instrument, tick: Tick | None) -> list[Caution]:
    return [warned.kind for warned in market_warnings(request, row, tick, LEVELS)]


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (order(PriceType.LIMIT, price=824.0), []),
        (order(PriceType.LIMIT, price=825.0), [Caution.FAR]),
        (order(PriceType.LIMIT, price=775.0), []),  # waits for a better price
        (order(PriceType.LIMIT, Action.SELL, price=775.0), [Caution.FAR]),
        (order(PriceType.LIMIT, Action.SELL, price=850.0), []),
        (order(PriceType.SL, price=870.0, trigger_price=865.0), []),  # far away, but no worse
        (order(PriceType.SL, price=870.0, trigger_price=810.0), [Caution.FAR]),
        (order(PriceType.LIMIT, price=880.05), [Caution.FAR, Caution.CIRCUIT]),
        (order(PriceType.LIMIT, price=719.95), [Caution.CIRCUIT]),
        (order(PriceType.SLM, trigger_price=795.0), [Caution.STOP]),
        (order(PriceType.SLM, trigger_price=805.0), []),
        (order(PriceType.SL, Action.SELL, price=790.0, trigger_price=805.0), [Caution.STOP]),
        (order(PriceType.MARKET), []),
    ],
)
def test_warnings_of_the_market(request_: OrderRequest, found: list[Caution]) -> None:
    assert kinds(request_, SHARE, TICK) == found


@pytest.mark.parametrize(
    ("bid", "ask", "found"),
    [(100.0, 104.0, []), (100.0, 106.0, [Caution.SPREAD]), (0.0, 106.0, [Caution.SPREAD])],
)
def test_a_market_order_in_an_illiquid_option(bid: float, ask: float, found: list[Caution]) -> None:
    tick = Tick(CALL.symbol, "NFO", 100.0, FeedMode.QUOTE, bid=bid, ask=ask)
    request = OrderRequest(CALL.symbol, "NFO", Action.BUY, 75)
    assert kinds(request, CALL, tick) == found
    limit = OrderRequest(CALL.symbol, "NFO", Action.BUY, 75, PriceType.LIMIT, price=101.0)
    assert kinds(limit, CALL, tick) == []
    assert kinds(order(PriceType.MARKET), SHARE, tick) == []  # only options are that thin


def test_without_a_price_there_is_nothing_to_warn_of() -> None:
    assert kinds(order(PriceType.LIMIT, price=990.0), SHARE, None) == []


def test_an_unknown_touch_is_no_spread() -> None:
    tick = Tick(CALL.symbol, "NFO", 100.0, FeedMode.QUOTE, unknown=Part.TOUCH)
    assert kinds(OrderRequest(CALL.symbol, "NFO", Action.BUY, 75), CALL, tick) == []


def test_the_policy_looks_at_all_legs_together() -> None:
    legs = [
        LegPreview(
            request=order(PriceType.LIMIT, price=1.0), value=100.0, lots=10, percent=-4.0, worse=4.0
        ),
        LegPreview(
            request=OrderRequest(CALL.symbol, "NFO", Action.BUY, 150),
            value=50.0,
            lots=2,
            spread=7.0,
            percent=None,
        ),
    ]
    facts = confirm_facts(legs, [SHARE, CALL])
    assert (facts.value, facts.lots, facts.percent, facts.spread) == (150.0, 2, 4.0, 7.0)
    assert not facts.unpriced
    unknown = [*legs, LegPreview(request=order(PriceType.MARKET))]
    assert confirm_facts(unknown, [SHARE, CALL, SHARE]).unpriced
    assert not facts.unmeasured
    blind = [LegPreview(request=order(PriceType.LIMIT, price=1.0), value=100.0)]
    assert confirm_facts(blind, [SHARE]).unmeasured  # it may be far through the market
