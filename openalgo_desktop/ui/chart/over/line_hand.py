"""Dragging and closing the lines of a chart by the mouse.

A line is taken by its tag or within a few pixels of it. What was meant comes out once, on release:
a new price, or the end of a line whose x was pressed and released.
"""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QPoint

from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.overlay import Overlay

#: A drag that moves less than this is a click, pixels.
SLACK = 4


class Gesture(NamedTuple):
    """What came of a press: ``price`` None asks to end the line."""

    line: PriceLine
    price: float | None


class LineHand:
    """One of a canvas."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._line: PriceLine | None = None
        self._from = QPoint()
        self._closing = False
        self._shown: tuple[QPoint, float] | None = None  # where the ghost was put, and its price

    @property
    def busy(self) -> bool:
        """Whether a line is held."""
        return self._line is not None

    def over(self, at: QPoint) -> str:
        """What is under the pointer: ``close``, ``drag`` or nothing."""
        line, on_close = self._overlay.line_at(at)
        if line is None:
            return ""
        return "close" if on_close else "drag" if line.draggable else ""

    def press(self, at: QPoint) -> bool:
        """Whether a line is taken by it."""
        line, on_close = self._overlay.line_at(at)
        if line is None or not (on_close or line.draggable):
            return False
        self._line, self._from, self._closing = line, at, on_close
        self._shown = None
        return True

    def move(self, at: QPoint) -> Gesture | None:
        """Show where the line would go, and say it; None while it is not dragged."""
        if self._line is None or self._closing or not self._far(at):
            return None
        price = self._overlay.frame.price(at.y())
        self._shown = (at, price)
        self._overlay.set_ghost(self._line, price)
        return Gesture(self._line, price)

    def _far(self, at: QPoint) -> bool:
        return abs(at.y() - self._from.y()) >= SLACK

    def release(self, at: QPoint) -> Gesture | None:
        """What was meant. The ghost stays: who acts on it takes it away."""
        line, closing, far = self._line, self._closing, self._far(at)
        if line is None:
            return None
        self._line = None
        now, on_close = self._overlay.line_at(at)
        if closing:
            same = on_close and now is not None and now.line_id == line.line_id
            return Gesture(line, None) if same else None
        if not far or not self._overlay.frame.takes(at.y()):
            self._overlay.set_ghost(None)
            if not far:  # a click
                self._overlay.choose(line.line_id)
            return None
        shown = self._shown
        if shown is not None and shown[0] == at:
            # The scale may have moved under a hand that was still: what it read is meant.
            return Gesture(line, shown[1])
        return Gesture(line, self._overlay.frame.price(at.y()))

    def give_up(self) -> bool:
        """Forget what is held; whether something was."""
        held, self._line = self._line is not None, None
        self._overlay.set_ghost(None)
        return held

    def lines_changed(self) -> None:
        """A line that is gone cannot be moved."""
        if self._line is not None and not self._overlay.has_line(self._line.line_id):
            self.give_up()
