"""Alerts on fixed levels, by instrument, sorted by where something happens to them: a value that
changes none costs two comparisons, however many there are."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from math import inf

from openalgo_desktop.core.model import Key

#: A value at or below the first, or at or above the second, may change an alert.
Calm = tuple[float, float]
#: Every value may.
RESTLESS: Calm = (inf, -inf)


class _Rungs:
    """Those of one instrument, by the lower and by the upper end of their calm."""

    __slots__ = ("bounds", "highs", "lows")

    def __init__(self) -> None:
        self.bounds: dict[str, Calm] = {}
        self.lows: list[tuple[float, str]] = []
        self.highs: list[tuple[float, str]] = []

    def put(self, name: str, calm: Calm) -> None:
        self.drop(name)
        self.bounds[name] = calm
        insort(self.lows, (calm[0], name))
        insort(self.highs, (calm[1], name))

    def drop(self, name: str) -> None:
        calm = self.bounds.pop(name, None)
        if calm is not None:
            for rows, bound in ((self.lows, calm[0]), (self.highs, calm[1])):
                del rows[bisect_left(rows, (bound, name))]

    def at(self, value: float) -> list[str]:
        """Whom the value may change."""
        lows = self.lows[bisect_left(self.lows, (value,)) :]
        highs = self.highs[: bisect_left(self.highs, (value, "\U0010ffff"))]
        return list(dict.fromkeys(name for _, name in (*lows, *highs)))


class Ladder:
    """What is watched; each name stands in one place."""

    def __init__(self) -> None:
        self._rungs: dict[Key, _Rungs] = {}
        #: By instrument: values strictly between the two change nobody.
        self.calm: dict[Key, Calm] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._rungs

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rungs)

    def put(self, key: Key, name: str, calm: Calm) -> None:
        """Watch one, or watch it by another calm."""
        rungs = self._rungs.get(key)
        if rungs is None:
            rungs = self._rungs[key] = _Rungs()
        rungs.put(name, calm)
        self._renew(key, rungs)

    def drop(self, key: Key, name: str) -> None:
        """Watch it no more."""
        rungs = self._rungs.get(key)
        if rungs is None:
            return
        rungs.drop(name)
        if rungs.bounds:
            self._renew(key, rungs)
        else:
            del self._rungs[key], self.calm[key]

    def _renew(self, key: Key, rungs: _Rungs) -> None:
        self.calm[key] = (rungs.lows[-1][0], rungs.highs[0][0])

    def at(self, key: Key, value: float) -> list[str]:
        """The names that a value may change."""
        rungs = self._rungs.get(key)
        return [] if rungs is None else rungs.at(value)
