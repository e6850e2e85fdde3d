"""What a layer of drawings has painted: the finished ones in the kept picture, what is in hand on
top; and which of them is at a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from PySide6.QtCore import QObject, QPointF, QRectF
from PySide6.QtGui import QPainter

from openalgo_desktop.core.charting.drawings.geometry import picture
from openalgo_desktop.core.charting.drawings.geometry.sheet import Point
from openalgo_desktop.core.charting.drawings.geometry.touch import handle_at, hits
from openalgo_desktop.core.charting.drawings.model import Drawing
from openalgo_desktop.ui.chart.drawings import ink
from openalgo_desktop.ui.chart.drawings.board import Board
from openalgo_desktop.ui.chart.drawings.moving import Grab
from openalgo_desktop.ui.chart.drawings.pane import DrawingPane, edges_of, view_of
from openalgo_desktop.ui.chart.drawings.placing import Placing
from openalgo_desktop.ui.chart.drawings.shown import Shown, ShownDrawings
from openalgo_desktop.ui.chart.layer import Projection

#: So near a stroke or a handle the pointer means it, pixels.
REACH, HANDLE_REACH = 5.0, 8.0
#: Pane of the prices: drawings are of prices and stand there only.
PRICES = 0


class DrawnLayer(QObject):
    """The half of a layer that only looks."""

    def __init__(self, board: Board, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.board = board
        self.seen = ShownDrawings()  # as painted last
        self._placing: Placing | None = None
        self._passing: Drawing | None = None  # a measure that the next click ends
        self._grab: Grab | None = None
        self._held: list[Drawing] = []  # what is grabbed, as it is now
        self._hovered = ""

    # -- painting ---------------------------------------------------------------------------
    def paint_base(self, painter: QPainter, at: Projection) -> Iterator[None]:
        if at.number != PRICES:
            return
        self._make(at)
        shown = tuple(self.seen)  # the hand may look for them elsewhere meanwhile
        yield
        for one in shown:
            self._paint_seen(painter, at, one)
            yield

    def _make(self, at: Projection) -> None:
        self.seen.make(self.board.shown, partial(DrawingPane, at), edges_of(at), view_of(at))

    def shifted(self, at: Projection, way: float) -> Sequence[QRectF] | None:
        if at.number != PRICES:
            return ()
        if not self.seen.follows(view_of(at), way):
            return None
        found = self.seen.shift(way, partial(DrawingPane, at), edges_of(at), view_of(at))
        return [QRectF(QPointF(*box[:2]), QPointF(*box[2:])) for box in found]

    def paint_again(self, painter: QPainter, at: Projection) -> None:
        if at.number != PRICES:
            return
        self._look(at)
        pane, place = DrawingPane(at), painter.clipBoundingRect()
        for one in self.seen:
            if one.reaches(pane, place.left(), place.right()):
                self._paint_seen(painter, at, one)

    def _paint_seen(self, painter: QPainter, at: Projection, one: Shown) -> None:
        held = {row.ident for row in self._held if not (self._grab and self._grab.copies)}
        if one.drawing.ident not in held:
            painter.translate(one.shift, 0.0)
            ink.paint(painter, one.picture, DrawingPane(at), one.shift)
            painter.translate(-one.shift, 0.0)

    def paint_top(self, painter: QPainter, at: Projection) -> None:
        if at.number != PRICES:
            return
        pane = DrawingPane(at)
        moving = {row.ident for row in self._held}
        for row in self._held:
            made = picture(row, pane)
            ink.paint(painter, made, pane)
            ink.paint_handles(painter, made)
        marked = {*self.board.chosen, self._hovered} - moving - {""}
        if marked:
            self._look(at)
        for ident in marked:
            if (one := self.seen.get(ident)) is not None:
                faint = ident not in self.board.chosen
                painter.translate(one.shift, 0.0)
                ink.paint_handles(painter, one.picture, faint=faint)
                painter.translate(-one.shift, 0.0)
        if self._passing is not None:
            ink.paint(painter, picture(self._passing, pane), pane)
        if self._placing is not None:
            made = picture(self._placing.preview(), pane)
            ink.paint(painter, made, pane)
            ink.paint_handles(painter, made)

    # -- finding ----------------------------------------------------------------------------
    def _look(self, at: Projection) -> None:
        """See the drawings where they are: a picture that is stretched was painted elsewhere."""
        if self.seen.view != view_of(at):
            self._make(at)

    def drawing_at(self, point: QPointF, at: Projection) -> Drawing | None:
        """The topmost drawing at a place; of chosen ones the inside counts, too."""
        self._look(at)
        pane, place = DrawingPane(at), Point(point.x(), point.y())
        for row in reversed(self.board.shown):
            one = self.seen.get(row.ident)
            room = one.room(pane) if one is not None else None
            if one is None or room is None or not room.holds(*place, REACH + 2):
                continue
            there, filled = place.by(-one.shift, 0.0), row.ident in self.board.chosen
            if hits(one.picture, there, pane, REACH, filled=filled):
                return row
        return None

    def _handle(self, place: Point, at: Projection) -> tuple[Drawing, int] | None:
        if self.board.chosen:
            self._look(at)
        for row in reversed(self.board.chosen_ones):
            if (one := self.seen.get(row.ident)) is None:
                continue
            number = handle_at(one.picture, place.by(-one.shift, 0.0), HANDLE_REACH)
            if number is not None and not self.board.tool_of(row).hand:
                return row, number
        return None
