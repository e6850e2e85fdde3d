"""Rows of Kite's instrument dump. Source: https://kite.trade/docs/connect/v3/market-quotes/"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from openalgo_desktop.brokers.kit.master.contracts import table_size, unit_value
from openalgo_desktop.brokers.kit.master.indices import index_symbol
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import future_symbol, option_symbol

_INDEX_EXCHANGE = {"NSE": "NSE_INDEX", "BSE": "BSE_INDEX", "MCX": "MCX_INDEX"}
_GLOBAL = frozenset({"GLOBAL", "NSEIX"})
_KNOWN = frozenset({"NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "NCO"})


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """The instrument of one row; None for segments that are not offered.

    The stored token is ``instrument_token::::exchange_token``; the first part is what the feed
    and the history want.
    """
    source, kind = row["exchange"], row["instrument_type"]
    brsymbol = row["tradingsymbol"]
    exchange = source
    if row["segment"] == "INDICES" or source in _GLOBAL:
        exchange = "GLOBAL_INDEX" if source in _GLOBAL else _INDEX_EXCHANGE.get(source, "")
        kind = "INDEX"
    elif source not in _KNOWN:
        return None
    if not exchange:
        return None
    expiry = date.fromisoformat(row["expiry"]) if row["expiry"] else None
    strike = float(row["strike"] or 0)
    name = row["name"].strip().strip('"')
    symbol = brsymbol
    if kind == "INDEX":
        symbol = index_symbol(brsymbol, exchange)
    elif expiry is not None:
        base = name.replace(" ", "").upper()
        name = base
        if kind == "FUT":
            symbol = future_symbol(base, expiry)
        elif kind in ("CE", "PE"):
            symbol = option_symbol(base, expiry, strike, kind)
    # The dump counts contracts on MCX: its lot size is 1 there.
    lot = int(row["lot_size"] or 0) or 1
    if lot == 1:
        lot = table_size(exchange, name, brsymbol, expiry=expiry)
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=name,
        instrument_type=kind,
        lot_size=lot,
        tick_size=float(row["tick_size"] or 0) or 0.05,
        expiry=expiry,
        strike=strike if kind in ("CE", "PE") else 0.0,
        token=f"{row['instrument_token']}::::{row['exchange_token']}",
        brsymbol=brsymbol,
        brexchange=source,
        contract_value=unit_value(exchange, lot, name, brsymbol),
    )
