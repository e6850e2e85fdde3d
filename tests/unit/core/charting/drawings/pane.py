"""A pane of known numbers: a bar is 10 pixels wide, a rupee 4 high (linear) or an octave 400 (log),
five-minute bars from 0, prices from 100 upwards."""

from __future__ import annotations

from math import log2

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.drawings.geometry.sheet import Box
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Tool
from openalgo_desktop.core.charting.drawings.values import index_by

START, STEP = 1_700_000_100, 300


def bars(count: int = 60) -> Columns:
    """Bars whose close climbs by 0.5 a bar, with a wiggle."""
    places = np.arange(count, dtype=np.float64)
    close = 110 + places * 0.5 + np.sin(places)
    opened = np.concatenate([[109.0], close[:-1]])
    high, low = np.maximum(opened, close) + 1.0, np.minimum(opened, close) - 1.0
    times = START + STEP * np.arange(count)
    return Columns(times, opened, high, low, close, np.full(count, 100.0), np.full(count, np.nan))


class Pane:
    """The fake of a projection; ``scale`` is linear, log or inverted."""

    def __init__(self, scale: str = "linear", columns: Columns | None = None) -> None:
        self.pane = Box(0.0, 0.0, 800.0, 400.0)
        self.bars = bars() if columns is None else columns
        self.places, self.step, self.scale = 2, 10.0, scale
        self.index_of = index_by(self.bars)

    def x(self, index: float) -> float:
        return index * 10 + 5

    def index(self, x: float) -> float:
        return (x - 5) / 10

    def y(self, price: float) -> float:
        if self.scale == "log":
            return 400 - 400 * log2(price / 100)
        return (price - 100) * 4 if self.scale == "inverted" else 400 - (price - 100) * 4

    def price(self, y: float) -> float:
        if self.scale == "log":
            return 100 * 2 ** ((400 - y) / 400)
        return 100 + y / 4 if self.scale == "inverted" else 100 + (400 - y) / 4

    def time_of(self, index: float) -> float:
        return START + index * STEP

    def size_of(self, text: str, size: int) -> tuple[float, float]:
        rows = text.split("\n")
        return max(map(len, rows)) * size * 0.6, len(rows) * size * 1.3

    def price_text(self, price: float) -> str:
        return f"{price:.2f}"

    def time_text(self, time: float) -> str:
        return f"t{time:.0f}"


#: Bars and prices that make sense for every tool; tools take as many as they need.
SPOTS = ((10, 120.0), (20, 140.0), (30, 130.0), (40, 160.0), (45, 150.0), (50, 170.0), (58, 155.0))


def anchor(index: float, price: float) -> Anchor:
    """At a bar."""
    return Anchor(START + index * STEP, price)


def drawn(tool: Tool, spots: tuple[tuple[float, float], ...] = SPOTS, **more: object) -> Drawing:
    """A drawing by a tool at the first spots."""
    count = max(tool.least, 4 if tool.limit == 0 else tool.least)
    anchors = tuple(anchor(*spot) for spot in spots[:count])
    if tool.screen:
        anchors = (Anchor(0.25, 0.5),)
    style = more.pop("style", tool.style)
    text = more.pop("text", tool.text)
    return Drawing("d1", tool.tool, anchors, style, text, **more)
