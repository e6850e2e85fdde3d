"""VWAP, ranges of a session, volume at a time, Supertrend, open interest: against plain forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from openalgo_desktop.analytics.indian.interest import BuildUp, ChainFigures, OpenInterest
from openalgo_desktop.analytics.indian.periods import Period
from openalgo_desktop.analytics.indian.same_time import SameTime
from openalgo_desktop.analytics.indian.so_far import SoFarStudy, extremes, gap, opening_range
from openalgo_desktop.analytics.indian.supertrend import Supertrend
from openalgo_desktop.analytics.indian.vwap import Price, Vwap, of_period, since
from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.clock import IST, ist_date
from tests.unit.analytics.indian.market import NSE, around, daily, intraday

BARS = intraday(11, 6)
DAYS = [ist_date(int(time)) for time in BARS.time]
HLC3 = Price.of(lambda bars: (bars.high + bars.low + bars.close) / 3)


def clock(place: int) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(int(BARS.time[place]), IST).strftime("%H:%M")


def test_vwap_and_its_bands_are_the_weighted_mean_and_deviation_of_the_day() -> None:
    study = Vwap(HLC3, of_period(Period.DAY))
    study.load(BARS)
    typical = (BARS.high + BARS.low + BARS.close) / 3
    for place in range(3, BARS.size, 11):
        rows = [n for n in range(place + 1) if DAYS[n] == DAYS[place]]
        weight = BARS.volume[rows]
        mean = math.fsum(typical[rows] * weight) / math.fsum(weight)
        deviation = math.sqrt(math.fsum(weight * (typical[rows] - mean) ** 2) / math.fsum(weight))
        got = [float(column[place]) for column in study.values]
        bands = [mean + sign * n * deviation for n in (1, 2, 3) for sign in (1, -1)]
        assert got[:7] == pytest.approx([mean, *bands])
        assert got[7] == pytest.approx(100 * (BARS.close[place] - mean) / mean)


def test_an_anchor_counts_from_its_bar_and_knows_nothing_before() -> None:
    study = Vwap(HLC3, since(int(BARS.time[40]) - 10))
    study.load(BARS)
    assert np.isnan(study.values[0][:40]).all()
    typical = (BARS.high + BARS.low + BARS.close) / 3
    assert study.values[0][-1] == pytest.approx(np.average(typical[40:], weights=BARS.volume[40:]))


def test_vwap_without_volume_is_not_known() -> None:
    study = Vwap(HLC3, of_period(Period.DAY))
    study.load(BARS._replace(volume=np.zeros(BARS.size)))
    assert np.isnan(study.values[0]).all()
    study.load(BARS._replace(volume=np.full(BARS.size, np.nan)))
    assert np.isnan(study.values[0]).all()


def test_the_session_so_far_and_its_opening_range() -> None:
    so_far = SoFarStudy(4, extremes, around())
    opening = SoFarStudy(7, opening_range((1.0, 2.0)), around(), minutes=15)
    so_far.load(BARS)
    opening.load(BARS)
    for place in range(BARS.size):
        rows = [n for n in range(place + 1) if DAYS[n] == DAYS[place]]
        high, low = max(BARS.high[rows]), min(BARS.low[rows])
        want = [high, low, (high + low) / 2, BARS.open[rows[0]]]
        assert [float(x[place]) for x in so_far.values] == want
        first = [n for n in rows if clock(n) < "09:30"]
        got = [float(x[place]) for x in opening.values]
        if clock(place) < "09:30" or not first:
            assert np.isnan(got).all()
            continue
        top, foot = max(BARS.high[first]), min(BARS.low[first])
        size = top - foot
        around_it = [top + size, foot - size, top + 2 * size, foot - 2 * size]
        assert got == pytest.approx([top, foot, (top + foot) / 2, *around_it])


def test_a_gap_is_drawn_until_it_is_filled() -> None:
    time = NSE.window(int(BARS.time[0]) // 86_400)
    assert time is not None
    start = time[0]
    times = np.array(
        [start, start + 300, start + 86_400, *(start + 86_700 + 300 * n for n in (0, 1))]
    )
    close = np.array([100.0, 100.0, 106.0, 103.0, 108.0])
    low = np.array([99.0, 99.0, 104.0, 99.5, 105.0])
    bars = Columns(times, np.array([99.5, 100, 105, 106, 103]), close + 1, low, close, close, close)
    study = SoFarStudy(3, gap, around())
    study.load(bars)
    before, opened, size = study.values
    assert np.isnan(before[:2]).all()
    assert (before[2], opened[2]) == (100.0, 105.0)
    assert np.isnan(before[3:]).all() and np.isnan(opened[3:]).all()
    assert size[2:] == pytest.approx([5.0] * 3)


def test_supertrend_is_the_plain_rule() -> None:
    bars = daily(9, 260)
    length, factor = 10, 3.0
    high, low, close = (column.tolist() for column in (bars.high, bars.low, bars.close))
    size = [high[0] - low[0]]
    for n in range(1, bars.size):
        last = close[n - 1]
        size.append(max(high[n] - low[n], abs(high[n] - last), abs(low[n] - last)))
    atr = [math.nan] * (length - 1) + [sum(size[:length]) / length]
    for n in range(length, bars.size):
        atr.append((atr[-1] * (length - 1) + size[n]) / length)
    upper, lower, rising = [math.nan] * bars.size, [math.nan] * bars.size, [False] * bars.size
    for n in range(length - 1, bars.size):
        upper[n], lower[n] = (
            (high[n] + low[n]) / 2 + sign * factor * atr[n] for sign in (1.0, -1.0)
        )
        if n == length - 1:
            rising[n] = close[n] >= (high[n] + low[n]) / 2
            continue
        if not (upper[n] < upper[n - 1] or close[n - 1] > upper[n - 1]):
            upper[n] = upper[n - 1]
        if not (lower[n] > lower[n - 1] or close[n - 1] < lower[n - 1]):
            lower[n] = lower[n - 1]
        rising[n] = close[n] >= lower[n] if rising[n - 1] else close[n] > upper[n]
    study = Supertrend((length, factor))
    study.load(bars)
    up, down, trend, turns = study.values
    want_up = [lower[n] if rising[n] else math.nan for n in range(bars.size)]
    np.testing.assert_allclose(up, want_up, rtol=1e-12)
    seen = trend[length - 1 :]
    assert [bool(x > 0) for x in seen] == rising[length - 1 :]
    assert set(np.flatnonzero(np.isfinite(turns))) == {
        n for n in range(length, bars.size) if rising[n] != rising[n - 1]
    }
    assert len(set(rising[length:])) == 2 and np.isfinite(down).any()


def test_two_supertrends_say_where_they_agree() -> None:
    study = Supertrend((10, 1.0), (20, 2.0))
    study.load(daily(9, 200))
    fast, slow, agreed = study.values[2], study.values[6], study.values[8]
    assert np.isnan(agreed[:19]).all()
    both = np.where(fast[19:] == slow[19:], fast[19:], 0.0)
    np.testing.assert_array_equal(agreed[19:], both)
    assert set(both) == {-1.0, 0.0, 1.0}


@pytest.mark.parametrize("total", [False, True])
def test_volume_against_the_same_time_of_the_days_before(total: bool) -> None:
    study = SameTime(3, total, around())
    study.load(BARS)
    order = list(dict.fromkeys(DAYS))
    sizes = {}
    for n in range(BARS.size):
        rows = [k for k in range(n + 1) if DAYS[k] == DAYS[n]] if total else [n]
        sizes[DAYS[n], clock(n)] = float(BARS.volume[rows].sum())
    for place in range(0, BARS.size, 5):
        earlier = [sizes[day, clock(place)] for day in order if day < DAYS[place]
                   and (day, clock(place)) in sizes][-3:]  # fmt: skip
        own, mean, ratio = (float(x[place]) for x in study.values)
        assert own == sizes[DAYS[place], clock(place)]
        if len(earlier) < 3:
            assert math.isnan(mean) and math.isnan(ratio)
        else:
            assert mean == pytest.approx(sum(earlier) / 3)
            assert ratio == pytest.approx(own / mean)


def test_open_interest_and_its_changes() -> None:
    study = OpenInterest()
    study.load(BARS)
    for place in range(BARS.size):
        oi = BARS.oi[place]
        day = DAYS.index(DAYS[place])
        want = [oi, oi - BARS.oi[place - 1], oi - BARS.oi[day], oi - BARS.oi[day - 1]]
        want = [x if place and (day or n < 3) else math.nan if n else x for n, x in enumerate(want)]
        if not place:
            want[2] = 0.0
        np.testing.assert_allclose([x[place] for x in study.values], want)


def test_build_up_by_the_four_cases() -> None:
    close = np.array([100.0, 101, 102, 101, 100, 100])
    oi = np.array([50.0, 60, 55, 70, 65, 80])
    bars = Columns(np.arange(6), close, close, close, close, close, oi)
    study = BuildUp()
    study.load(bars)
    long, covering, short, unwinding, which, total = study.values
    assert which[1:].tolist() == [1, 2, 3, 4, 0]
    assert [long[1], covering[2], short[3], unwinding[4]] == [10, -5, 15, -5]
    assert np.isnan(long[2:]).all()
    assert total.tolist() == [0, 10, 5, -10, -5, -5]


class Recorded:
    time: Ints = np.array([100, 150, 170, 260], dtype=np.int64)

    def figure(self, name: str) -> Floats:
        return np.array([1.0, 1.1, 1.2, 1.3]) * (2.0 if name == "pcr_volume" else 1.0)


def test_figures_of_the_chain_are_the_last_ones_of_each_bar() -> None:
    times = np.array([40, 100, 160, 220, 280])
    bars = Columns(times, *(np.ones(5) for _ in range(6)))
    study = ChainFigures(("pcr", "pcr_volume"), Surroundings(chain=Recorded()), 60)
    study.load(bars.cut(0, 3))
    study.append(bars.cut(0, 4))
    study.append(bars)
    np.testing.assert_array_equal(study.values[0], [np.nan, 1.1, 1.2, 1.3, np.nan])
    np.testing.assert_array_equal(study.values[1], [np.nan, 2.2, 2.4, 2.6, np.nan])
