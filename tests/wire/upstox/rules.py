"""Where recordings of Upstox are wrong beyond their own ``deviation``, and on whose word. The
reference speaks the endpoints of version 2 in texts; the files of the documentation are below
https://upstox.com/developer/api-documentation/ ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.wire.vectors import Rule

_DOCS = "https://upstox.com/developer/api-documentation/"
_ORDERS = ("place_order", "modify_order", "cancel_order", "cancel_all_orders")
_OLD, _NEW = "https://api.upstox.com/v2/order/", "https://api-hft.upstox.com/v3/order/"
_NUMBERS = {
    "quantity": int, "disclosed_quantity": int, "price": float, "trigger_price": float,
}  # fmt: skip
_WRITES = {"place", "modify", "cancel"}


def _old_write(http: Mapping[str, Any]) -> bool:
    return bool(http["url"].removeprefix(_OLD) in _WRITES)


def _has_old_write(case: dict[str, Any]) -> bool:
    return any(map(_old_write, case["http"]))


def _version_3(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests at the hosts and in the types of version 3."""
    return [_moved(http, case["op"]) if _old_write(http) else http for http in case["http"]]


def _moved(http: dict[str, Any], op: str) -> dict[str, Any]:
    moved = {**http, "url": http["url"].replace(_OLD, _NEW)}
    moved.pop("body_text", None)
    if isinstance(body := http.get("body"), dict):
        body = {name: _NUMBERS.get(name, str)(value) for name, value in body.items()}
        if op == "place_order":
            body |= {"is_amo": False, "slice": False}
        moved["body"] = body
    return moved


def _of_mcx(case: dict[str, Any]) -> bool:
    return bool(case["input"].get("exchange") == "MCX" and case["http"])


def _is_market(case: dict[str, Any]) -> bool:
    return bool(case["input"].get("pricetype") in ("MARKET", "SL-M") and case["http"])


# -- books ------------------------------------------------------------------------------------
_LOTS = ("quantity", "pending_quantity", "filled_quantity", "disclosed_quantity")
_AMO = "after market order req received"


def _book(case: dict[str, Any]) -> list[dict[str, Any]]:
    data = case["http_response"][0]["body"].get("data") if case["http_response"] else None
    return data if isinstance(data, list) else []


def _is_mcx(row: Mapping[str, Any]) -> bool:
    return bool(row["exchange"] == "MCX")


def _in_lots(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Quantities of commodities as they are placed: in lots of a hundred barrels."""
    rows = [
        {k: v // 100 if k in _LOTS else v for k, v in row.items()} if _is_mcx(row) else row
        for row in _book(case)
    ]
    return [
        {"status": 200, "body": {"status": "success", "data": rows}},
        *case["http_response"][1:],
    ]


def _waits_for_the_market(case: dict[str, Any]) -> bool:
    return any(row.get("status") == _AMO for row in _book(case))


def _with_after_market(name: str) -> Callable[[dict[str, Any]], list[Any]]:
    """Requests, replies or ids with the cancellations of orders for the next day among them."""

    def made(case: dict[str, Any]) -> list[Any]:
        found = list(case["expect"]["cancelled"] if name == "ids" else case[name])
        first = 0 if name == "ids" else 1  # the book comes before
        known = [http["query"]["order_id"] for http in case["http"][1:]]
        ids = [r["order_id"] for r in _book(case) if r["order_id"] in known or r["status"] == _AMO]
        for place, order_id in enumerate(ids):
            if order_id not in known:
                reply = {"status": "success", "data": {"order_id": order_id}}
                new = {
                    "ids": order_id,
                    "http": {**case["http"][1], "query": {"order_id": order_id}},
                    "http_response": {"status": 200, "body": reply},
                }
                found.insert(first + place, new[name])
        return found

    return made


# -- quotes: one request of version 3 in place of two ----------------------------------------
_OHLC, _FULL = "/v3/market-quote/ohlc", "/v2/market-quote/quotes"


def _two_requests(case: dict[str, Any]) -> bool:
    return any(http["url"].endswith(_OHLC) for http in case["http"])


def _quote_request(case: dict[str, Any]) -> list[dict[str, Any]]:
    http = case["http"][0]
    return [
        {
            **http,
            "url": "https://api.upstox.com/v3/market-quote/quotes",
            "query": {"instrument_key": http["query"]["instrument_key"]},
        }
    ]


def _quote_replies(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The full quotes with what version 3 adds; one reply where both were the same error."""
    pairs = zip(case["http"], case["http_response"], strict=False)
    replies = {http["url"].rpartition("/")[2]: reply for http, reply in pairs}
    full = replies.get("quotes")
    if full is None:
        return [replies["ohlc"]]
    before = replies["ohlc"]["body"]["data"]
    data = {
        name: {**row, "prev_close_price": before[name]["prev_ohlc"]["close"]}
        for name, row in full["body"]["data"].items()
    }
    return [{**full, "body": {**full["body"], "data": data}}]


# -- candles ----------------------------------------------------------------------------------
def _is_long(case: dict[str, Any]) -> bool:
    return bool(case["input"].get("interval") in ("W", "M") and "rows" in case["expect"])


def _at_midnight(case: dict[str, Any]) -> list[list[Any]]:
    """Bars at midnight UTC of their trading date."""
    days = [
        datetime.fromisoformat(bar[0][:10] + "T00:00:00+00:00")
        for reply in case["http_response"]
        for bar in reply["body"]["data"]["candles"]
    ]
    starts = sorted(int(day.timestamp()) for day in days)
    return [[at, *row[1:]] for at, row in zip(starts, case["expect"]["rows"], strict=True)]


# -- feeds ------------------------------------------------------------------------------------
def _is_authorized(case: dict[str, Any]) -> bool:
    return any("url" in frame for frame in case["frames"])


def _redirect(case: dict[str, Any]) -> list[dict[str, Any]]:
    address = next(frame["url"] for frame in case["frames"] if "url" in frame)
    body = {"status": "success", "data": {"authorized_redirect_uri": address}}
    return [{"status": 200, "body": body}]


RULES: tuple[Rule, ...] = (
    Rule(
        ops=_ORDERS,
        field="/http",
        condition=_has_old_write,
        source=f"{_DOCS}v3/place-order, v3/modify-order, v3/cancel-order: host api-hft, numbers "
        "and booleans of their own types; the requests of version 2 are replaced by these",
        should_be=_version_3,
    ),
    Rule(
        ops="place_order",
        field="/http/0/body/slice",
        condition=lambda case: bool(case["http"]) and case["http"][0]["body"].get("slice") is True,
        source=f"{_DOCS}v3/place-order: slice is optional, and each part is an order with an id "
        "and charges of its own; orders above the freeze quantity are split by the corridor",
        should_be=lambda case: False,
    ),
    Rule(
        ops="place_order",
        field="/http/0/body/quantity",
        condition=_of_mcx,
        source=f"{_DOCS}v3/place-order, quantity: for commodities the number of lots is accepted, "
        "for all others the number of units",
        should_be=lambda case: case["http"][0]["body"]["quantity"] // 100,
    ),
    Rule(
        ops=("place_order", "modify_order"),
        field="/http/0/body/market_protection",
        condition=_is_market,
        source=f"{_DOCS}announcements/market-protection: -1 protects a market order by the "
        "guidelines; without it there is no protection",
        should_be=lambda case: -1,
    ),
    Rule(
        ops=("order_book", "cancel_all_orders"),
        field="/http_response",
        condition=lambda case: any(map(_is_mcx, _book(case))),
        source=f"{_DOCS}get-order-book, quantity: that with which the order was placed; of a "
        "commodity the number of lots (v3/place-order)",
        should_be=_in_lots,
    ),
    *(
        Rule(
            ops="cancel_all_orders",
            field=field,
            condition=_waits_for_the_market,
            source=f"{_DOCS}v3/cancel-order: it cancels after market orders and regular ones; the "
            "reference leaves the former",
            should_be=_with_after_market(name),
        )
        # The book is asked for what is missing in the requests, so they come last.
        for name, field in (
            ("ids", "/expect/cancelled"),
            ("http_response", "/http_response"),
            ("http", "/http"),
        )
    ),
    Rule(
        ops=("quotes", "multiquotes", "depth"),
        field="/http_response",
        condition=_two_requests,
        source="SDK 2.30, MarketQuoteV3Api.get_full_market_quote_v3: one request has all of it, "
        "with prev_close_price",
        should_be=_quote_replies,
    ),
    Rule(
        ops=("quotes", "multiquotes", "depth"),
        field="/http",
        condition=_two_requests,
        source="SDK 2.30, MarketQuoteV3Api.get_full_market_quote_v3: GET /v3/market-quote/quotes",
        should_be=_quote_request,
    ),
    Rule(
        ops="subscribe",
        field="/extra/http_response",
        condition=_is_authorized,
        source=f"{_DOCS}v3/get-market-data-feed-authorize: data.authorized_redirect_uri is the "
        "address of the one connection; the recording has no reply",
        should_be=_redirect,
    ),
    Rule(
        ops="history",
        field="/expect/rows",
        condition=_is_long,
        source="the general adapter contract: bars of a day and longer are at midnight UTC",
        should_be=_at_midnight,
    ),
)
