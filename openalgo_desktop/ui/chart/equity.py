"""The equity curve: one line over capital, profit and loss shaded on either side of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from openalgo_desktop.ui.chart.scales import ticks
from openalgo_desktop.ui.kit import fonts, look, theme
from openalgo_desktop.ui.kit import format as fmt

AXIS_WIDTH, AXIS_HEIGHT, ROOM = 84, 22, 10
LABEL_ROOM, LINE_ROOM = 96, 34
#: Room above and below the curve, as a part of its range.
PADDING = 0.12


class Point(NamedTuple):
    """One moment: what the axis and the hint say, and the equity in rupees."""

    text: str
    equity: float


class EquityCurve(QWidget):
    """Points in order, evenly spaced; the base line is where the account started."""

    def __init__(self, object_name: str) -> None:
        super().__init__()
        self.setObjectName(object_name)
        self.setMouseTracking(True)
        self.setMinimumSize(150, 130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._points: list[Point] = []
        self._base = 0.0
        self._hover: int | None = None
        self.setAccessibleName("Equity curve")
        self.setAccessibleDescription("no points yet")
        self.set_points([], 0.0)

    def set_points(self, points: Sequence[Point], base: float) -> None:
        """Show these; nothing is painted when they are the same."""
        if list(points) == self._points and base == self._base:
            return
        self._points, self._base = list(points), base
        self._hover = None
        last = self._points[-1].equity if self._points else base
        self.setAccessibleDescription(
            f"{len(self._points)} points, from {fmt.money(base)} to {fmt.money(last)} rupees"
        )
        self.update()

    # -- geometry ---------------------------------------------------------------------------
    def _pane(self) -> QRectF:
        size = self.size()
        return QRectF(
            ROOM,
            ROOM,
            size.width() - look.px(AXIS_WIDTH) - ROOM,
            size.height() - look.px(AXIS_HEIGHT) - ROOM,
        )

    def _range(self) -> tuple[float, float]:
        values = [self._base, *(point.equity for point in self._points)]
        low, high = min(values), max(values)
        pad = max((high - low) * PADDING, abs(self._base) * 1e-5, 1.0)
        return low - pad, high + pad

    def _x(self, index: int, pane: QRectF) -> float:
        return pane.left() + pane.width() * index / max(1, len(self._points) - 1)

    # -- mouse ------------------------------------------------------------------------------
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        pane = self._pane()
        if not self._points or pane.width() <= 0:
            return
        share = (event.position().x() - pane.left()) / pane.width()
        index = round(share * (len(self._points) - 1))
        hover = min(max(index, 0), len(self._points) - 1)
        if hover != self._hover:
            self._hover = hover
            self.update()

    def leaveEvent(self, event: object) -> None:
        self._hover = None
        self.update()

    # -- painting ---------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        pane = self._pane()
        if pane.width() < 20 or pane.height() < 20:
            return
        painter = QPainter(self)
        painter.setFont(fonts.table_font())
        low, high = self._range()

        def y(value: float) -> float:
            return pane.bottom() - pane.height() * (value - low) / (high - low)

        self._paint_axes(painter, pane, low, high)
        base = y(self._base)
        painter.setPen(QPen(theme.current().color("muted"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(pane.left(), base), QPointF(pane.right(), base))
        line = [QPointF(self._x(i, pane), y(p.equity)) for i, p in enumerate(self._points)]
        if len(line) > 1:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_areas(painter, pane, line, base)
            painter.setPen(QPen(theme.current().color("accent"), 2))
            painter.drawPolyline(QPolygonF(line))
        if line:
            self._paint_hint(painter, pane, line)

    def _paint_axes(self, painter: QPainter, pane: QRectF, low: float, high: float) -> None:
        colours = theme.current()
        most = max(1, int(pane.height() / LINE_ROOM))
        for value in ticks.price_ticks(low, high, most, 0.01):
            y = pane.bottom() - pane.height() * (value - low) / (high - low)
            painter.setPen(colours.color("grid"))
            painter.drawLine(QPointF(pane.left(), y), QPointF(pane.right(), y))
            painter.setPen(colours.color("muted"))
            painter.drawText(
                QRectF(pane.right() + 6, y - look.px(9), look.px(AXIS_WIDTH) - 8, look.px(18)),
                Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                fmt.price(value, 0),
            )
        painter.setPen(colours.color("muted"))
        room = look.px(LABEL_ROOM)
        step = max(1, -(-len(self._points) * room // max(1, int(pane.width()))))
        for index in range(0, len(self._points), step):
            x = self._x(index, pane)
            left = min(max(x - room / 2, 0), pane.right() - room + ROOM)
            painter.drawText(
                QRectF(left, pane.bottom() + 2, room, look.px(AXIS_HEIGHT) - 2),
                Qt.AlignmentFlag.AlignCenter,
                self._points[index].text,
            )

    @staticmethod
    def _paint_areas(painter: QPainter, pane: QRectF, line: list[QPointF], base: float) -> None:
        """Profit above the base line, loss below it."""
        area = QPolygonF([QPointF(line[0].x(), base), *line, QPointF(line[-1].x(), base)])
        painter.setPen(Qt.PenStyle.NoPen)
        for role, top, bottom in (("up", pane.top(), base), ("down", base, pane.bottom())):
            painter.save()
            painter.setClipRect(QRectF(pane.left(), top, pane.width(), max(0.0, bottom - top)))
            painter.setBrush(theme.current().color(role, 46))
            painter.drawPolygon(area)
            painter.restore()

    def _paint_hint(self, painter: QPainter, pane: QRectF, line: list[QPointF]) -> None:
        """The hovered point, else the last one."""
        index = len(line) - 1 if self._hover is None else self._hover
        point, colours = self._points[index], theme.current()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours.color("accent"))
        painter.drawEllipse(line[index], 3.5, 3.5)
        change = point.equity - self._base
        text = f"{point.text}   {fmt.money(point.equity)}   {fmt.signed_money(change)}"
        place = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
        area = painter.boundingRect(pane.adjusted(6, 0, -4, -2), place, text)
        painter.fillRect(area.adjusted(-2, 0, 2, 0), colours.color("panel"))  # clear of the curve
        painter.setPen(colours.color(fmt.sign_role(change)))
        painter.drawText(area, place, text)
