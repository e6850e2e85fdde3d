"""The runner itself: what it must notice, and what it must forgive."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import pytest

from tests.wire.compare import decoded_body, differences, request_differences, same_text
from tests.wire.folders import all_rules
from tests.wire.frames import frame_differences
from tests.wire.harness import Wire
from tests.wire.ops import run
from tests.wire.test_recorded import REGISTRY, check_requests, check_result
from tests.wire.vectors import ROOT, Prepared, Rule, load_files, pointer, prepare, put

#: The project's own recording, whatever ``WIRE_VECTORS`` says.
ZERODHA = next(file for file in load_files(ROOT) if file.broker == "zerodha")
PLACE = next(c for c in ZERODHA.section("cases") if c["id"] == "place_limit_cnc_buy_nse")


async def problems_of(case: dict[str, Any]) -> list[str]:
    """What the runner says about a case."""
    ready = prepare("zerodha", case)
    wire = Wire(REGISTRY.get("zerodha"), ZERODHA, case["http_response"])
    result = await run(wire, case["op"], case["input"])
    return check_requests(ready, wire, ZERODHA) + check_result(ready, result, ZERODHA)


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("/http/0/body/price", "812.4", "body/price"),
        ("/http/0/body/quantity", 5, "JSON type"),
        ("/http/0/body/exchange", "$absent", "not wanted"),
        ("/http/0/body/extra", "1", "missing"),
        ("/http/0/url", "https://api.kite.trade/orders/amo", "url"),
        ("/http/0/method", "PUT", "instead of PUT"),
        ("/http/0/headers/authorization", "token other:token", "authorization"),
        ("/http/0/headers/x-new", "1", "header missing"),
        ("/expect/orderid", "151220000000001", "orderid"),
        ("/expect", {"error": None}, "no error"),
    ],
)
async def test_it_notices(where: str, value: Any, said: str) -> None:
    case = copy.deepcopy(PLACE)
    put(case, pointer(where), value)
    problems = await problems_of(case)
    assert any(said in problem for problem in problems), problems


async def test_it_forgives_form_of_tags_and_numbers() -> None:
    case = copy.deepcopy(PLACE)
    put(case, pointer("/http/0/body/tag"), "another1")
    put(case, pointer("/http/0/body/price"), "812.350")
    put(case, pointer("/http/0/headers/authorization"), "token kitefront_key:<access token>")
    assert await problems_of(case) == []


def test_whole_numbers_are_compared_exactly() -> None:
    """A time in seconds is beyond 10^9: one part in a million of it would be half an hour."""
    assert differences([1513309500, 7360198], [1513309503, 7360198])
    assert differences({"volume": 7360198}, {"volume": 7360201.0})
    assert not differences({"ltp": 26120.5, "open": 26050}, {"ltp": 26120.5000001, "open": 26050.0})


async def test_a_missing_request_is_noticed() -> None:
    case = copy.deepcopy(PLACE)
    case["http"] = case["http"] * 2
    assert any("requests instead of 2" in problem for problem in await problems_of(case))


def test_deviations_are_applied_in_order() -> None:
    case = {
        "op": "orders",
        "expect": {"rows": [{"a": 1, "b": 2}]},
        "deviation": [
            {"field": "/expect/rows/0/a", "should_be": 3, "checkable": True},
            {"field": "/expect/rows/0/b", "should_be": "$absent", "checkable": True},
            {"field": "/expect/rows/*/c", "should_be": None, "checkable": False},
        ],
    }
    ready = prepare("x", case)
    assert ready.case["expect"] == {"rows": [{"a": 3}]}
    assert ready.skip(("expect", "rows", "7", "c", "deep"))
    assert not ready.skip(("expect", "rows", "7"))


def test_rules_hold_for_an_operation_under_a_condition() -> None:
    rule = Rule(
        brokers="x",
        ops="funds",
        field="/expect/cash",
        condition=lambda case: case["big"],
        source="docs",
        should_be=lambda case: 9,
    )
    big = {"op": "funds", "big": True, "expect": {"cash": 1}}
    assert prepare("x", big, (rule,)).case["expect"]["cash"] == 9
    assert prepare("x", big | {"big": False}, (rule,)).case["expect"]["cash"] == 1
    assert prepare("y", big, (rule,)).case["expect"]["cash"] == 1


def test_numbers_ids_and_masks() -> None:
    assert same_text("1480", "1480.0")
    assert not same_text("0123", "123")
    assert same_text("Bearer <token>", "Bearer abc")
    assert not same_text("Bearer <token>", "Basic abc")
    assert same_text('{"a": 1.0}', '{"a":1}')
    assert differences({"a": 1}, {"a": "1"}, wire=True)
    assert not differences({"a": 1, "b": None}, {"a": 1.0000001, "c": 3})
    assert differences([1, 2], [1])


def test_bodies_of_the_jdata_kind() -> None:
    body = decoded_body("form", b'jData={"uid":"FA1","tsym":"M%26M-EQ"}&jKey=TOKEN')
    assert body == {"jData": {"uid": "FA1", "tsym": "M&M-EQ"}, "jKey": "TOKEN"}


def test_a_request_without_a_body_must_have_none() -> None:
    wanted = {"method": "POST", "url": "https://x/y", "query": {}, "encoding": "none", "body": None}
    sent = httpx.Request("POST", "https://x/y", content=b"abc")
    assert request_differences(wanted, sent, Prepared({}), (), set())
    query = httpx.Request("POST", "https://x/y?a=1")
    assert request_differences(wanted, query, Prepared({}), (), set())


async def test_shares_of_yesterday_count() -> None:
    """The rule of holdings that are bought and not delivered yet."""
    case = copy.deepcopy(
        next(c for c in ZERODHA.section("cases") if c["id"] == "holdings_official_mock")
    )
    assert prepare("zerodha", case, all_rules()).case["expect"] == case["expect"]
    case["http_response"][0]["body"]["data"][1]["t1_quantity"] = 4
    ready = prepare("zerodha", case, all_rules())
    assert [row["quantity"] for row in ready.case["expect"]["rows"]] == [1, 20]
    wire = Wire(REGISTRY.get("zerodha"), ZERODHA, case["http_response"])
    result = await run(wire, case["op"], case["input"])
    assert check_result(ready, result, ZERODHA) == []
    case["http_response"][0]["body"]["data"][1]["quantity"] = 17
    wire = Wire(REGISTRY.get("zerodha"), ZERODHA, case["http_response"])
    assert check_result(ready, await run(wire, case["op"], case["input"]), ZERODHA)


def test_subscriptions_over_http_are_compared_too() -> None:
    request = {"method": "POST", "url": "https://x/subscribe", "query": {}, "encoding": "json",
               "headers": {}, "body": {"ids": [1]}}  # fmt: skip
    wanted = [{"http": request}]
    assert frame_differences(wanted, [])
    assert frame_differences(wanted, ["text"])
    assert frame_differences(wanted, [httpx.Request("POST", "https://x/subscribe", json={})])
    same = httpx.Request("POST", "https://x/subscribe", json={"ids": [1]})
    assert not frame_differences(wanted, [same])


def test_every_recorded_frame_is_looked_at() -> None:
    """A wrong letter in any of them is seen."""
    count = 0
    for case in ZERODHA.section("subscribe"):
        for frame in case["frames"]:
            if "text" in frame:
                wrong = frame["text"].replace("a", "b", 1)
                assert frame_differences([frame], [wrong]) and not frame_differences(
                    [frame], [frame["text"]]
                )
                count += 1
    assert count == 7
