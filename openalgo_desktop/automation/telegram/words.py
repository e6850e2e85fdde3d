"""Numbers and lists as a chat reads them: rupees in Indian grouping, ten rows, then how many more.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from openalgo_desktop.core.money import group_indian, price_text

#: Rows of a list that are shown.
SHOWN = 10
UNKNOWN = "–"


def rupees(value: float | Decimal | None, *, sign: bool = False) -> str:
    """``₹1,23,456.50``; ``+₹12.00`` with a sign; of an unknown value a dash."""
    if value is None:
        return UNKNOWN
    text = group_indian(f"{abs(value):.2f}")
    lead = "-" if value < 0 and text.strip("0.,") else "+" if sign and value > 0 else ""
    return f"{lead}₹{text}"


def units(value: int) -> str:
    """``1,00,000``."""
    return group_indian(value)


def price(value: float) -> str:
    """A price with its decimals, grouped; a dash where there is none."""
    return group_indian(price_text(value)) if value else UNKNOWN


def percent(value: float) -> str:
    """``+1.25 %``."""
    return f"{value:+.2f} %"


def listing(head: str, shown: Sequence[str], count: int, sums: Iterable[str], empty: str) -> str:
    """A list with its head, the rows that are ``shown``, how many of ``count`` are not, and its
    sums."""
    if not shown:
        return f"{head}\n{empty}"
    lines = [head, *(f"{number}. {row}" for number, row in enumerate(shown, 1))]
    if count > len(shown):
        lines.append(f"… and {count - len(shown)} more")
    return "\n".join([*lines, "", *sums])
