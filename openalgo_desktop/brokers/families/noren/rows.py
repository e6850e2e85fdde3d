"""Rows of Noren's books, with what their fields are made of. Firstock's have other names for the
same fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.rest.values import absent, number
from openalgo_desktop.core.enums import Exchange

_LEVELS = range(1, 6)
_json = msgspec.json.Decoder(dict[str, Any])


def order(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The status with blanks. What the message reports (``reporttype``) is no status: a refused
    change or cancellation ends nothing."""
    return {**raw, "status": str(raw.get("status", "")).strip().upper().replace("_", " ")}


def position(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An open result of 0 is left open where there is a price: then it follows from that, by the
    contract's factor (Noren: netqty * (lp - netavgprc) * prcftr; ``mult`` is no part of it). Of a
    flat row the price that was paid today; what was bought and sold today and before."""
    row = dict(raw)
    average = number(raw.get("netavgprc"))
    if number(raw.get("netqty")) and number(raw.get("lp")) and not number(raw.get("urmtom")):
        row["urmtom"] = None
    if not average:
        paid = (number(raw.get(name)) for name in ("daybuyavgprc", "totbuyavgprc"))
        row["netavgprc"] = next((price for price in paid if price), 0.0)
    for side in ("buy", "sell"):
        row[f"{side}qty"] = sum(number(raw.get(f"{when}{side}qty")) for when in ("day", "cf"))
    return row


def holding(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """The shares by the documented formula (https://pi.flattrade.in/docs, Holdings: "Valuation"),
    under the name on NSE where there is one. Those bought yesterday are counted apart."""
    names = {str(name.get("exch")): name for name in raw.get("exch_tsym") or ()}
    name = names.get(Exchange.NSE) or names.get(Exchange.BSE)
    if name is None:
        return None
    held = sum(number(raw.get(n)) for n in ("holdqty", "brkcolqty", "unplgdqty", "benqty"))
    other = max(number(raw.get("npoadqty", raw.get("npoadt1qty"))), number(raw.get("dpqty")))
    return {**raw, **name, "quantity": held + other - number(raw.get("usedqty"))}


def free_cash(limits: Mapping[str, Any]) -> float:
    """Cash and money paid in today less what is used."""
    return (
        number(limits.get("cash")) + number(limits.get("payin")) - number(limits.get("marginused"))
    )


def quote(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The book as levels, and the time of the last trade with its date."""
    row = {**raw, **levels(raw, {"buy": ("bp", "bq", "bo"), "sell": ("sp", "sq", "so")})}
    if not absent(raw.get("ltd")) and not absent(raw.get("ltt")):
        row["traded_at"] = f"{raw['ltd']} {raw['ltt']}"
    return row


def candle(raw: Any) -> Mapping[str, Any] | None:
    """A row of a chart; one of days is JSON inside a text. A row of zeros is a minute without a
    price."""
    row: Mapping[str, Any] = _json.decode(raw) if isinstance(raw, str) else raw
    return row if any(number(row.get(name)) for name in ("into", "inth", "intl", "intc")) else None


def levels(
    raw: Mapping[str, Any], names: Mapping[str, tuple[str, str, str]]
) -> dict[str, list[dict[str, Any]]]:
    """The book of fields that are numbered: by side the names of price, quantity and orders."""
    return {
        side: [
            {
                "price": raw.get(f"{price}{n}"),
                "quantity": raw.get(f"{quantity}{n}"),
                "orders": raw.get(f"{orders}{n}"),
            }
            for n in _LEVELS
            if not absent(raw.get(f"{price}{n}"))
        ]
        for side, (price, quantity, orders) in names.items()
    }
