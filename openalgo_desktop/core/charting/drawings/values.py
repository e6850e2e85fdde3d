"""The prices of a drawing at a moment: what an alert on it watches.

They come from the geometry that draws it, on a scale where a bar is one pixel wide and a rupee one
high. So they are linear in price by bar, which is what a chart with a linear scale shows; on a
logarithmic one a sloped line bends away from the one on the screen between its anchors. Circles,
arcs and what else depends on the shape of the screen has no values. Levels of prices (a
retracement, the edges of a rectangle, stop and target) hold on after the end of their strokes; a
sloped line has values as far as it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.drawings.geometry import picture
from openalgo_desktop.core.charting.drawings.geometry.sheet import Box, Stroke
from openalgo_desktop.core.charting.drawings.model import Drawing
from openalgo_desktop.core.charting.drawings.tools import tool

_NONE = np.empty(0)
NO_BARS = Columns(np.empty(0, np.int64), _NONE, _NONE, _NONE, _NONE, _NONE, _NONE)


class _Plain:
    """One pixel for a bar and for a rupee; the pane is as high as prices are."""

    def __init__(
        self, bars: Columns, index_of: Callable[[float], float], left: float, right: float
    ):
        self.pane = Box(left, -inf, right, inf)
        self.bars = bars
        self.places = 2
        self.step = 1.0
        self.index_of = index_of

    def x(self, index: float) -> float:
        return index

    def index(self, x: float) -> float:
        return x

    def y(self, price: float) -> float:
        return -price

    def price(self, y: float) -> float:
        return -y

    def time_of(self, index: float) -> float:
        return index

    def size_of(self, text: str, size: int) -> tuple[float, float]:
        return 0.0, 0.0

    def price_text(self, price: float) -> str:
        return ""

    def time_text(self, time: float) -> str:
        return ""


def index_by(bars: Columns) -> Callable[[float], float]:
    """Bar of a moment with its fraction; beyond the ends the shortest of the last steps goes on."""
    times = bars.time
    count = len(times)
    if not count:
        return lambda time: time
    steps = np.diff(times[-32:])
    step = float(steps.min()) if steps.size else 60.0

    def index_of(time: float) -> float:
        place = int(np.searchsorted(times, time, side="right")) - 1
        if place < 0:
            return (time - float(times[0])) / step
        if place >= count - 1:
            return place + (time - float(times[place])) / step
        here, after = float(times[place]), float(times[place + 1])
        return place + (time - here) / (after - here)

    return index_of


def levels_at(
    drawing: Drawing,
    time: float,
    index_of: Callable[[float], float] | None = None,
    bars: Columns = NO_BARS,
) -> list[tuple[str, float]]:
    """Names and prices (rupees) of a drawing at ``time`` (epoch seconds), e.g. ``("upper",
    24510.5)``; empty where it has none then.

    ``index_of`` gives the bar of a moment on the span by which the drawing is read (default: by
    ``bars``, without bars by plain time); a regression has values only with ``bars``.
    """
    row = tool(drawing.tool)
    if row.screen or len(drawing.anchors) < row.least:
        return []
    find = index_of or (index_by(bars) if bars.size else _by_time)
    now = find(time)
    if find is not _by_time:  # within a bar it is what that bar shows
        now = float((now + 1e-6) // 1)
    ends = [find(anchor.time) for anchor in drawing.anchors]
    at = _Plain(bars, find, min(*ends, now) - 1, max(*ends, now) + 1)
    found = []
    for stroke in picture(drawing, at).strokes:
        if stroke.name:
            price = _crossing(stroke, now)
            if price is not None:
                found.append((stroke.name, price))
    return found


def _by_time(time: float) -> float:
    return time


def _crossing(stroke: Stroke, x: float) -> float | None:
    """Price of a line from left to right or back at ``x``; None where it is not."""
    a, b = stroke.points[0], stroke.points[-1]
    if a.x > b.x:
        a, b = b, a
    if x < a.x or (x > b.x and not stroke.lasts):
        return None
    if x > b.x:
        return -b.y
    if a.x == b.x:
        return -a.y
    return -(a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x))


def names_of(drawing: Drawing) -> list[str]:
    """The names that :func:`levels_at` may give, for a choice in a form."""
    row = tool(drawing.tool)
    if row.geometry == "regression":
        shown = [level for level in drawing.style.levels if level.shown]
        return ["regression", *(f"{level.value:+g}σ" for level in shown)]
    if row.screen or len(drawing.anchors) < row.least:
        return []
    times = sorted(anchor.time for anchor in drawing.anchors)
    at = _Plain(NO_BARS, _by_time, times[0] - 1, times[-1] + 1)
    return list(dict.fromkeys(s.name for s in picture(drawing, at).strokes if s.name))
