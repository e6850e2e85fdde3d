"""A pane of the chart as the geometry of drawings reads it."""

from __future__ import annotations

from functools import cached_property, lru_cache

from PySide6.QtGui import QFontMetricsF

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.drawings.geometry.sheet import Box
from openalgo_desktop.ui.chart.drawings.view import View
from openalgo_desktop.ui.chart.layer import Projection
from openalgo_desktop.ui.chart.scales.ticks import DAY, moment_text
from openalgo_desktop.ui.kit import fonts, look
from openalgo_desktop.ui.kit import format as fmt


@lru_cache(maxsize=64)
def _metrics(pixels: int, _scale: int) -> QFontMetricsF:
    return QFontMetricsF(fonts.text_font(pixels))


@lru_cache(maxsize=4096)
def _size(text: str, pixels: int, scale: int) -> tuple[float, float]:
    metrics, rows = _metrics(pixels, scale), text.split("\n")
    return max(map(metrics.horizontalAdvance, rows)), metrics.lineSpacing() * len(rows)


def edges_of(at: Projection) -> Box:
    """The edges of a pane."""
    rect = at.pane
    return Box(rect.left(), rect.top(), rect.right(), rect.bottom())


def view_of(at: Projection) -> View:
    """The view of a projection; of the same view all is at the same pixels."""
    rect = at.pane
    high, low = at.value(rect.top()), at.value(rect.bottom())
    return View(at.x(0.0), at.step, high, low, edges_of(at))


class DrawingPane:
    """Valid as long as its projection: for one call."""

    def __init__(self, at: Projection, edges: Box | None = None) -> None:
        self._at = at
        self.pane = edges_of(at) if edges is None else edges
        self.places = at.places
        self.step = at.step
        self.x, self.y, self.index = at.x, at.y, at.index
        self.index_of, self.time_of = at.index_of, at.time_of

    @cached_property
    def bars(self) -> Columns:
        """The bars of the chart, as views."""
        return self._at.series.columns()

    def price(self, y: float) -> float:
        """Price of a pixel."""
        return self._at.value(y)

    def size_of(self, text: str, size: int) -> tuple[float, float]:
        """Room of a text with its lines, pixels."""
        return _size(text, size, look.current().text_scale)

    def price_text(self, price: float) -> str:
        """As the axis writes it."""
        return fmt.price(price, self.places)

    def time_text(self, time: float) -> str:
        """As the crosshair writes it."""
        return moment_text(int(time), self._at.series.length < DAY)
