"""Candles of a sum."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.core.combined import summed
from openalgo_desktop.core.ticks import Bars


def bars(times: list[int], opened: list[float], closed: list[float]) -> Bars:
    count = len(times)
    whole = np.arange(1, count + 1, dtype=np.int64)
    first, last = np.array(opened), np.array(closed)
    high, low = np.maximum(first, last) + 5, np.minimum(first, last) - 5
    return Bars(np.array(times, np.int64), first, high, low, last, whole, whole)


def test_a_sum_has_the_candles_that_both_have() -> None:
    made = summed(
        bars([0, 60, 120], [10, 11, 12], [11, 12, 13]), bars([60, 120, 180], [5, 4, 9], [4, 3, 9])
    )
    assert made.time.tolist() == [60, 120]
    assert made.open.tolist() == [16, 16] and made.close.tolist() == [16, 16]
    assert made.high.tolist() == [16, 16]  # not 5 more: two highs need not meet
    assert made.volume.tolist() == [2 + 1, 3 + 2]


def test_nothing_in_common_is_empty() -> None:
    assert len(summed(bars([0], [1], [1]), Bars.empty())) == 0
