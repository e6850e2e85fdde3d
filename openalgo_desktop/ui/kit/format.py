"""Numbers and times as the window shows them. Own grouping, independent of the system's locale."""

from __future__ import annotations

import math
import re
from datetime import datetime

from openalgo_desktop.core.clock import IST, age_text
from openalgo_desktop.core.money import PRICE_PLACES

#: Shown where a value is not known; never 0.
MISSING = "–"
LAKH = 100_000
MINUTE = 60
CRORE = 10_000_000
#: An amount of a text that somebody else wrote: ``₹160000.0``.
_AMOUNT = re.compile(r"₹\s?(\d+(?:\.\d+)?)(?!\d|[,.]\d)")
MINUS = "-"  # plain, so that copied text stays a number

_indian = True


def set_grouping(name: str) -> None:
    """``indian`` (12,34,567) or ``western`` (1,234,567), for the whole window."""
    global _indian  # noqa: PLW0603  one display choice per process, as Qt's own locale
    _indian = name != "western"


def _grouped(digits: str) -> str:
    if not _indian or len(digits) <= 3:
        return f"{int(digits):,}"
    head, tail = digits[:-3], digits[-3:]
    first = len(head) % 2
    pairs = [head[:first]] if first else []
    pairs += [head[i : i + 2] for i in range(first, len(head), 2)]
    return ",".join([*pairs, tail])


def _fixed(value: float, places: int, plus: bool = False) -> str:
    if not math.isfinite(value):
        return MISSING
    whole, _, fraction = f"{abs(value):.{places}f}".partition(".")
    text = _grouped(whole) + (f".{fraction}" if fraction else "")
    if not whole.strip("0") and not fraction.strip("0"):
        return text  # no sign on a zero, also not on one that was rounded
    return (MINUS if value < 0 else "+" if plus else "") + text


def price(value: float, places: int = 2) -> str:
    """A price with the decimals of its tick size."""
    return _fixed(value, places)


def exact(value: float, places: int = 2) -> str:
    """A price or an average: the decimals of the tick size, and up to four where it has them."""
    text = _fixed(value, max(PRICE_PLACES, places))
    whole, point, fraction = text.partition(".")
    return whole + point + fraction.rstrip("0").ljust(places, "0") if point else text


def partly(text: str, missing: int) -> str:
    """A sum that leaves out, or counts at an old price, so many positions."""
    return f"{text}  ({missing} not live)" if missing else text


def signed(value: float, places: int = 2) -> str:
    """A change: + or - and the decimals of the tick size; zero has no sign."""
    return _fixed(value, places, plus=True)


def money(value: float) -> str:
    """Rupees with two decimals."""
    return _fixed(value, 2)


def signed_money(value: float) -> str:
    """A profit or loss in rupees: + or - and two decimals."""
    return _fixed(value, 2, plus=True)


def rupees(value: float, *, signed: bool = False) -> str:
    """Rupees with their sign: ``₹ 12.50``; a profit or loss has the + or - before it."""
    text = _fixed(abs(value), 2)
    if text == MISSING:
        return text
    sign = _fixed(value, 2, plus=signed)[:1]
    return f"{sign if sign in '+-' else ''}₹ {text}"


def amounts(text: str) -> str:
    """A sentence in which every amount after a ₹ is written as the window writes rupees."""
    return _AMOUNT.sub(lambda found: rupees(float(found[1])), text)


def percent(value: float, places: int = 2) -> str:
    """A percentage; ``value`` is already in per cent."""
    text = _fixed(value, places)
    return text if text == MISSING else f"{text}%"


def signed_percent(value: float, places: int = 2) -> str:
    """A change in per cent with + or -."""
    text = _fixed(value, places, plus=True)
    return text if text == MISSING else f"{text}%"


def quantity(value: float) -> str:
    """Units or contracts, grouped, without decimals."""
    return _fixed(value, 0)


def units_text(units: int, lot: int) -> str:
    """Lots first, units beside: ``2 lots · 150``; units alone where there are no lots."""
    if lot <= 1 or units % lot:
        return quantity(units)
    lots = units // lot
    return f"{quantity(lots)} {'lot' if abs(lots) == 1 else 'lots'} · {quantity(units)}"


def lots_text(units: int, lot: int) -> str:
    """The same in a sentence: ``2 lots (150)``; units alone where there are no lots."""
    lots, _, rest = units_text(units, lot).partition(" · ")
    return f"{lots} ({rest})" if rest else lots


def short(value: float) -> str:
    """A large amount in few characters: 12.35 L, 1.24 Cr (western: 1.24 M)."""
    if not math.isfinite(value):
        return MISSING
    steps = ((CRORE, "Cr"), (LAKH, "L")) if _indian else ((1e9, "B"), (1e6, "M"), (1e4, "K"))
    for size, unit in steps:
        if abs(value) >= size:
            scaled = value / (1000 if unit == "K" else size)
            return f"{_fixed(scaled, 2)} {unit}"
    return _fixed(value, 0)


def short_signed(value: float) -> str:
    """A large result in few characters, with its sign: +12.35 L, -1.24 Cr, +4.5 K."""
    size, thousand = abs(value), 1000
    text = short(value)
    if thousand <= size < (LAKH if _indian else 10 * thousand):
        text = f"{_fixed(value / thousand, 1)} K"
    return f"+{text}" if value > 0 and text != MISSING else text


def sign_role(value: float) -> str:
    """Colour role of a profit or a change: up, down, or none for zero."""
    return "up" if value > 0 else "down" if value < 0 else ""


def clock_text(moment: datetime) -> str:
    """Time of day in IST."""
    return moment.astimezone(IST).strftime("%H:%M:%S")


def duration(seconds: float) -> str:
    """How long: ``45 s``, ``12 min``, ``3 h 5 min``, ``2 d 4 h``."""
    return age_text(seconds if seconds < MINUTE else seconds // MINUTE * MINUTE)


def date_time_text(moment: datetime) -> str:
    """Date and time in IST."""
    return moment.astimezone(IST).strftime("%d %b %Y %H:%M:%S")
