"""Market depth: the five best levels with quantity bars. Ctrl+click, a double click or Enter gives
a price to the ticket; a plain click does nothing."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Depth, Key, Level, Part, Tick
from openalgo_desktop.core.money import decimals
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote, theme
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role

LEVELS = 5
ROW = 24
HEAD = 22
HEIGHT = HEAD + LEVELS * ROW + 4
#: Widths of orders, quantity, price as parts of one side; a narrow view leaves out the orders.
PARTS = (0.17, 0.37, 0.46)
NARROW_PARTS = (0.0, 0.44, 0.56)
NARROW = 360
#: Field of the tick and its caption, two in a row.
RANGE = (("open", "Open"), ("high", "High"), ("close", "Prev. close"), ("low", "Low"))
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class DepthView(QWidget):
    """Paints a book. ``picked`` carries price and side of the level (``BUY`` for a bid)."""

    picked = Signal(float, str)

    def __init__(self) -> None:
        super().__init__()
        named(self, "depth-view", "Market depth, five levels")
        self.setToolTip("Double click or Ctrl+click: take the price into the ticket")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT)
        self._depth = Depth()
        self._places = 2
        self._hover: tuple[int, str] | None = None
        self._pressed: tuple[int, str] | None = None
        self._stale = False

    def sizeHint(self) -> QSize:
        return QSize(300, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, HEIGHT)

    def set_stale(self, stale: bool) -> None:
        """Whether the book is too old: it turns grey and is hatched then."""
        if stale != self._stale:
            self._stale = stale
            self.update()

    def show_depth(self, depth: Depth, places: int) -> None:
        """Show a book with prices of ``places`` decimals."""
        if (depth, places) == (self._depth, self._places):
            return
        self._depth = depth
        self._places = places
        self.update()

    def summary(self) -> str:
        """The book in words, for assistive tools."""
        parts = [
            f"bid {fmt.price(level.price, self._places)} quantity {level.quantity}"
            for level in self._depth.buy[:LEVELS]
        ] + [
            f"ask {fmt.price(level.price, self._places)} quantity {level.quantity}"
            for level in self._depth.sell[:LEVELS]
        ]
        return "; ".join(parts) or "no depth"

    # -- painting ---------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = theme.current()
        painter.fillRect(self.rect(), colours.color("panel"))
        half = self.width() / 2
        painter.setPen(colours.color("muted"))
        for side, texts in (("BUY", ("Ord", "Qty", "Bid")), ("SELL", ("Ord", "Qty", "Ask"))):
            for text, (rect, align) in zip(texts, self._cells(side, 0, HEAD), strict=True):
                painter.drawText(rect, align, text)
        largest = max(
            (level.quantity for level in (*self._depth.buy, *self._depth.sell)), default=0
        )
        for side, levels in (("BUY", self._depth.buy), ("SELL", self._depth.sell)):
            for index in range(LEVELS):
                level = levels[index] if index < len(levels) else None
                self._paint_level(painter, side, index, level, largest)
        if self._stale:
            hatch = QBrush(colours.color("border-strong"), Qt.BrushStyle.BDiagPattern)
            painter.fillRect(QRectF(0, HEAD, self.width(), self.height() - HEAD), hatch)
        painter.setPen(colours.color("border"))
        painter.drawLine(int(half), 2, int(half), self.height() - 3)

    def _paint_level(
        self, painter: QPainter, side: str, index: int, level: Level | None, largest: int
    ) -> None:
        colours = theme.current()
        top = HEAD + index * ROW
        half = self.width() / 2
        role = "buy" if side == "BUY" else "sell"
        if self._hover == (index, side):
            x = 0.0 if side == "BUY" else half
            painter.fillRect(QRectF(x, top, half, ROW), colours.color("hover"))
        if level is None or not level.price:
            painter.setPen(colours.color("muted"))
            rect, align = self._cells(side, top, ROW)[2]
            painter.drawText(rect, align, fmt.MISSING)
            return
        if largest:
            width = (half - 6) * level.quantity / largest
            x = half - 2 - width if side == "BUY" else half + 2
            tint = colours.color(role)
            tint.setAlpha(46)
            painter.fillRect(QRectF(x, top + 2, width, ROW - 4), tint)
        texts = (
            str(level.orders) if level.orders else "",
            fmt.quantity(level.quantity),
            fmt.price(level.price, self._places),
        )
        roles = ("disabled",) * 3 if self._stale else ("muted", "text", role)
        cells = self._cells(side, top, ROW)
        for text, colour, (rect, align) in zip(texts, roles, cells, strict=True):
            painter.setPen(colours.color(colour))
            painter.drawText(rect, align, text)

    def _cells(self, side: str, top: float, height: float) -> list[tuple[QRectF, Qt.AlignmentFlag]]:
        """Cells of orders, quantity and price; the ask side is the mirror image."""
        half = self.width() / 2 - 8
        cells: list[tuple[QRectF, Qt.AlignmentFlag]] = []
        x = 6.0
        for part in NARROW_PARTS if self.width() < NARROW else PARTS:
            width = half * part
            if side == "BUY":
                cells.append((QRectF(x, top, width - 6, height), RIGHT))
            else:
                mirrored = self.width() - x - width
                cells.append((QRectF(mirrored + 6, top, width - 6, height), LEFT))
            x += width
        return cells

    # -- mouse and keys ---------------------------------------------------------------------
    def _hit(self, event: QMouseEvent) -> tuple[int, str] | None:
        position = event.position()
        index = int((position.y() - HEAD) // ROW)
        if position.y() < HEAD or not 0 <= index < LEVELS:
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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index, side = self._hover or (0, "BUY")
        match event.key():
            case Qt.Key.Key_Up:
                index = max(0, index - 1)
            case Qt.Key.Key_Down:
                index = min(LEVELS - 1, index + 1)
            case Qt.Key.Key_Left:
                side = "BUY"
            case Qt.Key.Key_Right:
                side = "SELL"
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if not event.isAutoRepeat():
                self._pick((index, side))
            case _:
                super().keyPressEvent(event)
                return
        self._hover = (index, side)
        self.update()

    def _pick(self, hit: tuple[int, str]) -> None:
        level = self._level(hit)
        if level is not None and level.price:
            self.picked.emit(level.price, hit[1])


class DepthDock(Dock):
    """The book of the linked symbol with totals, last price and imbalance."""

    name = "depth"
    title = "Market depth"
    linkable = True
    empty_text = "Pick a symbol to see its depth"
    priority = 0

    def __init__(self, bridge: Bridge, name: str = "") -> None:
        super().__init__(bridge, name)
        self._key: Key | None = None
        self._places = 2
        panel = named(QWidget(), "depth-panel", "Market depth")
        self.content.addWidget(panel)
        column = QVBoxLayout(panel)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(4)
        head = QHBoxLayout()
        self.last = label(fmt.MISSING, "depth-last", "heading")
        self.change = label("", "depth-change", "number")
        self.spread = label("", "depth-spread", "muted")
        head.addWidget(self.last)
        head.addWidget(self.change)
        head.addStretch(1)
        head.addWidget(self.spread)
        column.addLayout(head)
        self.view = DepthView()
        self.view.picked.connect(self._on_pick)
        self.listen(bridge.feed.changed, self._look_again)
        self.listen(bridge.feed.refused, self._look_again)
        self.listen(bridge.feed.aged, self._look_again)
        self.visibilityChanged.connect(lambda _visible: self._want())
        column.addWidget(self.view)
        totals = QHBoxLayout()
        self.total_buy = label("", "depth-total-buy", "buy")
        self.imbalance = label("", "depth-imbalance", "muted")
        self.total_sell = label("", "depth-total-sell", "sell")
        totals.addWidget(self.total_buy)
        totals.addStretch(1)
        totals.addWidget(self.imbalance)
        totals.addStretch(1)
        totals.addWidget(self.total_sell)
        column.addLayout(totals)
        column.addLayout(self._build_range())
        column.addStretch(1)
        self.place_empty_over(panel)
        self.set_empty(True)

    def _build_range(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        self._range = {}
        for index, (name, caption) in enumerate(RANGE):
            row, place = index // 2, index % 2 * 3
            grid.addWidget(label(caption, f"depth-{name}-caption", "caption"), row, place)
            value = label("", f"depth-{name}", "fact")
            value.setAccessibleName(caption)
            value.setAlignment(RIGHT)
            grid.addWidget(value, row, place + 1)
            self._range[name] = value
        for place in (1, 4):
            grid.setColumnStretch(place, 1)
        grid.setColumnMinimumWidth(2, 14)
        return grid

    def show_symbol(self, key: Key) -> None:
        instrument = self.bridge.instrument(key)
        if instrument is None:
            return
        self._key = key
        self._places = decimals(instrument.tick_size)
        self.set_subject(self.bridge.name(key), contract_tip(key))
        self._want()
        self.set_empty(False)
        self.view.show_depth(Depth(), self._places)
        self.dirty = True

    def _on_pick(self, price: float, side: str) -> None:
        if self._key is not None:
            self.bridge.pick_price(self._key, price, explicit=True)

    def _want(self) -> None:
        """A book is streamed only while somebody can see it."""
        shown = self._key is not None and self.isVisible()
        self.want({self._key: FeedMode.DEPTH} if shown and self._key is not None else {})
        self.dirty = True

    def _look_again(self, *_: object) -> None:
        self.dirty = True

    def take(self, ticks: Ticks) -> None:
        if self._key in ticks:
            self.dirty = True

    def flush(self) -> None:
        self.dirty = False
        if self._key is not None:
            self._show(self._key, self.bridge.latest(self._key))

    def _show(self, key: Key, tick: Tick | None) -> None:
        feed = self.bridge.feed
        note, stale = feed.note(key), feed.is_stale(key)
        self.last.setText(quote.price_text(tick, "ltp", self._places))
        self.change.setText(f"{quote.change_text(tick, self._places)}  {quote.percent_text(tick)}")
        self.last.setToolTip(plain_tip(feed.tip(key)))
        set_role(self.last, "stale" if stale else "", "tone")
        set_role(self.change, "stale" if stale else quote.tone(tick), "tone")
        self.spread.setText("  ".join(filter(None, (note, self._spread(key, tick)))))
        self.spread.setToolTip(plain_tip(feed.tip(key)))
        set_role(self.spread, "warning" if note else "", "tone")
        known = tick is not None and tick.knows(Part.BOOK)
        depth = tick.depth if known and tick is not None else None
        self.view.set_stale(stale and known)
        self.view.show_depth(depth or Depth(), self._places)
        self._show_totals(tick, stale)
        for name, value in self._range.items():
            value.setText(quote.price_text(tick, name, self._places))
            set_role(value, "stale" if stale else "", "tone")
        self.view.setAccessibleDescription(self.view.summary())

    def _spread(self, key: Key, tick: Tick | None) -> str:
        if key[0].endswith("_INDEX"):
            return "Indices have no depth"
        bid, ask = quote.price(tick, "bid"), quote.price(tick, "ask")
        if bid is None or ask is None:
            return f"spread {fmt.MISSING}"
        return f"spread {fmt.price(ask - bid, self._places)}"

    def _show_totals(self, tick: Tick | None, stale: bool) -> None:
        buy, sell = quote.totals(tick)
        shown = [fmt.MISSING if total is None else fmt.quantity(total) for total in (buy, sell)]
        self.total_buy.setText(f"{shown[0]} bid")
        self.total_sell.setText(f"ask {shown[1]}")
        for part in (self.total_buy, self.total_sell, self.imbalance):
            set_role(part, "stale" if stale else "", "tone")
        text = fmt.MISSING
        if buy is not None and sell is not None and buy + sell:
            share = 100.0 * buy / (buy + sell)
            text = f"{share:.0f}% : {100 - share:.0f}%"
        self.imbalance.setText(text)
        self.imbalance.setToolTip("Share of bid and ask quantity in the whole book")
