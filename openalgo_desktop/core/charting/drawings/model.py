"""Drawings and tools, as they are saved and shown. All frozen: a change is a new value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

import msgspec

from openalgo_desktop.core.charting.span import Span

#: ``#rrggbb``, or the name of a colour role of the theme (``accent``, ``link-3``).
Colour: TypeAlias = str


class Anchor(msgspec.Struct, frozen=True):
    """A point of a drawing: a moment (epoch seconds; of a bar its beginning, also in the future)
    and a price in rupees. Of a tool that stands on the screen, parts of the pane from its left and
    upper edge, 0 to 1."""

    time: float
    price: float


class Dash(StrEnum):
    """Patterns of lines."""

    SOLID = "solid"
    DASH = "dash"
    DOT = "dot"


class Level(msgspec.Struct, frozen=True):
    """One line of a set, e.g. 0.618 of a retracement."""

    value: float
    colour: Colour = ""  # empty: that of the drawing
    shown: bool = True


class Style(msgspec.Struct, frozen=True):
    """How a drawing looks. ``width`` in pixels, ``opacity`` of the fill 0 to 1, ``font`` in pixels
    at a text scale of 100 per cent. ``left`` goes on to the edge of the pane beyond the first
    point, ``right`` beyond the second; of what is horizontal, to the left and to the right."""

    colour: Colour = "accent"
    width: float = 1.5
    dash: Dash = Dash.SOLID
    fill: Colour = ""  # empty: not filled
    opacity: float = 0.12
    font: int = 12
    left: bool = False
    right: bool = False
    figures: bool = True  # prices, ratios and distances are written
    levels: tuple[Level, ...] = ()


class Family(StrEnum):
    """Groups of tools, in the order of the tool box."""

    LINES = "Lines"
    CHANNELS = "Channels"
    PITCHFORKS = "Pitchforks"
    FIBONACCI = "Fibonacci"
    GANN = "Gann"
    SHAPES = "Shapes"
    BRUSHES = "Brushes"
    NOTES = "Text and notes"
    ARROWS = "Arrows"
    MEASURES = "Measures"
    FORECASTS = "Forecasts"
    CYCLES = "Cycles"
    PATTERNS = "Patterns"
    STUDIES = "Anchored studies"


class Number(msgspec.Struct, frozen=True):
    """A figure of a tool that the user may set, e.g. what a position may lose in rupees."""

    name: str
    label: str
    default: float
    low: float = 0.0
    high: float = 1e12


class Ratio(msgspec.Struct, frozen=True):
    """The length in price of leg ``over`` by that of leg ``under`` (numbers of points), written
    between the first point of ``over`` and its last."""

    name: str
    over: tuple[int, int]
    under: tuple[int, int]


class Tool(msgspec.Struct, frozen=True):
    """One row of the tables. ``geometry`` names the function that draws it.

    ``least`` anchors are clicked; where ``most`` is more, or 0 (any number), a right click or a
    double click ends. ``hand`` takes all points of a drag. ``labels`` are written at the anchors,
    ``ratios`` between them. A tool with a ``study`` leaves no drawing: the chart adds that study at
    the anchors' times (``params``). A ``passing`` one is gone with the next click.
    """

    tool: str  # id, never renamed: saved with drawings
    title: str
    family: Family
    geometry: str
    least: int = 2
    most: int | None = None  # as least
    style: Style = Style()
    key: str = ""
    help: str = ""
    text: str = ""  # what a new one says
    written: bool = False  # placing asks for its text
    hand: bool = False
    screen: bool = False
    passing: bool = False
    study: str = ""
    params: tuple[str, ...] = ()  # of that study: those that take the times of the anchors
    clicks: int = 0  # that place it, where that is not ``least``: the other anchors follow
    labels: tuple[str, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    numbers: tuple[Number, ...] = ()
    sign: str = ""  # letters on its symbol, where the form does not tell it from others
    variant: str = ""  # a word for a geometry that several tools share
    words: tuple[str, ...] = ()  # other names people search for

    @property
    def limit(self) -> int:
        """Most anchors; 0 is any number."""
        return self.least if self.most is None else self.most


class Drawing(msgspec.Struct, frozen=True):
    """A drawing of a symbol. ``spans`` are texts of spans (``5m``) or their units (``m``) on which
    it is shown, none is all. ``created`` and ``changed`` are epoch seconds."""

    ident: str
    tool: str
    anchors: tuple[Anchor, ...]
    style: Style = Style()
    text: str = ""
    name: str = ""  # of the list of objects; empty: title of the tool
    locked: bool = False
    hidden: bool = False
    spans: tuple[str, ...] = ()
    numbers: Mapping[str, float] = {}
    created: float = 0.0
    changed: float = 0.0

    def shows_on(self, span: Span | None) -> bool:
        """Whether a chart of ``span`` shows it (None: any)."""
        if self.hidden:
            return False
        return not self.spans or span is None or bool({span.text, span.unit.value} & {*self.spans})

    def moved(self, anchors: tuple[Anchor, ...]) -> Drawing:
        """The same with other anchors."""
        return msgspec.structs.replace(self, anchors=anchors)
