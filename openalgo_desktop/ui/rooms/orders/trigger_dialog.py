"""The form of a trigger: one order, or a pair of which one goes out, when a price comes. Kept by
this program, or by the broker where it has good-till-triggered orders."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import msgspec
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import (
    CASH_EXCHANGES,
    Action,
    FeedMode,
    GttType,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING, Trigger, TriggerLeg
from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.fields import CountField, Field, PriceField
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

OURS, BROKERS = "This program", "The broker (GTT)"
SINGLE, PAIR = "One order", "OCO pair"
#: The last price is shown anew this often, milliseconds.
LOOK_MS = 300
_WIDE = 460
#: Several forms are open together: each wants prices in its own name.
_NUMBERS = count(1)


class TriggerDialog(QDialog):
    """New (with or without a ``key``), or a trigger or GTT to change. Not modal."""

    def __init__(
        self, parent: QWidget, bridge: Bridge, key: Key | None, old: Trigger | Gtt | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._mode = bridge.mode
        self._old = old
        self._owner = f"dialog-trigger {next(_NUMBERS)}"
        self._key: Key | None = None
        self._sending = False
        self.setModal(False)
        self.setMinimumWidth(_WIDE)
        named(self, "dialog-trigger", "Change trigger" if old is not None else "New trigger")
        self.setWindowTitle(f"{self.accessibleName()}  ·  {self._mode.value.upper()}")
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self.search = SymbolSearch(bridge, "dialog-trigger-search", "Symbol")
        self.search.chosen.connect(self.show_symbol)
        self.search.setVisible(old is None)
        column.addWidget(self.search)
        self.heading = label("Pick a symbol", "dialog-trigger-symbol", "heading")
        column.addWidget(self.heading)
        self._make_choices(column)
        self._make_fields(column)
        self.hint = label("", "dialog-trigger-hint", "muted")
        self.hint.setWordWrap(True)
        self.hint.ensurePolished()
        self.hint.setMinimumHeight(2 * self.hint.fontMetrics().lineSpacing() + 2)
        self.answer = label("", "dialog-trigger-result", "error")
        self.answer.setWordWrap(True)
        column.addWidget(self.hint)
        column.addWidget(self.answer)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(push_button("Close", "dialog-trigger-close", "Close", self.close))
        self.save = sends(
            push_button("Save", "dialog-trigger-save", "Save the trigger", self._submit)
        )
        row.addWidget(self.save)
        column.addLayout(row)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._show_words)
        self._timer.start()
        if key is not None:
            self.show_symbol(key)
        if old is not None:
            self._fill(old)
        self._arrange()

    def _make_choices(self, column: QVBoxLayout) -> None:
        self.keeper = Segments("dialog-trigger-keeper", "Watched by", (OURS, BROKERS))
        self.kind = Segments("dialog-trigger-kind", "Kind", (SINGLE, PAIR))
        self.side = Segments("dialog-trigger-side", "Side", tuple(side.value for side in Action))
        for side in Action:
            self.side.button(side.value).setProperty("role", f"side-{side.value.lower()}")
        self.product = Segments(
            "dialog-trigger-product", "Product", tuple(product.value for product in Product)
        )
        self.price_type = Segments(
            "dialog-trigger-price-type",
            "Price type",
            (PriceType.MARKET.value, PriceType.LIMIT.value),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.addWidget(self.keeper, 0, 0, 1, 2)
        grid.addWidget(self.side, 1, 0)
        grid.addWidget(self.kind, 1, 1)
        grid.addWidget(self.product, 2, 0)
        grid.addWidget(self.price_type, 2, 1)
        column.addLayout(grid)
        self.kind.changed.connect(self._propose)
        for choice in (self.keeper, self.side, self.kind, self.product, self.price_type):
            choice.changed.connect(lambda _: self._arrange())
        self.keeper.setVisible(self._bridge.watch.has_gtt and self._old is None)

    def _make_fields(self, column: QVBoxLayout) -> None:
        self.units = CountField()
        self.units.setMinimum(1)
        self.trigger, self.price = PriceField(), PriceField()
        self.upper, self.upper_price = PriceField(), PriceField()
        self._fields = {
            "quantity": Field("Quantity", self.units, "dialog-trigger-quantity"),
            "trigger_price": Field("Price comes to", self.trigger, "dialog-trigger-price"),
            "price": Field("Limit", self.price, "dialog-trigger-limit"),
            "upper": Field("Price rises to", self.upper, "dialog-trigger-upper"),
            "upper_price": Field("Limit there", self.upper_price, "dialog-trigger-upper-limit"),
        }
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        for place in (0, 1):
            grid.setColumnStretch(place, 1)
        places = ((0, 0), (1, 0), (1, 1), (2, 0), (2, 1))
        for field, (row, place) in zip(self._fields.values(), places, strict=True):
            grid.addWidget(field, row, place)
        column.addLayout(grid)
        for editor in (self.units, self.trigger, self.price, self.upper, self.upper_price):
            editor.valueChanged.connect(lambda _: self._show_words())

    def closeEvent(self, event: object) -> None:
        self._timer.stop()
        self._bridge.forget(self._owner)
        super().closeEvent(event)  # type: ignore[arg-type]

    # -- what is shown ----------------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        """The order is for ``key``."""
        instrument = self._bridge.instrument(key)
        if instrument is None:
            return
        self._key = key
        self.search.clear()
        self._bridge.prices.want(self._owner, {key: FeedMode.LTP})
        lot = max(1, instrument.lot_size)
        self.units.setSingleStep(lot)
        self.units.setValue(lot)
        caption = "Quantity" if lot == 1 else f"Quantity (lot {fmt.quantity(lot)})"
        self._fields["quantity"].caption.setText(caption)
        for editor in (self.trigger, self.price, self.upper, self.upper_price):
            editor.set_tick(instrument.tick_size)
        self._arrange()

    def _propose(self, kind: str) -> None:
        """A pair mostly leaves a position: its side, quantity and product are put in."""
        if kind != PAIR or self._old is not None or self._key is None:
            return
        held = [row for row in self._bridge.books.positions_of(self._key) if row.quantity]
        if len(held) != 1:
            return
        (row,) = held
        side = Action.SELL if row.quantity > 0 else Action.BUY
        self._set(side, abs(row.quantity), row.product, PriceType(self.price_type.value()))

    def _fill(self, old: Trigger | Gtt) -> None:
        match old:
            case Trigger():
                first = min(old.legs, key=lambda leg: leg.price)
                last = max(old.legs, key=lambda leg: leg.price)
                request = first.request
                self._set(request.action, request.quantity, request.product, request.price_type)
                self.kind.choose(PAIR if old.is_oco else SINGLE)
                self.trigger.setValue(float(first.price))
                self.price.setValue(request.price)
                self.upper.setValue(float(last.price))
                self.upper_price.setValue(last.request.price)
            case Gtt():
                self.keeper.choose(BROKERS)
                self._set(old.action, old.quantity, old.product, old.price_type)
                self.kind.choose(PAIR if old.trigger_type is GttType.OCO else SINGLE)
                low = min(old.legs, key=lambda leg: leg.trigger_price)
                high = max(old.legs, key=lambda leg: leg.trigger_price)
                self.trigger.setValue(low.trigger_price)
                self.price.setValue(low.price)
                self.upper.setValue(high.trigger_price)
                self.upper_price.setValue(high.price)
                self.kind.setEnabled(False)  # brokers keep kind and side of a GTT
                self.side.setEnabled(False)

    def _set(self, action: Action, units: int, product: Product, kind: PriceType) -> None:
        self.side.choose(action.value)
        self.units.setValue(units)
        self.product.choose(product.value)
        self.price_type.choose(kind.value)

    def _arrange(self) -> None:
        """Only what belongs to the choices."""
        broker = self.keeper.value() == BROKERS
        if self._key is not None:
            delivery = Product.CNC if self._key[0] in CASH_EXCHANGES else Product.NRML
            days = () if broker else (Product.MIS.value,)
            self.product.allow((*days, delivery.value))
        pair, limit = self.kind.value() == PAIR, self.price_type.value() == PriceType.LIMIT.value
        self._fields["trigger_price"].caption.setText(
            "Price falls to" if pair else "Price comes to"
        )
        self._fields["price"].setVisible(limit)
        self._fields["upper"].setVisible(pair)
        self._fields["upper_price"].setVisible(pair and limit)
        self._show_words()
        self._fit()

    def _fit(self) -> None:
        """As tall as what is shown now, and no less."""
        self.answer.setVisible(bool(self.answer.text()))
        self.adjustSize()

    def _ltp(self) -> float | None:
        tick = self._bridge.latest(self._key) if self._key is not None else None
        return tick.ltp if tick is not None and tick.ltp > 0 else None

    def _show_words(self) -> None:
        """What would happen, in a sentence, beside the last price."""
        ready = self._key is not None
        self.save.setEnabled(ready and not self._sending)
        if self._key is None:
            self.hint.setText("")
            return
        ltp, places = self._ltp(), self._bridge.places(self._key)
        now = fmt.exact(ltp, places) if ltp is not None else fmt.MISSING
        self.heading.setText(f"{self._bridge.name(self._key)}  {self._key[0]}  LTP {now}")
        side = self.side.value()
        set_role(self.save, f"send-{side.lower()}")
        self.save.setText(f"Save: {side} {fmt.quantity(self.units.value())}")
        ours = self.keeper.value() == OURS
        keeps = f"This works {ONLY_WHILE_RUNNING}." if ours else "The broker keeps it."
        self.hint.setText(f"{self._when(places, ltp)} {keeps}")

    def _when(self, places: int, ltp: float | None) -> str:
        at = fmt.exact(self.trigger.value(), places)
        if self.kind.value() == PAIR:
            upper = fmt.exact(self.upper.value(), places)
            return f"One goes out when the price falls to {at} or rises to {upper}; the other ends."
        if not self.trigger.value() or ltp is None:
            return "The order goes out when the price comes."
        way = "falls" if self.trigger.value() < ltp else "rises"
        return f"Goes out when the price {way} to {at}."

    # -- sending ----------------------------------------------------------------------------
    def _submit(self) -> None:
        if self._sending or self._key is None:
            return
        for field in self._fields.values():
            field.set_error("")
        self.answer.setText("")
        prices = (self.trigger, self.price, self.upper, self.upper_price)
        problems = [self.units.problem(), *(editor.problem() for editor in prices)]
        for problem, field in zip(problems, self._fields.values(), strict=True):
            if problem and field.isVisibleTo(self):
                field.set_error(problem)
                return
        ltp = self._ltp()
        if ltp is None:
            self._say("The last price is not known, so nobody can tell the way to it.")
            return
        self._sending = True
        self.save.setEnabled(False)
        self._bridge.spawn(self._send(self._key, ltp), "save trigger")

    async def _send(self, key: Key, ltp: float) -> None:
        try:
            if self.keeper.value() == BROKERS:
                await self._send_gtt(key, ltp)
            else:
                await self._send_ours(key, ltp)
        except AppError as error:
            if not is_open(self):
                raise
            self._told(error)
            self._sending = False
            self.save.setEnabled(True)
            return
        self._bridge.notice.emit("info", f"The trigger of {self._bridge.name(key)} is set.")
        if is_open(self):
            self.close()

    async def _send_ours(self, key: Key, ltp: float) -> None:
        pair = self.kind.value() == PAIR
        legs = [self._leg(key, self.trigger, self.price, pair or self.trigger.value() < ltp)]
        if pair:
            legs.append(self._leg(key, self.upper, self.upper_price, False))
        watch = self._bridge.watch
        match self._old:
            case Trigger():
                await watch.change_trigger(self._old.plan_id, tuple(legs), self._mode)
            case _:
                await watch.add_trigger(tuple(legs), self._mode)

    def _leg(self, key: Key, trigger: PriceField, price: PriceField, below: bool) -> TriggerLeg:
        kind = PriceType(self.price_type.value())
        request = OrderRequest(
            symbol=key[1],
            exchange=key[0],
            action=Action(self.side.value()),
            quantity=self.units.value(),
            price_type=kind,
            product=Product(self.product.value()),
            price=round(price.value(), 6) if kind.has_price else 0.0,
        )
        return TriggerLeg(Decimal(str(round(trigger.value(), 6))), below, request)

    async def _send_gtt(self, key: Key, ltp: float) -> None:
        pair = self.kind.value() == PAIR
        limit = self.price_type.value() == PriceType.LIMIT.value
        low, price = round(self.trigger.value(), 6), round(self.price.value(), 6) * limit
        request = GttRequest(
            trigger_type=GttType.OCO if pair else GttType.SINGLE,
            symbol=key[1],
            exchange=key[0],
            action=Action(self.side.value()),
            quantity=self.units.value(),
            product=Product(self.product.value()),
            price_type=PriceType(self.price_type.value()),
        )
        if pair:
            request = msgspec.structs.replace(
                request,
                trigger_below=low,
                trigger_above=round(self.upper.value(), 6),
                stoploss=price,
                target=round(self.upper_price.value(), 6) * limit,
            )
        elif low < ltp:
            request = msgspec.structs.replace(request, trigger_below=low, price=price)
        else:
            request = msgspec.structs.replace(request, trigger_above=low, price=price)
        match self._old:
            case Gtt():
                await self._bridge.watch.modify_gtt(self._old, request, self._mode)
            case _:
                await self._bridge.watch.place_gtt(request, self._mode)

    def _told(self, error: AppError) -> None:
        text = self._bridge.names.spoken(self._bridge.clean(error.message))
        name = error.field if isinstance(error, InvalidOrder) else ""
        field = self._fields.get(name)
        if field is not None and field.isVisibleTo(self):
            field.set_error(text)
        else:
            self._say(text)
        self._fit()

    def _say(self, text: str) -> None:
        self.answer.setText(text)
        self._fit()
