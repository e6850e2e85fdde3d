"""Snapping the pointer: to the prices of a bar, and to straight directions."""

from __future__ import annotations

from enum import StrEnum
from math import atan2, cos, hypot, inf, pi, sin

from openalgo_desktop.core.charting.drawings.geometry.sheet import At, Point

#: How near the pointer must be for the weak magnet, pixels.
NEAR = 18.0


class Magnet(StrEnum):
    """How anchors snap to the open, high, low and close of the bar under the pointer."""

    OFF = "off"
    WEAK = "weak"  # when near
    STRONG = "strong"  # always


def snapped(place: Point, at: At, magnet: Magnet) -> float:
    """The price at ``place``, or that of the bar there which is nearest on the screen."""
    price = at.price(place.y)
    index = round(at.index(place.x))
    if magnet is Magnet.OFF or not 0 <= index < at.bars.size:
        return price
    bars, reach = at.bars, NEAR if magnet is Magnet.WEAK else inf
    columns = (bars.open, bars.high, bars.low, bars.close)
    near = [(abs(at.y(float(c[index])) - place.y), float(c[index])) for c in columns]
    far, found = min(near)
    return found if far <= reach else price


def straightened(origin: Point, place: Point) -> Point:
    """``place`` turned around ``origin`` to the next multiple of 45 degrees."""
    turn = atan2(place.y - origin.y, place.x - origin.x)
    straight = round(turn / (pi / 4)) * pi / 4
    long = hypot(place.x - origin.x, place.y - origin.y) * cos(turn - straight)
    return Point(origin.x + long * cos(straight), origin.y + long * sin(straight))
