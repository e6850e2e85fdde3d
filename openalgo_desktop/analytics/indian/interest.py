"""Open interest: its change, what it and the price say together, and figures of the chain."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Kept
from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.charting.sessions import day_numbers
from openalgo_desktop.core.charting.surroundings import ChainPast, Surroundings


class OpenInterest(Kept):
    """Open interest, its change from bar to bar, since the first bar of the day, and since the
    last one of the day before."""

    def __init__(self) -> None:
        super().__init__(4)
        self._day = -1
        self._first = self._end = self._before = NAN  # first of the day, end of that before, last

    def _all(self, bars: Columns) -> Sequence[Floats]:
        oi, days = bars.oi, day_numbers(bars.time)
        place = np.arange(bars.size)
        new = np.ones(bars.size, bool)
        new[1:] = days[1:] != days[:-1]
        start = np.maximum.accumulate(np.where(new, place, 0)) if bars.size else place
        previous = np.concatenate(([NAN], oi[:-1])) if bars.size else oi
        first, end = oi[start], previous[start]
        self._day, self._first, self._end, self._before = -1, NAN, NAN, NAN
        if bars.size > 1:
            last, fresh = bars.size - 2, bool(new[-1])
            self._day, self._before = int(days[last]), float(oi[last])
            self._first, self._end = float(first[last]), float(end[last])
            if fresh:
                self._first = NAN
        return oi.copy(), oi - previous, oi - first, oi - end

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        oi, day = float(bars.oi[place]), int(day_numbers(bars.time[place : place + 1])[0])
        first, end = (self._first, self._end) if day == self._day else (oi, self._before)
        return oi, oi - self._before, oi - first, oi - end

    def _close(self, bars: Columns, place: int) -> None:
        oi, day = float(bars.oi[place]), int(day_numbers(bars.time[place : place + 1])[0])
        if day != self._day:
            self._day, self._first, self._end = day, oi, self._before
        self._before = oi


class BuildUp(Kept):
    """What the change of price and of open interest say together. Outputs: the change of open
    interest of a bar in one of four (long build-up: both rise; short covering: the price rises;
    short build-up: open interest rises; long unwinding: both fall), which of them as 1 to 4 (0
    where one did not change), and open interest added up with the sign of the price's change."""

    def __init__(self) -> None:
        super().__init__(6)
        self._close_before = self._oi_before = NAN
        self._total = 0.0

    def _all(self, bars: Columns) -> Sequence[Floats]:
        self._close_before = self._oi_before = NAN
        self._total = 0.0
        if not bars.size:
            return [np.empty(0)] * 6
        price, oi = (np.diff(column, prepend=NAN) for column in (bars.close, bars.oi))
        known = np.isfinite(price) & np.isfinite(oi)
        total = np.cumsum(np.where(known, np.sign(price) * oi, 0.0))
        if bars.size > 1:
            self._total = float(total[-2])
            self._close_before, self._oi_before = float(bars.close[-2]), float(bars.oi[-2])
        return [*_sorted(price, oi), np.where(np.isfinite(bars.oi), total, NAN)]

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        price = float(bars.close[place]) - self._close_before
        now = float(bars.oi[place])
        oi = now - self._oi_before
        four = [NAN] * 4
        which = NAN
        if math.isfinite(price) and math.isfinite(oi):
            which = 0.0
            if price and oi:
                place = (0 if oi > 0 else 1) if price > 0 else (2 if oi > 0 else 3)
                four[place], which = oi, place + 1.0
        return [*four, which, self._added(price, oi) if math.isfinite(now) else NAN]

    def _added(self, price: float, oi: float) -> float:
        step = (price > 0) * oi - (price < 0) * oi if math.isfinite(price) else NAN
        return self._total + step if math.isfinite(step) else self._total

    def _close(self, bars: Columns, place: int) -> None:
        close, oi = float(bars.close[place]), float(bars.oi[place])
        self._total = self._added(close - self._close_before, oi - self._oi_before)
        self._close_before, self._oi_before = close, oi


def _sorted(price: Floats, oi: Floats) -> list[Floats]:
    kinds = [
        (price > 0) & (oi > 0),
        (price > 0) & (oi < 0),
        (price < 0) & (oi > 0),
        (price < 0) & (oi < 0),
    ]
    which = np.select(kinds, [1.0, 2.0, 3.0, 4.0], 0.0)
    which[~(np.isfinite(price) & np.isfinite(oi))] = NAN
    return [*(np.where(kind, oi, NAN) for kind in kinds), which]


class ChainFigures(Kept):
    """Figures of the option chain as they were recorded: the last sample before the end of each
    bar, of its own time only (a bar without one has none)."""

    def __init__(self, names: Sequence[str], around: Surroundings, end: int) -> None:
        super().__init__(len(names))
        self._names = tuple(names)
        self._chain: ChainPast | None = around.chain
        self._length = end

    def _all(self, bars: Columns) -> Sequence[Floats]:
        return self._between(bars.time)

    def _between(self, time: Ints) -> list[Floats]:
        if self._chain is None:
            return [np.full(len(time), NAN) for _ in self._names]
        samples = self._chain.time
        last = np.searchsorted(samples, time + self._length) - 1
        inside = (last >= 0) & (samples[np.maximum(last, 0)] >= time) if len(samples) else last > 0
        found = []
        for name in self._names:
            column = self._chain.figure(name)
            values = column[np.maximum(last, 0)] if len(column) else np.full(len(time), NAN)
            found.append(np.where(inside, values, NAN))
        return found

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        return [float(x[0]) for x in self._between(bars.time[place : place + 1])]

    def _close(self, bars: Columns, place: int) -> None:
        return
