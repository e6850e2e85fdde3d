"""What the legend of a chart says of one bar, and where its rows are."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtGui import QPainter, QPen

from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.chart.series import Series
from openalgo_desktop.ui.kit import format as fmt

MARGIN = 4
#: Between the parts of a row, pixels.
SPACE = 6
#: A pane lower than so many rows has no values of its bar: candles need the room.
LEAST_ROWS = 4
#: What went wrong is not said in less, pixels.
LEAST_NOTE = 60

LegendPart: TypeAlias = tuple[str, str]  # text, colour role (or #rrggbb)


class LegendRow(NamedTuple):
    """One row under the first: a study, or a series that is compared. ``pane`` is the rectangle of
    its pane; ``faint`` ones are hidden in the chart."""

    ident: str
    pane: QRectF
    parts: tuple[LegendPart, ...]
    faint: bool = False


def legend(series: Series, index: int, places: int) -> tuple[LegendPart, ...]:
    """Words and roles for the bar at ``index``: its prices, its change, its volume."""
    opened, high, low, close, volume = series.bar(index)
    before = series.bar(index - 1)[3] if index else opened
    change = close - before
    percent = 100.0 * change / before if before else 0.0
    role = "up" if close >= opened else "down"
    parts: list[LegendPart] = []
    for name, value in (("O", opened), ("H", high), ("L", low), ("C", close)):
        parts += [(name, "muted"), (f"{fmt.price(value, places)} ", role)]
    text = f"{fmt.signed(change, places)} ({fmt.signed_percent(percent)}) "
    parts.append((text, fmt.sign_role(change) or "muted"))
    if volume:
        parts += [("Vol", "muted"), (fmt.quantity(volume), "text")]
    return tuple(parts)


class Legend:
    """The rows of all panes. Under the pointer a row shows what can be done with it: ``hide``,
    ``settings``, ``close``."""

    SPOTS = ("hide", "settings", "close")

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.parts: tuple[LegendPart, ...] = ()
        self.rows: tuple[LegendRow, ...] = ()
        self.hovered = ""  # ident of the row under the pointer
        self._places: dict[str, QRect] = {}

    @property
    def height(self) -> int:
        """Of one row."""
        return self._texts.height + 5

    # -- places -------------------------------------------------------------------------------
    def band(self, pane: QRectF) -> QRect:
        """The first row of a pane."""
        width = max(0, round(pane.width()) - 12)
        return QRect(round(pane.left()) + 8, round(pane.top()) + MARGIN, width, self.height)

    def area(self, pane: QRectF, first: bool) -> QRect:
        """All rows of a pane; ``first``: with that of the bar."""
        count = sum(row.pane == pane for row in self.rows) + first
        return self.band(pane).adjusted(-4, 0, 4, self.height * (count - 1))

    def place(self, prices: QRectF) -> None:
        """Find the places of the rows; those of the price pane begin under the bar's own."""
        taken: dict[float, int] = {prices.top(): 1}
        self._places = {}
        for row in self.rows:
            line = taken.get(row.pane.top(), 0)
            taken[row.pane.top()] = line + 1
            band = self.band(row.pane).translated(0, line * self.height)
            if band.bottom() < row.pane.bottom():
                self._places[row.ident] = band

    def row_at(self, at: QPoint) -> tuple[str, str]:
        """The row under a place and the spot of it: ``text``, one of :attr:`SPOTS`; both empty for
        none."""
        for row in self.rows:
            band = self._places.get(row.ident)
            if band is None or not band.contains(at):
                continue
            text, spots = self._split(row, band)
            for spot, rect in zip(self.SPOTS, spots, strict=True):
                if self.hovered == row.ident and rect.contains(at):
                    return row.ident, spot
            if text.contains(at):
                return row.ident, "text"
        return "", ""

    def _split(self, row: LegendRow, band: QRect) -> tuple[QRect, list[QRect]]:
        """Where the text that is seen of it is, and its spots right of it: beyond them the hand
        means the chart."""
        width = sum(wide for _, _, wide in self._fitting(row.parts, band.width()))
        side = band.height()
        width = min(width, max(0, band.width() - 3 * side))
        spots = [
            QRect(band.left() + width + number * side, band.top(), side, side)
            for number in range(len(self.SPOTS))
        ]
        return QRect(band.left() - 4, band.top(), width + 4, band.height()), spots

    # -- painting -----------------------------------------------------------------------------
    def paint(self, painter: QPainter, pane: QRectF) -> None:
        """As much of each row as has room in its pane."""
        if pane.height() >= LEAST_ROWS * self.height:
            self._paint_row(painter, self.parts, self.band(pane))
        for row in self.rows:
            band = self._places.get(row.ident)
            if band is None:
                continue
            parts = row.parts
            if row.faint:
                parts = tuple((text, "disabled") for text, _ in parts)
            self._paint_row(painter, parts, band)
            if row.ident == self.hovered:
                self._paint_spots(painter, row, band)

    def _paint_row(self, painter: QPainter, parts: tuple[LegendPart, ...], band: QRect) -> None:
        shown = self._fitting(parts, band.width())
        if not shown:
            return
        texts, x = self._texts, band.left()
        width = sum(wide for _, _, wide in shown)
        painter.fillRect(x - 4, band.top(), width + 4, band.height(), texts.colour("panel"))
        middle = band.top() + band.height() / 2.0
        for text, role, wide in shown:
            painter.setPen(texts.colour(role))
            texts.draw(painter, x, middle, text)
            x += wide

    def _fitting(self, parts: tuple[LegendPart, ...], room: int) -> list[tuple[str, str, int]]:
        """The first parts that fit, with their widths; never a caption alone, and of what went
        wrong as much as has room."""
        shown: list[tuple[str, str, int]] = []
        for text, role in parts:
            wide = self._texts.width(text) + SPACE
            if role == "warning" and LEAST_NOTE <= room < wide:
                shown.append((self._texts.elided(text, room - SPACE), role, room))
                break
            room -= wide
            if room < 0:
                if shown and shown[-1][1] == "muted":
                    shown.pop()
                break
            shown.append((text, role, wide))
        return shown

    def _paint_spots(self, painter: QPainter, row: LegendRow, band: QRect) -> None:
        """An eye, three dots, a cross."""
        _, (eye, dots, cross) = self._split(row, band)
        colour = self._texts.colour("text")
        ground = eye.united(cross)
        painter.fillRect(ground, self._texts.colour("hover"))
        painter.setPen(QPen(colour))
        inner = eye.adjusted(4, 6, -4, -6)
        painter.drawEllipse(inner)
        if not row.faint:
            painter.fillRect(QRect(inner.center().x(), inner.center().y(), 2, 2), colour)
        middle = dots.center()
        for step in (-4, 0, 4):
            painter.fillRect(QRect(middle.x() + step - 1, middle.y(), 2, 2), colour)
        arm = cross.adjusted(6, 6, -6, -6)
        painter.drawLine(arm.topLeft(), arm.bottomRight())
        painter.drawLine(arm.topRight(), arm.bottomLeft())
