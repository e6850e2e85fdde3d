"""Pixels of one pane: what layers and painters draw by."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

import numpy as np
from PySide6.QtCore import QRectF

from openalgo_desktop.ui.chart.scales.value_map import ValueMap
from openalgo_desktop.ui.chart.series import Floats, Series

#: Keeps a bar in its pixel when the same place comes out a rounding error lower.
HAIR = 1e-6
#: Prices this many times the range of the pane outside of it are left to Qt's own clipping.
REACH = 20.0


class At:
    """The :class:`~openalgo_desktop.ui.chart.layer.Projection` of a pane, valid for one call.

    Methods speak logical pixels; ``columns`` and ``rows`` give device pixels, on which painters of
    bars stand so that they are crisp at every ratio of the screen.
    """

    def __init__(
        self,
        pane: QRectF,
        number: int,
        series: Series,
        left: float,
        span: float,
        values: ValueMap,
        places: int,
        tick: float,
        ratio: float,
    ) -> None:
        self.pane = pane
        self.number = number
        self.series = series
        self.places = places
        self.tick = tick
        self.ratio = ratio
        self.step = max(1e-9, pane.width() / span)
        self.map = values
        self._left = left

    def with_map(self, values: ValueMap) -> At:
        """The same bars with other heights."""
        found = copy(self)
        found.map = values
        return found

    def x(self, index: float) -> float:
        """Pixel of a bar."""
        return self.pane.left() + (index - self._left) * self.step

    def index(self, x: float) -> float:
        """Bar of a pixel, with its fraction."""
        return self._left + (x - self.pane.left()) / self.step

    def y(self, value: float) -> float:
        """Pixel of a value."""
        return self.map.y(value)

    def value(self, y: float) -> float:
        """Value of a pixel."""
        return self.map.value(y)

    def index_of(self, time: float) -> float:
        """Bar of a moment (epoch seconds) with its fraction."""
        return self.series.index_of(time)

    def time_of(self, index: float) -> float:
        """Moment of a bar."""
        return self.series.time_of(index)

    def solid(self, values: tuple[float, float, float, float, float]) -> bool:
        """Whether a bar has all its values, at places a painter can reach by whole numbers."""
        edges = self.map
        reach = REACH * (edges.high - edges.low)
        low, high = edges.low - reach, edges.high + reach
        return all(low < v < high for v in values[:4]) if self.number == 0 else values[4] < high

    def device_row(self) -> Callable[[float], float]:
        """What gives the device pixel of a value: ``y`` times the ratio, to the bit, for many
        single values."""
        low, high, top, height, log, inverted = self.map
        ratio = self.ratio
        if log:
            return lambda value: self.map.y(value) * ratio
        part = 1.0 / (high - low)
        if inverted:
            return lambda value: (top + (1.0 - (high - value) * part) * height) * ratio
        return lambda value: (top + (high - value) * part * height) * ratio

    # -- device pixels ------------------------------------------------------------------------
    @property
    def pitch(self) -> float:
        """Device pixels of one bar."""
        return self.step * self.ratio

    def columns(self, x: Floats) -> Floats:
        """Device pixels in which bars have their middle."""
        found: Floats = np.floor(
            self.pane.left() * self.ratio + (x - self._left) * self.pitch + HAIR
        )
        return found

    def rows(self, values: Floats) -> Floats:
        """Device pixels of values, whole ones."""
        found: Floats = np.round(self.map.rows(values) * self.ratio)
        return found

    def heights(self, values: Floats) -> Floats:
        """Device pixels of values with their fractions, for lines."""
        return self.map.rows(values) * self.ratio
