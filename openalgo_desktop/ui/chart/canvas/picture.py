"""The kept picture of a chart: all that changes only with the view, the style or a closed bar."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from typing import Any, Final, NamedTuple, cast

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap, QRegion

from openalgo_desktop.ui.chart.canvas.content import Content
from openalgo_desktop.ui.chart.canvas.draft import Piece, Stretched, Worn, stretched
from openalgo_desktop.ui.chart.canvas.ground import Ground, Moved, Seen, device
from openalgo_desktop.ui.chart.canvas.layers import Layers
from openalgo_desktop.ui.chart.canvas.pane import Pane
from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.canvas.stage import Stage
from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.chart.paint.ink import Ink

#: What lines and texts at the edge of a view reach over it and are cut off there, pixels.
EDGE = 12.0
#: More places than this are drawn again as one.
PLACES = 8
#: A picture that takes longer is not drawn at each step of a hand that zooms, seconds of CPU.
SLOW = 0.008

#: Said by a job that has ended.
DONE: Final = object()
#: So many device pixels more than it needs are drawn where a hand pans to.
AHEAD = 96


class Ahead(NamedTuple):
    """A strip where a hand pans to: that of the view ``seen`` between two device pixels."""

    pixmap: QPixmap
    seen: Seen
    begin: int
    end: int

    def holds(self, now: Seen, begin: int, end: int) -> bool:
        """Whether it has these pixels (its own), as they are in the view of now."""
        seen = self.seen
        same = seen[:3] == now[:3] and abs(seen.pitch - now.pitch) <= 1e-12 * now.pitch
        values = [(one.place, one.values) for one in seen.panes]
        same = same and values == [(one.place, one.values) for one in now.panes]
        return same and self.begin <= begin and end <= self.end


class Picture:
    """The ground with what layers keep on it. ``renders`` counts how often it was drawn,
    ``wholes`` how often what layers keep was drawn anew in all panes."""

    def __init__(self, stage: Stage, layers: Layers) -> None:
        self._stage = stage
        self._layers = layers
        self.ink = Ink()
        self._texts = Texts()
        self.base = Ground(stage, self.ink, self._texts)
        self._valid = False
        self._layered = False  # what layers keep is as it was drawn, but for the view
        self.renders = self.wholes = 0
        self._live: list[tuple[Pane, QRectF]] = []
        self._front = QPixmap()  # the picture with the forming bar
        self._front_of = 0  # the render that it shows, or could show
        self._fronted = self._formed = False  # it is there; it shows the forming bar of now
        self._over = QPixmap()  # the ground with what layers keep
        self._shown = QPixmap()  # the one of them that is seen, or a draft
        self._shown_by: Seen | None = None  # None where it is not right
        self._exact: QPixmap | None = None  # the one that was drawn last, and its view
        self._exact_by: Seen | None = None
        self._drafts = (QPixmap(), QPixmap())
        self.hasty = False  # a hand moves the view: a draft is enough until :meth:`settle`
        self._ahead: Ahead | None = None
        self._job: Generator[object] | None = None  # the exact picture that is being drawn
        self._spent, self._before = 0.0, 0  # by it, and wholes of the ground before
        self._worn = Worn()  # the draft that is seen
        self.patience = SLOW
        self.cost = 0.0  # seconds of CPU that the last whole picture took
        self.restyle()

    @property
    def content(self) -> Content:
        """What stands at the bars."""
        return self.base.content

    def restyle(self) -> None:
        """Take the fonts and colours in force."""
        self.ink.restyle()
        self._texts.restyle()
        self.forget()

    def forget(self) -> None:
        """All of it is another now."""
        self.base.forget()
        self.layers_changed()

    def layers_changed(self) -> None:
        """What layers keep is another now; the bars are what they were."""
        self._drop()
        self._valid = self._layered = False
        self._shown_by = self._exact_by = self._ahead = None

    @property
    def slow(self) -> bool:
        """Whether it takes so long to draw that a hand would feel it."""
        return self.cost > self.patience

    @property
    def is_draft(self) -> bool:
        """Whether what is seen is a draft."""
        return self._shown is self._drafts[0] or self._shown is self._drafts[1]

    def settle(self) -> bool:
        """The hand rests: the next picture is exact. True when the one that is seen is none."""
        drafted, self.hasty = self.is_draft, False
        self._drop()
        if drafted:
            self._valid = False
        return drafted

    def touch(self) -> None:
        """The view moved."""
        self._drop()
        self._valid = False

    def pixmap(self) -> QPixmap:
        """The picture, drawn again when it must be."""
        if not self._valid:
            self.renders += 1
            if not (self.hasty and self._draft()):
                self._draw()
            self._valid = True
        return self._shown

    def _draw(self) -> None:
        self._drop()
        began = time.thread_time()
        moved = self.base.update()
        self._finish(moved)
        if moved is None:
            self.cost = time.thread_time() - began

    def _turns(self) -> Generator[object]:
        """Draw the exact picture while a draft is seen, which is another pixmap."""
        layered, self._layered = self._layered, False
        self._exact_by = None
        moved = yield from self.base.turns()
        yield None
        self._layered = layered
        self._finish(moved)

    def turn(self) -> bool:
        """The hand rests: draw a part of the exact picture, a few milliseconds. True once it is
        seen."""
        if not self.is_draft:
            self.hasty = False
            return True
        if self._job is None:
            self._job, self._spent, self._before = self._turns(), 0.0, self.base.wholes
        began = time.thread_time()
        more = next(self._job, DONE)
        self._spent += time.thread_time() - began
        if more is not DONE:
            return False
        if self.base.wholes > self._before:
            self.cost = self._spent
        self._job, self.hasty, self._valid = None, False, True
        self.renders += 1
        return True

    def _drop(self) -> None:
        if self._job is not None:
            self._job.close()
            self._job = None

    def _finish(self, moved: Moved | None) -> None:
        """The ground is drawn: now what layers keep on it, then all of it is seen."""
        shown = len(self._layers) > 0 and len(self._stage.series) > 0
        if shown:
            if moved is None or not self._layered:
                self._draw_layers()
            else:
                self._move_layers(moved)
        if self.is_draft:
            self._drafts, self._ahead = (QPixmap(), QPixmap()), None
        self._layered, self._worn = shown, Worn()
        self._shown = self._over if shown else self.base.pixmap
        self._shown_by = self._exact_by = self.base.see()
        self._exact = self._shown

    def _draft(self) -> bool:
        """Stretch what is seen to the view of now, and draw what came into it; False where that
        cannot be done. What a study has above and below the pane comes with the exact picture."""
        now = self.base.see()
        found = self._source(now)
        if found is None:
            return False
        source, way, worn = found
        draft = self._drafts[self._shown is self._drafts[0]]
        if draft.size() != source.size():
            draft.swap(QPixmap(source.size()))
        draft.setDevicePixelRatio(now.ratio)
        sides = way.pieces[0].sides
        ahead = self._look_ahead(now, *sides[0]) if way.plain and len(sides) == 1 else None
        painter = QPainter(draft)
        painter.setFont(self._texts.font)
        for piece in way.pieces:
            self._draft_pane(painter, source, piece, ahead)
        self.base.around(painter)
        painter.end()
        self._shown, self._shown_by = draft, now
        self._worn = worn
        return True

    def _source(self, now: Seen) -> tuple[QPixmap, Stretched, Worn] | None:
        """What a draft is made of: the exact picture where that has all of it, else what is seen;
        and how far from exact it will be."""
        panes = self._stage.panes
        if self._exact_by is not None and self._exact is not None:
            whole = stretched(self._exact_by, now, panes)
            if whole is not None and not any(piece.sides for piece in whole.pieces):
                return self._exact, whole, Worn().by(whole)
        found = None if self._shown_by is None else stretched(self._shown_by, now, panes)
        if found is None:
            return None
        worn = self._worn.by(found)
        return (self._shown, found, worn) if worn.bearable else None

    def _draft_pane(
        self, painter: QPainter, source: QPixmap, piece: Piece, ahead: tuple[QPixmap, int] | None
    ) -> None:
        pane = piece.pane
        painter.setClipRect(pane.rect)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawPixmap(piece.place, source, piece.source)
        for end in piece.ends:
            self.base.empty(painter, pane, end)
        if ahead is not None:
            for left, right in piece.sides:
                painter.setClipRect(QRectF(left, pane.rect.top(), right - left, pane.rect.height()))
                painter.drawPixmap(QPointF(-ahead[1] / self._stage.ratio, 0.0), ahead[0])
        else:
            self._draft_strips(painter, piece)
        painter.setClipping(False)

    def _draft_strips(self, painter: QPainter, piece: Piece) -> None:
        pane = piece.pane
        places = [self.base.strip(painter, pane, *side) for side in piece.sides]
        if len(self._layers):
            for place in (*piece.ends, *places):
                painter.setClipRect(place & pane.rect)
                self._layers.paint_again(painter, self._stage.at(pane))

    def _look_ahead(self, now: Seen, left: float, right: float) -> tuple[QPixmap, int]:
        """A picture that has what lies between two pixels of now, and by how many device pixels it
        is of a later view: a hand that pans goes on, so more is drawn than it needs now."""
        stage, ratio = self._stage, now.ratio
        begin, end = math.floor(left * ratio), math.ceil(right * ratio)
        kept = self._ahead
        if kept is not None:
            way = round((kept.seen.left - now.left) * now.pitch)
            if kept.holds(now, begin - way, end - way):
                return kept.pixmap, -way
        way = AHEAD if begin > 0 else -AHEAD
        begin, end = (begin - way, end) if way > 0 else (begin, end - way)
        pixmap = QPixmap(now.width, now.height) if kept is None else kept.pixmap
        pixmap.setDevicePixelRatio(ratio)
        with stage.shifted(way / now.pitch):
            painter = QPainter(pixmap)
            painter.setFont(self._texts.font)
            for pane in stage.panes:
                side = (begin / ratio, end / ratio)
                self._draft_strips(painter, Piece(pane, pane.rect, pane.rect, (side,), ()))
                painter.setClipping(False)
            painter.end()
            self._ahead = Ahead(pixmap, self.base.see(), begin, end)
        return pixmap, -way

    def _painter(self) -> QPainter:
        painter = QPainter(self._over)
        painter.setFont(self._texts.font)
        return painter

    def _copy(self, painter: QPainter) -> None:
        """The ground, as far as the painter is clipped."""
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawPixmap(0, 0, self.base.pixmap)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)

    def _draw_layers(self) -> None:
        self.wholes += 1
        ground = self.base.pixmap
        if self._over.size() != ground.size():
            self._over = QPixmap(ground.size())
        self._over.setDevicePixelRatio(self._stage.ratio)
        painter = self._painter()
        self._copy(painter)
        for pane in self._stage.panes:
            painter.save()
            painter.setClipRect(pane.rect, Qt.ClipOperation.IntersectClip)
            self._layers.paint_base(painter, self._stage.at(pane))
            painter.restore()
        self.base.rules(painter)
        painter.end()

    def _move_layers(self, moved: Moved) -> None:
        """Move what is there, and draw what came into view and what did not move with it."""
        stage, way = self._stage, moved.way
        area, ratio = stage.area, stage.ratio
        wide = self.base.scroll(self._over, way)
        painter = self._painter()
        full = QRectF(0.0, 0.0, stage.width, stage.height)
        for rest in (full.adjusted(area.right(), 0, 1, 1), full.adjusted(0, area.bottom(), 1, 1)):
            painter.setClipRect(rest)
            self._copy(painter)
        begin, end = (wide - way, wide) if way > 0 else (0, -way)
        strip = QRectF(begin / ratio - EDGE, 0.0, (end - begin) / ratio + 2 * EDGE, area.height())
        for pane in stage.panes:
            at = stage.at(pane)
            again = self._again(pane, at, moved)
            if again is None:
                painter.setClipRect(pane.rect)
                self._copy(painter)
                self._layers.paint_base(painter, at)
                continue
            for rect in _places([strip, *again] if way else [], pane.rect):
                painter.setClipRect(rect)
                self._copy(painter)
                self._layers.paint_again(painter, at)
        painter.setClipping(False)
        self.base.rules(painter)
        painter.end()

    def _again(self, pane: Pane, at: At, moved: Moved) -> Sequence[QRectF] | None:
        if pane in moved.changed:
            return None
        return self._layers.shifted(at, moved.way / at.ratio) if moved.way else ()

    def find_live(self) -> list[QRectF]:
        """Where the forming bar can be, in each pane; found once after each change."""
        stage = self._stage
        foot = [stage.foot] if stage.foot is not None else []
        found = [(pane, self.content.live_rect(pane)) for pane in (*foot, *stage.panes)]
        self._live = [(pane, rect) for pane, rect in found if rect.width() > 0]
        self._formed = False
        return [rect for _, rect in self._live]

    def front(self) -> QPixmap | None:
        """The picture with the forming bar, for when only the pointer moves; None when the picture
        has just been drawn: that of the next moment may be another, and to copy it takes time."""
        picture = self.pixmap()
        if self._front_of != self.renders:
            self._front_of, self._fronted = self.renders, False
            return None
        if self._fronted and self._formed:
            return self._front
        if not self._fronted:
            self._front = picture.copy()
        painter = QPainter(self._front)
        painter.setFont(self._texts.font)
        if self._fronted:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            for _, rect in self._live:
                painter.setClipRect(rect)
                painter.drawPixmap(0, 0, picture)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
            painter.setClipping(False)
        self.paint_live(painter, QRectF(0.0, 0.0, self._stage.width, self._stage.height))
        painter.end()
        self._fronted = self._formed = True
        return self._front

    def paint_live(self, painter: QPainter, shown: QRectF) -> None:
        """Draw the forming bar over the picture, as far as it is in ``shown``."""
        stage = self._stage
        if not len(stage.series):
            return
        for pane, rect in self._live:
            if rect.intersects(shown):
                at = stage.at(pane)
                with device(painter, at):
                    self.content.forming(painter, at)

    @property
    def ground(self) -> QColor:
        """The background."""
        return self.ink.ground


def _places(rects: list[QRectF], pane: QRectF) -> list[QRectF]:
    """Rectangles of whole pixels that cover these within a pane, each pixel once."""
    region = QRegion()
    for rect in rects:
        region += (rect & pane).toAlignedRect()
    found = [QRectF(rect) & pane for rect in cast(Any, region)]
    return found if len(found) <= PLACES else [QRectF(region.boundingRect()) & pane]
