"""How each output of a study is drawn, in device pixels; one function for each word."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter

from openalgo_desktop.core.charting.columns import Ints
from openalgo_desktop.core.charting.sessions import (
    DAY_SECONDS,
    day_numbers,
    month_numbers,
    week_numbers,
)
from openalgo_desktop.core.charting.studies import Draw, Output
from openalgo_desktop.ui.chart.canvas.projection import HAIR, At
from openalgo_desktop.ui.chart.paint import bars, curves
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.chart.paint.primitives import Lines, polygon
from openalgo_desktop.ui.chart.plots.study import StudyView
from openalgo_desktop.ui.chart.scales.lines import thin
from openalgo_desktop.ui.chart.series import HIGH, LOW, Floats

BAND_ALPHA = 32
AREA_ALPHA = 46
#: Periods with fewer columns than these are drawn joined. Of a day the seconds that are traded.
FEW_COLUMNS, SESSION = 4, 22_500
#: Pivots are of the day on bars up to this long, seconds.
HALF_HOUR = 1800
#: Which of its kind a day is in, and the seconds of a bar that has all of one.
_PERIODS: dict[str, tuple[Callable[[Ints], Ints], int]] = {
    "day": (lambda days: days, DAY_SECONDS),
    "week": (week_numbers, 7 * DAY_SECONDS),
    "month": (month_numbers, 28 * DAY_SECONDS),
}
#: Side of a mark, of a dot and of a cross, logical pixels.
MARK, DOT, CROSS = 7.0, 3.0, 5.0
#: Between a bar and its mark, logical pixels.
MARK_GAP = 4.0

_lines = Lines()


Mask = npt.NDArray[np.bool_]


@dataclass
class Part:
    """One output to be drawn at the values ``first <= index < last``."""

    painter: QPainter
    at: At
    view: StudyView
    number: int
    first: int
    last: int
    merge: int
    ink: Ink

    @property
    def output(self) -> Output:
        """What is drawn."""
        return self.view.outputs[self.number]

    @property
    def values(self) -> Floats:
        """All values of it."""
        return self.view.values[self.number]

    @property
    def offset(self) -> int:
        """Bars that it is drawn to the right."""
        return self.view.offset(self.number)

    @property
    def colour(self) -> QColor:
        """Its own colour."""
        return self.ink.colour(self.view.style(self.output).colour or self.output.role)

    @property
    def falling(self) -> QColor | None:
        """Its second colour; what the user chose is for all of it."""
        chosen, falling = self.view.style(self.output).colour, self.output.falling
        return self.ink.colour(falling) if falling and not chosen else None

    @property
    def width(self) -> float:
        """Of its line, logical pixels."""
        chosen = self.view.style(self.output).width
        return self.output.width if chosen is None else chosen

    @property
    def dash(self) -> bool:
        """Whether its line is dashed."""
        return self.view.dashed(self.output)

    def points(self, values: Floats | None = None) -> tuple[Floats, Floats]:
        """Device pixels of a line through the values."""
        given = self.values if values is None else values
        x, y = thin(given, self.first, self.last, self.merge)
        return self.at.columns(x + self.offset) + 0.5, self.at.heights(y)

    def joined(self) -> Mask | None:
        """Which points are joined to the next one: not those of another period. None: all."""
        if self.merge > 1:
            return None
        return self._same_period(max(0, self.first), min(len(self.values), self.last))

    def apart(self) -> Floats:
        """The values, where many bars are one column: that one in which another period begins has
        none, so that its level and the one before are not joined. Where periods have but few
        columns they are as they were."""
        merge, values, period = self.merge, self.values, self._period()
        if period is None or merge <= 1:
            return values
        sessions = max(1, period[1] // DAY_SECONDS * 5 // 7)
        if sessions * SESSION < self.at.series.length * merge * FEW_COLUMNS:
            return values
        first = max(0, self.first - self.first % merge - merge)
        last = min(len(values), self.last + merge)
        same = self._same_period(first, last)
        if same is None:
            return values
        ends = np.unique((np.flatnonzero(~same) + first) // merge)  # columns
        if not len(ends):
            return values
        made = np.empty(len(values))
        made[first:last] = values[first:last]
        for column in ends.tolist():
            made[max(first, column * merge) : (column + 1) * merge] = np.nan
        return made

    def _period(self) -> tuple[Callable[[Ints], Ints], int] | None:
        """Which of its kind a day is in, and its seconds; None for a line without an end, or where
        each bar is one."""
        period, length = self.view.period(self.number), self.at.series.length
        if period == "auto":  # as pivots choose
            period = "day" if length <= HALF_HOUR else "week" if length < DAY_SECONDS else "month"
        found = _PERIODS.get(period)
        return None if found is None or length >= found[1] else found

    def _same_period(self, first: int, last: int) -> Mask | None:
        """Which bars of a range are of the same period as the next one. None: all."""
        period = self._period()
        if period is None or last - first < 2:
            return None
        found: Mask = np.diff(period[0](day_numbers(self.at.series.time[first:last]))) == 0
        return found

    def groups(self) -> tuple[Floats, Floats, Floats]:
        """Left device pixels, the value farthest from 0 and the one before it, of each group."""
        first, last = max(0, self.first), min(len(self.values), self.last)
        if first >= last:
            none = np.empty(0)
            return none, none, none
        merge = self.merge
        starts = np.arange(first - first % merge, last, merge)
        part = self.values[starts[0] : int(starts[-1]) + merge]
        if merge > 1:
            offsets = starts - starts[0]
            low, high = np.fmin.reduceat(part, offsets), np.fmax.reduceat(part, offsets)
            part = np.where(np.abs(low) > np.abs(high), low, high)
        start = int(starts[0])
        earlier = self.values[start - merge : start]
        before = np.concatenate((earlier[-1:] if len(earlier) else part[:1], part[:-1]))
        middles = starts.astype(np.float64) + ((merge - 1) / 2.0 + self.offset)
        x = self.at.columns(middles)
        return x, part, before


def _line(part: Part, steps: bool = False) -> None:
    if part.merge > 1:
        falls = part.falling
        paints = [(part.colour, None)] if falls is None else [(part.colour, False), (falls, True)]
        span = (part.first, part.last, part.merge)
        curves.dense(part.painter, part.at, part.apart(), span, paints, part.width, part.offset)
        return
    x, y = part.points()
    joined = part.joined()
    if steps:
        x, y = curves.steps(x, y)
        y = np.round(y) + 0.5
        if joined is not None:  # a level is held to the next bar, and begins anew there
            joined = np.column_stack((np.ones(len(joined), bool), joined)).ravel()
    pen = curves.pen_of(part.colour, part.width, part.at.ratio, part.dash)
    smooth, origin = not steps, float(part.at.columns(np.zeros(1))[0])
    falling = part.falling
    if joined is not None:
        curves.segments(part.painter, x, y, joined, pen, smooth)
        return
    if falling is None or len(y) < 2:
        curves.strokes(part.painter, x, y, pen, smooth, origin)
        return
    down = np.concatenate((y[1:] > y[:-1], [False])) != part.at.map.inverted
    for colour, mask in ((part.colour, ~down), (falling, down)):
        pen.setColor(colour)
        curves.segments(part.painter, x, y, mask[:-1], pen, smooth, origin)


def _step(part: Part) -> None:
    _line(part, steps=True)


def _dots(part: Part) -> None:
    x, y = part.points()
    size = max(DOT, part.width + 1.0) * part.at.ratio
    curves.dots(part.painter, x, y, part.colour, size)


def _crosses(part: Part) -> None:
    x, y = part.points()
    known = np.flatnonzero(np.isfinite(y) & (np.abs(y) < curves.FAR))
    if not len(known):
        return
    arm = CROSS * part.at.ratio / 2.0
    rows = _lines.array(2 * len(known))
    for half, way in ((rows[: len(known)], 1.0), (rows[len(known) :], -1.0)):
        half[:, 0], half[:, 1] = x[known] - arm, y[known] - way * arm
        half[:, 2], half[:, 3] = x[known] + arm, y[known] + way * arm
    part.painter.setPen(curves.pen_of(part.colour, part.width, part.at.ratio))
    part.painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    _lines.draw(part.painter)
    part.painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _histogram(part: Part) -> None:
    x, values, _ = part.groups()
    _columns_from(part, x, values, part.at.y(0.0), values < 0.0)


def _columns(part: Part) -> None:
    x, values, before = part.groups()
    _columns_from(part, x, values, part.at.pane.bottom(), values < before)


def _columns_from(part: Part, x: Floats, values: Floats, foot: float, second: bars.Mask) -> None:
    at = part.at
    body, _ = bars.widths(at, part.merge)
    left = x - math.floor((body - 1.0) / 2.0)
    base = float(np.clip(round(foot * at.ratio), -curves.FAR, curves.FAR))
    ends = np.clip(at.rows(values), -curves.FAR, curves.FAR)
    known = np.isfinite(ends)
    falling = part.falling or part.colour
    for colour, mask in ((part.colour, ~second & known), (falling, second & known)):
        top = np.minimum(ends[mask], base)
        bars.fill(part.painter, colour, left[mask], top, body, np.abs(ends[mask] - base))


def _area(part: Part) -> None:
    x, y = part.points()
    pane, ratio = part.at.pane, part.at.ratio
    foot = min(max(part.at.y(0.0), pane.top()), pane.bottom())
    fill = QColor(part.colour)
    fill.setAlpha(AREA_ALPHA)
    curves.fill_under(part.painter, x, y, round(foot * ratio), fill)
    _line(part)


def _band(part: Part) -> None:
    """Between two outputs: of a group the widest room. The second colour is for where this one is
    the lower."""
    other = part.view.number_of(part.output.fill_to)
    if other is None or other >= len(part.view.values):
        return
    one, two = part.apart(), part.view.values[other]
    last = min(part.last, len(one), len(two))
    first, merge = max(0, part.first), part.merge
    if first >= last:
        return
    few = (last - first) // merge <= curves.FEW_GROUPS and merge <= curves.FEW_VALUES
    if merge > 1 and few:
        _band_few(part, one, two, (first, last))
        return
    starts = np.arange(first - first % merge, last, merge)
    offsets = starts - starts[0]
    a, b = one[starts[0] : last], two[starts[0] : last]
    if merge > 1:
        lower = np.fmin.reduceat(np.minimum(a, b), offsets)
        upper = np.fmax.reduceat(np.maximum(a, b), offsets)
        below = a[offsets] < b[offsets]
        a, b = np.where(below, lower, upper), np.where(below, upper, lower)
    x = part.at.columns(starts.astype(np.float64) + ((merge - 1) / 2.0 + part.offset)) + 0.5
    limit = curves.FAR
    a = np.clip(part.at.heights(a), -limit, limit)
    b = np.clip(part.at.heights(b), -limit, limit)
    part.painter.setPen(Qt.PenStyle.NoPen)
    falling = part.falling
    if merge > 1:
        _band_columns(part, x - 0.5, a, b)
        return
    below = np.zeros(len(a), bool) if falling is None else (a > b) != part.at.map.inverted
    known = np.flatnonzero(~(np.isnan(a) | np.isnan(b)))
    gaps = (np.diff(known) > 1) | (np.diff(below[known].astype(np.int8)) != 0)
    joined = part.joined()
    if joined is not None:
        gaps |= ~joined[known[:-1]]
    for run in np.split(known, np.flatnonzero(gaps) + 1):
        if not len(run):
            continue
        # On to the next bar, where the sides change there: else a slit is left between them.
        end = int(run[-1]) + 1
        if end < len(a) and not math.isnan(a[end] + b[end]) and below[end] != below[run[-1]]:
            end += 1
        span = slice(int(run[0]), end)
        if end - int(run[0]) < 2:
            continue
        colour = QColor(falling if falling is not None and below[run[0]] else part.colour)
        colour.setAlpha(BAND_ALPHA)
        points = np.empty((2 * (end - int(run[0])), 2))
        half = len(points) // 2
        points[:half, 0], points[:half, 1] = x[span], a[span]
        points[half:, 0], points[half:, 1] = x[span][::-1], b[span][::-1]
        part.painter.setBrush(colour)
        part.painter.drawPolygon(polygon(points))


def _band_columns(part: Part, x: Floats, a: Floats, b: Floats) -> None:
    """A band of more bars than there are pixels, column by column: twice as fast as its outline."""
    known = np.isfinite(a + b)
    top, height = np.round(np.minimum(a, b)), np.round(np.abs(a - b))
    width = np.append(np.diff(x), math.ceil(part.at.pitch * part.merge))
    falling = part.falling
    below = np.zeros(len(a), bool) if falling is None else (a > b) != part.at.map.inverted
    for mask, base in ((known & ~below, part.colour), (known & below, falling or part.colour)):
        colour = QColor(base)
        colour.setAlpha(BAND_ALPHA)
        bars.fill_rows(part.painter, colour, x[mask], top[mask], width[mask], height[mask])


def _band_few(part: Part, one: Floats, two: Floats, span: tuple[int, int]) -> None:
    """The same for few columns: arrays would take longer."""
    at, merge, falling = part.at, part.merge, part.falling
    first, last = span
    start = first - first % merge
    pairs = list(zip(one[start:last].tolist(), two[start:last].tolist(), strict=True))
    lefts = [
        math.floor(at.x(start + begin + (merge - 1) / 2.0 + part.offset) * at.ratio + HAIR)
        for begin in range(0, len(pairs), merge)
    ]
    inks = [QColor(part.colour), QColor(falling or part.colour)]
    for ink in inks:
        ink.setAlpha(BAND_ALPHA)
    for number, left in enumerate(lefts):
        group = pairs[number * merge : (number + 1) * merge]
        known = [pair for pair in group if not math.isnan(pair[0] + pair[1])]
        if not known:
            continue
        low, high = min(map(min, known)), max(map(max, known))
        if at.map.log and low <= 0.0:
            continue
        ends = (at.y(low) * at.ratio, at.y(high) * at.ratio)
        top, foot = (min(max(end, -curves.FAR), curves.FAR) for end in sorted(ends))
        end = lefts[number + 1] if number + 1 < len(lefts) else left + math.ceil(at.pitch * merge)
        lower = falling is not None and group[0][0] < group[0][1]
        part.painter.fillRect(left, round(top), end - left, round(foot - top), inks[lower])


def _marks(part: Part) -> None:
    """Small triangles: under the low that a 1 is at, over the high of a -1; in a pane of its own at
    its foot and its head."""
    first, last = max(0, part.first), min(len(part.values), part.last, len(part.at.series))
    if first >= last:
        return
    values, at = part.values[first:last], part.at
    side = 2.0 * math.floor(MARK * at.ratio / 2.0) + 1.0
    gap = MARK_GAP * at.ratio
    for up in (True, False):
        chosen = np.flatnonzero(values > 0 if up else values < 0)
        if not len(chosen):
            continue
        index = chosen.astype(np.float64) + float(first + part.offset)
        x = at.columns(index)
        under = up != at.map.inverted
        y = _beside(at, index, LOW if up else HIGH, under)
        colour = part.colour if up else part.falling or part.colour
        _triangles(part.painter, colour, x, y + (gap if under else -gap), side, under)


def _beside(at: At, index: Floats, column: int, under: bool) -> Floats:
    if at.number == 0:
        places = np.clip(index.astype(np.int64), 0, len(at.series) - 1)
        return at.rows(at.series.column(column)[places])
    edge = at.pane.bottom() - 2 * MARK if under else at.pane.top() + 2 * MARK
    return np.full(len(index), round(edge * at.ratio), np.float64)


def _triangles(
    painter: QPainter, colour: QColor, x: Floats, y: Floats, side: float, up: bool
) -> None:
    """Triangles of rows of pixels: the tip at ``y``, pointing up or down."""
    height = math.ceil(side / 2.0)
    for row in range(height):
        width = 2.0 * row + 1.0
        top = y + row if up else y - row
        bars.fill(painter, colour, x - row, top, width, np.ones(len(x)))


def _nothing(part: Part) -> None:
    """Values for the legend only, and what colours the bars."""


PAINT: dict[Draw, Callable[[Part], None]] = {
    Draw.LINE: _line,
    Draw.STEP: _step,
    Draw.DOTS: _dots,
    Draw.CROSSES: _crosses,
    Draw.HISTOGRAM: _histogram,
    Draw.COLUMNS: _columns,
    Draw.AREA: _area,
    Draw.BAND: _band,
    Draw.MARKS: _marks,
    Draw.BARS: _nothing,
    Draw.NOTHING: _nothing,
}
#: These connect a value with the one before.
JOINS = {Draw.LINE, Draw.STEP, Draw.AREA, Draw.BAND}
#: Behind all others: a band or a column must not hide a line.
BEHIND = {Draw.BAND, Draw.COLUMNS, Draw.HISTOGRAM, Draw.AREA}
