"""Several instruments at the times of one."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.compare import Comparison, aligned

A, B, C = ("NSE", "A"), ("NSE", "B"), ("MCX", "C")


def columns(times: list[int], closes: list[float]) -> Columns:
    prices, units = np.array(closes, np.float64), np.zeros(len(times))
    return Columns(np.array(times, np.int64), prices, prices, prices, prices, units, units)


MAIN = columns([0, 60, 120, 180], [100, 110, 99, 120])
OTHER = columns([60, 120, 150, 180, 240], [50, 55, 1, 40, 9])


def test_closes_stand_at_the_times_of_the_main_one() -> None:
    np.testing.assert_array_equal(aligned(MAIN.time, OTHER), [np.nan, 50, 55, 40])
    assert np.isnan(aligned(MAIN.time, columns([], []))).all()


def test_per_cent_begins_at_the_first_bar_in_view_that_all_have() -> None:
    both = Comparison(MAIN.time, {A: MAIN, B: OTHER})
    found = both.percent(0)
    np.testing.assert_allclose(found[A], [-100 / 11, 0, -10, 100 / 11])
    np.testing.assert_allclose(found[B], [np.nan, 0, 10, -20])
    assert both.percent(2, 3)[B].tolist() == [0]


def test_who_has_nothing_in_common_begins_by_itself() -> None:
    third = columns([0], [7])
    found = Comparison(MAIN.time, {A: MAIN, B: OTHER, C: third}).percent(0)
    assert found[A][0] == 0 and found[B][1] == 0 and found[C][0] == 0
    nothing = Comparison(MAIN.time, {A: MAIN, C: columns([], [])}).percent(0)
    assert np.isnan(nothing[C]).all() and nothing[A][0] == 0


def test_bars_come_live() -> None:
    both = Comparison(MAIN.time, {A: MAIN, B: OTHER})
    for number in range(200):
        both.append(240 + 60 * number)
        assert np.isnan(both.closes(B)[-1])
    assert both.take(B, 240, 60.0) and not both.take(B, 241, 1.0)
    assert not both.take(B, 99_999, 1.0)
    assert both.closes(B)[:5].tolist()[1:] == [50, 55, 40, 60]
    assert len(both.closes(A)) == 204 and list(both.keys) == [A, B]
    np.testing.assert_allclose(both.percent(1, 5)[B], [0, 10, -20, 20])


def test_bricks_of_one_bar_have_one_close_and_who_has_no_bars_takes_none() -> None:
    both = Comparison(np.array([0, 60, 60, 120]), {B: OTHER})
    assert both.take(B, 60, 77.0) and not both.take(C, 60, 1.0) and not both.take(B, 90, 1.0)
    assert both.closes(B)[1:].tolist() == [77.0, 77.0, 55.0]
