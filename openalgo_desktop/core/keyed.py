"""A dictionary for a hundred thousand rows that never stops the program.

A dict that outgrows its memory moves all it has in one go, 5 to 20 ms for 100,000 rows, and is
freed in one go as well; no other thread runs meanwhile. This one is many small ones.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import chain
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: Small dictionaries; a power of two.
_PARTS: Final = 64


class Keyed(Generic[K, V]):
    """Values by key, in no particular order."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[dict[K, V]] = [{} for _ in range(_PARTS)]

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __contains__(self, key: K) -> bool:
        return key in self._parts[hash(key) & (_PARTS - 1)]

    def __iter__(self) -> Iterator[K]:
        return chain.from_iterable(self._parts)

    def __getitem__(self, key: K) -> V:
        return self._parts[hash(key) & (_PARTS - 1)][key]

    def __setitem__(self, key: K, value: V) -> None:
        self._parts[hash(key) & (_PARTS - 1)][key] = value

    def __delitem__(self, key: K) -> None:
        del self._parts[hash(key) & (_PARTS - 1)][key]

    def get(self, key: K) -> V | None:
        """The value, or None."""
        return self._parts[hash(key) & (_PARTS - 1)].get(key)

    def setdefault(self, key: K, value: V) -> V:
        """The value of a key; ``value`` where it has none yet."""
        return self._parts[hash(key) & (_PARTS - 1)].setdefault(key, value)

    def values(self) -> Iterator[V]:
        """All values."""
        return chain.from_iterable(part.values() for part in self._parts)

    def items(self) -> Iterator[tuple[K, V]]:
        """All keys with their values."""
        return chain.from_iterable(part.items() for part in self._parts)

    def parts(self) -> list[Any]:
        """What it is made of, for who takes it apart."""
        return list(self._parts)
