"""Shapes and brushes."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.geometry import curves
from openalgo_desktop.core.charting.drawings.geometry.lines import normal
from openalgo_desktop.core.charting.drawings.geometry.sheet import Ink, Point, Sheet


def rectangle(sheet: Sheet) -> None:
    """Two corners; its sides go on to the edges of the pane where the style says so."""
    a, b = sheet.points
    pane, style = sheet.at.pane, sheet.style
    left = pane.left if style.left else min(a.x, b.x)
    right = pane.right if style.right else max(a.x, b.x)
    top, bottom = min(a.y, b.y), max(a.y, b.y)
    corners = [Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom)]
    sheet.path(corners, sheet.filled(), closed=True)
    sheet.line(corners[0], corners[1], Ink(""), name="upper", lasts=True)
    sheet.line(corners[3], corners[2], Ink(""), name="lower", lasts=True)


def rotated(sheet: Sheet) -> None:
    """The middle line of its length, and a point of one of its long sides."""
    a, b, c = sheet.points
    side = normal(a, b)
    far = (c.x - a.x) * side.x + (c.y - a.y) * side.y
    move = (side.x * far, side.y * far)
    back = (-move[0], -move[1])
    sheet.path((a.by(*move), b.by(*move), b.by(*back), a.by(*back)), sheet.filled(), closed=True)


def ellipse(sheet: Sheet) -> None:
    """In the box of two corners."""
    a, b = sheet.points
    points = curves.ellipse(a.to(b, 0.5), abs(b.x - a.x) / 2, abs(b.y - a.y) / 2)
    sheet.path(points, sheet.filled(), closed=True)


def circle(sheet: Sheet) -> None:
    """The middle and a point of it."""
    a, b = sheet.points
    radius = a.far(b)
    sheet.path(curves.ellipse(a, radius, radius), sheet.filled(), closed=True)


def polygon(sheet: Sheet) -> None:
    """Its corners."""
    sheet.path(sheet.points, sheet.filled(), closed=True)


def polyline(sheet: Sheet) -> None:
    """Points; when the last is the first, it is closed and filled."""
    anchors = sheet.drawing.anchors
    closed = len(anchors) > 2 and anchors[0] == anchors[-1]
    sheet.path(sheet.points, sheet.filled() if closed else sheet.ink, closed=closed)


def path(sheet: Sheet) -> None:
    """Points, an arrow at the last."""
    sheet.path(sheet.points)
    sheet.path(curves.head(sheet.points[-2], sheet.points[-1], sheet.ink.width))


def curve(sheet: Sheet) -> None:
    """Two ends and one bow or two."""
    a, b, *bows = sheet.points
    points = curves.bow(a, b, *bows) if len(bows) == 1 else curves.double_bow(a, b, *bows)
    sheet.path(points, sheet.filled())


def arc(sheet: Sheet) -> None:
    """Two ends and a point of a circle's arc."""
    a, b, through = sheet.points
    sheet.path(curves.arc(a, b, through), sheet.filled())


def stroke(sheet: Sheet) -> None:
    """What the hand drew; a marker lets the bars shine through."""
    alpha = sheet.style.opacity if sheet.tool.variant == "marker" else 1.0
    sheet.path(sheet.points, sheet.ink._replace(alpha=alpha))
