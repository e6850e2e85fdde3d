"""Candles and volume as few large graphics items.

Bars are mapped to whole device pixels before they are drawn: bodies are crisp, wicks sit in the
middle. A closed-bar item and a live-bar item share the code, so they fit without a seam.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from openalgo_desktop.ui.chart.paint.primitives import Floats, Lines, Rects
from openalgo_desktop.ui.chart.series import Series, Slice
from openalgo_desktop.ui.kit import theme

#: Narrower bars are merged so that each drawn one gets this many pixels.
MIN_PIXELS = 2.0
BODY = 0.72
VOLUME_ALPHA = 120


def merge_of(step: float) -> int:
    """How many bars are drawn as one when each has ``step`` pixels."""
    return max(1, math.ceil(MIN_PIXELS / step)) if step > 0.0 else 1


def live_start(count: int, merge: int) -> int:
    """First bar of the live item: the last bar takes its whole group along."""
    return (count - 1) - (count - 1) % merge


class BarsItem(QGraphicsItem):
    """Draws the bars ``first <= index < last`` of a series; ``live`` draws only the last one."""

    def __init__(self, series: Series, live: bool) -> None:
        super().__init__()
        self.series = series
        self.live = live
        self._rect = QRectF()
        self._lines = Lines()
        self._rects = Rects()
        self._up = QColor()
        self._down = QColor()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        if not live:
            # Closed bars are drawn once per change of the view and then copied.
            self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.restyle()

    def restyle(self) -> None:
        """Take the colours of the theme in force."""
        colours = theme.current()
        self._up, self._down = colours.color("up"), colours.color("down")
        self.update()

    def set_bounds(self, low: float, high: float, merge: int) -> None:
        """Say which prices (or volumes) the view shows and how many bars are drawn as one; part
        of the item's geometry."""
        count = len(self.series)
        left = float(live_start(count, merge)) - 1.0 if self.live else -1.0
        rect = QRectF(left, low, count + 1.0 - left, max(high - low, 1e-9))
        if rect != self._rect:
            self.prepareGeometryChange()
            self._rect = rect

    def forget(self) -> None:
        """Draw everything again. Qt moves a cached picture when the item only shifted, even if
        its bars are others now, or sit on other whole pixels."""
        if not self.live:
            self.setCacheMode(QGraphicsItem.CacheMode.NoCache)
            self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.update()

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        transform = painter.worldTransform()
        step = transform.m11()  # pixels per bar
        count = len(self.series)
        if not count or step <= 0.0:
            return
        merge = merge_of(step)
        live_from = live_start(count, merge)
        if self.live:
            bars = self.series.visible(live_from, count, merge)
        else:
            area = option.exposedRect
            first = math.floor(area.left()) - merge
            bars = self.series.visible(first, min(live_from, math.ceil(area.right()) + 2), merge)
        if not len(bars.x):
            return
        painter.setWorldTransform(QTransform())
        self._draw(painter, transform, bars, step * bars.merged)
        painter.setWorldTransform(transform)

    def _draw(self, painter: QPainter, transform: QTransform, bars: Slice, step: float) -> None:
        raise NotImplementedError

    @staticmethod
    def _columns(transform: QTransform, x: Floats, step: float) -> tuple[Floats, Floats, float]:
        """Centre pixel, left pixel and width of the bars; the width is odd so that it centres."""
        width = max(1.0, math.floor(step * BODY))
        if width > 1.0 and width % 2 == 0:
            width -= 1.0
        centre = np.floor(x * transform.m11() + transform.dx())
        return centre, centre - (width - 1.0) / 2.0, width

    @staticmethod
    def _rows(transform: QTransform, values: Floats) -> Floats:
        rows: Floats = np.round(values * transform.m22() + transform.dy())
        return rows


class CandleItem(BarsItem):
    """Wicks and bodies, one call of each per colour."""

    def _draw(self, painter: QPainter, transform: QTransform, bars: Slice, step: float) -> None:
        centre, left, width = self._columns(transform, bars.x, step)
        rows = [self._rows(transform, v) for v in (bars.open, bars.high, bars.low, bars.close)]
        opened, high, low, close = rows
        rising = bars.close >= bars.open
        for mask, colour in ((rising, self._up), (~rising, self._down)):
            chosen = np.flatnonzero(mask)
            if not len(chosen):
                continue
            lines = self._lines.array(len(chosen))
            lines[:, 0] = lines[:, 2] = centre[chosen] + 0.5
            lines[:, 1] = high[chosen]
            lines[:, 3] = low[chosen]
            painter.setPen(QPen(colour))
            self._lines.draw(painter)
            top = np.minimum(opened[chosen], close[chosen])
            rects = self._rects.array(len(chosen))
            rects[:, 0] = left[chosen]
            rects[:, 1] = top
            rects[:, 2] = width
            # A doji keeps one pixel of body.
            rects[:, 3] = np.maximum(1.0, np.maximum(opened[chosen], close[chosen]) - top)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            self._rects.draw(painter)


class VolumeItem(BarsItem):
    """Volume columns in the colour of their candle."""

    def restyle(self) -> None:
        super().restyle()
        self._up.setAlpha(VOLUME_ALPHA)
        self._down.setAlpha(VOLUME_ALPHA)

    def _draw(self, painter: QPainter, transform: QTransform, bars: Slice, step: float) -> None:
        _, left, width = self._columns(transform, bars.x, step)
        top = self._rows(transform, bars.volume)
        bottom = float(np.round(transform.dy()))
        rising = bars.close >= bars.open
        painter.setPen(Qt.PenStyle.NoPen)
        for mask, colour in ((rising, self._up), (~rising, self._down)):
            chosen = np.flatnonzero(mask & (bars.volume > 0))
            if not len(chosen):
                continue
            rects = self._rects.array(len(chosen))
            rects[:, 0] = left[chosen]
            rects[:, 1] = np.minimum(top[chosen], bottom - 1.0)
            rects[:, 2] = width
            rects[:, 3] = np.maximum(1.0, bottom - top[chosen])
            painter.setBrush(colour)
            self._rects.draw(painter)
