"""Symbols of the tools: each is drawn by its own geometry on a pane of the symbol's size."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.drawings.geometry import picture
from openalgo_desktop.core.charting.drawings.geometry.sheet import Box, Picture
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Family, Level, Tool
from openalgo_desktop.core.charting.drawings.tools import tool as find
from openalgo_desktop.ui.chart.drawings import ink
from openalgo_desktop.ui.kit import fonts, look, theme

#: Side of a symbol at a text scale of 100 per cent, pixels; the geometry's own unit.
SIDE = 20
#: Where anchors of a symbol are, in pixels from its left lower corner, by their number.
_SPOTS = {
    1: ((10, 10),),
    2: ((3, 4), (16, 16)),
    3: ((2, 4), (11, 16), (17, 7)),
    4: ((2, 4), (7, 16), (12, 7), (18, 17)),
    5: ((1, 3), (6, 16), (10, 8), (14, 13), (19, 5)),
    6: ((1, 3), (5, 11), (8, 6), (13, 17), (15, 11), (19, 18)),
    7: ((1, 3), (4, 10), (6, 6), (10, 17), (13, 6), (16, 10), (19, 3)),
}
#: Signs of a fixed size are drawn on a larger pane, which is made smaller.
_LARGE = {Family.NOTES: 40.0, Family.ARROWS: 40.0}
#: Where one of a geometry says more than the usual place.
_TOOL_SPOTS = {
    "flag": ((12, 6),),
    "note": ((20, 8),),
    "signpost": ((20, 1),),
    "price_label": ((10, 14),),
    "price_note": ((8, 8), (32, 32)),
    "callout": ((6, 6), (32, 32)),
    "balloon": ((19, 12),),
    "marker": ((6, 6), (34, 34)),
    "circle": ((10, 10), (17, 10)),
    "fib_circles": ((6, 6), (14, 14)),
    "spiral": ((11, 9), (15, 9)),
    "fib_arcs": ((10, 2), (10, 14)),
    "arc": ((2, 4), (18, 4), (10, 15)),
    "curve": ((2, 4), (18, 12), (8, 14)),
    "position": ((2, 10), (18, 3), (18, 18)),
    "flat": ((2, 15), (18, 9), (10, 4)),
    "disjoint": ((2, 18), (18, 13), (18, 6)),
    "parallel": ((2, 9), (18, 17), (10, 6)),
    "regression": ((0, 0), (20, 20)),
    "bars_pattern": ((1, 1), (6, 1), (3, 4)),
    "projection": ((1, 3), (7, 12), (9, 6)),
    "extension": ((1, 3), (7, 16), (9, 8)),
    "pitchfork": ((1, 3), (5, 16), (10, 9)),
    "rotated": ((3, 6), (15, 14), (7, 15)),
    "time_cycles": ((1, 6), (7, 6)),
    "cyclic": ((3, 10), (8, 10)),
    "sine": ((3, 15), (10, 5)),
    "time_zones": ((2, 10), (5, 10)),
    "trend_time": ((1, 3), (5, 16), (8, 6)),
}
_MARKS = {"up": (20, 33), "down": (20, 7), "left": (7, 20), "right": (33, 20)}
_COUNTED = {"curve": {4: ((2, 5), (18, 15), (7, 16), (13, 4))}}


class _Little:
    """A pane of the symbol's size: a bar and a rupee are a pixel each."""

    places, step = 2, 2.0

    def __init__(self, side: float) -> None:
        self.side = side
        self.pane = Box(0.0, 0.0, side, side)

    @property
    def bars(self) -> Columns:
        """A short rise."""
        places = np.arange(SIDE, dtype=np.float64)
        close = 4 + places * 0.6 + 2.5 * np.sin(places)
        none = np.full(SIDE, np.nan)
        return Columns(np.arange(SIDE), close - 2, close + 3, close - 3, close + 1, none, none)

    def x(self, index: float) -> float:
        return index

    def index(self, x: float) -> float:
        return x

    def y(self, price: float) -> float:
        return self.side - price

    def price(self, y: float) -> float:
        return self.side - y

    def index_of(self, time: float) -> float:
        return time

    def time_of(self, index: float) -> float:
        return index

    def size_of(self, text: str, size: int) -> tuple[float, float]:
        return 0.0, 0.0

    def price_text(self, price: float) -> str:
        return ""

    def time_text(self, time: float) -> str:
        return ""


def _spots(tool: Tool) -> tuple[tuple[float, float], ...]:
    count = max(tool.least, 4 if tool.limit == 0 and not tool.hand else tool.least)
    counted = _COUNTED.get(tool.geometry, {}).get(count)
    own = _TOOL_SPOTS.get(tool.geometry)
    if counted is not None:
        return counted
    if own is not None and len(own) == count:
        return own
    if tool.hand:
        return tuple((x, 10 + 6 * ((x % 7) - 3) / 3) for x in range(2, 19, 2))
    if tool.geometry == "mark":
        return (_MARKS[tool.variant],)
    return _SPOTS[count]


def _few(tool: Tool) -> list[Level]:
    """As many levels as can be told apart on a symbol."""
    shown = [level for level in tool.style.levels if level.shown]
    return shown[:: max(1, len(shown) // 3)]


def _picture(tool: Tool, pane: _Little) -> Picture:
    anchors = [Anchor(x, y) for x, y in _spots(tool)]
    if tool.screen:
        anchors = [Anchor(a.time / pane.side, 1 - a.price / pane.side) for a in anchors]
    colour = "text"
    levels = tuple(replace(level, colour="") for level in _few(tool))
    style = replace(
        tool.style,
        colour=colour,
        width=1.3 * pane.side / SIDE,
        figures=False,
        levels=levels,
        font=1,
    )
    if style.fill:
        style = replace(style, fill=colour, opacity=min(0.35, style.opacity * 1.5))
    if tool.variant == "marker" and tool.hand:
        style = replace(style, width=6.0, opacity=0.35)
    made = picture(Drawing("", tool.tool, tuple(anchors), style), pane)
    return made._replace(labels=[])


def _drawn(tool: Tool, side: int, ratio: float) -> QPixmap:
    real = max(1, round(side * ratio))
    made = QPixmap(real, real)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    pane = _Little(_LARGE.get(tool.family, float(SIDE)))
    if not tool.study and tool.geometry != "text":
        painter.save()
        painter.scale(real / pane.side, real / pane.side)
        ink.paint(painter, _picture(tool, pane), pane)
        painter.restore()
    painter.scale(real / SIDE, real / SIDE)
    if tool.sign:
        alone = tool.study or tool.geometry == "text"
        font = fonts.text_font(14 if len(tool.sign) == 1 and alone else 9)
        font.setPixelSize(14 if len(tool.sign) == 1 and alone else 10 if alone else 8)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(theme.current().color("accent" if not alone else "text"))
        spot = Qt.AlignmentFlag.AlignCenter
        if not alone:
            spot = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
        painter.drawText(QRectF(0, 0, SIDE, SIDE), spot, tool.sign)
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


@lru_cache(maxsize=512)
def _icon(tool: str, side: int, _theme: str) -> QIcon:
    ratios = {screen.devicePixelRatio() for screen in QGuiApplication.screens()} | {1.0}
    made = QIcon()
    for ratio in sorted(ratios):
        made.addPixmap(_drawn(find(tool), side, ratio))
    return made


def icon_of(tool: Tool) -> QIcon:
    """The symbol of a tool in the colours in force, sharp on every screen that is there now."""
    return _icon(tool.tool, look.px(SIDE), theme.current().name)
