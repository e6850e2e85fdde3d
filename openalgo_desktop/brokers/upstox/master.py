"""Rows of Upstox' instrument file (one gzipped JSON array of all segments).

Source: https://upstox.com/developer/api-documentation/instruments/
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from openalgo_desktop.brokers.kit.master.contracts import unit_value
from openalgo_desktop.brokers.kit.master.indices import index_symbol
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Exchange
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import future_symbol, option_symbol

#: Upstox' segments of the exchanges that take orders; commodities of NSE are not offered.
SEGMENTS = {
    Exchange.NSE: "NSE_EQ", Exchange.BSE: "BSE_EQ", Exchange.NFO: "NSE_FO", Exchange.BFO: "BSE_FO",
    Exchange.CDS: "NCD_FO", Exchange.BCD: "BCD_FO", Exchange.MCX: "MCX_FO",
}  # fmt: skip
INDICES = (Exchange.NSE_INDEX, Exchange.BSE_INDEX, Exchange.GLOBAL_INDEX)
#: World indices that have a last price and nothing else.
INDICATORS = "GLOBAL_INDICATOR"
_EXCHANGES = {segment: exchange for exchange, segment in SEGMENTS.items()} | {
    **{str(exchange): exchange for exchange in INDICES},
    INDICATORS: Exchange.GLOBAL_INDEX,
}
#: Cash series whose symbols are the plain ticker. Debt and the like may bear the ticker of a
#: share (MOTHERSON N1 beside MOTHERSON EQ), so they get their series.
_SHARES = frozenset({"EQ", "BE", "BZ", "SM", "ST", "SZ", "IV", "RR", "E1"})


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """The instrument of one row; None for segments that are not offered."""
    exchange = _EXCHANGES.get(row["segment"])
    if exchange is None:
        return None
    kind, text, name = row["instrument_type"], row["trading_symbol"], row["name"]
    expiry, strike, symbol, value = None, 0.0, text, 1.0
    lot, freeze = int(row.get("lot_size") or 1), int(row.get("freeze_quantity") or 0)
    if kind in ("FUT", "CE", "PE"):
        name = row.get("underlying_symbol") or row.get("asset_symbol") or text.split(" ", 1)[0]
        # The last moment of the day, in milliseconds.
        expiry = datetime.fromtimestamp(row["expiry"] / 1000, IST).date()
        if kind == "FUT":
            symbol = future_symbol(name, expiry)
        else:
            strike = float(row["strike_price"])
            symbol = option_symbol(name, expiry, strike, kind)
        if exchange not in (Exchange.NFO, Exchange.BFO):  # a lot's rupees per rupee of price
            multiplier = row.get("qty_multiplier")
            value = multiplier / lot if multiplier else unit_value(exchange, lot, name)
        if exchange is Exchange.MCX:
            freeze *= lot  # the file counts lots here
    elif exchange in INDICES:
        symbol, kind = index_symbol(text, exchange, "upstox"), "INDEX"
    else:
        plain = exchange is Exchange.BSE or kind in _SHARES
        symbol, kind = text if plain else f"{text}-{kind}", "EQ"
    return Instrument(
        symbol=symbol,
        exchange=str(exchange),
        name=name,
        instrument_type=kind,
        lot_size=lot,
        tick_size=float(row.get("tick_size") or 5.0) / 100.0,  # the file is in paise
        expiry=expiry,
        strike=strike,
        token=row["instrument_key"],
        brsymbol=text,
        brexchange=row["segment"],
        freeze_qty=freeze,
        contract_value=value,
    )
