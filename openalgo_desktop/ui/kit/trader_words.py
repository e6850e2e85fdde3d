"""What engine and API write down, as a trader says it: sources, requests, what the audit trail has.

Tables show these words; the text as it was written stays in the tooltip and in every export.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.reports import AuditEntry
from openalgo_desktop.ui.kit import format as fmt

Naming = Callable[[Key], str]

#: How sources of the journal begin, and what people call them.
_SOURCES = (
    ("window", "Window"),
    ("api:", "API "),
    ("api", "API"),
    ("webhook:", "Webhook "),
    ("mcp:", "Language model "),
    ("exit:", "Watched exit"),
    ("kill", "Kill switch"),
    ("cli", "Command line"),
    ("program", "Program"),
)
#: What the endpoints ask for.
REQUESTS: Mapping[str, str] = {
    "placeorder": "Order",
    "placesmartorder": "Smart order",
    "basketorder": "Basket",
    "splitorder": "Split order",
    "optionsorder": "Option order",
    "optionsmultiorder": "Option legs",
    "modifyorder": "Change",
    "cancelorder": "Cancel",
    "cancelallorder": "Cancel all",
    "closeposition": "Close all",
}
#: Fields of requests and plans; those that are not here are words already.
_FIELDS: Mapping[str, str] = {
    "price_type": "type",
    "pricetype": "type",
    "trigger_price": "trigger",
    "trigger_type": "kind",
    "disclosed_quantity": "disclosed",
    "position_size": "position",
    "order_id": "order",
    "orderid": "order",
    "last_price": "last price",
}
_WHAT: Mapping[str, str] = {
    "order place": "Order",
    "order modify": "Change of an order",
    "order cancel": "Cancellation",
    "order corrected": "Order corrected",
    "order gtt_place": "GTT",
    "order gtt_modify": "Change of a GTT",
    "order gtt_cancel": "GTT cancelled",
    "order convert": "Conversion",
    "mode": "Mode",
    "setting": "Setting",
}
#: Shown without their names: they are the order itself.
_ORDER = ("action", "quantity", "symbol", "exchange", "product", "price_type", "pricetype", "price")
#: Fields that hold units, prices or rupees.
_GROUPED = frozenset(
    ("quantity", "disclosed_quantity", "position_size", "price", "trigger_price", "last_price")
) | {"loss", "profit", "trail"}
#: What says nothing to a trader.
_SILENT = frozenset({"apikey", "strategy", "tag", "account_id", "plan"})
#: How long an order is good for, unless it says otherwise.
_USUAL = ("validity", "DAY")
_UNSET: tuple[Any, ...] = (None, "", 0, 0.0, "0", "0.0", [], {})


def source_text(source: str) -> str:
    """Who asked: ``Window``, ``API key-name``, ``Webhook name``; unknown sources as they are."""
    for start, name in _SOURCES:
        if source.startswith(start):
            return name + source.removeprefix(start) if name.endswith(" ") else name
    return source


def request_text(kind: str) -> str:
    """What an endpoint asks for: ``Smart order``."""
    return REQUESTS.get(kind, kind)


def order_text(body: Mapping[str, Any], name: Naming) -> str:
    """An order in one line: ``BUY 75 NIFTY 02 DEC 24,400 CE NRML LIMIT 101.5, trigger 100``; what
    is no order is told field by field."""
    symbol, exchange = body.get("symbol"), body.get("exchange")
    parts = [body.get("action"), _number("quantity", body.get("quantity"))]
    if symbol:
        parts.append(name((str(exchange or ""), str(symbol))))
    parts.append(body.get("product"))
    parts.append(body.get("pricetype") or body.get("price_type"))
    price = body.get("price")
    parts.append(_number("price", price) if price not in _UNSET else None)
    head = " ".join(str(part) for part in parts if part not in (None, ""))
    rest = {key: value for key, value in body.items() if key not in _ORDER}
    return ", ".join(text for text in (head, plain(rest, name)) if text)


def plain(value: Any, name: Naming) -> str:
    """Any JSON as words: ``loss 25000, stop 1 percent``; what is not set is left out."""
    if isinstance(value, Mapping):
        if "symbol" in value:
            return order_text(value, name)
        if set(value) == {"value", "unit"}:
            return f"{value['value']} {value['unit']}"
        pairs = [
            f"{_FIELDS.get(key, key.replace('_', ' '))} {plain(_number(key, part), name)}".strip()
            for key, part in value.items()
            if key not in _SILENT and not _is_unset(part) and (key, part) != _USUAL
        ]
        return ", ".join(pairs)
    if isinstance(value, list):
        return "; ".join(plain(part, name) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _number(key: str, value: Any) -> Any:
    """Units, prices and rupees as they stand elsewhere in the window; anything else as it is."""
    if key not in _GROUPED or isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return fmt.quantity(number) if number.is_integer() else fmt.exact(number)


def _is_unset(value: Any) -> bool:
    return value is False or any(value == unset for unset in _UNSET)


class Said:
    """Columns of an entry of the audit trail in a trader's words."""

    def __init__(self, name: Naming) -> None:
        self._name = name

    @staticmethod
    def who(row: AuditEntry) -> str:
        """``Webhook Breakout``."""
        return source_text(row.who)

    @staticmethod
    def what(row: AuditEntry) -> str:
        """``Change of an order``."""
        known = _WHAT.get(row.what)
        return known or row.what.replace("_", " ").capitalize()

    @staticmethod
    def subject(row: AuditEntry) -> str:
        """The order, the setting in its words, the request that waits."""
        if row.what == "setting" and row.subject in SETTINGS:
            return SETTINGS[row.subject].help
        kind, _, number = row.subject.partition(" ")
        return f"{request_text(kind)} {number}" if kind in REQUESTS else row.subject

    @staticmethod
    def answer(row: AuditEntry) -> str:
        """``taken``, ``refused: Quantity ...``."""
        state, _, why = row.answer.partition(" ")
        if state == "acknowledged":
            return f"taken: {why}" if why else "taken"
        told = why and state in ("refused", "rejected", "unknown")
        return f"{state}: {why}" if told else row.answer

    def detail(self, row: AuditEntry) -> str:
        """What was asked for, read and not JSON."""
        if not row.detail.startswith(("{", "[")):
            return row.detail
        try:
            return plain(json.loads(row.detail), self._name)
        except ValueError:
            return row.detail
