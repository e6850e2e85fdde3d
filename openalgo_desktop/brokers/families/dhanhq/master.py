"""Rows of Dhan's compact instrument list (api-scrip-master.csv), one file for all exchanges.
Source: https://dhanhq.co/docs/v2/instruments/

Symbols are made of the expiry and strike columns: the custom symbol leaves out the year, and its
words are not the same everywhere. An id is unique within a segment only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from openalgo_desktop.brokers.kit.master.contracts import unit_value
from openalgo_desktop.brokers.kit.master.indices import index_symbol
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import future_symbol, option_symbol

#: Exchange and segment columns: ours, and the ``exchangeSegment`` of requests. NSE's own
#: commodities (NSE, M) are not offered by the API.
_MARKETS: Final = {
    ("NSE", "E"): ("NSE", "NSE_EQ"),
    ("BSE", "E"): ("BSE", "BSE_EQ"),
    ("NSE", "D"): ("NFO", "NSE_FNO"),
    ("BSE", "D"): ("BFO", "BSE_FNO"),
    ("NSE", "C"): ("CDS", "NSE_CURRENCY"),
    ("BSE", "C"): ("BCD", "BSE_CURRENCY"),
    ("MCX", "M"): ("MCX", "MCX_COMM"),
    ("NSE", "I"): ("NSE_INDEX", "IDX_I"),
    ("BSE", "I"): ("BSE_INDEX", "IDX_I"),
}
#: Series of NSE that are the share (or the unit of a trust) itself. Debentures, warrants, block
#: deals and same-day settlement bear its ticker too, and get symbols of their own.
_SHARES: Final = frozenset({"EQ", "BE", "BZ", "SM", "ST", "SZ", "RR", "IV", "NA", ""})


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """The instrument of one row; None for what is not offered. The lot is the file's own: whether
    commodities and currencies are counted in lots is confirmed from it (``kit.master.sizes``)."""
    market = _MARKETS.get((row["SEM_EXM_EXCH_ID"], row["SEM_SEGMENT"]))
    if market is None:
        return None
    exchange, segment = market
    kind, brsymbol = row["SEM_INSTRUMENT_NAME"], row["SEM_TRADING_SYMBOL"]
    name, strike, expiry = row["SM_SYMBOL_NAME"] or brsymbol, 0.0, None
    if kind == "INDEX":
        symbol = index_symbol(brsymbol, exchange, "dhanhq")
    elif kind == "EQUITY":
        series, kind = row["SEM_SERIES"].strip(), "EQ"
        own = exchange != "NSE" or series in _SHARES
        symbol = brsymbol if own else f"{brsymbol}-{series}"
    else:  # NIFTY-Dec2026-FUT, CRUDEOIL-18Dec2026-FUT, BAJAJ-AUTO-Dec2026-9000-CE
        option = kind.startswith("OPT")
        kind = row["SEM_OPTION_TYPE"] if option else "FUT"
        name = brsymbol.rsplit("-", 3 if option else 2)[0].replace(" ", "").upper()
        expiry = date.fromisoformat(row["SEM_EXPIRY_DATE"][:10])
        strike = float(row["SEM_STRIKE_PRICE"]) if option else 0.0
        symbol = (
            option_symbol(name, expiry, strike, kind) if option else future_symbol(name, expiry)
        )
    lot = int(float(row["SEM_LOT_UNITS"] or 1)) or 1
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=name,
        instrument_type=kind,
        lot_size=lot,
        tick_size=float(row["SEM_TICK_SIZE"] or 0) / 100 or 0.05,  # paise
        expiry=expiry,
        strike=strike,
        token=str(int(row["SEM_SMST_SECURITY_ID"])),  # quotes and feeds take numbers
        brsymbol=brsymbol,
        brexchange=segment,
        contract_value=unit_value(exchange, lot, name, brsymbol),
    )
