"""The rules of each kind of bars, on published examples where there are some."""

from __future__ import annotations

import math

import numpy as np
import pytest

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.transforms.boxes import (
    average_true_range,
    boxes_above,
    boxes_below,
    measured,
)
from openalgo_desktop.core.charting.transforms.heikin_ashi import HeikinAshi
from openalgo_desktop.core.charting.transforms.kagi import Kagi
from openalgo_desktop.core.charting.transforms.line_break import LineBreak
from openalgo_desktop.core.charting.transforms.machine import Machine, apply
from openalgo_desktop.core.charting.transforms.points import Points
from openalgo_desktop.core.charting.transforms.ranges import Ranges
from openalgo_desktop.core.charting.transforms.registry import BY_KIND
from openalgo_desktop.core.charting.transforms.renko import Renko
from openalgo_desktop.core.charting.transforms.rows import TransformedBars
from openalgo_desktop.core.errors import DataError


def candles(*rows: tuple[float, float, float, float]) -> Columns:
    o, h, low, c = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    count = len(rows)
    return Columns(60 * np.arange(count), o, h, low, c, np.full(count, 10.0), np.zeros(count))


def closes(*prices: float) -> Columns:
    return candles(*((price,) * 4 for price in prices))


def ends(machine: Machine, bars: Columns) -> list[tuple[float, float]]:
    rows = apply(machine, bars)
    return [
        (round(first, 6), round(last, 6)) for first, last in zip(rows.open, rows.close, strict=True)
    ]


def final(rows: TransformedBars) -> int:
    return rows.size - rows.forming


def test_heikin_ashi_by_its_formulas() -> None:
    bars = candles((100, 110, 95, 105), (105, 120, 104, 118), (118, 119, 100, 101))
    rows = apply(HeikinAshi(), bars)
    assert rows.close.tolist() == [102.5, 111.75, 109.5]
    assert rows.open.tolist() == [102.5, 102.5, (102.5 + 111.75) / 2]
    assert rows.high.tolist() == [110, 120, 119] and rows.low.tolist() == [95, 102.5, 100]
    assert rows.direction.tolist() == [1, 1, 1] and not rows.forming
    assert rows.source.tolist() == [0, 1, 2] and rows.time.tolist() == [0, 60, 120]


def test_renko_goes_on_by_one_brick_and_turns_by_two() -> None:
    bars = closes(100, 109, 110, 125, 111, 101, 100, 99.9, 89)
    assert ends(Renko(10), bars)[: final(apply(Renko(10), bars))] == [
        (100, 110),
        (110, 120),
        (110, 100),
        (100, 90),
    ]
    rows = apply(Renko(10), bars)
    assert rows.source[:4].tolist() == [2, 3, 6, 8]
    assert rows.forming and (rows.open[4], rows.close[4], rows.direction[4]) == (90, 89, -1)
    assert rows.volume[:4].sum() + rows.volume[4] == 90  # nothing of the volume is lost


def test_renko_lies_on_multiples_and_brings_several_bricks_at_once() -> None:
    rows = apply(Renko(10), closes(103, 134))
    assert rows.open.tolist() == [100, 110, 120, 130] and rows.close[3] == 134
    assert rows.volume.tolist() == pytest.approx([20 / 3] * 3 + [0])
    decimal = apply(Renko(0.05), closes(100.05, 100.1, 100.15))
    assert decimal.close.tolist() == pytest.approx([100.1, 100.15])


def test_renko_wicks_are_how_far_the_price_went_against_the_brick() -> None:
    bars = candles((100, 101, 99, 100), (100, 104, 93, 104), (104, 112, 104, 111))
    with_wicks, without = apply(Renko(10, wicks=True), bars), apply(Renko(10), bars)
    assert (with_wicks.low[0], with_wicks.high[0]) == (93, 110)
    assert (without.low[0], without.high[0]) == (100, 110)


def test_line_break_by_the_example_of_nison() -> None:
    """Beyond Candlesticks, chapter 6: a white line 132 to 135; at 128 a black one from 132."""
    assert ends(LineBreak(), closes(132, 135, 134, 128)) == [(132, 135), (132, 128)]
    # nothing is drawn within 128 to 135; above it a white line from the black one's top
    assert ends(LineBreak(), closes(132, 135, 128, 135, 136))[2:] == [(132, 136)]


def test_line_break_after_three_lines_needs_all_three_broken() -> None:
    risen = (10, 11, 12, 13)
    assert ends(LineBreak(), closes(*risen, 10.5, 10)) == [(10, 11), (11, 12), (12, 13)]
    assert ends(LineBreak(), closes(*risen, 9.9))[3:] == [(12, 9.9)]
    assert ends(LineBreak(2), closes(*risen, 10.9))[3:] == [(12, 10.9)]
    assert ends(LineBreak(), closes(*risen, 13, 14)) == [(10, 11), (11, 12), (12, 13), (13, 14)]


def test_kagi_turns_by_its_amount_and_is_thick_past_the_last_shoulder() -> None:
    rows = apply(Kagi(4), closes(100, 103, 104, 107, 104, 103, 102, 106, 108, 99))
    assert rows.open.tolist() == [100, 107, 102, 108]
    assert rows.close.tolist() == [107, 102, 108, 99]
    assert rows.direction.tolist() == [1, -1, 1, -1]
    # up first: thick; down does not pass a waist yet; down past the waist at 102: thin there
    assert rows.thick.tolist() == [1, 1, 1, 0]
    assert math.isnan(rows.turn[2]) and rows.turn[3] == 102
    assert rows.forming
    falling = apply(Kagi(4), closes(100, 90, 95, 85, 97))
    assert falling.thick.tolist() == [0, 0, 0, 1] and falling.turn[3] == 95


def test_kagi_in_per_cent_is_of_the_price_at_the_end_of_the_line() -> None:
    kagi = Kagi(0.04, part=True)
    assert apply(kagi, closes(100, 200, 192.1)).close.tolist() == [200]
    assert apply(kagi, closes(100, 200, 192)).close.tolist() == [200, 192]


def test_point_and_figure_by_the_example_of_lim() -> None:
    """M. A. Lim, The Handbook of Technical Analysis (2016), chapter 15: box 1, reversal 3. From a
    column of X to 25 down to 22 three O; 24 brings nothing, 20 two O more; 23 three X, 25 two."""
    path = closes(20, 25, 23, 22, 24, 20, 22, 23, 24, 25)
    rows = apply(Points(1, 3, closes=True), path)
    assert ends(Points(1, 3, closes=True), path) == [(20, 25), (24, 20), (21, 25)]
    assert rows.direction.tolist() == [1, -1, 1] and rows.forming


def test_point_and_figure_counts_its_turn_from_the_box_and_not_the_price() -> None:
    """J. du Plessis, The Definitive Guide to Point and Figure: 10 x 3, X at 540 of a price of 547
    turns at 510, not at 517."""
    assert ends(Points(10, 3), closes(500, 547, 511)) == [(500, 540)]
    assert ends(Points(10, 3), closes(500, 547, 510)) == [(500, 540), (530, 510)]


def test_point_and_figure_looks_at_the_high_of_a_rising_column_first() -> None:
    bars = candles((20, 20, 20, 20), (20, 25, 20, 25), (25, 26, 18, 18), (18, 24, 18, 18))
    assert ends(Points(1, 3), bars) == [(20, 26), (25, 18)]
    assert ends(Points(1, 3, closes=True), bars) == [(20, 25), (24, 18)]


def test_range_bars_are_as_high_as_the_range_and_exact_from_ticks() -> None:
    rows = apply(Ranges(4), closes(100, 102, 99, 103, 104, 99, 90))
    done = final(rows)
    assert (rows.high[:done] - rows.low[:done]).tolist() == pytest.approx([4] * done)
    assert rows.open[:3].tolist() == [100, 103, 100] and rows.close[:3].tolist() == [103, 100, 96]
    assert (rows.open[1:] == rows.close[:-1]).all() or rows.forming
    assert rows.volume.sum() == pytest.approx(70)


def test_range_bars_of_candles_go_to_the_nearer_extreme_first() -> None:
    rows = apply(Ranges(10), candles((100, 102, 89, 95)))  # 102 first, so 92 ends the first
    assert (rows.open[0], rows.high[0], rows.low[0], rows.close[0]) == (100, 102, 92, 92)


def test_boxes_are_whole_despite_floats_and_sizes_whole_ticks() -> None:
    assert boxes_below(0.3, 0.1) == 3 and boxes_above(0.1 + 0.2, 0.1) == 3
    assert (boxes_below(-0.25, 0.1), boxes_above(-0.25, 0.1)) == (-3, -2)
    bars = candles((100, 110, 95, 105), (105, 120, 104, 118), (0, 0, 0, 0))
    assert average_true_range(bars.cut(0, 2), 1) == 16
    spec = BY_KIND["renko"]
    assert spec.size({"size": "atr", "length": 1}, bars, 0.05) == 16
    assert spec.size({"size": "percent", "percent": 1}, bars, 0.05) == pytest.approx(1.2)
    assert spec.size({"size": "fixed", "fixed": 0.01}, bars, 0.05) == 0.05
    assert BY_KIND["line-break"].size({}, bars, 0.05) == 0
    assert measured(spec.chosen({}), bars.cut(0, 0), 0.05) == 0.05


def test_a_size_that_would_make_rows_without_end_is_refused() -> None:
    bars = closes(*([20_000, 80_000] * 40))
    with pytest.raises(DataError, match=r"Range bars: 0\.05 rupees are too small .* least 23\.7"):
        BY_KIND["range"].size({"size": "fixed", "fixed": 0.05}, bars, 0.05)
    assert BY_KIND["range"].size({"size": "fixed", "fixed": 25}, bars, 0.05) == 25


@pytest.mark.parametrize("kind", ["renko", "point-figure", "range", "kagi"])
def test_bars_that_do_not_move_give_no_size(kind: str) -> None:
    spec, flat = BY_KIND[kind], closes(*([0.0] * 40))
    for size in ("atr", "percent"):
        with pytest.raises(DataError, match=f"{spec.title}: these bars do not move"):
            spec.size({"size": size}, flat, 0.0)  # arithmetic has no tick
    assert spec.size({}, flat, 0.05) == 0.05
    assert spec.size({"size": "fixed", "fixed": 2}, flat, 0.0) == 2


def test_prices_below_0_have_the_same_sizes_and_turns_as_those_above() -> None:
    up, down = closes(1430, 1440, 1420), closes(-1430, -1440, -1420)
    wanted = BY_KIND["renko"].size({"size": "percent"}, up, 0.0)
    assert BY_KIND["renko"].size({"size": "percent"}, down, 0.0) == wanted == pytest.approx(14.4)
    kagi = Kagi(0.04, part=True)
    assert apply(kagi, closes(-100, -200, -193)).close.tolist() == [-200]
    assert apply(kagi, closes(-100, -200, -192)).close.tolist() == [-200, -192]


def test_wrong_parameters_are_named() -> None:
    with pytest.raises(DataError, match="Point and figure: Reversal, boxes has to be 1 to 10"):
        BY_KIND["point-figure"].chosen({"reversal": 11})
    with pytest.raises(DataError, match="Renko: Brick by is one of atr, fixed, percent"):
        BY_KIND["renko"].chosen({"size": "large"})
    with pytest.raises(DataError, match="has to be a number"):
        BY_KIND["line-break"].chosen({"lines": "three"})
    assert BY_KIND["renko"].chosen({"unknown": 1})["wicks"] is True
