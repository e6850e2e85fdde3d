"""What a trader wants to see beside an order: margin, charges, break-even, the book's edge, limits
of the day."""

from __future__ import annotations

import logging

from msgspec.structs import replace
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.preview import LegPreview, OrderPreview
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role

log = logging.getLogger(__name__)
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
#: Name of the row and its caption, in order.
ROWS = (
    ("margin", "Margin needed"),
    ("margin-buy", "Margin to buy"),
    ("margin-sell", "Margin to sell"),
    ("frees", "Frees"),
    ("books", "Books before charges"),
    ("available", "Available"),
    ("charges", "Charges ≈"),
    ("break-even", "Breaks even at"),
    ("distance", "From last price"),
    ("bid", "Bid"),
    ("ask", "Ask"),
    ("range", "Day low – high"),
    ("circuit", "Circuit limits"),
    ("freeze", "Freeze quantity"),
    ("working", "Working orders"),
)
MARGINS = ("margin", "margin-buy", "margin-sell")
#: What an account has to be asked for comes this long after the last change, milliseconds.
SETTLE_MS = 200
#: It is asked again for a price that moved at most so often, seconds; a broker counts requests.
AGAIN = {Mode.SANDBOX: 1.0, Mode.LIVE: 10.0}


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
    """A small table of facts; a fact that does not apply takes no room."""

    def __init__(self, bridge: Bridge, spawn: Spawn) -> None:
        super().__init__()
        self._bridge = bridge
        self._spawn = spawn
        named(self, "ticket-facts", "Facts about the order")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        #: The margin has its place beside the send button: it is never scrolled out of sight.
        self.margins = named(QWidget(), "ticket-margins", "Margin of the order")
        facts, margins = QGridLayout(self), QGridLayout(self.margins)
        facts.setContentsMargins(2, 8, 2, 2)
        facts.setVerticalSpacing(5)
        margins.setContentsMargins(2, 0, 2, 0)
        margins.setVerticalSpacing(2)
        for grid in (facts, margins):
            grid.setHorizontalSpacing(10)
            grid.setColumnStretch(1, 1)
        self._rows = {}
        for index, (name, caption) in enumerate(ROWS):
            head = label(caption, f"ticket-facts-{name}-caption", "caption")
            value = label("", f"ticket-facts-{name}", "fact")
            value.setAccessibleName(caption)
            value.setAlignment(RIGHT)
            # Numbers that grow must not push the docks about.
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            grid = margins if name in MARGINS else facts
            grid.addWidget(head, index, 0)
            grid.addWidget(value, index, 1)
            self._rows[name] = (head, value)
        self._requests: tuple[OrderRequest, ...] = ()
        self._mode = bridge.mode
        self._previews: tuple[OrderPreview, ...] = ()
        self._asked = 0.0
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(SETTLE_MS)
        self._asking.timeout.connect(self._ask)
        for name in (*MARGINS, "frees", "books", "charges", "break-even", "distance"):
            self._set(name, "")

    # -- what the account is asked for --------------------------------------------------------
    def show_orders(
        self, requests: tuple[OrderRequest, ...], mode: Mode, now: float, *, by_hand: bool
    ) -> None:
        """The ticket would send this now: one order, or one of each side while none is chosen, or
        nothing. What was changed ``by_hand`` is asked about at once, a price that moved by itself
        every few seconds; ``now`` is monotonic."""
        before, self._requests = self._requests, requests
        switched = mode is not self._mode
        self._mode = mode
        other = switched or not _same_but_price(before, requests)
        if not requests or other:
            self._previews = ()
        if not requests:
            self._asking.stop()
        elif other or (by_hand and before != requests) or now - self._asked >= AGAIN[mode]:
            self._asked = now
            self._asking.start()
        self._show_previews()

    def forget(self) -> None:
        """A position or the funds changed: what the account said is old."""
        self._previews = ()
        if self._requests:
            self._asking.start()

    def _ask(self) -> None:
        self._spawn(self._ask_previews(), "order preview")

    async def _ask_previews(self) -> None:
        requests, mode, found = self._requests, self._mode, []
        try:
            for request in requests:
                available = self._available()
                found.append(await self._bridge.orders.preview([request], mode, available))
        except AppError as error:
            log.info("preview of the ticket: %s", error.message)
            return
        if _same_but_price(requests, self._requests) and mode is self._mode:
            self._previews = tuple(found)
            self._show_previews()

    def _available(self) -> float | None:
        books = self._bridge.books
        return books.funds.available_cash if books.funds_known else None

    def _show_previews(self) -> None:
        available = self._available()
        self._set("available", fmt.MISSING if available is None else f"₹ {fmt.money(available)}")
        asked = {_margin_row(self._requests, one): None for one in self._requests}
        shown: dict[str, OrderPreview | None] = asked | {
            _margin_row(self._requests, one): preview
            for one, preview in zip(self._requests, self._previews, strict=False)
        }
        for name in MARGINS:
            preview = shown.get(name)
            text, tone = self._margin_text(preview, available) if name in shown else ("", "")
            self._set(name, text, tone)
            self._rows[name][1].setToolTip(plain_tip(preview.margin_note if preview else ""))
        single = shown.get("margin")
        self._set("frees", "" if single is None else _frees_text(single))

    def _margin_text(
        self, preview: OrderPreview | None, available: float | None
    ) -> tuple[str, str]:
        if preview is None:
            return "…" if self._asking.isActive() else "", ""
        if preview.margin is None:
            return "not told", ""
        needed, frees = preview.margin.total, _frees_text(preview)
        if len(self._requests) > 1 and frees and not needed:
            return f"frees {frees}", ""
        lacks = available is not None and needed > available
        return f"₹ {fmt.money(needed)}", "down" if lacks else ""

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

    def show_leg(self, leg: LegPreview | None, instrument: Instrument) -> None:
        """What is known of the order at once; None while there is none."""
        places = decimals(instrument.tick_size)
        texts = dict.fromkeys(("books", "charges", "break-even", "distance"), "")
        tone = ""
        if leg is not None:
            if leg.charges is not None:
                texts["charges"] = f"₹ {fmt.money(leg.charges)}"
            if leg.break_even is not None:
                texts["break-even"] = fmt.price(leg.break_even, places)
            if leg.percent is not None:
                texts["distance"] = fmt.signed_percent(leg.percent)
            if leg.books is not None:
                texts["books"], tone = fmt.signed_money(leg.books), fmt.sign_role(leg.books)
        for name, text in texts.items():
            self._set(name, text, tone if name == "books" else "")
        self._show_freeze(instrument, leg)

    def show_facts(self, instrument: Instrument, tick: Tick | None) -> None:
        """Fill the rows of the market and the book."""
        places = decimals(instrument.tick_size)
        stale = self._bridge.feed.is_stale(instrument.key)
        for side, role in (("bid", "buy"), ("ask", "sell")):
            text = "" if instrument.is_index else _touch_text(tick, side, places)
            self._set(side, text, "stale" if stale and text != fmt.MISSING else role)
        self._set("range", _span_text(tick, "low", "high", places))
        circuit = _span_text(tick, "lower_circuit", "upper_circuit", places)
        told = quote.price(tick, "upper_circuit") is not None  # not every source tells them
        self._set("circuit", circuit if told and not instrument.is_index else "")
        working = len(self._bridge.books.working_of(instrument.key))
        self._set("working", str(working) if working else "")
        self._show_previews()

    def _show_freeze(self, instrument: Instrument, leg: LegPreview | None) -> None:
        freeze = instrument.freeze_qty
        parts = leg.slices if leg is not None else ()
        if freeze <= 1:
            self._set("freeze", "")
        elif len(parts) <= 1:
            self._set("freeze", fmt.quantity(freeze))
        else:
            self._set("freeze", f"{fmt.quantity(freeze)}  ({slices_text(parts)})", "warning")


def slices_text(parts: tuple[int, ...]) -> str:
    """``2 × 1,800 + 900``."""
    first, last = parts[0], parts[-1]  # only the last one may be another: a typo makes 100,000
    full = len(parts) - (last != first)
    text = f"{full} × {fmt.quantity(first)}"
    return text if last == first else f"{text} + {fmt.quantity(last)}"


def _margin_row(requests: tuple[OrderRequest, ...], request: OrderRequest) -> str:
    """Where the margin of an order stands: that of two sides in a row each."""
    return "margin" if len(requests) == 1 else f"margin-{request.action.value.lower()}"


def _frees_text(preview: OrderPreview) -> str:
    if preview.frees is None:
        return ""
    return f"{'≈ ' if preview.frees_about else ''}₹ {fmt.money(preview.frees)}"


def _same_but_price(one: tuple[OrderRequest, ...], other: tuple[OrderRequest, ...]) -> bool:
    """Whether orders differ in nothing but their prices."""
    return [replace(row, price=0.0, trigger_price=0.0) for row in one] == [
        replace(row, price=0.0, trigger_price=0.0) for row in other
    ]
