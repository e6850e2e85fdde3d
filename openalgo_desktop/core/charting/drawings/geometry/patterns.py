"""Patterns: turns with letters, and the ratios of their legs."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.geometry import words
from openalgo_desktop.core.charting.drawings.geometry.sheet import Point, Sheet


def pattern(sheet: Sheet) -> None:
    """Legs through all points, letters at them, ratios on dashed lines."""
    points = sheet.points
    if sheet.tool.variant == "triangles":
        sheet.area(points[:3], sheet.style.fill)
        sheet.area(points[2:5], sheet.style.fill)
    sheet.path(points)
    _letters(sheet)
    if not sheet.style.figures:
        return
    for row in sheet.tool.ratios:
        over = sheet.prices[row.over[1]] - sheet.prices[row.over[0]]
        under = sheet.prices[row.under[1]] - sheet.prices[row.under[0]]
        ends = (min(*row.over, *row.under), max(*row.over, *row.under))
        a, b = points[ends[0]], points[ends[1]]
        sheet.path((a, b), sheet.thin)
        sheet.figure(a.to(b, 0.5), words.ratio(over, under), 0.5, 0.5)


def _letters(sheet: Sheet) -> None:
    """At each point its letter, away from the leg that leads to it."""
    points = sheet.points
    for number, (point, letter) in enumerate(zip(points, sheet.tool.labels, strict=True)):
        other = points[number - 1] if number else points[1]
        above = point.y <= other.y
        sheet.write(point.by(0, -6 if above else 6), letter, 0.5, 1 if above else 0)


def _meets(a: Point, b: Point, c: Point, d: Point) -> Point | None:
    """Where the lines through ``a``, ``b`` and ``c``, ``d`` cross; None for parallel ones."""
    under = (a.x - b.x) * (c.y - d.y) - (a.y - b.y) * (c.x - d.x)
    if abs(under) < 1e-9:
        return None
    one, two = a.x * b.y - a.y * b.x, c.x * d.y - c.y * d.x
    return Point(
        (one * (c.x - d.x) - (a.x - b.x) * two) / under,
        (one * (c.y - d.y) - (a.y - b.y) * two) / under,
    )


def shoulders(sheet: Sheet) -> None:
    """Seven turns; the neckline goes through the third and the fifth to the outer legs."""
    p = sheet.points
    left, right = _meets(p[2], p[4], p[0], p[1]), _meets(p[2], p[4], p[5], p[6])
    ends = (left or p[2], right or p[4])
    for three in (p[0:3], p[2:5], p[4:7]):
        sheet.area(three, sheet.style.fill)
    sheet.path(p)
    sheet.line(*ends, sheet.ink, before=sheet.style.left, after=sheet.style.right, name="neckline")
    _letters(sheet)


def triangle_pattern(sheet: Sheet) -> None:
    """Edges through the first and third and through the second and fourth turn, to where they
    meet."""
    a, b, c, d = sheet.points
    apex = _meets(a, c, b, d)
    ahead = apex is not None and apex.x > max(c.x, d.x)
    ends = [(a, apex if apex is not None and ahead else c), (b, apex if apex and ahead else d)]
    higher = sum(p.y for p in ends[0]) <= sum(p.y for p in ends[1])
    names = ("upper", "lower") if higher else ("lower", "upper")
    for (start, end), name in zip(ends, names, strict=True):
        sheet.line(start, end, name=name)
    sheet.area((a, ends[0][1], ends[1][1], b), sheet.style.fill)
    sheet.path((a, b, c, d), sheet.thin)
    _letters(sheet)
