"""numpy into Qt's batched drawing calls.

Qt's painter draws an array of C++ lines or rectangles in one call. PySide takes a wrapped object as
the array's beginning, and shiboken wraps any address: so the memory of a numpy array of four
numbers a row is handed over as it is. Where that does not work a list of Qt objects takes over.
"""

from __future__ import annotations

import logging
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRect
from PySide6.QtGui import QPainter, QPolygonF
from shiboken6 import Shiboken

from openalgo_desktop.ui.chart.series import Floats

log = logging.getLogger(__name__)

#: Bytes of a QPointF.
_POINT = 16

Rows: TypeAlias = npt.NDArray[Any]


class Batch:
    """Rows of four numbers: ``array(n)`` to fill, ``draw`` to draw them."""

    kind: type = QLineF
    number: npt.DTypeLike = np.float64

    def __init__(self, fast: bool = True) -> None:
        self._room = np.zeros((64, 4), self.number)
        self._size = 0
        self._wrapped: Any = None
        self._fast = fast and self._works()

    def _works(self) -> bool:
        self._room[0] = (1, 2, 3, 4)
        try:
            self._wrap()
            return bool(self._wrapped == self._one(self._room[0].tolist()))
        except Exception:
            log.warning("arrays cannot be handed to Qt here: charts draw slower", exc_info=True)
            return False

    def _wrap(self) -> None:
        self._wrapped = Shiboken.wrapInstance(self._room.ctypes.data, self.kind)

    def array(self, size: int) -> Rows:
        """Room for ``size`` rows; valid until the next call."""
        if size > len(self._room):
            self._room = np.zeros((max(size, 2 * len(self._room)), 4), self.number)
            if self._fast:
                self._wrap()
        self._size = size
        return self._room[:size]

    def _one(self, row: list[Any]) -> Any:
        return self.kind(*row)

    def _rows(self) -> list[Any]:
        return [self._one(row) for row in self._room[: self._size].tolist()]


class Lines(Batch):
    """A batch of lines: x1, y1, x2, y2; drawn with the current pen."""

    kind = QLineF

    def draw(self, painter: QPainter) -> None:
        """One call for the whole batch."""
        if self._fast and self._size:
            cast(Any, painter).drawLines(self._wrapped, self._size)
        elif self._size:
            painter.drawLines(self._rows())


class Rects(Batch):
    """A batch of rectangles: x, y, width, height, whole numbers; drawn with the current pen and
    brush, and once only. Qt fills those row by row; others it fills as it does shapes, for twice
    the time."""

    kind = QRect
    number = np.int32

    def draw(self, painter: QPainter) -> None:
        """One call for the whole batch."""
        rows = self._room[: self._size]
        rows[:, 2:] += rows[:, :2]
        rows[:, 2:] -= 1  # Qt keeps the last pixel
        if self._fast and self._size:
            cast(Any, painter).drawRects(self._wrapped, self._size)
        elif self._size:
            painter.drawRects(self._rows())

    def _one(self, row: list[Any]) -> Any:
        left, top, last, foot = row
        return QRect(left, top, last - left + 1, foot - top + 1)


def polygon(points: Floats, fast: bool = True) -> QPolygonF:
    """Points (rows of x, y) as Qt's polygon."""
    if not fast or not len(points):
        return QPolygonF([QPointF(x, y) for x, y in points.tolist()])
    found = QPolygonF()
    found.resize(len(points))
    memory = cast(Any, Shiboken.VoidPtr)(found.data(), len(points) * _POINT, True)
    np.frombuffer(memory, np.float64).reshape(-1, 2)[:] = points
    return found
