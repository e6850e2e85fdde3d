"""A transform that grows leaves what a whole one leaves, and rows that are final stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.transforms.machine import Running
from openalgo_desktop.core.charting.transforms.registry import SPECS, TransformSpec
from openalgo_desktop.core.charting.transforms.rows import TransformedBars
from tests.costs import times_dearer

NAMES = [spec.kind for spec in SPECS]


def random_bars(seed: int, count: int) -> Columns:
    random = np.random.default_rng(seed)
    closed = 500 + random.normal(0, 3, count).cumsum()
    opened = closed + random.normal(0, 2, count)
    high = np.maximum(opened, closed) + random.exponential(1, count)
    low = np.minimum(opened, closed) - random.exponential(1, count)
    volume, oi = random.integers(0, 90, count), random.integers(0, 900, count)
    units = volume.astype(np.float64), oi.astype(np.float64)
    return Columns(60 * np.arange(count), opened, high, low, closed, *units)


def same(one: TransformedBars, two: TransformedBars) -> None:
    for name, left, right in zip(one._fields, one, two, strict=True):
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-9, err_msg=name)


def whole(spec: TransformSpec, bars: Columns, size: float) -> Running:
    run = spec.run({}, size)
    run.load(bars)
    return run


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), start=st.integers(0, 60), count=st.integers(1, 30))
def test_bars_one_by_one_leave_what_all_at_once_leaves(
    spec: TransformSpec, seed: int, start: int, count: int
) -> None:
    bars = random_bars(seed, start + count)
    size = spec.size({}, bars, 0.05)
    run = whole(spec, bars.cut(0, start), size)
    random = np.random.default_rng(seed)
    for last in range(start + 1, start + count + 1):
        part = bars.cut(0, last)
        forming = part._replace(close=part.close.copy(), high=part.high.copy(), low=part.low.copy())
        for step in range(int(random.integers(1, 4))):  # the bar as it was while it formed
            forming.close[-1] = part.open[-1] + random.normal(0, 20)
            forming.high[-1] = max(forming.close[-1], part.open[-1])
            forming.low[-1] = min(forming.close[-1], part.open[-1])
            (run.last if step else run.append)(forming)
        before = run.rows
        kept = [np.array(column[: run.fixed]) for column in before[:-1]]
        most = run.most_rows(part)
        run.last(part)
        assert run.rows.size - run.fixed <= most + 3  # what is said before it is made
        for column, old in zip(run.rows[:-1], kept, strict=True):
            np.testing.assert_array_equal(column[: len(old)], old)
        same(run.rows, whole(spec, part, size).rows)


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_rows_are_in_order_and_nothing_of_the_volume_is_lost(spec: TransformSpec) -> None:
    bars = random_bars(3, 3000)
    run = whole(spec, bars, spec.size({}, bars, 0.05))
    rows = run.rows
    assert rows.size > 20
    assert (np.diff(rows.time) >= 0).all() and (np.diff(rows.source) >= 0).all()
    assert (rows.time == bars.time[rows.source]).all()
    assert (rows.high >= np.maximum(rows.open, rows.close) - 1e-9).all()
    assert (rows.low <= np.minimum(rows.open, rows.close) + 1e-9).all()
    assert set(np.unique(rows.direction)) <= {-1, 1}
    assert 0.98 * bars.volume.sum() < rows.volume.sum() <= bars.volume.sum() + 1e-6


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_nothing_and_a_single_bar_are_no_error(spec: TransformSpec) -> None:
    run = spec.run({}, 1.0)
    run.load(random_bars(1, 0))
    assert run.rows.size == 0
    run.append(random_bars(1, 1))
    assert run.rows.size <= 20


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_a_tick_costs_the_same_at_any_length(spec: TransformSpec) -> None:
    few, many = random_bars(2, 300), random_bars(2, 6000)
    short, long = (whole(spec, bars, spec.size({}, bars, 0.05)) for bars in (few, many))

    def tick(run: Running, bars: Columns) -> None:
        for _ in range(10):
            run.last(bars)

    assert times_dearer(lambda: tick(long, many), lambda: tick(short, few)) < 4
