"""Bars of all kinds, in device pixels: bodies are crisp, wicks sit in their middle.

A painter is called with the bars ``first <= index < last``, once for those that are closed and once
for the forming one; both go through the same code, so they fit without a seam.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter

from openalgo_desktop.ui.chart.canvas.projection import HAIR, At
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.chart.paint.primitives import Rects
from openalgo_desktop.ui.chart.series import Floats, Slice

#: Narrower bars are merged so that each drawn one gets this many device pixels.
MIN_PIXELS = 2.0
BODY = 0.72
#: Edges farther out are brought there, device pixels.
FAR = 1e6

Mask = npt.NDArray[np.bool_]
#: Open, high, low, close and volume of what is drawn as one bar.
Group = tuple[float, float, float, float, float]

_rects = Rects()


def merge_of(pitch: float) -> int:
    """How many bars are drawn as one when each has ``pitch`` pixels."""
    return max(1, math.ceil(MIN_PIXELS / pitch)) if pitch > 0.0 else 1


def live_start(count: int, merge: int) -> int:
    """First bar that is drawn with the forming one: it takes its whole group along."""
    return (count - 1) - (count - 1) % merge


def widths(at: At, merged: int) -> tuple[float, float]:
    """Width of a body, odd or even as its wick is so that they share their middle, and the width
    of a wick, device pixels."""
    wick = max(1.0, math.floor(at.ratio + 0.25))
    body = max(1.0, math.floor(at.pitch * merged * BODY))
    wick = min(wick, body)
    if body > wick and (body - wick) % 2:
        body -= 1.0
    return body, wick


def fill(
    painter: QPainter, colour: QColor, left: Floats, top: Floats, width: float, height: Floats
) -> None:
    """Filled rectangles of one colour and width, at least a pixel high."""
    if not len(left):
        return
    rects = _rects.array(len(left))
    rects[:, 0], rects[:, 1], rects[:, 2] = left, _near(top), width
    rects[:, 3] = _near(np.maximum(1.0, height))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    _rects.draw(painter)


def fill_rows(
    painter: QPainter, colour: QColor, left: Floats, top: Floats, width: Floats, height: Floats
) -> None:
    """Filled rectangles of one colour, each of its own size."""
    if not len(left):
        return
    rects = _rects.array(len(left))
    rects[:, 0], rects[:, 1], rects[:, 2] = _near(left), _near(top), _near(width)
    rects[:, 3] = _near(height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    _rects.draw(painter)


def _near(values: Floats) -> Floats:
    """Whole pixels, those far out brought nearer."""
    found: Floats = np.fmin(np.fmax(np.rint(values), -FAR), FAR)
    return found


def tones(bars: Slice, ink: Ink) -> Iterator[tuple[QColor, Mask]]:
    """Colours and the bars that have them: by direction, or as a study says."""
    rising: Mask = bars.close >= bars.open
    known = np.isfinite(bars.close)
    if ink.tones is not None:
        index = np.minimum(bars.x + (bars.merged - 1) / 2.0, len(ink.tones) - 1)
        given = ink.tones[index.astype(np.int64)]
        for value, colour in ink.palette:
            yield colour, known & (given == value)
        known = known & ~np.isin(given, [value for value, _ in ink.palette])
    yield ink.up, rising & known
    yield ink.down, ~rising & known


def _single(at: At, first: int, last: int, merge: int) -> Group | None:
    """The values of what is drawn as one bar, where it is the only one and plain numbers do: for
    the forming one arrays take longer."""
    if not 0 < last - first <= merge or first % merge or first < 0:
        return None
    values = at.series.group(first, last)
    return values if at.solid(values) else None


def _one(at: At, index: float, values: Iterable[float]) -> tuple[int, list[int]]:
    """Middle and rows of one bar."""
    x = math.floor(at.x(index) * at.ratio + HAIR)
    return x, [round(at.y(value) * at.ratio) for value in values]


def _one_candle(painter: QPainter, at: At, first: int, merge: int, values: Group, ink: Ink) -> None:
    """As :func:`candles` draws it."""
    opened, high, low, close, _ = values
    body, wick = map(int, widths(at, merge))
    rows = (opened, high, low, close)
    centre, (one, top, foot, two) = _one(at, first + (merge - 1) / 2.0, rows)
    colour = ink.up if close >= opened else ink.down
    left, top, foot = centre - (wick - 1) // 2, min(top, foot), max(top, foot)
    upper, lower = min(one, two), max(one, two)
    painter.fillRect(left, top, wick, foot - top + 1, colour)
    painter.fillRect(left - (body - wick) // 2, upper, body, max(1, lower - upper), colour)


def candles(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """Wicks and filled bodies."""
    single = None if ink.tones is not None else _single(at, first, last, merge)
    if single is not None:
        _one_candle(painter, at, first, merge, single, ink)
        return
    bars = at.series.visible(first, last, merge)
    body, wick = widths(at, bars.merged)
    centre = at.columns(bars.x)
    opened, high, low, close = (at.rows(v) for v in (bars.open, bars.high, bars.low, bars.close))
    top, foot = np.minimum(high, low), np.maximum(high, low)
    upper, lower = np.minimum(opened, close), np.maximum(opened, close)
    for colour, mask in tones(bars, ink):
        chosen = np.flatnonzero(mask)
        middle = centre[chosen] - math.floor((wick - 1.0) / 2.0)
        fill(painter, colour, middle, top[chosen], wick, foot[chosen] - top[chosen] + 1.0)
        left = middle - (body - wick) / 2.0
        fill(painter, colour, left, upper[chosen], body, lower[chosen] - upper[chosen])


def hollow(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """Bodies of bars that closed over their open are empty; the colour says whether the close is
    over the close before."""
    bars = at.series.visible(first, last, merge)
    if not len(bars.x):
        return
    body, wick = widths(at, bars.merged)
    centre = at.columns(bars.x) - math.floor((wick - 1.0) / 2.0)
    opened, high, low, close = (at.rows(v) for v in (bars.open, bars.high, bars.low, bars.close))
    top, foot = np.minimum(high, low), np.maximum(high, low)
    upper, lower = np.minimum(opened, close), np.maximum(opened, close)
    start = round(float(bars.x[0]) - (bars.merged - 1) / 2.0)
    earlier = at.series.bar(start - 1)[3] if start else float(bars.open[0])
    before = np.concatenate(([earlier], bars.close[:-1]))
    empty = (bars.close >= bars.open) & (body >= 3.0 * wick)
    for colour, mask in ((ink.up, bars.close >= before), (ink.down, bars.close < before)):
        chosen = np.flatnonzero(mask)
        x, a, b = centre[chosen], upper[chosen], lower[chosen]
        left = x - (body - wick) / 2.0
        fill(painter, colour, x, top[chosen], wick, a - top[chosen])
        fill(painter, colour, x, b, wick, foot[chosen] - b + 1.0)
        fill(painter, colour, left, a, body, b - a)
        hole = empty[chosen] & (b - a > 2.0 * wick)
        inner = left[hole] + wick, a[hole] + wick
        fill(painter, ink.ground, *inner, body - 2.0 * wick, (b - a)[hole] - 2.0 * wick)


def ohlc(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """A stroke from high to low, the open at its left, the close at its right."""
    bars = at.series.visible(first, last, merge)
    body, wick = widths(at, bars.merged)
    if body >= 7.0:
        wick = max(wick, min(3.0 * at.ratio, math.floor(body / 5.0)))
    centre = at.columns(bars.x) - math.floor((wick - 1.0) / 2.0)
    opened, high, low, close = (at.rows(v) for v in (bars.open, bars.high, bars.low, bars.close))
    top, foot = np.minimum(high, low), np.maximum(high, low)
    arm = max(0.0, math.floor((body - wick) / 2.0))
    half = math.floor(wick / 2.0)
    for colour, mask in tones(bars, ink):
        chosen = np.flatnonzero(mask)
        x = centre[chosen]
        fill(painter, colour, x, top[chosen], wick, foot[chosen] - top[chosen] + 1.0)
        if arm:
            one = np.full(len(chosen), wick)
            fill(painter, colour, x - arm, opened[chosen] - half, arm, one)
            fill(painter, colour, x + wick, close[chosen] - half, arm, one)


def high_low(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """Blocks from high to low."""
    bars = at.series.visible(first, last, merge)
    body, _ = widths(at, bars.merged)
    left = at.columns(bars.x) - math.floor((body - 1.0) / 2.0)
    high, low = at.rows(bars.high), at.rows(bars.low)
    top, foot = np.minimum(high, low), np.maximum(high, low)
    for colour, mask in tones(bars, ink):
        fill(painter, colour, left[mask], top[mask], body, foot[mask] - top[mask])


def columns(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """Columns from the foot of the pane to the close."""
    bars = at.series.visible(first, last, merge)
    body, _ = widths(at, bars.merged)
    left = at.columns(bars.x) - math.floor((body - 1.0) / 2.0)
    top = at.rows(bars.close)
    foot = math.floor(at.pane.bottom() * at.ratio)
    for colour, mask in tones(bars, ink):
        fill(painter, colour, left[mask], top[mask], body, foot - top[mask])


def volume(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """Volume columns in the colour of their bar."""
    single = _single(at, first, last, merge)
    if single is not None:
        opened, _, _, close, units = single
        if units > 0:
            width = int(widths(at, merge)[0])
            centre, (row,) = _one(at, first + (merge - 1) / 2.0, (units,))
            ground = math.floor(at.y(0.0) * at.ratio)
            row = min(row, ground - 1)
            colour = ink.volume_up if close >= opened else ink.volume_down
            painter.fillRect(centre - (width - 1) // 2, row, width, ground - row, colour)
        return
    bars = at.series.visible(first, last, merge)
    body, _ = widths(at, bars.merged)
    left = at.columns(bars.x) - math.floor((body - 1.0) / 2.0)
    foot = math.floor(at.y(0.0) * at.ratio)
    top = np.minimum(at.rows(bars.volume), foot - 1.0)
    traded = bars.volume > 0
    rising = bars.close >= bars.open
    for colour, mask in ((ink.volume_up, rising & traded), (ink.volume_down, ~rising & traded)):
        fill(painter, colour, left[mask], top[mask], body, foot - top[mask])
