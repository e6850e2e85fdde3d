"""The kept picture of a chart: all that changes only with the view, the style or a closed bar."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap, QTransform

from openalgo_desktop.ui.chart.canvas.content import Content
from openalgo_desktop.ui.chart.canvas.layers import Layers
from openalgo_desktop.ui.chart.canvas.pane import PRICES, Pane
from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.canvas.stage import Stage
from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.chart.paint import bars
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.kit import look

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
        self.content = Content(stage, self.ink)
        self.valid = False
        self.renders = 0
        self._live: list[tuple[Pane, QRectF]] = []
        self._pixmap = QPixmap()
        self._texts = Texts()
        self.restyle()

    def restyle(self) -> None:
        """Take the fonts and colours in force."""
        self.ink.restyle()
        self._texts.restyle()
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
        painter.setFont(self._texts.font)
        self._grid(painter)
        if len(stage.series):
            for pane in stage.panes:
                self._closed(painter, pane)
        self._axes(painter)
        painter.end()

    # -- bars ---------------------------------------------------------------------------------
    def _closed(self, painter: QPainter, pane: Pane) -> None:
        stage, at = self._stage, self._stage.at(pane)
        foot = stage.foot
        if foot is not None and pane.number == PRICES:
            below = stage.at(foot)
            with device(painter, below):
                self.content.closed(painter, below)
        with device(painter, at):
            self.content.closed(painter, at)
        painter.save()
        painter.setClipRect(pane.rect, Qt.ClipOperation.IntersectClip)
        self._layers.paint_base(painter, at)
        painter.restore()

    def find_live(self) -> list[QRectF]:
        """Where the forming bar can be, in each pane; found once after each change."""
        stage = self._stage
        foot = [stage.foot] if stage.foot is not None else []
        found = [(pane, self.content.live_rect(pane)) for pane in (*foot, *stage.panes)]
        self._live = [(pane, rect) for pane, rect in found if rect.width() > 0]
        return [rect for _, rect in self._live]

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
                if len(stage.series):
                    self.content.ground(painter, at, pane)

    def _axes(self, painter: QPainter) -> None:
        stage = self._stage
        area = stage.area
        for pane in stage.panes[1:]:  # dividers
            line = QRectF(area.left(), pane.rect.top(), area.width(), 1.0)
            painter.fillRect(line, self.ink.border)
        axis = area.right() + stage.gutter
        painter.fillRect(QRectF(axis, 0.0, 1.0, area.bottom()), self.ink.border)
        painter.fillRect(QRectF(0.0, area.bottom(), axis + 1.0, 1.0), self.ink.border)
        painter.setPen(self.ink.label)
        half = self._texts.height / 2.0
        for pane in stage.panes:
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

    @property
    def ground(self) -> QColor:
        """The background."""
        return self.ink.ground
