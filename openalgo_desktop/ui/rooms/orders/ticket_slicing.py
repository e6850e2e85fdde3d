"""The way out of a quantity above the freeze quantity: slices, switched on where one needs them."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton

from openalgo_desktop.core.preview import LegPreview
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.widgets import named, plain_tip

SETTING = "trading.freeze_split"
TIP = (
    "From now on orders above the freeze quantity go out as several, those of scripts, too "
    "(Settings, Trading). Nothing is sent by this button."
)


class SliceOffer(QPushButton):
    """There while an order is too large for the exchange and slicing is off."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        named(self, "ticket-slice", "Send large orders in slices")
        self.setProperty("role", "chip")
        self.setToolTip(plain_tip(TIP))
        self.clicked.connect(lambda _checked: bridge.set_setting(SETTING, True))
        self.hide()

    def offer(self, leg: LegPreview | None) -> None:
        """Say how many orders it would be, or nothing."""
        wanted = leg is not None and not leg.splits
        if wanted and leg is not None:
            self.setText(f"Send in {len(leg.slices)} slices")
        self.setVisible(wanted)
