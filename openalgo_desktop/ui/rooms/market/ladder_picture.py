"""What a ladder looks like: prices with bids, asks, own orders and volume, painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.model import Order
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.tables.ink import Ink
from openalgo_desktop.ui.kit.widgets import named
from openalgo_desktop.ui.rooms.market.ladder_grid import Grid, Own

FLASH_MS = 150
PADDING = 5
BAR_ALPHA, COLUMN_ALPHA, FLASH_ALPHA = 70, 16, 110
#: Rows that a ladder in a low place keeps; what is under it sends, and stays in sight.
LOWEST = 2
#: Without room for all columns the volume is left out.
NARROW = 290
RIGHT = Qt.AlignmentFlag.AlignRight


class Column(StrEnum):
    """From left to right."""

    OWN_BID = "own bid"
    BID = "bids"
    PRICE = "price"
    ASK = "asks"
    OWN_ASK = "own ask"
    VOLUME = "volume"


TITLES = {
    Column.OWN_BID: "Mine",
    Column.BID: "Bids",
    Column.PRICE: "Price",
    Column.ASK: "Asks",
    Column.OWN_ASK: "Mine",
    Column.VOLUME: "Vol",
}
SHARES = {
    Column.OWN_BID: 0.13,
    Column.BID: 0.19,
    Column.PRICE: 0.22,
    Column.ASK: 0.19,
    Column.OWN_ASK: 0.13,
    Column.VOLUME: 0.14,
}
#: The side that a column trades or belongs to.
SIDES = {
    Column.OWN_BID: Action.BUY,
    Column.BID: Action.BUY,
    Column.ASK: Action.SELL,
    Column.OWN_ASK: Action.SELL,
}
OWN = (Column.OWN_BID, Column.OWN_ASK)


class Cell(NamedTuple):
    """A cell by what it means, not by where it is."""

    column: Column
    number: int


@dataclass(slots=True)
class Market:
    """What is shown, by row number. ``last_up`` is None while the last price did not move."""

    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    own: Own = field(default_factory=dict)
    volume: dict[int, int] = field(default_factory=dict)
    last: int | None = None
    held: int | None = None  # row of the average price of what is held
    held_text: str = ""
    lot: int = 1
    places: int = 2
    stale: str = ""  # why the prices must not be traded on


class LadderPicture(QWidget):
    """Shows a market by rows; gestures are of the view that is made from it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        named(self, f"{name}-view", "Price ladder", "no prices yet")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.grid = Grid()
        self.market = Market()
        self.marks: dict[int, int] = {}  # colour of a row that the user marked
        self.armed = False
        self.ink = Ink()
        self._row = self._row_height()
        self._drag: Sequence[Order] = ()
        self._hover: Cell | None = None
        self._flash: tuple[int, str] | None = None  # row, role
        self._flash_timer = QTimer(self)
        self._flash_timer.setSingleShot(True)
        self._flash_timer.setInterval(FLASH_MS)
        self._flash_timer.timeout.connect(self._end_flash)

    def _row_height(self) -> int:
        return max(18, self.ink.metrics.height() + 3)

    @property
    def head(self) -> int:
        """Height of the titles, pixels."""
        return self._row

    def sizeHint(self) -> QSize:
        return QSize(320, self.head + 25 * self._row)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.head + LOWEST * self._row)

    # -- what is shown ----------------------------------------------------------------------
    def show_market(self, market: Market) -> None:
        """Show another state of the market."""
        before, self.market = self.market, market
        if market.last is not None and before.last is not None and market.last != before.last:
            self.flash(market.last, "up" if market.last > before.last else "down")
        self.update()

    def flash(self, number: int, role: str) -> None:
        """A trade at a row; no motion where the user wants none."""
        if not look.still():
            self._flash = (number, role)
            self._flash_timer.start()

    def _end_flash(self) -> None:
        self._flash = None
        self.update()

    def set_armed(self, armed: bool) -> None:
        """Whether a click sends: the frame says so."""
        if armed != self.armed:
            self.armed = armed
            self.update()

    def summary(self) -> str:
        """The market in words, for assistive tools."""
        market, parts = self.market, []
        for word, rows, best in (("bid", market.bids, max), ("ask", market.asks, min)):
            if rows:
                number = best(rows)
                price = fmt.price(self.grid.price(number), market.places)
                parts.append(f"best {word} {price} quantity {rows[number]}")
        for (side, number), orders in market.own.items():
            units = sum(order.pending_quantity for order in orders)
            price = fmt.price(self.grid.price(number), market.places)
            parts.append(f"own {side.value.lower()} {units} at {price}")
        if market.held_text:
            parts.append(market.held_text)
        return "; ".join([*parts, market.stale] if market.stale else parts) or "no depth"

    # -- geometry ---------------------------------------------------------------------------
    def columns(self) -> list[tuple[Column, int, int]]:
        """Each column with its left edge and width."""
        shown = [c for c in Column if c is not Column.VOLUME or self.width() >= NARROW]
        whole = sum(SHARES[column] for column in shown)
        areas, left = [], 0.0
        for column in shown:
            width = self.width() * SHARES[column] / whole
            areas.append((column, round(left), round(left + width) - round(left)))
            left += width
        return areas

    def cell_at(self, position: QPoint) -> Cell | None:
        """The cell at a place of the widget."""
        place = (position.y() - self.head) // self._row
        if position.y() < self.head or place >= self.grid.rows:
            return None
        for column, left, width in self.columns():
            if left <= position.x() < left + width:
                return Cell(column, self.grid.at(place))
        return None

    def cell_rect(self, cell: Cell) -> QRect:
        """Where a cell is shown."""
        top = self.head + self.grid.place(cell.number) * self._row
        for column, left, width in self.columns():
            if column is cell.column:
                return QRect(left, top, width, self._row)
        return QRect()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.grid.resize(max(1, (self.height() - self.head) // self._row))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.ink.renew()
            self._row = self._row_height()
            self._fit()
            self.update()
        super().changeEvent(event)

    # -- painting ---------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.ink.font)
        painter.fillRect(self.rect(), self.ink.colour("panel"))
        columns, market = self.columns(), self.market
        for column, left, width in columns:
            if column in (Column.BID, Column.ASK):
                tint = self.ink.tint(self._side_role(column), COLUMN_ALPHA)
                painter.fillRect(left, self.head, width, self.height() - self.head, tint)
        most = max((*market.bids.values(), *market.asks.values()), default=0)
        traded = max(market.volume.values(), default=0)
        for place in range(self.grid.rows):
            self._paint_row(painter, place, columns, most, traded)
        self._paint_head(painter, columns)
        if market.stale:
            area = QRect(0, self.head, self.width(), self.height() - self.head)
            painter.fillRect(area, QBrush(self.ink.colour("border-strong"), _HATCH))
            self._paint_note(painter, market.stale)
        self._paint_ghost(painter)
        self._paint_frame(painter)
        painter.end()

    def _paint_note(self, painter: QPainter, words: str) -> None:
        """Why nothing may be traded on it, and how old it is."""
        width = self.ink.text(words)[1] + 20
        box = QRect((self.width() - width) // 2, self.head + 4, width, self._row + 4)
        painter.fillRect(box, self.ink.colour("panel"))
        painter.setPen(self.ink.pen("warning"))
        painter.drawRect(box)
        self._text(painter, words, "warning", box, True)

    def _paint_head(self, painter: QPainter, columns: Sequence[tuple[Column, int, int]]) -> None:
        painter.fillRect(0, 0, self.width(), self.head, self.ink.colour("header"))
        for column, left, width in columns:
            self._text(painter, TITLES[column], "muted", QRect(left, 0, width, self.head), True)

    def _paint_row(
        self,
        painter: QPainter,
        place: int,
        columns: Sequence[tuple[Column, int, int]],
        most: int,
        traded: int,
    ) -> None:
        number, market = self.grid.at(place), self.market
        top = self.head + place * self._row
        for column, left, width in columns:
            area = QRect(left, top, width, self._row)
            if column is Column.PRICE:
                self._paint_price(painter, number, area)
            elif column is Column.VOLUME:
                if units := market.volume.get(number):
                    self._bar(painter, area, units, traded, "accent", from_left=True)
                    self._text(painter, self._units(units, width), "muted", area)
            elif column in OWN:
                if orders := market.own.get((SIDES[column], number)):
                    self._paint_own(painter, orders, column, area)
            else:
                rows = market.bids if column is Column.BID else market.asks
                if units := rows.get(number):
                    role = self._side_role(column)
                    self._bar(painter, area, units, most, role, from_left=column is Column.ASK)
                    tone = "stale" if market.stale else "text"
                    self._text(painter, self._units(units, width), tone, area)
            if self._hover == (column, number):
                painter.setPen(self.ink.pen("border-strong"))
                painter.drawRect(area.adjusted(0, 0, -1, -1))
        painter.setPen(self.ink.pen("grid"))
        painter.drawLine(0, top + self._row - 1, self.width(), top + self._row - 1)

    def _paint_price(self, painter: QPainter, number: int, area: QRect) -> None:
        market = self.market
        tone = "text"
        if number == market.last:
            painter.fillRect(area, self.ink.colour("raised"))
            tone = "stale" if market.stale else "accent"
        elif number in market.bids:
            tone = "buy"
        elif number in market.asks:
            tone = "sell"
        if self._flash is not None and self._flash[0] == number:
            painter.fillRect(area, self.ink.tint(self._flash[1], FLASH_ALPHA))
            tone = "text"  # blue on green is hard to read
        if mark := self.marks.get(number):
            painter.fillRect(
                area.right() - 4, area.top(), 5, area.height() - 1, self.ink.colour(f"link-{mark}")
            )
        if number == market.held:
            painter.fillRect(area.left(), area.top(), 3, area.height(), self.ink.colour("position"))
            painter.setPen(self.ink.pen("position"))
            painter.drawLine(0, area.bottom() - 1, self.width(), area.bottom() - 1)
        if number > 0:
            text = fmt.price(self.grid.price(number), market.places)
            self._text(painter, text, tone, area, True)

    def _paint_own(
        self, painter: QPainter, orders: Sequence[Order], column: Column, area: QRect
    ) -> None:
        faded = bool(self._drag) and orders[0] in self._drag
        role = self._side_role(column)
        stops = any(order.trigger_price for order in orders)
        fill = self.ink.tint(f"{role}-fill", 90 if faded else 255)
        painter.fillRect(area.adjusted(1, 1, -1, -2), fill)
        units = sum(order.pending_quantity for order in orders)
        lots = units / max(1, self.market.lot)
        text = f"{'S' if stops else ''}{lots:g}"
        self._text(painter, text, "on-fill", area, True)

    def _paint_ghost(self, painter: QPainter) -> None:
        """The price that the dragged order would get."""
        if not self._drag or self._hover is None or self._hover.number <= 0:
            return
        side = self._drag[0].action
        column = Column.OWN_BID if side is Action.BUY else Column.OWN_ASK
        area = self.cell_rect(Cell(column, self._hover.number))
        role = "buy" if side is Action.BUY else "sell"
        strip = QRect(0, area.top(), self.width(), area.height())
        painter.fillRect(strip, self.ink.tint(role, COLUMN_ALPHA * 2))
        painter.setPen(self.ink.pen(role))
        painter.drawRect(area.adjusted(0, 0, -1, -1))
        price = fmt.price(self.grid.price(self._hover.number), self.market.places)
        text, width = self.ink.text(f"→ {price}")
        left = area.right() + 4 if side is Action.BUY else area.left() - width - 10
        box = QRect(left, area.top(), width + 8, area.height())
        painter.fillRect(box, self.ink.colour("panel"))
        painter.drawStaticText(box.left() + 4, self._baseline(box), text)

    def _paint_frame(self, painter: QPainter) -> None:
        """Armed is seen at every moment; so is the keyboard's place."""
        if self.armed:
            painter.setPen(self.ink.pen("warning"))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
            painter.drawRect(self.rect().adjusted(1, 1, -2, -2))
        if self.hasFocus():
            painter.setPen(self.ink.pen("focus"))
            painter.drawRect(self.rect().adjusted(2, 2, -3, -3))

    @staticmethod
    def _side_role(column: Column) -> str:
        return "buy" if SIDES[column] is Action.BUY else "sell"

    def _bar(
        self, painter: QPainter, area: QRect, units: int, most: int, role: str, *, from_left: bool
    ) -> None:
        width = max(1, round((area.width() - 2) * units / most)) if most else 0
        left = area.left() + 1 if from_left else area.right() - width
        tint = self.ink.tint(role, BAR_ALPHA)
        painter.fillRect(left, area.top() + 1, width, area.height() - 2, tint)

    def _units(self, units: int, width: int) -> str:
        """A quantity that fits: in lakh where there is no room for all digits, never cut."""
        text = fmt.quantity(units)
        return text if self.ink.text(text)[1] <= width - 2 * PADDING else fmt.short(units)

    def _baseline(self, area: QRect) -> int:
        return area.top() + (area.height() - self.ink.metrics.height()) // 2

    def _text(
        self, painter: QPainter, text: str, tone: str, area: QRect, centred: bool = False
    ) -> None:
        static, width = self.ink.text(text)
        left = area.right() - PADDING - width
        if centred or width > area.width() - PADDING:
            left = area.left() + (area.width() - width) // 2
        painter.setPen(self.ink.pen(tone))
        painter.drawStaticText(left, self._baseline(area), static)


_HATCH = Qt.BrushStyle.BDiagPattern
