"""Round things as points on a polyline, near enough that no corner is seen."""

from __future__ import annotations

from functools import lru_cache
from math import atan2, ceil, cos, hypot, pi, sin, sqrt

from openalgo_desktop.core.charting.drawings.geometry.sheet import Point

FEWEST, MOST = 12, 240


def _pieces(radius: float, angle: float) -> int:
    """Enough pieces that each leaves its arc by less than a quarter of a pixel."""
    wanted = abs(angle) * sqrt(max(radius, 1.0))
    return max(FEWEST, min(MOST, 8 * ceil(wanted / 8)))


def ellipse(
    middle: Point, across: float, down: float, start: float = 0.0, angle: float = 2 * pi
) -> list[Point]:
    """The arc of ``angle`` radians from ``start`` (0 is right, growing downwards)."""
    turns = _turns(_pieces(max(abs(across), abs(down)), angle), start, angle)
    x, y = middle
    return [Point(x + across * cosine, y + down * sine) for cosine, sine in turns]


@lru_cache(maxsize=256)
def _turns(count: int, start: float, angle: float) -> list[tuple[float, float]]:
    """Cosine and sine on the way: sets of circles ask for the same again and again."""
    steps = (start + angle * step / count for step in range(count + 1))
    return [(cos(a), sin(a)) for a in steps]


def bow(a: Point, b: Point, through: Point) -> list[Point]:
    """The parabola from ``a`` to ``b`` that is at ``through`` half-way (quadratic Bézier)."""
    control = Point(2 * through.x - (a.x + b.x) / 2, 2 * through.y - (a.y + b.y) / 2)
    found = []
    for step in range(33):
        t = step / 32
        one, two, three = (1 - t) ** 2, 2 * t * (1 - t), t * t
        found.append(
            Point(
                one * a.x + two * control.x + three * b.x,
                one * a.y + two * control.y + three * b.y,
            )
        )
    return found


def double_bow(a: Point, b: Point, first: Point, second: Point) -> list[Point]:
    """The cubic from ``a`` to ``b`` that is at ``first`` after a third and at ``second`` after
    two (the polynomial of Lagrange through the four)."""
    found = []
    for step in range(49):
        t = step / 48
        w0 = -4.5 * (t - 1 / 3) * (t - 2 / 3) * (t - 1)
        w1 = 13.5 * t * (t - 2 / 3) * (t - 1)
        w2 = -13.5 * t * (t - 1 / 3) * (t - 1)
        w3 = 4.5 * t * (t - 1 / 3) * (t - 2 / 3)
        pairs = ((w0, a), (w1, first), (w2, second), (w3, b))
        found.append(Point(sum(w * p.x for w, p in pairs), sum(w * p.y for w, p in pairs)))
    return found


def arc(a: Point, b: Point, through: Point) -> list[Point]:
    """The circle's arc from ``a`` to ``b`` through the third point; of points in one line that
    line."""
    d = 2 * (a.x * (b.y - through.y) + b.x * (through.y - a.y) + through.x * (a.y - b.y))
    if abs(d) < 1e-9:
        return [a, through, b]
    aa, bb, cc = a.x**2 + a.y**2, b.x**2 + b.y**2, through.x**2 + through.y**2
    middle = Point(
        (aa * (b.y - through.y) + bb * (through.y - a.y) + cc * (a.y - b.y)) / d,
        (aa * (through.x - b.x) + bb * (a.x - through.x) + cc * (b.x - a.x)) / d,
    )
    start = atan2(a.y - middle.y, a.x - middle.x)
    way = (atan2(b.y - middle.y, b.x - middle.x) - start) % (2 * pi)
    over = (atan2(through.y - middle.y, through.x - middle.x) - start) % (2 * pi)
    if over > way:
        way -= 2 * pi
    radius = middle.far(a)
    return ellipse(middle, radius, radius, start, way)


def head(a: Point, b: Point, width: float) -> list[Point]:
    """The three points of an arrow's head at ``b``, coming from ``a``."""
    long = 8.0 + 2 * width
    length = hypot(b.x - a.x, b.y - a.y) or 1.0
    ux, uy = (b.x - a.x) / length, (b.y - a.y) / length
    back = Point(b.x - ux * long, b.y - uy * long)
    side = long * 0.45
    return [back.by(-uy * side, ux * side), b, back.by(uy * side, -ux * side)]
