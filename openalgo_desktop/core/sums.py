"""Sums that are kept up with what changes, instead of being made anew of everything."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from math import isfinite, nan
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

#: Each float is a whole number of these parts of 1, as a power of two.
_PARTS: Final = 1074


class KeptSum(Generic[K]):
    """The sum of the values that names have now; a change costs what its name has.

    It is exact: whatever came and went, it is what :func:`math.fsum` gives of the values that are
    there. NaN while one of them is no finite number.
    """

    def __init__(self) -> None:
        self._of: dict[K, int | None] = {}  # None: no finite number
        self._total = 0
        self._odd = 0  # names without a finite number

    def put(self, name: K, values: Iterable[float]) -> None:
        """These are the values of a name now, instead of those before."""
        self.drop(name)
        part = _exact(values)
        self._of[name] = part
        if part is None:
            self._odd += 1
        else:
            self._total += part

    def drop(self, name: K) -> None:
        """A name has no values any more."""
        if name not in self._of:
            return
        part = self._of.pop(name)
        if part is None:
            self._odd -= 1
        else:
            self._total -= part

    @property
    def value(self) -> float:
        """The sum, rounded once; 0 of nothing."""
        return nan if self._odd else self._total / (1 << _PARTS)


def _exact(values: Iterable[float]) -> int | None:
    total = 0
    for value in values:
        if not isfinite(value):
            return None
        units, parts = value.as_integer_ratio()
        total += units << (_PARTS + 1 - parts.bit_length())
    return total
