"""How a transform runs: over a whole history, and with the bar that forms."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from math import nan
from typing import NamedTuple

import numpy as np

from openalgo_desktop.core.charting.columns import Columns, Ints
from openalgo_desktop.core.charting.transforms.rows import Row, RowStore, TransformedBars

#: Bars in one turn of a load in turns: some milliseconds.
_TURN = 1000


class Bar(NamedTuple):
    """One bar as a machine takes it; ``at`` is its index."""

    at: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    oi: float


class Machine(ABC):
    """The rule of a transform. Its state is a few plain values, so that a shallow copy is a
    snapshot of it. It sees every bar once, in order."""

    @abstractmethod
    def step(self, bar: Bar) -> Sequence[Row]:
        """Take a bar; the rows that it completed, which never change again."""

    def tail(self) -> Row | None:
        """The row that forms after them, if one does."""
        return None

    def most_rows(self, before: float, bar: Bar) -> float:
        """About how many rows a bar may bring after a close of ``before``; not less by more than
        two. Where a bar is one row or none, that is 1."""
        return 1.0

    def whole(self, bars: Columns) -> TransformedBars | None:
        """As :meth:`step` of each of ``bars``, the first that there are, where there is a faster
        way; None where there is none, and nothing was done then."""
        return None


class Beyond(NamedTuple):
    """What the bars after those that are settled make: the machine and the rows that their last
    but one leaves, which are final, and the rows of the last."""

    machine: Machine
    bars: int
    final: TransformedBars
    rows: TransformedBars


class Running:
    """A transform of bars that grow. :meth:`last` and :meth:`append` cost the same at any length
    and leave what :meth:`load` of the same bars leaves. Where a bar may bring many rows
    (:meth:`most_rows`), :meth:`beyond` works beside the loop and :meth:`take` has what it found."""

    def __init__(self, machine: Machine) -> None:
        self._fresh = machine
        self._settled = copy.copy(machine)  # after all bars but the last
        self._count = 0  # of those bars
        self._store = RowStore()
        #: Index of the first row that the last bar can still change; those before are final.
        self.fixed = 0

    @property
    def rows(self) -> TransformedBars:
        """What there is now."""
        return self._store.view

    def load(self, bars: Columns) -> None:
        """Start over with these bars. Its cost grows with them: in a thread, or in turns."""
        for _ in self.loading(bars):
            pass

    def loading(self, bars: Columns) -> Iterator[None]:
        """The same in turns of some milliseconds; the rows are new after the last turn."""
        machine, store, count = copy.copy(self._fresh), RowStore(), 0
        settled = max(0, bars.size - 1)
        whole = machine.whole(bars.cut(0, settled)) if settled else None
        if whole is not None:
            store.replace(0, whole)
            count = whole.size
        for first in range(0, 0 if whole is not None else settled, _TURN):
            rows: list[Row] = []
            for bar in _bars(bars, first, min(first + _TURN, settled)):
                rows.extend(machine.step(bar))
            store.replace(count, TransformedBars.of(rows, bars.time))
            count += len(rows)
            yield
        self._settled, self._count, self._store, self.fixed = machine, settled, store, count
        self.last(bars)

    def last(self, bars: Columns) -> None:
        """The last bar changed."""
        if bars.size:
            self.take(self.beyond(self.ahead(bars), bars.time))

    def append(self, bars: Columns) -> None:
        """A bar was added after the last one, which is final now; or several were."""
        self.last(bars)

    def ahead(self, bars: Columns) -> tuple[Bar, ...]:
        """The bars that are not settled: the last one, and those before it that came since."""
        return tuple(_bars(bars, self._count, bars.size))

    def most_rows(self, bars: Columns) -> float:
        """About how many rows the bars that are not settled may bring."""
        before = float(bars.close[self._count - 1]) if self._count else nan
        most = 0.0
        for bar in self.ahead(bars):
            most += max(1.0, self._settled.most_rows(before, bar))
            before = bar.close
        return most

    def beyond(self, ahead: Sequence[Bar], time: Ints) -> Beyond:
        """What the bars ``ahead`` make, by the times of all bars. Nothing is changed by it: it may
        run in a thread while nothing else is taken."""
        machine, final = copy.copy(self._settled), list[Row]()
        for bar in ahead[:-1]:
            final.extend(machine.step(bar))
        settled = copy.copy(machine)
        rows = list(machine.step(ahead[-1]))
        forming = machine.tail()
        if forming is not None:
            rows.append(forming)
        return Beyond(
            settled,
            self._count + len(ahead) - 1,
            TransformedBars.of(final, time),
            TransformedBars.of(rows, time, forming=forming is not None),
        )

    def take(self, found: Beyond) -> None:
        """Have what :meth:`beyond` found."""
        self._settled, self._count = found.machine, found.bars
        self._store.replace(self.fixed, found.final)
        self.fixed += found.final.size
        self._store.replace(self.fixed, found.rows)


def apply(machine: Machine, bars: Columns) -> TransformedBars:
    """Everything at once, for a caller who keeps nothing."""
    run = Running(machine)
    run.load(bars)
    return run.rows


def _bars(bars: Columns, first: int, last: int) -> Iterator[Bar]:
    part = bars.cut(first, last)
    columns = (part.open, part.high, part.low, part.close, part.volume, part.oi)
    lists = (np.asarray(column).tolist() for column in columns)
    return map(Bar, range(first, last), *lists)
