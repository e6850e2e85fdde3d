"""Rows of transforms that are no candles: bricks, Kagi, point and figure. In device pixels."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtGui import QColor, QPainter, QPen

from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.paint import bars
from openalgo_desktop.ui.chart.paint.curves import FAR
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.chart.paint.primitives import Lines
from openalgo_desktop.ui.chart.series import CLOSE, DIRECTION, OPEN, THICK, TURN, Floats

#: A thick Kagi line and a thin one, logical pixels.
YANG, YIN = 3.0, 1.0
#: Boxes lower than this get no sign but a block, logical pixels.
SIGN_ROOM = 5.0
#: Corners of an O.
CORNERS = 8

_lines = Lines()


def bricks(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """Boxes from open to close that touch their neighbours' sides, with wicks."""
    if merge > 1:
        bars.candles(painter, at, first, last, merge, ink)
        return
    rows = at.series.visible(first, last)
    if not len(rows.x):
        return
    left, right = at.columns(rows.x - 0.5), at.columns(rows.x + 0.5)
    opened, high, low, close = (at.rows(v) for v in (rows.open, rows.high, rows.low, rows.close))
    top, foot = np.minimum(high, low), np.maximum(high, low)
    upper, lower = np.minimum(opened, close), np.maximum(opened, close)
    middle = at.columns(rows.x)
    wick = max(1.0, math.floor(at.ratio + 0.25))
    for colour, mask in bars.tones(rows, ink):
        long = mask & ((top < upper) | (foot > lower))
        bars.fill(painter, colour, middle[long], top[long], wick, (foot - top + 1.0)[long])
        gap = 1.0 if at.pitch >= 4.0 else 0.0
        width, height = right - left - gap, np.maximum(1.0, lower - upper - gap)
        bars.fill_rows(painter, colour, left[mask], upper[mask], width[mask], height[mask])


def kagi(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """One line: up and down in a column, across to the next; thick and in the colour of a rise
    where it is yang."""
    if merge > 1:
        bars.high_low(painter, at, first, last, merge, ink)
        return
    series = at.series
    first, last = max(0, first), min(len(series), last)
    if first >= last:
        return
    part = slice(first, last)
    opened, close = series.column(OPEN)[part], series.column(CLOSE)[part]
    ends = series.column(THICK)[part]
    start = series.column(THICK)[first - 1 : first] if first else ends[:1]
    begins = np.concatenate((start, ends[:-1]))
    turn = series.column(TURN)[part]
    change = np.where(np.isfinite(turn), turn, close)
    x = at.columns(np.arange(first, last, dtype=np.float64))
    levels = [at.rows(opened), at.rows(change), at.rows(close)]
    before = at.columns(np.array([first - 1.0])) if first else x[:1]
    across = np.concatenate((before, x[:-1]))
    for yang in (True, False):
        colour, width = (ink.up, YANG) if yang else (ink.down, YIN)
        thick = max(1.0, math.floor(width * at.ratio))
        half = math.floor((thick - 1.0) / 2.0)
        for states, one, two in ((begins, 0, 1), (ends, 1, 2)):
            mask = (states > 0.5) == yang
            top = np.minimum(levels[one], levels[two])[mask]
            height = np.abs(levels[one] - levels[two])[mask] + thick
            bars.fill(painter, colour, x[mask] - half, top - half, thick, height)
        mask = ((begins > 0.5) == yang) & (x > across)
        width_across = x[mask] - across[mask] + thick
        tall = np.full(int(mask.sum()), thick)
        y = levels[0][mask] - half
        bars.fill_rows(painter, colour, across[mask] - half, y, width_across, tall)


def points(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """A column of X going up, of O going down, one for each box from open to close."""
    series = at.series
    first, last = max(0, first), min(len(series), last)
    box = ink.box
    high = abs(at.y(box) - at.y(0.0)) if not at.map.log and box > 0.0 else 0.0
    if merge > 1 or first >= last or min(high, at.step) < SIGN_ROOM:
        _blocks(painter, at, first, last, merge, ink)
        return
    part = slice(first, last)
    opened, close = series.column(OPEN)[part], series.column(CLOSE)[part]
    up = series.column(DIRECTION)[part] > 0
    counts = np.rint(np.abs(close - opened) / box).astype(np.int64) + 1
    column = np.repeat(np.arange(first, last, dtype=np.float64), counts)
    step = np.arange(len(column)) - np.repeat(np.cumsum(counts) - counts, counts)
    values = np.repeat(np.minimum(opened, close), counts) + step * box
    rising = np.repeat(up, counts)
    x, y = at.columns(column) + 0.5, at.heights(values)
    shown = np.abs(y) < FAR
    wide = max(2.0, at.pitch * 0.38)
    tall = max(2.0, high * at.ratio * 0.38)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    thick = max(1.0, at.ratio * 1.4)
    _crosses(painter, ink.up, x[rising & shown], y[rising & shown], wide, tall, thick)
    _rings(painter, ink.down, x[~rising & shown], y[~rising & shown], wide, tall, thick)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _blocks(painter: QPainter, at: At, first: int, last: int, merge: int, ink: Ink) -> None:
    """Columns too small for signs: from the lower edge of the lowest box to the upper of the
    highest."""
    bars.high_low(painter, at, first, last, merge, ink)


def _crosses(
    painter: QPainter, colour: QColor, x: Floats, y: Floats, wide: float, tall: float, thick: float
) -> None:
    if not len(x):
        return
    rows = _lines.array(2 * len(x))
    for half, way in ((rows[: len(x)], 1.0), (rows[len(x) :], -1.0)):
        half[:, 0], half[:, 1] = x - wide, y - way * tall
        half[:, 2], half[:, 3] = x + wide, y + way * tall
    painter.setPen(QPen(colour, thick))
    _lines.draw(painter)


def _rings(
    painter: QPainter, colour: QColor, x: Floats, y: Floats, wide: float, tall: float, thick: float
) -> None:
    """Rings of eight strokes each: Qt has no call for many ellipses."""
    if not len(x):
        return
    rows = _lines.array(CORNERS * len(x))
    angles = np.arange(CORNERS + 1) * (2.0 * math.pi / CORNERS)
    for corner in range(CORNERS):
        part = rows[corner * len(x) : (corner + 1) * len(x)]
        part[:, 0] = x + wide * math.cos(angles[corner])
        part[:, 1] = y + tall * math.sin(angles[corner])
        part[:, 2] = x + wide * math.cos(angles[corner + 1])
        part[:, 3] = y + tall * math.sin(angles[corner + 1])
    painter.setPen(QPen(colour, thick))
    _lines.draw(painter)
