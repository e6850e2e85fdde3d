"""What a trader wants to see beside an order: the book's edge, limits of the day, own exposure."""

from __future__ import annotations

import logging

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy

from openalgo_desktop.core.enums import PriceType
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument, Margin, OrderRequest, Position, Tick
from openalgo_desktop.core.money import decimals, plain
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.kit.widgets import label, named, set_role

log = logging.getLogger(__name__)
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
#: Name of the row and its caption, in order.
ROWS = (
    ("margin", "Margin needed"),
    ("available", "Available"),
    ("bid", "Bid"),
    ("ask", "Ask"),
    ("range", "Day low – high"),
    ("circuit", "Circuit limits"),
    ("freeze", "Freeze quantity"),
    ("position", "Position"),
    ("working", "Working orders"),
)
#: The margin is asked this long after the last change of the ticket, milliseconds.
SETTLE_MS = 200


def order_text(request: OrderRequest, places: int) -> str:
    """What the send button says: side, quantity, price."""
    if request.price_type.has_price:
        at = fmt.price(request.price, places)
    elif request.price_type is PriceType.SLM:
        at = f"SL-M {fmt.price(request.trigger_price, places)}"
    else:
        at = "MARKET"
    return f"{request.action.value} {fmt.quantity(request.quantity)} @ {at}"


def value_text(request: OrderRequest, instrument: Instrument, last: float | None) -> str:
    """About what the order is worth, with lot and tick of the instrument; ``last`` is None while
    no fresh price is known."""
    price = request.price or request.trigger_price or last
    value = fmt.MISSING
    if price is not None:
        value = f"₹ {fmt.money(price * request.quantity * instrument.contract_value)}"
    lot = f"   ·   lot {instrument.lot_size}" if instrument.lot_size > 1 else ""
    return f"Value ≈ {value}{lot}   ·   tick {plain(instrument.tick_size)}"


def open_text(row: Position) -> str:
    """The open profit of a position; a dash while its price is not known."""
    return fmt.signed_money(row.unrealised) if row.ltp else fmt.MISSING


def _touch_text(tick: Tick | None, side: str, places: int) -> str:
    """The best price of a side and its quantity; a known side without offers says so."""
    if quote.known(tick, side) == 0:
        return "none"
    text = quote.price_text(tick, side, places)
    return (
        text if text == fmt.MISSING else f"{text}  × {quote.count_text(tick, side + '_quantity')}"
    )


def _span_text(tick: Tick | None, low: str, high: str, places: int) -> str:
    if quote.price(tick, high) is None:
        return fmt.MISSING
    return f"{quote.price_text(tick, low, places)} – {quote.price_text(tick, high, places)}"


class TicketFacts(QFrame):
    """A small table of facts under the send button; a fact that does not apply takes no room."""

    def __init__(self, bridge: Bridge, spawn: Spawn) -> None:
        super().__init__()
        self._bridge = bridge
        named(self, "ticket-facts", "Facts about the instrument")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        grid = QGridLayout(self)
        grid.setContentsMargins(2, 8, 2, 2)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(5)
        self._rows = {}
        for index, (name, caption) in enumerate(ROWS):
            head = label(caption, f"ticket-facts-{name}-caption", "caption")
            value = label("", f"ticket-facts-{name}", "fact")
            value.setAccessibleName(caption)
            value.setAlignment(RIGHT)
            # Numbers that grow must not push the docks about.
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            grid.addWidget(head, index, 0)
            grid.addWidget(value, index, 1)
            self._rows[name] = (head, value)
        grid.setColumnStretch(1, 1)
        self._request: OrderRequest | None = None
        self._margin: Margin | None = None
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(SETTLE_MS)
        self._asking.timeout.connect(lambda: spawn(self._ask_margin(), "margin"))
        self._set("margin", "")

    # -- margin -----------------------------------------------------------------------------
    def ask_margin(self, request: OrderRequest | None) -> None:
        """The ticket would send this now; None when it has nothing to send."""
        if request == self._request:
            return
        self._request = request
        self._margin = None
        self._show_margin()
        if request is not None:
            self._asking.start()

    async def _ask_margin(self) -> None:
        request = self._request
        if request is None:
            return
        try:
            margin = await self._bridge.margin(request)
        except AppError as error:
            log.info("margin of the ticket: %s", error.message)
            margin = None
        if request is self._request:
            self._margin = margin
            self._show_margin()

    def _show_margin(self) -> None:
        books = self._bridge.books
        available = books.funds.available_cash
        self._set("available", f"₹ {fmt.money(available)}" if books.funds_known else fmt.MISSING)
        if self._margin is None:
            self._set("margin", "…" if self._asking.isActive() else "")
            return
        text = f"₹ {fmt.money(self._margin.total)}"
        if self._margin.charges:
            text += f"  + ₹ {fmt.money(self._margin.charges)} charges"
        self._set(
            "margin", text, "down" if books.funds_known and self._margin.total > available else ""
        )

    # -- facts ------------------------------------------------------------------------------
    def _set(self, name: str, text: str, tone: str = "") -> None:
        head, value = self._rows[name]
        shown = bool(text)
        if value.isHidden() == shown:
            head.setVisible(shown)
            value.setVisible(shown)
        if value.text() != text:
            value.setText(text)
        set_role(value, tone, "tone")

    def show_facts(self, instrument: Instrument, tick: Tick | None, quantity: int) -> None:
        """Fill the rows for ``instrument``; ``quantity`` is what the ticket would send."""
        self._show_market(instrument, tick)
        self._show_freeze(instrument, quantity)
        self._show_exposure(instrument)
        self._show_margin()

    def _show_market(self, instrument: Instrument, tick: Tick | None) -> None:
        places = decimals(instrument.tick_size)
        stale = self._bridge.feed.is_stale(instrument.key)
        for side, role in (("bid", "buy"), ("ask", "sell")):
            text = "" if instrument.is_index else _touch_text(tick, side, places)
            self._set(side, text, "stale" if stale and text != fmt.MISSING else role)
        self._set("range", _span_text(tick, "low", "high", places))
        circuit = _span_text(tick, "lower_circuit", "upper_circuit", places)
        told = quote.price(tick, "upper_circuit") is not None  # not every source tells them
        self._set("circuit", circuit if told and not instrument.is_index else "")

    def _show_freeze(self, instrument: Instrument, quantity: int) -> None:
        freeze = instrument.freeze_qty
        if not freeze:
            self._set("freeze", "")
            return
        over = quantity > freeze
        pieces = -(-quantity // freeze)
        text = fmt.quantity(freeze) + (f"  ({pieces} orders needed)" if over else "")
        self._set("freeze", text, "warning" if over else "")

    def _show_exposure(self, instrument: Instrument) -> None:
        places = decimals(instrument.tick_size)
        books = self._bridge.books
        held = [row for row in books.positions if row.key == instrument.key and row.quantity]
        text = "\n".join(
            f"{fmt.signed(row.quantity, 0)} {row.product.value} @ "
            f"{fmt.exact(row.average_price, places)}   {open_text(row)}"
            for row in held
        )
        profit = sum(row.unrealised for row in held)
        stale = self._bridge.feed.is_stale(instrument.key)
        tone = "stale" if stale else fmt.sign_role(profit)
        self._set("position", text or ("" if instrument.is_index else "flat"), tone)
        working = len(books.working_of(instrument.key))
        self._set("working", str(working) if working else "")
