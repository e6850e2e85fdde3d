"""The kept picture of a chart: all that changes only with the view, the style or a closed bar."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final, cast

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPixmap, QRegion

from openalgo_desktop.ui.chart.canvas.content import Content
from openalgo_desktop.ui.chart.canvas.draft import Stretched, stretched
from openalgo_desktop.ui.chart.canvas.ground import Ground, Moved, Seen, device
from openalgo_desktop.ui.chart.canvas.layers import Layers
from openalgo_desktop.ui.chart.canvas.pane import Pane
from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.canvas.stage import Stage, View
from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.chart.paint.ink import Ink

#: What lines and texts at the edge of a view reach over it and are cut off there, pixels.
EDGE = 12.0
#: More places than this are drawn again as one.
PLACES = 8
#: A picture that takes longer is not drawn at each step of a hand that zooms, seconds of CPU.
SLOW = 0.008
#: In a turn of the loop no other part of it is begun after so long, seconds of CPU.
SHARE = 0.0025
#: A draft whose lengths along the time are so many times those of the exact picture is rough.
ROUGH = 1.5
#: Of a hand that zooms out the picture is drawn of so many times as many bars; the next one when
#: less than a step of the wheel is left of it.
LEAD, LEFT = 1.4, 1.18

#: Said by a job that has ended.
DONE: Final = object()


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
        self._exact = QPixmap()  # the one that was drawn last, and its view
        self._exact_by: Seen | None = None
        self._drafts = (QPixmap(), QPixmap())
        self.hasty = False  # a hand moves the view: a draft is enough until :meth:`settle`
        self._rough = False  # what is seen lacks something at its sides, or is stretched much
        self._job: Generator[None] | None = None  # the exact picture that is being drawn
        self._job_view: View | None = None  # of this view, while the hand goes on
        self.out: float | None = None  # the bar that stays while the hand zooms out
        self._spent, self._before = 0.0, 0  # by it, and wholes of the ground before
        self.patience, self.share = SLOW, SHARE
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
        self._shown_by = self._exact_by = None

    @property
    def slow(self) -> bool:
        """Whether it takes so long to draw that a hand would feel it."""
        return self.cost > self.patience

    @property
    def is_draft(self) -> bool:
        """Whether what is seen is a draft."""
        return self._shown is self._drafts[0] or self._shown is self._drafts[1]

    @property
    def rough(self) -> bool:
        """Whether the exact picture must not wait for the hand to rest."""
        return self.is_draft and (self._rough or self._job is not None)

    def settle(self) -> bool:
        """The hand rests: the next picture is exact. True when the one that is seen is none."""
        drafted, self.hasty = self.is_draft, False
        self._drop()
        if drafted:
            self._valid = False
        return drafted

    def touch(self) -> None:
        """The view moved."""
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
        began, wholes = time.thread_time(), self.base.wholes
        for _ in self._parts():
            pass
        if self.base.wholes > wholes:
            self.cost = time.thread_time() - began
        self._show()

    def _parts(self) -> Generator[None]:
        """Draw the exact picture, part by part: the ground, then what layers keep on it."""
        layered, self._layered = self._layered, False
        self._exact_by = None
        moved = yield from self.base.update()
        yield
        shown = len(self._layers) > 0 and len(self._stage.series) > 0
        if shown and moved is not None and layered:
            yield from self._move_layers(moved)
        elif shown:
            yield from self._draw_layers()
        self._layered = shown
        self._exact = self._over if shown else self.base.pixmap
        self._exact_by = self.base.see()

    def _show(self) -> None:
        """The exact picture is that of now."""
        if self.is_draft:
            self._drafts = (QPixmap(), QPixmap())
        self._shown, self._shown_by, self._rough = self._exact, self._exact_by, False

    def turn(self) -> bool:
        """Draw a part of the exact picture while a draft is seen, which is another pixmap: a few
        milliseconds. The hand may go on meanwhile: it is the picture of the view in which it was
        begun. True once it is drawn: it is seen then, or the next draft is made of it."""
        if not self.is_draft:
            self.hasty = False
            return True
        began = time.thread_time()
        if self._job is None or self._job_view is None:
            self._job, self._job_view = self._parts(), self._next_view()
            self._spent, self._before = 0.0, self.base.wholes
        with self._stage.seen_as(self._job_view):
            more = next(self._job, DONE)
            while more is not DONE and time.thread_time() - began < self.share:
                more = next(self._job, DONE)
        self._spent += time.thread_time() - began
        if more is not DONE:
            return False
        if self.base.wholes > self._before:
            self.cost = self._spent
        self._job = None
        self._valid = self._exact_by == self.base.see()
        if self._valid:
            self.hasty = False
            self.renders += 1
            self._show()
        return True

    def _next_view(self) -> View:
        """That of now, or one that a hand will come to."""
        stage, out = self._stage, self.out
        self.out = None  # once: at last the picture is that of now
        return stage.view() if out is None or not self._rough else stage.wider(LEAD, out)

    def _drop(self) -> None:
        if self._job is not None:
            self._job.close()
            self._job = None

    def _draft(self) -> bool:
        """Move and stretch a picture that is there to the view of now, with bars where it has
        nothing; False where that cannot be done. What else stands there comes with the exact
        picture."""
        now = self.base.see()
        found = self._source(now)
        if found is None:
            return False
        source, way = found
        rough = self._rough and source is self._shown
        draft = self._drafts[self._shown is self._drafts[0]]
        if draft.size() != source.size():
            draft.swap(QPixmap(source.size()))
        draft.setDevicePixelRatio(now.ratio)
        painter = QPainter(draft)
        painter.setFont(self._texts.font)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        for piece in way.pieces:
            if not piece.source.isEmpty():
                painter.setClipRect(piece.pane.rect)
                painter.drawPixmap(piece.place, source, piece.source)
        painter.setClipping(False)
        if not way.whole:
            panes = [piece.pane for piece in way.pieces if piece.rest]
            self.base.bare(painter, panes, [place for piece in way.pieces for place in piece.rest])
        self.base.around(painter)
        painter.end()
        self._shown, self._shown_by = draft, now
        least = 1.0 / ROUGH if self.out is None else LEFT
        self._rough = rough or not way.whole or not least <= way.wide <= ROUGH
        return True

    def _source(self, now: Seen) -> tuple[QPixmap, Stretched] | None:
        """What a draft is made of: the exact picture, or what is seen while that is drawn."""
        for picture, seen in ((self._exact, self._exact_by), (self._shown, self._shown_by)):
            way = None if seen is None else stretched(seen, now, self._stage.panes)
            if way is not None:
                return picture, way
        return None

    def _painter(self) -> QPainter:
        painter = QPainter(self._over)
        painter.setFont(self._texts.font)
        return painter

    def _copy(self, painter: QPainter) -> None:
        """The ground, as far as the painter is clipped."""
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawPixmap(0, 0, self.base.pixmap)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)

    def _draw_layers(self) -> Iterator[None]:
        self.wholes += 1
        ground = self.base.pixmap
        if self._over.size() != ground.size():
            self._over = QPixmap(ground.size())
        self._over.setDevicePixelRatio(self._stage.ratio)
        painter = self._painter()
        try:
            self._copy(painter)
            for pane in self._stage.panes:
                yield from self._draw_base(painter, pane)
            self.base.rules(painter)
        finally:
            painter.end()

    def _draw_base(self, painter: QPainter, pane: Pane) -> Iterator[None]:
        painter.save()
        try:
            painter.setClipRect(pane.rect)
            yield from self._layers.paint_base(painter, self._stage.at(pane))
        finally:
            painter.restore()

    def _move_layers(self, moved: Moved) -> Iterator[None]:
        """Move what is there, and draw what came into view and what did not move with it."""
        stage, way = self._stage, moved.way
        area, ratio = stage.area, stage.ratio
        wide = self.base.scroll(self._over, way)
        painter = self._painter()
        try:
            full = QRectF(0.0, 0.0, stage.width, stage.height)
            right, below = (
                full.adjusted(area.right(), 0, 1, 1),
                full.adjusted(0, area.bottom(), 1, 1),
            )
            for rest in (right, below):
                painter.setClipRect(rest)
                self._copy(painter)
            begin, end = (wide - way, wide) if way > 0 else (0, -way)
            strip = QRectF(
                begin / ratio - EDGE, 0.0, (end - begin) / ratio + 2 * EDGE, area.height()
            )
            for pane in stage.panes:
                yield from self._move_pane(painter, pane, moved, strip)
            painter.setClipping(False)
            self.base.rules(painter)
        finally:
            painter.end()

    def _move_pane(
        self, painter: QPainter, pane: Pane, moved: Moved, strip: QRectF
    ) -> Iterator[None]:
        at = self._stage.at(pane)
        again = self._again(pane, at, moved)
        yield
        if again is None:
            painter.setClipRect(pane.rect)
            self._copy(painter)
            yield from self._draw_base(painter, pane)
            return
        for rect in _places([strip, *again] if moved.way else [], pane.rect):
            painter.setClipRect(rect)
            self._copy(painter)
            self._layers.paint_again(painter, at)
            yield

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
