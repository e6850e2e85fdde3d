"""Change a working order; not modal, so that the market stays in sight and usable."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import OrderStatus, PriceType, Validity
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.model import ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.offered import price_types
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.fields import CountField, Field, PriceField
from openalgo_desktop.ui.kit.refusals import told
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.sending import enter_sends, sends
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role


class ModifyDialog(QDialog):
    """Quantity, price, trigger and price type of one order. Closes itself when the order ends."""

    def __init__(self, parent: QWidget, bridge: Bridge, order: Order) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._order = order
        self._mode = bridge.mode
        self._sending = False
        self.setModal(False)
        self.setWindowTitle(f"Modify {order.order_id}")
        self.setMinimumWidth(look.px(360))
        named(self, "dialog-modify", f"Modify order {order.order_id}")
        instrument = bridge.instrument(order.key)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(
            label(
                f"{order.action.value} {bridge.name(order.key)}  {order.exchange}  "
                f"{order.product.value}",
                "dialog-modify-order",
                "heading",
            )
        )
        self.price_type = Segments(
            "dialog-modify-price-type", "Price type", tuple(kind.value for kind in PriceType)
        )
        column.addWidget(self.price_type)
        self.units, self.price, self.trigger = CountField(), PriceField(), PriceField()
        self.disclosed = CountField()
        self._fields = {
            "quantity": Field("Quantity", self.units, "dialog-modify-quantity"),
            "price": Field("Price", self.price, "dialog-modify-price"),
            "trigger_price": Field("Trigger price", self.trigger, "dialog-modify-trigger"),
            "disclosed_quantity": Field("Disclosed", self.disclosed, "dialog-modify-disclosed"),
        }
        self.disclosed.setToolTip("How much of it the depth shows at a time, in units")
        grid = QGridLayout()
        for index, field in enumerate(self._fields.values()):
            grid.addWidget(field, 0, index)
        column.addLayout(grid)
        if instrument is not None:
            self.units.setSingleStep(max(1, instrument.lot_size))
            kept = {*price_types(instrument), order.price_type}
            self.price_type.allow(tuple(kind.value for kind in PriceType if kind in kept))
            self.disclosed.setSingleStep(max(1, instrument.lot_size))
            for price_field in (self.price, self.trigger):
                price_field.set_tick(instrument.tick_size)
        self._seen: dict[str, float] = {}
        self._follow(order)
        self.answer = label("", "dialog-modify-result", "error")
        self.answer.setWordWrap(True)
        column.addWidget(self.answer)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(push_button("Close", "dialog-modify-close", "Close", self.close))
        self.save = push_button("Modify", "dialog-modify-save", "Modify the order", self._submit)
        self.save.setProperty("role", "primary")
        sends(self.save)
        enter_sends(self, self.save)
        row.addWidget(self.save)
        column.addLayout(row)
        self.price_type.changed.connect(self._on_type)
        self.price_type.choose(order.price_type.value)
        self._on_type(order.price_type.value)
        bridge.books.orders_updated.connect(self._on_update)

    def _on_type(self, text: str) -> None:
        kind = PriceType(text)
        self._fields["price"].setVisible(kind.has_price)
        self._fields["trigger_price"].setVisible(kind.has_trigger)
        order = self._order
        least = self._bridge.orders.least_disclosed(kind, order.key, order.quantity)
        self._fields["disclosed_quantity"].setVisible(
            least is not None and order.validity is Validity.DAY
        )

    def _follow(self, order: Order) -> None:
        """Show the order as it is now, but for what was typed: what nobody touched must not take
        back what another has changed."""
        self._order = order
        for name, field, value in (
            ("quantity", self.units, order.quantity),
            ("price", self.price, order.price),
            ("trigger_price", self.trigger, order.trigger_price),
            ("disclosed_quantity", self.disclosed, order.disclosed_quantity),
        ):
            if not field.problem() and field.value() == self._seen.get(name, field.value()):
                field.setValue(value)  # type: ignore[arg-type]
                self._seen[name] = field.value()

    def _on_update(self, orders: list[Order]) -> None:
        mine = [order for order in orders if order.order_id == self._order.order_id]
        if not mine:
            return
        order = mine[-1]
        if order.status.is_working:
            self._follow(order)
            return
        self.save.setEnabled(False)
        filled = f", {fmt.quantity(order.filled_quantity)} filled" if order.filled_quantity else ""
        self._say(f"The order is {OrderStatus(order.status).value} now{filled}.", "muted")

    def _say(self, text: str, role: str) -> None:
        self.answer.setText(text)
        set_role(self.answer, role)

    def _submit(self) -> None:
        if self._sending:
            return
        for shown in self._fields.values():
            shown.set_error("")
        for field, editor in (
            ("quantity", self.units), ("price", self.price), ("trigger_price", self.trigger),
            ("disclosed_quantity", self.disclosed),
        ):  # fmt: skip
            if self._fields[field].isVisibleTo(self) and (why := editor.problem()):
                self._fields[field].set_error(why)
                return
        kind = PriceType(self.price_type.value())
        shown = self._fields["disclosed_quantity"]
        shows = shown.isVisibleTo(self)
        if shows and not self.disclosed.value() and self._order.disclosed_quantity:
            shown.set_error("It cannot be taken away: cancel the order and place a new one.")
            return
        request = ModifyRequest(
            order_id=self._order.order_id,
            quantity=self.units.value(),
            price=round(self.price.value(), 6) if kind.has_price else 0.0,
            trigger_price=round(self.trigger.value(), 6) if kind.has_trigger else 0.0,
            price_type=kind,
            disclosed_quantity=self.disclosed.value() if shows else None,
        )
        self._sending = True
        self._bridge.spawn(self._send(request), "modify order")

    async def _confirmed(self, request: ModifyRequest) -> bool:
        """Ask where the order as it would be passes the limits of the confirmations."""
        order = self._order
        wanted = OrderRequest(
            symbol=order.symbol,
            exchange=order.exchange,
            action=order.action,
            quantity=request.quantity or order.quantity,
            price_type=request.price_type or order.price_type,
            product=order.product,
            price=request.price or 0.0,
            trigger_price=request.trigger_price or 0.0,
            disclosed_quantity=request.disclosed_quantity or 0,
            validity=order.validity,
        )
        self._bridge.orders.check(wanted)  # what will be refused is not asked about
        why = self._bridge.orders.why_ask(Act.MODIFY, [wanted], self._mode)
        name = self._bridge.name(order.key)
        return not why or await confirm(
            self, "Change the order?", f"{order.action.value} {name}", "Modify", why
        )

    async def _send(self, request: ModifyRequest) -> None:
        try:
            if not await self._confirmed(request):
                return
            await self._bridge.desk.modify(request, self._mode)
        except AppError as error:
            if not is_open(self):
                raise
            name = error.field if isinstance(error, InvalidOrder) else ""
            if name in self._fields and self._fields[name].isVisibleTo(self):
                self._fields[name].set_error(told(error))
            else:
                self._say(told(error), "error")
            return
        finally:
            self._sending = False
        self._bridge.notice.emit("info", f"Order {request.order_id} modified.")
        if is_open(self):
            self.close()
