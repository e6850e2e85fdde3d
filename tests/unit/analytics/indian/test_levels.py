"""Pivots, central pivot range and levels of earlier periods: worked numbers and a plain form."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from openalgo_desktop.analytics.indian.levels import LevelStudy, cpr, earlier, ranges
from openalgo_desktop.analytics.indian.periods import Period
from openalgo_desktop.analytics.indian.pivots import LEVELS, SCHOOLS
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.clock import ist_date
from openalgo_desktop.core.errors import DataError
from tests.unit.analytics.indian.market import CALENDAR, NSE, around, daily, intraday

#: A day that opened at 104, was between 100 and 120 and closed at 115, worked by hand.
DAY = tuple(np.array([value]) for value in (104.0, 120.0, 100.0, 115.0))
WORKED = {
    "classic": {"pivot": 111.66667, "r1": 123.33333, "s1": 103.33333, "r2": 131.66667,
                "s2": 91.66667, "r3": 143.33333, "s3": 83.33333, "r4": 155.0,
                "r5": 166.66667, "s4": 75.0},
    "fibonacci": {"r1": 119.30667, "r2": 124.02667, "r3": 131.66667, "s1": 104.02667,
                  "s3": 91.66667},
    "camarilla": {"r1": 116.83333, "r2": 118.66667, "r3": 120.5, "r4": 126.0, "r5": 138.0,
                  "s3": 109.5, "s4": 104.0, "s5": 92.0},
    "woodie": {"pivot": 112.5, "r1": 125.0, "r2": 132.5, "s1": 105.0, "s2": 92.5, "r4": 165.0},
    "demark": {"pivot": 113.75, "r1": 127.5, "s1": 107.5},
}  # fmt: skip


@pytest.mark.parametrize("school", SCHOOLS)
def test_pivots_as_worked_by_hand(school: str) -> None:
    found = dict(zip(LEVELS, (float(x[0]) for x in SCHOOLS[school](*DAY)), strict=True))
    assert {name: found[name] for name in WORKED[school]} == pytest.approx(WORKED[school])


def test_demark_counts_low_after_a_fall_and_close_on_an_even_day() -> None:
    opened, high, low, close = DAY
    fall = [float(x[0]) for x in SCHOOLS["demark"](close, high, low, opened)]
    even = [float(x[0]) for x in SCHOOLS["demark"](close, high, low, close)]
    assert fall[0] == (120 + 2 * 100 + 104) / 4
    assert even[0] == (120 + 100 + 2 * 115) / 4


def test_the_central_range_as_worked_by_hand_and_ordered_on_a_weak_close() -> None:
    opened, high, low, _ = DAY
    assert [float(x[0]) for x in cpr(*DAY)] == pytest.approx(
        [111.666667, 110.0, 113.333333, 2.985075]
    )
    weak = [float(x[0]) for x in cpr(opened, high, low, np.array([102.0]))]
    assert weak[:3] == pytest.approx([107.333333, 104.666667, 110.0])


@pytest.mark.parametrize("period", Period)
@pytest.mark.parametrize("bars", [intraday(3, 28, 30), daily(3)], ids=["30m", "D"])
def test_levels_are_those_of_the_period_before(period: Period, bars: Columns) -> None:
    span = "30m" if bars.time[1] - bars.time[0] < 86_400 else "D"
    study = LevelStudy(5, earlier, period, around(span))
    study.load(bars)

    def name(time: int) -> object:
        day = ist_date(time)
        month = (day.year, day.month)
        return {"day": day, "week": day.isocalendar()[:2], "month": month}[period]

    names = [name(int(time)) for time in bars.time]
    order = list(dict.fromkeys(names))
    for place in range(0, bars.size, 7):
        at = order.index(names[place])
        rows = [n for n, other in enumerate(names) if at and other == order[at - 1]]
        got = [float(column[place]) for column in study.values]
        # The first month began before the bars: it has no levels to give.
        if not rows or (at == 1 and period is Period.MONTH):
            assert np.isnan(got).all()
            continue
        high, low = max(bars.high[rows]), min(bars.low[rows])
        assert got == [high, low, bars.close[rows[-1]], (high + low) / 2, bars.open[rows[0]]]


def test_days_that_are_given_count_in_place_of_the_bars() -> None:
    """The exchange's close is not the last minute's; and bars that begin in a day do no harm."""
    bars = intraday(3, 4).cut(30)
    dates = list(dict.fromkeys(ist_date(int(time)) for time in bars.time))
    midnight = [int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp()) for d in dates]
    ones = np.ones(4)
    days = Columns(np.array(midnight), 10 * ones, 30 * ones, 20 * ones, 25 * ones, ones, ones)
    given = Surroundings(("NSE", "SBIN"), around().span, 0.05, NSE, days=days.cut(0, 2))
    study = LevelStudy(5, earlier, Period.DAY, given)
    study.load(bars)
    of_day = [int(np.argmax([ist_date(int(t)) == d for t in bars.time])) for d in dates]
    assert np.isnan(study.values[0][0])
    for place in (of_day[1], of_day[2], of_day[3] - 1):
        assert [float(x[place]) for x in study.values] == [30, 20, 25, 25, 10]
    third = bars.cut(of_day[2], of_day[3])  # nobody gave that day: the bars tell it
    assert [float(x[-1]) for x in study.values[:2]] == [third.high.max(), third.low.min()]


def test_mean_ranges() -> None:
    bars = daily(5, 12)
    plain, true = (
        LevelStudy(1, ranges(3, kind), Period.DAY, around("D")) for kind in (False, True)
    )
    plain.load(bars)
    true.load(bars)
    size = bars.high - bars.low
    assert plain.values[0][8] == pytest.approx(size[5:8].mean())
    gaps = [
        max(bars.high[n], bars.close[n - 1]) - min(bars.low[n], bars.close[n - 1])
        for n in (5, 6, 7)
    ]
    assert true.values[0][8] == pytest.approx(sum(gaps) / 3)


def test_bars_longer_than_the_period_are_refused_with_the_fix() -> None:
    with pytest.raises(DataError, match="bars of W are longer than a day"):
        LevelStudy(4, cpr, Period.DAY, around("W"))
    with pytest.raises(DataError, match="bars of M are longer than a week"):
        LevelStudy(4, cpr, Period.WEEK, around("M"))


def test_a_day_that_the_bars_begin_in_gives_no_levels() -> None:
    assert CALENDAR.session("NSE", ist_date(int(intraday().time[0]))) is not None
    late = LevelStudy(4, cpr, Period.DAY, around())
    late.load(intraday().cut(1))
    second = next(
        n
        for n, time in enumerate(intraday().cut(1).time)
        if ist_date(int(time)) != ist_date(int(intraday().time[0]))
    )
    assert np.isnan(late.values[0][: second + 60]).all()
    assert np.isfinite(late.values[0][-1])
