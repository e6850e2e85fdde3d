"""Bars for tests of studies."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.sessions import Sessions
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.clock import IST


def _hours(day: date) -> tuple[datetime, datetime]:
    start = datetime(day.year, day.month, day.day, 9, 15, tzinfo=IST)
    return start, start + timedelta(hours=6, minutes=15)


#: Where these bars stand: five minutes of an exchange that opens every day.
AROUND = Surroundings(("NSE", "X"), Span(SpanUnit.MINUTE, 5), 0.05, Sessions(_hours))


def bars(size: int, seed: int = 1, tick: float = 0.05) -> Columns:
    """A random walk in ticks over several sessions of 5-minute bars, with volume and OI."""
    random = np.random.default_rng(seed)
    close = 500 + np.cumsum(random.normal(0, 1.2, size))
    open_ = close + random.normal(0, 0.8, size)
    high = np.maximum(open_, close) + random.exponential(0.6, size)
    low = np.minimum(open_, close) - random.exponential(0.6, size)
    prices = [np.round(np.round(x / tick) * tick, 2) for x in (open_, high, low, close)]
    session, place = np.divmod(np.arange(size), 75)
    time = (19_700 + session) * 86_400 + 13_500 + place * 300  # from 09:15 IST
    volume = np.round(random.exponential(4_000, size))
    oi = 1e6 + np.cumsum(np.round(random.normal(0, 900, size)))
    return Columns(time.astype(np.int64), *prices, volume, oi)


def unknown_start(size: int, gap: int = 7) -> Columns:
    """The first bars have no prices, more of them no volume and no OI."""
    b = bars(size, 2)
    o, h, low, c, v, oi = (x.copy() for x in b[1:])
    for x in (o, h, low, c):
        x[:gap] = np.nan
    v[: gap + 3] = np.nan
    oi[: gap + 5] = np.nan
    return Columns(b.time, o, h, low, c, v, oi)


def gap_within(size: int) -> Columns:
    """A bar that nobody knows, twenty bars before the end."""
    b = bars(size, 4)
    columns = [x.copy() for x in b[1:]]
    for x in columns:
        x[-20] = np.nan
    return Columns(b.time, *columns)


def constant(size: int, price: float = 123.45, volume: float = 10.0) -> Columns:
    """Nothing moves."""
    x = np.full(size, price)
    b = bars(size)
    return Columns(b.time, x, x, x, x, np.full(size, volume), np.full(size, 1000.0))


def without_volume(size: int) -> Columns:
    """As an index has it."""
    b = bars(size, 3)
    zero = np.zeros(size)
    return Columns(*b[:5], zero, zero)


def joined(*parts: Columns) -> Columns:
    """One after the other, in the times of the first kind of bars."""
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Columns(bars(len(columns[0])).time, *columns[1:])
