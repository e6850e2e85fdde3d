"""What moves with the mouse and the last price: a transparent child over the canvas.

Closed bars are not drawn again when only this changes. An update of the canvas goes through it: one
paint then takes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QWidget

from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.frame import Frame
from openalgo_desktop.ui.chart.over.legend import Legend, LegendPart, LegendRow
from openalgo_desktop.ui.chart.over.price_lines import Places, PriceLines
from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.kit import format as fmt


class Last(NamedTuple):
    """The last price, its colour role, and where its bar is (pixel)."""

    price: float
    role: str


class Overlay(QWidget):
    """Crosshair, price lines, last price, bid and ask, legends."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setObjectName("chart-overlay")
        self.setAccessibleName("Lines, last price and crosshair")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._texts = Texts()
        self._rows = PriceLines(self._texts)
        self._legend_of = Legend(self._texts)
        self.set_frame(Frame(QRectF(0, 0, 1, 1), 1.0, 1.0))
        self._ghost: tuple[PriceLine, float] | None = None
        self._ghost_note = ""
        self._last: Last | None = None
        self._last_y = 0
        self._countdown = ""
        self._touch: tuple[float, float] = (0.0, 0.0)  # bid and ask, 0 for none
        self._stale = False
        self._cross: QPoint | None = None
        self._cross_time = ""
        self._far_cross: tuple[int, str] | None = None  # of another chart: pixel, text

    def restyle(self) -> None:
        """Take the fonts and colours in force."""
        self._texts.restyle()
        self._legend_of.place(self.frame.pane)
        self.update()

    # -- what to show -----------------------------------------------------------------------
    @property
    def frame(self) -> Frame:
        """Where things are."""
        return self._rows.frame

    @property
    def places(self) -> int:
        """Decimals of prices."""
        return self._rows.places

    @places.setter
    def places(self, places: int) -> None:
        self._rows.places = places

    @property
    def chosen(self) -> str:
        """Id of the line that keys mean."""
        return self._rows.chosen

    @property
    def _legend(self) -> tuple[LegendPart, ...]:
        return self._legend_of.parts

    def set_frame(self, frame: Frame) -> None:
        """The panes moved or show other prices."""
        self._rows.frame = frame
        self._legend_of.place(frame.pane)
        self.update()

    def set_lines(self, lines: Sequence[PriceLine]) -> None:
        """Order and position lines."""
        if tuple(lines) != self._rows.lines:
            self._rows.lines = tuple(lines)
            self.choose(self.chosen)
            self.update()

    def room_wanted(self, width: float, now: int) -> int:
        """Pixels between bars and axis that the tags of the lines need."""
        return self._rows.room_wanted(width, now)

    def has_line(self, line_id: str) -> bool:
        """Whether a line is still there."""
        return any(line.line_id == line_id for line in self._rows.lines)

    def choose(self, line_id: str) -> None:
        """Mark a line as the one that keys mean; empty, or one that is gone, for none."""
        found = line_id if self.has_line(line_id) else ""
        if found != self.chosen:
            self._rows.chosen = found
            self.update()

    def choose_next(self) -> None:
        """Choose the next line in sight that can be ended, from the highest price down."""
        ends = [row for row in self._rows.lines if row.closable and self.in_sight(row)]
        ids = [row.line_id for row in sorted(ends, key=lambda row: -row.price)]
        at = ids.index(self.chosen) + 1 if self.chosen in ids else 0
        self.choose(ids[at % len(ids)] if ids else "")

    def in_sight(self, line: PriceLine) -> bool:
        """Whether the pane shows the price of a line."""
        return self.frame.shows(self.frame.y(line.price))

    def chosen_line(self) -> PriceLine | None:
        """The chosen line, while it can be seen and ended."""
        found = (row for row in self._rows.lines if row.line_id == self.chosen)
        return next((row for row in found if row.closable and self.in_sight(row)), None)

    def set_ghost(self, line: PriceLine | None, price: float = 0.0) -> None:
        """Show where a line would go; None shows none."""
        ghost = None if line is None else (line, price)
        if ghost != self._ghost:
            self._ghost = ghost
            self._ghost_note = self._ghost_note if ghost else ""
            self.update()

    def set_ghost_note(self, text: str) -> None:
        """What is said beside the ghost."""
        if text != self._ghost_note:
            self._ghost_note = text
            self.update()

    def line_at(self, at: QPoint) -> tuple[PriceLine | None, bool]:
        """The line at a place, and whether it is its x."""
        return self._rows.line_at(at)

    def hold(self, at: QPoint | None) -> None:
        """The pointer is at a place, or gone: among the tags it keeps them where they are, so that
        an x that is aimed at does not become that of another line."""
        frame = self.frame
        held = at is not None and frame.pane.right() < at.x() <= frame.axis
        if held is not self._rows.held:
            self._rows.held = held
            self.update(self._axis())

    def fold_at(self, at: QPoint) -> tuple[PriceLine, ...]:
        """The lines whose folded tag is at a place."""
        return self._rows.fold_at(at)

    def words_at(self, at: QPoint) -> str:
        """What a tag at a place stands for, where it does not say it itself."""
        return self._rows.words_at(at) if self._rows.lines else ""

    def words(self, line: PriceLine) -> str:
        """All of a line, with its price."""
        return self._rows.words(line)

    def folds(self) -> list[tuple[QRect, tuple[PriceLine, ...]]]:
        """Folded tags as painted last, for tests and tools."""
        return list(self._rows.folds)

    def chip_of(self, line_id: str) -> tuple[QRect, QRect]:
        """Tag and x of a line as painted last, for tests and tools."""
        return self._rows.chips.get(line_id, (QRect(), QRect()))

    def set_last(self, price: float, role: str) -> None:
        """The last price and its colour role."""
        now = Last(price, role)
        if self._last == now:
            return
        old, self._last = self._last, now
        y = round(self.frame.y(price))
        strips = self._strip(y)
        if old is not None:
            strips += self._strip(self._last_y)
        self._last_y = y
        if old is not None and self._places_of(old.price) != self._places_of(price):
            strips += self._axis()  # it pushes tags of lines away
        self.update(strips)

    def set_countdown(self, text: str) -> None:
        """What is said under the last price: how long its bar still goes on; empty for nothing."""
        if text != self._countdown:
            pushes = bool(text) is not bool(self._countdown)
            self._countdown = text
            if pushes:  # tags of lines make room, or take it back
                self.update(self._axis())
            elif self._last is not None:
                self.update(self._strip(self._last_y))

    def set_touch(self, bid: float, ask: float) -> None:
        """Show the best bid and ask, rupees; 0 shows none."""
        if (bid, ask) != self._touch:
            old, self._touch = self._touch, (bid, ask)
            strips = self._axis()
            for price in (*old, bid, ask):
                if price:
                    strips += self._strip(round(self.frame.y(price)))
            self.update(strips)

    def set_stale(self, stale: bool) -> None:
        """Show the last price in grey."""
        if stale != self._stale:
            self._stale = stale
            self.update()

    def set_legend(self, parts: tuple[LegendPart, ...]) -> None:
        """Values of the bar under the pointer, or of the last one."""
        if parts != self._legend_of.parts:
            self._legend_of.parts = parts
            pane = self.frame.pane
            self.update(self._legend_of.band(pane).adjusted(-8, -4, 8, 4))

    def set_rows(self, rows: tuple[LegendRow, ...]) -> None:
        """The rows of studies and compared series."""
        legend = self._legend_of
        if rows == legend.rows:
            return
        same = [row.ident for row in rows] == [row.ident for row in legend.rows]
        legend.rows = rows
        legend.place(self.frame.pane)
        if not same:
            self.update()
            return
        for pane in {row.pane.top(): row.pane for row in rows}.values():
            self.update(legend.area(pane, pane == self.frame.pane))

    def row_at(self, at: QPoint) -> tuple[str, str]:
        """The legend's row under a place and its spot; both empty for none."""
        return self._legend_of.row_at(at)

    def hover_row(self, ident: str) -> None:
        """Show what can be done with a row of the legend."""
        if ident != self._legend_of.hovered:
            self._legend_of.hovered = ident
            self.update()

    def set_cross(self, position: QPoint | None, time_text: str = "") -> None:
        """Move the crosshair; None hides it."""
        if position == self._cross and time_text == self._cross_time:
            return
        strips = self._cross_region(self._cross, self._cross_time)
        self._cross, self._cross_time = position, time_text
        self.update(strips + self._cross_region(position, time_text))

    def set_far_cross(self, x: int | None, time_text: str = "") -> None:
        """Show where the crosshair of another chart is; None hides it."""
        now = None if x is None else (x, time_text)
        if now == self._far_cross:
            return
        strips = QRegion()
        for one in (self._far_cross, now):
            if one is not None:
                strips += self._column(*one)
        self._far_cross = now
        self.update(strips)

    # -- regions ----------------------------------------------------------------------------
    def _axis(self) -> QRegion:
        left = round(self.frame.pane.right())
        return QRegion(left, 0, self.width() - left, self.height())

    def _strip(self, y: int) -> QRegion:
        """What a line with its tag (and the axis labels it wipes away) may touch."""
        tall = self._rows.tag_height
        strip = QRegion(0, y - tall // 2 - 2, self.width(), tall + 4)
        left = round(self.frame.pane.right())
        return strip + QRect(left, y - 2 * tall, self.width() - left, 4 * tall + 4)

    def _column(self, x: int, text: str) -> QRegion:
        half = self._texts.width(text) // 2 + 10
        foot = round(self.frame.bottom)
        region = QRegion(x - 1, 0, 3, self.height())
        left = max(0, min(x - half, round(self.frame.pane.right()) - 2 * half))
        return region + QRect(left - 2, foot, 2 * half + 4, self.height() - foot)

    def _cross_region(self, at: QPoint | None, text: str) -> QRegion:
        if at is None:
            return QRegion()
        return self._strip(at.y()) + self._column(at.x(), text)

    # -- painting ---------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._texts.font)
        rows, last = self._rows, self._last
        role = "muted" if self._stale else last.role if last is not None else ""
        if last is not None:
            self._paint_last_line(painter, last.price, role)
        if self._ghost is not None:
            rows.paint_ghost(painter, *self._ghost, self._ghost_note)
        touch = self._shown_touch()
        places = self._places_of(last.price if last is not None else None)
        tags: list[float] = [middle for middle in places.others if middle is not None]
        tags += [tag.middle for tag in places.tags if tag.priced]
        if last is not None and self.frame.shows(self.frame.y(last.price)):
            tops = rows.last_places(self.frame.y(last.price), bool(self._countdown))
            tags += [top + rows.tag_height // 2 for top in tops]
        rows.wipe_labels(painter, tags)
        self._paint_touch(painter, touch, places.others)
        rows.paint(painter, places)
        self._legend_of.paint(painter, self.frame.pane)
        if last is not None:
            self._paint_last_tag(painter, last.price, role)
        if self._ghost is not None:
            rows.paint_ghost_tag(painter, *self._ghost)
        if self._far_cross is not None:
            self._paint_column(painter, *self._far_cross)
        if self._cross is not None:
            self._paint_cross(painter, self._cross)
        painter.end()

    def _places_of(self, last: float | None) -> Places:
        touch = [price for price, _ in self._shown_touch()]
        return self._rows.tag_places(last, touch, bool(self._countdown))

    def _shown_touch(self) -> list[tuple[float, str]]:
        """Bid and ask that the pane shows, with their roles."""
        pairs = zip(self._touch, ("buy", "sell"), strict=True)
        return [(p, role) for p, role in pairs if p > 0 and self.frame.shows(self.frame.y(p))]

    def _paint_touch(
        self, painter: QPainter, touch: list[tuple[float, str]], places: Sequence[int | None]
    ) -> None:
        """Thin lines in the colours of the sides, with outlined tags where those have room."""
        texts, rows = self._texts, self._rows
        for (price, role), place in zip(touch, places, strict=True):
            colour = texts.colour("muted" if self._stale else role)
            rows.horizontal(painter, self.frame.y(price), colour, Qt.PenStyle.DotLine)
            if place is None:
                continue
            text = fmt.price(price, self.places)
            rect = rows.tag(painter, place, text, texts.colour("panel"), colour)
            painter.drawRect(rect.adjusted(0, 0, -1, -1))

    def _paint_last_line(self, painter: QPainter, price: float, role: str) -> None:
        y = self.frame.y(price)
        if self.frame.shows(y):
            self._rows.horizontal(painter, y, self._texts.colour(role), Qt.PenStyle.DotLine)

    def _paint_last_tag(self, painter: QPainter, price: float, role: str) -> None:
        """The price, and under it (at the foot of a low chart over it) how long its bar goes on."""
        y = self.frame.y(price)
        if not self.frame.shows(y):
            return
        texts, rows = self._texts, self._rows
        fill, ink = texts.colour(role), texts.colour("panel")
        rect = rows.tag(painter, y, fmt.price(price, self.places), fill, ink)
        if self._countdown:
            below = QRect(rect)
            below.moveTop(rows.last_places(y, below=True)[1])
            painter.fillRect(below, ink)
            painter.setPen(fill)
            painter.drawRect(below.adjusted(0, -1, -1, -1))
            texts.draw(painter, below.left() + 5, below.center().y(), self._countdown)

    def _paint_cross(self, painter: QPainter, at: QPoint) -> None:
        texts, rows, frame = self._texts, self._rows, self.frame
        ink, fill = texts.colour("panel"), texts.colour("crosshair")
        other = frame.other_at(at.y())
        if frame.shows(at.y()) or other is not None:
            rows.horizontal(painter, at.y(), fill, Qt.PenStyle.DashLine)
            if other is None:
                text = fmt.price(frame.price(at.y()), self.places)
                rows.wipe_labels(painter, (at.y(),))
            else:
                value = other.values.value(at.y())
                short = other.places is None
                text = fmt.short(value) if short else fmt.price(value, other.places or 0)
            rows.tag(painter, at.y(), text, fill, ink)
        self._paint_column(painter, at.x(), self._cross_time)

    def _paint_column(self, painter: QPainter, x: int, text: str) -> None:
        """The upright line of a crosshair and its time."""
        texts, frame = self._texts, self.frame
        fill = texts.colour("crosshair")
        pen = QPen(fill)
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(x, round(frame.pane.top()), x, round(frame.bottom))
        width = texts.width(text) + 14
        left = max(0, min(x - width // 2, round(frame.pane.right()) - width))
        rect = QRect(left, round(frame.bottom) + 2, width, self._rows.tag_height)
        painter.fillRect(rect, fill)
        painter.setPen(texts.colour("panel"))
        texts.draw(painter, rect.left() + 7, rect.top() + rect.height() / 2.0, text)
