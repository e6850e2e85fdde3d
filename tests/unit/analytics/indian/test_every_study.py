"""What holds for every study: bar by bar it is what all bars at once give, closed bars stay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from openalgo_desktop.analytics.indian.interest import BuildUp, OpenInterest
from openalgo_desktop.analytics.indian.levels import LevelStudy, cpr, earlier, ranges
from openalgo_desktop.analytics.indian.periods import Period
from openalgo_desktop.analytics.indian.pivots import SCHOOLS
from openalgo_desktop.analytics.indian.same_time import SameTime
from openalgo_desktop.analytics.indian.so_far import SoFarStudy, extremes, gap, opening_range
from openalgo_desktop.analytics.indian.supertrend import Supertrend
from openalgo_desktop.analytics.indian.tpo import Tpo, TpoWish
from openalgo_desktop.analytics.indian.volume_profile import (
    FixedProfile,
    ProfileWish,
    SessionProfile,
)
from openalgo_desktop.analytics.indian.vwap import Price, Vwap, of_period, since
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.studies import Profile, Study
from tests.unit.analytics.indian.market import around, daily, intraday, with_last

BARS = intraday()
HLC3 = Price.of(lambda bars: (bars.high + bars.low + bars.close) / 3)
PROFILE = ProfileWish(24, 0.7, 3)
STUDIES: dict[str, Callable[[], Study]] = {
    "vwap": lambda: Vwap(HLC3, of_period(Period.DAY)),
    "weekly vwap": lambda: Vwap(HLC3, of_period(Period.WEEK)),
    "anchored vwap": lambda: Vwap(HLC3, since(int(BARS.time[100]))),
    "cpr": lambda: LevelStudy(4, cpr, Period.DAY, around()),
    "weekly levels": lambda: LevelStudy(5, earlier, Period.WEEK, around()),
    "monthly pivots": lambda: LevelStudy(11, SCHOOLS["classic"], Period.MONTH, around()),
    "range": lambda: LevelStudy(1, ranges(3, True), Period.DAY, around()),
    "session": lambda: SoFarStudy(4, extremes, around()),
    "opening range": lambda: SoFarStudy(5, opening_range((1.0,)), around(), minutes=15),
    "gap": lambda: SoFarStudy(3, gap, around()),
    "supertrend": lambda: Supertrend((10, 3.0)),
    "double supertrend": lambda: Supertrend((10, 1.0), (21, 2.0)),
    "session profile": lambda: SessionProfile(PROFILE, Period.DAY, around()),
    "developing": lambda: SessionProfile(ProfileWish(24, 0.7, 2, True), Period.DAY, around()),
    "fixed profile": lambda: FixedProfile(PROFILE, int(BARS.time[90]), None, around()),
    "fixed profile with an end": lambda: FixedProfile(
        PROFILE, int(BARS.time[90]), int(BARS.time[300]), around()
    ),
    "tpo": lambda: Tpo(TpoWish(30, 40, 0.0, 0.7, 2), around()),
    "rvol": lambda: SameTime(2, False, around()),
    "volume so far": lambda: SameTime(2, True, around()),
    "oi": OpenInterest,
    "build-up": BuildUp,
}


def same_profiles(found: list[Profile], wanted: list[Profile]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert (one.first, one.last, one.texts) == (other.first, other.last, other.texts)
        assert one.height == pytest.approx(other.height)
        np.testing.assert_allclose(one.prices, other.prices)
        for part, wish in zip(one.parts, other.parts, strict=True):
            np.testing.assert_allclose(part, wish, rtol=1e-6, atol=1e-4)
        points = [(p.point, p.value_low, p.value_high) for p in (one, other)]
        assert points[0] == pytest.approx(points[1])


@pytest.mark.parametrize("name", STUDIES)
def test_bar_by_bar_is_all_at_once(name: str) -> None:
    study, start = STUDIES[name](), 140
    study.load(BARS.cut(0, start))
    kept: list[np.ndarray] = []
    for end in range(start + 1, BARS.size + 1):
        bars = BARS.cut(0, end)
        study.append(with_last(bars, bars.open[-1] + 2.0, bars.open[-1] - 0.5, bars.open[-1]))
        if end % 7:  # else the end of the bar is told by the next one only
            study.last(bars)
            study.last(bars)
        if end in (200, 330):
            kept = [column[: end - 1].copy() for column in study.values]
        if end == 330:
            same_profiles(list(study.profiles), list(_loaded(name, bars).profiles))
    study.last(BARS)
    whole = _loaded(name, BARS)
    for column, wanted, before in zip(study.values, whole.values, kept, strict=True):
        assert len(column) == BARS.size
        np.testing.assert_allclose(column, wanted, rtol=1e-9, atol=1e-7)
        np.testing.assert_array_equal(column[: len(before)], before)
    same_profiles(list(study.profiles), list(whole.profiles))


def _loaded(name: str, bars: Columns) -> Study:
    study = STUDIES[name]()
    study.load(bars)
    return study


@pytest.mark.parametrize("name", STUDIES)
def test_no_bar_knows_of_later_ones(name: str) -> None:
    if name.startswith("fixed"):
        return  # it has no values
    whole = _loaded(name, BARS)
    for end in (50, 76, 211):
        part = _loaded(name, BARS.cut(0, end))
        for column, wanted in zip(part.values, whole.values, strict=True):
            np.testing.assert_allclose(column, wanted[:end], rtol=1e-9, atol=1e-7)


def test_days_as_bars_have_levels_too() -> None:
    bars = daily()
    for period in Period:
        study = LevelStudy(4, cpr, period, around("D"))
        study.load(bars)
        assert np.isfinite(study.values[0]).sum() > 20
