"""Where recordings of Angel One are wrong beyond their own ``deviation``, and on whose word."""

from __future__ import annotations

from typing import Any

from tests.wire.vectors import Rule

DOCS = "https://smartapi.angelone.in/docs"
_VARIETY = (
    f"{DOCS}/Orders: a change and a cancellation name the order's own variety; of an order that is "
    "not known yet the book tells it"
)
#: What the reference leaves as it is where the master lacks the symbol.
_KNOWN = {"INTRADAY": "MIS", "DELIVERY": "CNC", "CARRYFORWARD": "NRML"}
_BOOK = "/rest/secure/angelbroking/order/v1/getOrderBook"


def _replies(case: dict[str, Any]) -> list[Any]:
    return [answer["body"]["data"] for answer in case["http_response"]]


def _with_book(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests with the read of the book before them."""
    url = case["http"][0]["url"].partition("/rest/")[0] + _BOOK
    read = {"method": "GET", "url": url, "query": {}, "headers": {}, "encoding": "none"}
    return [read, *case["http"]]


def _book_answer(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers with that of the book before them: the order, a normal one."""
    sent = case["http"][-1]["body"]
    row = {
        "variety": sent["variety"], "ordertype": "LIMIT", "producttype": "INTRADAY", "price": 1.0,
        "triggerprice": 0.0, "quantity": "1", "tradingsymbol": "SBIN-EQ", "symboltoken": "3045",
        "transactiontype": "BUY", "exchange": "NSE", "averageprice": 0.0, "filledshares": "0",
        "unfilledshares": "1", "orderid": sent["orderid"], "status": "open", "orderstatus": "open",
        "updatetime": "21-Nov-2025 10:01:02", "ordertag": "",
    }  # fmt: skip
    body = {"status": True, "message": "SUCCESS", "errorcode": "", "data": [row]}
    return [{"status": 200, "body": body}, *case["http_response"]]


def _own_varieties(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests, each cancellation with the variety that the book tells of its order."""
    told = {row["orderid"]: row["variety"] for row in case["http_response"][0]["body"]["data"]}
    return [
        {
            **sent,
            "body": sent["body"] and {**sent["body"], "variety": told[sent["body"]["orderid"]]},
        }
        for sent in case["http"]
    ]


def _is_order(case: dict[str, Any]) -> bool:
    return any(request["url"].endswith("/placeOrder") for request in case["http"])


def _priced(case: dict[str, Any]) -> list[dict[str, Any]]:
    raws = _replies(case)[0] or []
    return [
        {**row, "price": float(raw["price"]), "product": _KNOWN.get(row["product"], row["product"])}
        for row, raw in zip(case["expect"]["rows"], raws, strict=True)
    ]


def _currency(case: dict[str, Any]) -> list[dict[str, Any]]:
    """CDS rows with their tick, cash rows with their type."""
    raws = {(row["exch_seg"], row["token"]): row for row in case["content"][0]["json"]}
    rows = []
    for row in case["expect"]:
        raw = raws[row["brexchange"], row["token"]]
        tick = float(raw["tick_size"]) / 1e7 if row["exchange"] == "CDS" else row["tick_size"]
        rows.append({**row, "tick_size": tick, "instrumenttype": row["instrumenttype"] or "EQ"})
    return rows


def _whole(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The snap quote's day as the maker's own decoder reads it, in rupees."""
    told = case["reference_decoded"]
    day = {
        "open": told["open_price_of_the_day"] / 100,
        "high": told["high_price_of_the_day"] / 100,
        "low": told["low_price_of_the_day"] / 100,
        "close": told["closed_price"] / 100,
    }
    return [{**tick, **day} for tick in case["expect"]]


RULES: tuple[Rule, ...] = (
    # -- orders ------------------------------------------------------------------------------
    Rule(
        ops=("place_order", "smart_order", "close_all_positions"),
        field="/http/*/body/ordertag",
        condition=_is_order,
        source=f"{DOCS}/Orders: ordertag is the caller's own name of an order, shorter than 20; "
        "by it a lost order is found again",
    ),
    Rule(
        ops="modify_order",
        field="/http/0/body/triggerprice",
        condition=lambda case: True,
        source=f"{DOCS}/Orders: the trigger of a change is triggerprice (angel sheet, gap of the "
        "modify body)",
        should_be=lambda case: case["http"][0]["body"]["stoploss"],
    ),
    *(
        Rule(ops=("modify_order", "cancel_order"), field=field, condition=lambda case: True,
             source=_VARIETY, should_be=value)
        for field, value in (("/http_response", _book_answer), ("/http", _with_book))
    ),
    Rule(
        ops="cancel_all_orders",
        field="/http",
        condition=lambda case: True,
        source=_VARIETY,
        should_be=_own_varieties,
    ),
    # -- books -------------------------------------------------------------------------------
    Rule(
        ops="order_book",
        field="/expect/rows",
        condition=lambda case: bool(case["expect"].get("rows")),
        source=f"{DOCS}/Orders: price is the order's, averageprice that of its fills; "
        "CONTRACT section 2: products are ours",
        should_be=_priced,
    ),
    # -- market data -------------------------------------------------------------------------
    Rule(
        ops="history",
        field="/http/*/body/todate",
        condition=lambda case: len(case["http"]) > 1,
        source="angel sheet, history: to = 23:59, of every piece",
        change=lambda text: text.replace(" 00:00", " 23:59"),
    ),
    Rule(
        ops="symbol_master",
        field="/expect",
        condition=lambda case: True,
        source="angel sheet: ticks of CDS are 1e-7 rupees; CONTRACT section 3: shares are EQ",
        should_be=_currency,
    ),
    Rule(
        ops="stream",
        field="/expect",
        condition=lambda case: case["raw_mode"] == "DEPTH" and bool(case["expect"]),
        source=f"{DOCS}/WebSocket2: a snap quote has the day's prices at the offsets of a quote; "
        "the recorder asked for other names (angel sheet, gap 4)",
        should_be=_whole,
    ),
)  # fmt: skip
