"""The unified symbol grammar: parse and format, both ways.

Derivatives are read from the right (type, strike, seven characters of expiry), because bases may
contain digits and punctuation (``NIFTYNXT50``, ``M&M``, ``726GS2033``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import NamedTuple

from openalgo_desktop.core.money import plain

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH_NUMBER = {name: number for number, name in enumerate(MONTHS, 1)}

_DATE = rf"(?P<day>\d{{2}})(?P<month>{'|'.join(MONTHS)})(?P<year>\d{{2}})"
_FUTURE = re.compile(rf"(?P<base>.+){_DATE}FUT", re.ASCII)
_OPTION = re.compile(rf"(?P<base>.+){_DATE}(?P<strike>\d+(?:\.\d+)?)(?P<type>CE|PE)", re.ASCII)
_UNDERLYING = re.compile(rf"(?P<base>.+?){_DATE}(?:FUT)?", re.ASCII)
_IN_TEXT = re.compile(
    rf"(?<![\w&-])[A-Z0-9][A-Z0-9&-]*?\d{{2}}(?:{'|'.join(MONTHS)})\d{{2}}"
    r"(?:FUT|\d+(?:\.\d+)?(?:CE|PE))(?![\w-])",
    re.ASCII,
)
_EXPIRY = re.compile(_DATE, re.ASCII)
_EXPIRY_DASHED = re.compile(
    rf"(?P<day>\d{{2}})-(?P<month>{'|'.join(MONTHS)})-(?P<year>\d{{2}})", re.ASCII
)

#: Exchange of the spot price of index bases; other bases follow their option exchange.
_INDEX_SPOT = {
    **dict.fromkeys(
        ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "INDIAVIX"), "NSE_INDEX"
    ),
    **dict.fromkeys(("SENSEX", "BANKEX", "SENSEX50"), "BSE_INDEX"),
}
_OPTION_EXCHANGE = {"NSE": "NFO", "NSE_INDEX": "NFO", "BSE": "BFO", "BSE_INDEX": "BFO"}
_SELF_OPTION = frozenset({"NFO", "BFO", "MCX", "CDS", "NCO", "BCD", "NCDEX", "CRYPTO"})

#: When contracts of an exchange expire on their last day, IST; 15:30 elsewhere.
_EXPIRY_TIMES = {
    "MCX": time(23, 30),
    "NCO": time(23, 30),
    "NCDEX": time(17, 0),
    "CDS": time(12, 30),
    "BCD": time(12, 30),
    "CRYPTO": time(17, 30),
}


def expiry_time(exchange: str) -> time:
    """When contracts of ``exchange`` expire on their last day, IST."""
    return _EXPIRY_TIMES.get(exchange, time(15, 30))


class ParsedSymbol(NamedTuple):
    """Parts of a symbol. ``kind`` is EQ (anything without expiry), FUT, CE or PE."""

    base: str
    kind: str = "EQ"
    expiry: date | None = None
    strike: float = 0.0


def _date(match: re.Match[str]) -> date | None:
    try:
        return date(2000 + int(match["year"]), _MONTH_NUMBER[match["month"]], int(match["day"]))
    except ValueError:
        return None


def parse(symbol: str) -> ParsedSymbol:
    """The parts of ``symbol``; what is no derivative comes back as an EQ base.

    Text cannot say more: validate the result against the instrument table.
    """
    if (match := _OPTION.fullmatch(symbol)) and (expiry := _date(match)):
        return ParsedSymbol(match["base"], match["type"], expiry, float(match["strike"]))
    if (match := _FUTURE.fullmatch(symbol)) and (expiry := _date(match)):
        return ParsedSymbol(match["base"], "FUT", expiry)
    return ParsedSymbol(symbol)


def contracts(text: str, named: Callable[[str], str]) -> str:
    """``text`` with each symbol of a future or an option in it replaced by what ``named`` gives
    for it."""
    return _IN_TEXT.sub(lambda match: named(match[0]), text)


def split_underlying(text: str) -> tuple[str, date | None]:
    """Base and embedded expiry of an underlying such as ``NIFTY28OCT25FUT`` or ``NIFTY28OCT25``."""
    if (match := _UNDERLYING.fullmatch(text)) and (expiry := _date(match)):
        return match["base"], expiry
    return text, None


def format_expiry(expiry: date) -> str:
    """``24DEC26``, as in symbols and in option requests."""
    return f"{expiry.day:02d}{MONTHS[expiry.month - 1]}{expiry.year % 100:02d}"


def format_expiry_dashed(expiry: date | None) -> str:
    """``24-DEC-26``, as in the symbol master and expiry lists; empty without an expiry."""
    if expiry is None:
        return ""
    return f"{expiry.day:02d}-{MONTHS[expiry.month - 1]}-{expiry.year % 100:02d}"


def parse_expiry(text: str) -> date | None:
    """The date of ``24DEC26`` or ``24-DEC-26`` in any case; None when it is neither."""
    upper = text.strip().upper()
    match = _EXPIRY.fullmatch(upper) or _EXPIRY_DASHED.fullmatch(upper)
    return _date(match) if match else None


def future_symbol(base: str, expiry: date) -> str:
    """``NIFTY24DEC26FUT``."""
    return f"{base}{format_expiry(expiry)}FUT"


def option_symbol(base: str, expiry: date, strike: float, option_type: str) -> str:
    """``NIFTY24DEC2626500CE``."""
    return f"{base}{format_expiry(expiry)}{plain(strike)}{option_type}"


def format_symbol(parts: ParsedSymbol) -> str:
    """The symbol of its parts; the inverse of :func:`parse`."""
    if parts.expiry is None:
        return parts.base
    if parts.kind == "FUT":
        return future_symbol(parts.base, parts.expiry)
    return option_symbol(parts.base, parts.expiry, parts.strike, parts.kind)


def spot_exchange(base: str, exchange: str) -> str:
    """Where the spot of an option base is quoted: index segment, cash segment, or ``exchange``."""
    if (index := _INDEX_SPOT.get(base)) is not None:
        return index
    return {"NFO": "NSE", "BFO": "BSE"}.get(exchange, exchange)


def option_exchange(exchange: str) -> str:
    """Where options on an underlying of ``exchange`` trade."""
    if exchange in _SELF_OPTION:
        return exchange
    return _OPTION_EXCHANGE.get(exchange, "NFO")
