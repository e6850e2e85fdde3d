"""Rows of an XTS server's books as the field maps of the spec want them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from openalgo_desktop.brokers.families.xts.segments import NAMES
from openalgo_desktop.brokers.kit.books.rows import as_rows
from openalgo_desktop.brokers.kit.rest.values import number, pick
from openalgo_desktop.core.enums import Exchange

_ALL: Final = "ALL|ALL|ALL"
_NOT_LISTED: Final = ("", "-1", "0")


def _whole(value: Any) -> str:
    """A number that is a name: servers write it as an integer, a float or a text."""
    text = str(value if value is not None else "").strip()
    head, _, tail = text.partition(".")
    return head if head.isdigit() and not tail.strip("0") else text


def _order(row: Mapping[str, Any]) -> dict[str, Any]:
    """Status in small letters without blanks; an untriggered stop order may be told as new."""
    status = "".join(str(row.get("OrderStatus") or "").lower().split())
    if status == "new" and str(row.get("OrderType", "")).lower().startswith("stop"):
        status = "triggerpending"
    return {**_numbered(row), "OrderStatus": status}


def _numbered(row: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {
        name: _whole(row[name])
        for name in ("AppOrderID", "ExchangeInstrumentID", "ExchangeInstrumentId")
        if name in row
    }
    return {**row, **numbers}


def _position(row: Mapping[str, Any]) -> dict[str, Any]:
    """The average of the side that is open."""
    quantity = number(row.get("Quantity"))
    side = "BuyAveragePrice" if quantity > 0 else "SellAveragePrice"
    return {**_numbered(row), "average": number(row.get(side)) if quantity else 0.0}


def _holding(row: Mapping[str, Any]) -> dict[str, Any]:
    """A holding is found by its number on NSE, else on BSE; its text is the ISIN."""
    for exchange, field in (
        (Exchange.NSE, "ExchangeNSEInstrumentId"),
        (Exchange.BSE, "ExchangeBSEInstrumentId"),
    ):
        token = _whole(row.get(field))
        if token not in _NOT_LISTED:
            return {**row, "segment": NAMES[exchange], "token": token}
    return {**row, "segment": NAMES[Exchange.NSE], "token": ""}


def _funds(entries: Any) -> dict[str, Any]:
    """The limits over all segments; NaN is how the server writes that there is nothing yet."""
    rows = as_rows(entries)
    chosen = next((row for row in rows if pick(row, "limitHeader") == _ALL), None)
    row = chosen or (rows[0] if rows else {})
    limits = pick(row, "limitObject.RMSSubLimits", {})
    paid = pick(row, "limitObject.marginAvailable", {})
    limits = {**limits, "payin": paid.get("PayInAmount"), "payout": paid.get("PayOutAmount")}
    return {name: value for name, value in limits.items() if str(value).lower() != "nan"}


#: What makes a row of a book what its field map reads.
CHANGES: Final[Mapping[str, Callable[[Any], dict[str, Any]]]] = {
    "order": _order,
    "trade": _numbered,
    "position": _position,
    "holding": _holding,
    "funds": _funds,
}
