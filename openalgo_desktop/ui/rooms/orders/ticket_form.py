"""The inputs of the order ticket. Nothing here sends: the dock reads the order and sends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.following import Followed
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.offered import price_types, products
from openalgo_desktop.core.ticketing import TicketUse, TicketWish
from openalgo_desktop.ui.engine.ordering import OrderDoor
from openalgo_desktop.ui.kit.fields import CountField, Field, FieldGrid, PriceField
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.tab_order import order_tabs
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip
from openalgo_desktop.ui.rooms.orders.ticket_terms import TicketTerms

#: What follows nothing.
FIXED = "fixed"


class FollowField(Field):
    """A price with a chip that says what it follows; touched, it is fixed. A click on the chip
    makes it follow again."""

    def __init__(self, caption: str, editor: PriceField, object_name: str) -> None:
        super().__init__(caption, editor, object_name)
        self.chip = named(QToolButton(), f"{object_name}-follow", "What the price follows")
        self.chip.setProperty("role", "follow-chip")
        self.chip.setCheckable(True)
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.removeWidget(self.caption)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.caption)
        head.addStretch(1)
        head.addWidget(self.chip)
        column.insertLayout(0, head)

    def say(self, follows: bool, what: str) -> None:
        """Show the state."""
        text = f"follows {what}" if follows else FIXED
        self.chip.setChecked(follows)
        if self.chip.text() != text:
            self.chip.setText(text)
            self.chip.setAccessibleName(f"The price {text}" if follows else "The price is fixed")
            hint = "Type a price to fix it" if follows else "Click: follow the market again"
            self.chip.setToolTip(plain_tip(hint))


class TicketForm(QWidget):
    """Side, type, product, quantity and prices."""

    changed = Signal()

    def __init__(self, orders: OrderDoor) -> None:
        super().__init__()
        named(self, "ticket-form", "Order")
        self.terms = TicketTerms(orders, self._on_terms)
        self.instrument: Instrument | None = None
        self.follows = True
        self._sizes: list[QPushButton] = []
        self._editors: tuple[CountField | PriceField, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(self._build_side())
        self.price_type = Segments(
            "ticket-price-type", "Price type", tuple(kind.value for kind in PriceType)
        )
        self.product = Segments(
            "ticket-product", "Product", tuple(product.value for product in Product)
        )
        column.addWidget(self.price_type)
        row = QHBoxLayout()
        row.setSpacing(14)
        row.addWidget(self.product, 1)
        row.addWidget(self.terms.validity, 1)
        column.addLayout(row)
        self.product_error = label("", "ticket-product-error", "error")
        self.product_error.setWordWrap(True)
        self.product_error.hide()
        column.addWidget(self.product_error)
        column.addLayout(self._build_fields())
        self.size_row = QHBoxLayout()
        self.size_row.setSpacing(4)
        self.size_unit = label("", "ticket-size-unit", "caption")
        self.size_row.addWidget(self.size_unit)
        column.addLayout(self.size_row)
        self.price_type.changed.connect(self._on_price_type)
        self.product.changed.connect(lambda _: self.changed.emit())
        self.show_fields()

    # -- building ---------------------------------------------------------------------------
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
        self._sides.buttonClicked.connect(lambda _: self._on_side())
        return row

    def _build_fields(self) -> FieldGrid:
        grid = self._grid = FieldGrid()
        self.lots, self.units = CountField(), CountField()
        self.price, self.trigger = PriceField(), PriceField()
        self.lots_field = Field("Lots", self.lots, "ticket-lots")
        self.units_field = Field("Quantity", self.units, "ticket-quantity")
        self.price_field = FollowField("Price", self.price, "ticket-price")
        self.trigger_field = Field("Trigger price", self.trigger, "ticket-trigger")
        self._numbers: tuple[Field, ...] = (
            self.lots_field,
            self.units_field,
            self.price_field,
            self.trigger_field,
        )
        self.fields = (*self._numbers, self.terms.disclosed_field)
        grid.place(self.fields)
        self._editors = (self.lots, self.units, self.price, self.trigger, self.terms.disclosed)
        for editor in self._editors:
            editor.editingFinished.connect(self.say_refused)
        self.lots.valueChanged.connect(self._on_lots)
        self.units.valueChanged.connect(self._on_units)
        self.price.valueChanged.connect(lambda _: self._on_touched())
        self.trigger.valueChanged.connect(lambda _: self.changed.emit())
        self.price_field.chip.clicked.connect(lambda _: self.follow_again())
        return grid

    # -- instrument -------------------------------------------------------------------------
    def show_instrument(
        self, row: Instrument, preferred: str, sizes: Sequence[int], first: int = 1
    ) -> None:
        """A new ticket for ``row``: no side, ``first`` lots (one unit where there are none), prices
        that follow. ``sizes`` in lots, or in units where there are no lots."""
        self.instrument = row
        for field in (self.price, self.trigger):
            field.set_tick(row.tick_size)
        kinds, fitting = price_types(row), products(row)
        self.price_type.allow(tuple(kind.value for kind in kinds or tuple(PriceType)))
        self.product.allow(tuple(product.value for product in fitting or tuple(Product)))
        if preferred in fitting:
            self.product.choose(preferred)
        lot = max(1, row.lot_size)
        self.units.setSingleStep(lot)
        self._show_sizes(sizes, lot)
        self.set_action(None)
        self.set_units(lot * first if lot > 1 else 1)
        self.follows = True
        quietly(self.price, 0.0)
        quietly(self.trigger, 0.0)
        self.terms.begin(row)
        self.show_fields()

    def _show_sizes(self, sizes: Sequence[int], lot: int) -> None:
        for button in self._sizes:
            self.size_row.removeWidget(button)
            button.deleteLater()
        self._sizes = []
        self.size_unit.setText("Lots" if lot > 1 else "Units")
        for number, size in enumerate(sizes, 1):
            unit = "lots" if lot > 1 else "units"
            button = named(QPushButton(str(size)), f"ticket-size-{number}", f"{size} {unit}")
            button.setProperty("role", "chip-narrow")
            button.setToolTip(plain_tip(f"{size} {unit}"))
            button.clicked.connect(lambda _checked, size=size: self.units.setValue(size * lot))
            self._sizes.append(button)
            self.size_row.addWidget(button, 1)
        order_tabs(self)

    def choose_size(self, number: int) -> None:
        """The size preset of that number, from 1 on; nothing where there is none."""
        if 1 <= number <= len(self._sizes):
            self._sizes[number - 1].click()

    def show_fields(self) -> None:
        """The fields that belong to instrument, price type and account."""
        kind = self.kind
        lots = self.instrument is not None and self.instrument.lot_size > 1
        wanted = (lots, True, kind.has_price, kind.has_trigger)
        shown = [field for field, show in zip(self._numbers, wanted, strict=True) if show]
        self._grid.place([*shown, *self.terms.offer(kind)])
        self.terms.show_least(kind, self.units.value())

    # -- values -----------------------------------------------------------------------------
    @property
    def kind(self) -> PriceType:
        """The price type."""
        return PriceType(self.price_type.value())

    @property
    def action(self) -> Action | None:
        """The side; None until one is chosen."""
        return next((side for side, b in self.side_buttons.items() if b.isChecked()), None)

    def set_action(self, action: Action | None) -> None:
        """Choose the side, or none."""
        if action is not None:
            self.side_buttons[action].setChecked(True)
            return
        self._sides.setExclusive(False)
        for button in self.side_buttons.values():
            button.setChecked(False)
        self._sides.setExclusive(True)

    def set_units(self, units: int) -> None:
        """Quantity in units."""
        self.units.setValue(units)
        self._show_lots(units)

    def set_price(self, price: float) -> None:
        """A price that is meant: it follows nothing any more."""
        self.follows = False
        quietly(self.price, price)

    def fill(self, wish: TicketWish) -> None:
        """Fill in what somebody wants to look at, in a form that was begun for its instrument."""
        if wish.price_type is not None:
            self.price_type.choose(wish.price_type.value)
        if wish.product is not None:
            self.product.choose(wish.product.value)
        self.set_action(wish.action)
        if wish.quantity:
            self.set_units(wish.quantity)
        self.terms.set(wish.validity, wish.disclosed_quantity)
        self.show_fields()
        if wish.trigger_price:
            self.trigger.setValue(wish.trigger_price)
        if wish.price:
            self.set_price(wish.price)
        elif wish.use is TicketUse.TARGET:
            self.set_price(0.0)  # to be typed: a target at the market would be an exit

    def pick(self, price: float, side: Action | None) -> None:
        """A price of the chart or the ladder, taken by an explicit gesture."""
        if side is not None:
            self.set_action(side)
        if self.kind is PriceType.MARKET:
            self.price_type.choose(PriceType.LIMIT.value)
        if self.kind is PriceType.SLM:
            self.trigger.setValue(price)
        else:
            self.set_price(price)

    def focus_for(self, use: TicketUse) -> None:
        """To what is to be typed next."""
        if use is TicketUse.STOP:
            _type_over(self.trigger)
        elif use is TicketUse.TARGET:
            _type_over(self.price)
        else:
            self.type_size()

    def type_size(self) -> None:
        """The keyboard goes to the size: lots, or units where there are none."""
        _type_over(self.lots if self.lots.isVisibleTo(self) else self.units)

    def request(self) -> OrderRequest | None:
        """The order as the fields stand; None while there is no instrument or no side."""
        return None if self.action is None else self.request_of(self.action)

    def request_of(self, action: Action, price: float | None = None) -> OrderRequest | None:
        """The same for a side that need not be chosen; ``price`` instead of that of the field."""
        row, kind = self.instrument, self.kind
        if row is None:
            return None
        units = self.units.value()
        validity, disclosed = self.terms.values(kind, units)
        limit = self.price.value() if price is None else price
        return OrderRequest(
            symbol=row.symbol,
            exchange=row.exchange,
            action=action,
            quantity=units,
            price_type=kind,
            product=Product(self.product.value()),
            price=round(limit, 6) if kind.has_price else 0.0,
            trigger_price=round(self.trigger.value(), 6) if kind.has_trigger else 0.0,
            disclosed_quantity=disclosed,
            validity=validity,
        )

    @property
    def lacks_trigger(self) -> bool:
        """Whether the price waits for a trigger price that nobody has typed yet."""
        kind = self.kind
        return kind.has_price and kind.has_trigger and self.follows and not self.trigger.value()

    def say_refused(self) -> None:
        """Say under each field why what was typed last did not become its value."""
        for field, editor in zip(self.fields, self._editors, strict=True):
            if why := editor.refused():
                field.set_error(why)

    def unread(self) -> bool:
        """Say under each field what stands in it and is not its value; whether there is such."""
        found = False
        for field, editor in zip(self.fields, self._editors, strict=True):
            if field.isVisibleTo(self) and (why := editor.problem()):
                field.set_error(why)
                found = True
        return found

    # -- following --------------------------------------------------------------------------
    def follow(self, found: Callable[[PriceType, Action, float], Followed]) -> bool:
        """Take the followed price, where the price follows something; whether it moved."""
        action, kind = self.action, self.kind
        if not kind.has_price:
            return False
        if action is None:
            self.price_field.say(self.follows, "the side")
            return False
        price, what = found(kind, action, self.trigger.value())
        # Nothing moves under the hands of one who is about to type.
        held = self.price.hasFocus() and self.price.value() > 0
        self.price_field.say(self.follows and not held, what)
        if held:
            return False
        before = self.price.value()
        if self.follows:
            quietly(self.price, price or 0.0)
        return self.price.value() != before

    def follow_again(self) -> None:
        """Let the price follow the market."""
        self.follows = True
        self.changed.emit()

    # -- changes ----------------------------------------------------------------------------
    def _on_side(self) -> None:
        self.changed.emit()

    def _on_touched(self) -> None:
        self.follows = False
        self.changed.emit()

    def _on_terms(self) -> None:
        self.show_fields()
        self.changed.emit()

    def _on_price_type(self, text: str) -> None:
        self.follows = True
        self.show_fields()
        self.changed.emit()

    def _on_lots(self, lots: int) -> None:
        if self.instrument is not None:
            quietly(self.units, lots * self.instrument.lot_size)
        self.changed.emit()

    def _on_units(self, units: int) -> None:
        self._show_lots(units)
        self.terms.show_least(self.kind, units)
        self.changed.emit()

    def _show_lots(self, units: int) -> None:
        if self.instrument is not None:
            quietly(self.lots, units // max(1, self.instrument.lot_size))


def _type_over(field: QAbstractSpinBox) -> None:
    """What is typed replaces what stands there: 100 over a 1 must not be 1100."""
    field.setFocus()
    field.selectAll()


def quietly(field: CountField | PriceField, value: float) -> None:
    """Set a value in code: nobody touched it."""
    field.blockSignals(True)
    if isinstance(field, CountField):
        field.setValue(int(value))
    else:
        field.setValue(value)
    field.blockSignals(False)
