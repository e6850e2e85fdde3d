"""Looks at the rows of a table: those of some instruments, and now and then all of them, in turns
of the loop."""

from __future__ import annotations

from collections.abc import Collection, Generator, Hashable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.turns import STEP, parts
from openalgo_desktop.ui.kit.long_load import LongLoad

if TYPE_CHECKING:
    from openalgo_desktop.ui.kit.table_dock import TableDock

R = TypeVar("R")


class RowLooks(Generic[R]):
    """One of a table dock, which says by :meth:`forget` that rows came or went."""

    def __init__(self, dock: TableDock[R]) -> None:
        self._dock = dock
        self._at: dict[Key, list[Hashable]] | None = None  # rows by instrument
        self._old: set[Hashable] = set()  # rows with old prices, as last shown
        self._load = LongLoad(dock, lambda: None)

    def forget(self) -> None:
        """There are other rows."""
        self._at = None

    def at(self, keys: Collection[Key]) -> list[R]:
        """The rows of these instruments; it costs what there is of them."""
        if self._at is None:
            self._at = {}
            for row in self._dock.rows:
                if (key := self._dock.key_of(row)) is not None:
                    self._at.setdefault(key, []).append(self._dock.row_id(row))
        known = self._at
        rows = (self._dock.row_of(name) for key in keys if key in known for name in known[key])
        return [row for row in rows if row is not None]

    def start(self, work: Iterator[None]) -> None:
        """Look at all rows, at once while they are few; nothing while the last look goes on."""
        if len(self._dock.rows) <= STEP:
            for _ in work:
                pass
        elif not self._load.under_way:
            self._load.start(work)

    def ages(self) -> Generator[None, None, bool]:
        """Paint rows again whose prices have grown old, or are fresh again, without a tick that
        says so; returns whether there are some."""
        dock, old = self._dock, set[Hashable]()
        for part in parts(list(dock.rows)):
            old.update(dock.row_id(row) for row in part if dock.row_stale(row))
            yield
        touched, self._old = old | self._old, old
        for name in touched:
            if (row := dock.row_of(name)) is not None:
                dock.row_changed(row)
        return bool(touched)
