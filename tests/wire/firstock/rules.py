"""Where recordings of Firstock are wrong beyond their own ``deviation``, and on whose word."""

from __future__ import annotations

from typing import Any

from tests.wire.noren.rules import PROTECTION, is_stop_market, protected_trigger, quoteless, replies
from tests.wire.vectors import Rule

DOCS = "https://firstock.in/api/docs"


def _stop_request(case: dict[str, Any]) -> dict[str, Any]:
    order: dict[str, Any] = case["http"][-1]["body"]
    return {**order, "price": f"{protected_trigger(case):g}", "priceType": "SL-LMT"}


def _last_price(row: dict[str, Any], raw: dict[str, Any]) -> float:
    if "lastTradedPrice" in raw:
        return float(raw["lastTradedPrice"])
    return float(row["average_price"] + float(raw["unrealizedMTOM"]) / row["quantity"])


def _positions(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**row, "ltp": _last_price(row, raw)}
        for row, raw in zip(case["expect"]["rows"], replies(case)[0]["data"], strict=True)
    ]


def _pending(case: dict[str, Any]) -> list[str]:
    """The orders of the book that wait for the exchange's word."""
    return [row["orderNumber"] for row in replies(case)[0]["data"] if row["status"] == "PENDING"]


def _cancellations(case: dict[str, Any]) -> list[dict[str, Any]]:
    last = case["http"][-1]
    return [
        *case["http"],
        *({**last, "body": {**last["body"], "orderNumber": number}} for number in _pending(case)),
    ]


def _one_bar(case: dict[str, Any]) -> list[Any]:
    """The last row of each day, at midnight UTC of it."""
    days = {}
    for row in replies(case)[0]["data"]:
        day = (int(row["epochTime"]) + 19_800) // 86_400 * 86_400
        days[day] = [day, row["open"], row["high"], row["low"], row["close"], row["volume"], None]
    return list(days.values())


def _is_single(case: dict[str, Any]) -> bool:
    return len(case["input"]["symbols"]) == 1


RULES: tuple[Rule, ...] = (
    *(
        Rule(
            ops="login",
            field=field,
            condition=lambda case: len(case["input"]["totp"]) != 6,
            source=f"{DOCS}/login: a one-time code has six digits; what has not is not sent",
            should_be=lambda case: "123456",
        )
        for field in ("/http/0/body/TOTP", "/input/totp")
    ),
    # -- orders ------------------------------------------------------------------------------
    Rule(
        ops="place_order",
        field="/http/-1/body",
        condition=is_stop_market,
        source=PROTECTION,
        should_be=_stop_request,
    ),
    Rule(
        ops="place_order",
        field="/http_response",
        condition=is_stop_market,
        source=PROTECTION,
        should_be=quoteless("http_response", "getQuote"),
    ),
    Rule(
        ops="place_order",
        field="/http",
        condition=is_stop_market,
        source=PROTECTION,
        should_be=quoteless("http", "getQuote"),
    ),
    # -- all working orders are cancelled, those that wait for the exchange too ---------------
    Rule(
        ops="cancel_all_orders",
        field="/expect/cancelled",
        condition=lambda case: bool(_pending(case)),
        source="firstock sheet, cancel all: loop over OPEN, TRIGGER_PENDING (add PENDING)",
        should_be=lambda case: [*case["expect"]["cancelled"], *_pending(case)],
    ),
    Rule(
        ops="cancel_all_orders",
        field="/http_response",
        condition=lambda case: bool(_pending(case)),
        source="firstock sheet, cancel all: loop over OPEN, TRIGGER_PENDING (add PENDING)",
        should_be=lambda case: [
            *case["http_response"],
            *(case["http_response"][-1] for _ in _pending(case)),
        ],
    ),
    Rule(
        ops="cancel_all_orders",
        field="/http",
        condition=lambda case: bool(_pending(case)),
        source="firstock sheet, cancel all: loop over OPEN, TRIGGER_PENDING (add PENDING)",
        should_be=_cancellations,
    ),
    # -- books -------------------------------------------------------------------------------
    Rule(
        ops="positions",
        field="/expect/rows",
        condition=lambda case: "rows" in case["expect"],
        source=f"{DOCS}/position-book: lastTradedPrice is in the row; where it is not, the price "
        "is that of unrealizedMTOM",
        should_be=_positions,
    ),
    Rule(
        ops="holdings",
        field="/http/0/url",
        condition=lambda case: case["http"][0]["url"].endswith("/holdings"),
        source=f"{DOCS}/holding-details: the quantities are there",
        change=lambda url: f"{url}Details",
    ),
    # -- market data -------------------------------------------------------------------------
    Rule(
        ops="multiquotes",
        field="/http_response/0/body/data",
        condition=_is_single,
        source=f"{DOCS}: one instrument is asked alone (getQuote); what is recorded is the form "
        "for several, which the unit tests read",
        change=lambda rows: rows[0]["result"],
    ),
    Rule(
        ops="multiquotes",
        field="/http/0/body",
        condition=_is_single,
        source=f"{DOCS}: one instrument is asked alone (getQuote)",
        change=lambda body: {
            **{name: body[name] for name in ("userId", "jKey")},
            **body["data"][0],
        },
    ),
    Rule(
        ops="multiquotes",
        field="/http/0/url",
        condition=_is_single,
        source=f"{DOCS}: one instrument is asked alone (getQuote)",
        change=lambda url: url.replace("getMultiQuotes", "getQuote"),
    ),
    Rule(
        ops="history",
        field="/expect/rows",
        condition=lambda case: case["input"]["interval"] == "D",
        source="CONTRACT section 7: one bar a day, at midnight UTC; the served rows are of minutes",
        should_be=_one_bar,
    ),
)
