"""What is done with the order besides sending it: presets, and the way into the basket."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.kit.widgets import named
from openalgo_desktop.ui.rooms.orders.ticket_bracket import BracketPanel
from openalgo_desktop.ui.rooms.orders.ticket_form import TicketForm
from openalgo_desktop.ui.rooms.orders.ticket_presets import Preset, PresetButton


class TicketExtras(QWidget):
    """Reads and fills the form and the bracket; nothing is sent."""

    def __init__(
        self, bridge: Bridge, spawn: Spawn, form: TicketForm, bracket: BracketPanel
    ) -> None:
        super().__init__()
        named(self, "ticket-extras", "Presets and basket")
        self._form, self._bracket = form, bracket
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self.presets = PresetButton(bridge, spawn, self.preset, self.use)
        row.addWidget(self.presets)
        self.basket = named(QToolButton(), "ticket-to-basket", "Add the order to the basket")
        self.basket.setText("To basket")
        self.basket.setProperty("role", "chip-tool")
        self.basket.setToolTip("Add the order to the basket; nothing is sent")
        row.addWidget(self.basket)
        row.addStretch(1)

    def preset(self) -> Preset:
        """What a preset keeps of the ticket: the size in lots (units where there are none)."""
        form = self._form
        lot = form.instrument.lot_size if form.instrument is not None else 1
        return {
            "price_type": form.price_type.value(),
            "product": form.product.value(),
            "size": form.units.value() // max(1, lot),
            "validity": form.terms.validity.value(),
            "bracket": self._bracket.save(),
        }

    def use(self, preset: Preset) -> None:
        """Fill in a preset; what is not offered for the symbol stays as it is."""
        form = self._form
        for name, segments in (
            ("price_type", form.price_type),
            ("product", form.product),
            ("validity", form.terms.validity),
        ):
            value = preset.get(name)
            if isinstance(value, str) and value in segments.options:
                segments.choose(value)
        size, bracket = preset.get("size"), preset.get("bracket")
        if isinstance(size, int) and size > 0 and form.instrument is not None:
            form.units.setValue(size * max(1, form.instrument.lot_size))
        if isinstance(bracket, dict):
            self._bracket.restore(bracket)
