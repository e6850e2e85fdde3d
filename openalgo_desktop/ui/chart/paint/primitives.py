"""numpy into Qt's batched drawing calls.

Qt's painter draws an array of C++ lines or rectangles in one call. PySide takes a wrapped object as
the array's beginning, and shiboken wraps any address: so the memory of a numpy array of four
doubles a row is handed over as it is. Where that does not work a list of Qt objects takes over.
"""

from __future__ import annotations

import logging
from typing import Any, cast

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter, QPolygonF
from shiboken6 import Shiboken

from openalgo_desktop.ui.chart.series import Floats

log = logging.getLogger(__name__)

#: Bytes of a QPointF.
_POINT = 16


class Batch:
    """Rows of four numbers: ``array(n)`` to fill, ``draw`` to draw them."""

    kind: type = QLineF

    def __init__(self, fast: bool = True) -> None:
        self._room: Floats = np.zeros((64, 4))
        self._size = 0
        self._wrapped: Any = None
        self._fast = fast and self._works()

    def _works(self) -> bool:
        try:
            self._wrap()
            return bool(self._wrapped == self.kind(0.0, 0.0, 0.0, 0.0))
        except Exception:
            log.warning("arrays cannot be handed to Qt here: charts draw slower", exc_info=True)
            return False

    def _wrap(self) -> None:
        self._wrapped = Shiboken.wrapInstance(self._room.ctypes.data, self.kind)

    def array(self, size: int) -> Floats:
        """Room for ``size`` rows; valid until the next call."""
        if size > len(self._room):
            self._room = np.zeros((max(size, 2 * len(self._room)), 4))
            if self._fast:
                self._wrap()
        self._size = size
        return self._room[:size]

    def _rows(self) -> list[Any]:
        return [self.kind(*row) for row in self._room[: self._size].tolist()]


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
    """A batch of rectangles: x, y, width, height; drawn with the current pen and brush."""

    kind = QRectF

    def draw(self, painter: QPainter) -> None:
        """One call for the whole batch."""
        if self._fast and self._size:
            cast(Any, painter).drawRects(self._wrapped, self._size)
        elif self._size:
            painter.drawRects(self._rows())


def polygon(points: Floats, fast: bool = True) -> QPolygonF:
    """Points (rows of x, y) as Qt's polygon."""
    if not fast or not len(points):
        return QPolygonF([QPointF(x, y) for x, y in points.tolist()])
    found = QPolygonF()
    found.resize(len(points))
    memory = cast(Any, Shiboken.VoidPtr)(found.data(), len(points) * _POINT, True)
    np.frombuffer(memory, np.float64).reshape(-1, 2)[:] = points
    return found
