"""What a study (an indicator) is: its parameters, what it gives and how that is drawn.

``analytics/indicators`` computes them behind one registry, ``ui/chart`` draws what comes out by the
words below and knows no study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from openalgo_desktop.core.charting.columns import Columns, Floats

Value: TypeAlias = float | int | bool | str


class ParamKind(StrEnum):
    """What a parameter is."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    CHOICE = "choice"
    SOURCE = "source"  # "close", "hl2", ... or "<study id>.<output name>" of another study
    SPAN = "span"  # text of a Span, "" for that of the chart
    TIME = "time"  # epoch seconds, "" not given: an anchor that the user puts on the chart
    CLOCK = "clock"  # "09:15", IST


class Param(msgspec.Struct, frozen=True):
    """One parameter, as the dialog of a study asks for it."""

    name: str
    label: str
    default: Value
    kind: ParamKind = ParamKind.INT
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


class Draw(StrEnum):
    """How one output is drawn."""

    LINE = "line"
    STEP = "step"  # level lines that jump; gaps (NaN) break every kind of line
    DOTS = "dots"
    CROSSES = "crosses"
    HISTOGRAM = "histogram"  # bars from 0, colour by sign or by ``colours``
    COLUMNS = "columns"  # bars from the foot of the pane, as volume
    AREA = "area"
    BAND = "band"  # a filled band between this output and ``fill_to``, no line of its own
    MARKS = "marks"  # small signs at bars: 1 below the bar, -1 above it
    BARS = "bars"  # colours the candles: values are indexes of ``palette``
    NOTHING = "nothing"  # a value for legend, data window and alerts only


class Output(msgspec.Struct, frozen=True):
    """One array of a study. ``role`` is a colour role of the theme (``study-1`` ... ``study-8``,
    up, down, muted, accent) until the user chooses a colour. It is drawn ``offset_in(params)``
    bars to the right: a value that is known only some bars later (a fractal) stands in the array
    where it became known, so that closed bars do not change, and is drawn where it belongs."""

    name: str
    label: str
    draw: Draw = Draw.LINE
    role: str = "study-1"
    width: float = 1.0
    dash: bool = False
    fill_to: str = ""  # of a BAND: the other output
    falling: str = ""  # colour role where the value is below 0 (HISTOGRAM) or below the one before
    offset: int = 0
    shift: str = ""  # a parameter that is added to ``offset``; with "-" before it, taken off
    places: int | None = None  # decimals; None: those of the price
    #: The parameter that says of which period (``day``, ``week``, ``month``) the line is: it is
    #: not joined to that of the period before. Empty: it goes on.
    period: str = ""

    def offset_in(self, params: Mapping[str, Value]) -> int:
        """Bars by which it is drawn to the right (negative: to the left) with ``params``."""
        name = self.shift.removeprefix("-")
        more = int(params.get(name, 0)) if name else 0
        return self.offset + (-more if self.shift.startswith("-") else more)


class Level(msgspec.Struct, frozen=True):
    """A horizontal line of a study's own pane, e.g. 70 of an RSI."""

    value: float
    label: str = ""


class StudySpec(msgspec.Struct, frozen=True):
    """What the registry knows of a study. ``over`` draws it over the prices, else in a pane of
    its own. ``needs`` names columns or facts without which it has no values: ``volume``, ``oi``,
    ``intraday``, ``chain`` (figures of the option chain), ``view`` (which bars are in view)."""

    study: str  # id, never renamed: saved with charts
    title: str
    short: str  # the legend's name
    family: str
    outputs: tuple[Output, ...]
    params: tuple[Param, ...] = ()
    over: bool = False
    levels: tuple[Level, ...] = ()
    low: float | None = None  # fixed edges of its pane
    high: float | None = None
    needs: tuple[str, ...] = ()
    source: str = ""  # published definition or formula
    repaints: str = ""  # a sentence, where values of closed bars do change (ZigZag)
    words: tuple[str, ...] = ()  # other names people search for

    def defaults(self) -> dict[str, Value]:
        """All parameters as they are when nothing was chosen."""
        return {param.name: param.default for param in self.params}


class Style(msgspec.Struct, frozen=True):
    """What the user chose for one output; empty or None as the study's own."""

    colour: str = ""  # #rrggbb
    width: float | None = None
    dash: bool | None = None
    draw: str = ""
    hidden: bool = False


class StudyWish(msgspec.Struct, frozen=True):
    """A study on a chart, as it is saved. ``ident`` is unique in its chart; ``pane`` 0 is that of
    the prices, -1 the study's own choice."""

    ident: str
    study: str
    params: Mapping[str, Value] = {}
    styles: Mapping[str, Style] = {}
    pane: int = -1
    hidden: bool = False


class Profile(msgspec.Struct, frozen=True, eq=False):
    """Sizes at prices, drawn sideways from ``first`` (a bar's index) towards ``last``: volume
    profile, TPO. ``prices`` are the lower edges of rows of ``height``; ``parts`` are the sizes of
    each row by kind (up and down volume; one kind for TPO); ``texts`` are written in the row
    instead of a bar where given (TPO letters). The largest row takes the part ``share`` of the room
    from first to last."""

    first: int
    last: int
    height: float
    prices: Floats
    parts: Sequence[Floats]
    point: float  # price of the largest row (POC)
    value_low: float
    value_high: float
    texts: Sequence[str] = ()
    share: float = 0.7


class Study(Protocol):
    """A running study. Its arrays have the length of the bars; NaN is *not known*.

    ``load`` computes everything; ``last`` renews what the forming bar changed, ``append`` takes
    one more bar: both at a cost that does not grow with the history, and both leave what
    ``load`` of the same bars would give. Values of closed bars never change afterwards.
    """

    @property
    def values(self) -> Sequence[Floats]:
        """One array for each output, in their order; views that the next call makes invalid."""

    @property
    def profiles(self) -> Sequence[Profile]:
        """Profiles, for the few studies that have some."""

    def load(self, bars: Columns) -> None:
        """Start over with these bars."""

    def last(self, bars: Columns) -> None:
        """The last bar changed."""

    def append(self, bars: Columns) -> None:
        """A bar was added after the last one."""
