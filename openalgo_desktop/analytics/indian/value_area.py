"""Where most was traded: point of control and value area of sizes by rows of price."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from openalgo_desktop.core.charting.columns import Floats

#: Part of all that the value area holds.
SHARE: Final = 0.70
#: Steps of price that a row may be high, times a power of ten.
_NICE: Final = (1.0, 2.0, 2.5, 5.0)


class Area(NamedTuple):
    """Rows of the point of control and of both ends of the value area."""

    point: int
    low: int
    high: int


def value_area(sizes: Floats, share: float = SHARE) -> Area | None:
    """The largest row, of equal ones that nearest to the middle; around it, two rows at a time on
    the side where these hold more, until ``share`` of all is inside (the rule of the CBOT's market
    profile handbook; of equal sides the upper). None where nothing was traded."""
    total = float(sizes.sum())
    if not total > 0:
        return None
    # Sums in another order differ in the last digits: such differences decide nothing.
    part = np.round(sizes / total, 11)
    largest = np.flatnonzero(part == part.max())
    point = int(largest[np.argmin(np.abs(largest - (len(sizes) - 1) / 2.0))])
    low = high = point
    rows, inside = part.tolist(), float(part[point])
    while inside < share - 1e-9 and (low > 0 or high < len(rows) - 1):
        above, below = sum(rows[high + 1 : high + 3]), sum(rows[max(0, low - 2) : low])
        if high < len(rows) - 1 and (low == 0 or above >= below - 1e-10):
            high, inside = min(high + 2, len(rows) - 1), inside + above
        else:
            low, inside = max(low - 2, 0), inside + below
    return Area(point, low, high)


def row_height(size: float, rows: int, tick: float) -> float:
    """A round number of ticks (of rupees where the tick is not known) so that ``size`` rupees have
    at most ``rows`` rows."""
    unit = tick if tick > 0 else 0.0
    wanted = size / max(1, rows)
    if unit and wanted <= unit:
        return unit
    if wanted <= 0:
        return 0.05
    steps = wanted / unit if unit else wanted
    power = 10.0 ** math.floor(math.log10(steps))
    nice = next((n * power for n in _NICE if n * power >= steps - 1e-9), 10.0 * power)
    return (math.ceil(nice - 1e-9) if unit else nice) * (unit or 1.0)
