"""A study of longer bars than the chart's, shown on the chart's bars.

A longer bar counts once it is closed: its value stands from the first bar of the chart after it,
and nowhere before. So no bar knows what came later, nothing repaints, and a chart shows what an
alert of then saw. The longer bar that forms now has no value. The first one of the chart's bars may
have begun before them and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Growing
from openalgo_desktop.analytics.indian.periods import runs_of
from openalgo_desktop.analytics.indicators.kit.shelf import Given, Givens
from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Profile, Study

#: Makes the study of the longer bars from its sources.
Inner = Callable[[Givens], Study]


class Higher:
    """``once`` says of each output whether it belongs to one bar only (marks), not to all until the
    next longer bar is closed. ``given`` are sources in bars of the chart: a longer bar has their
    last value."""

    def __init__(
        self, make: Inner, once: Sequence[bool], given: Givens, source: Span, rhythm: Rhythm
    ) -> None:
        self._once = tuple(once)
        self._source, self._rhythm = source, rhythm
        self._bars = [Growing() for _ in range(6)]
        self._time: Ints = np.empty(0, np.int64)
        self._given = dict(given)
        self._inputs = {name: Growing() for name in given}
        self._inner = make({name: _view(kept) for name, kept in self._inputs.items()})
        self._values = [Growing() for _ in once]
        self._start, self._first, self._runs = -1, 0, 0

    @property
    def values(self) -> Sequence[Floats]:
        """One array for each output, as long as the chart's bars."""
        return [column.view for column in self._values]

    @property
    def profiles(self) -> Sequence[Profile]:
        """None: a profile is of the chart's own bars."""
        return ()

    def load(self, bars: Columns) -> None:
        """Start over with these bars of the chart."""
        starts = self._rhythm.starts(bars.time, self._source)
        runs = runs_of(starts)
        self._runs = len(runs)
        self._start, self._first = (int(starts[-1]), runs[-1][0]) if runs else (-1, 0)
        closed = runs[1:-1]
        firsts = np.array([first for first, _ in closed], np.int64)
        self._fill(bars, starts, firsts, np.array([end - 1 for _, end in closed], np.int64))
        self._inner.load(self._columns())
        lengths = np.array([end - first for first, end in runs], np.int64)
        which = np.repeat(np.arange(len(runs)) - 2, lengths)
        fresh = np.zeros(bars.size, bool)
        fresh[[first for first, _ in runs]] = True
        for column, values, once in zip(self._values, self._inner.values, self._once, strict=True):
            shown = np.full(bars.size, NAN)
            known = (which >= 0) & (fresh if once else True)
            shown[known] = values[which[known]]
            column.fill(shown)

    def _fill(self, bars: Columns, starts: Ints, firsts: Ints, lasts: Ints) -> None:
        self._time = starts[firsts].copy()
        if not len(firsts):
            for column in (*self._bars, *self._inputs.values()):
                column.fill(np.empty(0))
            return
        part = bars.cut(0, int(lasts[-1]) + 1)
        joined = (
            part.open[firsts],
            np.fmax.reduceat(part.high, firsts),
            np.fmin.reduceat(part.low, firsts),
            part.close[lasts],
            np.add.reduceat(part.volume, firsts),
            part.oi[lasts],
        )
        for column, values in zip(self._bars, joined, strict=True):
            column.fill(values)
        for name, kept in self._inputs.items():
            kept.fill(self._given[name](bars)[lasts])

    def _columns(self) -> Columns:
        return Columns(self._time, *(column.view for column in self._bars))

    def last(self, bars: Columns) -> None:
        """The last bar of the chart changed: no longer bar was closed by that."""

    def append(self, bars: Columns) -> None:
        """A bar of the chart was added; the longer bar before may be closed by it."""
        end = bars.size - 1
        start = int(self._rhythm.starts(bars.time[end:], self._source)[0])
        fresh = start != self._start
        if fresh:
            if self._runs > 1:
                self._join(bars.cut(self._first, end), end - 1, bars)
            self._start, self._first, self._runs = start, end, self._runs + 1
        for column, values, once in zip(self._values, self._inner.values, self._once, strict=True):
            column.push(float(values[-1]) if len(values) and (fresh or not once) else NAN)

    def _join(self, part: Columns, last: int, bars: Columns) -> None:
        # The array of times is copied: once in a longer bar, and it is the shortest of all.
        self._time = np.append(self._time, self._start)
        row = (
            float(part.open[0]),
            float(np.fmax.reduce(part.high)),
            float(np.fmin.reduce(part.low)),
            float(part.close[-1]),
            float(np.add.reduce(part.volume)),
            float(part.oi[-1]),
        )
        for column, value in zip(self._bars, row, strict=True):
            column.push(value)
        for name, kept in self._inputs.items():
            kept.push(float(self._given[name](bars)[last]))
        self._inner.append(self._columns())


def _view(kept: Growing) -> Given:
    return lambda bars: kept.view
