"""The table of transforms, of which menus and dialogs are made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.studies import Param, ParamKind, Value
from openalgo_desktop.core.charting.transforms import boxes
from openalgo_desktop.core.charting.transforms.heikin_ashi import HeikinAshi
from openalgo_desktop.core.charting.transforms.kagi import Kagi
from openalgo_desktop.core.charting.transforms.line_break import LineBreak
from openalgo_desktop.core.charting.transforms.machine import Machine, Running
from openalgo_desktop.core.charting.transforms.points import Points
from openalgo_desktop.core.charting.transforms.ranges import Ranges
from openalgo_desktop.core.charting.transforms.renko import Renko
from openalgo_desktop.core.errors import DataError

Values = Mapping[str, Value]
#: Rows of a size are at most about as many, and those of a live bar.
_MOST_ROWS = 200_000
MOST_OF_A_BAR = 20_000
#: Makes the machine of chosen parameters and a measured size (rupees; 0 where there is none).
Maker = Callable[[Values, float], Machine]


class Shape(StrEnum):
    """How rows are drawn."""

    CANDLES = "candles"
    BRICKS = "bricks"  # filled from open to close, wicks where high or low lie beyond
    KAGI = "kagi"  # vertical lines joined at their ends, thick where yang
    POINTS = "points"  # X and O, a box each, centred at their levels


class TransformSpec(msgspec.Struct, frozen=True):
    """One kind of bars. ``kind`` is an id that is saved with charts. ``sized`` kinds have a box
    that is measured (:func:`boxes.measured`); ``timeless`` ones have rows at no fixed distance
    in time; ``note`` is what a trader has to know of it, "" nothing."""

    kind: str
    title: str
    shape: Shape
    make: Maker
    params: tuple[Param, ...] = ()
    sized: bool = False
    timeless: bool = True
    note: str = ""

    def chosen(self, values: Values) -> dict[str, Value]:
        """All parameters: ``values`` where given, else the defaults. Raises :class:`DataError`
        that names the field. What it does not know is left out."""
        return {param.name: _checked(self, param, values) for param in self.params}

    def size(self, values: Values, bars: Columns, tick: float) -> float:
        """The box of these bars, rupees; 0 where the kind has none. Measured once for a chart:
        rows of another box are other rows. Raises :class:`DataError` when there is none, or it is
        so small that there would be rows without end."""
        if not self.sized:
            return 0.0
        found = boxes.measured(self.chosen(values), bars, tick)
        if not found > 0 or not math.isfinite(found):
            raise DataError(
                f"{self.title}: these bars do not move, so they give no size; give one in rupees."
            )
        self.check(found, bars, tick)
        return found

    def check(self, size: float, bars: Columns, tick: float, most: int = _MOST_ROWS) -> None:
        """Raises :class:`DataError` when rows of this size would be without end: more than about
        ``most``."""
        least = boxes.path(bars) / most
        if self.sized and size < least:
            raise DataError(
                f"{self.title}: {size:g} rupees are too small for these bars; give at least "
                f"{math.ceil(least / tick) * tick if tick > 0 else least:g}."
            )

    def run(self, values: Values, size: float) -> Running:
        """The transform, empty: load it. ``size`` from :meth:`size`."""
        return Running(self.make(self.chosen(values), size))


def _checked(spec: TransformSpec, param: Param, values: Values) -> Value:
    value = values.get(param.name, param.default)
    where = f"{spec.title}: {param.label}"
    if param.kind is ParamKind.CHOICE:
        if value not in param.choices:
            raise DataError(f"{where} is one of {', '.join(param.choices)}, not {value!r}.")
        return value
    if param.kind is ParamKind.BOOL:
        return bool(value)
    try:
        number = float(value)
    except ValueError:
        raise DataError(f"{where} has to be a number, not {value!r}.") from None
    low, high = param.low, param.high
    if not ((low is None or number >= low) and (high is None or number <= high)):
        raise DataError(f"{where} has to be {low:g} to {high:g}, not {number:g}.")
    return int(number) if param.kind is ParamKind.INT else number


def _kagi(values: Values, size: float) -> Machine:
    if values["size"] == boxes.PERCENT:  # of the price at the end of the line, not of today's
        return Kagi(float(values["percent"]) / 100, part=True)
    return Kagi(size)


_CLOSES = Param(
    "closes", "Closes only", False, ParamKind.BOOL, help="Look at closes, not at highs and lows."
)
SPECS: tuple[TransformSpec, ...] = (
    TransformSpec(
        "heikin-ashi",
        "Heikin-Ashi",
        Shape.CANDLES,
        lambda values, size: HeikinAshi(),
        timeless=False,
        note="Prices are averages: open and close are none that was traded.",
    ),
    TransformSpec(
        "renko",
        "Renko",
        Shape.BRICKS,
        lambda values, size: Renko(size, bool(values["wicks"])),
        (*boxes.params("Brick"), Param("wicks", "Wicks", True, ParamKind.BOOL)),
        sized=True,
        note="Bricks of closes: one is final when its bar is over.",
    ),
    TransformSpec("kagi", "Kagi", Shape.KAGI, _kagi, boxes.params("Reversal", 4.0), sized=True),
    TransformSpec(
        "point-figure",
        "Point and figure",
        Shape.POINTS,
        lambda values, size: Points(size, int(values["reversal"]), bool(values["closes"])),
        (*boxes.params("Box"), Param("reversal", "Reversal, boxes", 3, low=1, high=10), _CLOSES),
        sized=True,
    ),
    TransformSpec(
        "line-break",
        "Line break",
        Shape.BRICKS,
        lambda values, size: LineBreak(int(values["lines"])),
        (Param("lines", "Lines", 3, low=1, high=20),),
    ),
    TransformSpec(
        "range",
        "Range bars",
        Shape.CANDLES,
        lambda values, size: Ranges(size, bool(values["closes"])),
        (*boxes.params("Range"), _CLOSES),
        sized=True,
        note="Approximate: the way of the price within a bar is not known. Exact from ticks.",
    ),
)
BY_KIND: Mapping[str, TransformSpec] = {spec.kind: spec for spec in SPECS}
