"""One line of a basket: an order that is edited where it stands, and what came of it."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
)

from openalgo_desktop.core.basket import LineResult, LineState
from openalgo_desktop.core.enums import CASH_EXCHANGES, Action, PriceType, Product, Validity
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.offered import price_types
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import icons, look, quote
from openalgo_desktop.ui.kit.fields import CountField, PriceField, StillCombo
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role

#: Buttons of a line: what they ask for, symbol, and what they are called.
BUTTONS = (
    ("up", "up", "Move up"),
    ("down", "down", "Move down"),
    ("clone", "copy", "Copy this line"),
    ("delete", "close", "Remove this line"),
)
#: Widths at a text scale of 100 per cent, pixels.
COUNT_WIDTH, PRICE_WIDTH, SIDE_WIDTH, LTP_WIDTH = 86, 94, 60, 58
_TONES = {
    LineState.SENT: "success",
    LineState.FAILED: "error",
    LineState.UNKNOWN: "warning",
    LineState.SKIPPED: "warning",
}
_WORDS = {
    LineState.SENDING: "Sending…",
    LineState.FAILED: "✕",
    LineState.UNKNOWN: "? No answer yet, being looked for; it is not sent again.",
    LineState.SKIPPED: "–",
}


def first_order(row: Instrument, preferred: Product) -> OrderRequest:
    """A lot at market, bought, in the preferred product where the segment has it, else in the one
    that stays overnight."""
    carried = Product.CNC if row.exchange in CASH_EXCHANGES else Product.NRML
    product = preferred if preferred in (Product.MIS, carried) else carried
    lot = max(1, row.lot_size)
    return OrderRequest(row.symbol, row.exchange, Action.BUY, lot, PriceType.MARKET, product)


class BasketLine(QFrame):
    """``edited`` says that the order is another one, ``wanted`` names the button that was
    pressed. ``result`` is what came of it, None before it was sent."""

    edited = Signal()
    wanted = Signal(str)

    def __init__(self, bridge: Bridge, row: Instrument, request: OrderRequest, name: str) -> None:
        super().__init__()
        named(self, name, f"Basket line {bridge.name(row.key)}")
        # Never pressed below what its texts need: the list scrolls instead.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.row = row
        self.problem = ""
        self.result: LineResult | None = None
        self._request = request
        self._places = decimals(row.tick_size)
        self._build(bridge, name)
        self._fill(request)
        self._connect()
        self.place(wide=True)

    # -- building ---------------------------------------------------------------------------
    def _build(self, bridge: Bridge, name: str) -> None:
        told = bridge.name(self.row.key)
        self.number = label("", f"{name}-number", "muted")
        self.number.setToolTip("In which order the lines are sent")
        self.side = named(QPushButton(), f"{name}-side", f"Side of {told}")
        self.side.setToolTip("Turn the side")
        self.title = label(told, f"{name}-symbol")
        self.title.setToolTip(plain_tip(contract_tip(self.row.key)))
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.ltp = label(fmt.MISSING, f"{name}-ltp", "number")
        self.ltp.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.count = named(CountField(), f"{name}-count", f"Lots of {told}")
        self.kind = named(StillCombo(), f"{name}-type", f"Price type of {told}")
        self.kind.addItems([kind.value for kind in price_types(self.row)])
        self.price = named(PriceField(), f"{name}-price", f"Price of {told}")
        self.trigger = named(PriceField(), f"{name}-trigger", f"Trigger price of {told}")
        self.price.setToolTip("Price")
        self.trigger.setToolTip("Trigger price")
        self.product = named(StillCombo(), f"{name}-product", f"Product of {told}")
        cash = self.row.exchange in CASH_EXCHANGES
        self.product.addItems(["MIS", "CNC" if cash else "NRML"])
        self.terms = self._build_terms(told, name)
        self.note = label("", f"{name}-note")
        self.note.setWordWrap(True)
        self.note.hide()
        row = self._build_buttons(told, name)
        for field in (self.price, self.trigger):
            field.set_tick(self.row.tick_size)
        self._fields = QHBoxLayout()
        self._fields.setSpacing(4)
        for part in self.inputs:
            self._fields.addWidget(part)
        self._top, self._bottom = QHBoxLayout(), QHBoxLayout()
        self._top.setSpacing(6)
        self._top.addWidget(self.number)
        self._top.addWidget(self.side)
        self._top.addWidget(self.title, 1)
        self._top.addWidget(self.terms)
        self._top.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 3, 6, 3)
        column.setSpacing(3)
        column.addLayout(self._top)
        column.addLayout(self._bottom)
        column.addWidget(self.note)

    def _build_buttons(self, told: str, name: str) -> QHBoxLayout:
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        row.setSpacing(0)
        for what, sign, words in BUTTONS:
            button = named(QToolButton(), f"{name}-{what}", f"{words}: {told}")
            icons.put(button, sign)
            button.setToolTip(plain_tip(words))
            button.setProperty("role", "dock-button")
            button.setAutoRaise(True)
            button.clicked.connect(lambda _checked=False, what=what: self.wanted.emit(what))
            self.buttons[what] = button
            row.addWidget(button)
        return row

    def _build_terms(self, told: str, name: str) -> QToolButton:
        button = named(QToolButton(), f"{name}-terms", f"How the order of {told} works")
        button.setProperty("role", "chip-tool")
        button.setToolTip("As it was in the ticket. Click: DAY, and all of it is shown")
        button.clicked.connect(lambda _checked=False: self._plain_terms())
        return button

    def place(self, *, wide: bool) -> None:
        """All in one row where there is room, else in two."""
        self.side.setFixedWidth(look.px(SIDE_WIDTH))
        self.count.setFixedWidth(look.px(COUNT_WIDTH))
        self.ltp.setMinimumWidth(look.px(LTP_WIDTH))
        for field in (self.price, self.trigger):
            field.setFixedWidth(look.px(PRICE_WIDTH))
            policy = field.sizePolicy()
            policy.setRetainSizeWhenHidden(wide)  # fields of all lines stay below each other
            field.setSizePolicy(policy)
        self._top.removeItem(self._fields)
        self._bottom.removeItem(self._fields)
        self._top.removeWidget(self.ltp)
        while self._bottom.count():
            self._bottom.takeAt(0)
        if wide:
            self._top.insertWidget(4, self.ltp)
            self._top.insertLayout(5, self._fields)
        else:
            self._bottom.addLayout(self._fields)
            self._bottom.addStretch(1)
            self._bottom.addWidget(self.ltp)
        for part in (self.side, *self.inputs):
            part.updateGeometry()  # texts may have another size now

    @property
    def inputs(self) -> tuple[CountField, StillCombo, PriceField, PriceField, StillCombo]:
        """What is edited, from left to right."""
        return (self.count, self.kind, self.price, self.trigger, self.product)

    def _connect(self) -> None:
        self.side.clicked.connect(self._turn)
        self.count.valueChanged.connect(lambda _: self._on_edit())
        self.kind.currentTextChanged.connect(lambda _: self._on_kind())
        self.price.valueChanged.connect(lambda _: self._on_edit())
        self.trigger.valueChanged.connect(lambda _: self._on_edit())
        self.product.currentTextChanged.connect(lambda _: self._on_edit())

    def _fill(self, request: OrderRequest) -> None:
        lot = max(1, self.row.lot_size)
        self.count.setRange(1, 1_000_000_000 // lot)
        self.count.setValue(max(1, request.quantity // lot))
        if self.kind.findText(request.price_type.value) >= 0:
            self.kind.setCurrentText(request.price_type.value)
        if self.product.findText(request.product.value) >= 0:
            self.product.setCurrentText(request.product.value)
        self.price.setValue(request.price)
        self.trigger.setValue(request.trigger_price)
        self._show_fields()
        self._show_side()
        self._show_terms()

    # -- the order --------------------------------------------------------------------------
    def request(self) -> OrderRequest:
        """The order as it stands."""
        kind = PriceType(self.kind.currentText())
        return msgspec.structs.replace(
            self._request,
            quantity=self.count.value() * max(1, self.row.lot_size),
            price_type=kind,
            product=Product(self.product.currentText()),
            price=round(self.price.value(), 6) if kind.has_price else 0.0,
            trigger_price=round(self.trigger.value(), 6) if kind.has_trigger else 0.0,
        )

    def unread(self) -> str:
        """Why what stands in a field is not its value, in a sentence; empty when it is."""
        fields = [f for f in (self.count, self.price, self.trigger) if f.isVisibleTo(self)]
        return next((why for field in fields if (why := field.problem())), "")

    @property
    def is_out(self) -> bool:
        """Whether it was sent, or may have been: it is never sent again."""
        return self.result is not None and self.result.state in (
            LineState.SENDING,
            LineState.SENT,
            LineState.UNKNOWN,
        )

    def _turn(self) -> None:
        self._request = msgspec.structs.replace(self._request, action=self._request.action.opposite)
        self._show_side()
        self._on_edit()

    def _plain_terms(self) -> None:
        """How it works is as of any other order again."""
        self._request = msgspec.structs.replace(
            self._request, validity=Validity.DAY, disclosed_quantity=0
        )
        self._show_terms()
        self._on_edit()

    def _show_terms(self) -> None:
        """What is unusual about how it works; nothing else takes room."""
        words = [] if self._request.validity is Validity.DAY else [self._request.validity.value]
        if shown := self._request.disclosed_quantity:
            words.append(f"shows {fmt.quantity(shown)}")
        self.terms.setText(" · ".join(words))
        self.terms.setVisible(bool(words))

    def _show_side(self) -> None:
        action = self._request.action
        self.side.setText(action.value)
        set_role(self.side, "send-buy" if action is Action.BUY else "send-sell")

    def _on_kind(self) -> None:
        kind = PriceType(self.kind.currentText())
        if kind.has_price and not self.price.value() and (last := self._last):
            self.price.setValue(last)
        self._show_fields()
        self._on_edit()

    def _show_fields(self) -> None:
        kind = PriceType(self.kind.currentText())
        self.price.setVisible(kind.has_price)
        self.trigger.setVisible(kind.has_trigger)
        lot = self.row.lot_size
        units = fmt.quantity(self.count.value() * max(1, lot))
        self.count.setToolTip(
            plain_tip(f"Lots of {lot}: {units} units" if lot > 1 else f"Quantity: {units}")
        )
        self.count.setSuffix(f" × {lot}" if lot > 1 else "")

    def _on_edit(self) -> None:
        if self.result is not None:
            self.show_result(None)
        self._show_fields()
        self.edited.emit()

    # -- what is shown ----------------------------------------------------------------------
    _last: float | None = None

    def show_price(self, tick: Tick | None, note: str) -> None:
        """The last price, or what is wrong with it."""
        self._last = None if note else quote.price(tick)
        text = quote.price_text(tick, "ltp", self._places)
        self.ltp.setText(f"{text}  {note}" if note else text)
        set_role(self.ltp, "stale" if note else quote.tone(tick), "tone")

    def show_number(self, number: int) -> None:
        """In which place it is sent; 0 when it is out already."""
        self.number.setText(str(number) if number else "✓")

    def show_problem(self, text: str) -> None:
        """What is wrong with the order as it stands; empty clears it."""
        self.problem = text
        self._show_note()

    def show_result(self, result: LineResult | None) -> None:
        """What came of it; None: not sent yet. What is out cannot be edited any more."""
        self.result = result
        for part in (self.side, self.terms, *self.inputs):
            part.setEnabled(not self.is_out)
        self.buttons["delete"].setEnabled(result is None or result.state is not LineState.SENDING)
        self._show_note()

    def show_order(self, text: str) -> None:
        """What the order book says of the orders that it became."""
        if self.result is not None and self.result.state is LineState.SENT:
            self.note.setText(f"✓ {text}")

    def _show_note(self) -> None:
        text, tone = self.problem, "error"
        if self.result is not None and self.result.state is not LineState.WAITING:
            state = self.result.state
            tone = _TONES.get(state, "muted")
            if state is LineState.SENT:
                text = f"✓ Order {', '.join(self.result.order_ids)} sent"
            else:
                text = f"{_WORDS[state]} {self.result.text}".strip()
        self.note.setText(text)
        self.note.setAccessibleName(text)
        set_role(self.note, tone)
        self.note.setVisible(bool(text))
