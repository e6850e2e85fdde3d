"""Where the panes of a chart are, as what lies over them needs it. No painting here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QRectF

from openalgo_desktop.ui.chart.scales.value_map import ValueMap


class OtherPane(NamedTuple):
    """A pane below that of the prices, and the decimals of its values (None: short numbers)."""

    rect: QRectF
    values: ValueMap
    places: int | None


@dataclass
class Frame:
    """Where things are, in pixels of the canvas, and the prices at top and bottom."""

    pane: QRectF
    bottom: float  # lower edge of the lowest pane
    right: float  # right edge of the widget
    low: float = 0.0
    high: float = 1.0
    labels: tuple[float, ...] = ()  # prices that the axis names
    log: bool = False
    inverted: bool = False
    others: tuple[OtherPane, ...] = ()
    gutter: int = 0  # between the bars and the axis: tags of lines stand there

    def __post_init__(self) -> None:
        pane = self.pane
        self._map = ValueMap(
            self.low, self.high, pane.top(), pane.height(), self.log, self.inverted
        )

    @property
    def axis(self) -> float:
        """Where the price axis begins."""
        return self.pane.right() + self.gutter

    def y(self, price: float) -> float:
        """Pixel of a price."""
        return self._map.y(price)

    def price(self, y: float) -> float:
        """Price of a pixel."""
        return self._map.value(y)

    def takes(self, y: float) -> bool:
        """Whether a line may be let go there. Prices go on below the lowest one in sight, over the
        volumes: else a stop could never be dragged lower than the chart happens to end."""
        return self.pane.top() <= y <= self.bottom and self.price(y) > 0

    def shows(self, y: float) -> bool:
        """Whether the pane of the prices has this pixel."""
        return self.pane.top() <= y <= self.pane.bottom()

    def other_at(self, y: float) -> OtherPane | None:
        """The pane below the prices that has this pixel."""
        return next((one for one in self.others if one.rect.top() <= y < one.rect.bottom()), None)
