"""Order, position and alert lines with their tags, and the tags of the price axis: painted so that
each stays readable.

Tags stand in a strip between the bars and the axis, never over the bars or one another. In a narrow
chart they are short; where there are more than the height has room for, neighbours fold into one
that can only be asked what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from openalgo_desktop.ui.chart.lines import PriceLine, brief
from openalgo_desktop.ui.chart.over.frame import Frame
from openalgo_desktop.ui.chart.over.tags import arrange, rooms
from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.kit import format as fmt

#: Left and right of the words of a tag; where they are short, pixels.
CHIP_MARGIN, TIGHT = 8, 4
#: Narrower charts have short tags; pixels. A strip grows by steps and takes a part at most.
NARROW, STEP, MOST_ROOM = 420, 24, 0.34
#: The part of a narrow chart that short tags take at most.
MOST_SHORT = 0.2
#: Words that lose more than this part of them are said shortly.
LEAST_WORDS = 0.6
#: Left and right of a tag in its strip, pixels.
GAP = 3
#: A tag of bid or ask that would be so many of its heights away from its price is left out.
AWAY = 3
#: So near the pointer is on a line, pixels.
REACH = 3


class Tag(NamedTuple):
    """The middle of a tag (pixel) and its line; more than one are folded. One that is ``priced``
    has its price on the axis, beside that of the last trade."""

    middle: int
    lines: tuple[PriceLine, ...]
    priced: bool


class Places(NamedTuple):
    """Where the tags of lines are, and those of other prices on the axis (None: no room)."""

    tags: tuple[Tag, ...] = ()
    others: tuple[int | None, ...] = ()


class PriceLines:
    """The lines of an overlay, and where their tags were painted last."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.frame = Frame(QRectF(0, 0, 1, 1), 1.0, 1.0)
        self.places = 2
        self.lines: Sequence[PriceLine] = ()
        self.chosen = ""  # id of the line that keys mean
        self.chips: dict[str, tuple[QRect, QRect]] = {}  # tag and x of each line, as painted
        self.folds: list[tuple[QRect, tuple[PriceLine, ...]]] = []  # folded tags, as painted
        self._short: set[str] = set()  # lines whose tags do not say all
        self.held = False  # the pointer is among the tags: none moves away from under it
        self._asked: tuple[object, ...] = ()
        self._found = Places()
        self._stood: tuple[object, ...] = ()  # what has to be the same for tags that are held

    @property
    def tag_height(self) -> int:
        """Of a tag on the axis or at a line."""
        return self._texts.height + 3

    # -- questions ------------------------------------------------------------------------------
    def line_at(self, at: QPoint) -> tuple[PriceLine | None, bool]:
        """The line at a place, by its tag or within a few pixels of it, and whether it is its x.
        Of several one that can be dragged, the chosen one, the nearest. A folded tag is no line."""
        if self.fold_at(at):
            return None, False
        for line in self.lines:
            chip, close = self.chips.get(line.line_id, (QRect(), QRect()))
            if chip.contains(at):
                return line, line.closable and close.contains(at)
        pane, near = self.frame.pane, []
        if pane.left() <= at.x() <= self.frame.axis:
            for line in self.lines:
                away = abs(self.frame.y(line.price) - at.y())
                if away <= REACH:
                    near.append((not line.draggable, line.line_id != self.chosen, away, line))
        return (min(near, key=lambda row: row[:3])[3] if near else None), False

    def fold_at(self, at: QPoint) -> tuple[PriceLine, ...]:
        """The lines whose folded tag is at a place."""
        return next((lines for chip, lines in self.folds if chip.contains(at)), ())

    def words_at(self, at: QPoint) -> str:
        """What a tag at a place stands for, where it does not say it itself."""
        lines = self.fold_at(at)
        if not lines:
            found = (row for row in self.lines if row.line_id in self._short)
            lines = tuple(row for row in found if self.chips[row.line_id][0].contains(at))
        return "\n".join(self.words(line) for line in lines)

    def words(self, line: PriceLine) -> str:
        """All of a line, with its price."""
        return f"{fmt.price(line.price, self.places)}   {line.text}"

    # -- places -----------------------------------------------------------------------------------
    def last_places(self, y: float, below: bool) -> list[int]:
        """First pixels of the tag of the last price at a height, and of the one that stands
        ``below`` it: over it at the foot of a chart."""
        top = round(y) - self.tag_height // 2
        if not below:
            return [top]
        under = top + self.tag_height
        return [top, under if under + self.tag_height <= self.frame.bottom else 2 * top - under + 1]

    def tag_places(
        self, last: float | None, others: Sequence[float] = (), below: bool = False
    ) -> Places:
        """Places of the tags of lines, and on the axis of ``others`` (prices): beside one another,
        and clear of that of the last price, which stands where it is, with one ``below`` it."""
        if not self.lines and not others:
            return Places()
        frame, tall = self.frame, self.tag_height
        y = frame.y(last) if last is not None else -1.0
        kept = self.last_places(y, below) if last is not None and frame.shows(y) else []
        rows = tuple(round(frame.y(price)) for price in others)
        asked = (frame, self.lines, self.chosen, tall, tuple(kept), rows, self.held)
        if asked != self._asked:  # a tick seldom moves anything by a pixel
            self._asked = asked
            self._found = self._find([(top, top + tall) for top in kept], rows)
        return self._found

    def _find(self, kept: list[tuple[int, int]], others: Sequence[int]) -> Places:
        """Lines first: bid and ask, which change all the time, move none of them."""
        frame, tall, half = self.frame, self.tag_height, self.tag_height // 2
        market = kept[0][0] + half if kept else None
        lines = [line for line in self.lines if frame.shows(frame.y(line.price))]
        ids = {line.line_id: line for line in lines}
        at_prices = [(line.line_id, line.price) for line in lines]
        stands = (frame.pane, frame.gutter, frame.bottom, tall, self.chosen, at_prices)
        if self.held and stands == self._stood:
            before = ((tag.middle, [row.line_id for row in tag.lines]) for tag in self._found.tags)
            found = [(middle, tuple(ids[one] for one in rows)) for middle, rows in before]
        else:
            chosen = next((n for n, row in enumerate(lines) if row.line_id == self.chosen), None)
            free = rooms(tall, frame.pane.top(), frame.bottom, kept)
            if not free:  # the strip has room where the axis has none
                top = round(frame.pane.top())
                free = rooms(tall, top, frame.bottom) or [(top, top + tall)]
            wanted = [frame.y(line.price) for line in lines]
            places = arrange(wanted, tall, free, chosen, market)
            found = [(row.middle, tuple(lines[n] for n in row.members)) for row in places]
        self._stood = stands
        tags = []
        for middle, rows in found:
            top = middle - half
            beside = all(top + tall <= one or top >= two for one, two in kept)
            tags.append(Tag(middle, rows, beside and len(rows) == 1))
        taken = [(tag.middle - half, tag.middle - half + tall) for tag in tags if tag.priced]
        return Places(tuple(tags), self._beside([*kept, *taken], others, market))

    def _beside(
        self, taken: list[tuple[int, int]], wanted: Sequence[int], market: int | None
    ) -> tuple[int | None, ...]:
        """Places on the axis of tags that stay near to where they are ``wanted`` and on their side
        of the market, or have none."""
        frame, tall = self.frame, self.tag_height
        free = rooms(tall, frame.pane.top(), frame.bottom, taken)
        found: list[int | None] = [None] * len(wanted)
        for place in arrange(wanted, tall, free, None, market) if free else ():
            number = place.members[0]
            away = abs(place.middle - wanted[number])
            over = market is None or (wanted[number] > market) is (place.middle > market)
            if len(place.members) == 1 and away <= AWAY * tall and over:
                found[number] = place.middle
        return tuple(found)

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

    def paint(self, painter: QPainter, places: Places) -> None:
        """All lines, then their tags at ``places``: no line runs over a tag."""
        self.chips.clear()
        self.folds.clear()
        self._short.clear()
        for tag in places.tags:
            for line in tag.lines:
                colour = self._texts.colour(line.role)
                y = self.frame.y(line.price)
                self.horizontal(painter, y, colour, Qt.PenStyle.DashLine)
                if self.frame.gutter and abs(tag.middle - y) > 1:  # it had to give way
                    left = round(self.frame.pane.right())
                    painter.setPen(colour)
                    painter.drawLine(left, round(y), left + GAP, tag.middle)
        for tag in places.tags:
            if len(tag.lines) > 1:
                self._paint_fold(painter, tag)
                continue
            line = tag.lines[0]
            self._paint_chip(painter, line, tag.middle)
            if tag.priced:
                colour, panel = self._texts.colour(line.role), self._texts.colour("panel")
                self.tag(painter, tag.middle, fmt.price(line.price, self.places), colour, panel)

    def _chip(self, middle: int, wide: int) -> QRect:
        """The place of a tag in the strip; nothing while bars have made no room for one yet."""
        width = min(wide, self.frame.gutter - 2 * GAP)
        left = round(self.frame.pane.right()) + GAP
        return QRect(left, middle - self.tag_height // 2, max(0, width), self.tag_height)

    def _paint_chip(self, painter: QPainter, line: PriceLine, middle: int) -> None:
        texts = self._texts
        cross_room = self.tag_height if line.closable else 0
        room = self.frame.gutter - 2 * GAP - cross_room
        text, margin = line.text, CHIP_MARGIN
        if texts.width(text) + 2 * margin > room:
            margin = TIGHT
            text = self._shortened(text, room - 2 * margin)
        words = min(room, texts.width(text) + 2 * margin)
        chip = self._chip(middle, words + cross_room)
        if chip.isEmpty():
            return
        if text != line.text:
            self._short.add(line.line_id)
        colour = texts.colour(line.role)
        painter.fillRect(chip, texts.colour("panel"))
        if line.line_id == self.chosen:
            painter.setPen(texts.colour("focus"))
            painter.drawRect(chip.adjusted(-1, -1, 0, 0))
            painter.drawRect(chip.adjusted(-2, -2, 1, 1))
        painter.setPen(colour)
        painter.drawRect(chip.adjusted(0, 0, -1, -1))
        texts.draw(painter, chip.left() + margin, chip.top() + chip.height() / 2.0, text)
        cross = QRect()
        if line.closable:
            cross = QRect(chip.left() + words, chip.top(), cross_room, chip.height())
            painter.drawLine(cross.left(), chip.top(), cross.left(), chip.bottom())
            painter.drawText(cross, Qt.AlignmentFlag.AlignCenter, "✕")
        self.chips[line.line_id] = (chip, cross)

    def _paint_fold(self, painter: QPainter, tag: Tag) -> None:
        """How many lines: filled, so that it is not taken for one of them."""
        texts, room = self._texts, self.frame.gutter - 2 * GAP - 2 * TIGHT
        count = len(tag.lines)
        text = f"{count} lines" if texts.width(f"{count} lines") <= room else f"{count}…"
        chip = self._chip(tag.middle, texts.width(text) + 2 * TIGHT)
        if chip.isEmpty():
            return
        painter.fillRect(chip, texts.colour("crosshair"))
        painter.setPen(texts.colour("panel"))
        painter.drawRect(chip.adjusted(0, 0, -1, -1))  # apart from the next one
        texts.draw(painter, chip.left() + TIGHT, chip.top() + chip.height() / 2.0, text)
        self.folds.append((chip, tag.lines))

    # -- words ------------------------------------------------------------------------------------
    def _shortened(self, text: str, width: int) -> str:
        """A text that has no room loses the end of its words, not the result after them; then it
        says side and size, then the side."""
        if self._texts.width(text) <= width:
            return text
        words, gap, result = text.partition("  ")
        left = width - self._texts.width(gap + result)
        if left >= LEAST_WORDS * self._texts.width(words):
            return self._texts.elided(words, left) + gap + result
        short = brief(words)
        choice = (f"{short}{gap}{result}", short, short[:2])
        return next((one for one in choice if self._texts.width(one) <= width), short[:1])

    def room_wanted(self, width: float, now: int) -> int:
        """Pixels between bars and axis that the tags need in a chart of this width; results that
        change with each tick do not move it."""
        if not self.lines:
            return 0
        cross = self.tag_height
        if width < NARROW:
            short = max(self._texts.width(brief(line.text)) for line in self.lines)
            most = max(2 * cross, int(width * MOST_SHORT))
            wanted = min(short + 2 * TIGHT + cross, most) + 2 * GAP
        else:
            widest = max(
                self._texts.width(line.text) + (cross if line.closable else 0)
                for line in self.lines
            )
            wanted = -(-(widest + 2 * CHIP_MARGIN + 2 * GAP) // STEP) * STEP
            wanted = min(wanted, int(width * MOST_ROOM))
        return now if now - STEP <= wanted <= now else wanted

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
