"""Several instruments over one chart: at the times of the main one, in per cent or as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.model import Key


def aligned(time: Ints, other: Columns) -> Floats:
    """The closes of ``other`` at ``time`` (ascending beginnings of bars); NaN where it has no bar:
    what did not trade has no price then."""
    if not other.size:
        return np.full(len(time), np.nan)
    place = np.minimum(np.searchsorted(other.time, time), other.size - 1)
    return np.where(other.time[place] == time, other.close[place], np.nan)


class Comparison:
    """Closes of several instruments, one for each bar of the main one, whose beginnings are
    ``time``. The main one is among ``legs`` where it is compared itself."""

    def __init__(self, time: Ints, legs: Mapping[Key, Columns]) -> None:
        self._size = len(time)
        self._time = np.array(time)
        self._closes = {key: aligned(time, columns) for key, columns in legs.items()}

    @property
    def keys(self) -> Iterable[Key]:
        """Who is compared."""
        return self._closes.keys()

    def closes(self, key: Key) -> Floats:
        """Rupees, one for each bar; NaN not known. A view that the next change makes invalid."""
        return self._closes[key][: self._size]

    def append(self, time: int) -> None:
        """The main instrument has a bar more; nobody's price of it is known yet."""
        if self._size == len(self._time):
            room = max(64, self._size)
            self._time = np.concatenate([self._time, np.zeros(room, np.int64)])
            for key, column in self._closes.items():
                self._closes[key] = np.concatenate([column, np.full(room, np.nan)])
        self._time[self._size] = time
        self._size += 1

    def take(self, key: Key, time: int, close: float) -> bool:
        """The bar of an instrument that begins at ``time`` closes there now; whether it is one of
        the main one's, and it is compared at all."""
        times = self._time[: self._size]
        first, after = (int(np.searchsorted(times, time, side)) for side in ("left", "right"))
        if first == after or key not in self._closes:
            return False
        self._closes[key][first:after] = close  # bricks of one bar have one time
        return True

    def percent(self, first: int, last: int | None = None) -> dict[Key, Floats]:
        """Bars ``first <= index < last`` in per cent of the first of them that all have, which is
        0 for everybody; of one that has none with the others, of its own first."""
        parts = {key: self.closes(key)[first:last] for key in self._closes}
        known = [np.isfinite(part) & (part != 0) for part in parts.values()]
        common = np.logical_and.reduce(known) if known else np.empty(0, bool)
        found = {}
        for (key, part), own in zip(parts.items(), known, strict=True):
            where = common if common.any() else own
            base = part[int(np.argmax(where))] if where.any() else np.nan
            found[key] = 100.0 * (part - base) / abs(base)
        return found
