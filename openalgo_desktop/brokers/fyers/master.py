"""Rows of Fyers' symbol files, the CSV (without a header) and the JSON one, whose names both get.
Source: myapi.fyers.in/docsv3, Symbol Master and Symbol Master Json."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from openalgo_desktop.brokers.kit.master.contracts import known_size
from openalgo_desktop.brokers.kit.master.indices import index_symbol
from openalgo_desktop.brokers.kit.spec import MasterFile, table
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import future_symbol, option_symbol

#: Exchanges by the wire's exchange and segment.
EXCHANGES = {
    ("10", "10"): "NSE", ("10", "11"): "NFO", ("10", "12"): "CDS", ("10", "20"): "NCO",
    ("12", "10"): "BSE", ("12", "11"): "BFO", ("12", "12"): "BCD", ("11", "20"): "MCX",
}  # fmt: skip
#: Columns of the CSV under the names of the JSON.
COLUMNS = tuple(
    table(
        "fyToken symDetails exInstType minLotSize tickSize isin tradingSession lastUpdate"
        " expiryDate symTicker exchange segment exToken underSym underToken strikePrice optType"
        " underFyTok reserved1 reserved2 reserved3"
    )
)
_INDEX = 10
#: Instrument types of shares and funds; what else is listed (bonds, bills) is not offered.
_SHARES = {"NSE": (0, 9), "BSE": (0, 4, 50)}
#: Series of NSE whose symbols are the plain name; a block (BL) or a T+0 share (T0) bears the name
#: of the usual one and must not be taken for it.
_PLAIN = frozenset({"EQ", "BE", "BZ", "SM", "ST", "SZ", "IV", "RR", "E1"})


def read_line(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """The instrument of a line of the CSV: its columns count, whatever they are called."""
    return read_row(dict(zip(COLUMNS, row.values(), strict=False)), file)


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """The instrument of one row; None for one that is not offered. The token is the fytoken."""
    source = EXCHANGES[str(row["exchange"]), str(row["segment"])]
    ticker, base, kind = row["symTicker"], row["underSym"], int(row["exInstType"])
    exchange, symbol, option, expiry, strike = source, base, "EQ", None, 0.0
    if source not in _SHARES:
        expiry = datetime.fromtimestamp(int(row["expiryDate"]), IST).date()
        option = row["optType"] if row["optType"] in ("CE", "PE") else "FUT"
        if option == "FUT":
            symbol = future_symbol(base, expiry)
        else:
            strike = float(row["strikePrice"])
            symbol = option_symbol(base, expiry, strike, option)
    elif kind == _INDEX:
        exchange, option = f"{source}_INDEX", "INDEX"
        symbol = index_symbol(base, exchange, "fyers")
    elif ticker.endswith("-GB"):
        option = "GB"
    elif kind not in _SHARES[source]:
        return None
    elif source == "NSE" and (series := ticker.rpartition("-")[2]) not in _PLAIN:
        symbol = f"{base}-{series}"
    # A contract of which 1 is the least quantity earns its multiplier for each rupee of price
    # (GOLD: 100 for a kilogram quoted by ten grams); units are those of the exchange's contract.
    lot, earns = max(1, int(row["minLotSize"])), float(row.get("qtyMultiplier") or 1)
    if lot == 1 and expiry is not None:
        lot = known_size(source, base, expiry=expiry)
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=base if expiry else row["symDetails"],
        instrument_type=option,
        lot_size=lot,
        tick_size=float(row["tickSize"]),
        expiry=expiry,
        strike=strike,
        token=row["fyToken"],
        brsymbol=ticker,
        brexchange=source,
        contract_value=earns / lot if earns > 1 else 1.0,
    )
