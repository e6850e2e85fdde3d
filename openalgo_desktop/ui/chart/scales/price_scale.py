"""Which values a pane shows, up and down: linear, logarithmic, per cent, inverted. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

from openalgo_desktop.ui.chart.scales.value_map import ValueMap

#: Room above and below what is shown, as parts of its range.
ROOM_TOP, ROOM_BOTTOM = 0.10, 0.06
#: Pixels at the top that belong to the legend.
LEGEND_ROOM = 40.0
#: and the most that they may be of a low pane, as a part of it.
LEGEND_MOST = 0.3
VOLUME_ROOM = 1.15
#: A line this near, as a part of the price range of the bars, is brought into view.
LINE_REACH = 1.0
#: A stretched axis shows at most this many times, and at least that part of, its middle value.
WIDEST, NARROWEST = 1e6, 1e-9

Range = tuple[float, float]


class ScaleKind(StrEnum):
    """How values become heights, and what the axis says of them."""

    LINEAR = "linear"
    LOG = "log"
    PERCENT = "percent"  # the axis counts from the first bar in view


class PriceScale:
    """Edges of one pane, in its values: rupees, or what its study gives. They follow what is in
    view until the user stretches the axis: then they stay as they were put. ``fixed`` edges (0 and
    100 of an RSI) are kept while the scale follows."""

    def __init__(self) -> None:
        self.auto = True
        self.range: Range = (0.0, 1.0)
        self.kind = ScaleKind.LINEAR
        self.inverted = False
        self.base = math.nan  # what per cent are counted from
        self.fixed: tuple[float | None, float | None] = (None, None)
        self._lines: tuple[float, ...] = ()

    def reset(self) -> None:
        """Follow the bars again; what was shown is not kept."""
        self.auto = True
        self.range = (0.0, 0.0)

    @property
    def log(self) -> bool:
        """Whether heights are logarithms: a scale that shows 0 or less cannot."""
        return self.kind is ScaleKind.LOG and self.range[0] > 0.0

    def map(self, top: float, height: float) -> ValueMap:
        """Where values are in a pane."""
        low, high = self.range
        if not high > low:
            high = low + 1.0
        return ValueMap(low, high, top, max(1.0, height), self.log, self.inverted)

    @property
    def lacks(self) -> str:
        """Why the scale is not of its kind: a few words, empty where it is."""
        if self.kind is ScaleKind.LOG and not self.range[0] > 0.0:
            return "no logarithms of 0 and less: linear"
        if self.kind is ScaleKind.PERCENT and not abs(self.base) > 0.0:
            return "no per cent of 0: prices"
        return ""

    def laid(self, start: float) -> tuple[float, float] | None:
        """Factor and constant that lay something else, which is ``start`` at the base, over the
        prices: its moves in per cent are those of the base, a base below 0 by its amount. None
        where it has no per cent."""
        if not (abs(start) > 0.0 and abs(self.base) > 0.0):
            return None
        factor = abs(self.base) / abs(start)
        return factor, 0.0 if self.base * start > 0.0 else 2.0 * self.base

    def set_lines(self, prices: tuple[float, ...]) -> bool:
        """Prices of lines, which are brought into view where they lie near; True for new ones."""
        if prices == self._lines:
            return False
        self._lines = prices
        return True

    # -- by hand ----------------------------------------------------------------------------
    def stretch(self, factor: float) -> None:
        """Show ``factor`` as many values around the middle."""
        low, high = self._bent(*self.range)
        middle, half = (high + low) / 2, (high - low) / 2 * factor
        size = max(abs(middle), 1.0)
        if size * NARROWEST < half < size * WIDEST:
            self.auto = False
            self.range = self._unbent(middle - half, middle + half)

    def pan(self, share: float) -> None:
        """Move by a part of what is seen; while prices follow the bars they do not move."""
        if not self.auto:
            low, high = self._bent(*self.range)
            by = share * (high - low) * (-1.0 if self.inverted else 1.0)
            self.range = self._unbent(low + by, high + by)

    def _bent(self, low: float, high: float) -> Range:
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def _unbent(self, low: float, high: float) -> Range:
        if not self.log:
            return low, high
        return math.exp(max(-700.0, low)), math.exp(min(700.0, high))

    # -- by the bars ------------------------------------------------------------------------
    def fit(self, found: Range | None, height: float, least: float, legend: bool = True) -> bool:
        """Set the edges to what was ``found`` in view, in a pane of ``height`` pixels; True when
        they changed. ``least`` is the smallest step of a value; ``legend`` leaves it its room."""
        before = self.range
        if self.auto and found is not None and all(map(math.isfinite, found)):
            self._fit(self._with_lines(*found), found, height, least, legend)
        return before != self.range

    def _fit(self, wanted: Range, found: Range, height: float, least: float, legend: bool) -> None:
        logs = self.kind is ScaleKind.LOG and wanted[0] > 0.0
        low, high = (math.log(wanted[0]), math.log(wanted[1])) if logs else wanted
        span = high - low or max(abs(high) * 0.01, least)
        part = min(LEGEND_MOST, LEGEND_ROOM / max(LEGEND_ROOM, height)) if legend else 0.0
        room = max(ROOM_TOP, part / (1.0 - part) * (1.0 + ROOM_BOTTOM))
        below = room if self.inverted else ROOM_BOTTOM  # the legend is at the top of the pane
        above = ROOM_BOTTOM if self.inverted else room
        now = self._bent(*self.range) if self.log == logs else (0.0, 0.0)
        # The forming bar moves the edges only when it leaves the room that is there.
        inside = now[0] < low and now[1] > high and span * (1.25 + room) > now[1] - now[0]
        if inside and not self._out_of_view(found) and self.fixed == (None, None):
            return
        edges = (low - span * below, high + span * above)
        if logs:
            edges = (math.exp(edges[0]), math.exp(edges[1]))
        bottom, top = self.fixed
        edges = (edges[0] if bottom is None else bottom, edges[1] if top is None else top)
        if edges[1] > edges[0]:
            self.range = edges

    def _with_lines(self, low: float, high: float) -> Range:
        """The range of the bars, widened for order and position lines that lie near it."""
        reach = (high - low) * LINE_REACH
        near = [price for price in self._lines if low - reach <= price <= high + reach]
        return min([low, *near]), max([high, *near])

    def _out_of_view(self, found: Range) -> bool:
        low, high = self.range
        return high - low <= 0 or found[0] > high or found[1] < low

    # -- state ------------------------------------------------------------------------------
    def save(self) -> dict[str, object]:
        """What the user chose; empty for none."""
        state: dict[str, object] = {}
        if self.kind is not ScaleKind.LINEAR:
            state["kind"] = self.kind.value
        if self.inverted:
            state["inverted"] = True
        return state

    def restore(self, state: Mapping[str, object]) -> None:
        """Take what :meth:`save` gave; what is not understood is left out."""
        kinds = {kind.value: kind for kind in ScaleKind}
        self.kind = kinds.get(str(state.get("kind", "")), ScaleKind.LINEAR)
        self.inverted = state.get("inverted") is True
        self.reset()


class VolumeScale(PriceScale):
    """From 0 to a little over the largest volume in view; it falls only when much too high."""

    def __init__(self) -> None:
        super().__init__()
        self.range = (0.0, 1.0)

    def reset(self) -> None:
        self.auto = True
        self.range = (0.0, 1.0)

    def fit(self, found: Range | None, height: float, least: float, legend: bool = True) -> bool:
        top = found[1] if found is not None else 0.0
        shown = self.range[1]
        if not self.auto or not (top > shown or top * VOLUME_ROOM * 1.2 < shown):
            return False
        self.range = (0.0, max(1.0, top * VOLUME_ROOM))
        return self.range[1] != shown
