"""The smallest bars of one instrument, in order of time: what a replay is played from.

It knows the future of the replay and is never handed out: charts get what :class:`Track` makes of
the part that has come.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.replay.path import POINTS, Path, moment, path_of, seen

#: Begin and end of a bar (epoch seconds) from its time as in :class:`Bars`.
Ends = Callable[[int], tuple[float, float]]


class Place(NamedTuple):
    """How far a tape is played: bars that are over, and known prices of the one that forms."""

    bars: int
    points: int


class Price(NamedTuple):
    """A price of a path. ``moment`` in epoch seconds; ``gap`` says that the price jumped there
    (an open), and did not pass what lies between."""

    moment: float
    key: Key
    price: float
    gap: bool


class Tape:
    """Bars of ``span``; the columns are lists, for they are read one by one. ``place`` is how far
    it is played."""

    def __init__(self, key: Key, span: Span, ends: Ends) -> None:
        self.key = key
        self.span = span
        self._ends = ends
        self.time: list[int] = []  # as in Bars
        self.begins: list[float] = []
        self.ends: list[float] = []
        self.open: list[float] = []
        self.high: list[float] = []
        self.low: list[float] = []
        self.close: list[float] = []
        self.volume: list[float] = []
        self.oi: list[float] = []
        self.place = Place(0, 0)

    def __len__(self) -> int:
        return len(self.time)

    def extend(self, bars: Bars, until: float) -> None:
        """Add later bars; those that are not later than the last one, or not over at ``until``
        (the present), are left out."""
        first = self.time[-1] + 1 if self.time else 0
        since = int(np.searchsorted(bars.time, first))
        pairs = [self._ends(time) for time in bars.time[since:].tolist()]
        while pairs and pairs[-1][1] > until:
            pairs.pop()
        which = slice(since, since + len(pairs))
        self.time += bars.time[which].tolist()
        self.begins += [begin for begin, _ in pairs]
        self.ends += [end for _, end in pairs]
        self.open += bars.open[which].tolist()
        self.high += bars.high[which].tolist()
        self.low += bars.low[which].tolist()
        self.close += bars.close[which].tolist()
        self.volume += bars.volume[which].astype(np.float64).tolist()
        self.oi += bars.oi[which].astype(np.float64).tolist()

    # -- the clock --------------------------------------------------------------------------
    def at(self, now: float) -> Place:
        """What is known at a moment."""
        bars = bisect_right(self.ends, now)
        if bars == len(self.ends):
            return Place(bars, 0)
        return Place(bars, seen(self.begins[bars], self.ends[bars], now))

    def next_begin(self, now: float) -> float | None:
        """When the bar that is not over at ``now`` begins or began; None after the last one."""
        bars = bisect_right(self.ends, now)
        return self.begins[bars] if bars < len(self.begins) else None

    def next_end(self, now: float) -> float | None:
        """When the bar that is not over at ``now`` will be; None after the last one."""
        bars = bisect_right(self.ends, now)
        return self.ends[bars] if bars < len(self.ends) else None

    # -- what is known ----------------------------------------------------------------------
    def path(self, index: int) -> Path:
        """The path of a bar."""
        return path_of(self.open[index], self.high[index], self.low[index], self.close[index])

    def known(self, place: Place) -> Path | None:
        """Open, high, low and last price of the bar that forms at ``place``; None between bars.
        Volume and open interest are known with its close."""
        if not place.points:
            return None
        prices = self.path(place.bars)[: place.points]
        return prices[0], max(prices), min(prices), prices[-1]

    def last(self, place: Place) -> float | None:
        """The last price that had come at a place; None before the first."""
        bars, points = place
        if points:
            return self.path(bars)[points - 1]
        return self.close[bars - 1] if bars else None

    def prices(self, since: Place, until: Place) -> list[Price]:
        """The prices that come between two places, in order."""
        found: list[Price] = []
        for index in range(since.bars, until.bars + (until.points > 0)):
            first = since.points if index == since.bars else 0
            last = until.points if index == until.bars else POINTS
            path, begin, end = self.path(index), self.begins[index], self.ends[index]
            for point in range(first, last):
                at = moment(begin, end, point)
                found.append(Price(at, self.key, path[point], point == 0))
        return found
