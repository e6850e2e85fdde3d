"""The order ticket: never modal, says what is wrong under the field, shows its answer inline.

It begins without a side for each symbol, and sends only by its button (or its key while the ticket
has the focus). The button is pinned under what scrolls: it never moves and is never covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec
from PySide6.QtWidgets import QWidget

from openalgo_desktop.config.order_settings import MOST_SIZES
from openalgo_desktop.core.enums import Action, FeedMode, Mode, PriceType, Product
from openalgo_desktop.core.errors import (
    AppError,
    InvalidOrder,
)
from openalgo_desktop.core.exits import ExitSpec
from openalgo_desktop.core.following import Followed, followed
from openalgo_desktop.core.model import Instrument, Key, OrderRequest, Position
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.ticketing import TicketUse, TicketWish, of_position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.names import contract_tip, exchange_text
from openalgo_desktop.ui.kit.widgets import plain_tip
from openalgo_desktop.ui.rooms.orders.ticket_sender import TicketSender
from openalgo_desktop.ui.rooms.orders.ticket_text import one_line, value_text
from openalgo_desktop.ui.rooms.orders.ticket_use import held_of, is_typed, still_fits, too_much
from openalgo_desktop.ui.rooms.orders.ticket_view import TicketView

#: What the button says while no side is chosen.
CHOOSE_SIDE = "Choose BUY or SELL"


class TicketDock(Dock):
    """Buy or sell the linked symbol."""

    name = "ticket"
    title = "Order ticket"
    linkable = True
    empty_text = "Pick a symbol\nCtrl+K, the watchlist or the chart"
    priority = 0

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self.instrument: Instrument | None = None
        self.use = TicketUse.OPEN
        self._use_product: Product | None = None
        self._attempted = False
        self._pressed: tuple[OrderRequest | None, ExitSpec | None, Mode] | None = None
        self._build()
        self.sending = TicketSender(
            self, bridge, self.foot, self.spoken, self._show_error, self._sent, self._shown
        )
        self.content.addWidget(self.frame)
        self.place_empty_over(self.frame)
        self.set_empty(True)
        self.listen(bridge.price_picked, self._on_price_picked)
        self.listen(bridge.mode_changed, self._on_mode)
        self.listen(bridge.books.positions_changed, self._on_books)
        self.listen(bridge.books.funds_changed, self._on_books)
        self.listen(bridge.setting_changed, self._on_setting)
        for changed in (
            bridge.books.orders_changed,
            bridge.books.orders_updated,
            bridge.feed.changed,
            bridge.feed.refused,
            bridge.feed.aged,
        ):
            self.listen(changed, self._mark_dirty)
        self._on_mode(bridge.mode)

    # -- building ---------------------------------------------------------------------------
    def _build(self) -> None:
        view = self.frame = TicketView(
            self.bridge, self.spawn, self._on_press, self._on_click, self.body
        )
        self.position_bar, self.form, self.bracket = view.position_bar, view.form, view.bracket
        self.extras, self.estimate, self.facts = view.extras, view.estimate, view.facts
        self.area, self.foot, self.symbol, self.ltp = view.area, view.foot, view.symbol, view.ltp
        form, foot = self.form, self.foot
        self.send, self.result, self.warning = foot.send, foot.result, foot.warning
        self.price_type, self.product = form.price_type, form.product
        self.lots, self.units = form.lots, form.units
        self.price, self.trigger = form.price, form.trigger
        self.units_field, self.price_field = form.units_field, form.price_field
        self.trigger_field, self.side_buttons = form.trigger_field, form.side_buttons
        self.position_bar.wanted.connect(self._on_position)
        self.extras.basket.clicked.connect(lambda _: self._to_basket())
        form.changed.connect(self._on_form)
        self.bracket.changed.connect(self._on_form)
        numbers = range(1, MOST_SIZES + 1)
        self.answer_keys(self, {f"size-{n}": partial(form.choose_size, n) for n in numbers})

    # -- symbol and wishes ------------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        instrument = self.bridge.instrument(key)
        if instrument is None or (self.instrument is not None and self.instrument.key == key):
            return
        self._begin(instrument)
        self._edited()

    def _begin(self, instrument: Instrument) -> None:
        """A new ticket: what was meant for another symbol, or another use, is gone."""
        key = instrument.key
        if self.instrument is not None and self.instrument.key != key:
            self.bracket.on.setChecked(False)  # its distances were meant for the other price
        self.instrument = instrument
        self._attempted = False
        self._set_use(TicketUse.OPEN, None)
        self.want({key: FeedMode.QUOTE})
        name = self.bridge.name(key)
        self.symbol.setText(name)
        self.symbol.setToolTip(plain_tip(contract_tip(key)))
        self.set_subject(f"{name}  {exchange_text(instrument.exchange)}", contract_tip(key))
        lots = "lots" if instrument.lot_size > 1 else "units"
        sizes = [int(size) for size in self.bridge.setting(f"ticket.sizes_{lots}").split(",")]
        first = int(self.bridge.setting("ui.default_lots"))
        product = self.bridge.setting("ui.default_product")
        self.form.show_instrument(instrument, product, sizes, first)
        self.foot.say("", "muted")
        self.set_empty(False)
        self.dirty = True

    def take_wish(self, wish: TicketWish) -> None:
        """Show what a position, a chart or a ladder wants; nothing is sent."""
        instrument = self.bridge.instrument(wish.key)
        if instrument is None:
            return
        self._begin(instrument)
        self.form.fill(wish)
        self._set_use(wish.use, wish.product)
        self._edited()
        self.form.focus_for(wish.use)

    def type_size(self) -> None:
        """The keyboard goes to the size: lots, or units where there are none."""
        self.form.type_size()

    def _on_position(self, row: Position, use: TicketUse) -> None:
        if self.instrument is not None:
            self.take_wish(of_position(row, use, self.instrument))

    def _set_use(self, use: TicketUse, product: Product | None) -> None:
        self.use, self._use_product = use, product
        self.position_bar.mark(product, use)
        self.bracket.setVisible(not use.leaves)  # an exit needs no exits

    def _to_basket(self) -> None:
        """Add the order to the basket as it stands."""
        request = self.request()
        if request is None:
            self.foot.say("✕ Choose a symbol and BUY or SELL first.", "error")
        elif not self.form.unread() and self._check(request, told=True):
            self.bridge.basket_wanted.emit(request)
            self.foot.say("In the basket; nothing was sent.", "muted")

    def _check_use(self, request: OrderRequest | None) -> None:
        """Another side or product than the position's: it is a plain order again."""
        if self.use is TicketUse.OPEN or request is None:
            return
        if not still_fits(self.use, self._use_product, request, self._held(request)):
            self._set_use(TicketUse.OPEN, None)

    def _held(self, request: OrderRequest) -> Position | None:
        return held_of(self.bridge.books.positions_of(request.key), request)

    # -- state ------------------------------------------------------------------------------
    @property
    def action(self) -> Action | None:
        """The chosen side; None until one is chosen."""
        return self.form.action

    def set_action(self, action: Action) -> None:
        """Choose the side."""
        self.form.set_action(action)
        self._edited()

    def request(self) -> OrderRequest | None:
        """The order as the fields stand; None while there is no symbol or no side."""
        return self.form.request()

    def is_about(self, request: OrderRequest) -> bool:
        """Whether the fields still say this order; a price that follows the market may differ."""
        now = self.request()
        if now is None or not self.form.follows:
            return now == request
        return msgspec.structs.replace(now, price=request.price) == request

    def spoken(self, request: OrderRequest) -> str:
        """An order of the instrument in one line."""
        row = self.bridge.instrument(request.key)
        lot, tick = (row.lot_size, row.tick_size) if row is not None else (1, 0.0)
        return one_line(request, lot, decimals(tick), self.bridge.name(request.key))

    def _last(self) -> float | None:
        """The last price, None while there is none that may be traded on."""
        if self.instrument is None:
            return None
        tick = self.bridge.orders.fresh(self.instrument.key)
        return quote.price(tick)

    def _on_price_picked(self, key: Key, price: float, side: str) -> None:
        if self.instrument is None or self.instrument.key != key:
            if not self.linked:
                return
            self.show_symbol(key)
        self.form.pick(price, Action(side) if side else None)
        self._edited()

    def _mark_dirty(self, *_: object) -> None:
        self.dirty = True

    def _on_books(self) -> None:
        self.facts.forget()
        self.dirty = True

    def _on_setting(self, key: str, value: object) -> None:
        if key.startswith(("confirm.", "sandbox.", "trading.")):
            self._on_books()
            self._edited()

    def _on_mode(self, mode: Mode) -> None:
        self.frame.set_hatched(mode is Mode.SANDBOX)
        self.form.show_fields()  # another account takes other orders
        self._edited()

    # -- the order --------------------------------------------------------------------------
    def _on_form(self) -> None:
        """A field was changed: what is said of the order before it is over."""
        if not self.sending.busy:
            self.foot.outdate()
        self._edited()

    def _edited(self) -> None:
        """Something was changed by hand: check, and refresh what depends on it."""
        if self.instrument is None:
            return
        self.frame.clear_errors()
        self.form.say_refused()
        self._show_order(by_hand=True)

    def _show_order(self, *, by_hand: bool) -> None:
        """Everything that depends on the order as it stands, or on its price."""
        row = self.instrument
        assert row is not None
        if row.is_index:
            self._show_nothing("Not tradable")
            self.estimate.setText("An index has no orders: pick a future, an option or a share.")
            return
        if not self.send.isDown():  # what is being clicked stays as it was read
            self.form.follow(self._followed)
        request = self.request()
        self._check_use(request)
        if request is None:
            self._show_nothing(CHOOSE_SIDE, self._both_sides())
            return
        leg = self.bridge.orders.leg(request, self.bridge.mode)
        good = self._check(request, told=by_hand)
        now = self.bridge.monotonic()
        orders = (request,) if good else ()
        self.facts.show_orders(orders, self.bridge.mode, now, by_hand=by_hand)
        self.facts.show_leg(leg, row)
        self.frame.show_warnings(leg)
        self.frame.show_button(request, row, self.spoken(request))
        self.estimate.setText(value_text(request, row, self._last()))

    def _both_sides(self) -> tuple[OrderRequest, ...]:
        """What BUY and SELL would send, as far as the fields say it: what each needs is shown
        before one is chosen."""
        form, found = self.form, []
        for action in Action:
            price = None
            if form.follows:
                price = self._followed(form.kind, action, form.trigger.value())[0] or 0.0
            request = form.request_of(action, price)
            if request is not None and self._check(request, told=False):
                found.append(request)
        return tuple(found)

    def _show_nothing(self, button: str, sides: tuple[OrderRequest, ...] = ()) -> None:
        """There is no order yet; ``sides`` are those that there may be."""
        assert self.instrument is not None
        now = self.bridge.monotonic()
        self.facts.show_orders(sides, self.bridge.mode, now, by_hand=False)
        self.facts.show_leg(None, self.instrument)
        self.foot.show_nothing(button)
        self.estimate.setText("")

    def _followed(self, kind: PriceType, action: Action, trigger: float) -> Followed:
        assert self.instrument is not None
        tick = self.bridge.orders.fresh(self.instrument.key)
        return followed(kind, action, self.instrument, tick, trigger)

    def _check(self, request: OrderRequest, *, told: bool) -> bool:
        """Whether the corridor would take it; what is wrong is ``told`` where it is no news that
        a field is still empty."""
        try:
            if self.form.lacks_trigger:  # the field to blame is not the one that follows it
                raise InvalidOrder("Enter a trigger price.", field="trigger_price")
            self.bridge.orders.check(request)
        except AppError as error:
            if told and (self._attempted or is_typed(request)):
                self._show_error(error)
            return False
        return True

    def _show_error(self, error: AppError) -> None:
        self.frame.show_error(error, scroll=self._attempted)

    # -- sending ----------------------------------------------------------------------------
    def _on_press(self) -> None:
        self._pressed = self._order()

    def _order(self) -> tuple[OrderRequest | None, ExitSpec | None, Mode]:
        """All that the button stands for."""
        return self.request(), self.bracket.spec(), self.bridge.mode

    def _on_click(self) -> None:
        """The button was let go: what goes out is what it said when it was pressed, or nothing."""
        if self._pressed == self._order():
            self.submit()
        else:
            self.foot.say("✕ Not sent: the order changed while the button was pressed.", "error")

    def submit(self, read: OrderRequest | None = None) -> None:
        """Send the order as it stands, or as the user has just ``read`` it in a question (a price
        that follows the market moved since). Nothing happens while one is on its way."""
        row = self.instrument
        if row is None or row.is_index or self.sending.busy:
            return
        self._attempted = True
        self.foot.outdate()
        self.frame.clear_errors()
        request = read or self.request()
        if request is None:
            self.foot.say("✕ Choose BUY or SELL first.", "error")
            return
        if self.form.unread() or self.bracket.unread():
            return
        if not self._check(request, told=True) or not self._within_position(request):
            return
        self.sending.busy = True
        work = self.sending.send(request, self.bracket.spec(), self.use, self.bridge.mode)
        self.spawn(work, "send order", sends=True)

    def _shown(self) -> Key | None:
        return self.instrument.key if self.instrument is not None else None

    def _within_position(self, request: OrderRequest) -> bool:
        text = too_much(self.use, request, self._held(request))
        if text:
            self.units_field.set_error(text)
        return not text

    def _sent(self, use: TicketUse) -> None:
        """The order is out. Once more of what leaves a position would open the other side."""
        self._attempted = False
        if use.leaves and self.use is use:
            self._set_use(TicketUse.OPEN, None)
            self.form.set_action(None)
            self._edited()

    # -- prices -----------------------------------------------------------------------------
    def take(self, ticks: Ticks) -> None:
        if self.instrument is not None and self.instrument.key in ticks:
            self.dirty = True

    def flush(self) -> None:
        self.dirty = False
        row = self.instrument
        if row is None:
            return
        key, feed, places = row.key, self.bridge.feed, decimals(row.tick_size)
        tick, stale = self.bridge.latest(key), feed.is_stale(key)
        self.facts.show_facts(row, tick)
        self.frame.show_price(tick, places, feed.note(key), feed.tip(key), stale)
        self.position_bar.show_positions(self.bridge.books.positions_of(key), row, places, stale)
        self._show_order(by_hand=False)

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        for name, segments in (("price_type", self.price_type), ("product", self.product)):
            value = state.get(name)
            if isinstance(value, str) and value in segments.options:
                segments.choose(value)

    def save_state(self) -> dict[str, object]:
        return super().save_state() | {
            "price_type": self.price_type.value(),
            "product": self.product.value(),
        }
