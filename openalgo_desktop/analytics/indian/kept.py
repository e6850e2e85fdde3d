"""Arrays of a study that grow bar by bar, and the three calls of a study in terms of a state."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import Profile

NAN = float("nan")


class Growing:
    """An array that takes one more value at a cost that does not grow with it. Whole numbers up to
    2^53 are kept exactly."""

    __slots__ = ("_data", "_size")

    def __init__(self) -> None:
        self._data: Floats = np.empty(64)
        self._size = 0

    @property
    def view(self) -> Floats:
        """The values, without a copy."""
        return self._data[: self._size]

    def fill(self, values: Floats) -> None:
        """Start over with a copy of these."""
        self._size = len(values)
        self._data = np.empty(max(64, self._size + self._size // 4))
        self._data[: self._size] = values

    def clear(self) -> None:
        """Nothing any more."""
        self._size = 0

    def push(self, value: float) -> None:
        """One more."""
        if self._size == len(self._data):
            larger = np.empty(2 * self._size)
            larger[: self._size] = self._data
            self._data = larger
        self._data[self._size] = value
        self._size += 1

    def put(self, place: int, value: float) -> None:
        """Another value at ``place``."""
        self._data[place] = value


class Kept:
    """A study with a state that stands before the last bar.

    A subclass computes all bars at once (:meth:`_all`, which leaves the state before the last
    bar), one bar from the state (:meth:`_row`), and moves the state over a bar that is closed
    (:meth:`_close`).
    """

    def __init__(self, outputs: int) -> None:
        self._columns = [Growing() for _ in range(outputs)]

    @property
    def values(self) -> Sequence[Floats]:
        """One array for each output; views."""
        return [column.view for column in self._columns]

    @property
    def profiles(self) -> Sequence[Profile]:
        """None but for profile studies."""
        return ()

    def load(self, bars: Columns) -> None:
        """Start over with these bars."""
        with np.errstate(all="ignore"):
            for column, values in zip(self._columns, self._all(bars), strict=True):
                column.fill(values)

    def last(self, bars: Columns) -> None:
        """The last bar changed."""
        if bars.size:
            with np.errstate(all="ignore"):
                self._put(bars, bars.size - 1)

    def append(self, bars: Columns) -> None:
        """A bar was added; the one before is closed, and its last change may not have been told."""
        end = bars.size - 1
        with np.errstate(all="ignore"):
            if end > 0:
                self._put(bars, end - 1)
                self._close(bars, end - 1)
            for column, value in zip(self._columns, self._row(bars, end), strict=True):
                column.push(value)

    def _put(self, bars: Columns, place: int) -> None:
        for column, value in zip(self._columns, self._row(bars, place), strict=True):
            column.put(place, value)

    def _all(self, bars: Columns) -> Sequence[Floats]:
        raise NotImplementedError

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        raise NotImplementedError

    def _close(self, bars: Columns, place: int) -> None:
        raise NotImplementedError


class Picked:
    """A study whose outputs are some of another's, in this order; one may come twice (the lines of
    a band are given again for what is filled between them)."""

    def __init__(self, study: Kept, places: Sequence[int]) -> None:
        self._study = study
        self._places = tuple(places)
        self.load, self.last, self.append = study.load, study.last, study.append

    @property
    def values(self) -> Sequence[Floats]:
        """The picked arrays."""
        found = self._study.values
        return [found[place] for place in self._places]

    @property
    def profiles(self) -> Sequence[Profile]:
        """Those of the study."""
        return self._study.profiles


def larger(first: float, second: float) -> float:
    """The larger of two; an unknown one does not count."""
    return second if math.isnan(first) or second > first else first


def smaller(first: float, second: float) -> float:
    """The smaller of two; an unknown one does not count."""
    return second if math.isnan(first) or second < first else first


def empty(outputs: int, size: int) -> list[Floats]:
    """Arrays of what is not known."""
    return [np.full(size, NAN) for _ in range(outputs)]
