"""Volume against that of the same time on earlier days."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Kept, empty
from openalgo_desktop.analytics.indian.periods import runs_of
from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.charting.sessions import IST_SECONDS, day_numbers
from openalgo_desktop.core.charting.surroundings import Surroundings


class SameTime(Kept):
    """Outputs: volume of the bar (``total``: of the day up to it), its mean at this time of the
    day over the last ``days`` days before that have a bar then, and their ratio. Times count from
    the opening of the session, so a day that opens late compares by what has passed."""

    def __init__(self, days: int, total: bool, around: Surroundings) -> None:
        super().__init__(3)
        self._days, self._total = days, total
        self._sessions, self._intraday = around.sessions, around.span.is_intraday
        self._past: dict[int, list[float]] = {}
        self._day, self._sum = -1, 0.0

    def _slot(self, time: int, day: int) -> int:
        if not self._intraday:
            return 0
        midnight = day * 86_400 - IST_SECONDS
        return time - self._sessions.opens(day, midnight)

    def _all(self, bars: Columns) -> Sequence[Floats]:
        found = empty(3, bars.size)
        self._past, self._day, self._sum = {}, -1, 0.0
        if not bars.size:
            return found
        days = day_numbers(bars.time)
        value, slot = bars.volume.copy(), np.zeros(bars.size, np.int64)
        for first, end in runs_of(days):
            if self._total:
                value[first:end] = np.cumsum(value[first:end])
            if self._intraday:
                day = int(days[first])
                slot[first:end] = bars.time[first:end] - (
                    int(bars.time[first]) - self._slot(int(bars.time[first]), day)
                )
        mean = self._means(slot, value)
        if bars.size > 1:
            self._day = int(days[-2])
            first = runs_of(days[:-1])[-1][0]
            self._sum = float(np.cumsum(bars.volume[first : bars.size - 1])[-1])
        return value, mean, _ratio(value, mean)

    def _means(self, slot: Ints, value: Floats) -> Floats:
        """For each bar, the mean of the values of its slot before it; and the past is kept."""
        mean = np.full(len(value), NAN)
        order = np.argsort(slot, kind="stable")
        for first, end in runs_of(slot[order]):
            places = order[first:end]
            values = value[places]
            mean[places] = _means_before(values, self._days)
            closed = values[:-1] if places[-1] == len(value) - 1 else values
            self._past[int(slot[places[0]])] = closed[-self._days :].tolist()
        return mean

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        _, slot, value = self._bar(bars, place)
        past = self._past.get(slot, [])[-self._days :]
        mean = sum(past) / len(past) if len(past) >= self._days else NAN
        return [value, mean, value / mean if mean > 0 else NAN]

    def _bar(self, bars: Columns, place: int) -> tuple[int, int, float]:
        day = int(day_numbers(bars.time[place : place + 1])[0])
        value = float(bars.volume[place])
        if self._total and day == self._day:
            value = self._sum + value
        return day, self._slot(int(bars.time[place]), day), value

    def _close(self, bars: Columns, place: int) -> None:
        day, slot, value = self._bar(bars, place)
        known = self._past.setdefault(slot, [])
        known.append(value)
        if len(known) > 2 * self._days:
            del known[: -self._days]
        own = float(bars.volume[place])
        self._sum = self._sum + own if day == self._day else own
        self._day = day


def _means_before(values: Floats, count: int) -> Floats:
    """The mean of the ``count`` values before each; not known with fewer."""
    found = np.full(len(values), NAN)
    if len(values) > count:
        windows = np.lib.stride_tricks.sliding_window_view(values[:-1], count)
        found[count:] = windows.sum(axis=1) / count
    return found


def _ratio(value: Floats, mean: Floats) -> Floats:
    known = np.where(mean > 0, mean, NAN)
    return value / known
