"""Gann's boxes, squares and fan."""

from __future__ import annotations

from fractions import Fraction
from math import copysign, pi

from openalgo_desktop.core.charting.drawings.geometry import curves
from openalgo_desktop.core.charting.drawings.geometry.sheet import Ink, Point, Sheet


def _grid(sheet: Sheet, a: Point, b: Point, prices: tuple[float, float] | None) -> None:
    """Lines at parts of the box from ``a`` to ``b``; with ``prices`` those are parts of prices,
    else of the screen."""
    at, style = sheet.at, sheet.style
    corners = (a, Point(b.x, a.y), b, Point(a.x, b.y))
    sheet.area(corners, style.fill)
    for level in style.levels:
        if not level.shown:
            continue
        ink = sheet.inked(level.colour)
        x = a.to(b, level.value).x
        y = a.to(b, level.value).y
        if prices is not None:
            y = at.y(prices[0] + (prices[1] - prices[0]) * level.value)
        name = f"{level.value:g}"
        sheet.line(Point(a.x, y), Point(b.x, y), ink, name=name, lasts=True)
        sheet.path((Point(x, a.y), Point(x, b.y)), ink)
        left, top = min(a.x, b.x), min(a.y, b.y)
        sheet.name_level(level.value, Point(left - 4, y), name, 1, 0.5, ink.colour)
        sheet.name_level(level.value, Point(x, top - 3), name, 0.5, 1, ink.colour)


def gann_box(sheet: Sheet) -> None:
    """Parts of the price and of the time between two points."""
    a, b = sheet.points
    first, second = sheet.prices
    _grid(sheet, a, b, (first, second))


def gann_square(sheet: Sheet) -> None:
    """A box with lines from its first corner to the parts of the far edges, and arcs around it."""
    a, b = sheet.points
    prices: tuple[float, float] | None = (sheet.prices[0], sheet.prices[1])
    if sheet.tool.variant == "fixed":
        b, prices = Point(b.x, a.y + copysign(abs(b.x - a.x), b.y - a.y)), None
    _grid(sheet, a, b, prices)
    wide, high = b.x - a.x, b.y - a.y
    for level in sheet.style.levels:
        if not level.shown or not level.value:
            continue
        ink = Ink(sheet.inked(level.colour).colour, 1.0, alpha=0.6)
        sheet.path((a, Point(b.x, a.y + high * level.value)), ink)
        sheet.path((a, Point(a.x + wide * level.value, b.y)), ink)
        quarter = curves.ellipse(a, wide * level.value, high * level.value, 0.0, pi / 2)
        sheet.path(quarter, ink)


def gann_fan(sheet: Sheet) -> None:
    """Rays from the first point: 1x1 goes through the second, 2x1 rises twice as fast."""
    a, b = sheet.points
    first, second = sheet.prices
    for level in sheet.style.levels:
        if not level.shown:
            continue
        ink = sheet.inked(level.colour)
        part = Fraction(level.value).limit_denominator(16)
        name = f"{part.numerator}x{part.denominator}"
        end = Point(b.x, sheet.at.y(first + (second - first) * level.value))
        drawn = sheet.line(a, end, ink, after=True, name=name)
        if drawn is not None:
            place = a.to(end, min(1.0, 1 / level.value))
            sheet.name_level(level.value, place, name, 0, 1, ink.colour)
