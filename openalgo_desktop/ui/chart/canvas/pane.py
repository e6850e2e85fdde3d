"""One pane of a chart: its place, its scale, the labels of its axis."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRectF

from openalgo_desktop.ui.chart.scales.price_scale import PriceScale

#: Numbers of the panes that every chart has; studies have theirs from 1 on.
PRICES, VOLUME = 0, -1
#: How much of the height a pane takes beside the others, at first.
WEIGHTS = {PRICES: 5.0, VOLUME: 1.0}
STUDY_WEIGHT = 1.4
#: No pane is lower, pixels.
LEAST = 40


class Label(NamedTuple):
    """One label of a value axis."""

    value: float
    text: str


class Pane:
    """``weight`` is its share of the height."""

    def __init__(self, number: int, scale: PriceScale) -> None:
        self.number = number
        self.scale = scale
        self.weight = WEIGHTS.get(number, STUDY_WEIGHT)
        self.rect = QRectF(0, 0, 1, 1)
        self.labels: tuple[Label, ...] = ()


def share_out(panes: list[Pane], width: float, height: float) -> None:
    """Give each pane its place, one under the other, on whole pixels; a high one gives way to the
    least height of the others. In a low chart the others have no more than half of it: what it is
    for are the prices."""
    if not panes:
        return
    least = min(LEAST, height / 2 / max(1, len(panes) - 1))
    free = sorted(panes, key=lambda pane: pane.weight)
    heights: dict[int, float] = {}
    room, weight = height, sum(pane.weight for pane in panes)
    for pane in free:  # the lowest first: what it is given beyond its share the higher ones lack
        found = max(least, room * pane.weight / weight)
        heights[pane.number] = found
        room, weight = room - found, weight - pane.weight
    y = 0.0
    for pane in panes:
        bottom = min(height, y + heights[pane.number])
        top, foot = round(y), round(bottom)
        pane.rect = QRectF(0, top, max(1.0, width), max(1.0, foot - top))
        y = bottom
