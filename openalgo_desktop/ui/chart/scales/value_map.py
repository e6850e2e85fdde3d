"""Values up and down one pane: the one place that knows logarithmic and inverted scales. No Qt."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from openalgo_desktop.ui.chart.series import Floats

#: So far outside, in heights of the pane, is what a logarithmic scale has no place for.
OUTSIDE = 10.0


class ValueMap(NamedTuple):
    """``low`` and ``high`` are the values at the edges of a pane that begins at pixel ``top`` and
    is ``height`` pixels high. A logarithmic one has positive edges."""

    low: float
    high: float
    top: float
    height: float
    log: bool = False
    inverted: bool = False

    def y(self, value: float) -> float:
        """Pixel of a value."""
        if self.log:
            if value <= 0.0:
                return self.top + self.height * OUTSIDE
            share = math.log(self.high / value) / math.log(self.high / self.low)
        else:
            share = (self.high - value) * (1.0 / (self.high - self.low))  # as in `rows`, to the bit
        return self.top + (1.0 - share if self.inverted else share) * self.height

    def value(self, y: float) -> float:
        """Value of a pixel."""
        share = (y - self.top) / self.height
        if self.inverted:
            share = 1.0 - share
        if self.log:
            return self.high * math.exp(math.log(self.low / self.high) * share)
        return self.high - share * (self.high - self.low)

    def rows(self, values: Floats) -> Floats:
        """Pixels of many values; NaN stays NaN."""
        if self.log:
            safe = np.where(values > 0.0, values, np.nan)
            share = np.log(self.high / safe) / math.log(self.high / self.low)
        else:
            share = (self.high - values) * (1.0 / (self.high - self.low))
        if self.inverted:
            share = 1.0 - share
        found: Floats = self.top + share * self.height
        return found
