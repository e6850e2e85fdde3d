"""The keys of ticket, orders and triggers."""

from __future__ import annotations

from openalgo_desktop.config.order_settings import MOST_SIZES
from openalgo_desktop.ui.kit.keys import DockKey

K = DockKey
TICKET = (
    *(
        K(f"size-{n}", f"Take size {n}", f"Alt+{n}", in_fields=True)
        for n in range(1, MOST_SIZES + 1)
    ),
    K("tick", "In a price: one tick", "Up / Down", fixed=True),
    K("ten-ticks", "In a price: ten ticks", "Shift+Up / Shift+Down", fixed=True),
    K("per-mille", "In a price: a tenth of a per cent", "Ctrl+Up / Ctrl+Down", fixed=True),
)
ORDERS = (
    K("cancel", "Cancel the orders, without a question", "Delete", sends=True),
    K("edit", "Edit price and quantity in the row", "F2"),
)
TRIGGERS = (K("delete", "Delete the trigger, without a question", "Delete", sends=True),)
