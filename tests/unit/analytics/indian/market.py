"""Bars for the studies of this folder: days of trading with gaps, quiet minutes and one holiday."""

from __future__ import annotations

from datetime import date

import numpy as np

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.sessions import Sessions, number_of
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.surroundings import Surroundings

CALENDAR = MarketCalendar.from_json(resource_text("calendar/holidays.json"))
NSE = Sessions.of(CALENDAR, "NSE")
#: A Monday; the bars go over the end of a month.
START = date(2026, 2, 23)


def around(span: str = "5m", tick: float = 0.05) -> Surroundings:
    return Surroundings(("NSE", "SBIN"), Span.parse(span), tick, NSE)


def intraday(seed: int = 1, days: int = 8, minutes: int = 5, lost: float = 0.05) -> Columns:
    """Bars of a share on NSE; ``lost`` is the part of them in which nobody traded."""
    random = np.random.default_rng(seed)
    times: list[int] = []
    number = number_of(START)
    while days:
        window = NSE.window(number)
        number += 1
        if window is not None:
            days -= 1
            times += range(window[0], window[1], 60 * minutes)
    time = np.array(times, dtype=np.int64)
    kept = random.random(len(time)) >= lost
    kept[0] = True
    return walk(time[kept], random)


def daily(seed: int = 1, days: int = 80) -> Columns:
    """Bars of days."""
    numbers, number = [], number_of(START)
    while len(numbers) < days:
        if NSE.window(number) is not None:
            numbers.append(number)
        number += 1
    return walk(np.array(numbers, dtype=np.int64) * 86_400, np.random.default_rng(seed))


def walk(time: np.ndarray, random: np.random.Generator) -> Columns:
    """A walk of prices on the tick, with volume and open interest."""
    size = len(time)
    close = np.round((800 + np.cumsum(random.normal(0, 0.8, size))) * 20) / 20
    opened = np.round((close + random.normal(0, 0.6, size)) * 20) / 20
    high = np.maximum(opened, close) + random.integers(0, 20, size) / 20
    low = np.minimum(opened, close) - random.integers(0, 20, size) / 20
    volume = random.integers(0, 5000, size).astype(np.float64)
    oi = 1e6 + np.cumsum(random.integers(-50, 51, size) * 25.0)
    return Columns(time, opened, high, low, close, volume, oi)


def with_last(bars: Columns, high: float, low: float, close: float) -> Columns:
    """The same, where the last bar was otherwise before it ended."""
    changed = Columns(*(column.copy() for column in bars))
    changed.high[-1], changed.low[-1], changed.close[-1] = high, low, close
    changed.volume[-1] *= 0.4
    changed.oi[-1] += 75.0
    return changed
