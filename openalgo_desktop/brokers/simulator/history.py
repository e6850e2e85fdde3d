"""Candles: 1m and D natively, everything else resampled; the last one is the running one.

Intraday bars are anchored at 09:15 IST of their date and start at true UTC epochs; a bar cut by
the start of its window starts there. Days and longer are labelled midnight UTC of the IST date;
weeks start on Monday, months, quarters and years on their first day, and a range that begins or
ends inside such a period yields the whole period, up to now: a bar is the same whatever was asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from openalgo_desktop.brokers.simulator.pricing import Candles, Pricer
from openalgo_desktop.brokers.simulator.process import (
    FIRST_DAY,
    POINTS_PER_SECOND,
    cell_of,
    day_of,
    minute_epoch,
)
from openalgo_desktop.brokers.simulator.sessions import Sessions, Window
from openalgo_desktop.core.clock import Clock, ist_date
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars

_DAY = 86_400
#: Derivatives have no price longer before their expiry than this; days.
_LISTED = {"FUT": 92, "CE": 92, "PE": 92}
#: Days after the first of a period that lie in the next one, and not beyond it.
_LONGEST = {Interval.WEEK: 7, Interval.MONTH: 31, Interval.QUARTER: 92, Interval.YEAR: 366}
#: The loop is given back after this; seconds.
_SLICE = 0.004


def resample(bars: Candles, start: np.ndarray) -> Candles:
    """Join consecutive bars that have the same value in ``start``, which becomes their time."""
    if not len(bars.time):
        return bars
    first = np.flatnonzero(np.concatenate([[True], start[1:] != start[:-1]]))
    last = np.concatenate([first[1:], [len(start)]]) - 1
    return Candles(
        start[first],
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[last],
        np.add.reduceat(bars.volume, first),
        bars.oi[last],
    )


def join(parts: Sequence[Candles]) -> Candles:
    """One table of consecutive tables."""
    if not parts:
        empty = Bars.empty()
        return Candles(
            empty.time, empty.open, empty.high, empty.low, empty.close, empty.volume, empty.oi
        )
    return Candles(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


class History:
    """Candles of the simulated market."""

    def __init__(self, clock: Clock, sessions: Sessions) -> None:
        self._clock = clock
        self._sessions = sessions

    def intervals(self) -> list[Interval]:
        """All of them."""
        return list(Interval)

    # -- pieces -----------------------------------------------------------------------------
    def minute_bars(self, pricer: Pricer, window: Window) -> Candles:
        """1m bars of a window; the running minute is there up to now."""
        now = self._clock.time()
        parts = [pricer.minutes(*span) for span in window.minutes(now)]
        bars = join(parts)
        if len(bars.time) and now < bars.time[-1] + 60:
            self._cut_last(pricer, bars, now)
        return bars

    def _cut_last(self, pricer: Pricer, bars: Candles, now: float) -> None:
        """End the last minute bar at the present moment."""
        day, minute, point = cell_of(now)
        path = pricer.path(day, minute)[: point + 1]
        bars.high[-1], bars.low[-1], bars.close[-1] = path.max(), path.min(), path[-1]
        bars.volume[-1] = pricer.volume_until(int(bars.volume[-1]), point)

    def second_bars(self, pricer: Pricer, start: int, volume: int, interest: int) -> Candles:
        """1s bars of the minute that starts at ``start``, up to now."""
        day, minute, _ = cell_of(start)
        seconds = min(60, max(0, int(self._clock.time() - start) + 1))
        points = pricer.path(day, minute).reshape(60, POINTS_PER_SECOND)[:seconds]
        traded = pricer.volume_path(volume).reshape(60, POINTS_PER_SECOND)[:seconds, -1]
        closes, highs, lows = points[:, -1].copy(), points.max(axis=1), points.min(axis=1)
        now = cell_of(self._clock.time())
        if (now.day, now.minute) == (day, minute):
            running = points[-1, : now.point % POINTS_PER_SECOND + 1]
            closes[-1], highs[-1], lows[-1] = running[-1], running.max(), running.min()
            traded = traded.copy()
            traded[-1] = pricer.volume_until(volume, now.point)
        return Candles(
            start + np.arange(seconds, dtype=np.int64),
            points[:, 0].copy(),
            highs,
            lows,
            closes,
            np.diff(traded, prepend=0),
            np.full(seconds, interest, np.int64),
        )

    def day_bar(self, pricer: Pricer, window: Window) -> Candles:
        """The one D bar of a window."""
        bars = self.minute_bars(pricer, window)
        return resample(bars, np.full(len(bars.time), day_of(window.day) * _DAY, np.int64))

    # -- requests ---------------------------------------------------------------------------
    async def bars(self, pricer: Pricer, interval: Interval, start: date, end: date) -> Bars:
        """Candles of the inclusive IST date range, ascending. Gives the loop back often."""
        if start > end:
            return Bars.empty()
        start, end = self._clip(pricer, interval, start, end)
        parts: list[Candles] = []
        day, slice_start = start, time.perf_counter()
        while day <= end:
            window = self._sessions.window(pricer.instrument.exchange, day)
            if window is not None:
                if interval.is_intraday and interval.seconds < 60:
                    parts.append(await self._seconds(pricer, window, interval))
                elif interval.is_intraday:
                    parts.append(_intraday(self.minute_bars(pricer, window), window, interval))
                else:
                    parts.append(self.day_bar(pricer, window))
            day += timedelta(days=1)
            if time.perf_counter() - slice_start > _SLICE:
                await asyncio.sleep(0)
                slice_start = time.perf_counter()
        bars = join(parts)
        if not interval.is_intraday and interval is not Interval.DAY:
            bars = resample(bars, _period_starts(bars.time, interval))
        return Bars(*bars)

    def _clip(
        self, pricer: Pricer, interval: Interval, start: date, end: date
    ) -> tuple[date, date]:
        if not interval.is_intraday:
            start, end = period_start(start, interval), period_end(end, interval)
        instrument = pricer.instrument
        first = FIRST_DAY
        if instrument.expiry is not None:
            life = timedelta(days=_LISTED.get(instrument.instrument_type, 0))
            first = max(first, instrument.expiry - life)
            end = min(end, instrument.expiry)
        return max(start, first), min(end, ist_date(self._clock.time()))

    async def _seconds(self, pricer: Pricer, window: Window, interval: Interval) -> Candles:
        now = self._clock.time()
        parts: list[Candles] = []
        slice_start = time.perf_counter()
        for day, first, last in window.minutes(now):
            minutes = pricer.minutes(day, first, last)
            for row in range(last - first):
                begin = minute_epoch(day, first + row)
                volume, interest = int(minutes.volume[row]), int(minutes.oi[row])
                parts.append(self.second_bars(pricer, begin, volume, interest))
                if time.perf_counter() - slice_start > _SLICE:
                    await asyncio.sleep(0)
                    slice_start = time.perf_counter()
        return _intraday(join(parts), window, interval)


def _intraday(bars: Candles, window: Window, interval: Interval) -> Candles:
    anchor = minute_epoch(day_of(window.day), 0)
    length = interval.seconds
    start = anchor + (bars.time - anchor) // length * length
    return resample(bars, np.maximum(start, window.start))


def period_start(day: date, interval: Interval) -> date:
    """First date of the week, month, quarter or year of ``day``; the day itself for D."""
    if interval is Interval.WEEK:
        return day - timedelta(days=day.weekday())
    if interval is Interval.MONTH:
        return day.replace(day=1)
    if interval is Interval.QUARTER:
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if interval is Interval.YEAR:
        return day.replace(month=1, day=1)
    return day


def period_end(day: date, interval: Interval) -> date:
    """Last date of the week, month, quarter or year of ``day``; the day itself for D."""
    if interval is Interval.DAY:
        return day
    following = period_start(day, interval) + timedelta(days=_LONGEST[interval])
    return period_start(following, interval) - timedelta(days=1)


def _period_starts(times: np.ndarray, interval: Interval) -> np.ndarray:
    epoch = date(1970, 1, 1)
    starts = (period_start(epoch + timedelta(days=int(stamp) // _DAY), interval) for stamp in times)
    return np.array([(start - epoch).days * _DAY for start in starts], np.int64)
