"""Which prices and volumes a chart shows, up and down. No Qt here."""

from __future__ import annotations

from openalgo_desktop.ui.chart.series import Series

#: Room above and below the candles, as parts of the price range.
ROOM_TOP, ROOM_BOTTOM = 0.10, 0.06
#: Pixels at the top that belong to the legend.
LEGEND_ROOM = 40.0
#: and the most that they may be of a low pane, as a part of it.
LEGEND_MOST = 0.3
VOLUME_ROOM = 1.15
#: A line this near, as a part of the price range of the bars, is brought into view.
LINE_REACH = 0.5


class PriceScale:
    """Edges of the price pane, rupees, and the top of the volume pane, units. They follow the
    bars in view until the user stretches the axis: then prices stay as they were put."""

    def __init__(self) -> None:
        self.auto = True
        self.range = (0.0, 1.0)
        self.top_volume = 1.0
        self._lines: tuple[float, ...] = ()

    def reset(self) -> None:
        """Follow the bars again; what was shown is not kept."""
        self.auto = True
        self.range = (0.0, 0.0)

    def set_lines(self, prices: tuple[float, ...]) -> bool:
        """Prices of lines, which are brought into view where they lie near; True for new ones."""
        if prices == self._lines:
            return False
        self._lines = prices
        return True

    def stretch(self, factor: float) -> None:
        """Show ``factor`` as many prices around the middle."""
        low, high = self.range
        self.auto = False
        middle, half = (high + low) / 2, (high - low) / 2 * factor
        self.range = (middle - half, middle + half)

    def pan(self, share: float) -> None:
        """Move by a part of what is seen; while prices follow the bars they do not move."""
        if not self.auto:
            low, high = self.range
            by = share * (high - low)
            self.range = (low + by, high + by)

    def fit(self, series: Series, visible: tuple[int, int], height: float, places: int) -> bool:
        """Set both ranges to the bars that are ``visible`` in a price pane of ``height`` pixels;
        True when one of them changed. ``places``: decimals of prices."""
        before = (self.range, self.top_volume)
        found = series.price_range(*visible)
        if self.auto and found is not None:
            low, high = self._with_lines(*found)
            span = high - low or max(abs(high) * 0.01, 10.0**-places)
            part = min(LEGEND_MOST, LEGEND_ROOM / max(LEGEND_ROOM, height))
            room = max(ROOM_TOP, part / (1.0 - part) * (1.0 + ROOM_BOTTOM))
            # The forming bar moves the edges only when it leaves the room that is there.
            now = self.range
            inside = now[0] < low and now[1] > high and span * (1.25 + room) > now[1] - now[0]
            if not inside or self._out_of_view(found):
                self.range = (low - span * ROOM_BOTTOM, high + span * room)
        top = series.top_volume(*visible)
        if top > self.top_volume or top * VOLUME_ROOM * 1.2 < self.top_volume:
            self.top_volume = max(1.0, top * VOLUME_ROOM)
        return before != (self.range, self.top_volume)

    def _with_lines(self, low: float, high: float) -> tuple[float, float]:
        """The range of the bars, widened for order and position lines that lie near it."""
        reach = (high - low) * LINE_REACH
        near = [price for price in self._lines if low - reach <= price <= high + reach]
        return min([low, *near]), max([high, *near])

    def _out_of_view(self, found: tuple[float, float]) -> bool:
        low, high = self.range
        return high - low <= 0 or found[0] > high or found[1] < low
