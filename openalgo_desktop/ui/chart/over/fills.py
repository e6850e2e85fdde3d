"""Own fills at their bars: an arrow for each side of a bar, at the average price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from openalgo_desktop.ui.chart.layer import Projection
from openalgo_desktop.ui.chart.over.quiet import QuietLayer
from openalgo_desktop.ui.chart.series import HIGH, LOW
from openalgo_desktop.ui.kit import fonts, look, theme
from openalgo_desktop.ui.kit import format as fmt

#: Half the width and the height of an arrow, and its distance from the bar, pixels.
HALF, TALL, GAP = 5.0, 8.0, 4.0
#: What a mark reaches to its sides at most, pixels.
REACH = 8.0
#: From so many pixels a bar on the units are written beside the arrow.
WRITTEN = 26.0
PRICES = 0


class Fill(NamedTuple):
    """``time`` epoch seconds, ``side`` 1 bought and -1 sold, ``units``, ``price`` rupees."""

    time: int
    side: int
    units: int
    price: float


class Mark(NamedTuple):
    """The fills of one side of a bar."""

    bar: int
    side: int
    units: int
    price: float


def marks(times: Sequence[int] | np.ndarray, fills: Sequence[Fill], length: float) -> list[Mark]:
    """Fills by bar and side, units added and prices averaged. A fill belongs to the last bar that
    had begun; one before the first bar, or more than ``length`` seconds after the last, to none
    (``length`` 0: of any time after)."""
    found: dict[tuple[int, int], tuple[int, float]] = {}
    if not len(times):
        return []
    moments = np.array([fill.time for fill in fills])
    places = np.searchsorted(np.asarray(times), moments, side="right") - 1
    last, end = len(times) - 1, int(times[-1]) + length
    for fill, place in zip(fills, places.tolist(), strict=True):
        if place < 0 or (place == last and length and fill.time >= end):
            continue
        units, value = found.get((place, fill.side), (0, 0.0))
        found[place, fill.side] = (units + fill.units, value + fill.units * fill.price)
    return [
        Mark(bar, side, units, value / units)
        for (bar, side), (units, value) in sorted(found.items())
        if units
    ]


class FillMarks(QuietLayer):
    """``set_fills`` and, for other bars, ``refresh``; its owner tells the canvas."""

    def __init__(self) -> None:
        self._fills: Sequence[Fill] = ()
        self._marks: list[Mark] = []
        self._count, self._first = -1, 0  # of the bars that marks were made for
        self._length = 0.0

    def set_fills(self, fills: Sequence[Fill], length: float) -> None:
        """Show these, oldest first; ``length`` of a bar in seconds, 0 for a day and longer."""
        self._fills, self._length, self._count = fills, length, -1

    def _look(self, at: Projection) -> None:
        times = at.series.time
        first = int(times[0]) if len(times) else 0
        if (len(times), first) != (self._count, self._first):
            self._count, self._first = len(times), first
            self._marks = marks(times, self._fills, self._length)

    def paint_base(self, painter: QPainter, at: Projection) -> Iterator[None]:
        if at.number != PRICES or not self._fills:
            return
        self._look(at)
        shown = painter.clipBoundingRect()  # the pane, or a strip of it
        first, last = at.index(shown.left() - REACH) - 1, at.index(shown.right() + REACH) + 1
        lows, highs = at.series.column(LOW), at.series.column(HIGH)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(fonts.table_font())
        for mark in self._marks:
            if first <= mark.bar <= last:
                low, high = float(lows[mark.bar]), float(highs[mark.bar])
                self._paint(painter, at, mark, low, high)
        yield

    @staticmethod
    def _paint(painter: QPainter, at: Projection, mark: Mark, low: float, high: float) -> None:
        """An arrow under the bar for a purchase, over it for a sale, and a tick at the price."""
        colour = theme.current().color("buy" if mark.side > 0 else "sell")
        x, price = at.x(mark.bar), at.y(mark.price)
        top, bottom = sorted((at.y(low), at.y(high)))
        under = (mark.side > 0) is (at.y(high) <= at.y(low))
        tip = max(bottom, price) + GAP if under else min(top, price) - GAP
        foot = tip + TALL if under else tip - TALL
        arrow = [QPointF(x, tip), QPointF(x - HALF, foot), QPointF(x + HALF, foot)]
        painter.setPen(QPen(theme.current().color("panel"), 1))
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF(arrow))
        painter.setPen(QPen(colour, 2))
        reach = max(3.0, min(8.0, at.step / 2))
        painter.drawLine(QPointF(x - reach, price), QPointF(x + reach, price))
        if at.step >= WRITTEN:
            tall = look.px(14)
            area = QRectF(x - at.step, foot if under else foot - tall, 2 * at.step, tall)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, fmt.quantity(mark.units))
