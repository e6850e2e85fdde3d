"""Volume profile and market profile against plain forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.analytics.indian.periods import Period
from openalgo_desktop.analytics.indian.tpo import Ranges, Tpo, TpoWish, single_prints, tpo_profile
from openalgo_desktop.analytics.indian.value_area import row_height, value_area
from openalgo_desktop.analytics.indian.volume_profile import (
    ProfileWish,
    SessionProfile,
    ViewProfile,
)
from openalgo_desktop.analytics.indian.volume_rows import VolumeRows, finer, spread
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.studies import Profile
from openalgo_desktop.core.clock import ist_date
from openalgo_desktop.core.errors import DataError
from tests.unit.analytics.indian.market import around, intraday


def test_the_value_area_grows_by_two_rows_on_the_fuller_side() -> None:
    # 100 in all. From 30: above 10 + 8, below 20 + 5: down to 55; then 18 of above: 73.
    area = value_area(np.array([7.0, 5, 20, 30, 10, 8, 12, 8]))
    assert area is not None and tuple(area) == (3, 1, 5)
    assert value_area(np.zeros(4)) is None
    one = value_area(np.array([0.0, 9.0]))
    assert one is not None and tuple(one) == (1, 1, 1)


def test_of_equal_rows_the_point_is_nearest_to_the_middle() -> None:
    area = value_area(np.array([5.0, 1, 1, 5, 1, 1, 1]))
    assert area is not None and area.point == 3


@pytest.mark.parametrize(
    ("size", "rows", "tick", "height"),
    [(10.0, 24, 0.05, 0.5), (1.0, 40, 0.05, 0.05), (200.0, 24, 0.05, 10.0), (0.0, 24, 0.05, 0.05)],
)
def test_rows_are_a_round_number_of_ticks(
    size: float, rows: int, tick: float, height: float
) -> None:
    assert row_height(size, rows, tick) == pytest.approx(height)


def test_a_bar_is_spread_evenly_over_its_range() -> None:
    low, high, size = np.array([100.25, 100.6]), np.array([101.75, 100.8]), np.array([300.0, 50.0])
    found = spread(low, high, size, 100.0, 0.5, 4)
    assert found.tolist() == pytest.approx([50, 100 + 50, 100, 50])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.0, 1.0]), st.integers(1, 120))
def test_volume_is_neither_lost_nor_made_and_one_by_one_is_all_at_once(
    seed: int, tick: float, count: int
) -> None:
    bars = intraday(seed, 2, 5).cut(0, count)
    whole, single = VolumeRows(tick), VolumeRows(tick)
    whole.add(bars)
    for place in range(count):
        single.add(bars.cut(place, place + 1))
    assert whole.sizes.sum() == pytest.approx(bars.volume.sum())
    assert (whole.base, whole.height) == (single.base, single.height)
    np.testing.assert_allclose(whole.sizes, single.sizes, rtol=1e-6, atol=1e-3)
    up = bars.volume[bars.close >= bars.open].sum()
    assert whole.sizes[0].sum() == pytest.approx(up)


def test_a_range_too_wide_for_its_rows_makes_them_coarser() -> None:
    one = intraday().cut(0, 1)
    rows = VolumeRows(0.05)
    rows.add(one)
    far = one._replace(low=one.low * 0.5, high=one.high * 1.5)
    rows.add(far)
    assert rows.sizes.shape[1] <= 1026
    assert rows.height / 0.05 == 2 ** round(np.log2(rows.height / 0.05)) > 1
    assert rows.sizes.sum() == pytest.approx(2 * one.volume[0])


def of_view(bars: Columns, first: int, last: int, rows: int = 24) -> Profile | None:
    """The profile of a chart that shows these bars."""
    where = around()
    study = ViewProfile(ProfileWish(rows, 0.7, 1), where)
    study.load(bars)
    where.in_view.first, where.in_view.last = first, last
    return next(iter(study.profiles), None)


def test_the_profile_of_what_is_in_view_follows_it_and_its_forming_bar() -> None:
    bars = intraday(23, 2)
    where = around()
    study = ViewProfile(ProfileWish(24, 0.7, 1), where)
    study.load(bars.cut(0, 50))
    where.in_view.first, where.in_view.last = 10, 60
    before = sum(study.profiles[0].parts).sum()
    assert before == pytest.approx(bars.volume[10:50].sum())
    more = bars.cut(0, 50)._replace(volume=bars.volume[:50] + np.arange(50) // 49 * 7.0)
    study.last(more)
    assert sum(study.profiles[0].parts).sum() == pytest.approx(before + 7.0)
    study.append(bars.cut(0, 51))
    assert sum(study.profiles[0].parts).sum() == pytest.approx(bars.volume[10:51].sum())
    where.in_view.last = 20
    shown = study.profiles[0]
    assert (shown.first, shown.last, shown.share) == (10, 20, 0.25)
    study.append(bars.cut(0, 52))
    assert study.profiles[0] is shown  # nothing of it changed
    assert not study.values


def test_the_profile_of_a_range_is_the_plain_sum() -> None:
    bars = intraday(21, 3)
    profile = of_view(bars, 20, 90, rows=12)
    assert profile is not None and (profile.first, profile.last) == (20, 90)
    total = sum(profile.parts)
    edges = np.append(profile.prices, profile.prices[-1] + profile.height)
    plain = np.zeros(len(total))
    for n in range(20, 91):
        width = bars.high[n] - bars.low[n]
        for row in range(len(plain)):
            if width > 0:
                part = min(bars.high[n], edges[row + 1]) - max(bars.low[n], edges[row])
                plain[row] += bars.volume[n] * max(part, 0) / width
            elif edges[row] - 1e-9 <= bars.low[n] < edges[row + 1] - 1e-9:
                plain[row] += bars.volume[n]
    np.testing.assert_allclose(total, plain, rtol=1e-9, atol=1e-6)
    assert profile.point == pytest.approx(edges[np.argmax(plain)] + profile.height / 2)
    inside = (edges[:-1] >= profile.value_low - 1e-9) & (edges[1:] <= profile.value_high + 1e-9)
    assert plain[inside].sum() >= 0.7 * plain.sum()
    assert of_view(bars._replace(volume=np.zeros(bars.size)), 0, 9) is None
    assert of_view(bars, 0, -1) is None  # nothing is in view yet


def test_a_session_has_the_lines_of_the_one_before_and_a_profile_of_its_own() -> None:
    bars = intraday(22, 4)
    study = SessionProfile(ProfileWish(20, 0.7, 2), Period.DAY, around())
    study.load(bars)
    days = [ist_date(int(time)) for time in bars.time]
    edges = [days.index(day) for day in dict.fromkeys(days)]
    third = of_view(bars, edges[2], edges[3] - 1, rows=20)
    assert third is not None
    got = [float(column[-1]) for column in study.values[:3]]
    assert got == pytest.approx([third.point, third.value_high, third.value_low])
    # The day that the bars may have begun in gives none.
    assert np.isnan(study.values[0][: edges[2]]).all()
    assert [(p.first, p.last) for p in study.profiles] == [
        (edges[2], edges[3] - 1),
        (edges[3], bars.size - 1),
    ]


def test_minutes_take_the_place_of_the_bars_that_they_fill() -> None:
    bars, minutes = intraday(5, 2, 15, 0.0), intraday(6, 2, 1, 0.0)
    parts = finer(bars, minutes.cut(20, 100), 900)
    assert [part.size for part in parts] == [2, 60, bars.size - 6]
    assert parts[1].time[0] == bars.time[2] and parts[2].time[0] == bars.time[6]
    assert finer(bars, None, 900) == (bars,)


def ranges(*pairs: tuple[float, float]) -> Ranges:
    found = Ranges()
    for number, (low, high) in enumerate(pairs):
        found.add(number, low, high)
    return found


WISH = TpoWish(30, 40, 1.0, 0.7, 5)


def test_letters_stand_in_the_rows_that_their_half_hours_touch() -> None:
    profile = tpo_profile(ranges((100, 102.5), (101, 104), (103.5, 103.9)), WISH, 0.05, 0, 9)
    assert profile is not None
    assert profile.prices.tolist() == [100, 101, 102, 103, 104]
    assert list(profile.texts) == ["A", "AB", "AB", "BC", "B"]
    # Of the three rows with two letters the middle one; the pairs above and below hold 3 each.
    assert profile.point == 102.5
    assert (profile.value_low, profile.value_high) == (100, 105)
    assert [sum(pair) for pair in zip(*profile.parts, strict=True)] == [1, 2, 2, 2, 1]


def test_single_prints_lie_between_fuller_rows() -> None:
    assert single_prints(np.array([1.0, 2, 1, 1, 3, 1])).tolist() == [
        *(False, False, True, True, False, False)
    ]
    assert not single_prints(np.array([1.0, 1])).any()


def test_the_initial_balance_is_the_first_hour_and_shown_after_it() -> None:
    bars = intraday(4, 3, 15, 0.0)
    study = Tpo(WISH, around("15m"))
    study.load(bars)
    high, low = study.values[3], study.values[4]
    day = bars.cut(0, 25)
    assert np.isnan(high[:4]).all()
    assert set(high[4:25]) == {day.high[:4].max()}
    assert set(low[4:25]) == {day.low[:4].min()}
    assert [(p.first, p.last) for p in study.profiles] == [(0, 24), (25, 49), (50, 74)]
    letters = "".join(sorted(set("".join(study.profiles[-1].texts))))
    assert letters == "ABCDEFGHIJKLM"  # 09:15 to 15:30 are twelve half hours and a half
    last = study.profiles[1]
    assert [float(column[-1]) for column in study.values[:3]] == [
        last.point, last.value_high, last.value_low
    ]  # fmt: skip


def test_bars_longer_than_a_letter_are_refused() -> None:
    with pytest.raises(DataError, match="bars of 1h are longer than a letter of 30 minutes"):
        Tpo(WISH, around("1h"))


def test_a_profile_needs_no_more_than_columns() -> None:
    empty = Columns(*(np.empty(0) for _ in range(7)))
    study = SessionProfile(ProfileWish(20, 0.7, 2), Period.DAY, around())
    study.load(empty)
    assert study.profiles == [] and study.values[0].size == 0
