"""Where recordings of XTS servers are wrong beyond their own ``deviation``, and on whose word.

SDK is Symphony's xts-pythonclient-api-sdk (Connect.py, Example.py); the recorder's reference is no
authority on types and spellings, and its replies are made up.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.wire.vectors import ABSENT, Rule
from tests.wire.xts.steps import PAGE_USER

SDK = "Symphony xts-pythonclient-api-sdk"
_DERIVATIVES = frozenset({2, 3, 12, 51})  # segment numbers
_FUTURES = frozenset({"NFO", "BFO", "CDS", "MCX"})
_INTEREST = 1510
_OI = 7_654_300
_CONTRACT = 100  # barrels of a CRUDEOIL contract
_LEVELS = ("ltp", "quote", "depth")
_MODE = {"1105": "ltp", "1512": "ltp", "1501": "quote", "1502": "depth"}


def _always(case: dict[str, Any]) -> bool:
    return True


def _has_rows(case: dict[str, Any]) -> bool:
    """Whether a book came, with something in it."""
    return bool((case["expect"] or {}).get("rows"))


def _number(value: Any) -> Any:
    """The number of a text that is one; what is not there stays away."""
    if not isinstance(value, str):
        return ABSENT if value is None else value
    return float(value) if "." in value else int(value)


#: Numbers of requests, that the reference sends as texts.
_NUMBERS = (
    "exchangeInstrumentID", "disclosedQuantity", "orderQuantity", "limitPrice", "stopPrice",
    "appOrderID", "modifiedOrderQuantity", "modifiedDisclosedQuantity", "modifiedLimitPrice",
    "modifiedStopPrice", "instruments/*/exchangeInstrumentID",
)  # fmt: skip
_WITH_BODIES = (
    "place_order", "modify_order", "close_all_positions", "quotes", "depth", "multiquotes",
)  # fmt: skip


# -- open interest --------------------------------------------------------------------------
def _contracts(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The derivatives that a quote request asks for."""
    rows = (request.get("body") or {}).get("instruments") or []
    return [row for row in rows if row["exchangeSegment"] in _DERIVATIVES]


def _asks_interest(request: dict[str, Any]) -> bool:
    return bool((request.get("body") or {}).get("xtsMessageCode") == _INTEREST)


def _asked_for_nothing(case: dict[str, Any]) -> bool:
    return any(_asks_interest(r) and not _contracts(r) for r in case["http"])


def _interest_requests(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests with open interest asked for derivatives only."""
    kept = [copy.deepcopy(r) for r in case["http"] if not _asks_interest(r) or _contracts(r)]
    for request in kept:
        if _asks_interest(request):
            request["body"]["instruments"] = _contracts(request)
    return kept


def _interest_replies(case: dict[str, Any]) -> list[dict[str, Any]]:
    pairs = zip(case["http"], case["http_response"], strict=True)
    return [reply for request, reply in pairs if not _asks_interest(request) or _contracts(request)]


def _lacks_interest(case: dict[str, Any]) -> bool:
    requests = case["http"]
    return any(map(_contracts, requests)) and not any(map(_asks_interest, requests))


def _asked_interest(case: dict[str, Any]) -> list[dict[str, Any]]:
    more = copy.deepcopy(case["http"][-1])
    more["body"] |= {"instruments": _contracts(more), "xtsMessageCode": _INTEREST}
    return [*case["http"], more]


def _told_interest(case: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [
        json.dumps(
            {
                "MessageCode": _INTEREST,
                "ExchangeSegment": row["exchangeSegment"],
                "ExchangeInstrumentID": int(row["exchangeInstrumentID"]),
                "OpenInterest": _OI,
            }
        )
        for row in _contracts(case["http"][-1])
    ]
    more = copy.deepcopy(case["http_response"][-1])
    more["body"]["result"] |= {"mdp": _INTEREST, "listQuotes": rows}
    return [*case["http_response"], more]


def _interest_of_contracts(case: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = copy.deepcopy(case["expect"]["rows"])
    for row in rows:
        if "data" in row and row["exchange"] in _FUTURES:
            row["data"]["oi"] = _OI
    return rows


# -- contracts of MCX -----------------------------------------------------------------------
def _in_units(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**row, "quantity": row["quantity"] * _CONTRACT} if row["exchange"] == "MCX" else row
        for row in case["expect"]["rows"]
    ]


# -- positions and holdings -----------------------------------------------------------------
def _position_results(case: dict[str, Any]) -> list[dict[str, Any]]:
    result = case["http_response"][0]["body"]["result"]
    raws = result if isinstance(result, list) else result["positionList"]
    rows = []
    for row, raw in zip(case["expect"]["rows"], raws, strict=True):
        open_, closed = float(raw["UnrealizedMTM"]), float(raw["RealizedMTM"])
        ltp = row["average_price"] + open_ / row["quantity"] if open_ else 0
        rows.append({**row, "pnl": open_ + closed, "ltp": ltp})
    return rows


def _holdings(case: dict[str, Any]) -> list[dict[str, Any]]:
    result = case["http_response"][0]["body"]["result"]
    return list(result["RMSHoldings"]["Holdings"].values())


def _on_bse(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**row, "exchange": "BSE"} if raw["ExchangeNSEInstrumentId"] == -1 else row
        for row, raw in zip(case["expect"]["rows"], _holdings(case), strict=True)
    ]


def _price_request(case: dict[str, Any]) -> list[dict[str, Any]]:
    """One quote request for the holdings that the symbol table knows: here RELIANCE."""
    first = case["http"][0]
    base = first["url"].partition("/interactive")[0].rstrip("/")
    prefix = "apibinarymarketdata" if _is_binary(base) else "apimarketdata"
    return [
        first,
        {
            "method": "POST",
            "url": f"{base}/{prefix}/instruments/quotes",
            "query": {},
            "headers": {"authorization": "MARKETDATA.JWT.TOKEN"},
            "encoding": "json",
            "body": {
                "instruments": [{"exchangeSegment": 1, "exchangeInstrumentID": 2885}],
                "xtsMessageCode": 1502,
                "publishFormat": "JSON",
            },
        },
    ]


def _is_binary(base: str) -> bool:
    return any(name in base for name in ("ibulls", "jainam", "rmoney"))


# -- orders ---------------------------------------------------------------------------------
def _last_price(case: dict[str, Any]) -> float:
    """Of the quote that a market order is priced by."""
    (text,) = case["http_response"][0]["body"]["result"]["listQuotes"]
    return float(json.loads(text)["Touchline"]["LastTradedPrice"])


def _working(case: dict[str, Any]) -> list[str]:
    """Orders of the recorded book that can be cancelled."""
    return [
        str(row["AppOrderID"])
        for row in case["http_response"][0]["body"]["result"]
        if row["OrderStatus"] in ("New", "Trigger Pending", "PartiallyFilled")
    ]


def _cancellations(case: dict[str, Any]) -> list[dict[str, Any]]:
    book, one = case["http"][0], case["http"][1]
    query = {"orderUniqueIdentifier": "openalgo"}
    return [book, *({**one, "query": {"appOrderID": i, **query}} for i in _working(case))]


def _cancelled(case: dict[str, Any]) -> list[dict[str, Any]]:
    book, one = case["http_response"][:2]
    replies = []
    for number in _working(case):
        reply = copy.deepcopy(one)
        reply["body"]["result"]["AppOrderID"] = int(number)
        replies.append(reply)
    return [book, *replies]


# -- the feed -------------------------------------------------------------------------------
def _event_mode(case: dict[str, Any]) -> str:
    return _MODE[case["packets"][0]["event"][:4]]


def _served(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Ticks of the modes that the message has the fields of."""
    most = _LEVELS.index(_event_mode(case))
    return [tick for tick in case["expect"] if _LEVELS.index(tick["mode"]) <= most]


def _of_contracts(case: dict[str, Any]) -> bool:
    given = case["input"]
    wanted = given["action"] == "subscribe" and given["mode"] in ("quote", "depth")
    return wanted and any(row["exchange"] in _FUTURES for row in given["symbols"])


def _with_interest(case: dict[str, Any]) -> list[dict[str, Any]]:
    more = copy.deepcopy(case["frames"][0])
    more["http"]["body"]["xtsMessageCode"] = _INTEREST
    return [*case["frames"], more]


RULES: tuple[Rule, ...] = (
    *(
        Rule(
            ops=_WITH_BODIES,
            field=f"/http/*/body/{name}",
            condition=_always,
            source=f"{SDK}, Example.py: place_order, modify_order and the instruments of quotes "
            "and subscriptions take numbers; Connect.py: appOrderID = int(appOrderID)",
            change=_number,
        )
        for name in _NUMBERS
    ),
    Rule(
        ops="subscribe",
        field="/frames/*/http/body/instruments/*/exchangeInstrumentID",
        condition=_always,
        source=f"{SDK}, Example.py: instruments of a subscription are numbers",
        change=_number,
    ),
    Rule(
        ops=("login",),
        field="/expect/client_id",
        condition=lambda case: "client_id" in case["expect"],
        source=f"{SDK}, Connect.py, interactive_login: the user is the userID of the trading "
        "session; the recorded one is that of the market session. Where the page gives the "
        "session, it gives the user with it, which the recording left out",
        should_be=lambda case: next(
            (
                reply["body"]["result"]["userID"]
                for request, reply in zip(case["http"], case["http_response"], strict=True)
                if request["url"].endswith("/user/session")
            ),
            PAGE_USER,
        ),
    ),
    Rule(
        ops=("quotes", "depth"),
        field="/expect/oi",
        condition=_asked_for_nothing,
        source="family sheet, quotes: the request for open interest is left out for shares and "
        "indices, which have none",
    ),
    Rule(
        ops=("quotes", "depth", "multiquotes", "place_order"),
        field="/http_response",
        condition=_asked_for_nothing,
        source="family sheet, quotes: no open interest of shares and indices",
        should_be=_interest_replies,
    ),
    Rule(
        ops=("quotes", "depth", "multiquotes", "place_order"),
        field="/http",
        condition=lambda case: any(map(_asks_interest, case["http"])),
        source="family sheet, quotes: no open interest of shares and indices",
        should_be=_interest_requests,
    ),
    Rule(
        ops="multiquotes",
        field="/expect/rows/*/data/oi",
        condition=lambda case: any(map(_asks_interest, case["http"])),
        source="family sheet, quotes: no open interest of shares; what a recorded reply gives "
        "for one is not asked for",
        should_be=lambda case: None,
    ),
    Rule(
        ops="multiquotes",
        field="/expect/rows",
        condition=_lacks_interest,
        source="rmoney sheet, quotes: a batch has a second request for open interest; the "
        "others have the same server",
        should_be=_interest_of_contracts,
    ),
    Rule(
        ops="multiquotes",
        field="/http_response",
        condition=_lacks_interest,
        source="rmoney sheet, quotes: a batch has a second request for open interest",
        should_be=_told_interest,
    ),
    Rule(
        ops="multiquotes",
        field="/http",
        condition=_lacks_interest,
        source="rmoney sheet, quotes: a batch has a second request for open interest",
        should_be=_asked_interest,
    ),
    Rule(
        ops="place_order",
        field="/input/quantity",
        condition=lambda case: case["input"]["exchange"] == "MCX",
        source="the recorded symbol table has lot size 1 for CRUDEOIL, so the server counts "
        "contracts; inputs are units (kit.master.contracts; MCX: 100 barrels a contract)",
        change=lambda quantity: quantity * _CONTRACT,
    ),
    Rule(
        brokers=("fivepaisaxts", "rmoney"),
        ops="place_order",
        field="/expect",
        condition=lambda case: case["input"]["exchange"] == "MCX",
        source="sheets of these members, exchanges and symbol master: NSE, BSE, NFO and BFO only; "
        "an order elsewhere does not leave",
        should_be=lambda case: {"error": None, "unsupported": True},
    ),
    Rule(
        brokers=("fivepaisaxts", "rmoney"),
        ops="place_order",
        field="/http",
        condition=lambda case: case["input"]["exchange"] == "MCX",
        source="as for /expect",
        should_be=lambda case: [],
    ),
    Rule(
        ops="order_book",
        field="/expect/rows",
        condition=_has_rows,
        source="as for orders of MCX: rows of the server are contracts, ours are units",
        should_be=_in_units,
    ),
    Rule(
        ops="positions",
        field="/expect/rows",
        condition=lambda case: bool(case["expect"].get("rows")),
        source="family sheet, positions: profit is UnrealizedMTM + RealizedMTM (the reference "
        "reads keys that do not exist); the price is what UnrealizedMTM was worked out with, and "
        "not known where that is 0",
        should_be=_position_results,
    ),
    Rule(
        ops="holdings",
        field="/expect/rows",
        condition=_has_rows,
        source="family sheet, holdings: a symbol by the token of NSE, else of BSE; -1 = not listed",
        should_be=_on_bse,
    ),
    Rule(
        ops="holdings",
        field="/http",
        condition=lambda case: len(case["http"]) == 1 and _has_rows(case),
        source="family sheet, holdings: no last price in the reply, enrich from quotes",
        should_be=_price_request,
    ),
    Rule(
        ops="history",
        field="/http/0/query/endTime",
        condition=lambda case: len(case["http"]) > 1,
        source="family sheet, known bugs 2: a piece that ends at 000000 of its last day loses "
        "that day",
        change=lambda text: text.replace(" 000000", " 235959"),
    ),
    Rule(
        ops="cancel_all_orders",
        field="/expect/cancelled",
        condition=_always,
        source="family sheet, status map: PartiallyFilled is open; CONTRACT section 5: cancel all "
        "goes over open and trigger pending rows",
        should_be=_working,
    ),
    Rule(
        ops="cancel_all_orders",
        field="/http",
        condition=_always,
        source=f"{SDK}, Connect.py, cancel_order: orderUniqueIdentifier goes with appOrderID; and "
        "the rows as for /expect/cancelled",
        should_be=_cancellations,
    ),
    Rule(
        ops="cancel_all_orders",
        field="/http_response",
        condition=_always,
        source="a reply to each of these requests",
        should_be=_cancelled,
    ),
    # -- fivepaisaxts ------------------------------------------------------------------------
    *(
        Rule(
            brokers="fivepaisaxts",
            ops=ops,
            field=field,
            condition=_always,
            source="fivepaisaxts sheet: the reference's address ends with a slash of its own, "
            "use a single one",
            change=lambda url: url.replace(".com//", ".com/"),
        )
        for ops, field in (
            (
                (
                    "login",
                    "place_order",
                    "modify_order",
                    "cancel_order",
                    "order_book",
                    "trade_book",
                    "positions",
                    "holdings",
                    "funds",
                ),
                "/http/*/url",
            ),
            (("subscribe",), "/frames/*/http/url"),
        )
    ),
    # -- ibulls ------------------------------------------------------------------------------
    Rule(
        brokers="ibulls",
        ops="place_order",
        field="/http/1/body/limitPrice",
        condition=lambda case: case["input"]["pricetype"] == "MARKET" and len(case["http"]) > 1,
        source="ibulls sheet, orders: the reference's limit, the bid and a tenth of a per cent, "
        "may not fill; CONTRACT section 5, protected market price: half a per cent from 500 "
        "rupees on, rounded to the tick",
        should_be=lambda case: round(_last_price(case) * 1.005, 1),
    ),
    # -- masters -----------------------------------------------------------------------------
    Rule(
        ops="symbol_master",
        field="/expect/*/instrumenttype",
        condition=lambda case: any(r["exchange"] == "BSE" for r in case["expect"] or ()),
        source="CONTRACT section 3: the type of a share is EQ (the reference stores its series)",
        change=lambda kind: kind if kind in ("FUT", "CE", "PE", "INDEX") else "EQ",
    ),
    # -- feeds -------------------------------------------------------------------------------
    Rule(
        ops="subscribe",
        field="/frames/*/http/url",
        condition=lambda case: case["input"]["action"] == "connect",
        brokers=("iifl", "compositedge", "fivepaisaxts", "wisdom"),
        source="iifl sheet, streaming: two different market sessions; prefer "
        "/apimarketdata/auth/login for both",
        change=lambda url: url.replace("/apibinarymarketdata/", "/apimarketdata/"),
    ),
    Rule(
        ops="subscribe",
        field="/frames/*/http/body/xtsMessageCode",
        condition=lambda case: case["input"]["mode"] == "ltp",
        brokers=("ibulls", "jainamxts"),
        source="Symphony xts-pythonsdk-binarymarketdata-withbroadcastmode-api-sdk: binary packets "
        "have a layout for 1501, 1502 and 1510, none for 1512 (rmoney subscribes 1501 as well)",
        should_be=lambda case: 1501,
    ),
    Rule(
        ops="subscribe",
        field="/frames",
        condition=_of_contracts,
        source=f"{SDK}, MarketDataSocketClient: open interest is the event 1510 of its own; "
        "family sheet, streaming: the reference never subscribes it, so its oi is 0",
        should_be=_with_interest,
    ),
    Rule(
        ops="stream",
        field="/expect",
        condition=lambda case: bool(case["expect"]) and _served(case) != case["expect"],
        source="jainamxts sheet, streaming: a message that has not the fields of a mode makes no "
        "tick of it (the reference fills in zeros); the hub merges",
        should_be=_served,
    ),
    Rule(
        ops="stream",
        field="/expect/*/oi",
        condition=lambda case: bool(case["expect"]),
        source="family sheet, streaming: the reference never has open interest; unknown is not 0",
        should_be=lambda case: ABSENT,
    ),
)
