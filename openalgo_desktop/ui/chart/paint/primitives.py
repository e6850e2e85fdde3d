"""numpy into Qt's batched drawing calls.

pyqtgraph has a bridge that hands the array's memory to Qt. It is an internal of pyqtgraph, so it
is used here only, and when it is missing or does not work the slow way takes over.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]


class SlowArray:
    """The same interface with a list of Qt objects per call."""

    def __init__(self, kind: type) -> None:
        self._kind = kind
        self._values: Floats = np.empty((0, 4))

    def resize(self, size: int) -> None:
        self._values = np.empty((size, 4))

    def ndarray(self) -> Floats:
        return self._values

    def drawargs(self) -> tuple[Any, ...]:
        return ([self._kind(*row) for row in self._values.tolist()],)


def _make(kind: type, fast: bool) -> Any:
    if fast:
        try:
            from pyqtgraph.Qt.internals import PrimitiveArray

            array = PrimitiveArray(kind, 4)
            array.resize(1)
            array.ndarray()[:] = 0.0
            array.drawargs()
            return array
        except Exception:
            log.warning("pyqtgraph's array bridge is not usable: charts draw slower")
    return SlowArray(kind)


class Lines:
    """A batch of lines: fill ``array(n)`` with x1, y1, x2, y2 and draw it with the current pen."""

    def __init__(self, fast: bool = True) -> None:
        self._array = _make(QLineF, fast)

    def array(self, size: int) -> Floats:
        """Room for ``size`` lines; valid until the next call."""
        self._array.resize(size)
        values: Floats = self._array.ndarray()
        return values

    def draw(self, painter: QPainter) -> None:
        """One call for the whole batch."""
        painter.drawLines(*self._array.drawargs())


class Rects:
    """A batch of rectangles: x, y, width, height; drawn with the current pen and brush."""

    def __init__(self, fast: bool = True) -> None:
        self._array = _make(QRectF, fast)

    def array(self, size: int) -> Floats:
        """Room for ``size`` rectangles; valid until the next call."""
        self._array.resize(size)
        values: Floats = self._array.ndarray()
        return values

    def draw(self, painter: QPainter) -> None:
        """One call for the whole batch."""
        painter.drawRects(*self._array.drawargs())
