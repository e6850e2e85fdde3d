"""The foot of the basket: its money and the button that sends it, pinned under what scrolls."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role


class BasketFoot(QWidget):
    """Beside one another where there is room, else the money above the buttons."""

    def __init__(self, name: str, send: Callable[[], None], again: Callable[[], None]) -> None:
        super().__init__()
        named(self, f"{name}-foot", "Send the basket")
        self.totals = label("", f"{name}-totals", "muted")
        self.totals.setWordWrap(True)
        self.send = sends(named(QPushButton(), f"{name}-send", "Send the basket"))
        self.send.setProperty("role", "primary")
        self.send.clicked.connect(lambda _checked: send())
        self.again = push_button(
            "Start over", f"{name}-again", "Forget the results and edit again", again
        )
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(6)
        self._buttons.addWidget(self.again)
        self._buttons.addWidget(self.send, 1)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(3)
        self._grid.addWidget(self.totals, 0, 0)
        self._grid.setColumnStretch(0, 1)
        self.place(wide=True)

    def place(self, *, wide: bool) -> None:
        """In one row, or in two."""
        self._grid.removeItem(self._buttons)
        self._grid.addLayout(self._buttons, *((0, 1) if wide else (1, 0)))

    def show_money(self, text: str, *, short: bool = False) -> None:
        """The totals; ``short``: it needs more than is free."""
        self.totals.setText(text)
        set_role(self.totals, "warning" if short else "muted")

    def show_count(self, rest: int, sent: int, mode: Mode, *, ready: bool) -> None:
        """The button says how many orders go where; ``sent`` of the basket are out already."""
        what = f"{rest} order" + ("s" if rest != 1 else "")
        words = f"Send {'the other ' if sent and rest else ''}{what} to {mode.value.upper()}"
        self.send.setText("All lines are out" if sent and not rest else words)
        self.send.setEnabled(ready)
