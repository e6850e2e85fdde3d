"""Painting what the geometry gave."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPen, QPolygonF, QStaticText, QTransform

from openalgo_desktop.core.charting.drawings.geometry.sheet import (
    PAD_X,
    PAD_Y,
    At,
    Ink,
    Label,
    Picture,
    Point,
    Stroke,
    box_of,
)
from openalgo_desktop.core.charting.drawings.model import Colour, Dash
from openalgo_desktop.ui.kit import fonts, look, theme

#: Radius of a handle, pixels.
HANDLE = 4.5
#: Texts further from the pane than this are not drawn, pixels.
FAR = 600.0
#: Lines up to this width are drawn piece by piece with flat ends: smooth and long, one that is
#: joined or has round ends costs twelve times as much. Pixels.
THIN = 2.5
_DASHES = {Dash.DASH: [5.0, 4.0], Dash.DOT: [1.0, 3.0]}


def colour(name: Colour, alpha: float = 1.0) -> QColor:
    """``#rrggbb`` as it is, else the role of the theme in force."""
    made = QColor(name) if name.startswith("#") else theme.current().color(name)
    made.setAlphaF(max(0.0, min(1.0, alpha)))
    return made


def paint(painter: QPainter, picture: Picture, at: At, shift: float = 0.0) -> None:
    """Strokes, then texts over them. The painter has moved all by ``shift`` pixels."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    for stroke in picture.strokes:
        _stroke(painter, stroke)
    pane = at.pane
    for label in picture.labels:
        if pane.holds(label.at.x + shift, label.at.y, FAR):
            _label(painter, label, at)


def _stroke(painter: QPainter, stroke: Stroke) -> None:
    ink, dress = stroke.ink, theme.current().name
    if ink.fill:
        # Its edge is under a line, or nobody looks at it: smooth edges cost four times as much.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        brush = _brush(ink.fill, ink.opacity, dress)
        room = _upright(stroke.points)
        if room is not None:
            painter.fillRect(room, brush)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(brush)
            painter.drawPolygon(_polygon(stroke))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    if not ink.colour:
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_pen(ink, dress))
    points = stroke.points
    thin = ink.width <= THIN and ink.alpha == 1.0 and ink.dash is Dash.SOLID
    if len(points) == 2 or thin:
        ends = (*points, points[0]) if stroke.closed else points
        painter.drawLines([QLineF(*a, *b) for a, b in pairwise(ends)])
    elif stroke.closed:
        painter.drawPolygon(_polygon(stroke))
    else:
        painter.drawPolyline(_polygon(stroke))


def _upright(points: tuple[Point, ...]) -> QRectF | None:
    """The rectangle that four points are, with its sides along the axes; None for another shape.
    It is filled row by row, a shape by its edges."""
    if len(points) != 4:
        return None
    (a, b), (c, d), (e, f), (g, h) = points
    if not ((a == g and c == e and b == d and f == h) or (a == c and e == g and b == h and d == f)):
        return None
    return QRectF(min(a, e), min(b, f), abs(e - a), abs(f - b))


def _polygon(stroke: Stroke) -> QPolygonF:
    return QPolygonF([QPointF(*point) for point in stroke.points])


@lru_cache(maxsize=256)
def _brush(fill: Colour, opacity: float, _theme: str) -> QBrush:
    return QBrush(colour(fill, opacity))


@lru_cache(maxsize=512)
def _pen(ink: Ink, _theme: str) -> QPen:
    pen = QPen(colour(ink.colour, ink.alpha), ink.width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if ink.dash in _DASHES:
        pen.setDashPattern([part / max(1.0, ink.width / 1.5) for part in _DASHES[ink.dash]])
    elif ink.width > THIN:
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


@lru_cache(maxsize=64)
def _font(pixels: int, _scale: int) -> QFont:
    return fonts.text_font(pixels)


@lru_cache(maxsize=2048)
def _layout(text: str, pixels: int, scale: int) -> tuple[QStaticText, ...]:
    """The rows of a text, laid out once."""
    made = []
    for row in text.split("\n"):
        line = QStaticText(row)
        line.setTextFormat(Qt.TextFormat.PlainText)
        line.prepare(QTransform(), _font(pixels, scale))
        made.append(line)
    return tuple(made)


@lru_cache(maxsize=128)
def _text_pen(name: Colour, _theme: str) -> QPen:
    return QPen(colour(name))


def _box(painter: QPainter, room: QRectF, brush: QBrush) -> None:
    """A box with blunt corners, row by row: a smooth one takes twenty times as long."""
    left, top = round(room.left()), round(room.top())
    wide, high = round(room.width()), round(room.height())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    inset = 0
    for inset in (2, 1) if high > 6 else ():
        row = 2 - inset
        painter.fillRect(left + inset, top + row, wide - 2 * inset, 1, brush)
        painter.fillRect(left + inset, top + high - 1 - row, wide - 2 * inset, 1, brush)
    edge = 2 if inset else 0
    painter.fillRect(left, top + edge, wide, high - 2 * edge, brush)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def _label(painter: QPainter, label: Label, at: At) -> None:
    box = box_of(label, at)
    room = QRectF(box.left, box.top, box.right - box.left, box.bottom - box.top)
    if label.box:
        _box(painter, room, _brush(label.box, label.opacity, theme.current().name))
        room.adjust(PAD_X, PAD_Y, -PAD_X, -PAD_Y)
    painter.setPen(_text_pen(label.colour, theme.current().name))
    scale = look.current().text_scale
    painter.setFont(_font(label.size, scale))
    rows = _layout(label.text, label.size, scale)
    for number, row in enumerate(rows):
        top = room.top() + number * room.height() / len(rows)
        painter.drawStaticText(QPointF(room.left(), top), row)


def paint_handles(painter: QPainter, picture: Picture, *, faint: bool = False) -> None:
    """The places where anchors are taken."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(colour("accent", 0.5 if faint else 1.0), 1.5))
    painter.setBrush(colour("panel"))
    for handle in picture.handles:
        painter.drawEllipse(QPointF(*handle.at), HANDLE, HANDLE)
