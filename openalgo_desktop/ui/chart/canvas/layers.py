"""The layers of a canvas: painted from the bottom up, asked by the mouse from the top down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.layer import Layer


class Layers:
    """A gesture that a layer took is its own until the button is let go."""

    def __init__(self) -> None:
        self._list: list[Layer] = []
        self._taken: tuple[Layer, int] | None = None  # and the number of its pane

    def __contains__(self, layer: Layer) -> bool:
        return any(one is layer for one in self._list)

    @property
    def taken(self) -> int | None:
        """Number of the pane in which a gesture was taken."""
        return None if self._taken is None else self._taken[1]

    def add(self, layer: Layer) -> None:
        """Put a layer on top."""
        if layer not in self:
            self._list.append(layer)

    def remove(self, layer: Layer) -> None:
        """Take a layer away; a gesture of it is given up."""
        if self._taken is not None and self._taken[0] is layer:
            self.cancel()
        self._list = [one for one in self._list if one is not layer]

    # -- painting -----------------------------------------------------------------------------
    def paint_base(self, painter: QPainter, at: At) -> Iterator[None]:
        """Each draws what is kept as a picture, in parts."""
        for layer in tuple(self._list):
            painter.save()
            try:
                yield from layer.paint_base(painter, at)
            finally:
                painter.restore()

    def shifted(self, at: At, way: float) -> Sequence[QRectF] | None:
        """Where what they painted is not right after a move along the time; None: nowhere."""
        found = [layer.shifted(at, way) for layer in self._list]
        return None if None in found else [rect for rects in found for rect in rects or ()]

    def paint_again(self, painter: QPainter, at: At) -> None:
        """Each draws what is kept, within the painter's clip."""
        for layer in self._list:
            painter.save()
            layer.paint_again(painter, at)
            painter.restore()

    def paint_top(self, painter: QPainter, at: At) -> None:
        """Each draws what moves."""
        for layer in self._list:
            painter.save()
            layer.paint_top(painter, at)
            painter.restore()

    def __len__(self) -> int:
        return len(self._list)

    # -- mouse and keys -----------------------------------------------------------------------
    def press(self, event: QMouseEvent, at: At) -> bool:
        """Whether a layer takes the gesture that begins."""
        for layer in reversed(self._list):
            if layer.press(event, at):
                self._taken = (layer, at.number)
                return True
        return False

    def move(self, event: QMouseEvent, at: At) -> None:
        """The pointer moved while a gesture is taken."""
        if self._taken is not None:
            self._taken[0].move(event, at)

    def release(self, event: QMouseEvent, at: At) -> None:
        """The gesture ended."""
        taken, self._taken = self._taken, None
        if taken is not None:
            taken[0].release(event, at)

    def hover(self, point: QPointF, at: At) -> Qt.CursorShape | None:
        """The cursor of the topmost layer that has something there. All hear of it, so that none
        goes on to mark what the pointer left."""
        found = [layer.hover(point, at) for layer in reversed(self._list)]
        return next((shape for shape in found if shape is not None), None)

    def double_click(self, event: QMouseEvent, at: At) -> bool:
        """Whether it meant something of a layer."""
        return self._any(lambda layer: layer.double_click(event, at))

    def menu(self, point: QPointF, at: At) -> bool:
        """Whether a layer shows a menu of its own."""
        return self._any(lambda layer: layer.menu(point, at))

    def key(self, event: QKeyEvent) -> bool:
        """Whether a layer takes a key."""
        return self._any(lambda layer: layer.key(event))

    def cancel(self) -> bool:
        """Give up what is under way in any layer; True when something was."""
        self._taken = None
        held = [layer.cancel() for layer in reversed(self._list)]
        return any(held)

    def _any(self, ask: Callable[[Layer], bool]) -> bool:
        return any(ask(layer) for layer in reversed(self._list))
