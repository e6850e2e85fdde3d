"""Order, position and alert lines with their tags, and the tags of the price axis: painted so that
each stays readable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.frame import Frame
from openalgo_desktop.ui.chart.over.tags import spread
from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.kit import format as fmt

CHIP_MARGIN = 8
#: Narrower charts have no strip for tags; pixels. A strip grows by steps and takes a part at most.
NARROW, STEP, MOST_ROOM = 420, 24, 0.34
#: Left and right of a tag in its strip, pixels.
GAP = 3
#: So near the pointer is on a line, pixels.
REACH = 3
#: Makes a tag the next one under another.
_NEXT = 1e-6


def first_over(rect: QRect, others: Sequence[QRect]) -> QRect | None:
    """The first of the others that it covers."""
    return next((other for other in others if other.intersects(rect)), None)


class PriceLines:
    """The lines of an overlay, and where their tags were painted last."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.frame = Frame(QRectF(0, 0, 1, 1), 1.0, 1.0)
        self.places = 2
        self.lines: Sequence[PriceLine] = ()
        self.chosen = ""  # id of the line that keys mean
        self.chips: dict[str, tuple[QRect, QRect]] = {}  # tag and x of each line, as painted

    @property
    def tag_height(self) -> int:
        """Of a tag on the axis or at a line."""
        return self._texts.height + 3

    # -- questions ------------------------------------------------------------------------------
    def line_at(self, at: QPoint) -> tuple[PriceLine | None, bool]:
        """The line at a place, by its tag or within a few pixels of it, and whether it is its x.
        Of several one that can be dragged; of tags that found no room beside one another the one
        that is seen, on top."""
        for line in reversed(self.lines):
            chip, close = self.chips.get(line.line_id, (QRect(), QRect()))
            if chip.contains(at):
                return line, line.closable and close.contains(at)
        near: PriceLine | None = None
        pane = self.frame.pane
        for line in self.lines:
            on_line = abs(self.frame.y(line.price) - at.y()) <= REACH
            in_pane = pane.left() <= at.x() <= self.frame.axis
            if on_line and in_pane and (near is None or line.draggable > near.draggable):
                near = line
        return near, False

    def tag_places(
        self, last: float | None, others: Sequence[float] = (), below: bool = False
    ) -> tuple[dict[str, float], list[float]]:
        """Middles of the tags of lines on the axis, and of ``others`` (prices): beside one another,
        and clear of that of the last price, which stands where it is, with one ``below`` it."""
        frame = self.frame
        lines = [line for line in self.lines if frame.shows(frame.y(line.price))]
        prices = [line.price for line in lines] + list(others)
        wanted = [frame.y(price) for price in prices]
        shown = last is not None and frame.shows(frame.y(last))
        if last is not None and shown:
            wanted.append(frame.y(last))
            if below:
                wanted.append(frame.y(last) + _NEXT)
        fixed = len(prices) if shown else None
        found = spread(wanted, self.tag_height, frame.pane.top(), frame.bottom, fixed)
        named = {line.line_id: place for line, place in zip(lines, found, strict=False)}
        return named, found[len(lines) : len(prices)]

    # -- painting -------------------------------------------------------------------------------
    def horizontal(
        self, painter: QPainter, y: float, colour: QColor, style: Qt.PenStyle, left: float = 0.0
    ) -> None:
        """A line over the pane, from ``left``."""
        pen = QPen(colour)
        pen.setStyle(style)
        painter.setPen(pen)
        row = round(y)
        painter.drawLine(round(max(left, self.frame.pane.left())), row, round(self.frame.axis), row)

    def tag(self, painter: QPainter, y: float, text: str, fill: QColor, ink: QColor) -> QRect:
        """A filled label on the price axis."""
        left = round(self.frame.axis) + 1
        width = round(self.frame.right) - left
        rect = QRect(left, round(y) - self.tag_height // 2, width, self.tag_height)
        painter.fillRect(rect, fill)
        painter.setPen(ink)
        self._texts.draw(painter, rect.left() + 5, rect.top() + rect.height() / 2.0, text)
        return rect

    def wipe_labels(self, painter: QPainter, tags: Iterable[float]) -> None:
        """Labels of the axis that would stick out behind a tag are taken away."""
        left = round(self.frame.axis) + 1
        width, half = round(self.frame.right) - left, self.tag_height // 2
        panel, middles = self._texts.colour("panel"), list(tags)
        for price in self.frame.labels:
            at = round(self.frame.y(price))
            if any(abs(at - y) < self.tag_height for y in middles):
                painter.fillRect(left, at - half, width, self.tag_height, panel)

    def paint(self, painter: QPainter, places: dict[str, float]) -> list[QRect]:
        """All lines, their tags on the axis at ``places``; gives the tags at the lines."""
        self.chips.clear()
        chips: list[QRect] = []
        for line in self.lines:
            self._paint_line(painter, line, chips, places.get(line.line_id, 0.0))
        return chips

    def _free_place(self, chip: QRect, chips: Sequence[QRect]) -> QRect:
        """Where a tag covers no other: left of them, else above or below where there is no room."""
        left = QRect(chip)
        while (other := first_over(left, chips)) is not None:
            left.moveRight(other.left() - 7)
        if left.left() >= round(self.frame.pane.left()) + 4:
            return left
        step = self.tag_height + 1
        for way in (1, -1):
            moved = QRect(chip)
            while first_over(moved, chips) is not None:
                moved.translate(0, way * step)
            if self.frame.pane.top() <= moved.top() and moved.bottom() <= self.frame.bottom:
                return moved
        return chip

    def _paint_line(
        self, painter: QPainter, line: PriceLine, chips: list[QRect], tag: float
    ) -> None:
        y = self.frame.y(line.price)
        if not self.frame.shows(y):
            return
        texts = self._texts
        colour, panel = texts.colour(line.role), texts.colour("panel")
        self.horizontal(painter, y, colour, Qt.PenStyle.DashLine)
        text, words = line.text, self._words(line.text)
        cross_room = self.tag_height if line.closable else 0
        if self.frame.gutter:
            chip = self._beside(painter, y, tag, colour, words + cross_room)
            words = chip.width() - cross_room
            text = self._shortened(line.text, words - 2 * CHIP_MARGIN)
        else:
            left = round(self.frame.pane.right()) - words - cross_room - 6
            over = max(0, round(y) - self.tag_height // 2)
            room = QRect(left, over, words + cross_room, self.tag_height)
            chip = self._free_place(room, chips)
        chips.append(chip)  # each stays readable
        painter.fillRect(chip, panel)
        if line.line_id == self.chosen:
            painter.setPen(texts.colour("focus"))
            painter.drawRect(chip.adjusted(-1, -1, 0, 0))
            painter.drawRect(chip.adjusted(-2, -2, 1, 1))
        painter.setPen(colour)
        painter.drawRect(chip.adjusted(0, 0, -1, -1))
        middle = chip.top() + chip.height() / 2.0
        texts.draw(painter, chip.left() + CHIP_MARGIN, middle, text)
        cross = QRect()
        if line.closable:
            cross = QRect(chip.left() + words - 1, chip.top(), self.tag_height, chip.height())
            painter.drawLine(cross.left(), chip.top(), cross.left(), chip.bottom())
            painter.drawText(cross, Qt.AlignmentFlag.AlignCenter, "✕")
        self.chips[line.line_id] = (chip, cross)
        self.tag(painter, tag, fmt.price(line.price, self.places), colour, panel)

    def _words(self, text: str) -> int:
        return self._texts.width(text) + 2 * CHIP_MARGIN

    def _shortened(self, text: str, width: int) -> str:
        """A text that has no room loses the end of its words, not the result after them."""
        words, gap, result = text.partition("  ")
        left = width - self._texts.width(gap + result)
        if not result or left <= 0:
            return self._texts.elided(text, width)
        return self._texts.elided(words, left) + gap + result

    def room_wanted(self, width: float, now: int) -> int:
        """Pixels between bars and axis that the tags need in a chart of this width; results that
        change with each tick do not move it. 0 where it is too narrow: tags lie over the bars."""
        if not self.lines or width < NARROW:
            return 0
        widest = max(
            self._words(line.text) + (self.tag_height if line.closable else 0)
            for line in self.lines
        )
        wanted = -(-(widest + 2 * GAP) // STEP) * STEP
        wanted = min(wanted, int(width * MOST_ROOM))
        return now if now - STEP <= wanted <= now else wanted

    def _beside(self, painter: QPainter, y: float, tag: float, colour: QColor, wide: int) -> QRect:
        """The place of a tag in the strip beside the bars, at the height of that on the axis, and
        a stroke to its line where it had to give way."""
        left = round(self.frame.pane.right()) + GAP
        width = min(wide, self.frame.gutter - 2 * GAP)
        chip = QRect(left, round(tag) - self.tag_height // 2, width, self.tag_height)
        if abs(tag - y) > 1:
            painter.setPen(colour)
            painter.drawLine(left - GAP, round(y), left, chip.center().y())
        return chip

    def paint_ghost_tag(self, painter: QPainter, line: PriceLine, price: float) -> None:
        """The price of a line that is dragged, over all other tags: it is what the hand is about,
        near the market, too."""
        y = self.frame.y(price)
        if self.frame.takes(y):
            colour, text = self._texts.colour(line.role), fmt.price(price, self.places)
            self.tag(painter, y, text, colour, self._texts.colour("panel"))

    def paint_ghost(self, painter: QPainter, line: PriceLine, price: float, note: str = "") -> None:
        """Where a line that is dragged would go, and a ``note`` at its left."""
        y = self.frame.y(price)
        if self.frame.takes(y):
            colour = self._texts.colour(line.role)
            self.horizontal(painter, y, colour, Qt.PenStyle.SolidLine)
            self.wipe_labels(painter, (y,))
            if note:
                width = self._texts.width(note) + 2 * CHIP_MARGIN
                left = round(self.frame.pane.left()) + 8
                rect = QRect(left, round(y) - self.tag_height // 2, width, self.tag_height)
                painter.fillRect(rect, colour)
                painter.setPen(self._texts.colour("panel"))
                middle = rect.top() + rect.height() / 2.0
                self._texts.draw(painter, rect.left() + CHIP_MARGIN, middle, note)
