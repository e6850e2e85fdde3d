"""Lines and areas, in device pixels. A line is drawn segment by segment in one call: Qt's raster
engine does that ten times faster than a polyline of a width of 1.5 or more."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.chart.paint.primitives import Lines, Rects, polygon
from openalgo_desktop.ui.chart.scales.lines import thin
from openalgo_desktop.ui.chart.series import CLOSE, Floats

WIDTH = 1.5
#: Bars closer than this get no marker, logical pixels.
MARKER_ROOM = 5.0
MARKER = 2.5
#: Values so far out, device pixels, are cut off: the raster engine must not walk there.
FAR = 30_000.0

_lines = Lines()
_rects = Rects()


def pen_of(colour: QColor, width: float, ratio: float, dash: bool = False) -> QPen:
    """A pen of ``width`` logical pixels for painting in device pixels."""
    pen = QPen(colour, max(1.0, width * ratio))
    if dash:
        pen.setDashPattern([4.0, 3.0])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def strokes(painter: QPainter, x: Floats, y: Floats, pen: QPen, smooth: bool = True) -> None:
    """Segments between neighbours; NaN is a gap."""
    if len(x) < 2:
        return
    y = np.clip(y, -FAR, FAR)
    whole = np.flatnonzero(~(np.isnan(y[1:]) | np.isnan(y[:-1])))
    if not len(whole):
        return
    rows = _lines.array(len(whole))
    rows[:, 0], rows[:, 1] = x[whole], y[whole]
    rows[:, 2], rows[:, 3] = x[whole + 1], y[whole + 1]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)
    painter.setPen(pen)
    if pen.style() is Qt.PenStyle.CustomDashLine:
        # Dashes must not begin anew at each segment.
        cuts = np.flatnonzero(np.diff(whole) > 1) + 1
        for run in np.split(whole, cuts):
            points = np.column_stack((x[run[0] : run[-1] + 2], y[run[0] : run[-1] + 2]))
            painter.drawPolyline(polygon(points))
    else:
        _lines.draw(painter)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def points_of(at: At, values: Floats, first: int, last: int, merge: int) -> tuple[Floats, Floats]:
    """Device pixels of a line through ``values``."""
    x, y = thin(values, first, last, merge)
    return at.columns(x) + 0.5, at.heights(y)


def steps(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The same values held until the next one."""
    if len(x) < 2:
        return x, y
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


def dots(painter: QPainter, x: Floats, y: Floats, colour: QColor, size: float) -> None:
    """Square dots of ``size`` device pixels; NaN has none."""
    known = np.flatnonzero(np.isfinite(y) & (np.abs(y) < FAR))
    if not len(known):
        return
    size = max(1.0, math.floor(size))
    rows = _rects.array(len(known))
    rows[:, 0] = np.floor(x[known] - size / 2.0)
    rows[:, 1] = np.floor(y[known] - size / 2.0)
    rows[:, 2] = rows[:, 3] = size
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    _rects.draw(painter)


def fill_under(painter: QPainter, x: Floats, y: Floats, foot: float, colour: QColor) -> None:
    """The area between a line and ``foot``; a gap in the line is one in the area."""
    y = np.clip(y, -FAR, FAR)
    known = np.flatnonzero(~np.isnan(y))
    if len(known) < 2:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
        if len(run) < 2:
            continue
        points = np.empty((len(run) + 2, 2))
        points[:-2, 0], points[:-2, 1] = x[run], y[run]
        points[-2], points[-1] = (x[run[-1]], foot), (x[run[0]], foot)
        painter.drawPolygon(polygon(points))


# -- kinds of a series ----------------------------------------------------------------------------
def line(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """A line through the closes."""
    x, y = points_of(at, at.series.column(CLOSE), first, last, merge)
    strokes(painter, x, y, pen_of(ink.line, WIDTH, at.ratio))


def markers(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """A line with a mark at each close, where there is room."""
    x, y = points_of(at, at.series.column(CLOSE), first, last, merge)
    strokes(painter, x, y, pen_of(ink.line, WIDTH, at.ratio))
    if at.step >= MARKER_ROOM:
        size = 2.0 * math.floor(MARKER * at.ratio) + 1.0
        dots(painter, x, y, ink.line, size)


def step_line(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """A line that holds each close until the next."""
    x, y = steps(*points_of(at, at.series.column(CLOSE), first, last, merge))
    strokes(painter, x, np.round(y) + 0.5, pen_of(ink.line, WIDTH, at.ratio), smooth=False)


def area(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """A line with the room below it filled."""
    x, y = points_of(at, at.series.column(CLOSE), first, last, merge)
    fill_under(painter, x, y, math.floor(at.pane.bottom() * at.ratio), ink.area)
    strokes(painter, x, y, pen_of(ink.line, WIDTH, at.ratio))


def baseline(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """A line over and under a base value, the room between in the colour of its side."""
    x, y = points_of(at, at.series.column(CLOSE), first, last, merge)
    if not len(x) or math.isnan(ink.base):
        return
    base = round(at.y(ink.base) * at.ratio)
    pane = at.pane
    left, width = pane.left() * at.ratio, pane.width() * at.ratio
    top, foot = pane.top() * at.ratio, pane.bottom() * at.ratio
    sides = ((top, base, False), (base, foot, True))
    for upper, lower, below in sides:
        low_side = below is not at.map.inverted
        if lower <= upper:
            continue
        painter.save()
        painter.setClipRect(
            QRectF(left, upper, width, lower - upper), Qt.ClipOperation.IntersectClip
        )
        fill_under(painter, x, y, base, ink.area_down if low_side else ink.area_up)
        colour = ink.down if low_side else ink.up
        strokes(painter, x, y, pen_of(colour, WIDTH, at.ratio))
        painter.restore()
