"""Fibonacci sets. Levels of prices are parts of prices (right on every scale); parallels, arcs and
circles are those of the screen."""

from __future__ import annotations

from math import atan2, cos, hypot, log, pi, sin, sqrt

from openalgo_desktop.core.charting.drawings.geometry import curves
from openalgo_desktop.core.charting.drawings.geometry.lines import across
from openalgo_desktop.core.charting.drawings.geometry.sheet import Ink, Point, Sheet
from openalgo_desktop.core.charting.drawings.model import Level

GOLDEN = (1 + sqrt(5)) / 2


def _shown(sheet: Sheet) -> list[Level]:
    return [level for level in sheet.style.levels if level.shown]


def _prices(sheet: Sheet, start: float, way: float, left: float, right: float) -> None:
    """Horizontal lines at ``start`` and parts of ``way`` (rupees) from there."""
    before: float | None = None
    pane, style = sheet.at.pane, sheet.style
    edges = (pane.left if style.left else left, pane.right if style.right else right)
    for level in sorted(_shown(sheet), key=lambda level: level.value):
        price = start + way * level.value
        ink = sheet.inked(level.colour)
        y = sheet.level(price, left, right, ink, f"{level.value:g}")
        if before is not None:
            corners = ((edges[0], before), (edges[1], before), (edges[1], y), (edges[0], y))
            sheet.area([Point(*corner) for corner in corners], ink.colour)
        if style.figures:
            text = f"{level.value:g} ({sheet.at.price_text(price)})"
            room = pane.room_before(edges[0], 110)
            place = Point(edges[0] - 4 if room else edges[0] + 4, y)
            sides = (1.0, 0.5) if room else (0.0, 1.0)
            sheet.name_level(level.value, place, text, *sides, ink.colour)
        before = y


def retracement(sheet: Sheet) -> None:
    """0 at the second point, 1 at the first."""
    a, b = sheet.points
    first, second = sheet.prices
    sheet.path((a, b), sheet.thin)
    _prices(sheet, second, first - second, min(a.x, b.x), max(a.x, b.x))


def extension(sheet: Sheet) -> None:
    """0 at the third point, 1 as far from it as the second is from the first."""
    a, b, c = sheet.points
    first, second, third = sheet.prices
    sheet.path((a, b, c), sheet.thin)
    left = min(b.x, c.x)
    _prices(sheet, third, second - first, left, max(b.x, c.x, left + 12 * sheet.at.step))


def fib_channel(sheet: Sheet) -> None:
    """Parallels: 0 is the line, 1 goes through the third point."""
    a, b, c = sheet.points
    down = c.y - across(a, b, c.x)
    style, before = sheet.style, None
    for level in sorted(_shown(sheet), key=lambda level: level.value):
        ink = sheet.inked(level.colour)
        ends = (a.by(0, down * level.value), b.by(0, down * level.value))
        name = f"{level.value:g}"
        drawn = sheet.line(*ends, ink, before=style.left, after=style.right, name=name)
        if drawn is not None:
            if before is not None:
                sheet.area((*before, *reversed(drawn)), ink.colour)
            sheet.name_level(level.value, ends[0].by(-4, 0), name, 1, 0.5, ink.colour)
        before = drawn


def _times(sheet: Sheet, start: float, way: float) -> None:
    """Vertical lines at bar ``start`` and parts of ``way`` bars from there."""
    pane = sheet.at.pane
    for level in _shown(sheet):
        x = sheet.at.x(start + way * level.value)
        ink = sheet.inked(level.colour)
        sheet.upright(x, ink)
        if pane.left <= x <= pane.right:
            place = Point(x + 3, pane.bottom - 3)
            sheet.name_level(level.value, place, f"{level.value:g}", 0, 1, ink.colour)


def time_zones(sheet: Sheet) -> None:
    """From the first bar, in distances of the second from it."""
    sheet.path(sheet.points, sheet.thin)
    first, second = sheet.indexes
    _times(sheet, first, second - first)


def trend_time(sheet: Sheet) -> None:
    """The time between the first two points, from the third."""
    sheet.path(sheet.points, sheet.thin)
    first, second, third = sheet.indexes
    _times(sheet, third, second - first)


def _ring(sheet: Sheet, level: Level, points: list[Point], at: Point, closed: bool) -> None:
    """One of a set, the largest first: that one is filled."""
    ink = sheet.inked(level.colour)
    if all(not stroke.ink.fill for stroke in sheet.strokes):
        sheet.area(points, ink.colour)
    sheet.path(points, ink, closed=closed)
    sheet.name_level(level.value, at, f"{level.value:g}", 0.5, 1, ink.colour)


def fib_circles(sheet: Sheet) -> None:
    """Ellipses around the middle; 1 goes through both points."""
    a, b = sheet.points
    sheet.path((a, b), sheet.thin)
    middle = a.to(b, 0.5)
    wide, high = abs(b.x - a.x) / sqrt(2), abs(b.y - a.y) / sqrt(2)
    for level in reversed(_shown(sheet)):
        points = curves.ellipse(middle, wide * level.value, high * level.value)
        _ring(sheet, level, points, middle.by(0, -high * level.value), True)


def fib_arcs(sheet: Sheet) -> None:
    """Half circles around the second point on the first one's side; 1 reaches as far as that."""
    a, b = sheet.points
    sheet.path((a, b), sheet.thin)
    radius, side = a.far(b), 1.0 if a.y >= b.y else -1.0
    for level in reversed(_shown(sheet)):
        far = radius * level.value
        points = curves.ellipse(b, far, far, 0.0, pi * side)
        _ring(sheet, level, points, b.by(0, far * side), False)


def wedge(sheet: Sheet) -> None:
    """Arcs between the legs from the first point to the others."""
    a, b, c = sheet.points
    sheet.path((b, a, c))
    start, end = (atan2(p.y - a.y, p.x - a.x) for p in (b, c))
    way = (end - start + pi) % (2 * pi) - pi
    near, far = a.far(b), a.far(c)
    for level in reversed(_shown(sheet)):
        points = []
        for step in range(33):
            share = step / 32
            turn, long = start + way * share, (near + (far - near) * share) * level.value
            points.append(a.by(long * cos(turn), long * sin(turn)))
        ink = sheet.inked(level.colour)
        sheet.path(points, ink)
        sheet.area((a, *points), ink.colour)
        if level.value:
            name = f"{level.value:g}"
            sheet.name_level(level.value, points[-1].by(4, 0), name, 0, 0.5, ink.colour)


def spiral(sheet: Sheet) -> None:
    """Around the first point, through the second, wider by the golden section in a quarter turn;
    it ends where it has left the pane."""
    a, b = sheet.points
    radius = a.far(b)
    sheet.path((a, b), sheet.thin)
    if radius < 1:
        return
    pane = sheet.at.pane
    corners = [(x, y) for x in (pane.left, pane.right) for y in (pane.top, pane.bottom)]
    reach = max(hypot(a.x - x, a.y - y) for x, y in corners)
    outward = max(0.0, min(log(max(reach / radius, 1.0)) / log(GOLDEN), 12.0))
    start, fine = atan2(b.y - a.y, b.x - a.x), 16
    points = []
    for step in range(-8 * fine, int(outward * fine) + fine):
        quarter = step / fine
        long, turn = radius * GOLDEN**quarter, start + quarter * pi / 2
        points.append(a.by(long * cos(turn), long * sin(turn)))
    sheet.path(points)


def fib_fan(sheet: Sheet) -> None:
    """Rays from the first point through parts of the price at the second one's time, and through
    parts of the time at its price."""
    a, b = sheet.points
    first, second = sheet.prices
    begin, end = sheet.indexes
    box = (a, Point(b.x, a.y), b, Point(a.x, b.y))
    sheet.path(box, sheet.thin, closed=True)
    for level in _shown(sheet):
        ink = sheet.inked(level.colour)
        price = sheet.at.y(second + (first - second) * level.value)
        time = sheet.at.x(end + (begin - end) * level.value)
        ways = ((Point(b.x, price), "price"), (Point(time, b.y), "time"))
        for place, kind in ways:
            if place == a or (place == b and kind == "time"):
                continue
            sheet.line(a, place, ink, after=True, name=f"{level.value:g} {kind}")
            sheet.name_level(level.value, place, f"{level.value:g}", 0, 0.5, ink.colour)
        grid = Ink(ink.colour, 1.0, alpha=0.4)
        sheet.path((Point(a.x, price), Point(b.x, price)), grid)
        sheet.path((Point(time, a.y), Point(time, b.y)), grid)
