"""What the Risk dock shows: each limit, what is used of it, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from openalgo_desktop.core.enums import Mode

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class LimitRow(NamedTuple):
    """One limit. ``used`` and ``most`` are in ``unit`` (rupees, orders, positions, lots, units,
    per cent); ``used`` None is *not measured* (limits of a single order). A ``most`` of 0 is off.
    ``action`` says what happens when it is reached."""

    scope: str  # empty: everything
    name: str
    used: float | None
    most: float
    unit: str
    action: str

    @property
    def part(self) -> float | None:
        """Used part, 1 when it is reached; None when it is off or not measured."""
        if not self.most or self.used is None:
            return None
        return max(0.0, self.used / self.most)


#: Field of ``Limits``, its name, unit and what happens.
_NEW_ONLY = "no new positions; exits pass"
ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("day_loss", "Day's loss", "₹", _NEW_ONLY),
    ("day_profit", "Day's profit", "₹", _NEW_ONLY),
    ("orders_per_minute", "Orders a minute", "orders", "orders are refused; exits pass"),
    ("open_positions", "Open positions", "positions", _NEW_ONLY),
    ("max_lots", "Lots of an order", "lots", "the order is refused"),
    ("max_quantity", "Units of an order", "units", "the order is refused"),
    ("max_value", "Value of an order", "₹", "the order is refused"),
    ("price_band", "Price from the last", "%", "the order is refused"),
)


class RiskDoor:
    """Reads the risk rules and the books of the mode that is shown."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def rows(self, profit: float | None) -> list[LimitRow]:
        """The limits of everything, and those of single scopes that are on. ``profit`` is the
        day's result as the window shows it, rupees; None while it is not known."""
        rules, setting = self._terminal.risk_rules, self._terminal.settings
        book = self._terminal.desk.books.book(self._terminal.desk.mode)
        measured: dict[str, float | None] = {
            "day_loss": None if profit is None else max(0.0, -profit),
            "day_profit": None if profit is None else max(0.0, profit),
            "orders_per_minute": float(rules.sent_within_a_minute(self._terminal.desk.mode)),
            "open_positions": float(book.open_positions()) if book.day is not None else None,
        }
        found = [
            LimitRow("", name, measured.get(field), float(setting[f"risk.{field}"]), unit, action)
            for field, name, unit, action in ROWS
        ]
        for scope, limits in sorted(rules.scopes.items()):
            values = msgspec.structs.asdict(limits)
            found += [
                LimitRow(scope, name, None, float(values[field]), unit, action)
                for field, name, unit, action in ROWS
                if values[field]
            ]
        return found

    @property
    def hours_only(self) -> bool:
        """Whether orders are refused while the market is closed."""
        return bool(self._terminal.settings["risk.trading_hours"])

    @property
    def square_off_lock(self) -> str:
        """From when on no new intraday positions, ``HH:MM`` or empty."""
        return str(self._terminal.settings["risk.square_off_lock"])

    @property
    def mode(self) -> Mode:
        """Whose limits are measured."""
        return self._terminal.desk.mode
