"""What is drawn on a chart beside its bars, and the geometry it is drawn by.

A layer is asked to paint in each pane and hears the mouse before the chart does. It keeps no
pixels (the canvas does, and moves them with the bars): a projection is valid for one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from openalgo_desktop.ui.chart.series import Series


class Projection(Protocol):
    """Pixels of one pane. ``index`` counts bars from 0 and goes on before the first and after the
    last one; bars are one apart and stand at their index."""

    pane: QRectF
    number: int  # of the pane; 0 has the prices
    series: Series
    places: int  # decimals of prices
    tick: float  # tick size, rupees
    step: float  # pixels of one bar

    def x(self, index: float) -> float:
        """Pixel of a bar."""

    def index(self, x: float) -> float:
        """Bar of a pixel, with its fraction."""

    def y(self, value: float) -> float:
        """Pixel of a value of the pane: a price, or what its study gives. Knows log, percent and
        inverted scales."""

    def value(self, y: float) -> float:
        """Value of a pixel."""

    def index_of(self, time: float) -> float:
        """Bar of a moment (epoch seconds) with its fraction; beyond the ends the last interval
        goes on, over nights and holidays as if they were not there."""

    def time_of(self, index: float) -> float:
        """Moment of a bar: the inverse of :meth:`index_of`."""


class Layer(Protocol):
    """Drawings, marks, an own tool. Painted in the order of the canvas's list, asked by the mouse
    in the opposite order."""

    def paint_base(self, painter: QPainter, at: Projection) -> Iterator[None]:
        """Draw what changes only with the view, the closed bars or after ``changed``; it is kept
        as a picture. The painter is clipped to the pane. Yields after each part of a millisecond
        or more: the loop may turn there."""

    def shifted(self, at: Projection, way: float) -> Sequence[QRectF] | None:
        """The view moved along the time by ``way`` pixels to the right and nothing else: what was
        painted is moved with the bars. Answers where that is not right, beside the strip that
        came into view; None: nowhere is it right, all is painted anew."""

    def paint_again(self, painter: QPainter, at: Projection) -> None:
        """After :meth:`shifted`: draw what is kept as a picture within the painter's clip."""

    def paint_top(self, painter: QPainter, at: Projection) -> None:
        """Draw what moves with the mouse or the last price."""

    def press(self, event: QMouseEvent, at: Projection) -> bool:
        """A button went down in the pane; True takes the gesture: moves and the release come here
        then and nowhere else."""

    def move(self, event: QMouseEvent, at: Projection) -> None:
        """The pointer moved while the gesture is taken."""

    def release(self, event: QMouseEvent, at: Projection) -> None:
        """The gesture ended."""

    def hover(self, point: QPointF, at: Projection) -> Qt.CursorShape | None:
        """The pointer is over the pane, no button down: the cursor to show, None when nothing of
        the layer is there."""

    def double_click(self, event: QMouseEvent, at: Projection) -> bool:
        """True when it meant something of the layer."""

    def menu(self, point: QPointF, at: Projection) -> bool:
        """A right click; True when the layer shows a menu of its own."""

    def key(self, event: QKeyEvent) -> bool:
        """A key of the chart; True takes it."""

    def cancel(self) -> bool:
        """Give up a gesture under way (Escape, symbol changed, mode changed); True when one was."""
