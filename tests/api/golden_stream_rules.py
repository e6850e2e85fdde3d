"""Differences of the WebSocket stream that are kept on purpose; a part of the table of
``golden_rules``."""

from __future__ import annotations

import re
from typing import Any

from tests.api import golden_checks as checks
from tests.api.golden_case import Case
from tests.api.golden_compare import Freedom
from tests.api.golden_rule import Rule, with_broker

#: Fields of a stream's ``data`` that every frame of modes 2 and 3 has here.
_QUOTE_KEYS = (
    "open",
    "high",
    "low",
    "close",
    "volume",
    "last_quantity",
    "last_trade_quantity",
    "average_price",
    "avg_trade_price",
    "change",
    "change_percent",
    "price_change",
    "price_change_percent",
    "oi",
    "open_interest",
    "total_buy_quantity",
    "total_sell_quantity",
    "upper_circuit",
    "lower_circuit",
    "bid_price",
    "ask_price",
    "bid_size",
    "ask_size",
)


def _is_tick(case: Case, *modes: int) -> bool:
    return case.body.get("type") == "market_data" and case.body["mode"] in modes


def _rows(case: Case) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = case.body.get("subscriptions", [])
    return rows


def _real_depth(body: Any) -> Any:
    for row in body["subscriptions"]:
        if "depth" in row:
            row["depth"] = min(row["depth"], 5)
    return body


def _unknown_text(body: Any) -> Any:
    for row in body["subscriptions"]:
        match = re.fullmatch(r"Token not found for (.*) on (.*)", row.get("message", ""))
        if match:
            row["message"] = f"Symbol {match[1]} not found for exchange {match[2]}"
    return body


def _real_pending(body: Any) -> Any:
    if body["order_status"] in ("open", "trigger pending", "cancelled"):
        body["pending_quantity"] = body["quantity"] - body["filled_quantity"]
    return body


def _without_change(body: Any) -> Any:
    for name in ("price_change", "price_change_percent"):
        body["data"].pop(name, None)
    return body


def _milliseconds(body: Any) -> Any:
    body["data"]["ltt"] = int(body["data"]["ltt"]) * 1000
    return body


#: Texts of ``data.mode``, by mode.
_MODE_TEXTS = {1: "ltp", 2: "quote", 3: "full"}
_LTP_KEYS = ("symbol", "exchange", "mode", "ltp", "ltt", "timestamp")


def _richer(case: Case) -> bool:
    """Whether the frame carries the data of a higher mode than its own."""
    text = case.body["data"].get("mode")
    return text in list(_MODE_TEXTS.values())[case.body["mode"] :]


def _own_data(body: Any, case: Case) -> Any:
    mode = body["mode"]
    keys = _LTP_KEYS if mode == 1 else (*_LTP_KEYS, *_QUOTE_KEYS)
    data = {name: value for name, value in body["data"].items() if name in keys}
    body["data"] = data | {"mode": _MODE_TEXTS[mode]}
    if "ltt" in data:
        body["data"]["ltt"] = data["timestamp"]  # seconds in the richer frame
    return body


STREAM_RULES: tuple[Rule, ...] = (
    Rule(
        "ws",
        "any frame that names the broker",
        "`broker` is the account's own (`simulator` in the tests)",
        "the recording was made with another broker",
        when=lambda case: "zerodha" in str(case.body),
        change=with_broker,
    ),
    Rule(
        "ws",
        "code `SERVER_ERROR`: the message is not an object, or `symbols` is not a list of objects",
        "the same code with a sentence of ours",
        "the reference shows the text of a Python exception",
        when=lambda case: case.body.get("code") == "SERVER_ERROR",
        edit=lambda body, case: {
            **body,
            "message": "symbols must be a list of objects with symbol and exchange"
            if isinstance(case.request, dict)
            else "A message must be a JSON object",
        },
    ),
    Rule(
        "ws",
        "a symbol that does not exist is subscribed",
        "`Symbol X not found for exchange Y`",
        "the text of most brokers; the recorded one names a broker's token",
        when=lambda case: any("Token not" in row.get("message", "") for row in _rows(case)),
        change=_unknown_text,
    ),
    Rule(
        "ws",
        "more than 5 levels are asked where the feed has 5",
        "`depth` of the answer is the number of levels that really come",
        "the reference repeats the number asked and sends 5",
        when=lambda case: any(row.get("depth", 5) > 5 for row in _rows(case)),
        change=_real_depth,
    ),
    Rule(
        "ws",
        "market data in modes 2 and 3",
        "more keys in `data`: both spellings of each field, change, circuits, best bid and ask; "
        "indices have them too",
        "clients that read only one spelling see zeros from some brokers of the reference",
        when=lambda case: _is_tick(case, 2, 3),
        freedom=Freedom(extra=tuple(f"data.{key}" for key in (*_QUOTE_KEYS, "depth"))),
    ),
    Rule(
        "ws",
        "market data in modes 2 and 3: book totals",
        "the totals of the book",
        "the stand-in broker of the recording said other totals on its stream than over REST",
        when=lambda case: _is_tick(case, 2, 3),
        freedom=Freedom(free=("data.total_buy_quantity", "data.total_sell_quantity")),
        check=checks.stream_totals,
    ),
    Rule(
        "ws",
        "market data with a book: open interest",
        "`oi` and `open_interest` are the open interest",
        "the reference reads them from the last row of the book",
        when=lambda case: _is_tick(case, 2, 3) and "open_interest" in case.body["data"],
        freedom=Freedom(free=("data.oi", "data.open_interest")),
        check=checks.stream_interest,
    ),
    Rule(
        "ws",
        "market data with a book: last trade time",
        "`ltt` in milliseconds, as in the other modes",
        "the reference sends seconds here",
        when=lambda case: _is_tick(case, 2, 3) and "open_interest" in case.body["data"],
        change=_milliseconds,
    ),
    Rule(
        "ws",
        "market data derived from a tick of a higher mode",
        "`ltt` is always there",
        "the reference leaves it out of the tick that it derives",
        when=lambda case: _is_tick(case, 1, 2, 3) and "ltt" not in case.body["data"],
        freedom=Freedom(extra=("data.ltt",)),
    ),
    Rule(
        "ws",
        "an index in mode 2 or 3",
        "`price_change` and `price_change_percent` are the change from the previous close",
        "the reference does not decode the packets of indices and sends 0",
        when=lambda case: _is_tick(case, 2, 3) and case.body["exchange"].endswith("_INDEX"),
        change=_without_change,
    ),
    Rule(
        "ws",
        "`unsubscribe_all`",
        "the rows in the order in which they were subscribed",
        "the reference has no order",
        when=lambda case: case.body.get("type") == "unsubscribe" and "all" in str(case.request),
        freedom=Freedom(unordered=("successful",)),
    ),
    Rule(
        "ws",
        "`get_supported_brokers`",
        "the brokers of this program",
        "the reference lists those of its own configuration",
        when=lambda case: case.body.get("type") == "supported_brokers",
        freedom=Freedom(free=("brokers[*]", "count"), any_length=("brokers",)),
        check=checks.brokers,
    ),
    Rule(
        "ws",
        "a tick of a higher mode reaches a subscriber of a lower one",
        "the frame has the data of its own mode, and `data.mode` says that mode",
        "the reference passes the richer data on, and less the next moment",
        when=lambda case: _is_tick(case, 1, 2) and _richer(case),
        edit=_own_data,
    ),
    Rule(
        "ws",
        "order updates of orders that are not filled",
        "`pending_quantity` is what is left (also of a cancelled order)",
        "the reference sends 0 in analyze mode",
        when=lambda case: case.body.get("type") == "order_update",
        change=_real_pending,
    ),
    Rule(
        "ws",
        "an order is modified",
        "an order update with the new values follows",
        "the reference is silent until the next change of state",
        when=lambda case: (
            case.body.get("type") == "order_update" and case.body["order_status"] == "cancelled"
        ),
    ),
)
