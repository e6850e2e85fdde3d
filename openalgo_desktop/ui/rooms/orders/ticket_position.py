"""What is held of the ticket's instrument, and the orders that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.model import Instrument, Position
from openalgo_desktop.core.ticketing import TicketUse
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, push_button, set_role
from openalgo_desktop.ui.rooms.orders.ticket_text import open_text, position_text

#: What each button fills the ticket with.
TIPS = {
    TicketUse.EXIT: "All of it at market",
    TicketUse.ADD: "One lot more on the same side",
    TicketUse.STOP: "A stop for all of it: type the trigger",
    TicketUse.TARGET: "A limit for all of it: type the price",
}


class _Line(QWidget):
    """One position."""

    wanted = Signal(object)  # TicketUse

    def __init__(self, name: str) -> None:
        super().__init__()
        named(self, name, "Position")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self.text = label("", f"{name}-text", "number")
        self.text.setWordWrap(True)
        self.text.setAccessibleName("Position")
        self.won = label("", f"{name}-won", "number")
        self.won.setAccessibleName("Open result")
        self.won.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        held = QHBoxLayout()
        held.setSpacing(8)
        held.addWidget(self.text, 1)
        held.addWidget(self.won)
        column.addLayout(held)
        row = QHBoxLayout()
        row.setSpacing(4)
        self.buttons: dict[TicketUse, QPushButton] = {}
        for use, tip in TIPS.items():
            button = push_button(
                use.value.title(),
                f"{name}-{use.value}",
                f"{use.value.title()}: fill the ticket, do not send",
                partial(self.wanted.emit, use),
            )
            button.setProperty("role", "chip-narrow")
            button.setToolTip(plain_tip(f"{tip}. It is filled in, not sent"))
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self.buttons[use] = button
            row.addWidget(button, 1)
        column.addLayout(row)


class PositionBar(QWidget):
    """A line for each product that is held; nothing while flat."""

    wanted = Signal(object, object)  # Position, TicketUse

    def __init__(self) -> None:
        super().__init__()
        named(self, "ticket-position", "Positions of the instrument")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self._held: dict[Product, Position] = {}
        self.lines: dict[Product, _Line] = {}
        for product in Product:
            line = _Line(f"ticket-position-{product.value.lower()}")
            line.wanted.connect(lambda use, product=product: self._on_wanted(product, use))
            line.hide()
            self.lines[product] = line
            column.addWidget(line)
        self.hide()

    def _on_wanted(self, product: Product, use: TicketUse) -> None:
        if (row := self._held.get(product)) is not None:
            self.wanted.emit(row, use)

    def show_positions(
        self, rows: Sequence[Position], instrument: Instrument, places: int, stale: bool
    ) -> None:
        """Show what is held now."""
        self._held = {row.product: row for row in rows if row.quantity}
        for product, line in self.lines.items():
            row = self._held.get(product)
            line.setVisible(row is not None)
            if row is not None:
                line.text.setText(position_text(row, instrument.lot_size, places))
                line.won.setText(open_text(row))
                # What is held has no good or bad: its result has.
                set_role(line.text, "stale" if stale else "", "tone")
                set_role(line.won, "stale" if stale else fmt.sign_role(row.unrealised), "tone")
        self.setVisible(bool(self._held))

    def mark(self, product: Product | None, use: TicketUse) -> None:
        """Show what the ticket is filled with."""
        for held, line in self.lines.items():
            for kind, button in line.buttons.items():
                button.setChecked(held is product and kind is use)
