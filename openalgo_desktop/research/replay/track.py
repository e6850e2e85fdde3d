"""The bars of one span that a chart sees of a tape: whole ones, and the one that forms."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.replay.tape import Place, Tape

Mask: TypeAlias = npt.NDArray[np.bool_]

#: The time (as in :class:`Bars`) of the bar of a span that a moment belongs to.
Labels = Callable[[float], int]


class Sums(NamedTuple):
    """Smallest bars put together; volume and open interest in units."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    oi: float

    def add(self, open_: float, high: float, low: float, close: float) -> Sums:
        """With prices that came later."""
        return Sums(
            self.open, max(self.high, high), min(self.low, low), close, self.volume, self.oi
        )


class Track:
    """Bars of ``span`` from a tape. ``before`` is what the first one already had when the tape
    begins (a week that began on Monday)."""

    def __init__(self, tape: Tape, span: Span, labels: Labels, before: Sums | None = None) -> None:
        self.tape = tape
        self.span = span
        self.labels = labels
        self.before = before
        self.listeners: list[Callable[[LiveBar], None]] = []
        self._time: list[int] = []  # of the bar, for each smallest bar
        self.begins: list[float] = []  # of the bars of this span
        self.ends: list[float] = []
        self._place = Place(0, 0)
        self._label: int | None = None
        self._sums: Sums | None = None  # of the smallest bars that are over
        self.grow()
        self.reset()

    def grow(self) -> None:
        """The tape has more bars."""
        tape = self.tape
        for index in range(len(self._time), len(tape)):
            label = self.labels(tape.begins[index])
            if self._time and label < self._time[-1]:
                label = self._time[-1]
            if not self._time or label != self._time[-1]:
                self.begins.append(tape.begins[index])
                self.ends.append(tape.ends[index])
            self.ends[-1] = tape.ends[index]
            self._time.append(label)

    # -- steps ------------------------------------------------------------------------------
    def next_end(self, now: float) -> float | None:
        """When the bar that forms at ``now``, or the next one, is over."""
        index = bisect_right(self.ends, now)
        return self.ends[index] if index < len(self.ends) else None

    def previous_end(self, now: float) -> float | None:
        """When the last bar that was over before ``now`` ended; the begin of the first bar where
        none was."""
        index = bisect_left(self.ends, now) - 1
        if index >= 0:
            return self.ends[index]
        return self.begins[0] if self.begins and self.begins[0] < now else None

    def bar_at(self, now: float) -> tuple[float, float] | None:
        """Begin and end of the bar that forms at ``now``, or of the next one."""
        index = bisect_right(self.ends, now)
        return (self.begins[index], self.ends[index]) if index < len(self.ends) else None

    # -- playing on -------------------------------------------------------------------------
    def play(self) -> None:
        """The tape was played on: tell the listeners of each bar that changed, the last state
        of each in order."""
        place, tape = self.tape.place, self.tape
        began = dirty = False
        for index in range(self._place.bars, place.bars):
            if self._time[index] != self._label:
                if dirty:
                    self._tell(self._sums, began, closed=True)
                self._label, self._sums, began = self._time[index], None, True
            self._sums, dirty = self._joined(index), True
        if place.points and self._time[place.bars] != self._label:
            if dirty:
                self._tell(self._sums, began, closed=True)
            self._label, self._sums, began, dirty = self._time[place.bars], None, True, True
        dirty = dirty or place != self._place
        self._place = place
        if dirty:
            self._tell(self._shown(tape), began, closed=self._over(place))

    def _over(self, place: Place) -> bool:
        """Whether the last bar that was told is whole."""
        count = place.bars
        last = count == len(self._time) or self._time[count] != self._time[count - 1]
        return not place.points and last

    def reset(self) -> None:
        """The tape was put elsewhere: know what is there, and tell nobody."""
        self._place = place = self.tape.place
        first = min(place.bars + (place.points > 0), len(self._time)) - 1
        if first < 0:
            self._sums = self.before
            self._label = self._time[0] if self.before is not None and self._time else None
            return
        label = self._label = self._time[first]
        start = bisect_left(self._time, label)
        self._sums = self.before if start == 0 else None
        for index in range(start, place.bars):
            self._sums = self._joined(index)

    def _joined(self, index: int) -> Sums:
        tape, sums = self.tape, self._sums
        volume, oi = tape.volume[index], tape.oi[index]
        if sums is None:
            o, c = tape.open[index], tape.close[index]
            return Sums(o, tape.high[index], tape.low[index], c, volume, oi)
        high, low = tape.high[index], tape.low[index]
        return Sums(
            sums.open,
            high if high > sums.high else sums.high,
            low if low < sums.low else sums.low,
            tape.close[index],
            sums.volume + volume,
            oi,
        )

    def _shown(self, tape: Tape) -> Sums | None:
        """Whole smallest bars and the known part of the one that forms."""
        known = tape.known(self._place)
        if known is None:
            return self._sums
        if self._sums is not None:
            return self._sums.add(*known)
        oi = tape.oi[self._place.bars - 1] if self._place.bars else 0.0
        return Sums(*known, 0.0, oi)

    def _tell(self, sums: Sums | None, began: bool, *, closed: bool) -> None:
        if sums is None or self._label is None:
            return
        bar = LiveBar(self._label, *sums, began, closed)
        for listener in tuple(self.listeners):
            listener(bar)

    # -- reading ----------------------------------------------------------------------------
    @property
    def forming(self) -> LiveBar | None:
        """The last bar as it is known now."""
        sums = self._shown(self.tape)
        if sums is None or self._label is None:
            return None
        return LiveBar(self._label, *sums, began=False)

    @property
    def first(self) -> int | None:
        """The time of the first bar of the tape, known or not."""
        return self._time[0] if self._time else None

    def bars(self) -> Bars:
        """All bars of the tape that have begun, as they are known now."""
        tape, (count, points) = self.tape, self.tape.place
        forming = self.forming
        if forming is None:
            return Bars.empty()
        if not count:
            return _bars(forming)
        times = np.array(self._time[:count], np.int64)
        starts = np.flatnonzero(np.diff(times, prepend=times[0] - 1))
        made = Bars(
            times[starts],
            np.array(tape.open[:count])[starts],
            np.maximum.reduceat(np.array(tape.high[:count]), starts),
            np.minimum.reduceat(np.array(tape.low[:count]), starts),
            np.array(tape.close[:count])[np.append(starts[1:], count) - 1],
            np.add.reduceat(np.array(tape.volume[:count]), starts).astype(np.int64),
            np.array(tape.oi[:count])[np.append(starts[1:], count) - 1].astype(np.int64),
        )
        self._add_before(made)
        if not points:
            return made
        upto = len(starts) - (forming.time == made.time[-1])
        return joined(chosen(made, slice(0, int(upto))), _bars(forming))

    def _add_before(self, made: Bars) -> None:
        before = self.before
        if before is not None:
            made.open[0] = before.open
            made.high[0] = max(before.high, made.high[0])
            made.low[0] = min(before.low, made.low[0])
            made.volume[0] += int(before.volume)


def _bars(bar: LiveBar) -> Bars:
    return Bars(
        np.array([bar.time], np.int64),
        np.array([bar.open], np.float64),
        np.array([bar.high], np.float64),
        np.array([bar.low], np.float64),
        np.array([bar.close], np.float64),
        np.array([bar.volume]).astype(np.int64),
        np.array([bar.oi]).astype(np.int64),
    )


def chosen(bars: Bars, which: slice | Mask) -> Bars:
    """Some of the bars."""
    return Bars(
        bars.time[which],
        bars.open[which],
        bars.high[which],
        bars.low[which],
        bars.close[which],
        bars.volume[which],
        bars.oi[which],
    )


def joined(first: Bars, second: Bars) -> Bars:
    """The bars of both, one after the other."""
    return Bars(
        np.concatenate((first.time, second.time)),
        np.concatenate((first.open, second.open)),
        np.concatenate((first.high, second.high)),
        np.concatenate((first.low, second.low)),
        np.concatenate((first.close, second.close)),
        np.concatenate((first.volume, second.volume)),
        np.concatenate((first.oi, second.oi)),
    )
