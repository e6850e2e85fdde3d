"""Quantity, price and trigger of a working order, changed in its row.

Enter sends the change once, Escape leaves; leaving sends nothing. The fields stay on their row when
rows come, go or scroll, and are gone with the order.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Instrument, ModifyRequest, Order
from openalgo_desktop.core.money import is_on_tick, nearest_ticks
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.fields import CountField, PriceField
from openalgo_desktop.ui.kit.tables import FastTableView
from openalgo_desktop.ui.kit.widgets import label, named, set_role

NAME = "order-edit"
#: A field is at least so wide, pixels.
NARROWEST = 96
HINT = "Enter changes the order, Esc leaves"
Number = CountField | PriceField


class OrderEditor(QObject):
    """``wanted`` carries the change and the mode that the user saw."""

    wanted = Signal(object, object)  # ModifyRequest, Mode
    closed = Signal()

    def __init__(
        self, view: FastTableView, order: Order, instrument: Instrument, mode: Mode, name: str
    ) -> None:
        super().__init__(view)
        self._view, self.order, self._instrument, self._mode = view, order, instrument, mode
        self._open = True
        self._row = -1  # until it is placed
        port = view.viewport()
        units = CountField()
        units.setSingleStep(max(1, instrument.lot_size))
        units.setValue(order.quantity)
        self.fields: dict[str, Number] = {"quantity": units}
        kind = order.price_type
        for key, has, value in (
            ("price", kind.has_price, order.price),
            ("trigger", kind.has_trigger, order.trigger_price),
        ):
            if has:
                field = PriceField()
                field.set_tick(instrument.tick_size)
                field.setValue(value)
                self.fields[key] = field
        self._seen = {key: field.value() for key, field in self.fields.items()}
        where = "SANDBOX" if mode is Mode.SANDBOX else "LIVE"
        before: QWidget | None = None
        for key, number in self.fields.items():
            named(number, f"{NAME}-{key}", f"{key.capitalize()} of {name}, {where}")
            number.setParent(port)
            number.setFrame(False)
            number.installEventFilter(self)
            number.valueChanged.connect(lambda _: self._tell())
            if before is not None:
                QWidget.setTabOrder(before, number)
            before = number
        self.card = named(QFrame(port), f"{NAME}-card", "What the change is")
        self.card.setProperty("role", "card-frame")
        inside = QHBoxLayout(self.card)
        inside.setContentsMargins(8, 3, 8, 3)
        self.said: QLabel = label("", f"{NAME}-said", "muted")
        inside.addWidget(self.said)
        for bar in (view.verticalScrollBar(), view.horizontalScrollBar()):
            bar.valueChanged.connect(self._on_scrolled)
        self._tell()

    def _parts(self) -> list[QWidget]:
        return [*self.fields.values(), self.card]

    # -- place ------------------------------------------------------------------------------
    def place(self, row: int | None) -> None:
        """Put the fields on the cells of a view row; without one they leave."""
        if not self._open:
            return
        if row is None:
            return self.leave()
        self._row = row
        self._on_scrolled()

    def _on_scrolled(self, *_: int) -> None:
        if not self._open or self._row < 0:
            return
        keys = [column.key for column in self._view.table.columns]
        area, last = QRect(), QRect()
        for key, field in self.fields.items():
            index = self._view.table.index(self._row, keys.index(key))
            area = self._view.visualRect(index)
            width = max(area.width(), NARROWEST)
            last = QRect(area.right() + 1 - width, area.top(), width, area.height())
            field.setGeometry(last)
            field.setVisible(not self._view.isColumnHidden(keys.index(key)))
        size = self.card.sizeHint()
        top = area.bottom() + 1
        if top + size.height() > self._view.viewport().height():
            top = area.top() - size.height()
        left = max(0, min(last.right() - size.width(), self._view.viewport().width()))
        self.card.setGeometry(left, top, size.width(), size.height())
        self.card.show()
        self.card.raise_()

    def focus(self) -> None:
        """The keyboard goes to the price, else to the quantity."""
        field = self.fields.get("price") or self.fields.get("trigger") or self.fields["quantity"]
        field.setFocus()
        field.selectAll()

    @property
    def usable(self) -> bool:
        """Whether all of its columns are shown."""
        keys = [column.key for column in self._view.table.columns]
        return not any(self._view.isColumnHidden(keys.index(key)) for key in self.fields)

    # -- words ------------------------------------------------------------------------------
    def problem(self) -> str:
        """Why what is typed cannot be sent, in a sentence; empty when it can."""
        tick, lot = self._instrument.tick_size, max(1, self._instrument.lot_size)
        for key, field in self.fields.items():
            value = field.value()
            if why := field.problem():
                return why
            if key == "quantity":
                if value <= self.order.filled_quantity:
                    filled = fmt.quantity(self.order.filled_quantity)
                    return f"The quantity must be above the {filled} already filled."
                if value % lot:
                    return f"The quantity must be a multiple of the lot size, {lot}."
            elif value <= 0:
                return f"The {key} must be above 0."
            elif not is_on_tick(value, tick):
                low, high = (fmt.exact(end, self._places()) for end in nearest_ticks(value, tick))
                return f"The {key} is not on the tick of {tick:g}: {low} or {high}."
        return ""

    def _places(self) -> int:
        return self.fields["price"].decimals() - 1 if "price" in self.fields else 2

    def _tell(self) -> None:
        why = self.problem()
        self.said.setText(why or HINT)
        set_role(self.said, "error" if why else "muted")
        self._on_scrolled()
        for field in self.fields.values():
            field.setAccessibleDescription(why or HINT)

    def follow(self, order: Order) -> None:
        """The order as it is now; what is final cannot be edited."""
        if not order.status.is_working:
            return self.leave()
        self.order = order
        now = {
            "quantity": order.quantity,
            "price": order.price,
            "trigger": order.trigger_price,
        }
        for key, field in self.fields.items():
            # What nobody typed into follows: else Enter would take another's change back.
            if not field.problem() and field.value() == self._seen[key]:
                field.setValue(now[key])  # type: ignore[arg-type]
                self._seen[key] = field.value()
        self._tell()

    # -- answers ----------------------------------------------------------------------------
    def change(self) -> ModifyRequest | None:
        """What differs from the order; None when nothing does."""
        order, fields = self.order, self.fields
        units = int(fields["quantity"].value())
        price = _changed(fields.get("price"), order.price)
        trigger = _changed(fields.get("trigger"), order.trigger_price)
        if units == order.quantity and price is None and trigger is None:
            return None
        return ModifyRequest(
            order_id=order.order_id,
            quantity=units if units != order.quantity else None,
            price=price,
            trigger_price=trigger,
        )

    def submit(self) -> None:
        """Send the change, once."""
        if not self._open or self.problem():
            return
        change, mode = self.change(), self._mode
        self.leave()
        if change is not None:
            self.wanted.emit(change, mode)

    def leave(self) -> None:
        """Close without a change."""
        if not self._open:
            return
        self._open = False
        for part in self._parts():
            part.hide()
            part.deleteLater()
        self.closed.emit()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.KeyPress or not self._open:
            return False
        assert isinstance(event, QKeyEvent)
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self.submit()
        else:
            return False
        return True


def _changed(field: Number | None, was: float) -> float | None:
    if field is None:
        return None
    value = round(float(field.value()), 6)
    return value if value != round(was, 6) else None
