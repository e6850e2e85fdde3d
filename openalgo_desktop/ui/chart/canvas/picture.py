"""The kept picture of a chart: all that changes only with the view, the style or a closed bar."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPixmap, QTransform

from openalgo_desktop.ui.chart.canvas.layers import Layers
from openalgo_desktop.ui.chart.canvas.pane import PRICES, VOLUME, Pane
from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.canvas.stage import Stage
from openalgo_desktop.ui.chart.paint import bars
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.kit import fonts, look

#: Between the axis's line and its labels, pixels.
GAP = 6


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


class Picture:
    """``renders`` counts how often it was drawn."""

    def __init__(self, stage: Stage, layers: Layers) -> None:
        self._stage = stage
        self._layers = layers
        self.ink = Ink()
        self.valid = False
        self.renders = 0
        self._pixmap = QPixmap()
        self.restyle()

    def restyle(self) -> None:
        """Take the fonts and colours in force."""
        self.ink.restyle()
        self._font: QFont = fonts.table_font()
        self._metrics = QFontMetrics(self._font)
        self.valid = False

    def pixmap(self) -> QPixmap:
        """The picture, drawn again when it must be."""
        if not self.valid:
            self._render()
            self.valid = True
        return self._pixmap

    def _render(self) -> None:
        stage = self._stage
        ratio = stage.ratio
        width, height = math.ceil(stage.width * ratio), math.ceil(stage.height * ratio)
        if self._pixmap.width() != width or self._pixmap.height() != height:
            self._pixmap = QPixmap(max(1, width), max(1, height))
        self._pixmap.setDevicePixelRatio(ratio)
        self._pixmap.fill(self.ink.ground)
        self.renders += 1
        painter = QPainter(self._pixmap)
        painter.setFont(self._font)
        self._grid(painter)
        if len(stage.series):
            for pane in stage.panes:
                self._closed(painter, pane)
        self._axes(painter)
        painter.end()

    # -- bars ---------------------------------------------------------------------------------
    def _closed(self, painter: QPainter, pane: Pane) -> None:
        stage, at = self._stage, self._stage.at(pane)
        merge = stage.merge
        first, last = stage.scale_x.visible
        last = min(last, bars.live_start(len(stage.series), merge))
        with device(painter, at):
            self.paint_range(painter, at, first - merge, last, merge)
        painter.save()
        painter.setClipRect(pane.rect, Qt.ClipOperation.IntersectClip)
        self._layers.paint_base(painter, at)
        painter.restore()

    def paint_range(self, painter: QPainter, at: At, first: int, last: int, merge: int) -> None:
        """All that stands at the bars ``first <= index < last`` of a pane."""
        if at.number == VOLUME:
            bars.volume(painter, at, first, last, merge, self.ink)
        elif at.number == PRICES:
            self.ink.base = self._stage.scale_y.base
            self._stage.kind.paint(painter, at, first, last, merge, self.ink)

    def live_rect(self, pane: Pane) -> QRectF:
        """Where the forming bar can be, in a pane."""
        stage = self._stage
        start = bars.live_start(len(stage.series), stage.merge) - stage.merge
        left = max(pane.rect.left(), math.floor(stage.x_of(start - 0.5)) - 3)
        right = min(pane.rect.right(), math.ceil(stage.x_of(len(stage.series) + 0.5)) + 3)
        return QRectF(left, pane.rect.top(), max(0.0, right - left), pane.rect.height())

    def paint_live(self, painter: QPainter, shown: QRectF) -> None:
        """Draw the forming bar over the picture, as far as it is in ``shown``."""
        stage = self._stage
        count = len(stage.series)
        if not count:
            return
        merge = stage.merge
        start = bars.live_start(count, merge)
        for pane in stage.panes:
            rect = self.live_rect(pane)
            if rect.width() <= 0 or not rect.intersects(shown):
                continue
            at = stage.at(pane)
            begin = start - merge if stage.kind.joins and pane.number == PRICES else start
            with device(painter, at):
                self.paint_range(painter, at, max(0, begin), count, merge)

    # -- grid and axes ------------------------------------------------------------------------
    def _grid(self, painter: QPainter) -> None:
        """Lines of one device pixel, behind all bars."""
        stage = self._stage
        for pane in stage.panes:
            at = stage.at(pane)
            with device(painter, at):
                x = at.columns(np.array(stage.times[0], np.float64))
                top, height = pane.rect.top() * at.ratio, pane.rect.height() * at.ratio
                bars.fill(
                    painter, self.ink.grid, x, np.full(len(x), top), 1.0, np.full(len(x), height)
                )
                y = at.rows(np.array([label.value for label in pane.labels]))
                width = pane.rect.width() * at.ratio
                left = np.full(len(y), pane.rect.left() * at.ratio)
                bars.fill(painter, self.ink.grid, left, y, width, np.ones(len(y)))

    def _axes(self, painter: QPainter) -> None:
        stage = self._stage
        area = stage.area
        for pane in stage.panes[1:]:  # dividers
            line = QRectF(area.left(), pane.rect.top(), area.width(), 1.0)
            painter.fillRect(line, self.ink.border)
        painter.fillRect(QRectF(area.right(), 0.0, 1.0, area.bottom()), self.ink.border)
        painter.fillRect(QRectF(0.0, area.bottom(), area.right() + 1.0, 1.0), self.ink.border)
        painter.setPen(self.ink.label)
        half = self._metrics.height() / 2.0
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        for pane in stage.panes:
            values = pane.scale.map(pane.rect.top(), pane.rect.height())
            for label in pane.labels:
                y = values.y(label.value)
                if pane.rect.top() + half <= y <= pane.rect.bottom() - half:
                    place = QRectF(area.right() + GAP, y - half, stage.width, 2.0 * half)
                    painter.drawText(place, flags, label.text)
        self._times(painter)

    def _times(self, painter: QPainter) -> None:
        stage = self._stage
        area = stage.area
        height = stage.height - area.bottom()
        for index, text in zip(*stage.times, strict=True):
            wide = self._metrics.horizontalAdvance(text) + 4.0
            left = stage.x_of(index) - wide / 2.0
            if left >= area.left() and left + wide <= area.right() + look.px(GAP):
                place = QRectF(left, area.bottom(), wide, height)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    @property
    def ground(self) -> QColor:
        """The background."""
        return self.ink.ground
