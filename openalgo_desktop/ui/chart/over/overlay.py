"""What moves with the mouse and the last price: a transparent child over the canvas.

Closed bars are not drawn again when only this changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QWidget

from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.tags import spread
from openalgo_desktop.ui.chart.scales.value_map import ValueMap
from openalgo_desktop.ui.kit import fonts, theme
from openalgo_desktop.ui.kit import format as fmt

CHIP_MARGIN = 8
MARGIN = 4
#: So near the pointer is on a line, pixels.
REACH = 3


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

    def __post_init__(self) -> None:
        pane = self.pane
        self._map = ValueMap(
            self.low, self.high, pane.top(), pane.height(), self.log, self.inverted
        )

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


LegendPart = tuple[str, str]  # text, colour role


def _first_over(rect: QRect, others: Sequence[QRect]) -> QRect | None:
    return next((other for other in others if other.intersects(rect)), None)


class Overlay(QWidget):
    """Crosshair, price lines, last price, legend."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setObjectName("chart-overlay")
        self.setAccessibleName("Lines, last price and crosshair")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.frame = Frame(QRectF(0, 0, 1, 1), 1.0, 1.0)
        self.places = 2
        self.restyle()
        self._lines: Sequence[PriceLine] = ()
        self.chosen = ""  # id of the line that keys mean
        self._chips: dict[str, tuple[QRect, QRect]] = {}  # tag and x of each line, as painted
        self._ghost: tuple[PriceLine, float] | None = None
        self._last: tuple[float, str] | None = None
        self._last_y = 0
        self._stale = False
        self._cross: QPoint | None = None
        self._cross_time = ""
        self._legend: tuple[LegendPart, ...] = ()

    def restyle(self) -> None:
        """Take the fonts and colours in force."""
        self._font = fonts.table_font()
        self._metrics = QFontMetrics(self._font)
        self._tag_height = self._metrics.height() + 3
        self._legend_height = self._metrics.height() + 9
        self.update()

    # -- what to show -----------------------------------------------------------------------
    def set_frame(self, frame: Frame) -> None:
        """The panes moved or show other prices."""
        self.frame = frame
        self.update()

    def set_lines(self, lines: Sequence[PriceLine]) -> None:
        """Order and position lines."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self.choose(self.chosen)
            self.update()

    def has_line(self, line_id: str) -> bool:
        """Whether a line is still there."""
        return any(line.line_id == line_id for line in self._lines)

    def choose(self, line_id: str) -> None:
        """Mark a line as the one that keys mean; empty, or one that is gone, for none."""
        found = line_id if self.has_line(line_id) else ""
        if found != self.chosen:
            self.chosen = found
            self.update()

    def choose_next(self) -> None:
        """Choose the next line in sight that can be ended, from the highest price down."""
        ends = [row for row in self._lines if row.closable and self.in_sight(row)]
        ids = [row.line_id for row in sorted(ends, key=lambda row: -row.price)]
        at = ids.index(self.chosen) + 1 if self.chosen in ids else 0
        self.choose(ids[at % len(ids)] if ids else "")

    def in_sight(self, line: PriceLine) -> bool:
        """Whether the pane shows the price of a line."""
        return self._in_pane(self.frame.y(line.price))

    def chosen_line(self) -> PriceLine | None:
        """The chosen line, while it can be seen and ended."""
        found = (row for row in self._lines if row.line_id == self.chosen)
        return next((row for row in found if row.closable and self.in_sight(row)), None)

    def set_ghost(self, line: PriceLine | None, price: float = 0.0) -> None:
        """Show where a line would go; None shows none."""
        ghost = None if line is None else (line, price)
        if ghost != self._ghost:
            self._ghost = ghost
            self.update()

    def line_at(self, at: QPoint) -> tuple[PriceLine | None, bool]:
        """The line at a place, by its tag or within a few pixels of it, and whether it is its x.
        Of several one that can be dragged."""
        near: PriceLine | None = None
        for line in self._lines:
            chip, close = self._chips.get(line.line_id, (QRect(), QRect()))
            if line.closable and close.contains(at):
                return line, True
            if chip.contains(at):
                return line, False
            on_line = abs(self.frame.y(line.price) - at.y()) <= REACH
            in_pane = self.frame.pane.left() <= at.x() <= self.frame.pane.right()
            if on_line and in_pane and (near is None or line.draggable > near.draggable):
                near = line
        return near, False

    def chip_of(self, line_id: str) -> tuple[QRect, QRect]:
        """Tag and x of a line as painted last, for tests and tools."""
        return self._chips.get(line_id, (QRect(), QRect()))

    def set_last(self, price: float, role: str) -> None:
        """The last price and its colour role."""
        if self._last == (price, role):
            return
        old, self._last = self._last, (price, role)
        y = round(self.frame.y(price))
        strips = self._strip(y)
        if old is not None:
            strips += self._strip(self._last_y)
        self._last_y = y
        if old is not None and self._tag_places(old[0]) != self._tag_places(price):
            left = round(self.frame.pane.right())  # it pushes tags of lines away
            strips += QRect(left, 0, self.width() - left, self.height())
        self.update(strips)

    def set_stale(self, stale: bool) -> None:
        """Show the last price in grey."""
        if stale != self._stale:
            self._stale = stale
            self.update()

    def set_legend(self, parts: tuple[LegendPart, ...]) -> None:
        """Values of the bar under the pointer, or of the last one."""
        if parts != self._legend:
            self._legend = parts
            top = round(self.frame.pane.top())
            self.update(0, top, round(self.frame.pane.width()), self._legend_height + MARGIN)

    def set_cross(self, position: QPoint | None, time_text: str = "") -> None:
        """Move the crosshair; None hides it."""
        if position == self._cross and time_text == self._cross_time:
            return
        strips = self._cross_region()
        self._cross, self._cross_time = position, time_text
        strips += self._cross_region()
        self.update(strips)

    def _strip(self, y: int) -> QRegion:
        """What a line with its tag (and the axis labels it wipes away) may touch."""
        strip = QRegion(0, y - self._tag_height // 2 - 2, self.width(), self._tag_height + 4)
        left = round(self.frame.pane.right())
        return strip + QRect(
            left, y - 2 * self._tag_height, self.width() - left, 4 * self._tag_height
        )

    def _cross_region(self) -> QRegion:
        if self._cross is None:
            return QRegion()
        x, y = self._cross.x(), self._cross.y()
        half = self._metrics.horizontalAdvance(self._cross_time) // 2 + 10
        foot = round(self.frame.bottom)
        region = self._strip(y)
        region += QRect(x - 1, 0, 3, self.height())
        return region + QRect(x - half, foot, 2 * half, self.height() - foot)

    # -- painting ---------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._font)
        if self._last is not None:
            price, role = self._last[0], "muted" if self._stale else self._last[1]
            self._paint_last_line(painter, price, role)
        chips: list[QRect] = []
        if self._ghost is not None:
            self._paint_ghost(painter, *self._ghost)
        self._chips.clear()
        places = self._tag_places(self._last[0] if self._last is not None else None)
        tags = list(places.values())
        if self._last is not None and self._in_pane(self.frame.y(self._last[0])):
            tags.append(self.frame.y(self._last[0]))
        self._wipe_labels(painter, tags)
        for line in self._lines:
            self._paint_line(painter, line, chips, places.get(line.line_id, 0.0))
        self._paint_legend(painter, chips)
        if self._last is not None:
            self._paint_last_tag(painter, price, role)
        if self._cross is not None:
            self._paint_cross(painter, self._cross)
        painter.end()

    def _horizontal(self, painter: QPainter, y: float, colour: QColor, style: Qt.PenStyle) -> None:
        pen = QPen(colour)
        pen.setStyle(style)
        painter.setPen(pen)
        row = round(y)
        painter.drawLine(round(self.frame.pane.left()), row, round(self.frame.pane.right()), row)

    def _in_pane(self, y: float) -> bool:
        return self.frame.pane.top() <= y <= self.frame.pane.bottom()

    def _tag(self, painter: QPainter, y: float, text: str, fill: QColor, ink: QColor) -> None:
        """A filled label on the price axis."""
        left = round(self.frame.pane.right()) + 1
        width = round(self.frame.right) - left
        rect = QRect(left, round(y) - self._tag_height // 2, width, self._tag_height)
        painter.fillRect(rect, fill)
        painter.setPen(ink)
        painter.drawText(rect.adjusted(5, 0, -2, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _tag_places(self, last: float | None) -> dict[str, float]:
        """Middles of the tags of lines on the axis: beside one another, and clear of that of the
        last price, which stands where it is."""
        lines = [line for line in self._lines if self._in_pane(self.frame.y(line.price))]
        wanted = [self.frame.y(line.price) for line in lines]
        shown = last is not None and self._in_pane(self.frame.y(last))
        if last is not None and shown:
            wanted.append(self.frame.y(last))
        pane = self.frame.pane
        fixed = len(lines) if shown else None
        found = spread(wanted, self._tag_height, pane.top(), self.frame.bottom, fixed)
        return {line.line_id: place for line, place in zip(lines, found, strict=False)}

    def _free_place(self, chip: QRect, chips: Sequence[QRect]) -> QRect:
        """Where a tag covers no other: left of them, else above or below where there is no room."""
        left = QRect(chip)
        while (other := _first_over(left, chips)) is not None:
            left.moveRight(other.left() - 7)
        if left.left() >= round(self.frame.pane.left()) + 4:
            return left
        step = self._tag_height + 1
        for way in (1, -1):
            moved = QRect(chip)
            while _first_over(moved, chips) is not None:
                moved.translate(0, way * step)
            if self.frame.pane.top() <= moved.top() and moved.bottom() <= self.frame.bottom:
                return moved
        return chip

    def _wipe_labels(self, painter: QPainter, tags: Iterable[float]) -> None:
        """Labels of the axis that would stick out behind a tag are taken away."""
        left = round(self.frame.pane.right()) + 1
        width, half = round(self.frame.right) - left, self._tag_height // 2
        panel, middles = theme.current().color("panel"), list(tags)
        for price in self.frame.labels:
            at = round(self.frame.y(price))
            if any(abs(at - y) < self._tag_height for y in middles):
                painter.fillRect(left, at - half, width, self._tag_height, panel)

    def _paint_line(
        self, painter: QPainter, line: PriceLine, chips: list[QRect], tag: float
    ) -> None:
        y = self.frame.y(line.price)
        if not self._in_pane(y):
            return
        colours = theme.current()
        colour = colours.color(line.role)
        self._horizontal(painter, y, colour, Qt.PenStyle.DashLine)
        words = self._metrics.horizontalAdvance(line.text) + 2 * CHIP_MARGIN
        width = words + (self._tag_height if line.closable else 0)
        left = round(self.frame.pane.right()) - width - 6
        over = max(0, round(y) - self._tag_height // 2)
        chip = QRect(left, over, width, self._tag_height)
        chip = self._free_place(chip, chips)  # each stays readable
        chips.append(chip)
        painter.fillRect(chip, colours.color("panel"))
        painter.setPen(colour)
        painter.drawRect(chip.adjusted(0, 0, -1, -1))
        if line.line_id == self.chosen:
            painter.setPen(colours.color("focus"))
            painter.drawRect(chip.adjusted(-1, -1, 0, 0))
            painter.drawRect(chip.adjusted(-2, -2, 1, 1))
            painter.setPen(colour)
        text_area = QRect(chip.left(), chip.top(), words, chip.height())
        painter.drawText(text_area, Qt.AlignmentFlag.AlignCenter, line.text)
        cross = QRect()
        if line.closable:
            cross = QRect(text_area.right(), chip.top(), self._tag_height, chip.height())
            painter.drawLine(cross.left(), chip.top(), cross.left(), chip.bottom())
            painter.drawText(cross, Qt.AlignmentFlag.AlignCenter, "✕")
        self._chips[line.line_id] = (chip, cross)
        self._tag(painter, tag, fmt.price(line.price, self.places), colour, colours.color("panel"))

    def _paint_ghost(self, painter: QPainter, line: PriceLine, price: float) -> None:
        """Where a line that is dragged would go, and its price there."""
        y = self.frame.y(price)
        if self.frame.takes(y):
            colours = theme.current()
            colour = colours.color(line.role)
            self._horizontal(painter, y, colour, Qt.PenStyle.SolidLine)
            self._wipe_labels(painter, (y,))
            self._tag(painter, y, fmt.price(price, self.places), colour, colours.color("panel"))

    def _paint_last_line(self, painter: QPainter, price: float, role: str) -> None:
        y = self.frame.y(price)
        if self._in_pane(y):
            self._horizontal(painter, y, theme.current().color(role), Qt.PenStyle.DotLine)

    def _paint_last_tag(self, painter: QPainter, price: float, role: str) -> None:
        y = self.frame.y(price)
        if self._in_pane(y):
            colours = theme.current()
            text = fmt.price(price, self.places)
            self._tag(painter, y, text, colours.color(role), colours.color("panel"))

    def _paint_legend(self, painter: QPainter, chips: Sequence[QRect]) -> None:
        """As many of its values as have room left of the axis and of the tags of orders, which
        matter more."""
        colours = theme.current()
        pane = self.frame.pane
        band = QRect(
            round(pane.left()) + 8,
            round(pane.top()) + MARGIN,
            max(0, round(pane.width()) - 12),
            self._legend_height - MARGIN,
        )
        for chip in chips:
            if chip.intersects(band):
                band.setRight(min(band.right(), chip.left() - 4))
        shown = self._fitting(band.width())
        if not shown:
            return
        x = band.left()
        width = sum(wide for _, _, wide in shown)
        painter.fillRect(x - 4, band.top(), width + 4, band.height(), colours.color("panel"))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for text, role, wide in shown:
            painter.setPen(colours.color(role))
            painter.drawText(QRect(x, band.top(), wide, band.height()), flags, text)
            x += wide

    def _fitting(self, room: int) -> list[tuple[str, str, int]]:
        """The first parts of the legend that fit, with their widths; never a caption alone."""
        shown: list[tuple[str, str, int]] = []
        for text, role in self._legend:
            wide = self._metrics.horizontalAdvance(text) + 6
            room -= wide
            if room < 0:
                if shown and shown[-1][1] == "muted":
                    shown.pop()
                break
            shown.append((text, role, wide))
        return shown

    def _paint_cross(self, painter: QPainter, at: QPoint) -> None:
        colours = theme.current()
        ink, fill = colours.color("panel"), colours.color("crosshair")
        pen = QPen(fill)
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(at.x(), round(self.frame.pane.top()), at.x(), round(self.frame.bottom))
        if self._in_pane(at.y()):
            self._horizontal(painter, at.y(), fill, Qt.PenStyle.DashLine)
            price = fmt.price(self.frame.price(at.y()), self.places)
            self._wipe_labels(painter, (at.y(),))
            self._tag(painter, at.y(), price, fill, ink)
        width = self._metrics.horizontalAdvance(self._cross_time) + 14
        foot = round(self.frame.bottom)
        left = max(0, min(at.x() - width // 2, round(self.frame.pane.right()) - width))
        rect = QRect(left, foot + 2, width, self._tag_height)
        painter.fillRect(rect, fill)
        painter.setPen(ink)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._cross_time)
