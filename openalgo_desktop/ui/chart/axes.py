"""Axes of a chart: prices at the right, IST times at the bottom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg

from openalgo_desktop.ui.chart.scales import ticks
from openalgo_desktop.ui.chart.series import Series
from openalgo_desktop.ui.kit import fonts, look, theme
from openalgo_desktop.ui.kit import format as fmt

PRICE_WIDTH = 78
TIME_HEIGHT = 24
#: Room for one label, pixels.
PRICE_ROOM = 46
TIME_ROOM = 92
GRID_ALPHA = 255


class Axis(pg.AxisItem):  # type: ignore[misc]
    """An axis that draws its grid lines over the pane it belongs to."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation, showValues=True)
        self.setStyle(tickLength=0, autoExpandTextSpace=False)
        self.setGrid(GRID_ALPHA)
        self.setZValue(-1000.0)  # grid lines lie behind the bars (a ViewBox has -100)
        self.restyle()

    def restyle(self) -> None:
        """Take the colours of the theme and the sizes of the look in force."""
        self.setStyle(tickFont=fonts.table_font())
        self.size_up()
        colours = theme.current()
        self.setPen(colours.color("border"))
        self.setTickPen(colours.color("grid"))
        self.setTextPen(colours.color("muted"))

    def size_up(self) -> None:
        """Take the room that its labels need."""
        self.setWidth(look.px(PRICE_WIDTH))


class PriceAxis(Axis):
    """Round prices with the decimals of the tick size."""

    def __init__(self, places: int = 2) -> None:
        super().__init__("right")
        self.places = places

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        found = ticks.price_ticks(
            low, high, max(1, int(size / look.px(PRICE_ROOM))), 10.0**-self.places
        )
        return [(1.0, found)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [fmt.price(value, self.places) for value in values]


class VolumeAxis(Axis):
    """Two or three short numbers."""

    def __init__(self) -> None:
        super().__init__("right")

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        found = ticks.price_ticks(0.0, high, max(2, int(size / look.px(PRICE_ROOM))), 1.0)
        return [(1.0, [value for value in found if value > 0])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [fmt.short(value) for value in values]


class TimeAxis(Axis):
    """Bar index to IST."""

    def __init__(self, series: Series) -> None:
        super().__init__("bottom")
        self.series = series
        self.intraday = True

    def size_up(self) -> None:
        self.setHeight(look.px(TIME_HEIGHT))

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[Any]]]:
        first = max(0, int(np.ceil(low)))
        last = min(len(self.series), int(np.floor(high)) + 1)
        if first >= last:
            return []
        share = (last - first) / max(1.0, high - low)  # labels only where there are bars
        most = max(1, int(size * share / look.px(TIME_ROOM)))
        return [(1.0, ticks.time_ticks(self.series.time, first, last, most, self.intraday))]

    def tickStrings(self, values: list[Any], scale: float, spacing: float) -> list[str]:
        places = [int(value) for value in values]
        return ticks.time_labels(self.series.time, places, self.intraday)
