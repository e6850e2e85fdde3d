"""Brackets as zones: from the entry to the stop, and from the entry to the targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from openalgo_desktop.ui.chart.layer import Projection
from openalgo_desktop.ui.chart.over.quiet import QuietLayer
from openalgo_desktop.ui.kit import theme

ALPHA = 26
PRICES = 0


class Zone(NamedTuple):
    """``entry``, ``stop`` and ``target`` in rupees, 0 for none; ``since`` epoch seconds of its
    beginning (0: as far back as is seen)."""

    entry: float
    stop: float
    target: float
    since: float = 0.0


class ZoneLayer(QuietLayer):
    """Lies under everything else; its owner tells the canvas of another set."""

    def __init__(self) -> None:
        self.zones: Sequence[Zone] = ()

    def set_zones(self, zones: Sequence[Zone]) -> bool:
        """Show these; True where they are others."""
        now = tuple(zones)
        if now == self.zones:
            return False
        self.zones = now
        return True

    def paint_base(self, painter: QPainter, at: Projection) -> Iterator[None]:
        if at.number != PRICES:
            return
        for zone in self.zones:
            left = at.pane.left()
            if zone.since:
                left = max(left, at.x(at.index_of(zone.since)))
            for price, role in ((zone.stop, "down"), (zone.target, "up")):
                if price <= 0 or zone.entry <= 0 or left >= at.pane.right():
                    continue
                top, bottom = sorted((at.y(zone.entry), at.y(price)))
                area = QRectF(left, top, at.pane.right() - left, bottom - top)
                painter.fillRect(area.intersected(at.pane), theme.current().color(role, ALPHA))
        yield
