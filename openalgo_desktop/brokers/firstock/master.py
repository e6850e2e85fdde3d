"""Rows of Firstock's symbol files and of its list of indices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openalgo_desktop.brokers.families.noren.master import cash, derivative, index
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.model import Instrument


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """A row of an exchange's CSV; None for one without a trading symbol."""
    brsymbol, exchange = row["TradingSymbol"].strip(), row["Exchange"]
    if not brsymbol:
        return None
    token, lot, tick = row["Token"], int(row["LotSize"] or 0) or 1, float(row["TickSize"] or 0)
    if exchange in ("NSE", "BSE"):
        return cash(exchange, token, row["CompanyName"], brsymbol, "EQ", lot, tick)
    return derivative(
        exchange,
        token,
        row["Symbol"],
        brsymbol,
        expiry=row["Expiry"],
        option=row["OptionType"],
        strike=row["StrikePrice"],
        lot=lot,
        tick=tick,
        value=1.0,
    )


def read_index(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """An index of the list; None for one of another exchange."""
    name = str(row.get("tradingSymbol") or row.get("idxname") or "")
    if not name or row.get("exchange") not in ("NSE", "BSE"):
        return None
    return index(name, row["exchange"], str(row["token"]), str(row.get("idxname") or name))
