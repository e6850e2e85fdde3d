"""What a transform gives: rows in columns, kept in arrays that grow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from openalgo_desktop.core.charting.columns import Floats, Ints
from openalgo_desktop.core.gently import Pace

AnyColumn: TypeAlias = npt.NDArray[Any]
NAN = float("nan")
#: Rows that become columns in one go, a millisecond or less: no other thread runs meanwhile.
_PIECE = 500


class Row(NamedTuple):
    """One candle, brick, line or column. ``source`` is the index of the bar that brought it to
    its end so far; ``direction`` 1 up, -1 down. ``thick`` and ``turn`` are those of Kagi."""

    source: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    oi: float
    direction: int
    thick: int = 0
    turn: float = NAN


class TransformedBars(NamedTuple):
    """Rows in columns, oldest first; views that the next change makes invalid.

    ``time`` is that of the ``source`` bar, never descending, with several rows of one time where a
    bar brought several: the row of a moment is ``searchsorted(time, moment)``. Open and close are
    the ends of a brick, a line or a column; of point and figure the levels of its first and last
    box. Prices rupees, ``volume`` and ``oi`` units. ``thick`` (Kagi) says how a line ends, 1 yang,
    0 yin; ``turn`` is the price at which it changed on the way there, NaN where it did not.
    ``forming`` says that the last row is not there yet: it changes with the last bar or goes.
    """

    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    oi: Floats
    direction: Ints
    source: Ints
    thick: Ints
    turn: Floats
    forming: bool = False

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.time)

    @classmethod
    def of(cls, rows: Sequence[Row], time: Ints, forming: bool = False) -> TransformedBars:
        """Columns of rows; ``time`` is that of the bars. A thread that makes many lets others run
        meanwhile."""
        if len(rows) > _PIECE:
            pieces, pace = [], Pace()
            for first in range(0, len(rows), _PIECE):
                pieces.append(cls.of(rows[first : first + _PIECE], time)[:-1])
                pace.keep()
            return cls._make((*map(np.concatenate, zip(*pieces, strict=True)), forming))
        columns = zip(*rows, strict=True) if rows else ((),) * len(Row._fields)
        source, o, h, low, c, volume, oi, direction, thick, turn = map(np.array, columns)
        index = source.astype(np.int64)
        prices = (o.astype(np.float64), h, low, c)
        signs, weights = direction.astype(np.int64), thick.astype(np.int64)
        return cls(time[index], *prices, volume, oi, signs, index, weights, turn, forming)


class RowStore:
    """Columns of rows with room to grow, so that a row more costs the same at any length."""

    def __init__(self) -> None:
        self._rows: TransformedBars = TransformedBars.of((), np.empty(0, np.int64))
        self._size = 0
        self._forming = False

    def replace(self, first: int, rows: TransformedBars) -> None:
        """Have ``rows`` in place of those from index ``first`` on."""
        last = first + rows.size
        if last > self._rows.size:
            self._rows = TransformedBars._make(
                (*map(partial(self._larger, 2 * last), self._rows[:-1]), False)
            )
        for column, fresh in zip(self._rows[:-1], rows[:-1], strict=True):
            column[first:last] = fresh
        self._size = last
        self._forming = rows.forming

    def _larger(self, room: int, column: AnyColumn) -> AnyColumn:
        larger = np.empty(room, column.dtype)
        larger[: self._size] = column[: self._size]
        return larger

    @property
    def view(self) -> TransformedBars:
        """All rows."""
        columns = (column[: self._size] for column in self._rows[:-1])
        return TransformedBars._make((*columns, self._forming))
