"""Longer bars of shorter ones: one rhythm for history and live, anchored at the opening."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.calendar import Holiday, MarketCalendar, Opening
from openalgo_desktop.core.charting.resample import from_ticks, makes, resample, source_of
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.ticks import Bars
from tests.costs import calls

MINUTE, DAY = Span.parse("1m"), Span.parse("D")
#: A regular Monday, Muhurat trading on the Tuesday, a holiday on the Wednesday with MCX in the
#: evening, a night session on the Thursday that goes on past midnight.
CALENDAR = MarketCalendar(
    [
        Holiday(
            date(2025, 10, 21),
            "Muhurat",
            "SPECIAL_SESSION",
            open=(Opening("NSE", "13:45", "14:45"),),
        ),
        Holiday(
            date(2025, 10, 22),
            "Balipratipada",
            "TRADING_HOLIDAY",
            closed=("NSE",),
            open=(Opening("MCX", "17:00", "23:55"),),
        ),
        Holiday(
            date(2025, 10, 23),
            "Night",
            "SPECIAL_SESSION",
            open=(Opening("NSE", "22:00", "01:00"),),
            others_regular=True,
        ),
    ]
)


def at(day: int, text: str, month: int = 10) -> int:
    hour, minute, *second = (int(part) for part in text.split(":"))
    return int(datetime(2025, month, day, hour, minute, *second, tzinfo=IST).timestamp())


def label(day: int, month: int = 10, year: int = 2025) -> int:
    """Midnight UTC of a date."""
    return (date(year, month, day) - date(1970, 1, 1)).days * 86_400


def bars_at(times: list[int] | np.ndarray, seed: int = 1) -> Bars:
    random = np.random.default_rng(seed)
    count = len(times)
    opened = 100 + random.normal(0, 1, count).cumsum()
    closed = opened + random.normal(0, 1, count)
    return Bars(
        np.asarray(times, np.int64),
        opened,
        np.maximum(opened, closed) + 1,
        np.minimum(opened, closed) - 1,
        closed,
        random.integers(1, 50, count),
        random.integers(0, 3, count) * 25,
    )


def minutes(day: int, start: str, count: int) -> list[int]:
    return [at(day, start) + 60 * number for number in range(count)]


def rhythm(text: str, exchange: str = "NSE") -> Rhythm:
    return Rhythm(Span.parse(text), exchange, CALENDAR)


def test_seven_minutes_begin_at_the_opening_and_end_with_the_session() -> None:
    made = resample(bars_at(minutes(20, "09:15", 375)), MINUTE, rhythm("7m"))
    assert len(made) == 54  # 375 = 53 * 7 + 4
    assert made.time[0] == at(20, "09:15") and made.time[1] == at(20, "09:22")
    assert made.time[-1] == at(20, "15:26")
    assert rhythm("7m").end(at(20, "15:26")) == at(20, "15:30")
    assert rhythm("7m").end(at(20, "09:22")) == at(20, "09:29")


def test_a_bar_has_first_open_extremes_last_close_sum_and_last_known_oi() -> None:
    bars = bars_at(minutes(20, "09:15", 7))
    bars.oi[:] = [0, 50, 75, 0, 0, 0, 0]
    made = resample(bars, MINUTE, rhythm("5m"))
    assert made.open.tolist() == [bars.open[0], bars.open[5]]
    assert made.high.tolist() == [bars.high[:5].max(), bars.high[5:].max()]
    assert made.low.tolist() == [bars.low[:5].min(), bars.low[5:].min()]
    assert made.close.tolist() == [bars.close[4], bars.close[6]]
    assert made.volume.tolist() == [bars.volume[:5].sum(), bars.volume[5:].sum()]
    assert made.oi.tolist() == [75, 0]  # not known in the second: not that of the first


def test_special_sessions_count_from_their_own_opening() -> None:
    hour = rhythm("1h")
    assert hour.start(at(20, "11:00")) == at(20, "10:15")
    assert hour.start(at(21, "14:00")) == at(21, "13:45")
    assert rhythm("4h", "MCX").start(at(22, "22:00")) == at(22, "21:00")
    assert rhythm("4h", "MCX").start(at(20, "22:00")) == at(20, "21:00")  # 09:00 + 3 * 4 h
    assert rhythm("2h", "MCX").start(at(22, "18:00")) == at(22, "17:00")
    assert hour.end(at(21, "13:45")) == at(21, "14:45")


def test_a_night_session_is_one_day_and_never_cut_at_midnight() -> None:
    night = minutes(23, "22:00", 180)
    morning = minutes(24, "09:15", 30)
    bars = bars_at(night + morning)
    made = resample(bars, MINUTE, rhythm("90m"))
    assert made.time.tolist() == [at(23, "22:00"), at(23, "23:30"), at(24, "09:15")]
    assert rhythm("90m").start(at(24, "00:40")) == at(23, "23:30")
    daily = resample(bars, MINUTE, rhythm("D"))
    assert daily.time.tolist() == [label(23), label(24)]
    assert daily.close[0] == bars.close[179]
    assert rhythm("D").end(label(23)) == at(24, "01:00")


def test_before_the_opening_the_count_goes_backwards() -> None:
    assert rhythm("15m").start(at(20, "09:07")) == at(20, "09:00")
    assert rhythm("7m").start(at(20, "09:14:59")) == at(20, "09:08")
    assert rhythm("7m").start(at(20, "09:15")) == at(20, "09:15")


def test_weeks_months_quarters_and_years_of_days() -> None:
    days = [label(1, 9) + 86_400 * number for number in range(120)]
    trading = [day for day in days if (day // 86_400 - 4) % 7 < 5]
    bars = bars_at(trading)
    assert resample(bars, DAY, rhythm("W")).time[:2].tolist() == [label(1, 9), label(8, 9)]
    assert resample(bars, DAY, rhythm("M")).time[:3].tolist() == [
        label(1, 9),
        label(1, 10),
        label(1, 11),
    ]
    assert resample(bars, DAY, rhythm("Q")).time.tolist() == [label(1, 7), label(1, 10)]
    assert resample(bars, DAY, rhythm("Y")).time.tolist() == [label(1, 1)]
    week = resample(bars, DAY, rhythm("W"))
    assert week.volume[0] == bars.volume[:5].sum() and week.close[0] == bars.close[4]
    # a period is over with its last session: Friday of this week, the last one of the year
    assert rhythm("W").end(label(20)) == at(24, "15:30")
    assert rhythm("M").end(label(1, 11)) == at(28, "15:30", 11)
    assert rhythm("Y").end(label(1, 1)) == at(31, "15:30", 12)


def test_several_days_are_the_same_whatever_was_loaded() -> None:
    days = [label(1, 9) + 86_400 * number for number in range(60)]
    three = rhythm("3D")
    whole = resample(bars_at(days), DAY, three).time
    for cut in range(1, 5):
        assert set(resample(bars_at(days[cut:]), DAY, three).time[1:]) <= set(whole)
    friday, saturday = label(24), label(25)
    assert three.start(at(24, "10:00")) == three.start(at(25, "10:00"))
    assert set(resample(bars_at([friday, saturday]), DAY, three).time) == {
        three.start(at(24, "10:00"))
    }
    # five weekdays from a Monday are a week
    assert (
        resample(bars_at(days), DAY, rhythm("5D")).time
        == np.unique(resample(bars_at(days), DAY, rhythm("W")).time)
    ).all()


@settings(max_examples=40, deadline=None)
@given(
    text=st.sampled_from(["1m", "7m", "45m", "2h", "D", "3D", "W", "2W", "M", "Q", "Y"]),
    exchange=st.sampled_from(["NSE", "MCX", "NFO", "CRYPTO", "NONE"]),
    gaps=st.lists(st.integers(1, 9000), min_size=1, max_size=60),
)
def test_many_at_once_are_as_one_by_one(text: str, exchange: str, gaps: list[int]) -> None:
    times = at(20, "08:00") + 60 * np.cumsum(np.array(gaps, np.int64))
    beat = rhythm(text, exchange)
    starts = beat.starts(times, MINUTE)
    assert starts.tolist() == [beat.start(moment) for moment in times.tolist()]
    assert (np.diff(starts) >= 0).all()
    for start, moment in zip(starts.tolist(), times.tolist(), strict=True):
        if beat.span.is_intraday:
            assert start <= moment and moment - start < beat.span.seconds
    made = resample(bars_at(times), MINUTE, beat)
    assert made.volume.sum() == bars_at(times).volume.sum()
    assert made.high.max() == bars_at(times).high.max()


def test_seconds_are_made_of_ticks_and_a_late_one_counts_where_it_was_heard() -> None:
    base = at(20, "09:15")
    time = np.array([0.2, 3.0, 44.9, 45.0, 44.0, 91.0]) + base
    price = np.array([10.0, 12, 9, 11, 8, 10])
    traded = np.array([1, 2, 3, 4, 5, 6])
    made = from_ticks(time, price, traded, np.array([0, 0, 30, 0, 0, 0]), rhythm("45s"))
    assert made.time.tolist() == [base, base + 45, base + 90]
    assert made.high.tolist() == [12, 11, 10] and made.low.tolist() == [9, 8, 10]
    assert made.close.tolist() == [9, 8, 10] and made.volume.tolist() == [6, 9, 6]
    assert made.oi.tolist() == [30, 0, 0]
    nothing = np.empty(0)
    assert not len(from_ticks(nothing, nothing, nothing, nothing, rhythm("45s")))


def test_of_which_bars_a_span_is_made() -> None:
    offered = [Interval(text) for text in ("1m", "3m", "5m", "15m", "30m", "1h", "D")]
    found = {
        text: source.text if (source := source_of(Span.parse(text), offered)) else None
        for text in ("5m", "7m", "45m", "2h", "10m", "45s", "3D", "W", "M")
    }
    assert found == {
        "5m": "5m",
        "7m": "1m",
        "45m": "15m",
        "2h": "15m",  # not 1h: brokers begin it differently
        "10m": "5m",
        "45s": None,
        "3D": "D",
        "W": "D",
        "M": "D",
    }
    assert source_of(Span.parse("D"), [Interval.M1]) == MINUTE
    assert makes(DAY, Span.parse("W")) and not makes(Span.parse("W"), Span.parse("M"))
    with pytest.raises(DataError, match="7m cannot be made of bars of 2m"):
        resample(bars_at([at(20, "09:15")]), Span.parse("2m"), rhythm("7m"))


def test_a_hundred_thousand_bars_are_one_pass_of_arrays() -> None:
    days = np.arange(270) * 86_400 + at(1, "09:15", 1)
    times = (days[:, None] + 60 * np.arange(375)).ravel()[:100_000]
    beat, few, many = rhythm("7m"), bars_at(times[:1_000]), bars_at(times)
    resample(few, MINUTE, beat)  # what is made once
    assert calls(lambda: resample(many, MINUTE, beat)) < 1.5 * calls(
        lambda: resample(few, MINUTE, beat)
    )
