"""Charges and break-even before a trade."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.exchange.estimate import Estimator

DAY = date(2026, 6, 1)
SBIN = Instrument("SBIN", "NSE", "STATE BANK OF INDIA")
OPTION = Instrument("NIFTY30JUN2625000CE", "NFO", "NIFTY", "CE", 65, strike=25000.0)
TABLE = ChargeTable(resource_text("charges/rates.json"))
DISCOUNT = Estimator(TABLE, "discount")


def profit(row: Instrument, product: Product, action: Action, units: int, at: float, to: float):
    """After the charges of both ways."""
    args = (row, product)
    cost = DISCOUNT.charges(*args, action, units, at, DAY)
    cost += DISCOUNT.charges(*args, action.opposite, units, to, DAY)
    return (to - at) * action.sign * units - cost


@given(
    st.sampled_from([(SBIN, Product.MIS), (SBIN, Product.CNC), (OPTION, Product.NRML)]),
    st.sampled_from(list(Action)),
    st.integers(1, 40),
    st.integers(400, 60_000),
)
def test_at_break_even_the_charges_are_earned_and_a_tick_before_not(
    what: tuple[Instrument, Product], action: Action, lots: int, twentieths: int
) -> None:
    row, product = what
    units, price = lots * row.lot_size, twentieths / 20
    level = DISCOUNT.break_even(row, product, action, units, price, DAY)
    sold_out = action is Action.SELL and level <= row.tick_size
    if not sold_out:  # a short cannot fall below one tick: some never pay
        assert profit(row, product, action, units, price, level) >= -0.02
    nearer = level - action.sign * row.tick_size
    assert profit(row, product, action, units, price, nearer) < 0.02


def test_a_longer_way_for_fewer_shares() -> None:
    levels = [
        DISCOUNT.break_even(SBIN, Product.CNC, Action.BUY, units, 800.0, DAY)
        for units in (1, 10, 1000)
    ]
    assert levels == sorted(levels, reverse=True) and levels[-1] > 800.0


def test_crypto_has_no_charges_and_breaks_even_at_once() -> None:
    coin = Instrument("BTCUSD", "CRYPTO", tick_size=0.5)
    assert DISCOUNT.charges(coin, Product.NRML, Action.BUY, 1, 100.0, DAY) == 0
    assert DISCOUNT.break_even(coin, Product.NRML, Action.BUY, 1, 100.0, DAY) == 100.0


def test_an_unknown_plan_is_named() -> None:
    with pytest.raises(ConfigError, match="plan"):
        Estimator(TABLE, "mine")
