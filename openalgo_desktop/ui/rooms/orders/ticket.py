"""The order ticket: never modal, says what is wrong under the field, shows its answer inline."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from openalgo_desktop.core.enums import (
    CASH_EXCHANGES,
    Action,
    FeedMode,
    Mode,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import AppError, InvalidOrder, RejectedByBroker
from openalgo_desktop.core.model import Instrument, Key, OrderRequest
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.engine.ordering import check_order
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.fields import (
    BORDER,
    CountField,
    Field,
    FieldGrid,
    HatchedFrame,
    PriceField,
    Segments,
    VerticalArea,
)
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role
from openalgo_desktop.ui.rooms.orders.ticket_facts import TicketFacts, order_text, value_text


class TicketDock(Dock):
    """Buy or sell the linked symbol."""

    name = "ticket"
    title = "Order ticket"
    linkable = True
    empty_text = "Pick a symbol\nCtrl+K, the watchlist or the chart"
    priority = 0

    def __init__(self, bridge: Bridge, name: str = "") -> None:
        super().__init__(bridge, name)
        self.instrument: Instrument | None = None
        self._sending = False
        self._attempted = False
        self.frame = named(HatchedFrame(), "ticket-frame", "Order ticket")
        self._build()
        area = named(VerticalArea(), "ticket-scroll", "Order ticket")
        area.setWidget(self.frame)
        self.content.addWidget(area)
        self.place_empty_over(area)
        self.set_empty(True)
        self.listen(bridge.price_picked, self._on_price_picked)
        self.listen(bridge.mode_changed, self._on_mode)
        for changed in (
            bridge.books.positions_changed,
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
        column = QVBoxLayout(self.frame)
        column.setContentsMargins(BORDER + 8, BORDER + 6, BORDER + 8, BORDER + 6)
        column.setSpacing(7)
        head = QHBoxLayout()
        self.symbol = label("", "ticket-symbol", "heading")
        self.symbol.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.ltp = label("", "ticket-ltp", "number")
        self.ltp.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.symbol, 1)
        head.addWidget(self.ltp)
        column.addLayout(head)
        column.addLayout(self._build_side())
        self.price_type = Segments(
            "ticket-price-type", "Price type", tuple(kind.value for kind in PriceType)
        )
        self.product = Segments(
            "ticket-product", "Product", tuple(product.value for product in Product)
        )
        column.addWidget(self.price_type)
        column.addWidget(self.product)
        self.product_error = label("", "ticket-product-error", "error")
        self.product_error.setWordWrap(True)
        self.product_error.hide()
        column.addWidget(self.product_error)
        column.addLayout(self._build_fields())
        self.estimate = label("", "ticket-estimate", "muted")
        self.estimate.setWordWrap(True)
        column.addWidget(self.estimate)
        self.send = named(QPushButton(), "ticket-send", "Send order")
        self.send.setStyleSheet("min-height: 30px;")  # the theme's sheet wins over the property
        self.send.clicked.connect(lambda _checked: self.submit())
        column.addWidget(self.send)
        self.result = label("", "ticket-result")
        self.result.setWordWrap(True)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.result)
        self.facts = TicketFacts(self.bridge, self.spawn)
        column.addWidget(self.facts)
        column.addStretch(1)
        self.price_type.changed.connect(self._on_price_type)
        self.product.changed.connect(lambda _: self._edited())
        self._on_price_type(self.price_type.value())

    def _build_side(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        self._sides = QButtonGroup(self)
        self.side_buttons: dict[Action, QPushButton] = {}
        for action in Action:
            button = named(
                QPushButton(action.value), f"ticket-{action.value.lower()}", action.value.title()
            )
            button.setCheckable(True)
            button.setProperty("role", f"side-{action.value.lower()}")
            button.setMinimumHeight(30)
            self._sides.addButton(button)
            self.side_buttons[action] = button
            row.addWidget(button, 1)
        self.side_buttons[Action.BUY].setChecked(True)
        self._sides.buttonClicked.connect(lambda _: self._edited())
        return row

    def _build_fields(self) -> FieldGrid:
        grid = self._grid = FieldGrid()
        self.lots = CountField()
        self.units = CountField()
        self.price = PriceField()
        self.trigger = PriceField()
        self.lots_field = Field("Lots", self.lots, "ticket-lots")
        self.units_field = Field("Quantity", self.units, "ticket-quantity")
        self.price_field = Field("Price", self.price, "ticket-price")
        self.trigger_field = Field("Trigger price", self.trigger, "ticket-trigger")
        self._fields = (self.lots_field, self.units_field, self.price_field, self.trigger_field)
        grid.place(self._fields)
        self.lots.valueChanged.connect(self._on_lots)
        self.units.valueChanged.connect(self._on_units)
        self.price.valueChanged.connect(lambda _: self._edited())
        self.trigger.valueChanged.connect(lambda _: self._edited())
        return grid

    # -- state ------------------------------------------------------------------------------
    @property
    def action(self) -> Action:
        """The chosen side."""
        return Action.BUY if self.side_buttons[Action.BUY].isChecked() else Action.SELL

    def set_action(self, action: Action) -> None:
        """Choose the side."""
        self.side_buttons[action].setChecked(True)
        self._edited()

    def show_symbol(self, key: Key) -> None:
        instrument = self.bridge.instrument(key)
        if instrument is None:
            return
        self.instrument = instrument
        self._attempted = False
        self.want({key: FeedMode.QUOTE})
        name = self.bridge.name(key)
        self.symbol.setText(name)
        self.symbol.setToolTip(plain_tip(contract_tip(key)))
        self.set_subject(f"{name}  {instrument.exchange}", contract_tip(key))
        for field in (self.price, self.trigger):
            field.set_tick(instrument.tick_size)
        cash = instrument.exchange in CASH_EXCHANGES
        fitting = (Product.MIS, Product.CNC if cash else Product.NRML)
        self.product.allow(tuple(product.value for product in fitting))
        preferred = str(self.bridge.setting("ui.default_product"))
        if preferred in fitting:
            self.product.choose(preferred)
        self.units.setSingleStep(max(1, instrument.lot_size))
        self._show_fields()
        self.units.setValue(instrument.lot_size)
        self._on_units(self.units.value())
        self._fill_prices()
        self.result.clear()
        self.set_empty(False)
        self.dirty = True

    def take_wish(self, wish: TicketWish) -> None:
        """Show what a position, a chart or a ladder wants; nothing is sent."""
        if self.bridge.instrument(wish.key) is None:
            return
        self.show_symbol(wish.key)
        if wish.action is not None:
            self.side_buttons[wish.action].setChecked(True)
        if wish.price_type is not None:
            self.price_type.choose(wish.price_type.value)
        if wish.product is not None:
            self.product.choose(wish.product.value)
        if wish.quantity:
            self.units.setValue(wish.quantity)
        if wish.price:
            self.price.setValue(wish.price)
        if wish.trigger_price:
            self.trigger.setValue(wish.trigger_price)
        self._edited()

    def _fill_prices(self) -> None:
        assert self.instrument is not None
        self.price.setValue(self._last() or 0.0)
        self.trigger.setValue(0.0)
        self._edited()

    def _last(self) -> float | None:
        """The last price, None while there is none that may be traded on: an old one is not
        offered as a limit."""
        if self.instrument is None or self.bridge.feed.is_stale(self.instrument.key):
            return None
        return quote.price(self.bridge.latest(self.instrument.key))

    def _show_fields(self) -> None:
        kind = PriceType(self.price_type.value())
        lots = self.instrument is not None and self.instrument.lot_size > 1
        wanted = (lots, True, kind.has_price, kind.has_trigger)
        self._grid.place(
            [field for field, shown in zip(self._fields, wanted, strict=True) if shown]
        )

    def _on_price_type(self, text: str) -> None:
        kind = PriceType(text)
        self._show_fields()
        if kind.has_price and not self.price.value():
            self.price.setValue(self._last() or 0.0)
        self._edited()

    def _on_lots(self, lots: int) -> None:
        if self.instrument is not None:
            self._set_quietly(self.units, lots * self.instrument.lot_size)
        self._edited()

    def _on_units(self, units: int) -> None:
        if self.instrument is not None:
            self._set_quietly(self.lots, units // max(1, self.instrument.lot_size))
        self._edited()

    @staticmethod
    def _set_quietly(field: CountField, value: int) -> None:
        field.blockSignals(True)
        field.setValue(value)
        field.blockSignals(False)

    def _on_price_picked(self, key: Key, price: float, side: str) -> None:
        if self.instrument is None or self.instrument.key != key:
            if not self.linked:
                return
            self.show_symbol(key)
        if side:
            self.side_buttons[Action(side)].setChecked(True)
        kind = PriceType(self.price_type.value())
        if kind is PriceType.MARKET:
            self.price_type.choose(PriceType.LIMIT.value)
        if kind is PriceType.SLM:
            self.trigger.setValue(price)
        else:
            self.price.setValue(price)
        self._edited()

    def _mark_dirty(self, *_: object) -> None:
        self.dirty = True

    def _on_mode(self, mode: Mode) -> None:
        self.frame.set_hatched(mode is Mode.SANDBOX)
        self._edited()

    # -- the order --------------------------------------------------------------------------
    def request(self) -> OrderRequest:
        """The order as the fields stand."""
        assert self.instrument is not None
        kind = PriceType(self.price_type.value())
        return OrderRequest(
            symbol=self.instrument.symbol,
            exchange=self.instrument.exchange,
            action=self.action,
            quantity=self.units.value(),
            price_type=kind,
            product=Product(self.product.value()),
            price=round(self.price.value(), 6) if kind.has_price else 0.0,
            trigger_price=round(self.trigger.value(), 6) if kind.has_trigger else 0.0,
        )

    def _edited(self) -> None:
        """Something changed: check, and refresh what depends on the fields."""
        if self.instrument is None:
            return
        self._clear_errors()
        self.send.setEnabled(not self.instrument.is_index)
        if self.instrument.is_index:
            self.facts.ask_margin(None)
            self.send.setText("Not tradable")
            self.estimate.setText("An index has no orders: pick a future, an option or a share.")
            return
        request = self.request()
        try:
            check_order(request, self.instrument)
            self.facts.ask_margin(request)
        except AppError as error:
            self.facts.ask_margin(None)
            # A trigger that was not typed yet is no mistake before the first attempt.
            if self._attempted or self.trigger.value() or not self.trigger_field.isVisibleTo(self):
                self._show_error(error)
        self._update_button()

    def _update_button(self) -> None:
        assert self.instrument is not None
        request = self.request()
        text = order_text(request, decimals(self.instrument.tick_size))
        self.send.setText(text)
        self.send.setAccessibleName(f"Send order: {text} {self.bridge.name(request.key)}")
        set_role(self.send, f"send-{request.action.value.lower()}")
        self.estimate.setText(value_text(request, self.instrument, self._last()))

    def _clear_errors(self) -> None:
        for field in self._fields:
            if field.error():
                field.set_error("")
        self.product_error.hide()
        self.product_error.clear()

    def _show_error(self, error: AppError) -> None:
        """The message under its field; what belongs to no field goes to the result line."""
        name = error.field if isinstance(error, InvalidOrder) else ""
        field = {
            "quantity": self.units_field,
            "price": self.price_field,
            "trigger_price": self.trigger_field,
        }.get(name)
        if field is not None and field.isVisibleTo(self.frame):
            field.set_error(error.message)
        elif name == "product":
            self.product_error.setText(error.message)
            self.product_error.show()
        else:
            self._show_result(error.message, "error")

    def _show_result(self, text: str, role: str) -> None:
        self.result.setText(text)
        self.result.setAccessibleName(text)
        set_role(self.result, role)

    # -- sending ----------------------------------------------------------------------------
    def submit(self) -> None:
        """Send the order as it stands; nothing happens while one is on its way."""
        if self.instrument is None or self.instrument.is_index or self._sending:
            return
        self._attempted = True
        self._edited()
        request = self.request()
        try:
            check_order(request, self.instrument)
        except AppError as error:
            self._show_error(error)
            return
        self._sending = True
        self.spawn(self._send(request, self.bridge.mode), "send order", sends=True)

    async def _send(self, request: OrderRequest, mode: Mode) -> None:
        try:
            if self.bridge.is_repeat(request) and not await confirm(
                self,
                "Same order again?",
                f"The very same order was sent a moment ago: {request.action.value} "
                f"{request.quantity} {self.bridge.name(request.key)}. Send it once more?",
                "Send again",
            ):
                return
            self._show_result("Sending ...", "muted")
            placed = await self.bridge.place(request, mode)
            where = "sandbox" if placed.mode is Mode.SANDBOX else "LIVE"
            ids = ", ".join(placed.ids)
            what = f"{len(placed.ids)} orders {ids}" if len(placed.ids) > 1 else f"Order {ids}"
            self._show_result(f"✓ {what} sent ({where})", "success")
        except InvalidOrder as error:
            self._show_result("", "muted")
            self._show_error(error)
        except RejectedByBroker as error:
            self._show_result(f"✕ Rejected: {error.message}", "error")
        except AppError as error:
            self._show_result(f"✕ {error.message}", "error")
        finally:
            self._sending = False

    # -- prices -----------------------------------------------------------------------------
    def take(self, ticks: Ticks) -> None:
        if self.instrument is not None and self.instrument.key in ticks:
            self.dirty = True

    def flush(self) -> None:
        self.dirty = False
        if self.instrument is None:
            return
        key, feed = self.instrument.key, self.bridge.feed
        tick = self.bridge.latest(key)
        self.facts.show_facts(self.instrument, tick, self.units.value())
        last = quote.price_text(tick, "ltp", decimals(self.instrument.tick_size))
        # What is wrong with the price matters more than how far it is from yesterday's.
        self.ltp.setText(f"{last}  {feed.note(key) or quote.percent_text(tick)}")
        self.ltp.setToolTip(plain_tip(feed.tip(key)))
        set_role(self.ltp, "stale" if feed.is_stale(key) else quote.tone(tick), "tone")
        if not self.price.value() and not self.price.hasFocus():
            self.price.setValue(self._last() or 0.0)
        market = PriceType(self.price_type.value()) is PriceType.MARKET
        if market and not self.instrument.is_index:
            self._update_button()

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
