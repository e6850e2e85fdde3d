"""Differences of live mode that are kept on purpose: the recording was made with another broker.
A part of the table of ``golden_rules``."""

from __future__ import annotations

from typing import Any

from tests.api import golden_money as money
from tests.api.golden_case import Case
from tests.api.golden_compare import Freedom
from tests.api.golden_rule import Rule, error
from tests.api.golden_times import RECORDED_AT


def _no_holdings(body: Any) -> Any:
    statistics = body["data"]["statistics"]
    body["data"] = {"holdings": [], "statistics": dict.fromkeys(statistics, 0.0)}
    return body


def _dated(body: Any) -> Any:
    for row in body["data"]:
        row["timestamp"] = f"{RECORDED_AT:%Y-%m-%d} {row['timestamp']}"
    return body


def _unknown(order: dict[str, Any]) -> str:
    return f"Symbol {order['symbol']} not found on {order['exchange']}"


def _unknown_items(body: Any, case: Case) -> Any:
    for item, order in zip(body["results"], case.fields["orders"], strict=True):
        if "does not exist" in item.get("message", ""):
            item["message"] = _unknown(order)
    return body


LIVE_RULES: tuple[Rule, ...] = (
    Rule(
        "holdings",
        "live mode",
        "those of the account",
        "the stand-in broker of the recording held a share; the simulator's account begins empty",
        when=lambda case: case.ok and case.live,
        change=_no_holdings,
    ),
    Rule(
        "funds",
        "live mode",
        "those of the account",
        "the stand-in broker of the recording kept no accounts",
        when=lambda case: case.ok and case.live,
        freedom=Freedom(free=("data.*",)),
        check=money.live_funds,
    ),
    Rule(
        "tradebook",
        "live mode: prices",
        "what the exchange filled at: bid or ask",
        "the stand-in broker of the recording filled at the last price",
        when=lambda case: case.ok and case.live,
        freedom=Freedom(free=("data[*].average_price", "data[*].trade_value")),
        check=money.fills,
    ),
    Rule(
        "tradebook",
        "live mode: `timestamp`",
        "date and time",
        "the broker of the recording gives the time only",
        when=lambda case: case.ok and case.live,
        change=_dated,
    ),
    Rule(
        "positionbook",
        "live mode: prices",
        "follow from fills at bid or ask",
        "the stand-in broker of the recording filled at the last price",
        when=lambda case: case.ok and case.live,
        freedom=Freedom(
            free=("data[*].average_price", "data[*].pnl", "data[*].ltp"),
        ),
        check=money.live_positions,
    ),
    Rule(
        "orderstatus",
        "live mode: `average_price`",
        "what the exchange filled at: bid or ask",
        "the stand-in broker of the recording filled at the last price",
        when=lambda case: case.ok and case.live,
        freedom=Freedom(free=("data.average_price",)),
        check=money.order_average,
    ),
    Rule(
        "placeorder",
        "live mode: unknown symbol",
        "400 with a text of ours, before anything is sent",
        "the recorded text is the broker's",
        when=lambda case: case.live and "does not exist" in str(case.message),
        edit=lambda body, case: {**body, "message": _unknown(case.fields)},
    ),
    Rule(
        "basketorder",
        "live mode: an item with an unknown symbol",
        "a text of ours, before anything is sent",
        "the recorded text is the broker's",
        when=lambda case: case.live and case.ok,
        edit=_unknown_items,
    ),
    Rule(
        "modifyorder",
        "live mode: unknown order",
        "404 `Order <id> not found`, as in analyze mode",
        "the recorded text and code are the broker's",
        when=lambda case: case.live and "find that `order_id`" in str(case.message),
        status=404,
        edit=lambda body, case: error(f"Order {case.fields['orderid']} not found"),
    ),
    Rule(
        "cancelorder",
        "live mode: the order is final",
        "400 `Cannot cancel order in <status> status`, as in analyze mode",
        "the reference answers 500 with the address of the broker",
        when=lambda case: case.live and case.status == 500,
        status=400,
        body=error("Cannot cancel order in cancelled status"),
    ),
    Rule(
        "*gttorder*",
        "live mode",
        "501 where the account's broker has none, as the simulator in the tests",
        "the recording was made with another broker",
        when=lambda case: case.live and case.ok,
        status=501,
        body=error("GTT orders are not supported for broker 'simulator' yet"),
    ),
)
