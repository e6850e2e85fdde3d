"""Rows of Upstox' instrument file (one gzipped JSON array of all segments).

Source: https://upstox.com/developer/api-documentation/instruments/
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from openalgo_desktop.brokers.kit.master.indices import index_symbol
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import future_symbol, option_symbol

#: Unified exchange by segment; commodities of NSE are not offered.
_EXCHANGES = {
    "NSE_EQ": "NSE",
    "BSE_EQ": "BSE",
    "NSE_FO": "NFO",
    "BSE_FO": "BFO",
    "NCD_FO": "CDS",
    "BCD_FO": "BCD",
    "MCX_FO": "MCX",
    "NSE_INDEX": "NSE_INDEX",
    "BSE_INDEX": "BSE_INDEX",
    "GLOBAL_INDEX": "GLOBAL_INDEX",
    "GLOBAL_INDICATOR": "GLOBAL_INDEX",
}
_GLOBAL = {
    "^GSPC": "US500",
    "^DJI": "DOWJONES",
    "^N225": "JAPAN225",
    "^HSI": "HANGSENG",
    "^FTSE": "UK100",
    "^GDAXI": "GERMANY40",
    "^FCHI": "FRANCE40",
    "IXIX": "US100",
    "DOW FUTURES": "US30",
    "GIFT NIFTY": "GIFTNIFTY",
    "BZUSD": "BRENTOIL",
    "CLUSD": "WTIOIL",
}
#: Cash series whose symbols are the plain ticker. Debt and the like may bear the ticker of a
#: share (MOTHERSON N1 beside MOTHERSON EQ), so they get their series.
_SHARES = frozenset({"EQ", "BE", "BZ", "SM", "ST", "SZ", "IV", "RR", "E1", "INDEX"})


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """The instrument of one row; None for segments that are not offered."""
    segment = row["segment"]
    exchange = _EXCHANGES.get(segment)
    if exchange is None:
        return None
    kind, text = row["instrument_type"], row["trading_symbol"]
    name, expiry, strike = row["name"], None, 0.0
    if kind in ("FUT", "CE", "PE"):
        name = row.get("underlying_symbol") or row.get("asset_symbol") or text.split(" ", 1)[0]
        expiry = _ist_date(row["expiry"])
        strike = float(row["strike_price"]) if kind != "FUT" else 0.0
        symbol = (
            future_symbol(name, expiry)
            if kind == "FUT"
            else option_symbol(name, expiry, strike, kind)
        )
    elif exchange == "GLOBAL_INDEX":
        symbol = _GLOBAL.get(text) or index_symbol(text, exchange)
        kind = "INDEX"
    elif exchange.endswith("_INDEX"):
        symbol = index_symbol(text, exchange)
    else:
        plain = exchange == "BSE" or kind in _SHARES
        symbol, kind = text if plain else f"{text}-{kind}", "EQ"
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=name,
        instrument_type=kind,
        lot_size=int(row.get("lot_size") or 1),
        tick_size=float(row.get("tick_size") or 5.0) / 100.0,  # the file is in paise
        expiry=expiry,
        strike=strike,
        token=row["instrument_key"],
        brsymbol=text,
        brexchange=segment,
        freeze_qty=int(row.get("freeze_quantity") or 0),
        contract_value=float(row.get("qty_multiplier") or 1.0),
    )


def _ist_date(milliseconds: float) -> date:
    """The IST date of an expiry, which is given as the last moment of its day."""
    return datetime.fromtimestamp(milliseconds / 1000, IST).date()


MASTER = MasterSpec(
    files=(
        MasterFile(
            path="/market-quote/instruments/exchange/complete.json.gz",
            host="assets",
            name="complete.json.gz",
            pack="gz",
            form="json",
        ),
    ),
    reader=read_row,
)
