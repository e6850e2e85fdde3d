"""The kinds of a chart's main series: one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from PySide6.QtGui import QPainter

from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.paint import bars, bricks, curves
from openalgo_desktop.ui.chart.paint.ink import Ink

#: Draws ``first <= index < last``, ``merge`` bars as one, in device pixels.
Paint: TypeAlias = Callable[[QPainter, At, int, int, int, Ink], None]


class Kind(NamedTuple):
    """``kind`` is the id that is saved with a chart, ``transform`` names what makes its bars of
    those of the market (empty: none). One that ``joins`` connects a bar with the one before, by a
    line at any angle where it is ``smooth``; one that is ``based`` is drawn by the first close in
    view."""

    kind: str
    title: str
    paint: Paint
    transform: str = ""
    joins: bool = False
    smooth: bool = False
    based: bool = False


KINDS: tuple[Kind, ...] = (
    Kind("candles", "Candles", bars.candles),
    Kind("hollow", "Hollow candles", bars.hollow),
    Kind("bars", "Bars", bars.ohlc),
    Kind("line", "Line", curves.line, joins=True, smooth=True),
    Kind("markers", "Line with markers", curves.markers, joins=True, smooth=True),
    Kind("step", "Step line", curves.step_line, joins=True),
    Kind("area", "Area", curves.area, joins=True, smooth=True),
    Kind("baseline", "Baseline", curves.baseline, joins=True, smooth=True, based=True),
    Kind("high-low", "High-low", bars.high_low),
    Kind("columns", "Columns", bars.columns),
    Kind("heikin-ashi", "Heikin-Ashi", bars.candles, "heikin-ashi"),
    Kind("renko", "Renko", bricks.bricks, "renko"),
    Kind("range", "Range bars", bars.candles, "range"),
    Kind("line-break", "Line break", bricks.bricks, "line-break"),
    Kind("kagi", "Kagi", bricks.kagi, "kagi", joins=True),
    Kind("point-figure", "Point and figure", bricks.points, "point-figure"),
)
BY_ID = {kind.kind: kind for kind in KINDS}
