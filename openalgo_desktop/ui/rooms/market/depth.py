"""Market depth: five levels a side or as many as the account streams, with bars of the quantity of
each and of all up to it. Ctrl+click, a double click or Enter gives a price to the ticket; a plain
click does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Action, FeedMode, PriceType
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.core.ticks import Depth, Part, Tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look, quote
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role
from openalgo_desktop.ui.rooms.market.depth_view import CHOICE, LEVELS, RIGHT, DepthView

#: Field of the tick and its caption, two in a row.
RANGE = (("open", "Open"), ("high", "High"), ("close", "Prev. close"), ("low", "Low"))
#: Between last price, change and spread, pixels.
GAP = 8
#: Edges, gaps and the scroll bar beside the parts of the head, pixels.
HEAD_ROOM = 48
NO_DEPTH = "No depth for indices"


class DepthDock(Dock):
    """The book of the linked symbol with totals, last price and imbalance."""

    name = "depth"
    title = "Market depth"
    linkable = True
    empty_text = "Pick a symbol to see its depth,\nor drop one here; a click and Ctrl+K find one"
    priority = 0

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self._key: Key | None = None
        self._places = 2
        self.wished = LEVELS  # levels that the user chose
        panel = named(QWidget(), "depth-panel", "Market depth")
        self.content.addWidget(panel)
        column = QVBoxLayout(panel)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        self.last = label(fmt.MISSING, "depth-last", "heading")
        self.change = label("", "depth-change", "number")
        self.spread = label("", "depth-spread", "muted")
        head.addWidget(self.last)
        head.addWidget(self.change)
        head.addStretch(1)
        head.addWidget(self.spread)
        column.addLayout(head)
        self.view = DepthView(self.name)
        self.count = Segments(
            f"{self.name}-levels", "Levels a side", tuple(map(str, CHOICE)), compact=True
        )
        self.count.changed.connect(self._on_count)
        self.listen(bridge.account_changed, self._offer)
        self.view.picked.connect(self._on_pick)
        self.view.menu_wanted.connect(self._on_menu)
        self.answer_keys(self.view, {"take": self.view.take_chosen})
        self.listen(bridge.feed.changed, self._look_again)
        self.listen(bridge.feed.refused, self._look_again)
        self.listen(bridge.feed.aged, self._look_again)
        self.visibilityChanged.connect(lambda _visible: self._want())
        self.count.setToolTip("Levels a side")
        self.title_bar.extras.addWidget(self.count)  # the book needs the height
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

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The change of the day gives way: watchlist, chart and ticket have it, too; and the shares
        of both sides, which the bars show."""
        for parts, spare in (
            ((self.last, self.change, self.spread), self.change),
            ((self.total_buy, self.imbalance, self.total_sell), self.imbalance),
        ):
            needed = sum(part.sizeHint().width() for part in parts) + look.px(HEAD_ROOM)
            if spare.isHidden() is (needed <= self.width()):
                spare.setVisible(needed <= self.width())

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
        self._offer()
        self.set_subject(self.bridge.name(key), contract_tip(key))
        self._want()
        self.set_empty(False)
        self.view.show_depth(Depth(), self._places)
        self.dirty = True

    def symbol_now(self) -> Key | None:
        return self._key

    def _on_pick(self, price: float, side: str) -> None:
        if self._key is not None:
            self.bridge.pick_price(self._key, price, explicit=True)

    def _on_menu(self, at: QPoint, price: float) -> None:
        """Right click: an order at the price of the level, filled into the ticket and not sent."""
        instrument = self.bridge.instrument(self._key) if self._key is not None else None
        if instrument is None:
            return
        key, menu = instrument.key, self.menu()
        text = fmt.price(price, self._places)
        if price > 0:
            for action in Action:
                self.add_item(
                    menu,
                    f"{action.value.title()} at {text}…",
                    partial(self._to_ticket, key, action, price),
                )
            self.add_item(menu, f"Take {text} into the ticket", lambda: self._on_pick(price, ""))
            menu.addSeparator()
            self.add_item(
                menu, f"Alert at {text}…", lambda: self.bridge.alerts.wanted.emit(key, price)
            )
        for kind, title in (("chart", "Chart"), ("ladder", "Ladder")):
            if kind != "ladder" or not instrument.is_index:
                self.add_item(menu, title, partial(self.bridge.dock_wanted.emit, kind, key))
        menu.popup(at)

    def _to_ticket(self, key: Key, action: Action, price: float) -> None:
        self.bridge.ticket_wanted.emit(
            TicketWish(key=key, action=action, price_type=PriceType.LIMIT, price=price)
        )

    def _want(self) -> None:
        """A book is streamed only while somebody can see it."""
        shown = self._key is not None and self.isVisible()
        self.want({self._key: FeedMode.DEPTH} if shown and self._key is not None else {})
        if shown and self._key is not None and self.view.levels > LEVELS:
            self.bridge.depths.want(self.objectName(), self._key, self.view.levels)
        else:
            self.bridge.depths.forget(self.objectName())
        self.dirty = True

    def _offer(self, *_: object) -> None:
        """The numbers of levels that the account streams; with one there is nothing to choose.
        A choice that it has not is kept for one that has it."""
        offered = self.bridge.depths.offered
        most = max(offered, default=LEVELS)
        fitting = [count for count in CHOICE if count <= most] or [LEVELS]
        self.count.blockSignals(True)
        self.count.allow(tuple(map(str, fitting)))
        self.count.choose(str(max(count for count in fitting if count <= max(self.wished, LEVELS))))
        self.count.blockSignals(False)
        self.count.setVisible(len(fitting) > 1)
        self._show_count()

    def _on_count(self, text: str) -> None:
        self.wished = int(text)
        self._show_count()

    def _show_count(self) -> None:
        levels = int(self.count.value())
        if levels != self.view.levels:
            self.view.set_levels(levels)
        self._want()

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
        index = key[0].endswith("_INDEX")
        self.view.set_stale(stale and known, NO_DEPTH if index else note if known else "")
        self.view.show_depth(depth or Depth(), self._places)
        self._show_totals(tick, stale)
        for name, value in self._range.items():
            value.setText(quote.price_text(tick, name, self._places))
            set_role(value, "stale" if stale else "", "tone")
        self.view.setAccessibleDescription(self.view.summary())
        self._fit()  # a price or a note may be longer now

    def _spread(self, key: Key, tick: Tick | None) -> str:
        if key[0].endswith("_INDEX"):
            return NO_DEPTH
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

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        return super().save_state() | {"levels": self.wished}

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        levels = state.get("levels")
        if isinstance(levels, int) and levels in CHOICE:
            self.wished = levels
            self._offer()
