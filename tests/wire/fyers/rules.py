"""Where recordings of Fyers are wrong beyond their own ``deviation``, and on whose word."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from openalgo_desktop.brokers.fyers.feed import SOURCE
from tests.unit.brokers.fyers.frames import SCHEMA
from tests.wire.vectors import Rule

DOCS = "myapi.fyers.in/docsv3"
SDK = "PyPI fyers-apiv3 3.2.0"
COUNTS = (
    f"{DOCS}, Order Placement Guide, Quantity Validations: currency and commodity derivatives in "
    "multiples of 1, equity derivatives of the lot size; its samples order MCX:SILVERM with qty 1"
)
_LOTS = {"MCX": 100, "CDS": 1000}  # of the recorded instruments
_FILE = Path(__file__).parents[2] / "data/vectors/wire/fyers.json"
_FULL = "00000c02010008000000000000080002000146"


def _always(case: dict[str, Any]) -> bool:
    return True


def _on(*exchanges: str) -> Any:
    return lambda case: case["input"].get("exchange") in exchanges


#: An order on BSE, which the recorded book lacks: the appendix of the documentation has its codes.
_ON_BSE = {"id": "261201000014", "exchange": 12, "symbol": "BSE:TCS-A"}


def _book_with_bse(case: dict[str, Any]) -> list[dict[str, Any]]:
    rows = case["http_response"][0]["body"]["orderBook"]
    return [*rows, {**rows[0], **_ON_BSE}]


def _official_rows(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Book rows in units, with the states that the recorder noted and did not fill in."""
    raws = case["http_response"][0]["body"]["orderBook"]
    states = {4: "open", 7: "cancelled"}
    wanted = case["expect"]["rows"]
    wanted += [{**wanted[0], "symbol": "TCS", "exchange": "BSE", "orderid": _ON_BSE["id"]}]
    return [
        {
            **row,
            "quantity": row["quantity"] * _LOTS.get(row["exchange"], 1),
            "order_status": states.get(raw["status"], row["order_status"]),
            "exchange": "NSE" if row["exchange"] == 10 else row["exchange"],
        }
        for row, raw in zip(wanted, raws, strict=True)
    ]


def _no_data(case: dict[str, Any]) -> bool:
    return all(reply["body"].get("s") == "no_data" for reply in case["http_response"])


def _claiming(case: dict[str, Any]) -> str:
    """A token with claims: that of the recorded session."""
    return str(json.loads(_FILE.read_text("utf-8"))["session"]["auth_token"])


def _book_request(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The read of the positions in place of the order to close all."""
    return [{**case["http"][0], "method": "GET", "encoding": "none", "body": None}]


def _own_source(text: str) -> str:
    """A log-in frame with the name of our client: the fourth field."""
    frame = bytes.fromhex(text)
    body = frame[2 : frame.index(b"\x04\x00", 4) + 1] + len(SOURCE).to_bytes(2, "big")
    body += SOURCE.encode()
    return (len(body).to_bytes(2, "big") + body).hex()


def _own_length(text: str) -> str:
    """A subscription whose length is made as the SDK makes it."""
    token = json.loads(_FILE.read_text("utf-8"))["session"]["auth_token"]
    topics = int.from_bytes(bytes.fromhex(text)[5:7], "big")
    return f"{18 + topics + len(token) + len(SOURCE):04x}{text[4:]}"


def _action(*names: str) -> Any:
    return lambda case: case["input"]["action"] in names and "hex" in case["frames"][0]


def _unused(case: dict[str, Any]) -> bool:
    """A look-up that our master makes needless, and modes of the channel that we never want."""
    action = case["input"]["action"]
    return action == "resolve" or (action == "channel" and case["frames"] != [{"hex": _FULL}])


def _snapshot_first(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The recorded change after the snapshot that it continues, which is not in the file."""
    message = SCHEMA.message("SocketMessage")(snapshot=True)
    feed = message.feeds["101000000003045"]
    feed.ticker = "NSE:SBIN-EQ"
    book = case["expect"][0]["depth"]
    for side, rows in ((feed.depth.bids, book["buy"]), (feed.depth.asks, book["sell"])):
        for number, row in enumerate(rows):
            level = side.add()
            level.num.value, level.price.value = number, round(row["price"] * 100)
            level.qty.value, level.nord.value = row["quantity"], row["orders"]
    feed.depth.bids[0].qty.value += 7  # the change has its own
    feed.depth.asks[0].price.value -= 5
    return [{"hex": message.SerializeToString().hex()}, *case["packets"]]


def _snapshot_tick(case: dict[str, Any]) -> list[dict[str, Any]]:
    first = copy.deepcopy(case["expect"][0])
    first["depth"]["buy"][0]["quantity"] += 7
    first["depth"]["sell"][0]["price"] -= 0.05
    return [first, *case["expect"]]


def _is_book(case: dict[str, Any]) -> bool:
    return bool(case["raw_mode"] == "TBT_50_DEPTH")


RULES: tuple[Rule, ...] = (
    Rule(
        ops="login",
        field="/expect/details",
        condition=lambda case: "details" in (case["expect"] or {}),
        source="README of the vectors: details are optional; the session keeps what it needs",
    ),
    *(
        Rule(
            ops="login",
            field=field,
            condition=_always,
            source="fact sheet: the access token is a JWT that claims fy_id, hsm_key and exp",
            should_be=should_be,
        )
        for field, should_be in (
            ("/http_response/0/body/access_token", _claiming),
            ("/expect/auth_token", _claiming),
            ("/expect/client_id", lambda case: "XA00001"),
        )
    ),
    Rule(
        ops="place_order",
        field="/http/0/body/qty",
        condition=_on("MCX"),
        source=COUNTS,
        change=lambda units: units // _LOTS["MCX"],
    ),
    Rule(
        ops="place_order",
        field="/input/quantity",
        condition=_on("CDS"),
        source=f"{COUNTS}; our quantities are units, so one contract is asked for as 1000",
        should_be=lambda case: _LOTS["CDS"],
    ),
    Rule(
        ops="margin",
        field="/expect/total_margin_required",
        condition=lambda case: "total_margin_required" in case["expect"],
        source=f"{DOCS}, Multiorder Margin Calculator: margin_total is what the orders require, "
        "margin_new_order the total including existing positions",
        should_be=lambda case: case["http_response"][0]["body"]["data"]["margin_total"],
    ),
    Rule(
        ops="order_book",
        field="/http_response/0/body/orderBook",
        condition=lambda case: bool(case["expect"].get("rows")),
        source=f"{DOCS}, Appendix, Available Exchange-Segment Combinations",
        should_be=_book_with_bse,
    ),
    Rule(
        ops="order_book",
        field="/expect/rows",
        condition=lambda case: bool(case["expect"].get("rows")),
        source=f"{COUNTS}; Orders: 4 is in transit, 7 expired; "
        "Appendix: exchange 10 with segment 10 is NSE, whatever the symbol",
        should_be=_official_rows,
    ),
    Rule(
        ops="close_all_positions",
        field="/http",
        condition=_always,
        source="the corridor closes each position by an order of its own, in slices and protected "
        "where that is needed; the recorded reply has no positions",
        should_be=_book_request,
    ),
    *(
        Rule(
            ops="history",
            field=field,
            condition=lambda case: len(case["http"]) > 1 and _no_data(case),
            source="fact sheet: no_data is an empty answer, not a reason to ask again",
            change=lambda items: items[:1],
        )
        for field in ("/http", "/http_response")
    ),
    *(
        Rule(
            ops="history",
            field=field,
            condition=_no_data,
            source="two cases ask for the same days and get candles or none: these are a weekend",
            should_be=lambda case, day=day: day,
        )
        for field, day in (
            ("/input/start_date", "2026-11-07"),
            ("/input/end_date", "2026-11-08"),
            ("/http/0/query/range_from", "2026-11-07"),
            ("/http/0/query/range_to", "2026-11-08"),
        )
    ),
    *(
        Rule(
            ops="stream",
            field=field,
            condition=_is_book,
            source=f"{SDK}, tbt_ws.py: what a message leaves out stays as it was",
            should_be=should_be,
        )
        for field, should_be in (("/packets", _snapshot_first), ("/expect", _snapshot_tick))
    ),
    Rule(
        ops="symbol_master",
        field="/expect/*/name",
        condition=lambda case: any(row["expiry"] for row in case["expect"] or ()),
        source="contract case M02: the name of a derivative is its underlying",
    ),
    Rule(
        ops="subscribe",
        field="/frames/0/headers",
        condition=lambda case: case["input"]["action"] == "connect" and "url" in case["frames"][0],
        source=f"{SDK}, data_ws.py: no headers, the first frame is the log-in",
        should_be=lambda case: {},
    ),
    Rule(
        ops="subscribe",
        field="/frames/0/hex",
        condition=_action("connect"),
        source="the fact sheet: each client has a source text of its own",
        change=_own_source,
    ),
    Rule(
        ops="subscribe",
        field="/frames/0/hex",
        condition=lambda case: _action("subscribe")(case) and bool(case["input"]["symbols"]),
        source=f"{SDK}, data_ws.py: the length is 18 + topics + token + source",
        change=_own_length,
    ),
    Rule(
        ops="subscribe",
        field="/frames",
        condition=_unused,
        source=f"{SDK}, data_ws.py: the topics follow from the fytoken; the channel stays on, full",
        should_be=lambda case: [],
    ),
    Rule(
        ops="subscribe",
        field="/frames/1/text",
        condition=lambda case: case["input"]["action"] == "order_connect",
        source=f"{DOCS}, Order Websocket Usage Guide, and {SDK}, order_ws.py: the list is SLIST",
        should_be=lambda case: json.dumps({"T": "SUB_ORD", "SLIST": ["orders"], "SUB_T": 1}),
    ),
)
