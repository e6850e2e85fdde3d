"""Scales and long lines: values into pixels and back, and no high or low that gets lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRectF

from openalgo_desktop.ui.chart.canvas.labels import value_labels
from openalgo_desktop.ui.chart.canvas.pane import LEAST, PRICES, VOLUME, Pane, share_out
from openalgo_desktop.ui.chart.scales.lines import joined, spans, thin
from openalgo_desktop.ui.chart.scales.price_scale import PriceScale, ScaleKind, VolumeScale
from openalgo_desktop.ui.chart.scales.ticks import log_ticks, price_ticks, time_ticks
from openalgo_desktop.ui.chart.scales.time_scale import TimeScale
from openalgo_desktop.ui.chart.scales.value_map import ValueMap
from openalgo_desktop.ui.chart.series import Series
from tests.ui.chart.test_chart import T0, walk

MAPS = [ValueMap(50.0, 200.0, 10.0, 300.0, log, up) for log in (0, 1) for up in (0, 1)]


@pytest.mark.parametrize("values", MAPS)
def test_values_come_back_from_their_pixels(values: ValueMap) -> None:
    prices = np.linspace(50.0, 200.0, 7)
    rows = values.rows(prices)
    assert rows.tolist() == pytest.approx([values.y(price) for price in prices])
    assert [values.value(y) for y in rows] == pytest.approx(prices.tolist())
    edges = (310.0, 10.0) if not values.inverted else (10.0, 310.0)
    assert (values.y(50.0), values.y(200.0)) == pytest.approx(edges)
    middle = 100.0 if values.log else 125.0
    assert values.y(middle) == pytest.approx(160.0)


def test_a_logarithmic_pane_has_no_place_for_zero() -> None:
    values = ValueMap(50.0, 200.0, 10.0, 300.0, True)
    assert values.y(0.0) > 1_000
    assert np.isnan(values.rows(np.array([0.0, -1.0]))).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=120),
    st.integers(2, 9),
    st.integers(0, 60),
)
def test_conflated_lines_lose_no_high_and_no_low(
    given_values: list[float], merge: int, first: int
) -> None:
    values = np.array(given_values)
    first = min(first, len(values) - 1)
    whole = values[first - first % merge :]
    x, y = thin(values, first, len(values), merge)
    _, low, high, _ = spans(values, first, len(values), merge)
    if np.isnan(whole).all():
        assert np.isnan(y).all()
        return
    assert np.nanmin(y) == np.nanmin(low) == np.nanmin(whole)
    assert np.nanmax(y) == np.nanmax(high) == np.nanmax(whole)
    assert np.all(np.diff(x) >= 0)
    # Joined columns touch one another where there is no gap.
    below, above = joined(low, high)
    both = ~(np.isnan(below[1:]) | np.isnan(below[:-1]))
    assert np.all((below[1:] <= above[:-1])[both] & (above[1:] >= below[:-1])[both])
    assert np.array_equal(np.isnan(below), np.isnan(low))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(0, 180), st.integers(1, 200), st.integers(0, 99))
def test_conflated_bars_lose_no_high_and_no_low(
    merge: int, first: int, more: int, seed: int
) -> None:
    series = Series(walk(200, seed))
    last = min(200, first + more)
    bars = series.visible(first, last, merge)
    found = series.price_range(first, last)
    assert found is not None
    assert bars.high.max() >= found[1] and bars.low.min() <= found[0]
    begin = first - first % merge
    end = min(200, begin + merge * len(bars.x))
    assert (bars.low.min(), bars.high.max()) == series.price_range(begin, end)
    assert bars.volume.max() == series.column(4)[begin:end].max()


def test_extremes_follow_the_forming_bar_and_closed_changes() -> None:
    series = Series(walk(100))
    low, high, _ = series.extremes(0, 100) or (0, 0, 0)
    series.update_last(T0 + 60 * 99, 1.0, high + 5, low - 5, 1.0, 1e9)
    assert series.extremes(0, 100) == (low - 5, high + 5, 1e9)
    series.update_last(T0 + 60 * 99, low, high, low, low, 1.0)
    assert (series.extremes(0, 100) or ())[:2] == (low, high)
    series.append(T0 + 6_000, 5.0, 6.0, 4.0, 5.0, 1.0)
    assert (series.extremes(0, 101) or ())[0] == 4.0
    assert series.extremes(0, 0) is None


def test_moments_and_bars_go_both_ways_and_beyond_the_ends() -> None:
    series = Series(walk(50, step=300))
    for index in (-3.5, 0.0, 7.25, 48.9, 49.0, 60.5):
        assert series.index_of(series.time_of(index)) == pytest.approx(index)
    assert series.time_of(-1) == T0 - 300
    assert series.index_of(T0 + 300 * 52) == 52


def test_open_interest_is_kept_and_unknown_is_no_zero() -> None:
    series = Series(walk(3))
    series.append(T0 + 180, 1, 2, 0.5, 1.5, 10, 7_500)
    assert series.open_interest(3) == 7_500
    series.append(T0 + 240, 1, 2, 0.5, 1.5, 10)
    assert math.isnan(series.open_interest(4))
    columns = series.columns()
    assert columns.size == 5 and columns.oi[3] == 7_500 and columns.close[4] == 1.5


def test_a_scale_in_logarithms_gives_the_same_room_above_as_its_part() -> None:
    scale = PriceScale()
    scale.kind = ScaleKind.LOG
    assert scale.fit((100.0, 1_000.0), 400.0, 0.05)
    low, high = scale.range
    assert 0 < low < 100 and high > 1_000
    assert math.log(high / 1_000) / math.log(10) == pytest.approx(40 / 360 * 1.06)
    assert scale.log
    scale.stretch(2.0)
    assert scale.range[0] > 0 and not scale.auto
    assert scale.fit((1.0, 2.0), 400.0, 0.05) is False  # put by hand: it stays


def test_prices_that_are_not_positive_have_a_linear_scale() -> None:
    scale = PriceScale()
    scale.kind = ScaleKind.LOG
    scale.fit((-5.0, 1_000.0), 400.0, 0.05)
    assert not scale.log
    assert scale.range[0] < -5


def test_an_inverted_scale_has_the_legends_room_at_its_low_end() -> None:
    scale = PriceScale()
    scale.inverted = True
    scale.fit((100.0, 200.0), 400.0, 0.05)
    assert 100 - scale.range[0] > scale.range[1] - 200
    assert scale.map(0, 400).y(100.0) < scale.map(0, 400).y(200.0)


def test_fixed_edges_hold_whatever_comes() -> None:
    scale = PriceScale()
    scale.fixed = (0.0, 100.0)
    scale.fit((40.0, 60.0), 100.0, 1.0)
    assert scale.range == (0.0, 100.0)


def test_what_a_user_chose_comes_back_and_nonsense_does_not() -> None:
    scale = PriceScale()
    scale.kind, scale.inverted = ScaleKind.PERCENT, True
    other = PriceScale()
    other.restore(scale.save())
    assert (other.kind, other.inverted) == (ScaleKind.PERCENT, True)
    other.restore({"kind": "cubic", "inverted": "yes"})
    assert (other.kind, other.inverted) == (ScaleKind.LINEAR, False)


def test_volumes_begin_at_zero_and_do_not_jump() -> None:
    scale = VolumeScale()
    assert scale.fit((0.0, 1_000.0), 80.0, 1.0)
    assert scale.range == (0.0, pytest.approx(1_150.0))
    assert not scale.fit((0.0, 900.0), 80.0, 1.0)
    assert scale.fit((0.0, 100.0), 80.0, 1.0)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.5, 1e5), st.floats(1.01, 1e4), st.integers(2, 20))
@example(0.5000000000000001, 2.0, 2)
def test_logarithmic_labels_are_in_range_and_not_too_many(
    low: float, factor: float, most: int
) -> None:
    found = log_ticks(low, low * factor, most, 0.05)
    assert len(found) <= most + 1
    # A label at the very edge may lie a rounding error outside.
    assert all(low * 0.999999 <= value <= low * factor * 1.000001 for value in found)
    assert found == sorted(set(found))
    if factor > 50 and most > 3:
        assert found


def test_bars_of_one_moment_are_labelled_too() -> None:
    times = np.repeat(T0 + 60 * np.arange(40, dtype=np.int64), 5)
    places = time_ticks(times, 0, 200, 8, True)
    assert 0 < len(places) <= 8
    assert price_ticks(1.0, 1.0, 5, 1.0) == []


def test_rows_that_come_and_go_keep_the_view_at_its_end() -> None:
    scale = TimeScale()
    scale.reset(1_000)
    right = scale.right
    scale.resize(1_003)
    assert scale.right == right + 3
    scale.resize(1_001)
    assert scale.right == right + 1
    scale.pan(-500)
    right = scale.right
    scale.resize(1_010)
    assert scale.right == right


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_narrow_chart_between_two_round_times_names_some(most: int) -> None:
    """The next coarser step may have no border in view: the axis is never empty."""
    begin = 1_764_478_200 + 300  # 10:25 IST of a day
    for count in (9, 20, 35, 90):
        times = np.arange(begin, begin + count * 300, 300, dtype=np.int64)
        found = time_ticks(times, 0, count, most, True)
        assert 1 <= len(found) <= most, (count, found)


def test_prices_have_half_of_a_low_chart_at_least() -> None:
    panes = [Pane(number, PriceScale()) for number in (PRICES, VOLUME, 1, 2)]
    for height in (40, 90, 170, 400):
        share_out(panes, 300, height)
        heights = [pane.rect.height() for pane in panes]
        assert sum(heights) == height and heights[0] >= height / 2 - 2
        assert min(heights) >= min(LEAST, height / 6) - 1


@pytest.mark.parametrize(("height", "told"), [(120, "30 50 70"), (30, "30 70"), (14, "70")])
def test_levels_of_a_low_pane_do_not_cover_one_another(height: int, told: str) -> None:
    pane = Pane(1, PriceScale())
    pane.rect = QRectF(0, 0, 100, height)
    pane.scale.range = (25.0, 75.0)
    labels = value_labels(pane, 2, (30.0, 50.0, 70.0))
    assert " ".join(label.text.removesuffix(".00") for label in labels) == told
