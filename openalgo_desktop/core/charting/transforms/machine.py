"""How a transform runs: over a whole history, and with the bar that forms."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
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

    def whole(self, bars: Columns) -> TransformedBars | None:
        """As :meth:`step` of each of ``bars``, the first that there are, where there is a faster
        way; None where there is none, and nothing was done then."""
        return None


class Running:
    """A transform of bars that grow. :meth:`last` and :meth:`append` cost the same at any length
    and leave what :meth:`load` of the same bars leaves."""

    def __init__(self, machine: Machine) -> None:
        self._fresh = machine
        self._settled = copy.copy(machine)  # after all bars but the last
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
        self._settled, self._store, self.fixed = machine, store, count
        self.last(bars)

    def last(self, bars: Columns) -> None:
        """The last bar changed."""
        if not bars.size:
            return
        machine = copy.copy(self._settled)
        (bar,) = _bars(bars, bars.size - 1, bars.size)
        rows = list(machine.step(bar))
        forming = machine.tail()
        if forming is not None:
            rows.append(forming)
        self._store.replace(
            self.fixed, TransformedBars.of(rows, bars.time, forming=forming is not None)
        )

    def append(self, bars: Columns) -> None:
        """A bar was added after the last one, which is final now."""
        if bars.size > 1:
            (closed,) = _bars(bars, bars.size - 2, bars.size - 1)
            rows = self._settled.step(closed)
            self._store.replace(self.fixed, TransformedBars.of(rows, bars.time))
            self.fixed += len(rows)
        self.last(bars)


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
