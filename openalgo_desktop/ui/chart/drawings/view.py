"""By what a drawing was brought to its pixels. No Qt here."""

from __future__ import annotations

from typing import NamedTuple

from openalgo_desktop.core.charting.drawings.geometry.sheet import Box


class View(NamedTuple):
    """What a projection says where everything is by."""

    left: float  # pixel of the first bar
    step: float
    high: float  # values at the edges
    low: float
    edges: Box
