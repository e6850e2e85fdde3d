"""Rows of Noren's symbol files.

Most members: one zip per exchange, a CSV with a header and a trailing comma. The cash files have
the tick in paise, those of derivatives in rupees. MCX rows say the value of a unit as ``GNGD``,
CDS rows as ``Multiplier``. Source: https://shoonya.com/api-documentation (symbol masters).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from openalgo_desktop.brokers.kit.master.contracts import unit_value
from openalgo_desktop.brokers.kit.master.indices import index_symbol
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import future_symbol, option_symbol, parse_expiry

_LETTERS = re.compile(r"[^\d]+")
#: Beginnings of BFO's internal codes whose trading symbols do not end their name with a letter.
_BFO_CODES = {"SX50": "SENSEX50"}
#: Rows of the CDS file with lower tokens are no contracts.
_FIRST_CDS_TOKEN = 100
#: BSE's indices, where the files have none.
_BSE_INDICES = (("SENSEX", "1"), ("BANKEX", "12"))

ZIPPED = ("NSE", "NFO", "CDS", "MCX", "BSE", "BFO")
_TICK, _CDS_TICK = 0.05, 0.0025


def zips(*, bse_indices: bool = True) -> MasterSpec:
    """The master of a member with one zip per exchange at host ``site``."""
    files = tuple(
        MasterFile(
            path=f"/{exchange}_symbols.txt.zip",
            host="site",
            name=f"{exchange}_symbols.txt",
            exchange=exchange,
            pack="zip",
        )
        for exchange in ZIPPED
    )
    fixed = tuple(index(name, "BSE", token) for name, token in _BSE_INDICES) if bse_indices else ()
    return MasterSpec(files=files, reader=read_row, fixed=fixed)


def plain(folder: str, **names: tuple[str, ...]) -> MasterSpec:
    """The master of Flattrade: CSV files in ``folder`` of host ``site``, by exchange; they do not
    tell tick sizes."""
    files = tuple(
        MasterFile(path=f"{folder}/{name}.csv", host="site", name=f"{name}.csv", exchange=exchange)
        for exchange, parts in names.items()
        for name in parts
    )
    return MasterSpec(files=files, reader=read_plain_row, ticks=False)


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """A row of the zipped files; None for one without a trading symbol."""
    brsymbol, exchange = row["TradingSymbol"].strip(), row["Exchange"]
    if not brsymbol:
        return None
    token, name, lot = row["Token"], row["Symbol"], int(row["LotSize"] or 0) or 1
    tick = float(row["TickSize"] or 0)
    if exchange in ("NSE", "BSE"):
        return cash(exchange, token, name, brsymbol, row["Instrument"], lot, tick / 100)
    if exchange == "CDS" and int(token) <= _FIRST_CDS_TOKEN:
        return None
    if exchange == "BFO":
        name = _bfo_name(name, brsymbol)
    return derivative(
        exchange,
        token,
        name,
        brsymbol,
        expiry=row["Expiry"],
        option=row["OptionType"],
        strike=row["StrikePrice"] if "StrikePrice" in row else row["Strike"],
        lot=lot,
        tick=tick,
        value=float(row.get("GNGD") or row.get("Multiplier") or 1),
    )


def read_plain_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """A row of Flattrade's CSV files: other spellings, no tick and no unit value. The tick is the
    usual one of the segment; the right one of an instrument is in its quote (``ti``)."""
    brsymbol, exchange = row["Tradingsymbol"].strip(), row["Exchange"]
    if not brsymbol:
        return None
    token, name, lot = row["Token"], row["Symbol"], int(row["Lotsize"] or 0) or 1
    if exchange in ("NSE", "BSE"):
        return cash(exchange, token, name, brsymbol, row["Instrument"], lot, _TICK)
    return derivative(
        exchange,
        token,
        name,
        brsymbol,
        expiry=row["Expiry"],
        option=row["Optiontype"],
        strike=row["Strike"],
        lot=lot,
        tick=_CDS_TICK if exchange == "CDS" else _TICK,
        value=unit_value(exchange, lot, name, brsymbol),
    )


def cash(
    exchange: str, token: str, name: str, brsymbol: str, kind: str, lot: int, tick: float
) -> Instrument:
    """A share or an index."""
    if kind in ("INDEX", "UNDIND"):
        return index(brsymbol, exchange, token, name)
    symbol = brsymbol
    if exchange == "NSE" and brsymbol.endswith(("-EQ", "-BE")):
        symbol = brsymbol[:-3]
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=name,
        instrument_type="EQ",
        lot_size=lot,
        tick_size=tick or _TICK,
        token=token,
        brsymbol=brsymbol,
        brexchange=exchange,
    )


def index(brsymbol: str, exchange: str, token: str, name: str = "") -> Instrument:
    """An index; the broker has it on the exchange of its shares."""
    ours = f"{exchange}_INDEX"
    return Instrument(
        symbol=index_symbol(brsymbol, ours, "noren"),
        exchange=ours,
        name=name or brsymbol,
        instrument_type="INDEX",
        tick_size=_TICK,
        token=token,
        brsymbol=brsymbol,
        brexchange=exchange,
    )


def derivative(
    exchange: str,
    token: str,
    name: str,
    brsymbol: str,
    *,
    expiry: str,
    option: str,
    strike: str,
    lot: int,
    tick: float,
    value: float,
) -> Instrument:
    """A future (option type ``XX``) or an option. ``value``: rupees that a unit earns per rupee
    of price."""
    base, day = name.replace(" ", "").upper(), _expiry(expiry)
    is_option = option in ("CE", "PE")
    price = float(strike or 0) if is_option else 0.0
    return Instrument(
        symbol=option_symbol(base, day, price, option) if is_option else future_symbol(base, day),
        exchange=exchange,
        name=base,
        instrument_type=option if is_option else "FUT",
        lot_size=lot,
        tick_size=tick or _TICK,
        expiry=day,
        strike=price,
        token=token,
        brsymbol=brsymbol,
        brexchange=exchange,
        contract_value=value,
    )


def _bfo_name(code: str, brsymbol: str) -> str:
    """The underlying of a BFO contract: its symbol column is an internal code."""
    known = next((name for head, name in _BFO_CODES.items() if code.startswith(head)), "")
    letters = _LETTERS.match(brsymbol)
    return known or (letters[0] if letters else code)


@cache
def _expiry(text: str) -> date:
    """``25-NOV-2025``; few different ones come in a file. Raises ValueError for any other."""
    day, _, year = text.strip().rpartition("-")
    if (expiry := parse_expiry(f"{day}-{year[-2:]}")) is None:
        raise ValueError(f"{text!r} is no expiry")
    return expiry
