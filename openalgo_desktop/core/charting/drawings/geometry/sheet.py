"""What geometry draws on: strokes, labels and handles in pixels, y downwards.

A stroke with a name has a value at every moment that it covers (:mod:`..values`): the names are
what an alert is set on.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import NamedTuple, Protocol

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.drawings.model import Colour, Dash, Drawing, Tool

#: Room between a text and the edge of its box, pixels.
PAD_X, PAD_Y = 5.0, 2.0
#: Names of levels may come so near to one another, pixels: rows have room above and below.
NEAR = 3.0
#: The levels that people look for first; others follow by how near to 0 they are.
_FIRST = (0.0, 1.0, 0.618, 0.5, 0.382)


class Point(NamedTuple):
    """A place, pixels."""

    x: float
    y: float

    def to(self, other: Point, share: float) -> Point:
        """The place at ``share`` of the way to ``other``."""
        return Point(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)

    def by(self, across: float, down: float) -> Point:
        """This place moved."""
        return Point(self.x + across, self.y + down)

    def far(self, other: Point) -> float:
        """The distance, pixels."""
        return hypot(other.x - self.x, other.y - self.y)


class Box(NamedTuple):
    """Edges, pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, x: float, y: float, slack: float = 0.0) -> bool:
        """Whether a place is inside, or within ``slack`` of it."""
        across = self.left - slack <= x <= self.right + slack
        return across and self.top - slack <= y <= self.bottom + slack

    def meets(self, other: Box, slack: float = 0.0) -> bool:
        """Whether the two cover a place together, or do but for ``slack``."""
        across = self.left < other.right and other.left < self.right
        return across and self.top + slack < other.bottom and other.top + slack < self.bottom

    @property
    def wide(self) -> float:
        """Its width, which a move along the time leaves as it is."""
        return self[2] - self[0]

    def room_before(self, x: float, wanted: float) -> bool:
        """Whether between the left edge and ``x`` there is more than ``wanted``."""
        return x - self.left > wanted

    def room_after(self, x: float, wanted: float) -> bool:
        """Whether between ``x`` and the right edge there is more than ``wanted``."""
        return self.right - x > wanted


class At(Protocol):
    """A pane as geometry sees it; the meanings are those of the chart's ``Projection``."""

    pane: Box
    places: int
    step: float

    @property
    def bars(self) -> Columns:
        """The bars of the chart."""

    def x(self, index: float) -> float:
        """Pixel of a bar."""

    def y(self, price: float) -> float:
        """Pixel of a price, whatever the scale."""

    def price(self, y: float) -> float:
        """Price of a pixel."""

    def index(self, x: float) -> float:
        """Bar of a pixel, with its fraction."""

    def index_of(self, time: float) -> float:
        """Bar of a moment, with its fraction; it goes on beyond both ends."""

    def time_of(self, index: float) -> float:
        """Moment of a bar."""

    def size_of(self, text: str, size: int) -> tuple[float, float]:
        """Width and height of a text, pixels."""

    def price_text(self, price: float) -> str:
        """A price as the chart writes it."""

    def time_text(self, time: float) -> str:
        """A moment as the chart writes it."""


class Ink(NamedTuple):
    """How a stroke is drawn; an empty colour draws no line, an empty fill no inside."""

    colour: Colour
    width: float = 1.0
    dash: Dash = Dash.SOLID
    fill: Colour = ""
    opacity: float = 0.0
    alpha: float = 1.0  # of the line


class Stroke(NamedTuple):
    """A line through points; ``closed`` joins the last one with the first. One that ``lasts`` is a
    level of prices, which holds on after the end of its stroke."""

    points: tuple[Point, ...]
    ink: Ink
    closed: bool = False
    name: str = ""
    lasts: bool = False


class Label(NamedTuple):
    """A text whose box stands with (``across``, ``down``) of its size at ``at``: 0, 0 is its left
    upper corner, 1, 1 the right lower one. ``box`` is the colour behind it, empty is none."""

    at: Point
    text: str
    colour: Colour
    size: int
    across: float = 0.0
    down: float = 0.0
    box: Colour = ""
    opacity: float = 1.0


def box_of(label: Label, at: At) -> Box:
    """The room of a text with its padding."""
    width, height = at.size_of(label.text, label.size)
    if label.box:
        width, height = width + 2 * PAD_X, height + 2 * PAD_Y
    left, top = label.at.x - label.across * width, label.at.y - label.down * height
    return Box(left, top, left + width, top + height)


class Handle(NamedTuple):
    """Where an anchor is taken."""

    at: Point
    anchor: int


class Picture(NamedTuple):
    """A drawing in pixels."""

    strokes: Sequence[Stroke]
    labels: Sequence[Label]
    handles: Sequence[Handle]


def clipped(a: Point, b: Point, box: Box, before: bool, after: bool) -> tuple[Point, Point] | None:
    """The part in ``box`` of the line from ``a`` to ``b`` that goes on ``before`` and ``after``
    them; None where there is none (Liang and Barsky 1984)."""
    first = float("-inf") if before else 0.0
    last = float("inf") if after else 1.0
    across, down = b.x - a.x, b.y - a.y
    edges = (
        (-across, a.x - box.left),
        (across, box.right - a.x),
        (-down, a.y - box.top),
        (down, box.bottom - a.y),
    )
    for way, room in edges:
        if way == 0:
            if room < 0:
                return None
        elif way < 0:
            first = max(first, room / way)
        else:
            last = min(last, room / way)
    if first > last or first in (float("inf"), float("-inf")) or last == float("inf"):
        return None
    return a.to(b, first), a.to(b, last)


class Sheet:
    """A drawing being drawn: its anchors as bars, prices and pixels, and what came of them."""

    def __init__(self, drawing: Drawing, tool: Tool, at: At) -> None:
        self.drawing, self.tool, self.at = drawing, tool, at
        self.style = drawing.style
        self.prices = [anchor.price for anchor in drawing.anchors]
        self.indexes = [self._index(anchor.time) for anchor in drawing.anchors]
        self.points = [self._point(*pair) for pair in zip(self.indexes, self.prices, strict=True)]
        self.strokes: list[Stroke] = []
        self.labels: list[Label] = []
        self._names: list[tuple[tuple[int, float], Label]] = []  # of levels, with their ranks
        style = self.style
        self.ink = Ink(style.colour, style.width, style.dash)
        self.thin = Ink(style.colour, 1.0, Dash.DASH, alpha=0.7)

    def _index(self, time: float) -> float:
        """The bar that holds a moment: on longer bars a whole one; of a hand's stroke the place
        in it as well."""
        if self.tool.screen:
            return time
        index = self.at.index_of(time)
        return index if self.tool.hand else float((index + 1e-6) // 1)

    def _point(self, index: float, price: float) -> Point:
        pane = self.at.pane
        if self.tool.screen:
            width, height = pane.right - pane.left, pane.bottom - pane.top
            return Point(pane.left + index * width, pane.top + price * height)
        return Point(self.at.x(index), self.at.y(price))

    # -- drawing ----------------------------------------------------------------------------
    def inked(self, colour: Colour) -> Ink:
        """The drawing's ink in another colour (empty: its own)."""
        return self.ink._replace(colour=colour or self.style.colour)

    def filled(self, ink: Ink | None = None) -> Ink:
        """An ink with the fill of the style."""
        base = self.ink if ink is None else ink
        return base._replace(fill=self.style.fill, opacity=self.style.opacity)

    def path(
        self, points: Sequence[Point], ink: Ink | None = None, *, closed: bool = False
    ) -> None:
        """A line through points."""
        self.strokes.append(Stroke(tuple(points), self.ink if ink is None else ink, closed))

    def area(self, points: Sequence[Point], colour: Colour, share: float = 1.0) -> None:
        """A fill without an edge; ``share`` of the style's opacity. None when the style has no
        fill."""
        if self.style.fill:
            ink = Ink("", 0.0, fill=colour, opacity=self.style.opacity * share)
            self.strokes.append(Stroke(tuple(points), ink, True))

    def line(
        self,
        a: Point,
        b: Point,
        ink: Ink | None = None,
        *,
        before: bool = False,
        after: bool = False,
        name: str = "",
        lasts: bool = False,
    ) -> tuple[Point, Point] | None:
        """A straight line that goes on to the edges where asked; what was drawn of it."""
        ends: tuple[Point, Point] | None = (a, b)
        if before or after:
            ends = clipped(a, b, self.at.pane, before, after)
        if ends is not None:
            made = self.ink if ink is None else ink
            self.strokes.append(Stroke(ends, made, False, name, lasts))
        return ends

    def level(
        self,
        price: float,
        left: float,
        right: float,
        ink: Ink | None = None,
        name: str = "",
    ) -> float:
        """A horizontal line from pixel to pixel, or to the edges where the style goes on; its y."""
        y = self.at.y(price)
        pane, style = self.at.pane, self.style
        ends = (
            Point(pane.left if style.left else left, y),
            Point(pane.right if style.right else right, y),
        )
        self.strokes.append(Stroke(ends, self.ink if ink is None else ink, False, name, True))
        return y

    def upright(self, x: float, ink: Ink | None = None) -> None:
        """A vertical line over the pane, when it is in it."""
        pane = self.at.pane
        if pane.left <= x <= pane.right:
            self.path((Point(x, pane.top), Point(x, pane.bottom)), ink)

    def write(
        self,
        at: Point,
        text: str,
        across: float = 0.0,
        down: float = 0.0,
        colour: Colour = "",
        box: Colour = "",
        opacity: float = 1.0,
    ) -> None:
        """A text; nothing where it is empty."""
        if text:
            made = colour or self.style.colour
            self.labels.append(Label(at, text, made, self.style.font, across, down, box, opacity))

    def figure(self, at: Point, text: str, across: float = 0.0, down: float = 0.0) -> None:
        """A text that the style may leave out, in a box of its own."""
        if self.style.figures and text:
            label = Label(at, text, "text", self.style.font, across, down, "raised", 0.85)
            self.labels.append(self._whole(label))

    def _whole(self, label: Label) -> Label:
        """The same inside of the pane, while any of the drawing is seen. Only a text that would be
        cut reads the edges: a picture that does not moves with the bars."""
        pane, at = self.at.pane, label.at
        xs = [point.x for point in self.points]
        if not (pane.room_before(max(xs), 0.0) and pane.room_after(min(xs), 0.0)):
            return label
        box, across, down = box_of(label, self.at), 0.0, 0.0
        if not pane.room_after(box.right, 0.0):
            across = pane.right - box.right
        if not pane.room_before(box.left + across, 0.0):
            across = pane.left - box.left
        if pane.top <= at.y <= pane.bottom:
            down = max(pane.top - box.top, min(0.0, pane.bottom - box.bottom))
        return label._replace(at=at.by(across, down)) if across or down else label

    def name_level(
        self, value: float, at: Point, text: str, across: float, down: float, colour: Colour
    ) -> None:
        """What a level of a set is called, where the style has it. Where levels are so near to one
        another that their names would cover each other, the less known ones have none."""
        if self.style.figures:
            known = _FIRST.index(value) if value in _FIRST else len(_FIRST)
            label = Label(at, text, colour, self.style.font, across, down)
            self._names.append(((known, abs(value)), label))

    def _readable(self) -> list[Label]:
        """The names of levels that have room."""
        kept: list[tuple[Label, Box]] = []
        for _, label in sorted(self._names, key=lambda row: row[0]):
            box = box_of(label, self.at)
            if not any(box.meets(other, NEAR) for _, other in kept):
                kept.append((label, box))
        return [label for label, _ in kept]

    def picture(self) -> Picture:
        """What was drawn, with the handles of the anchors."""
        handles = [Handle(point, number) for number, point in enumerate(self.points)]
        if self.tool.hand:
            handles = handles[:: max(1, len(handles) - 1)]
        return Picture(self.strokes, [*self.labels, *self._readable()], handles)
