"""Tick arithmetic, freeze split, grouping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openalgo_desktop.core import money

TICKS = [0.0025, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0]


@given(st.floats(0.01, 200_000.0), st.sampled_from(TICKS))
def test_rounded_prices_are_on_tick_and_near(price: float, tick: float) -> None:
    rounded = money.to_tick(price, tick)
    assert money.is_on_tick(rounded, tick)
    assert abs(rounded - price) <= tick / 2 + 1e-9
    assert money.to_tick_array(np.array([price]), tick)[0] == rounded
    assert float(repr(round(rounded, 4))) == rounded  # the float nearest to its decimal text


def test_float_noise_is_not_off_tick() -> None:
    assert money.is_on_tick(0.1 + 0.2, 0.05)
    assert money.is_on_tick(799.95, 0.05)
    assert not money.is_on_tick(799.97, 0.05)
    assert not money.is_on_tick(100.125, 0.05)
    assert money.is_on_tick(123.4567, 0)


def test_nearest_ticks() -> None:
    assert money.nearest_ticks(800.02, 0.05) == (800.0, 800.05)
    assert money.nearest_ticks(800.05, 0.05) == (800.05, 800.05)


@pytest.mark.parametrize(("tick", "places"), [(0.05, 2), (1.0, 2), (0.0025, 4), (0, 2), (0.1, 2)])
def test_decimals(tick: float, places: int) -> None:
    assert money.decimals(tick) == places


def test_freeze_split_keeps_lots_and_the_sum() -> None:
    assert money.split_freeze(4000, 1800) == [1800, 1800, 400]
    assert money.split_freeze(1800, 1800) == [1800]
    assert money.split_freeze(1300, 595, 30) == [570, 570, 160]
    assert money.split_freeze(10**6, 1) == [10**6]
    with pytest.raises(ValueError, match="positive"):
        money.split_freeze(0, 100)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "12,34,567"), (-123456.5, "-1,23,456.5")],
)
def test_indian_grouping(value: float, text: str) -> None:
    assert money.group_indian(value) == text


def test_grouping_with_places_and_of_text() -> None:
    assert money.group_indian(10_000_000.0, 2) == "1,00,00,000.00"
    assert money.group_indian("100000.50") == "1,00,000.50"


def test_plain_numbers_keep_every_digit() -> None:
    numbers = [26500.0, 292.5, 30000.03, 1_234_567, 0.0025, 100_000_000.0]
    assert [money.plain(number) for number in numbers] == [
        "26500",
        "292.5",
        "30000.03",
        "1234567",
        "0.0025",
        "100000000",
    ]
