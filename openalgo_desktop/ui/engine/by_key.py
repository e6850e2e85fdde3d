"""Rows of a book by instrument, and which instruments have other rows than before."""

from __future__ import annotations

from collections.abc import Iterable, KeysView, Sequence
from typing import Generic, Protocol, TypeVar

from openalgo_desktop.core.model import Key


class Keyed(Protocol):
    """A row of one instrument, comparable by value."""

    @property
    def key(self) -> Key: ...


R = TypeVar("R", bound=Keyed)


class ByKey(Generic[R]):
    """Kept by whoever owns the rows; asking costs what there is of the instrument."""

    def __init__(self) -> None:
        self._rows: dict[Key, list[R]] = {}

    def show(self, rows: Iterable[R]) -> frozenset[Key]:
        """Take these instead of those before; the instruments whose rows are other ones now."""
        before, self._rows = self._rows, {}
        for row in rows:
            self._rows.setdefault(row.key, []).append(row)
        keys = before.keys() | self._rows.keys()
        return frozenset(key for key in keys if before.get(key) != self._rows.get(key))

    def of(self, key: Key) -> Sequence[R]:
        """The rows of an instrument, in the order of the book."""
        return self._rows.get(key, ())

    @property
    def keys(self) -> KeysView[Key]:
        """The instruments that have rows."""
        return self._rows.keys()
