"""Segments, instrument numbers and times as XTS writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from openalgo_desktop.core.clock import IST, IST_OFFSET_SECONDS
from openalgo_desktop.core.enums import Exchange
from openalgo_desktop.core.errors import NotSupported, SymbolUnknown
from openalgo_desktop.core.model import Instrument

#: Names of segments by exchange: orders, books, masters and candles use these.
NAMES: Final[Mapping[Exchange, str]] = {
    Exchange.NSE: "NSECM",
    Exchange.BSE: "BSECM",
    Exchange.NFO: "NSEFO",
    Exchange.BFO: "BSEFO",
    Exchange.CDS: "NSECD",
    Exchange.MCX: "MCXFO",
}
#: Indices belong to the cash segment of their exchange.
CASH_OF: Final[Mapping[str, Exchange]] = {
    Exchange.NSE_INDEX: Exchange.NSE,
    Exchange.BSE_INDEX: Exchange.BSE,
}
#: Numbers of segments by exchange: quotes, the feed and the margin calculator use these.
NUMBERS: Final[Mapping[str, int]] = {
    Exchange.NSE: 1,
    Exchange.NFO: 2,
    Exchange.CDS: 3,
    Exchange.BSE: 11,
    Exchange.BFO: 12,
    Exchange.MCX: 51,
    Exchange.NSE_INDEX: 1,
    Exchange.BSE_INDEX: 11,
}
#: Times of market data count from the first of January 1980 by the clock of India.
_FIRST_SECOND: Final = int(datetime(1980, 1, 1, tzinfo=IST).timestamp())


def segment_of(exchange: str) -> int:
    """The number of the segment that an exchange's instruments are in."""
    number = NUMBERS.get(exchange)
    if number is None:
        raise NotSupported(f"XTS has no market data of {exchange}.")
    return number


def segment_name(exchange: str) -> str:
    """The name of the segment that an exchange's instruments are in."""
    return NAMES[CASH_OF.get(exchange) or Exchange(exchange)]


def instrument_id(row: Instrument) -> int:
    """The number of an instrument within its segment."""
    if not row.token.isdigit():
        raise SymbolUnknown(row.symbol, row.exchange)
    return int(row.token)


def epoch(seconds: int) -> int:
    """Epoch seconds (UTC) of a time of market data; 0 stays 0: never."""
    return seconds + _FIRST_SECOND if seconds else 0


def wall_epoch(seconds: int) -> int:
    """Epoch seconds (UTC) of a time of candles, which is India's clock written as if it were
    UTC."""
    return seconds - IST_OFFSET_SECONDS
