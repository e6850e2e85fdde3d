"""The SPAN-like margin against published numbers and against its own promises."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core import options_math
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.exchange.span import (
    NO_MARGIN,
    SpanLeg,
    SpanMargin,
    SpanParameters,
    margin_shares,
    portfolio_margin,
)
from tests.costs import calls

NOW = datetime(2026, 6, 10, 11, 0, tzinfo=IST)
NEAR, FAR = date(2026, 6, 30), date(2026, 7, 28)
LOT, SPOT = 65, 24_600.0
PARAMETERS = SpanParameters.from_json(resource_text("charges/span.json"))
RUPEE = Decimal(1)


def option(
    strike: float, kind: str, quantity: int, expiry: date = NEAR, sigma: float = 0.13
) -> SpanLeg:
    seconds = (datetime.combine(expiry, time(15, 30), IST) - NOW).total_seconds()
    premium = options_math.price(
        SPOT, strike, seconds / options_math.SECONDS_PER_YEAR, sigma, 0.0, kind == "CE"
    )
    return SpanLeg(
        f"NIFTY{expiry}{strike:.0f}{kind}",
        "NFO",
        "NIFTY",
        kind,
        expiry,
        quantity,
        float(premium),
        SPOT,
        strike,
    )


def future(quantity: int, expiry: date = NEAR) -> SpanLeg:
    return SpanLeg(f"NIFTY{expiry}FUT", "NFO", "NIFTY", "FUT", expiry, quantity, SPOT, SPOT)


def margin(*legs: SpanLeg) -> SpanMargin:
    return portfolio_margin(legs, NOW, PARAMETERS)


def lakh(amount: Decimal) -> float:
    return float(amount) / 1e5


# -- against what brokers publish -----------------------------------------------------------
def test_future_is_scan_range_and_exposure() -> None:
    notional = Decimal(repr(SPOT)) * LOT
    got = margin(future(LOT))
    assert got.span == notional * Decimal("0.093")
    assert got.exposure == notional * Decimal("0.02")
    assert got.premium == got.benefit == 0


def test_naked_option_costs_about_a_future_not_its_premium() -> None:
    short = option(SPOT, "CE", -LOT)
    assert 1.3 < lakh(margin(short).total) < 1.9
    assert margin(short).total > 8 * Decimal(short.price * LOT)


@pytest.mark.parametrize("distance", [700.0, 1000.0, 1500.0])
def test_short_strangle_is_in_the_published_range(distance: float) -> None:
    got = margin(option(SPOT + distance, "CE", -LOT), option(SPOT - distance, "PE", -LOT))
    assert 1.0 <= lakh(got.total) <= 1.65


def test_iron_condor_matches_a_broker() -> None:
    """31,522 rupees for one lot of 15, algotest.in forum thread 848, on an expiry day before the
    extra expiry-day margin: exposure of two short options and the debit paid."""
    day = datetime(2024, 11, 13, 9, 20, tzinfo=IST)
    legs = [
        SpanLeg(
            f"{strike}{kind}", "NFO", "BANKNIFTY", kind, day.date(), units, price, 51_365.7, strike
        )
        for strike, kind, units, price in (
            (51_500.0, "CE", 15, 32.0),
            (51_700.0, "CE", -15, 14.3),
            (51_100.0, "PE", 15, 15.05),
            (50_900.0, "PE", -15, 7.35),
        )
    ]
    total = float(portfolio_margin(legs, day, PARAMETERS).total)
    assert total == pytest.approx(31_522, rel=0.02)
    later = day.replace(month=12, day=24)
    moved = [msgspec.structs.replace(leg, expiry=later.date()) for leg in legs]
    assert float(portfolio_margin(moved, later, PARAMETERS).exposure) == pytest.approx(
        2 * 15 * 51_365.7 * 0.04
    )


# -- hedges ---------------------------------------------------------------------------------
def test_vertical_spread_is_much_cheaper_than_naked() -> None:
    naked = margin(option(SPOT, "CE", -LOT))
    spread = margin(option(SPOT, "CE", -LOT), option(SPOT + 200, "CE", LOT))
    assert spread.total < naked.total / 3
    assert spread.span < 200 * LOT


def test_debit_spread_blocks_its_debit_and_exposure() -> None:
    legs = option(SPOT, "CE", LOT), option(SPOT + 200, "CE", -LOT)
    got = margin(*legs)
    debit = Decimal((legs[0].price - legs[1].price) * LOT)
    assert abs(got.premium - debit) < RUPEE
    assert got.span == 0
    assert lakh(got.exposure) == pytest.approx(SPOT * LOT * 0.02 / 1e5)


def test_bought_option_costs_its_premium() -> None:
    leg = option(SPOT, "PE", LOT)
    got = margin(leg)
    assert abs(got.total - Decimal(leg.price * LOT)) < Decimal("0.01")
    assert got.span == got.exposure == 0


def test_calendar_spread_pays_the_calendar_charge_and_a_third_of_the_exposure() -> None:
    notional = Decimal(repr(SPOT)) * LOT
    got = margin(future(LOT), future(-LOT, FAR))
    assert got.span == got.calendar == notional * Decimal("0.0175")
    assert abs(got.exposure - notional * Decimal("0.02") / 3) < Decimal("0.01")


def test_no_calendar_benefit_on_expiry_day() -> None:
    legs = future(LOT, NOW.date()), future(-LOT, FAR)
    assert margin(*legs).benefit == 0


def test_opposite_futures_of_one_expiry_cost_nothing() -> None:
    assert margin(future(LOT), future(-LOT)).total == 0


def test_far_option_pays_the_short_option_minimum() -> None:
    got = margin(option(SPOT * 1.25, "CE", -LOT))
    assert got.span == Decimal(repr(SPOT)) * LOT * Decimal("0.03")


def test_underlyings_do_not_offset() -> None:
    other = msgspec.structs.replace(future(-LOT), name="BANKNIFTY", symbol="BANKNIFTYFUT")
    assert margin(future(LOT), other).total == margin(future(LOT)).total + margin(other).total


def test_volatile_underlying_widens_the_scan() -> None:
    calm = portfolio_margin([future(LOT)], NOW, PARAMETERS, {"NIFTY": 0.10})
    wild = portfolio_margin([future(LOT)], NOW, PARAMETERS, {"NIFTY": 0.40})
    assert calm == margin(future(LOT))
    assert float(wild.span) == pytest.approx(SPOT * LOT * 6 * 0.40 * (2 / 252) ** 0.5)


# -- promises -------------------------------------------------------------------------------
strikes = st.integers(-60, 60).map(lambda step: SPOT + 50.0 * step)
lots = st.integers(-4, 4).filter(bool).map(lambda n: n * LOT)
expiries = st.sampled_from((NEAR, FAR))
legs_strategy = st.lists(
    st.one_of(
        st.builds(option, strikes, st.sampled_from(("CE", "PE")), lots, expiries),
        st.builds(future, lots, expiries),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(legs_strategy)
def test_a_basket_never_costs_more_than_its_legs(legs: list[SpanLeg]) -> None:
    got = margin(*legs)
    singles = sum((margin(leg).total for leg in legs), Decimal(0))
    assert got.total <= singles + Decimal("0.1")
    assert abs(got.standalone - singles) < Decimal("0.1")
    assert got.benefit >= 0
    assert min(got.span, got.exposure, got.premium, got.calendar) >= 0
    assert got.calendar <= got.span


@settings(max_examples=60, deadline=None)
@given(legs_strategy)
def test_shares_of_the_legs_add_up(legs: list[SpanLeg]) -> None:
    shares = margin_shares(legs, NOW, PARAMETERS)
    assert sum(shares, Decimal(0)) == margin(*legs).total
    assert min(shares) >= 0
    flat = [msgspec.structs.replace(legs[0], quantity=0), *legs]
    assert margin_shares(flat, NOW, PARAMETERS) == [0, *shares]


@settings(max_examples=60, deadline=None)
@given(legs_strategy, st.integers(2, 20))
def test_margin_grows_with_quantity(legs: list[SpanLeg], times: int) -> None:
    more = [msgspec.structs.replace(leg, quantity=leg.quantity * times) for leg in legs]
    assert abs(margin(*more).total - times * margin(*legs).total) < times * Decimal("0.05")


def test_a_price_without_time_value_still_carries_risk() -> None:
    stale = msgspec.structs.replace(option(SPOT - 1000, "CE", -LOT), price=900.0)
    assert lakh(margin(stale).total) > 1.5
    unpriced = msgspec.structs.replace(stale, price=0.0)
    assert margin(unpriced).total > margin(stale).total


def test_legs_more_cost_a_few_calls_each() -> None:
    """Their risk is one array: twenty legs take a millisecond, not one for each scenario."""
    legs = [option(23_600.0 + 100 * n, "CE" if n % 2 else "PE", LOT * (-1) ** n) for n in range(20)]
    few, many = calls(lambda: margin(*legs[:5])), calls(lambda: margin(*legs))
    assert few < 900 and many - few < 15 * 25, (few, many)  # about 14 a leg


def test_flat_legs_and_no_legs_cost_nothing() -> None:
    assert margin() == NO_MARGIN
    assert margin(option(SPOT, "CE", 0)) == NO_MARGIN


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"instrument_type": "EQ"}, "derivative"),
        ({"underlying_price": 0.0}, "underlying"),
        ({"exchange": "NSE"}, "NSE"),
    ],
)
def test_legs_that_cannot_be_margined_are_named(change: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        margin(msgspec.structs.replace(future(LOT), **change))


@pytest.mark.parametrize(
    ("exchange", "name", "percent"),
    [
        ("NFO", "RELIANCE", "14.2"),
        ("BFO", "SENSEX", "9.3"),
        ("CDS", "USDINR", "1.5"),
        ("MCX", "GOLD", "6"),
        ("MCX", "CRUDEOIL", "10"),
        ("CRYPTO", "BTC", "20"),
    ],
)
def test_each_segment_has_its_scan_range(exchange: str, name: str, percent: str) -> None:
    leg = SpanLeg("F", exchange, name, "FUT", NEAR, 1, 100.0, 100.0)
    assert margin(leg).span == Decimal(percent)


def test_unreadable_parameters_are_refused() -> None:
    with pytest.raises(ConfigError):
        SpanParameters.from_json("{}")
