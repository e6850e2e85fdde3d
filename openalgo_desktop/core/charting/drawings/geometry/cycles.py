"""Cycles."""

from __future__ import annotations

from math import ceil, cos, floor, pi

from openalgo_desktop.core.charting.drawings.geometry import curves
from openalgo_desktop.core.charting.drawings.geometry.sheet import Point, Sheet

#: More lines than this say nothing.
MOST = 400


def _repeats(sheet: Sheet) -> tuple[float, range]:
    """Bars of one cycle and the numbers of those in the pane, 0 being the one that was drawn;
    none without a length."""
    first, second = sheet.indexes
    way = abs(second - first)
    if not way:
        return 0.0, range(0)
    at = sheet.at
    start = min(first, second)
    left = floor((at.index(at.pane.left) - start) / way)
    right = ceil((at.index(at.pane.right) - start) / way)
    return way, range(left, min(right + 1, left + MOST))


def cyclic(sheet: Sheet) -> None:
    """A vertical line at the first bar and at every distance of the second after it."""
    way, numbers = _repeats(sheet)
    sheet.path(sheet.points, sheet.thin)
    start = min(sheet.indexes)
    for number in numbers:
        if number >= 0:
            sheet.upright(sheet.at.x(start + way * number))


def time_cycles(sheet: Sheet) -> None:
    """Half circles that stand on the price of the first point."""
    way, numbers = _repeats(sheet)
    start, at = min(sheet.indexes), sheet.at
    y, radius = sheet.points[0].y, abs(sheet.points[1].x - sheet.points[0].x) / 2
    for number in numbers:
        middle = Point(at.x(start + way * (number + 0.5)), y)
        points = curves.ellipse(middle, radius, radius, pi, pi)
        sheet.path(points)
        sheet.area(points, sheet.style.fill)


def sine(sheet: Sheet) -> None:
    """From one turn to the opposite one, over the pane."""
    a, b = sheet.points
    half, pane = b.x - a.x, sheet.at.pane
    if not half:
        sheet.path(sheet.points, sheet.thin)
        return
    middle, high = (a.y + b.y) / 2, (a.y - b.y) / 2
    count = min(2000, max(2, int((pane.right - pane.left) / 2)))
    wide = (pane.right - pane.left) / count
    points = []
    for step in range(count + 1):
        x = pane.left + step * wide
        points.append(Point(x, middle + high * cos((x - a.x) / half * pi)))
    sheet.path(points)
