"""Rows of the server's ``instruments`` endpoint. Their symbols are unified already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openalgo_desktop.brokers.kit.master.contracts import unit_value
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, INDEX_EXCHANGES, Exchange
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import parse, parse_expiry

#: Exchanges that older servers do not know.
_NEWER = frozenset(
    {Exchange.NCDEX, Exchange.NCO, Exchange.MCX_INDEX, Exchange.GLOBAL_INDEX, Exchange.CRYPTO}
)


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """The instrument of one row. The type follows from the symbol where the server has a text of
    its own (``OPTIDX``, ``FUTSTK``); the strike of what is no option may be -1 or -0.01."""
    symbol, exchange = row["symbol"], row["exchange"]
    if not symbol:
        return None
    kind = row["instrumenttype"] or "EQ"
    expiry = parse_expiry(row["expiry"]) if row["expiry"] else None
    if exchange in INDEX_EXCHANGES:
        kind = "INDEX"
    elif exchange in DERIVATIVE_EXCHANGES and kind not in ("FUT", "CE", "PE"):
        parts = parse(symbol)
        kind, expiry = (parts.kind, expiry or parts.expiry) if parts.expiry else (kind, expiry)
    option = kind in ("CE", "PE")
    # Whatever a lot has at the server's broker, one lot is one contract.
    lot = int(float(row["lotsize"] or 0)) or 1
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=row["name"] or "",
        instrument_type=kind,
        lot_size=lot,
        tick_size=float(row["tick_size"] or 0) or 0.05,
        expiry=expiry,
        strike=float(row["strike"]) if option else 0.0,
        token=row["token"],
        brsymbol=symbol,  # on the wire between us and the server
        brexchange=exchange,
        contract_value=unit_value(exchange, lot, row["name"] or "", symbol),
    )


MASTER = MasterSpec(
    own=True,  # a symbol master per server, not per broker
    files=tuple(
        MasterFile(
            path=f"/api/v1/instruments?exchange={exchange}&format=csv&apikey={{api_key}}",
            name=f"{exchange}.csv",
            exchange=exchange,
            auth=True,
            optional=exchange in _NEWER,
        )
        for exchange in Exchange
    ),
    reader=read_row,
)
