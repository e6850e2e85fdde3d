"""Grid, bars and studies of a chart as a picture. Where the view moved along the time by whole
pixels, what is there is moved and only the strip that came into view is drawn."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap, QRegion, QTransform

from openalgo_desktop.ui.chart.canvas.content import Content, Span
from openalgo_desktop.ui.chart.canvas.pane import PRICES, Pane
from openalgo_desktop.ui.chart.canvas.projection import HAIR, At
from openalgo_desktop.ui.chart.canvas.stage import Stage
from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.chart.paint import bars
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.chart.scales.value_map import ValueMap
from openalgo_desktop.ui.kit import look

#: Between the axis's line and its labels, pixels.
GAP = 6
#: What a bar or a mark may reach to its sides, and what the edge of a strip is drawn anew, device
#: pixels.
OVERHANG, SEAM = 24.0, 2
#: What a line reaches to its sides beyond its values, device pixels.
TIGHT = 6.0
#: So far from a whole pixel a move may be, device pixels: less than bars are held in their place.
CLOSE = 5e-7


@contextmanager
def device(painter: QPainter, at: At) -> Iterator[None]:
    """Paint in whole device pixels within a pane."""
    painter.save()
    shown = painter.deviceTransform()
    ratio = at.ratio
    # A widget at a fractional place of the screen would lie between device pixels.
    dx = (math.floor(shown.dx() + 0.5) - shown.dx()) / ratio
    dy = (math.floor(shown.dy() + 0.5) - shown.dy()) / ratio
    painter.setClipRect(at.pane, Qt.ClipOperation.IntersectClip)
    painter.setWorldTransform(QTransform(1.0 / ratio, 0.0, 0.0, 1.0 / ratio, dx, dy))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    try:
        yield
    finally:
        painter.restore()


class SeenPane(NamedTuple):
    """What a pane was drawn by. ``left`` is there where something in it does not move with the
    bars."""

    number: int
    place: tuple[float, float, float, float]
    values: ValueMap
    foot: ValueMap | None
    lines: tuple[float, ...]
    left: float | None


class Moved(NamedTuple):
    """What became of the picture that was there: it was moved, the view going ``way`` device
    pixels to the right, and all of the panes ``changed`` is another."""

    way: int
    changed: Sequence[Pane]


class Seen(NamedTuple):
    """What the picture was drawn by."""

    width: int  # device pixels
    height: int
    ratio: float
    pitch: float
    left: float  # bars
    right: float
    times: tuple[int, ...]
    panes: tuple[SeenPane, ...]


class Ground:
    """``wholes`` counts how often all of it was drawn, ``strips`` how often a strip was enough."""

    def __init__(self, stage: Stage, ink: Ink, texts: Texts) -> None:
        self._stage = stage
        self._ink = ink
        self._texts = texts
        self.content = Content(stage, ink)
        self.pixmap = QPixmap()
        self.wholes = self.strips = 0
        self._seen: Seen | None = None

    def forget(self) -> None:
        """Nothing of the picture holds any more."""
        self._seen = None

    def update(self) -> Generator[None, None, Moved | None]:
        """Bring it up to the view of now; None where all of it was drawn. Yields after each part
        of a millisecond or more; it is right when it came to its end."""
        before, now = self._seen, self.see()
        self._seen, moved = None, None
        way = None if before is None else _way(before, now)
        if before is None or way is None:
            yield from self._draw_whole(now)
        else:
            kept = dict(zip(now.panes, self._stage.panes, strict=True))
            changed = [kept[one] for one in now.panes if one not in before.panes]
            moved = Moved(way, changed)
            stays = [kept[one] for one in now.panes if one in before.panes]
            yield from self._draw_moved(now, moved, stays)
        self._seen = now
        return moved

    def _draw_moved(self, now: Seen, moved: Moved, stays: Sequence[Pane]) -> Iterator[None]:
        way = moved.way
        self.strips += 1
        area = self._stage.area
        wide = self.scroll(self.pixmap, way)
        painter = self._painter()
        try:
            if way and stays:
                begin, end = (wide - way - SEAM, wide) if way > 0 else (0, SEAM - way)
                strip = QRectF(begin / now.ratio, 0.0, (end - begin) / now.ratio, area.height())
                yield from self._draw(painter, strip, stays, self._spans(begin, end))
            for pane in moved.changed:
                yield from self._draw(painter, pane.rect, [pane], self._spans(0, wide))
            self.around(painter)
        finally:
            painter.end()

    def around(self, painter: QPainter) -> None:
        """Draw what is beside and below the panes."""
        area = self._stage.area
        full = QRectF(0.0, 0.0, self._stage.width, self._stage.height)
        painter.fillRect(full.adjusted(area.right(), 0, 1, 1), self._ink.ground)
        painter.fillRect(full.adjusted(0, area.bottom(), 1, 1), self._ink.ground)
        self._axes(painter)

    def bare(self, painter: QPainter, panes: Sequence[Pane], places: Sequence[QRectF]) -> None:
        """Draw grid, bars and volumes of places of panes, on any picture."""
        ratio = self._stage.ratio
        region = QRegion()
        for place in places:
            left, top = math.floor(place.left() * ratio), math.floor(place.top() * ratio)
            right, foot = math.ceil(place.right() * ratio), math.ceil(place.bottom() * ratio)
            region += QRect(left, top, right - left, foot - top)
        shown = region.boundingRect()
        painter.save()
        painter.setWorldTransform(QTransform.fromScale(1.0 / ratio, 1.0 / ratio))
        painter.setClipRegion(region)
        painter.fillRect(shown, self._ink.ground)
        painter.resetTransform()
        spans = self._spans(shown.left(), shown.left() + shown.width())
        for _ in self._bars(painter, panes, spans, bare=True):
            pass
        painter.restore()

    def scroll(self, pixmap: QPixmap, way: int) -> int:
        """Move what is in the panes by device pixels; how many of them the panes are wide."""
        area, ratio = self._stage.area, self._stage.ratio
        wide, high = math.ceil(area.width() * ratio), math.ceil(area.height() * ratio)
        if way:
            pixmap.scroll(-way, 0, QRect(0, 0, wide, high))
        return wide

    # -- what it is drawn by ------------------------------------------------------------------
    def see(self) -> Seen:
        """What a picture of now is drawn by."""
        stage, ratio = self._stage, self._stage.ratio
        scale = stage.scale_x
        return Seen(
            max(1, math.ceil(stage.width * ratio)),
            max(1, math.ceil(stage.height * ratio)),
            ratio,
            stage.prices.rect.width() / scale.span * ratio,
            scale.left,
            scale.right,
            tuple(stage.times[0]),
            tuple(self._see_pane(pane) for pane in stage.panes),
        )

    def _see_pane(self, pane: Pane) -> SeenPane:
        stage, rect, foot = self._stage, pane.rect, self._stage.foot
        values = pane.scale.map(rect.top(), rect.height())
        below = None
        if foot is not None and pane.number == PRICES:
            below = foot.scale.map(foot.rect.top(), foot.rect.height())
        place = (rect.left(), rect.top(), rect.width(), rect.height())
        lines = tuple(label.value for label in pane.labels)
        stays = self.content.stays(pane)
        return SeenPane(
            pane.number, place, values, below, lines, stage.scale_x.left if stays else None
        )

    def _spans(self, begin: float, end: float) -> tuple[Span, Span]:
        """Bars, and values of lines, that reach into the device pixels of a strip."""
        stage = self._stage
        return self._span(begin, end, OVERHANG, 2 * stage.merge), self._span(
            begin, end, TIGHT, stage.merge
        )

    def _span(self, begin: float, end: float, reach: float, more: int) -> Span:
        stage = self._stage
        left = stage.bar_at((begin - reach) / stage.ratio)
        right = stage.bar_at((end + reach) / stage.ratio)
        return max(0, math.floor(left) - more), min(len(stage.series), math.ceil(right) + more)

    # -- drawing ------------------------------------------------------------------------------
    def _painter(self) -> QPainter:
        painter = QPainter(self.pixmap)
        painter.setFont(self._texts.font)
        return painter

    def _draw_whole(self, now: Seen) -> Iterator[None]:
        self.wholes += 1
        if self.pixmap.width() != now.width or self.pixmap.height() != now.height:
            self.pixmap = QPixmap(now.width, now.height)
        self.pixmap.setDevicePixelRatio(now.ratio)
        self.pixmap.fill(self._ink.ground)
        painter = self._painter()
        try:
            spans = self._spans(0, self._stage.area.width() * now.ratio)
            for pane in self._stage.panes:
                yield from self._bars(painter, [pane], spans)
            self._axes(painter)
        finally:
            painter.end()

    def _draw(
        self, painter: QPainter, place: QRectF, panes: Sequence[Pane], spans: tuple[Span, Span]
    ) -> Iterator[None]:
        """Draw a place anew."""
        painter.save()
        try:
            painter.setClipRect(place)
            painter.fillRect(place.adjusted(-1, -1, 1, 1), self._ink.ground)
            yield from self._bars(painter, panes, spans)
        finally:
            painter.restore()

    def _bars(
        self,
        painter: QPainter,
        panes: Sequence[Pane],
        spans: tuple[Span, Span],
        bare: bool = False,
    ) -> Iterator[None]:
        stage = self._stage
        for pane in panes:
            self._grid(painter, pane)
        if not len(stage.series):
            return
        for pane in panes:
            foot = stage.foot
            shown = [foot, pane] if foot is not None and pane.number == PRICES else [pane]
            for one in shown:
                at = stage.at(one)
                with device(painter, at):
                    yield from self.content.closed(painter, at, *spans, bare)

    def _grid(self, painter: QPainter, pane: Pane) -> None:
        """Lines of one device pixel, behind all bars."""
        stage = self._stage
        at = stage.at(pane)
        with device(painter, at):
            ratio, grid = at.ratio, self._ink.grid
            top, height = pane.rect.top() * ratio, pane.rect.height() * ratio
            left, width = pane.rect.left() * ratio, math.ceil(pane.rect.width() * ratio)
            for index in stage.times[0]:
                x = math.floor(at.x(index) * ratio + HAIR)
                painter.fillRect(x, round(top), 1, max(1, round(height)), grid)
            for label in pane.labels:
                y = at.y(label.value) * ratio
                if abs(y) < bars.FAR:
                    painter.fillRect(round(left), round(y), width, 1, grid)
            if len(stage.series):
                self.content.ground(painter, at, pane)

    def rules(self, painter: QPainter) -> None:
        """Lines between panes and along the axes: over all that is in them."""
        area, ink = self._stage.area, self._ink
        for pane in self._stage.panes[1:]:
            painter.fillRect(QRectF(area.left(), pane.rect.top(), area.width(), 1.0), ink.border)
        axis = area.right() + self._stage.gutter
        painter.fillRect(QRectF(axis, 0.0, 1.0, area.bottom()), ink.border)
        painter.fillRect(QRectF(0.0, area.bottom(), axis + 1.0, 1.0), ink.border)

    def _axes(self, painter: QPainter) -> None:
        self.rules(painter)
        area = self._stage.area
        axis = area.right() + self._stage.gutter
        painter.setPen(self._ink.label)
        half = self._texts.height / 2.0
        for pane in self._stage.panes:
            values = pane.scale.map(pane.rect.top(), pane.rect.height())
            for label in pane.labels:
                y = values.y(label.value)
                if pane.rect.top() + half <= y <= pane.rect.bottom() - half:
                    self._texts.draw(painter, axis + GAP, y, label.text)
        self._times(painter)

    def _times(self, painter: QPainter) -> None:
        stage = self._stage
        area = stage.area
        height = stage.height - area.bottom()
        for index, text in zip(*stage.times, strict=True):
            wide = self._texts.width(text) + 4.0
            left = stage.x_of(index) - wide / 2.0
            if left >= area.left() and left + wide <= area.right() + look.px(GAP):
                self._texts.draw(painter, left + 2.0, area.bottom() + height / 2.0, text)


def _way(before: Seen, now: Seen) -> int | None:
    """Device pixels by which the view moved to the right; None when it did not move alone, or so
    far that little is left."""
    if before[:3] != now[:3] or abs(before.pitch - now.pitch) > 1e-12 * now.pitch:
        return None
    if [one[:2] for one in before.panes] != [one[:2] for one in now.panes]:
        return None
    moved = (now.left - before.left) * now.pitch
    way = round(moved)
    if abs(moved - way) > CLOSE or abs(way) > now.width // 2:
        return None
    pixel = 1.0 / now.pitch
    low = max(before.left, now.left) + pixel
    high = min(before.right, now.right) - pixel
    held = [{time for time in one.times if low <= time <= high} for one in (before, now)]
    return way if held[0] == held[1] else None
