"""Rows of Angel One's scrip master, one JSON array for all segments; strikes and ticks are paise,
those of CDS ten-millionths of a rupee. Source: https://smartapi.angelone.in/docs/Instruments"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from openalgo_desktop.brokers.kit.master.contracts import unit_value
from openalgo_desktop.brokers.kit.master.indices import index_symbol
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import MONTHS, future_symbol, option_symbol

#: What integer prices are divided by to get rupees, where they are no paise.
DIVISORS = {"CDS": 10_000_000.0}
PAISE = 100.0
_CASH = ("NSE", "BSE")
#: Series that are not part of a ticker.
_SERIES = ("-EQ", "-BE", "-MF", "-SG")


def _date(text: str) -> date:
    """``30DEC2025``."""
    return date(int(text[5:]), MONTHS.index(text[2:5]) + 1, int(text[:2]))


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """The instrument of one row; None for segments that are not offered and for spot prices."""
    exchange, source, name = row["exch_seg"], row["instrumenttype"], row["name"].strip()
    brsymbol, divisor = row["symbol"], DIVISORS.get(exchange, PAISE)
    kind, expiry, strike = "EQ", None, 0.0
    lot = int(float(row["lotsize"] or 0)) or 1
    if source == "AMXIDX" and exchange in (*_CASH, "MCX"):
        kind, exchange = "INDEX", f"{exchange}_INDEX"
        symbol = index_symbol(name.upper().removeprefix("S&P "), exchange, "angel")
    elif exchange in _CASH:
        symbol = brsymbol
        for series in _SERIES:
            symbol = symbol.removesuffix(series)
    elif exchange in ("NFO", "BFO", "CDS", "MCX") and source[:3] in ("FUT", "OPT"):
        kind, expiry = "FUT", _date(row["expiry"])
        if source.startswith("OPT"):
            kind, strike = brsymbol[-2:], float(row["strike"]) / divisor
        base = name.replace(" ", "").upper()
        symbol = (
            future_symbol(base, expiry)
            if kind == "FUT"
            else option_symbol(base, expiry, strike, {"CE": "CE", "PE": "PE"}[kind])
        )
    else:
        return None
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=name,
        instrument_type=kind,
        lot_size=lot,
        tick_size=float(row["tick_size"] or 0) / divisor or 0.05,
        expiry=expiry,
        strike=strike,
        token=str(row["token"]),
        brsymbol=brsymbol,
        brexchange=row["exch_seg"],
        contract_value=unit_value(exchange, lot, name, brsymbol),
    )
