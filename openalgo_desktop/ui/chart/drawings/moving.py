"""Moving drawings: one anchor, or whole ones. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from openalgo_desktop.core.charting.drawings.geometry.sheet import At, Point
from openalgo_desktop.core.charting.drawings.magnet import Magnet
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing
from openalgo_desktop.core.charting.drawings.tools import tool
from openalgo_desktop.ui.chart.drawings.placing import anchor_at


def moved(drawing: Drawing, at: At, bars: int, down: float) -> Drawing:
    """The same form on the screen, so many bars later and pixels further down."""
    row = tool(drawing.tool)
    if row.screen:
        pane = at.pane
        wide, high = max(1.0, pane.right - pane.left), max(1.0, pane.bottom - pane.top)
        across = bars * at.step / wide
        return drawing.moved(
            tuple(Anchor(a.time + across, a.price + down / high) for a in drawing.anchors)
        )
    found = []
    for anchor in drawing.anchors:
        price = at.price(at.y(anchor.price) + down) if down else anchor.price
        time = anchor.time
        if bars:
            index = at.index_of(time) + bars
            time = at.time_of(index if row.hand else float((index + 1e-6) // 1))
        found.append(Anchor(time, price if row.hand or not down else round(price, at.places)))
    return drawing.moved(tuple(found))


class Grab(NamedTuple):
    """What the mouse holds: an anchor of one drawing (its number), or drawings as a whole."""

    drawings: Sequence[Drawing]  # as they were
    anchor: int | None
    place: Point
    copies: bool = False

    def to(self, place: Point, at: At, magnet: Magnet, straight: bool) -> list[Drawing]:
        """What they are when the pointer is at ``place``."""
        if self.anchor is not None:
            return [self._turned(place, at, magnet, straight)]
        across, down = place.x - self.place.x, place.y - self.place.y
        if straight:
            across, down = (across, 0.0) if abs(across) >= abs(down) else (0.0, down)
        bars = round(across / at.step)
        return [moved(drawing, at, bars, down) for drawing in self.drawings]

    def _turned(self, place: Point, at: At, magnet: Magnet, straight: bool) -> Drawing:
        drawing, number = self.drawings[0], self.anchor or 0
        row, anchors = tool(drawing.tool), list(drawing.anchors)
        origin = None
        if straight and len(anchors) > 1 and not row.screen:
            other = anchors[number - 1 if number else 1]
            origin = Point(at.x(at.index_of(other.time)), at.y(other.price))
        made = anchor_at(place, at, row, magnet, origin)
        closed = len(anchors) > 2 and anchors[0] == anchors[-1]
        anchors[number] = made
        if closed and number in (0, len(anchors) - 1):
            anchors[0] = anchors[-1] = made
        return drawing.moved(tuple(anchors))
