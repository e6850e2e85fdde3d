"""An empty watchlist: what to do, and a sample of what the symbol master has."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.widgets import label, named, push_button

#: What a first start shows, as far as the symbol master has it.
SAMPLE: tuple[Key, ...] = (
    ("NSE_INDEX", "NIFTY"),
    ("NSE_INDEX", "BANKNIFTY"),
    ("NSE_INDEX", "INDIAVIX"),
    *(
        ("NSE", symbol)
        for symbol in (
            "RELIANCE",
            "HDFCBANK",
            "ICICIBANK",
            "INFY",
            "TCS",
            "SBIN",
            "ITC",
            "LT",
            "BHARTIARTL",
            "AXISBANK",
            "TATASTEEL",
            "MARUTI",
        )
    ),
)
#: Underlyings whose nearest future joins the sample.
SAMPLE_FUTURES = ("NIFTY", "BANKNIFTY")


def sample(bridge: Bridge) -> list[Key]:
    """Indices, near futures and large shares that the master has."""
    keys = [key for key in SAMPLE if bridge.instrument(key) is not None]
    place = sum(1 for exchange, _ in keys if exchange.endswith("_INDEX"))
    for name in reversed(SAMPLE_FUTURES):
        near = bridge.near_future(name, "NFO")
        if near is not None:
            keys.insert(place, near)
    return keys


class EmptyList(QWidget):
    """Says what to do and offers a sample; what is dropped on it the dock takes."""

    def __init__(self, name: str, text: str, fill: Callable[[], None]) -> None:
        super().__init__()
        named(self, f"{name}-nothing", "Empty list")
        column = QVBoxLayout(self)
        column.addStretch(1)
        says = label(text, f"{name}-nothing-text", "empty")
        says.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(says)
        self.sample_button = push_button(
            "Show a sample list", f"{name}-sample", "Fill the list with a sample", fill
        )
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.sample_button)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(2)
