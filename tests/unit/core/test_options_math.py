"""Black-76, implied volatility, greeks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openalgo_desktop.core import options_math as om


def test_a_value_from_the_textbook() -> None:
    # At the money: 2 N(sigma sqrt(t) / 2) - 1 of the forward.
    expected = 100.0 * math.erf(0.2 * 0.5 / math.sqrt(8))
    assert om.price(100.0, 100.0, 0.25, 0.2) == pytest.approx(expected, rel=1e-12)


@given(
    st.floats(50, 150),
    st.floats(0.002, 2.0),
    st.floats(0.03, 1.5),
    st.floats(0, 0.1),
    st.booleans(),
)
def test_implied_volatility_inverts_the_price(
    strike: float, years: float, sigma: float, rate: float, call: bool
) -> None:
    premium = om.price(100.0, strike, years, sigma, rate, call)
    intrinsic = max(0.0, (100.0 - strike) * (1 if call else -1)) * math.exp(-rate * years)
    if premium - intrinsic < 1e-6:
        return  # no time value left to read a volatility from
    found = om.implied_volatility(premium, 100.0, strike, years, rate, call)
    assert om.price(100.0, strike, years, found, rate, call) == pytest.approx(premium, abs=1e-8)


def test_implied_volatility_at_the_edges() -> None:
    assert om.implied_volatility(10.0, 110.0, 100.0, 0.1) == 0.0
    assert math.isnan(float(om.implied_volatility(200.0, 100.0, 100.0, 0.1)))


def test_parity() -> None:
    strikes = np.linspace(80, 120, 41)
    calls = om.price(100.0, strikes, 0.3, 0.25, 0.05, True)
    puts = om.price(100.0, strikes, 0.3, 0.25, 0.05, False)
    np.testing.assert_allclose(calls - puts, math.exp(-0.015) * (100.0 - strikes), atol=1e-10)


def test_scalars_and_arrays_agree() -> None:
    strikes = np.array([90.0, 100.0, 110.0])
    calls = np.array([True, False, True])
    vector = om.price(101.3, strikes, 0.07, 0.18, 0.0, calls)
    scalar = [
        om.price(101.3, float(k), 0.07, 0.18, 0.0, bool(c))
        for k, c in zip(strikes, calls, strict=True)
    ]
    np.testing.assert_allclose(vector, scalar, rtol=1e-13)
    ivs = om.implied_volatility(vector, 101.3, strikes, 0.07, 0.0, calls)
    np.testing.assert_allclose(ivs, 0.18, atol=1e-8)


def test_an_expired_option_is_worth_its_intrinsic_value() -> None:
    assert om.price(110.0, 100.0, 0.0, 0.2) == 10.0
    assert om.price(110.0, 100.0, 0.0, 0.2, 0.0, False) == 0.0
    both = om.price(np.array([110.0, 90.0]), 100.0, 0.0, 0.2)
    np.testing.assert_array_equal(both, [10.0, 0.0])


@pytest.mark.parametrize("call", [True, False])
def test_greeks_are_the_slopes_of_the_price(call: bool) -> None:
    f, k, t, s, r, h = 100.0, 103.0, 0.2, 0.22, 0.03, 1e-4
    g = om.greeks(f, k, t, s, r, call)

    def value(f: float = f, t: float = t, s: float = s, r: float = r) -> float:
        return float(om.price(f, k, t, s, r, call))

    assert g.delta == pytest.approx((value(f + h) - value(f - h)) / (2 * h), rel=1e-5)
    assert g.gamma == pytest.approx((value(f + h) - 2 * value() + value(f - h)) / h**2, rel=1e-3)
    assert g.vega == pytest.approx((value(s=s + h) - value(s=s - h)) / (2 * h) / 100, rel=1e-5)
    assert g.theta == pytest.approx(-(value(t=t + h) - value(t=t - h)) / (2 * h) / 365, rel=1e-4)
    assert g.rho == pytest.approx((value(r=r + h) - value(r=r - h)) / (2 * h) / 100, rel=1e-5)
