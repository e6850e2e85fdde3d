"""Placing a drawing: what clicks and drags have given so far. No Qt here."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.geometry.sheet import At, Point
from openalgo_desktop.core.charting.drawings.magnet import Magnet, snapped, straightened
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Tool
from openalgo_desktop.core.charting.drawings.plan import completed

#: A hand's stroke has a point every so many pixels, and at most so many.
APART, MOST = 2.5, 3_000
#: So near its first point a click closes a polyline, pixels.
CLOSING = 8.0


def anchor_at(
    place: Point, at: At, tool: Tool, magnet: Magnet, origin: Point | None = None
) -> Anchor:
    """The anchor that a place means: at a whole bar, its price snapped by the magnet. With an
    ``origin`` the way from there is made straight, and nothing snaps."""
    pane = at.pane
    if tool.screen:
        across = (place.x - pane.left) / max(1.0, pane.right - pane.left)
        return Anchor(across, (place.y - pane.top) / max(1.0, pane.bottom - pane.top))
    if tool.hand:
        return Anchor(at.time_of(at.index(place.x)), at.price(place.y))
    if origin is not None:
        place, magnet = straightened(origin, place), Magnet.OFF
    price = snapped(place, at, magnet)
    return Anchor(at.time_of(round(at.index(place.x))), round(price, at.places))


class Placing:
    """One drawing on its way. ``done`` when it has all its points."""

    def __init__(self, tool: Tool, drawing: Drawing) -> None:
        self.tool = tool
        self.drawing = drawing  # with the anchors that are settled
        self.ahead: Anchor | None = None  # where the pointer is
        self.done = False
        self._last: Point | None = None

    @property
    def _wanted(self) -> int:
        return self.tool.clicks or self.tool.limit

    def preview(self) -> Drawing:
        """What it would be if the pointer were pressed now."""
        anchors = self.drawing.anchors
        if self.ahead is not None and not self.done:
            anchors = (*anchors, self.ahead)
        return self.drawing.moved(completed(self.tool, anchors))

    def last_place(self, at: At) -> Point | None:
        """The pixel of the last settled anchor: what Shift makes ways straight from."""
        if not self.drawing.anchors or self.tool.screen or self.tool.hand:
            return None
        last = self.drawing.anchors[-1]
        return Point(at.x(at.index_of(last.time)), at.y(last.price))

    def click(self, anchor: Anchor, place: Point, at: At) -> None:
        """Settle an anchor."""
        anchors = self.drawing.anchors
        if self.tool.geometry == "polyline" and len(anchors) > 2:
            first = Point(at.x(at.index_of(anchors[0].time)), at.y(anchors[0].price))
            if first.far(place) <= CLOSING:
                anchor, self.done = anchors[0], True
        if anchors and anchors[-1] == anchor:
            return
        self.drawing = self.drawing.moved((*anchors, anchor))
        self.ahead = None
        if self._wanted and len(self.drawing.anchors) >= self._wanted:
            self.finish()

    def stroke(self, anchor: Anchor, place: Point) -> None:
        """Go on with a hand's stroke."""
        if self._last is not None and self._last.far(place) < APART:
            return
        if len(self.drawing.anchors) < MOST:
            self._last = place
            self.drawing = self.drawing.moved((*self.drawing.anchors, anchor))

    def finish(self) -> bool:
        """End it here; False when it has too few points."""
        drawing = self.drawing.moved(completed(self.tool, self.drawing.anchors))
        if len(drawing.anchors) < self.tool.least:
            return False
        self.drawing, self.ahead, self.done = drawing, None, True
        return True
