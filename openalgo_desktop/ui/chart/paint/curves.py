"""Lines and areas, in device pixels. A line is drawn segment by segment in one call: Qt's raster
engine does that ten times faster than a polyline of a width of 1.5 or more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from openalgo_desktop.ui.chart.canvas.projection import HAIR, At
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.chart.paint.primitives import Lines, Rects, polygon
from openalgo_desktop.ui.chart.scales.lines import joined, spans, thin
from openalgo_desktop.ui.chart.series import CLOSE, Floats

WIDTH = 1.5
#: Bars closer than this get no marker, logical pixels.
MARKER_ROOM = 5.0
MARKER = 2.5
#: Values so far out, device pixels, are cut off: the raster engine must not walk there.
FAR = 30_000.0
#: A dash and the room to the next one, widths of the line.
DASH, GAP = 4.0, 3.0
#: So few points are drawn one by one.
FEW = 8
#: So few columns of a line are worked out one by one: arrays would take longer.
FEW_GROUPS = 12
#: So few values of a column are looked at one by one.
FEW_VALUES = 24

Mask = npt.NDArray[np.bool_]

_lines = Lines()
_rects = Rects()


def pen_of(colour: QColor, width: float, ratio: float, dash: bool = False) -> QPen:
    """A pen of ``width`` logical pixels for painting in device pixels."""
    pen = QPen(colour, max(1.0, width * ratio))
    if dash:
        pen.setDashPattern([DASH, GAP])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def strokes(
    painter: QPainter, x: Floats, y: Floats, pen: QPen, smooth: bool = True, origin: float = 0.0
) -> None:
    """Segments between neighbours; NaN is a gap."""
    if len(x) > 1:
        segments(painter, x, y, np.ones(len(x) - 1, bool), pen, smooth, origin)


def segments(
    painter: QPainter,
    x: Floats,
    y: Floats,
    chosen: Mask,
    pen: QPen,
    smooth: bool,
    origin: float = 0.0,
) -> None:
    """Those segments that are ``chosen``, by the number of their first point. Dashes are counted
    along ``x`` from ``origin``, that of a bar: so they move with the bars."""
    if len(x) <= FEW and pen.style() is Qt.PenStyle.SolidLine:
        _few(painter, x.tolist(), y.tolist(), chosen.tolist(), pen, smooth)
        return
    y = np.clip(y, -FAR, FAR)
    whole = np.flatnonzero(~(np.isnan(y[1:]) | np.isnan(y[:-1])) & chosen)
    if not len(whole):
        return
    ends = np.column_stack((x[whole], y[whole], x[whole + 1], y[whole + 1]))
    if pen.style() is Qt.PenStyle.CustomDashLine:
        ends = dashes(ends, DASH * pen.widthF(), (DASH + GAP) * pen.widthF(), origin)
        pen = QPen(pen)
        pen.setStyle(Qt.PenStyle.SolidLine)
    rows = _lines.array(len(ends))
    rows[:] = ends
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)
    painter.setPen(pen)
    _lines.draw(painter)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def dashes(ends: Floats, dash: float, period: float, origin: float) -> Floats:
    """The parts of segments (rows of x, y, x, y; x does not fall) that are on a dash; a dash
    begins at each ``origin + n * period``."""
    x, wide = ends[:, 0], ends[:, 2] - ends[:, 0]
    first = np.floor((x - origin) / period)
    counts = (np.floor((ends[:, 2] - origin) / period) - first).astype(np.int64) + 1
    of = np.repeat(np.arange(len(ends)), counts)
    number = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = origin + (first[of] + number) * period
    left, right = np.maximum(begin, x[of]), np.minimum(begin + dash, ends[of, 2])
    upright = wide[of] <= 0.0
    shown = (right > left) | (upright & (right >= left))
    of, left, right, upright = of[shown], left[shown], right[shown], upright[shown]
    slope = (ends[of, 3] - ends[of, 1]) / np.where(upright, 1.0, wide[of])
    top = ends[of, 1] + slope * (left - x[of])
    foot = np.where(upright, ends[of, 3], ends[of, 1] + slope * (right - x[of]))
    return np.column_stack((left, top, right, foot))


def _few(
    painter: QPainter,
    x: list[float],
    y: list[float],
    chosen: list[bool],
    pen: QPen,
    smooth: bool,
) -> None:
    """The same for the few points of the forming bar: arrays would take longer than drawing."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)
    painter.setPen(pen)
    for number, wanted in enumerate(chosen):
        if wanted and abs(y[number]) < FAR and abs(y[number + 1]) < FAR:
            ends = QLineF(x[number], y[number], x[number + 1], y[number + 1])
            painter.drawLine(ends)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def points_of(
    at: At, values: Floats, first: int, last: int, merge: int, factor: float = 1.0
) -> tuple[Floats, Floats]:
    """Device pixels of a line through ``values`` times ``factor``."""
    x, y = thin(values, first, last, merge)
    return at.columns(x) + 0.5, at.heights(y if factor == 1.0 else y * factor)


def dense(
    painter: QPainter,
    at: At,
    values: Floats,
    span: tuple[int, int, int],
    paints: Sequence[tuple[QColor, bool | None]],
    width: float,
    offset: int = 0,
    factor: float = 1.0,
) -> None:
    """A line of more bars than there are pixels: in each column what it ran through, joined to
    the column before. ``span`` is first, last and how many bars are one; ``paints`` are the
    colours, each for groups that ended lower (True), not lower (False) or all (None)."""
    first, last, merge = span
    if (last - 1) // merge - first // merge <= 1:
        _dense_last(painter, at, values, (last, merge), paints, width, offset, factor)
        return
    if (last - first) // merge <= FEW_GROUPS:
        _dense_few(painter, at, values, span, paints, width, offset, factor)
        return
    x, low, high, end = spans(values, *span)
    if not len(x):
        return
    below, above = joined(low * factor, high * factor)
    left = at.columns(x + offset)
    one, two = at.heights(above), at.heights(below)
    top = np.clip(np.minimum(one, two), -FAR, FAR)
    foot = np.clip(np.maximum(one, two), -FAR, FAR)
    thick = max(1.0, round(width * at.ratio))
    top, foot = np.floor(top - (thick - 1.0) / 2.0), np.ceil(foot + (thick - 1.0) / 2.0)
    room = max(thick, math.ceil(at.pitch * span[2])) if len(x) > 1 else thick
    fell = np.concatenate(([False], end[1:] < end[:-1]))
    known = np.isfinite(top) & np.isfinite(foot)
    for colour, down in paints:
        chosen = known if down is None else known & (fell == down)
        rects = _rects.array(int(chosen.sum()))
        rects[:, 0], rects[:, 1], rects[:, 2] = left[chosen], top[chosen], room
        rects[:, 3] = np.maximum(thick, foot[chosen] - top[chosen])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        _rects.draw(painter)


class Group(NamedTuple):
    """Bars of one column: their middle, and of their known values the lowest, the highest, the
    last; NaN where there is none."""

    x: float
    low: float
    high: float
    end: float


def groups(values: Floats, first: int, last: int, merge: int) -> Iterator[Group]:
    """The same as :func:`~openalgo_desktop.ui.chart.scales.lines.spans`, for few columns."""
    first, last = max(0, first), min(len(values), last)
    start = first - first % merge
    middle = start + (merge - 1) / 2.0
    rows = values[start : last + (-last) % merge]
    if merge > FEW_VALUES and last > start:
        begins = np.arange(0, last - start, merge)
        ends = rows[np.minimum(begins + merge, len(rows)) - 1].tolist()
        lows, highs = (way.reduceat(rows, begins).tolist() for way in (np.fmin, np.fmax))
        for begin, low, high, end in zip(begins.tolist(), lows, highs, ends, strict=True):
            yield Group(middle + begin, low, high, high if math.isnan(end) else end)
        return
    part = rows.tolist()
    for begin in range(0, last - start, merge):
        group = part[begin : begin + merge]
        end = group[-1]
        low, high = min(group), max(group)
        if math.isnan(sum(group)):
            known = [value for value in group if not math.isnan(value)]
            low, high = (min(known), max(known)) if known else (math.nan, math.nan)
            end = high if math.isnan(end) else end
        yield Group(middle + begin, low, high, end)


def _dense_few(
    painter: QPainter,
    at: At,
    values: Floats,
    span: tuple[int, int, int],
    paints: Sequence[tuple[QColor, bool | None]],
    width: float,
    offset: int,
    factor: float,
) -> None:
    """Such a line of few columns, one by one."""
    thick = max(1.0, round(width * at.ratio))
    room = max(thick, math.ceil(at.pitch * span[2]))
    half = (thick - 1.0) / 2.0
    row, column, ratio, log = at.device_row(), at.x, at.ratio, at.map.log
    most, least, ended = math.nan, math.nan, math.nan  # of the group before
    found: list[tuple[bool, int, int, int, int]] = []
    for x, low, high, end in groups(values, *span):
        fell = end < ended
        below, above = low, high
        if not math.isnan(most):
            below, above = min(low, most), max(high, least)
        most, least, ended = high, low, end
        if math.isnan(low) or (log and below * factor <= 0.0):
            continue
        top, foot = row(above * factor), row(below * factor)
        if top > foot:
            top, foot = foot, top
        top = math.floor(min(max(top, -FAR), FAR) - half)
        foot = math.ceil(min(max(foot, -FAR), FAR) + half)
        left = math.floor(column(x + offset) * ratio + HAIR)
        found.append((fell, left, top, int(room), int(max(thick, foot - top))))
    for colour, down in paints:  # one colour after the other, as those of many: they overlap
        for fell, left, top, wide, high in found:
            if down is None or down is fell:
                painter.fillRect(left, top, wide, high, colour)


def _dense_last(
    painter: QPainter,
    at: At,
    values: Floats,
    span: tuple[int, int],
    paints: Sequence[tuple[QColor, bool | None]],
    width: float,
    offset: int,
    factor: float,
) -> None:
    """The last column of such a line, with the forming bar: the one before is drawn already."""
    last, merge = min(span[0], len(values)), span[1]
    begin = (last - 1) - (last - 1) % merge
    found = [*groups(values, max(0, begin - merge), last, merge)]
    if not found or math.isnan(found[-1].low):
        return
    _, low, high, end = found[-1]
    fell = False
    if len(found) > 1 and not math.isnan(found[0].low):
        _, least, most, ended = found[0]
        low, high, fell = min(low, most), max(high, least), end < ended
    row = at.device_row()
    one, two = row(high * factor), row(low * factor)
    thick = max(1.0, round(width * at.ratio))
    top = math.floor(max(-FAR, min(one, two)) - (thick - 1.0) / 2.0)
    foot = math.ceil(min(FAR, max(one, two)) + (thick - 1.0) / 2.0)
    left = math.floor(at.x(begin + (merge - 1) / 2.0 + offset) * at.ratio + HAIR)
    room = max(thick, math.ceil(at.pitch * merge))
    for colour, down in paints:
        if down is None or down is fell:
            painter.fillRect(QRectF(left, top, room, max(thick, foot - top)), colour)


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
    if merge > 1:
        span = (first, last, merge)
        dense(painter, at, at.series.column(CLOSE), span, [(ink.line, None)], WIDTH)
        return
    x, y = points_of(at, at.series.column(CLOSE), first, last, merge)
    strokes(painter, x, y, pen_of(ink.line, WIDTH, at.ratio))


def markers(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """A line with a mark at each close, where there is room."""
    line(painter, at, first, last, merge, ink)
    x, y = points_of(at, at.series.column(CLOSE), first, last, merge)
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
    line(painter, at, first, last, merge, ink)


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
