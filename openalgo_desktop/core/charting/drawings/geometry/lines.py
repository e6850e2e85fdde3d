"""Lines."""

from __future__ import annotations

from math import atan2, degrees, hypot

from openalgo_desktop.core.charting.drawings.geometry import curves, words
from openalgo_desktop.core.charting.drawings.geometry.sheet import Point, Sheet


def line(sheet: Sheet) -> None:
    """Two points; the variants say its distance or its angle."""
    a, b = sheet.points
    style = sheet.style
    sheet.line(a, b, before=style.left, after=style.right, name="line")
    if sheet.tool.variant == "info":
        text = distance(sheet)
        fits = sheet.at.pane.room_after(b.x, sheet.at.size_of(text, style.font)[0] + 20)
        sheet.figure(b.by(8 if fits else -8, 0), text, 0 if fits else 1, 0.5)
    elif sheet.tool.variant == "angle":
        angle = degrees(atan2(a.y - b.y, b.x - a.x))
        radius = min(40.0, a.far(b) / 2)
        sheet.path((a, a.by(radius * 1.4, 0)), sheet.thin)
        turn = atan2(b.y - a.y, b.x - a.x)
        sheet.path(curves.ellipse(a, radius, radius, 0.0, turn), sheet.thin)
        sheet.figure(a.by(radius + 6, 4 if angle > 0 else -4), f"{angle:.1f}°", 0, angle < 0)


def distance(sheet: Sheet) -> str:
    """From the first point to the second: price, per cent, bars and time."""
    first, second = sheet.prices[:2]
    bars = round(sheet.indexes[1] - sheet.indexes[0])
    begin, end = (anchor.time for anchor in sheet.drawing.anchors[:2])
    price = f"{words.signed(second - first, sheet.at.places)} ({words.percent(first, second)})"
    return f"{price}\n{bars} bars, {words.lasting(end - begin)}"


def horizontal(sheet: Sheet) -> None:
    """A price."""
    point, price = sheet.points[0], sheet.prices[0]
    y = sheet.level(price, point.x, point.x, name="line")
    if sheet.style.figures:
        right = sheet.at.pane.right - 4
        sheet.write(Point(right, y - 2), sheet.at.price_text(price), 1, 1)


def vertical(sheet: Sheet) -> None:
    """A moment."""
    x = sheet.points[0].x
    sheet.upright(x)
    if sheet.style.figures:
        text = sheet.at.time_text(sheet.drawing.anchors[0].time)
        sheet.write(Point(x + 4, sheet.at.pane.bottom - 4), text, 0, 1)


def cross(sheet: Sheet) -> None:
    """A price and a moment."""
    horizontal(sheet)
    vertical(sheet)


def arrow(sheet: Sheet) -> None:
    """A line with a head."""
    a, b = sheet.points
    sheet.line(a, b, name="line")
    sheet.path(curves.head(a, b, sheet.ink.width))


def across(a: Point, b: Point, x: float) -> float:
    """y of the line through ``a`` and ``b`` at ``x``; of a vertical one that of ``b``."""
    return b.y if a.x == b.x else a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x)


def normal(a: Point, b: Point) -> Point:
    """The unit vector to the right of the way from ``a`` to ``b``, seen on the screen."""
    length = hypot(b.x - a.x, b.y - a.y) or 1.0
    return Point(-(b.y - a.y) / length, (b.x - a.x) / length)
