"""What stands in the order ticket, from its head to the send button, and where it says what is
wrong. It decides nothing: the dock does."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.preview import LegPreview
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.kit.fields import BORDER, Field, HatchedFrame, VerticalArea
from openalgo_desktop.ui.kit.refusals import told
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role
from openalgo_desktop.ui.rooms.orders.ticket_bracket import BracketPanel
from openalgo_desktop.ui.rooms.orders.ticket_extras import TicketExtras
from openalgo_desktop.ui.rooms.orders.ticket_facts import TicketFacts
from openalgo_desktop.ui.rooms.orders.ticket_foot import TicketFoot
from openalgo_desktop.ui.rooms.orders.ticket_form import TicketForm
from openalgo_desktop.ui.rooms.orders.ticket_position import PositionBar
from openalgo_desktop.ui.rooms.orders.ticket_slicing import SliceOffer
from openalgo_desktop.ui.rooms.orders.ticket_text import order_text


class TicketView(HatchedFrame):
    """The parts in their places; the foot is pinned under what scrolls."""

    def __init__(
        self,
        bridge: Bridge,
        spawn: Spawn,
        on_press: Callable[[], None],
        on_send: Callable[[], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        named(self, "ticket-frame", "Order ticket")
        column = QVBoxLayout(self)
        column.setContentsMargins(BORDER + 2, BORDER, BORDER + 2, BORDER)
        column.setSpacing(0)
        self.area = named(VerticalArea(), "ticket-scroll", "Order ticket")
        column.addWidget(self.area, 1)
        inside = named(QWidget(), "ticket-content", "Order")
        self.area.setWidget(inside)
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(6, 6, 6, 6)
        rows.setSpacing(7)
        rows.addLayout(self._build_head())
        self.position_bar = PositionBar()
        self.form = TicketForm(bridge.orders)
        self.slicing = SliceOffer(bridge)
        self.bracket = BracketPanel()
        self.extras = TicketExtras(bridge, spawn, self.form, self.bracket)
        self.estimate = label("", "ticket-estimate", "muted")
        self.estimate.setWordWrap(True)
        self.facts = TicketFacts(bridge, spawn)
        for part in (
            self.position_bar,
            self.form,
            self.slicing,
            self.bracket,
            self.extras,
            self.estimate,
            self.facts,
        ):
            rows.addWidget(part)
        rows.addStretch(1)
        self.foot = TicketFoot(self.facts.margins, on_press, on_send)
        column.addWidget(self.foot)

    def _build_head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        self.symbol = label("", "ticket-symbol", "heading")
        self.symbol.setWordWrap(True)
        self.ltp = label("", "ticket-ltp", "number")
        self.ltp.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.symbol, 1)
        head.addWidget(self.ltp)
        return head

    # -- what is shown ----------------------------------------------------------------------
    def show_price(self, tick: Tick | None, places: int, note: str, tip: str, stale: bool) -> None:
        """The last price and how far it is from yesterday's; what is wrong with it (``note``)
        matters more."""
        last = quote.price_text(tick, "ltp", places)
        self.ltp.setText(f"{last}  {note or quote.percent_text(tick)}")
        self.ltp.setToolTip(plain_tip(tip))
        set_role(self.ltp, "stale" if stale else quote.tone(tick), "tone")

    def show_button(self, request: OrderRequest, row: Instrument, spoken: str) -> None:
        """The button says the order and what comes with it."""
        text = order_text(request, row, decimals(row.tick_size))
        if legs := self.bracket.words():
            text += f"\n{legs}"
        self.foot.show_order(text, spoken, request.action)

    def show_warnings(self, leg: LegPreview) -> None:
        """Those of fields that do not say something worse already."""
        wrong = {name for name, field in self.named_fields().items() if field.error()}
        texts = [warned.text for warned in leg.warnings if warned.field not in wrong]
        self.foot.warn("\n".join(f"⚠ {text}" for text in texts))
        self.slicing.offer(leg)

    # -- what is wrong ----------------------------------------------------------------------
    def named_fields(self) -> dict[str, Field]:
        """Fields by their names in an order."""
        form = self.form
        return {
            "quantity": form.units_field,
            "price": form.price_field,
            "trigger_price": form.trigger_field,
            "disclosed_quantity": form.terms.disclosed_field,
            **self.bracket.fields,
        }

    def clear_errors(self) -> None:
        """Nothing is said to be wrong."""
        for field in self.form.fields:
            if field.error():
                field.set_error("")
        self.bracket.clear_errors()
        self.slicing.offer(None)
        self.form.product_error.hide()
        self.form.product_error.clear()

    def show_error(self, error: AppError, *, scroll: bool) -> None:
        """The message under its field, which is ``scroll``-ed into sight; what belongs to no field
        goes to the result line."""
        text = told(error)
        name = error.field if isinstance(error, InvalidOrder) else ""
        field = self.named_fields().get(name)
        if field is not None and field.isVisibleTo(self):
            field.set_error(text)
            if scroll:
                self.area.ensureWidgetVisible(field, 0, 20)
        elif name == "product":
            self.form.product_error.setText(text)
            self.form.product_error.show()
        else:
            self.foot.say(f"✕ {text}", "error")
