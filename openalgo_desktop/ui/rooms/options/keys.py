"""The keys of the option chain."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import DockKey

K = DockKey
CHAIN = (
    K("move", "Choose the strike", "Up / Down / Home / End", fixed=True),
    K("call", "Choose the call", "Left"),
    K("put", "Choose the put", "Right"),
    K("basket", "Add the option to the basket", "A"),
    K("choose", "Show the option in the linked panels", "Return"),
    K("money", "Go to the money", "Space"),
    K("copy", "Copy the contract", "Ctrl+C", fixed=True),
)
