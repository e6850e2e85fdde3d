"""What the window says of an instrument's market: what is not known is a dash, never 0."""

from __future__ import annotations

from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.ui.engine.known import known, price
from openalgo_desktop.ui.kit import format as fmt

__all__ = [
    "change",
    "change_text",
    "count_text",
    "known",
    "percent",
    "percent_text",
    "price",
    "price_text",
    "tone",
    "totals",
]


def price_text(tick: Tick | None, name: str, places: int) -> str:
    """A price with ``places`` decimals."""
    value = price(tick, name)
    return fmt.MISSING if value is None else fmt.price(value, places)


def count_text(tick: Tick | None, name: str) -> str:
    """A quantity, a volume or an open interest."""
    value = known(tick, name)
    return fmt.MISSING if value is None else fmt.quantity(value)


def change(tick: Tick | None) -> float | None:
    """Rupees since the previous close; None while one of the two is not known."""
    has = price(tick) is not None and price(tick, "close") is not None
    return tick.change if has and tick is not None else None


def percent(tick: Tick | None) -> float | None:
    """Per cent since the previous close."""
    return None if change(tick) is None or tick is None else tick.change_percent


def change_text(tick: Tick | None, places: int) -> str:
    """The change in rupees with its sign."""
    value = change(tick)
    return fmt.MISSING if value is None else fmt.signed(value, places)


def percent_text(tick: Tick | None) -> str:
    """The change in per cent with its sign."""
    value = percent(tick)
    return fmt.MISSING if value is None else fmt.signed_percent(value)


def tone(tick: Tick | None) -> str:
    """Colour role of the change."""
    return fmt.sign_role(change(tick) or 0.0)


def totals(tick: Tick | None) -> tuple[int | None, int | None]:
    """Quantity bid and asked in the whole book as far as it is told, else in the levels that are
    known; None where neither is."""
    found: list[int | None] = []
    for name, side in (("total_buy_quantity", "buy"), ("total_sell_quantity", "sell")):
        told = known(tick, name) or None  # 0 is what a source says that does not count them
        if told is None and tick is not None and tick.depth is not None and tick.knows(Part.BOOK):
            told = sum(level.quantity for level in getattr(tick.depth, side))
        found.append(None if told is None else int(told))
    return found[0], found[1]
