"""The symbol master of an XTS server: one text per segment inside a JSON answer, and two lists of
indices.

Columns: https://symphonyfintech.com/xts-market-data-front-end-api/ (master). Rows of futures may
leave strike and option type out, and everything after them moves left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from openalgo_desktop.brokers.families.xts.segments import CASH_OF, NAMES, NUMBERS
from openalgo_desktop.brokers.kit.master.contracts import table_size, unit_value
from openalgo_desktop.brokers.kit.master.indices import index_symbol
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.core.enums import Exchange
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import future_symbol, option_symbol

_HEAD = (
    "segment", "id", "type", "name", "description", "series", "name_with_series", "instrument_id",
    "high", "low", "freeze", "tick", "lot", "multiplier",
)  # fmt: skip
_CASH = (*_HEAD, "display", "isin")
_CONTRACT = (*_HEAD, "underlying", "underlying_name", "expiry", "strike", "option_type", "display")
#: Series of NSE that are traded like shares (rolling and trade-to-trade settlement, SME, trusts).
#: Bonds and the like have symbols that several of their rows share.
_SHARES: Final = ("EQ", "BE", "BZ", "SM", "ST", "RR", "IV")
_OPTIONS: Final = {"3": "CE", "4": "PE"}
_INDEX_TICK: Final = 0.05


def master_of(
    exchanges: Iterable[Exchange], auth_headers: Mapping[str, str], renew: str
) -> MasterSpec:
    """The files of a member: the segments of its exchanges, and the indices of the cash ones.
    ``auth_headers`` are those of the index lists, which belong to the session ``renew``; the texts
    are open to everybody."""
    files = []
    for exchange in exchanges:
        if exchange in CASH_OF:
            files.append(
                MasterFile(
                    path=f"/instruments/indexlist?exchangeSegment={NUMBERS[exchange]}",
                    host="market",
                    headers=auth_headers,
                    renew=renew,
                    name=f"index-{NUMBERS[exchange]}",
                    exchange=exchange,
                    form="json",
                    rows="result.indexList",
                    reader=read_index,
                    optional=True,
                )
            )
            continue
        cash = exchange in CASH_OF.values()
        files.append(
            MasterFile(
                path="/instruments/master",
                host="market",
                method="POST",
                body={"exchangeSegmentList": [NAMES[exchange]]},
                name=NAMES[exchange],
                exchange=exchange,
                text_at="result",
                delimiter="|",
                header=_CASH if cash else _CONTRACT,
                # One segment that is closed for the user must not cost him the others.
                optional=exchange is not Exchange.NSE,
            )
        )
    return MasterSpec(files=tuple(files), reader=read_row)


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """The instrument of one row; None for what is not offered (bonds, spreads)."""
    return _cash(row, file) if file.header is _CASH else _contract(row, file)


def _cash(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    series, name = row["series"], row["name"].strip()
    if file.exchange == Exchange.NSE:
        if series not in _SHARES:
            return None
        return _instrument(row, file.exchange, name, "EQ", name=name, brsymbol=row["display"])
    if series == "SPOT":
        symbol = index_symbol(name, Exchange.BSE_INDEX, "xts")
        return _instrument(
            row, Exchange.BSE_INDEX, symbol, "INDEX", name=symbol, brsymbol=row["display"]
        )
    return _instrument(row, file.exchange, name, "EQ", name=name, brsymbol=row["display"])


def _contract(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    kind = {"1": "FUT", "2": _OPTIONS.get(row.get("option_type") or "", "")}.get(row["type"])
    if not kind:
        return None
    name = row["name"].replace(" ", "").upper()
    expiry = date.fromisoformat(row["expiry"][:10])
    if kind == "FUT":
        strike, symbol = 0.0, future_symbol(name, expiry)
    else:
        strike = float(row["strike"])
        symbol = option_symbol(name, expiry, strike, kind)
    return _instrument(
        row,
        file.exchange,
        symbol,
        kind,
        name=name,
        brsymbol=row["description"],
        expiry=expiry,
        strike=strike,
    )


def _instrument(
    row: Mapping[str, Any], exchange: str, symbol: str, kind: str, *, name: str, **more: Any
) -> Instrument:
    lot = int(float(row["lot"] or 0)) or 1
    if lot == 1:  # on MCX the server counts contracts
        lot = table_size(exchange, name, row["description"], expiry=more.get("expiry"))
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=name,
        instrument_type=kind,
        lot_size=lot,
        tick_size=float(row["tick"]),
        token=row["id"],
        brexchange=row["segment"],
        freeze_qty=int(float(row["freeze"] or 0)),
        contract_value=unit_value(exchange, lot, name, symbol),
        **more,
    )


def read_index(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    """An index: the text ``NIFTY 50_26000`` is its name and its number."""
    text = row["value"]
    name, _, number = text.rpartition("_")
    if not number.isdigit():
        raise ValueError(f"{text!r} has no number")
    symbol = index_symbol(name, file.exchange, "xts")
    return Instrument(
        symbol=symbol,
        exchange=file.exchange,
        name=symbol,
        instrument_type="INDEX",
        tick_size=_INDEX_TICK,
        token=number,
        brsymbol=text,
        brexchange=file.exchange,
    )
