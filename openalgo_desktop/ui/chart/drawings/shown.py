"""Drawings as they were painted last: pictures that move with the bars while the view goes along
the time. No Qt here.

Geometry says by what it reads whether a drawing depends on the edges of the pane. One that does not
is the same picture some pixels on; of one that does the new picture is compared with the old one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from openalgo_desktop.core.charting.drawings.geometry import picture
from openalgo_desktop.core.charting.drawings.geometry.sheet import (
    At,
    Box,
    Label,
    Picture,
    Point,
    Stroke,
    box_of,
    clipped,
)
from openalgo_desktop.core.charting.drawings.geometry.touch import bounds
from openalgo_desktop.core.charting.drawings.model import Dash, Drawing
from openalgo_desktop.ui.chart.drawings.view import View

#: Places that differ less are the same, pixels.
CLOSE = 0.02
#: What smooth edges and round ends reach over a line, pixels.
BLUR = 3.0

PaneOf: TypeAlias = Callable[[Box], At]


class Edges(Box):
    """The edges of a pane; ``read`` once the left or the right one was asked for. Who asks only
    whether there is room hears the same until the view went so far: ``low`` and ``high``, pixels
    by which the bars may move to the left (negative) and to the right."""

    read = False
    low, high = -math.inf, math.inf

    @property
    def left(self) -> float:
        self.read = True
        return self[0]

    @property
    def right(self) -> float:
        self.read = True
        return self[2]

    def room_before(self, x: float, wanted: float) -> bool:
        return self._asked(x - self[0] - wanted, 1.0)

    def room_after(self, x: float, wanted: float) -> bool:
        return self._asked(self[2] - x - wanted, -1.0)

    def _asked(self, over: float, way: float) -> bool:
        """``over`` what is wanted; a move by 1 pixel adds ``way`` to it."""
        if over * way > 0.0:
            self.low = max(self.low, -over * way)
        else:
            self.high = min(self.high, -over * way)
        return over > 0.0


@dataclass
class Shown:
    """One drawing: its picture was made ``shift`` pixels from where it is now."""

    drawing: Drawing
    picture: Picture
    edges: Edges  # what it asked of them
    shift: float = 0.0
    _room: tuple[Box | None] | None = None

    @property
    def bound(self) -> bool:
        """Whether it may be another picture where it is now."""
        edges = self.edges
        return edges.read or not edges.low < self.shift < edges.high

    def room(self, at: At) -> Box | None:
        """What it covers, pixels of now; None for nothing."""
        if self._room is None:
            self._room = (bounds(self.picture, at),)
        box = self._room[0]
        return None if box is None else _shifted_box(box, self.shift)

    def reaches(self, at: At, left: float, right: float) -> bool:
        """Whether any of it lies between two pixels."""
        room = self.room(at)
        return room is not None and room.left - BLUR <= right and room.right + BLUR >= left


class ShownDrawings:
    """By their idents, the lowest first. ``made`` counts pictures."""

    def __init__(self) -> None:
        self._all: dict[str, Shown] = {}
        self.view: View | None = None  # by which they were made
        self.made = 0

    def __iter__(self) -> Iterator[Shown]:
        return iter(self._all.values())

    def get(self, ident: str) -> Shown | None:
        """A drawing that was painted."""
        return self._all.get(ident)

    def make(self, rows: Iterable[Drawing], pane: PaneOf, edges: Box, view: View) -> None:
        """All of them anew."""
        self.view = view
        self._all = {row.ident: self._make(row, pane, edges) for row in rows}

    def _make(self, row: Drawing, pane: PaneOf, edges: Box) -> Shown:
        self.made += 1
        watched = Edges(*edges)
        made = picture(row, pane(watched))
        return Shown(row, made, watched)

    def follows(self, view: View, way: float) -> bool:
        """Whether a view is the one of the pictures, moved by ``way`` pixels."""
        before = self.view
        if before is None or before[2:] != view[2:]:
            return False
        if abs(before.step - view.step) > 1e-9 * view.step:
            return False
        return abs(before.left - way - view.left) < CLOSE

    def shift(self, way: float, pane: PaneOf, edges: Box, view: View) -> list[Box]:
        """The view went ``way`` pixels to the right. Answers where pixels moved with the bars are
        not what the drawings are now, apart from the strip that came into view."""
        found: list[Box] = []
        self.view = view
        left, top, right, bottom = edges
        kept = Box(max(left, left - way), top, min(right, right - way), bottom)
        at = pane(Edges(*edges))
        for ident, one in self._all.items():
            one.shift -= way
            if one.bound:
                now = self._make(one.drawing, pane, edges)
                found += changes(one, now, at, kept)
                self._all[ident] = now
        return found


def changes(before: Shown, now: Shown, at: At, kept: Box) -> list[Box]:
    """What differs within ``kept``."""
    old, new, way = before.picture, now.picture, before.shift
    if len(old.strokes) != len(new.strokes) or len(old.labels) != len(new.labels):
        return [room for room in (before.room(at), now.room(at)) if room is not None]
    found: list[Box] = []
    for a, b in zip(old.strokes, new.strokes, strict=True):
        if not _same_stroke(a, b, way, kept):
            found += [_shifted_box(_room(a), way), _room(b)]
    for one, two in zip(old.labels, new.labels, strict=True):
        if one._replace(at=two.at) != two or not _near(one.at, two.at, way):
            found += [_label_box(one, at, way), _label_box(two, at, 0.0)]
    return found


def _same_stroke(a: Stroke, b: Stroke, way: float, kept: Box) -> bool:
    if a.ink != b.ink or a.closed != b.closed or len(a.points) != len(b.points):
        return False
    for (ax, ay), (bx, by) in zip(a.points, b.points, strict=True):
        if abs(ax + way - bx) >= CLOSE or abs(ay - by) >= CLOSE:
            break
    else:
        return True
    if a.ink.colour and a.ink.dash is not Dash.SOLID:
        return False  # dashes begin at the first point
    if len(a.points) == 2 and not a.ink.fill:
        return _same_line([point.by(way, 0.0) for point in a.points], b.points, kept)
    return _upright(a) and _upright(b) and _same_box(a, b, way, kept)


def _same_line(a: Sequence[Point], b: Sequence[Point], kept: Box) -> bool:
    """Whether two lines are one within ``kept``."""
    one, two = (clipped(ends[0], ends[1], kept, False, False) for ends in (a, b))
    if one is None or two is None:
        return one is two
    return all(_near(p, q, 0.0) for p, q in zip(one, two, strict=True))


def _same_box(one: Stroke, two: Stroke, way: float, kept: Box) -> bool:
    """Whether two upright boxes are one within ``kept``."""
    a, b = _shifted_box(_room(one, 0.0), way), _room(two, 0.0)
    left = max(a.left, kept.left) - max(b.left, kept.left)
    right = min(a.right, kept.right) - min(b.right, kept.right)
    ways = (left, right, a.top - b.top, a.bottom - b.bottom)
    return all(abs(one) < CLOSE for one in ways)


def _upright(stroke: Stroke) -> bool:
    points = stroke.points
    return len(points) == 4 and len({p.x for p in points}) == 2 == len({p.y for p in points})


def _near(a: Point, b: Point, way: float) -> bool:
    return abs(a.x + way - b.x) < CLOSE and abs(a.y - b.y) < CLOSE


def _room(stroke: Stroke, more: float = BLUR) -> Box:
    xs, ys = [point.x for point in stroke.points], [point.y for point in stroke.points]
    wide = more + stroke.ink.width if more else 0.0
    return Box(min(xs) - wide, min(ys) - wide, max(xs) + wide, max(ys) + wide)


def _label_box(label: Label, at: At, way: float) -> Box:
    return _shifted_box(box_of(label, at), way)


def _shifted_box(box: Box, way: float) -> Box:
    return Box(box[0] + way, box[1], box[2] + way, box[3])
