"""Where axes put labels, and what they say. No Qt here."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from openalgo_desktop.core.clock import IST_OFFSET_SECONDS
from openalgo_desktop.ui.chart.series import Ints

MINUTE, HOUR, DAY = 60, 3600, 86_400
#: Distances between time labels: seconds, then whole months.
STEPS = (
    *(1, 5, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, DAY, 2 * DAY, 7 * DAY),
)
#: So many borders of a step are looked at; there are most of them in nights.
MOST_BORDERS = 5_000
MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)


def price_ticks(low: float, high: float, most: int, tick: float) -> list[float]:
    """Round prices between ``low`` and ``high``, at most ``most``, no closer than ``tick``."""
    span = high - low
    if span <= 0 or most < 1 or not math.isfinite(span):
        return []
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= raw * 0.999999)
    step = max(step, tick)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int, tick: float) -> list[float]:
    """Round prices for a logarithmic axis, at most ``most``, about evenly spaced: of decades one,
    two or three each; within less than one, round prices that lie far enough apart."""
    if not 0.0 < low < high or most < 1:
        return []
    decades = math.log10(high / low)
    if decades >= 1.0:
        for nices in ((1, 2, 5), (1, 3), (1,)):
            found = [
                power * nice
                for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
                for power in (10.0**exponent,)
                for nice in nices
                if low <= power * nice <= high
            ]
            if len(found) <= most:
                return found
        return found[:: -(-len(found) // most)]
    found = []
    apart = (high / low) ** (1.0 / (most + 1))
    for value in price_ticks(low, high, 3 * most, tick):
        if value > 0.0 and (not found or value / found[-1] >= apart):
            found.append(value)
    return found


def wall(time: int, intraday: bool) -> datetime:
    """A bar's start on the wall clock; daily bars carry their date as midnight UTC."""
    shift = IST_OFFSET_SECONDS if intraday else 0
    return datetime.fromtimestamp(int(time) + shift, UTC)


def time_ticks(times: Ints, first: int, last: int, most: int, intraday: bool) -> list[int]:
    """Indexes of bars that begin a round period, at most ``most`` of ``first <= i < last``."""
    start = max(0, first - 1)
    local = times[start:last] + (IST_OFFSET_SECONDS if intraday else 0)
    if len(local) < 2 or most < 1:
        return []
    # Bars of equal times (bricks) are no measure of their distance.
    shortest = max(1, int(np.diff(local[: 2 + min(len(local), 50)]).min()))
    finer: Ints = np.empty(0, np.int64)
    for step in STEPS:
        too_many = (local[-1] - local[0]) / step > MOST_BORDERS
        if step < shortest or shortest * (last - first) / step > 40 * most or too_many:
            continue
        chosen = _begins(local, step)
        if len(chosen) <= most:
            if not len(chosen):  # a short chart between two round times: some of the finer ones
                chosen = finer[:: -(-len(finer) // most)] if len(finer) else finer
            return [start + int(index) for index in chosen]
        finer = chosen
    days = np.concatenate(([0], _begins(local, DAY)))
    months = local[days].astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    for count in MONTH_STEPS:
        chosen = days[np.flatnonzero(np.diff(months // count)) + 1]
        if len(chosen) <= most:
            return [start + int(index) for index in chosen]
    return []


def day_begins(times: Ints, first: int, last: int, intraday: bool) -> Ints:
    """Indexes of bars of ``first <= i < last`` with which a day begins."""
    local = times[first:last] + (IST_OFFSET_SECONDS if intraday else 0)
    return _begins(local, DAY) + first if len(local) else local


def _begins(local: Ints, step: int) -> Ints:
    """Places in ascending times where a new period of ``step`` seconds has begun. It looks for the
    borders, which are few, among the bars, which are many."""
    first, last = int(local[0]) // step + 1, int(local[-1]) // step
    borders = np.arange(first, last + 1, dtype=np.int64) * step
    found: Ints = np.unique(np.searchsorted(local, borders))
    return found


def time_labels(times: Ints, ticks: list[int], intraday: bool) -> list[str]:
    """Texts of :func:`time_ticks`: the date where a day begins, else the time of day."""
    places = np.array(ticks, np.int64)
    pairs = zip(times[places].tolist(), times[np.maximum(0, places - 1)].tolist(), strict=True)
    return [_time_label(moment, before, intraday) for moment, before in pairs]


@lru_cache(maxsize=1024)
def _time_label(time: int, time_before: int, intraday: bool) -> str:
    """Text of a bar by its start and that of the bar before."""
    moment, before = wall(time, intraday), wall(time_before, intraday)
    if moment.year != before.year:
        return f"{moment:%Y}"
    if not intraday and moment.month != before.month:
        return f"{moment:%b}"
    if not intraday or moment.date() != before.date():
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M}" if moment.second == 0 else f"{moment:%H:%M:%S}"


def moment_text(time: int, intraday: bool) -> str:
    """A bar's start for the crosshair, IST."""
    moment = wall(time, intraday)
    return (
        f"{moment:%a} {moment.day} {moment:%b %H:%M}"
        if intraday
        else (f"{moment:%a} {moment.day} {moment:%b %Y}")
    )
