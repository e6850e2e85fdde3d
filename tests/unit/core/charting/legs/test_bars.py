"""Candles and live prices of combinations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.legs import LivePrice, combined, parse, sum_of
from openalgo_desktop.core.model import Key

A, B = ("NFO", "A"), ("NFO", "B")


def known(name: str) -> Key | None:
    return {"A": A, "B": B}.get(name)


def bars(times: list[int], opened: list[float], closed: list[float]) -> Columns:
    first, last = np.array(opened, np.float64), np.array(closed, np.float64)
    units = np.arange(1.0, len(times) + 1)
    high, low = np.maximum(first, last) + 5, np.minimum(first, last) - 5
    return Columns(np.array(times, np.int64), first, high, low, last, units, units)


LEGS = {
    A: bars([0, 60, 120], [10, 11, 12], [11, 12, 13]),
    B: bars([60, 120, 180], [5, 4, 9], [4, 3, 9]),
}


def test_a_sum_has_the_candles_that_both_have() -> None:
    made = combined(sum_of("straddle", A, B), LEGS)
    columns = made.columns
    assert columns.time.tolist() == [60, 120]
    assert columns.open.tolist() == [16, 16] and columns.close.tolist() == [16, 16]
    assert columns.high.tolist() == [16, 16]  # not 5 more: two highs need not meet
    assert not made.exact_extremes and not made.has_volume
    assert np.isnan(columns.volume).all() and np.isnan(columns.oi).all()
    assert made.bars.volume.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("text", "high", "low"),
    [
        ("2*A+1", [33, 35, 37], [11, 13, 15]),
        ("-A", [-5, -6, -7], [-16, -17, -18]),
        ("3-A/2", [0.5, 0, -0.5], [-5, -5.5, -6]),
    ],
)
def test_of_one_leg_with_a_factor_high_and_low_are_exact(
    text: str, high: list[float], low: list[float]
) -> None:
    made = combined(parse(text, known), LEGS)
    assert made.exact_extremes and made.has_volume
    assert made.columns.high.tolist() == high and made.columns.low.tolist() == low
    assert made.columns.volume.tolist() == [1, 2, 3]


def test_a_quotient_of_one_leg_is_not_exact() -> None:
    made = combined(parse("100/A", known), LEGS)
    assert not made.exact_extremes
    assert made.columns.high.tolist() == pytest.approx([10, 100 / 11, 100 / 12])


def test_what_is_divided_by_nothing_is_no_candle() -> None:
    legs = LEGS | {B: bars([0, 60, 120], [5, 0, 4], [4, 3, 0])}
    made = combined(parse("A/B", known), legs).columns
    assert made.time.tolist() == [0] and made.open.tolist() == [2]
    # not known stays not known, even where a quotient of it would be 0
    assert combined(parse("1/(A/B)", known), legs).columns.time.tolist() == [0, 60, 120][:1]


def test_nothing_in_common_and_constants() -> None:
    empty = bars([], [], [])
    assert combined(parse("A-B", known), LEGS | {B: empty}).columns.size == 0
    assert combined(parse("A-A+2", known), LEGS).columns.close.tolist() == [2, 2, 2]


def test_a_live_price_needs_all_legs() -> None:
    live = LivePrice(parse("2*A-B", known))
    assert math.isnan(live.take(A, 10, 100.0))
    assert live.take(B, 4, 99.0) == 16 and live.moment == 100.0
    assert live.take(A, 11, 101.5) == 18 and live.moment == 101.5
    assert live.take(("NSE", "OTHER"), 1, 200.0) == 18 and live.moment == 101.5
    live.lose(B)
    assert math.isnan(live.price)
    assert live.take(B, 5, 102.0) == 17
    ratio = LivePrice(parse("A/B", known))
    ratio.take(A, 1, 1.0)
    assert math.isnan(ratio.take(B, 0, 1.0))
