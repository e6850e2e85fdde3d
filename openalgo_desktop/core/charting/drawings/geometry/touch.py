"""What of a picture is under the pointer, and how much room it takes."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

from openalgo_desktop.core.charting.drawings.geometry.sheet import (
    At,
    Box,
    Picture,
    Point,
    Stroke,
    box_of,
)


def distance(point: Point, a: Point, b: Point) -> float:
    """From a point to a piece of a line, pixels."""
    across, down = b.x - a.x, b.y - a.y
    length = across * across + down * down
    share = 0.0
    if length:
        share = ((point.x - a.x) * across + (point.y - a.y) * down) / length
        share = max(0.0, min(1.0, share))
    return hypot(point.x - a.x - across * share, point.y - a.y - down * share)


def inside(point: Point, corners: tuple[Point, ...]) -> bool:
    """Whether a point is in a polygon (by the number of edges to its right)."""
    found, before = False, corners[-1]
    for corner in corners:
        if (corner.y > point.y) != (before.y > point.y):
            share = (point.y - corner.y) / (before.y - corner.y)
            if point.x < corner.x + (before.x - corner.x) * share:
                found = not found
        before = corner
    return found


def bounds(picture: Picture, at: At) -> Box | None:
    """The box around strokes and texts; None for an empty picture."""
    points = [point for stroke in picture.strokes for point in stroke.points]
    boxes = [box_of(label, at) for label in picture.labels]
    points += [Point(*corner) for box in boxes for corner in (box[:2], box[2:])]
    if not points:
        return None
    xs, ys = [point.x for point in points], [point.y for point in points]
    wide = max((stroke.ink.width for stroke in picture.strokes), default=0.0) / 2
    return Box(min(xs) - wide, min(ys) - wide, max(xs) + wide, max(ys) + wide)


def hits(picture: Picture, place: Point, at: At, slack: float, filled: bool = False) -> bool:
    """Whether ``place`` means the drawing: within ``slack`` pixels of a stroke, on a text, or with
    ``filled`` inside of what is filled."""
    if any(_on_stroke(stroke, place, slack, filled) for stroke in picture.strokes):
        return True
    return any(box_of(label, at).holds(*place, slack / 2) for label in picture.labels)


def _on_stroke(stroke: Stroke, place: Point, slack: float, filled: bool) -> bool:
    points = stroke.points
    if filled and stroke.ink.fill and len(points) > 2 and inside(place, points):
        return True
    if not stroke.ink.colour:
        return False
    reach = slack + stroke.ink.width / 2
    if len(points) == 1:
        return distance(place, points[0], points[0]) <= reach
    pairs = pairwise(points)
    if any(distance(place, a, b) <= reach for a, b in pairs):
        return True
    return stroke.closed and distance(place, points[-1], points[0]) <= reach


def handle_at(picture: Picture, place: Point, slack: float) -> int | None:
    """The nearest anchor within ``slack`` pixels; the later one of those in one place."""
    near = [(handle.at.far(place), -handle.anchor) for handle in picture.handles]
    best = min(near, default=None)
    return -best[1] if best is not None and best[0] <= slack else None
