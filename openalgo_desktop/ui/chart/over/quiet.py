"""A layer that is only looked at: the mouse goes through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from openalgo_desktop.ui.chart.layer import Projection


class QuietLayer:
    """Implements :class:`~openalgo_desktop.ui.chart.layer.Layer`; paints nothing by itself."""

    def paint_base(self, painter: QPainter, at: Projection) -> Iterator[None]:
        """Nothing in the kept picture."""
        yield from ()

    def shifted(self, at: Projection, way: float) -> Sequence[QRectF] | None:
        """What it has in the kept picture stands at the bars and moves with them."""
        return ()

    def paint_again(self, painter: QPainter, at: Projection) -> None:
        """The same as all of it, within the painter's clip."""
        for _ in self.paint_base(painter, at):
            pass

    def paint_top(self, painter: QPainter, at: Projection) -> None:
        """Nothing on top."""

    def press(self, event: QMouseEvent, at: Projection) -> bool:
        """Takes no gesture."""
        return False

    def move(self, event: QMouseEvent, at: Projection) -> None:
        """No gesture, no moves."""

    def release(self, event: QMouseEvent, at: Projection) -> None:
        """No gesture, no end."""

    def hover(self, point: QPointF, at: Projection) -> Qt.CursorShape | None:
        """Nothing is here."""
        return None

    def double_click(self, event: QMouseEvent, at: Projection) -> bool:
        """Means nothing."""
        return False

    def menu(self, point: QPointF, at: Projection) -> bool:
        """Has no menu."""
        return False

    def key(self, event: QKeyEvent) -> bool:
        """Takes no key."""
        return False

    def cancel(self) -> bool:
        """Holds nothing."""
        return False
