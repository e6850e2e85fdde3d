"""Channels and pitchforks. Their edges are parallel on the screen, whatever the scale."""

from __future__ import annotations

from math import sqrt

import numpy as np

from openalgo_desktop.core.charting.drawings.geometry.lines import across
from openalgo_desktop.core.charting.drawings.geometry.sheet import Point, Sheet


def _edges(sheet: Sheet, one: tuple[Point, Point], two: tuple[Point, Point]) -> None:
    """Two edges with the room between them filled; the upper one is the higher on average."""
    style = sheet.style
    higher = one[0].y + one[1].y <= two[0].y + two[1].y
    names = ("upper", "lower") if higher else ("lower", "upper")
    drawn = []
    for (a, b), name in zip((one, two), names, strict=True):
        drawn.append(sheet.line(a, b, before=style.left, after=style.right, name=name))
    first, second = drawn
    if first is not None and second is not None:
        sheet.area((*first, *reversed(second)), style.fill)


def parallel(sheet: Sheet) -> None:
    """A line, its parallel through the third point, the middle between them."""
    a, b, c = sheet.points
    down = c.y - across(a, b, c.x)
    _edges(sheet, (a, b), (a.by(0, down), b.by(0, down)))
    style = sheet.style
    middle = (a.by(0, down / 2), b.by(0, down / 2))
    sheet.line(*middle, sheet.thin, before=style.left, after=style.right, name="middle")


def flat(sheet: Sheet) -> None:
    """A line, and a horizontal edge at the third point's price."""
    a, b, c = sheet.points
    _edges(sheet, (a, b), (Point(a.x, c.y), Point(b.x, c.y)))


def disjoint(sheet: Sheet) -> None:
    """A line, and an edge of the opposite slope that is at the third point's price at its end."""
    a, b, c = sheet.points
    _edges(sheet, (a, b), (Point(a.x, c.y + b.y - a.y), Point(b.x, c.y)))


def regression(sheet: Sheet) -> None:
    """Least squares of the closes by bar, and parallels by standard deviations of the residues
    (of the population); what the anchors' prices are does not matter."""
    at = sheet.at
    ends = sorted(int(index) for index in sheet.indexes[:2])
    first, last = max(ends[0], 0), min(ends[1], at.bars.size - 1)
    if last - first < 1:
        sheet.path(sheet.points, sheet.thin)
        return
    closes = at.bars.close[first : last + 1]
    places = np.arange(first, last + 1, dtype=np.float64)
    x, y = places - places.mean(), closes - closes.mean()
    # Not ``@``: it wakes the threads of the linear algebra, which cost more than the sum.
    across, up, both = (float(np.einsum("i,i->", *pair)) for pair in ((x, x), (y, y), (x, y)))
    slope = both / across
    base = float(closes.mean()) - slope * float(places.mean())
    spread = sqrt(max(0.0, up - slope * both) / len(closes))
    style, drawn = sheet.style, []
    rows = [(0.0, sheet.ink, "regression")]
    rows += [(v.value, sheet.inked(v.colour), f"{v.value:+g}σ") for v in style.levels if v.shown]
    for value, ink, name in rows:
        prices = [base + slope * place + value * spread for place in (first, last)]
        a, b = (Point(at.x(i), at.y(p)) for i, p in zip((first, last), prices, strict=True))
        line = sheet.line(a, b, ink, before=style.left, after=style.right, name=name)
        if line is not None:
            drawn.append((value, line))
    drawn.sort(key=lambda row: row[0])
    if len(drawn) > 1:
        sheet.area((*drawn[0][1], *reversed(drawn[-1][1])), style.fill)
    correlation = both / sqrt(across * up) if up else 1.0
    sheet.figure(Point(at.x(first), at.pane.top + 4), f"R {correlation:.3f}")


def _origin(sheet: Sheet) -> Point:
    """Where the median line begins."""
    a, b = sheet.points[:2]
    if sheet.tool.variant == "schiff":
        return Point(a.x, (a.y + b.y) / 2)
    return a if sheet.tool.variant == "andrews" else a.to(b, 0.5)


def pitchfork(sheet: Sheet) -> None:
    """The median line, and parallels through parts of the way from it to the other points."""
    a, b, c = sheet.points
    start, middle = _origin(sheet), b.to(c, 0.5)
    way = Point(middle.x - start.x, middle.y - start.y)
    if not way.x and not way.y:
        sheet.path(sheet.points, sheet.thin)
        return
    sheet.path((a, b, c), sheet.thin)
    sheet.line(start, middle, after=True, name="median")
    scale = 0.5 if sheet.tool.variant == "inside" else 1.0
    shown = [level for level in sheet.style.levels if level.shown]
    drawn: list[list[tuple[Point, Point] | None]] = [[], []]
    for level in sorted(shown, key=lambda level: level.value):
        ink = sheet.inked(level.colour)
        ends = [middle.to(point, level.value * scale) for point in (b, c)]
        upper = ends[0].y <= ends[1].y
        for side, end in enumerate(ends):
            name = f"{level.value:g} {'upper' if upper == (side == 0) else 'lower'}"
            tine = sheet.line(end, end.by(way.x, way.y), ink, after=True, name=name)
            drawn[side].append(tine)
    one, two = (side[-1] if side else None for side in drawn)
    if one is not None and two is not None:
        sheet.area((*one, *reversed(two)), sheet.style.fill)


def pitchfan(sheet: Sheet) -> None:
    """Rays from the first point through parts of the way from the others' middle to them."""
    a, b, c = sheet.points
    middle = b.to(c, 0.5)
    sheet.path((b, c), sheet.thin)
    sheet.line(a, middle, after=True, name="median")
    for level in sheet.style.levels:
        if not level.shown:
            continue
        ink = sheet.inked(level.colour)
        ends = [middle.to(point, level.value) for point in (b, c)]
        upper = ends[0].y <= ends[1].y
        for side, end in enumerate(ends):
            name = f"{level.value:g} {'upper' if upper == (side == 0) else 'lower'}"
            sheet.line(a, end, ink, after=True, name=name)
