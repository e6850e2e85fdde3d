"""Rows, their order and their cached cells. Ticks end here: no Qt, no signals, no formatting.

A changed row is only marked. It is formatted when it is painted next, so rows that nobody sees
cost nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from openalgo_desktop.ui.kit.tables.columns import Column

R = TypeVar("R")

#: A changed number is tinted for this long, and at most this often, seconds.
FLASH_TIME = 0.15
FLASH_EVERY = 1.0 / 3.0


class Cells:
    """What is shown of one row, per column."""

    __slots__ = ("badges", "stale", "texts", "tints", "tones", "values")

    def __init__(
        self,
        values: list[Any],
        texts: list[str],
        tones: list[str],
        tints: list[str],
        badges: dict[int, str],
        stale: bool,
    ) -> None:
        self.values = values
        self.texts = texts
        self.tones = tones
        self.tints = tints
        self.badges = badges  # by column
        self.stale = stale  # its live columns are too old

    def looks_like(self, other: Cells) -> bool:
        """Whether the same is shown."""
        return (
            self.values == other.values
            and self.texts == other.texts
            and self.tones == other.tones
            and self.tints == other.tints
            and self.badges == other.badges
            and self.stale == other.stale
        )


class RowStore(Generic[R]):
    """Rows by source index (the caller's order) and by view index (the shown order)."""

    def __init__(self, columns: Sequence[Column[R]]) -> None:
        self.columns = tuple(columns)
        #: Whether the live columns of a row are too old.
        self.is_stale: Callable[[R], bool] = lambda row: False
        #: Comes before the sorting: rows of a lower rank stay above those of a higher one.
        self.rank: Callable[[R], Any] | None = None
        self.rows: list[R] = []
        self.order: list[int] = []  # view index -> source index
        self.place: list[int] = []  # source index -> view index
        self.dirty: set[int] = set()  # source indexes to paint again
        self._cells: list[Cells | None] = []
        self._stale: set[int] = set()  # cached cells that are out of date
        self._flash: dict[tuple[int, int], tuple[float, bool]] = {}  # started at, up
        self.sort_column: int | None = None
        self.descending = False

    # -- rows -------------------------------------------------------------------------------
    def set_rows(self, rows: Sequence[R], keys: Sequence[Any] = ()) -> None:
        """Replace all rows; ``keys`` are those of :meth:`keys_of`, if they are known."""
        self.rows = list(rows)
        self._cells = [None] * len(self.rows)
        self._stale.clear()
        self._flash.clear()
        self.dirty = set(range(len(self.rows)))
        self._set_order(self._sorted(keys))

    def insert_front(self, rows: Sequence[R]) -> None:
        """Put rows before all others; cells of the others stay as they are."""
        count = len(rows)
        self.rows[:0] = rows
        self._cells[:0] = [None] * count
        self.dirty = {source + count for source in self.dirty} | set(range(count))
        self._stale = {source + count for source in self._stale}
        self._flash = {(row + count, column): at for (row, column), at in self._flash.items()}
        self._set_order(self._sorted())

    def touch(self, source: int) -> None:
        """The row has new values."""
        self.dirty.add(source)
        self._stale.add(source)

    def row_at(self, view: int) -> R:
        """The row at a view index."""
        return self.rows[self.order[view]]

    # -- order ------------------------------------------------------------------------------
    def sort(self, column: int | None, descending: bool) -> None:
        """Sort by a column; None gives the caller's order back."""
        self.sort_column = column
        self.descending = descending
        self._set_order(self._sorted())

    def resorted(self) -> bool:
        """Sort again by the current column; True when a row moved."""
        if self.sort_column is None:
            return False
        order = self._sorted()
        if order == self.order:
            return False
        self._set_order(order)
        return True

    def keys_of(self, rows: Sequence[R]) -> list[Any]:
        """What the sorting goes by, of each of these rows."""
        if self.sort_column is None:
            return []
        column = self.columns[self.sort_column]
        keys = [*map(column.value, rows)]
        if not column.numeric:
            keys = [key.casefold() if isinstance(key, str) else key for key in keys]
        return keys

    def _sorted(self, keys: Sequence[Any] = ()) -> list[int]:
        rows = self.rows
        indexes = list(range(len(rows)))
        if self.sort_column is None:
            return indexes
        keys = keys or self.keys_of(rows)
        known = [index for index in indexes if keys[index] is not None]
        known.sort(key=keys.__getitem__, reverse=self.descending)
        order = known + [index for index in indexes if keys[index] is None]
        if (rank := self.rank) is not None:
            order.sort(key=lambda index: rank(rows[index]))
        return order

    def _set_order(self, order: list[int]) -> None:
        self.order = order
        if self.sort_column is None:
            self.place = order
            return
        self.place = [0] * len(order)
        for view, source in enumerate(order):
            self.place[source] = view

    # -- cells ------------------------------------------------------------------------------
    def cells(self, view: int) -> Cells:
        """The cells of a row, formatted now if its values changed since the last time."""
        source = self.order[view]
        known = self._cells[source]
        if known is not None and source not in self._stale:
            return known
        self._stale.discard(source)
        fresh = self._format(self.rows[source], known)
        if known is not None:
            if known.looks_like(fresh):
                return known
            self._note_flashes(source, known, fresh)
        self._cells[source] = fresh
        return fresh

    def looks_new(self, source: int) -> bool:
        """Whether a changed row has something else to show than it had; formats it."""
        known = self._cells[source]
        return known is None or self.cells(self.place[source]) is not known

    def _format(self, row: R, known: Cells | None) -> Cells:
        values: list[Any] = []
        texts: list[str] = []
        for index, column in enumerate(self.columns):
            value = column.value(row)
            values.append(value)
            # A column that shows its value alone keeps its text while the value stays.
            plain = column.by_value or (column.text is None and column.actions is None)
            if known is not None and plain:
                same = value == known.values[index]
                texts.append(known.texts[index] if same else column.shown(row, value))
            else:
                texts.append(column.shown(row, value))
        tones = [column.tone(row) if column.tone else "" for column in self.columns]
        tints = [column.tint(row) if column.tint else "" for column in self.columns]
        badges = {
            index: badge
            for index, column in enumerate(self.columns)
            if column.badge is not None and (badge := column.badge(row))
        }
        return Cells(values, texts, tones, tints, badges, self.is_stale(row))

    def refresh_all(self) -> None:
        """Format everything again (the grouping of numbers changed)."""
        self._cells = [None] * len(self.rows)
        self.dirty = set(range(len(self.rows)))

    # -- flashes ----------------------------------------------------------------------------
    def _note_flashes(self, source: int, known: Cells, fresh: Cells) -> None:
        now = time.monotonic()
        for index, column in enumerate(self.columns):
            if not column.flash:
                continue
            old, new = known.values[index], fresh.values[index]
            if old is None or new is None or old == new:
                continue
            last = self._flash.get((source, index))
            if last is None or now - last[0] >= FLASH_EVERY:
                self._flash[(source, index)] = (now, new > old)

    def flash(self, view: int, column: int) -> str:
        """Colour role of a cell's tint: ``up``, ``down`` or empty."""
        entry = self._flash.get((self.order[view], column))
        if entry is None or time.monotonic() - entry[0] > FLASH_TIME:
            return ""
        return "up" if entry[1] else "down"

    def take_expired_flashes(self) -> tuple[set[int], bool]:
        """Source rows whose tint is over, and whether others still shine."""
        now = time.monotonic()
        expired: set[int] = set()
        shining = False
        for key, (started, _) in list(self._flash.items()):
            if now - started > FLASH_EVERY:
                del self._flash[key]
                expired.add(key[0])
            elif now - started > FLASH_TIME:
                expired.add(key[0])
                shining = True
            else:
                shining = True
        return expired, shining

    @property
    def flashing(self) -> bool:
        """Whether any cell is or was tinted a moment ago."""
        return bool(self._flash)
