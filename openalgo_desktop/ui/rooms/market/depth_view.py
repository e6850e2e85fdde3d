"""The painted book of an instrument: two sides with bars, by mouse and keys."""

from __future__ import annotations

from itertools import accumulate
from math import ceil

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QContextMenuEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from openalgo_desktop.core.ticks import Depth, Level
from openalgo_desktop.ui.kit import fonts, look, theme
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.widgets import named

#: Levels a side that can be chosen, as far as the account has them.
CHOICE = (5, 20, 50, 200)
LEVELS = CHOICE[0]
#: Height of a level, and of one of many, and of the captions, at a text scale of 100 per cent.
ROW, TIGHT = 22, 19
CAPTIONS = 20
#: Widths of orders, quantity, price as parts of one side; a narrow view leaves out the orders.
PARTS = (0.17, 0.37, 0.46)
NARROW_PARTS = (0.0, 0.44, 0.56)
NARROW, NARROWEST = 360, 240
#: How strong the bars are: of all up to a level, of the level.
CUMULATED, QUANTITY = 12, 26
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class DepthView(QWidget):
    """Paints a book. ``picked`` carries price and side of the level (``BUY`` for a bid)."""

    picked = Signal(float, str)
    menu_wanted = Signal(QPoint, float)  # where on the screen; the price there, 0 for none

    def __init__(self, name: str = "depth") -> None:
        super().__init__()
        named(self, f"{name}-view", "Market depth")
        self.setToolTip("Double click or Ctrl+click: take the price into the ticket")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.levels = LEVELS
        self._note = ""
        self._depth = Depth()
        self._places = 2
        self._longest = 0  # price, pixels
        self._hover: tuple[int, str] | None = None
        self._pressed: tuple[int, str] | None = None
        self._stale = False
        self.set_levels(LEVELS)

    @property
    def row(self) -> int:
        """Height of a level, pixels."""
        return look.px(ROW if self.levels <= LEVELS else TIGHT)

    @property
    def head(self) -> int:
        """Height of the captions, pixels."""
        return look.px(CAPTIONS)

    @property
    def _tall(self) -> int:
        return self.head + self.levels * self.row + 4

    def set_levels(self, levels: int) -> None:
        """Room for so many levels a side."""
        self.levels = levels
        self._hover = self._pressed = None
        self.setFixedHeight(self._tall)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, self._tall)

    def minimumSizeHint(self) -> QSize:
        """A price is never cut: where the panel is narrower it scrolls."""
        return QSize(max(NARROWEST, self._room(NARROW_PARTS[-1])), self._tall)

    def _room(self, part: float) -> int:
        """The width at which a price fits into its ``part`` of a side, pixels."""
        return ceil(2 * ((self._longest + 8) / part + 8))

    def _measure(self) -> None:
        """The longest price; a book that has none keeps what was measured."""
        prices = [level.price for level in (*self._depth.buy[:1], *self._depth.sell[-1:])]
        advance = QFontMetrics(fonts.table_font()).horizontalAdvance
        longest = max((advance(fmt.price(price, self._places)) for price in prices), default=0)
        if longest and longest != self._longest:
            self._longest = longest
            self.setMinimumWidth(self.minimumSizeHint().width())

    def set_stale(self, stale: bool, note: str = "") -> None:
        """Whether the book is too old: it turns grey and is hatched then. ``note`` is written
        over it: how old it is, or why there is none."""
        if (stale, note) != (self._stale, self._note):
            self._stale, self._note = stale, note
            self.update()

    def show_depth(self, depth: Depth, places: int) -> None:
        """Show a book with prices of ``places`` decimals."""
        if (depth, places) == (self._depth, self._places):
            return
        self._depth = depth
        self._places = places
        self._measure()
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            if self.height() != self._tall:
                self.setFixedHeight(self._tall)
            self._measure()
            self.update()
        super().changeEvent(event)

    def summary(self) -> str:
        """The book in words, for assistive tools."""
        parts = (
            [
                f"bid {fmt.price(level.price, self._places)} quantity {level.quantity}"
                for level in self._depth.buy[:LEVELS]  # more would be read out for a minute
            ]
            + [
                f"ask {fmt.price(level.price, self._places)} quantity {level.quantity}"
                for level in self._depth.sell[:LEVELS]
            ]
        )
        return "; ".join(parts) or "no depth"

    # -- painting ---------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(fonts.table_font())
        colours = theme.current()
        painter.fillRect(self.rect(), colours.color("panel"))
        half = self.width() / 2
        painter.setPen(colours.color("muted"))
        for side, texts in (("BUY", ("Ord", "Qty", "Bid")), ("SELL", ("Ord", "Qty", "Ask"))):
            for text, (rect, align) in zip(texts, self._cells(side, 0, self.head), strict=True):
                painter.drawText(rect, align, text)
        sides = (("BUY", self._depth.buy[: self.levels]), ("SELL", self._depth.sell[: self.levels]))
        sums = [list(accumulate(level.quantity for level in levels)) for _, levels in sides]
        largest = max((level.quantity for _, levels in sides for level in levels), default=0)
        whole = max((known[-1] for known in sums if known), default=0)
        area = event.rect()  # of 200 levels only those that can be seen
        first = max(0, (area.top() - self.head) // self.row)
        last = min(self.levels - 1, (area.bottom() - self.head) // self.row)
        for (side, levels), known in zip(sides, sums, strict=True):
            for index in range(first, last + 1):
                level = levels[index] if index < len(levels) else None
                share = known[index] / whole if whole and index < len(known) else 0.0
                self._paint_level(painter, side, index, level, largest, share)
        if self._stale:
            hatch = QBrush(colours.color("border-strong"), Qt.BrushStyle.BDiagPattern)
            painter.fillRect(QRectF(0, self.head, self.width(), self.height() - self.head), hatch)
        if self._note:
            self._paint_note(painter)
        painter.setPen(colours.color("border"))
        painter.drawLine(int(half), 2, int(half), self.height() - 3)

    def _paint_note(self, painter: QPainter) -> None:
        """How old the book is, or why there is none."""
        colours, metrics = theme.current(), painter.fontMetrics()
        wide = metrics.horizontalAdvance(self._note) + 24
        middle = self.head + LEVELS * self.row / 2
        box = QRectF((self.width() - wide) / 2, middle - 13, wide, 26)
        painter.fillRect(box, colours.color("panel"))
        painter.setPen(colours.color("warning" if self._stale else "muted"))
        if self._stale:
            painter.drawRect(box)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._note)

    def _paint_level(
        self,
        painter: QPainter,
        side: str,
        index: int,
        level: Level | None,
        largest: int,
        share: float,
    ) -> None:
        """``share``: what is quoted up to this level, as a part of the larger side."""
        colours = theme.current()
        row, top = self.row, self.head + index * self.row
        half = self.width() / 2
        role = "buy" if side == "BUY" else "sell"
        if self._hover == (index, side):
            x = 0.0 if side == "BUY" else half
            painter.fillRect(QRectF(x, top, half, row), colours.color("hover"))
        if level is None or not level.price:
            painter.setPen(colours.color("muted"))
            if self._note:  # it says why there are none
                return
            rect, align = self._cells(side, top, row)[2]
            painter.drawText(rect, align, fmt.MISSING)
            return
        bars = ((share, CUMULATED), (level.quantity / largest if largest else 0.0, QUANTITY))
        for part, alpha in bars:
            width = (half - 6) * part
            x = half - 2 - width if side == "BUY" else half + 2
            painter.fillRect(QRectF(x, top + 2, width, row - 4), colours.color(role, alpha))
        texts = (
            str(level.orders) if level.orders else "",
            fmt.quantity(level.quantity),
            fmt.price(level.price, self._places),
        )
        roles = ("disabled",) * 3 if self._stale else ("muted", "text", role)
        cells = self._cells(side, top, row)
        for text, colour, (rect, align) in zip(texts, roles, cells, strict=True):
            painter.setPen(colours.color(colour))
            painter.drawText(rect, align, text)

    def _cells(self, side: str, top: float, height: float) -> list[tuple[QRectF, Qt.AlignmentFlag]]:
        """Cells of orders, quantity and price; the ask side is the mirror image, but its counts
        end in one line, too: numbers of different length are compared by their last digits."""
        half = self.width() / 2 - 8
        cells: list[tuple[QRectF, Qt.AlignmentFlag]] = []
        x = 6.0
        narrow = self.width() < max(look.px(NARROW), self._room(PARTS[-1]))
        parts = NARROW_PARTS if narrow else PARTS
        for place, part in enumerate(parts):
            width = half * part
            if side == "BUY":
                cells.append((QRectF(x, top, width - 6, height), RIGHT))
            else:
                mirrored = self.width() - x - width
                price = place == len(parts) - 1
                cells.append(
                    (QRectF(mirrored + 6, top, width - 6, height), LEFT if price else RIGHT)
                )
            x += width
        return cells

    # -- mouse and keys ---------------------------------------------------------------------
    def _hit(self, event: QMouseEvent) -> tuple[int, str] | None:
        return self._hit_at(event.position())

    def _hit_at(self, position: QPointF) -> tuple[int, str] | None:
        index = int((position.y() - self.head) // self.row)
        if position.y() < self.head or not 0 <= index < self.levels:
            return None
        return index, "BUY" if position.x() < self.width() / 2 else "SELL"

    def _level(self, hit: tuple[int, str]) -> Level | None:
        levels = self._depth.buy if hit[1] == "BUY" else self._depth.sell
        return levels[hit[0]] if hit[0] < len(levels) else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hover = self._hit(event)
        if hover != self._hover:
            self._hover = hover
            self.update()

    def leaveEvent(self, event: object) -> None:
        self._hover = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        left = event.button() == Qt.MouseButton.LeftButton
        self._pressed = self._hit(event) if left else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        # Press and release must hit the same level with the same button.
        pressed, self._pressed = self._pressed, None
        if event.button() != Qt.MouseButton.LeftButton or pressed is None:
            return
        wanted = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if wanted and self._hit(event) == pressed:
            self._pick(pressed)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        hit = self._hit(event)
        if event.button() == Qt.MouseButton.LeftButton and hit is not None:
            self._pick(hit)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        at, hit = event.pos(), self._hit_at(QPointF(event.pos()))
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            hit = self._hover or (0, "BUY")
            left = 0 if hit[1] == "BUY" else self.width() // 2
            at = QPoint(left + 12, self.head + hit[0] * self.row + self.row // 2)
        level = self._level(hit) if hit is not None else None
        self.menu_wanted.emit(self.mapToGlobal(at), level.price if level is not None else 0.0)
        event.accept()

    def take_chosen(self) -> None:
        """The price where the keyboard or the pointer is."""
        self._pick(self._hover or (0, "BUY"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index, side = self._hover or (0, "BUY")
        match event.key():
            case Qt.Key.Key_Up:
                index = max(0, index - 1)
            case Qt.Key.Key_Down:
                index = min(self.levels - 1, index + 1)
            case Qt.Key.Key_Left:
                side = "BUY"
            case Qt.Key.Key_Right:
                side = "SELL"
            case _:
                super().keyPressEvent(event)
                return
        self._hover = (index, side)
        self.update()

    def _pick(self, hit: tuple[int, str]) -> None:
        level = self._level(hit)
        if level is not None and level.price:
            self.picked.emit(level.price, hit[1])
