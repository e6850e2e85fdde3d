"""Painting what the geometry gave."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF

from openalgo_desktop.core.charting.drawings.geometry.sheet import At, Label, Picture, Stroke
from openalgo_desktop.core.charting.drawings.geometry.touch import PAD_X, PAD_Y, box_of
from openalgo_desktop.core.charting.drawings.model import Colour, Dash
from openalgo_desktop.ui.kit import fonts, theme

#: Radius of a handle, pixels.
HANDLE = 4.5
#: Corners of boxes of texts, pixels.
ROUND = 3.0
_DASHES = {Dash.DASH: [5.0, 4.0], Dash.DOT: [1.0, 3.0]}


def colour(name: Colour, alpha: float = 1.0) -> QColor:
    """``#rrggbb`` as it is, else the role of the theme in force."""
    made = QColor(name) if name.startswith("#") else theme.current().color(name)
    made.setAlphaF(max(0.0, min(1.0, alpha)))
    return made


def paint(painter: QPainter, picture: Picture, at: At) -> None:
    """Strokes, then texts over them."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    for stroke in picture.strokes:
        _stroke(painter, stroke)
    for label in picture.labels:
        _label(painter, label, at)


def _stroke(painter: QPainter, stroke: Stroke) -> None:
    ink = stroke.ink
    if not ink.colour and not ink.fill:
        return
    if ink.colour:
        pen = QPen(colour(ink.colour, ink.alpha), ink.width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if ink.dash in _DASHES:
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setDashPattern([part / max(1.0, ink.width / 1.5) for part in _DASHES[ink.dash]])
        painter.setPen(pen)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
    fill = colour(ink.fill, ink.opacity) if ink.fill else None
    painter.setBrush(QBrush(fill) if fill is not None else Qt.BrushStyle.NoBrush)
    points = QPolygonF([QPointF(*point) for point in stroke.points])
    if stroke.closed or fill is not None:
        if stroke.closed:
            painter.drawPolygon(points)
            return
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(points)
        painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(points)


def _label(painter: QPainter, label: Label, at: At) -> None:
    box = box_of(label, at)
    room = QRectF(box.left, box.top, box.right - box.left, box.bottom - box.top)
    if label.box:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(label.box, label.opacity))
        painter.drawRoundedRect(room, ROUND, ROUND)
        room.adjust(PAD_X, PAD_Y, -PAD_X, -PAD_Y)
    painter.setPen(colour(label.colour))
    painter.setFont(fonts.text_font(label.size))
    # A rounding error of the width must not break a line.
    painter.drawText(room.adjusted(0, 0, 2, 2), Qt.AlignmentFlag.AlignLeft, label.text)


def paint_handles(painter: QPainter, picture: Picture, *, faint: bool = False) -> None:
    """The places where anchors are taken."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(colour("accent", 0.5 if faint else 1.0), 1.5))
    painter.setBrush(colour("panel"))
    for handle in picture.handles:
        painter.drawEllipse(QPointF(*handle.at), HANDLE, HANDLE)
