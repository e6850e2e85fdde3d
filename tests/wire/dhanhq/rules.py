"""Where recordings of DhanHQ are wrong beyond their own ``deviation``, and on whose word."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from tests.wire.harness import TAG
from tests.wire.vectors import ABSENT, ROOT, Rule

DOCS = "https://dhanhq.co/docs/v2"
SDK = "PyPI dhanhq 2.3.0"
_WORKING = frozenset({"PENDING", "TRANSIT", "PART_TRADED", "TRIGGERED"})


def replies(case: dict[str, Any]) -> list[Any]:
    """Bodies of the recorded answers."""
    return [answer.get("body") for answer in case.get("http_response") or ()]


# -- logins -----------------------------------------------------------------------------------
def _is_consumed(case: dict[str, Any]) -> bool:
    http = case.get("http") or [{}]
    return bool(http[0].get("url", "").endswith("/app/consumeApp-consent"))


_CONSENT = {
    "method": "POST",
    "url": "https://auth.dhan.co/app/generate-consent",
    "query": {"client_id": "1100003626"},
    "headers": {"app_id": "dhan_app_id", "app_secret": "dhan_app_secret"},
    "encoding": "none",
    "body": None,
}
_GIVEN = {"status": 200, "body": {"consentAppId": "c-1", "consentAppStatus": "GENERATED"}}


_FIRST = (
    f"{DOCS}/authentication: the consent is generated before it is consumed; the recorder began "
    "at the second step"
)


# -- orders -----------------------------------------------------------------------------------
def _working(case: dict[str, Any]) -> list[str]:
    return [row["orderId"] for row in replies(case)[0] if row["orderStatus"] in _WORKING]


def _cancellations(case: dict[str, Any]) -> list[dict[str, Any]]:
    base = case["http"][0]["url"]
    return [
        case["http"][0],
        *({**case["http"][1], "url": f"{base}/{number}"} for number in _working(case)),
    ]


_ALL = (
    f"{DOCS}/annexure: PART_TRADED, TRANSIT and TRIGGERED orders work too (the sheet's cancel all)"
)


# -- triggers ---------------------------------------------------------------------------------
def _has_single(case: dict[str, Any]) -> bool:
    return any(row["orderType"] == "SINGLE" for row in (replies(case) or [[]])[0])


_SIDE = (
    f"{DOCS}/forever: no row tells on which side of the price a single trigger waits, a quote does"
)
_QUOTE = {
    "method": "POST",
    "url": "https://api.dhan.co/v2/marketfeed/quote",
    "encoding": "json",
    "body": {"NSE_EQ": [1594]},
}


# -- candles ----------------------------------------------------------------------------------
def _times(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The pieces of an intraday range: at most 90 days, from the first second to the last."""
    first, end = (date.fromisoformat(case["input"][f"{name}_date"]) for name in ("start", "end"))
    found = []
    for request in case["http"]:
        last = min(end, first + timedelta(days=89))
        body = {k: v for k, v in request["body"].items() if k != "expiryCode"}
        body |= {"fromDate": f"{first} 00:00:00", "toDate": f"{last} 23:59:59"}
        found.append({**request, "body": body})
        first = last + timedelta(days=1)
    return found


# -- frames -----------------------------------------------------------------------------------
def _token(value: Any) -> Any:
    """The session's token where the recorder wrote a word for it."""
    file = json.loads((ROOT / "dhan.json").read_text(encoding="utf-8"))
    return json.loads(json.dumps(value).replace("TOKEN", file["session"]["auth_token"]))


RULES: tuple[Rule, ...] = (
    Rule(
        ops="login",
        field="/http_response",
        condition=_is_consumed,
        source=_FIRST,
        brokers="dhan",
        change=lambda before: [_GIVEN, *before],
    ),
    Rule(
        ops="login",
        field="/http",
        condition=_is_consumed,
        source=_FIRST + "; without a body a request has no type of one",
        brokers="dhan",
        change=lambda before: [_CONSENT, {**before[0], "headers": _CONSENT["headers"]}],
    ),
    Rule(
        ops=("place_order", "gtt_place"),
        field="/http/-1/body/correlationId",
        condition=lambda case: bool(case["http"]),
        source=f"{DOCS}/orders: correlationId is the user's own id, by which an order is found",
        should_be=lambda case: TAG,
    ),
    Rule(
        ops="modify_order",
        field="/http/0/body/disclosedQuantity",
        condition=lambda case: True,
        source=f"{SDK}, modify_order: always sent; a change that hides nothing must be able to "
        "say so",
        should_be=lambda case: case["input"]["disclosed_quantity"],
    ),
    # -- all working orders are cancelled ------------------------------------------------------
    Rule(
        ops="cancel_all_orders",
        field="/expect/cancelled",
        condition=lambda case: True,
        source=_ALL,
        should_be=_working,
    ),
    Rule(
        ops="cancel_all_orders",
        field="/http_response",
        condition=lambda case: True,
        source=_ALL,
        should_be=lambda case: [
            case["http_response"][0],
            *(case["http_response"][1] for _ in _working(case)),
        ],
    ),
    Rule(
        ops="cancel_all_orders",
        field="/http",
        condition=lambda case: True,
        source=_ALL,
        should_be=_cancellations,
    ),
    # -- books -------------------------------------------------------------------------------
    Rule(
        ops="order_book",
        field="/expect/rows/*/order_status",
        condition=lambda case: bool(case["expect"]["rows"]),
        source="dhan sheet, statuses: TRIGGERED is the leg of an order whose child works; open",
        change=lambda status: "open" if status == "TRIGGERED" else status,
    ),
    Rule(
        ops="order_book",
        field="/expect/rows/*/product",
        condition=lambda case: any(row["product"] == "INTRADAY" for row in case["expect"]["rows"]),
        source=f"{DOCS}/annexure: INTRADAY is MIS of an instrument that nobody knows, too",
        change=lambda product: "MIS" if product == "INTRADAY" else product,
    ),
    Rule(
        ops="funds",
        field="/expect",
        condition=lambda case: case["http_response"][0]["status"] == 401,
        source="CONTRACT: what could not be read is an error, never 0",
        should_be=lambda case: {"error": case["http_response"][0]["body"]["errorMessage"]},
    ),
    Rule(
        ops="order_stream",
        field="/expect/0/pending_quantity",
        condition=lambda case: case["expect"][0]["order_status"] == "rejected",
        source=f"{DOCS}/order-update: of an order that is over nothing is pending; the recorded "
        "messages have remainingQuantity 10 even of a traded one",
        should_be=lambda case: 0,
    ),
    # -- triggers ----------------------------------------------------------------------------
    *(
        Rule(
            ops="gtt_modify",
            field=field,
            condition=lambda case: case["http"][0]["method"] == "GET",
            source=f"{DOCS}/forever: the leg of a single trigger is ENTRY_LEG; nothing to look up",
            change=lambda before: before[1:],
        )
        for field in ("/http_response", "/http")
    ),
    Rule(
        ops="gtt_book",
        field="/http_response",
        condition=_has_single,
        source=_SIDE,
        change=lambda before: [
            *before,
            {"status": 400, "body": {"status": "failed", "data": {"806": "No data plan"}}},
        ],
    ),
    Rule(
        ops="gtt_book",
        field="/http",
        condition=_has_single,
        source=_SIDE,
        change=lambda before: [*before, {**before[0], **_QUOTE}],
    ),
    Rule(
        ops="gtt_book",
        field="/expect/rows/*/legs/*/leg_name",
        condition=lambda case: True,
        source="schema: a unified leg has no name of the broker's; its place and side say it",
        should_be=lambda case: ABSENT,
    ),
    # -- market data -------------------------------------------------------------------------
    *(
        Rule(
            ops="depth",
            field=f"/expect/total{side}qty",
            condition=lambda case: "NSE_EQ" in replies(case)[0]["data"],
            source=f"{DOCS}/market-quote: {side}_quantity is the total at the exchange; the "
            "reference summed the five levels",
            brokers="dhan",
            should_be=lambda case, side=side: next(
                iter(replies(case)[0]["data"]["NSE_EQ"].values())
            )[f"{side}_quantity"],
        )
        for side in ("buy", "sell")
    ),
    # -- history -----------------------------------------------------------------------------
    Rule(
        ops="history",
        field="/http",
        condition=lambda case: case["http"][0]["url"].endswith("/charts/intraday"),
        source=f"{DOCS}/historical-data: intraday dates may have times, 90 days at most; there is "
        f"no expiryCode (nor in {SDK}, intraday_minute_data)",
        brokers="dhan",
        should_be=_times,
    ),
    # -- feed --------------------------------------------------------------------------------
    Rule(
        ops="subscribe",
        field="/frames",
        condition=lambda case: "TOKEN" in json.dumps(case["frames"]),
        source="schema: the recorder's word for the token of the session",
        change=_token,
    ),
    Rule(
        ops="subscribe",
        field="/frames",
        condition=lambda case: case["input"]["action"] == "disconnect",
        source="RFC 6455, 7.1: the closing handshake ends the connection; the request code 12 of "
        f"{SDK} says the same to a server that is left anyway",
        should_be=lambda case: [],
    ),
    Rule(
        ops="symbol_master",
        field="/expect/*/symbol",
        condition=lambda case: any(".50" in row["symbol"] for row in case["expect"]),
        source="the unified grammar: a strike is written as a plain number, 187.5",
        change=lambda symbol: symbol.replace(".50", ".5"),
    ),
)
