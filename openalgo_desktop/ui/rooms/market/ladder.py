"""The ladder dock: trade at a price by one click, with sizes at hand, where the window is armed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Action, FeedMode, Mode, PriceType, Product
from openalgo_desktop.core.exits import ExitSpec, Offset, Target, Unit
from openalgo_desktop.core.model import Instrument, Key, Order, OrderRequest
from openalgo_desktop.core.money import decimals, to_tick
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.widgets import named, plain_tip, set_role
from openalgo_desktop.ui.rooms.market import ladder_menu
from openalgo_desktop.ui.rooms.market.keys import SIZES
from openalgo_desktop.ui.rooms.market.ladder_bar import HeldLine, LadderBar, LadderFoot
from openalgo_desktop.ui.rooms.market.ladder_grid import (
    GROUPS,
    Volumes,
)
from openalgo_desktop.ui.rooms.market.ladder_market import market_of
from openalgo_desktop.ui.rooms.market.ladder_marks import Marks
from openalgo_desktop.ui.rooms.market.ladder_picture import Cell
from openalgo_desktop.ui.rooms.market.ladder_view import LadderView
from openalgo_desktop.ui.rooms.market.one_click import NOT_ARMED, OneClick

#: A ladder asks for so many levels; it gets what the account streams.
LEVELS = 20
#: Rows of a page.
PAGE = 10
#: Ids of the keys that are also words of the buttons.
COMMANDS = (
    "centre",
    "join-bid",
    "join-ask",
    "buy-market",
    "sell-market",
    "cancel-mine",
    "flatten",
    "reverse",
)
NO_LADDER = "An index has no ladder.\nPick a future, an option or a share."


class LadderDock(Dock):
    """Prices of the linked symbol with bids, asks, own orders and what is held."""

    name = "ladder"
    title = "Ladder"
    linkable = True
    empty_text = "Pick a symbol to see its ladder,\nor drop one here; a click and Ctrl+K find one"
    priority = 0

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self.instrument: Instrument | None = None
        self.auto_centre = True
        self._centred = False
        self._last: float | None = None
        self._held_lines: list[HeldLine] = []
        self._held: tuple[Key, tuple[Product, ...]] | None = None  # products held, as last seen
        self._marks = Marks()
        self.volumes = Volumes()
        self.hand = OneClick(bridge, self.spawn, self)
        panel = named(QWidget(), f"{self.name}-panel", "Price ladder")
        column = QVBoxLayout(panel)
        column.setContentsMargins(6, 4, 6, 6)
        column.setSpacing(4)
        self.bar = LadderBar(self.name, str(bridge.setting("ui.default_product")))
        self.view = LadderView(self.name)
        self.foot = LadderFoot(self.name)
        column.addWidget(self.bar)
        column.addWidget(self.view, 1)
        column.addWidget(self.foot)
        self.content.addWidget(panel, 1)
        self.place_empty_over(panel)
        self.set_empty(True)
        self.setFocusProxy(self.view)
        self._connect()

    def _connect(self) -> None:
        bridge, view = self.bridge, self.view
        view.clicked.connect(self._on_click)
        view.dragged.connect(self._on_drag)
        view.cancel_wanted.connect(lambda orders: self.hand.cancel(orders, bridge.mode))
        view.menu_wanted.connect(self._on_menu)
        self._answer_keys()
        self.hotkeys.changed.connect(self._show_keys)
        self._show_keys()
        self.foot.pressed.connect(lambda word: self.run(word, by_button=True))
        self.listen(bridge.arm.changed, self._on_armed)
        self.listen(bridge.mode_changed, lambda _mode: view.give_up())
        for changed in (
            bridge.feed.changed,
            bridge.feed.refused,
            bridge.feed.aged,
            bridge.books.orders_changed,
        ):
            self.listen(changed, self._look_again)
        self.listen(bridge.books.held_changed, self._on_held)
        self.listen(bridge.books.orders_updated, self._on_orders)
        self.visibilityChanged.connect(lambda _visible: self._want())
        self._on_armed(bridge.arm.armed)

    def _answer_keys(self) -> None:
        view = self.view
        steps = {"higher": 1, "lower": -1, "page-up": PAGE, "page-down": -PAGE}
        self.answer_keys(
            view,
            {word: partial(self.run, word) for word in COMMANDS}
            | {word: partial(view.scroll_rows, rows) for word, rows in steps.items()}
            | {f"size-{n}": partial(self.bar.choose_size, n - 1) for n in range(1, SIZES + 1)},
        )

    def _show_keys(self) -> None:
        """Tooltips name the keys in force."""
        self.bar.show_keys([self.hotkeys.text(f"size-{n}") for n in range(1, SIZES + 1)])
        self.foot.show_keys(self.hotkeys.tip)

    def symbol_now(self) -> Key | None:
        return self.key

    # -- symbol -----------------------------------------------------------------------------
    @property
    def key(self) -> Key | None:
        """The instrument that is shown."""
        return self.instrument.key if self.instrument is not None else None

    def show_symbol(self, key: Key) -> None:
        instrument = self.bridge.instrument(key)
        if instrument is None or key == self.key:
            return
        self.view.give_up()
        self.instrument = instrument
        self.set_subject(self.bridge.name(key), contract_tip(key))
        self.set_empty(instrument.is_index, NO_LADDER)
        grid = self.view.grid
        grid.tick = instrument.tick_size or 0.05
        grid.moved += 1
        self._show_marks()
        self._centred, self._last = False, None
        self.volumes.restart(fmt.clock_text(self.bridge.now())[:5])
        self.bar.show_instrument(instrument)
        self.view.setToolTip(
            plain_tip(f"Vol: traded at each price since {self.volumes.since}, as seen here")
        )
        self._want()
        self._look_again()

    def _want(self) -> None:
        """A deep book only while somebody can see it; the volume is counted on."""
        if self.instrument is None or self.instrument.is_index or self._released:
            self.want({})
            self.bridge.depths.forget(self.objectName())
            return
        shown = self.isVisible()
        self.want({self.instrument.key: FeedMode.DEPTH if shown else FeedMode.QUOTE})
        if shown:
            self.bridge.depths.want(self.objectName(), self.instrument.key, LEVELS)
        else:
            self.bridge.depths.forget(self.objectName())
        self.dirty = True

    # -- prices -----------------------------------------------------------------------------
    def take(self, ticks: Ticks) -> None:
        tick = ticks.get(self.key) if self.key is not None else None
        if tick is None:
            return
        self.volumes.take(tick, self.view.grid)
        self.dirty = True

    def _look_again(self, *_: object) -> None:
        self.dirty = True

    def _on_held(self, keys: frozenset[Key]) -> None:
        self.dirty = self.dirty or self.key in keys

    def _on_orders(self, orders: list[Order]) -> None:
        if any(order.key == self.key for order in orders):
            self.dirty = True

    def flush(self) -> None:
        self.dirty = False
        instrument = self.instrument
        if instrument is None or instrument.is_index:
            return
        tick = self.bridge.latest(instrument.key)
        last = quote.price(tick)
        if last is not None:
            self._follow(last)
        market, self._held_lines = market_of(
            self.bridge, self.view.grid, instrument, self.hand.positions(instrument.key), last
        )
        market.volume = self.volumes.by_row(self.view.grid)
        market.stale = self.why_stale()
        self.view.show_market(market)
        self._show_head(instrument, tick)
        self.view.setAccessibleDescription(self.view.summary())

    def _follow(self, last: float) -> None:
        """Keep the last price near the middle, never under the hand."""
        grid = self.view.grid
        self._last = last
        if not self._centred:
            self._centred = True
            grid.centre(last)
        elif self.auto_centre and not self.view.pointed_at and not grid.calm(last):
            grid.centre(last)

    def why_stale(self) -> str:
        """Why the prices must not be traded on; empty when they may."""
        if self.key is None:
            return ""
        feed = self.bridge.feed
        if feed.refusal(self.key) or feed.is_stale(self.key):
            return feed.note(self.key) or "no price yet"
        return "feed lost" if feed.stale else ""

    def _show_head(self, instrument: Instrument, tick: Tick | None) -> None:
        places, why = decimals(instrument.tick_size), self.why_stale()
        self.bar.last.setText(quote.price_text(tick, "ltp", places))
        self.bar.change.setText(why or quote.percent_text(tick))
        set_role(self.bar.last, "stale" if why else "", "tone")
        set_role(self.bar.change, "warning" if why else quote.tone(tick), "tone")
        self.bar.change.setToolTip(plain_tip(self.bridge.feed.tip(instrument.key)))
        held = self.hand.positions(instrument.key)
        self._follow_product(instrument.key, tuple(row.product for row in held))
        self.foot.show_held(self._held_lines, sum(row.unrealised for row in held))

    def _follow_product(self, key: Key, products: tuple[Product, ...]) -> None:
        """What is held decides the product, until the user chooses another: a sell that is meant
        to close must not open a position of another product beside it."""
        if self._held != (key, products):
            self._held = (key, products)
            if len(products) == 1:
                self.bar.product.choose(products[0].value)

    # -- gestures ---------------------------------------------------------------------------
    def _on_armed(self, armed: bool, _why: str = "") -> None:
        self.view.set_armed(armed)
        self.foot.set_armed(armed)

    def _request(self, action: Action, kind: PriceType, price: float = 0.0) -> OrderRequest:
        assert self.instrument is not None
        return OrderRequest(
            self.instrument.symbol,
            self.instrument.exchange,
            action,
            self.bar.lots.value() * max(1, self.instrument.lot_size),
            kind,
            self.bar.chosen_product(),
            price,
        )

    def _on_click(self, action: Action, price: float) -> None:
        """In the bids: buy at that price; in the asks: sell. Not armed, the ticket is filled."""
        if self.instrument is None:
            return
        if self.hand.armed:
            self._send(self._request(action, PriceType.LIMIT, price), self.bridge.mode)
        else:
            self.to_ticket(action, price)

    def to_ticket(self, action: Action, price: float) -> None:
        """The ticket with that side and price; nothing is sent."""
        request = self._request(action, PriceType.LIMIT, price)
        self.bridge.ticket_wanted.emit(
            TicketWish(
                key=request.key,
                action=action,
                quantity=request.quantity,
                product=request.product,
                price_type=PriceType.LIMIT,
                price=price,
            )
        )

    def to_basket(self, action: Action, price: float) -> None:
        """A line of the basket of that side, price and size; nothing is sent."""
        self.bridge.basket_wanted.emit(self._request(action, PriceType.LIMIT, price))

    def _send(self, request: OrderRequest, mode: Mode) -> None:
        if why := self.bar.problem():
            self.bridge.notice.emit("warning", f"Not sent: {why}")
            return
        self.hand.place(request, mode, self._bracket(request))

    def _bracket(self, request: OrderRequest) -> ExitSpec | None:
        """The stop and target of the fields, for an order that opens or adds; what takes a
        position down needs none."""
        stop, target = self.bar.bracket()
        held = sum(row.quantity for row in self.hand.positions(request.key))
        against = held * request.action.sign < 0
        if against or not (stop or target):
            return None
        tick = self.view.grid.tick

        def away(ticks: int) -> Offset:
            return Offset.of(to_tick(ticks * tick, tick), Unit.POINTS)

        return ExitSpec(
            stop=away(stop) if stop else None,
            targets=(Target(away(target)),) if target else (),
        )

    def _on_drag(self, orders: list[Order], price: float) -> None:
        if self.hand.armed:
            self.hand.move(orders, price, self.bridge.mode)

    def run(self, word: str, *, by_button: bool = False) -> None:
        """A command of a key or a button. Keys that send need arming; the buttons that cancel and
        close do not."""
        if self.instrument is None or self.instrument.is_index:
            return
        key, mode = self.instrument.key, self.bridge.mode
        if word == "centre":
            if self._last is not None:
                self.view.grid.centre(self._last)
                self.view.update()
        elif not self.hand.armed and not (by_button and word in ("cancel-mine", "flatten")):
            self.bridge.notice.emit("info", f"Not sent: {NOT_ARMED} F9 arms it.")
        elif word == "cancel-mine":
            self.hand.cancel_of(key, mode)
        elif word == "flatten":
            self.hand.flatten(key, mode)
        elif word == "reverse":
            self.hand.reverse(key, mode)
        elif word in ("buy-market", "sell-market"):
            action = Action.BUY if word == "buy-market" else Action.SELL
            self._send(self._request(action, PriceType.MARKET), mode)
        else:
            self._join(Action.BUY if word == "join-bid" else Action.SELL, mode)

    def _join(self, action: Action, mode: Mode) -> None:
        """A limit at the best price of the own side."""
        assert self.instrument is not None
        tick = self.bridge.latest(self.instrument.key)
        best = quote.price(tick, "bid" if action is Action.BUY else "ask")
        if best is None:
            self.bridge.notice.emit("warning", "Not sent: nobody quotes on that side.")
            return
        self._send(self._request(action, PriceType.LIMIT, best), mode)

    # -- menu -------------------------------------------------------------------------------
    def _on_menu(self, at: QPoint, cell: Cell) -> None:
        if self.instrument is not None:
            menu = self.menu()
            ladder_menu.fill(self, menu, cell)
            menu.popup(at)

    def toggle_centre(self) -> None:
        """Whether the last price is brought back to the middle by itself."""
        self.auto_centre = not self.auto_centre
        self.dirty = True

    def mark(self, number: int, colour: int) -> None:
        """Colour the price of a row (0: no more)."""
        if self.instrument is not None:
            self._marks.put(self.instrument.key, number * self.view.grid.group, colour)
            self._show_marks()

    def _show_marks(self) -> None:
        self.view.marks = self._marks.by_row(self.key, self.view.grid)
        self.view.update()

    def regroup(self, group: int) -> None:
        """So many ticks in a row."""
        self.view.grid.regroup(group, self._last or 0.0)
        self._show_marks()
        self.dirty = True

    def count_anew(self) -> None:
        """Forget the volume that was seen."""
        self.volumes.restart(fmt.clock_text(self.bridge.now())[:5])
        self.dirty = True

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        return (
            super().save_state()
            | self.bar.save_state()
            | {
                "group_ticks": self.view.grid.group,
                "auto_centre": self.auto_centre,
                "marks": self._marks.save(),
            }
        )

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        self.bar.restore_state(state)
        group = state.get("group_ticks")
        if isinstance(group, int) and group in GROUPS:
            self.view.grid.group = group
        self.auto_centre = state.get("auto_centre") is not False
        self._marks.restore(state.get("marks"))
        self._show_marks()
