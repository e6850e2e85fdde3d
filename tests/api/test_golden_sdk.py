"""What the public client returned from the reference, against what it returns from us.

Replayed with the client of Python 3.11 and, where a newer Python is found, with the newest one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.golden_case import FOLDER, Case, transcripts
from tests.api.golden_checks import answer
from tests.api.golden_compare import Comparison, Ids
from tests.api.golden_rules import expectation
from tests.api.golden_times import RECORDED_AT, RunClock
from tests.api.test_golden import options
from tests.e2e import clients
from tests.e2e.driver import Program
from tests.e2e.sdk import Sdk

#: Endpoint behind a method, where the name differs.
_ENDPOINTS = {
    "analyzerstatus": "analyzer",
    "analyzertoggle": "analyzer/toggle",
    "holidays": "market/holidays",
    "timings": "market/timings",
}
_ORDER_FIELDS = (
    *("symbol", "exchange", "action", "quantity", "pricetype", "product"),
    *("trigger_price", "strategy"),
)
#: The argument that holds an order id.
_ORDER_ID = "order_id"


@pytest.fixture(params=clients.parameters())
def sdk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Sdk, Program]]:
    python = clients.python_of(request.param)
    with options(tmp_path / "data") as program, Sdk(program, python) as client:
        yield client, program


def _parsed(value: Any) -> Any:
    """``HTTP 400: {...}`` texts with their JSON decoded (spaces and order do not matter), and
    types of a DataFrame without what depends on the version of pandas."""
    if isinstance(value, dict) and "_dataframe" in value:
        frame = value["_dataframe"]
        columns = {name: _plain_type(kind) for name, kind in frame["columns"].items()}
        frame = {**frame, "columns": columns, "index_dtype": _plain_type(frame["index_dtype"])}
        return {"_dataframe": frame}
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        match = re.fullmatch(r"(HTTP \d+): (\{.*\})\s*", value["message"], re.DOTALL)
        if match:
            return {**value, "message": {match[1]: json.loads(match[2])}}
    return value


def _plain_type(kind: str) -> str:
    return "text" if kind in ("object", "str", "string") else re.sub(r"\[[num]s\b", "[", kind)


def _with_our_ids(kwargs: dict[str, Any], ids: Ids) -> dict[str, Any]:
    if _ORDER_ID not in kwargs:
        return kwargs
    return {**kwargs, _ORDER_ID: ids.ours.get(kwargs[_ORDER_ID], kwargs[_ORDER_ID])}


@pytest.mark.parametrize("name", transcripts("sdk"))
def test_golden_sdk(name: str, sdk: tuple[Sdk, Program]) -> None:
    client, program = sdk
    calls = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["calls"]
    methods = set(client.call("@methods"))
    ids, problems, compared = Ids(), [], 0
    clock = RunClock(program.control, program.started)
    clock.stand(RECORDED_AT)
    before = _as_found(program, calls, ids)
    for call in calls:
        method, kwargs = call["method"], call.get("kwargs", {})
        if method.startswith("ws_"):
            problems += _stream(client, call, clock)
            compared += 1
            continue
        if method not in methods:
            continue
        code = call["returns"].get("code")
        key = {"api_key": "wrong-key"} if code == 403 else {}
        clock.stand_where_recorded(call["returns"])
        result = client.call(method, **_with_our_ids(kwargs, ids), **key)
        # A DataFrame is not what the endpoint says: rules of its own.
        endpoint = _ENDPOINTS.get(method, method)
        if "_dataframe" in call["returns"]:
            endpoint = f"{endpoint} (DataFrame)"
        case = Case(
            endpoint, method, "SDK", request=kwargs, body=call["returns"], before=list(before)
        )
        before.append(case)
        expected = expectation(case)
        comparison = Comparison(ids, expected.freedom, clock.window)
        comparison.compare(_parsed(expected.body), _parsed(result))
        compared += 1
        found = list(comparison.differences)
        if not found and isinstance(result, dict):
            with program.http() as http:
                ask = answer(http, program.api_key)
                found += [text for check in expected.checks for text in check(result, case, ask)]
        problems += [f"{method}({kwargs}): {text}" for text in found]
    assert compared >= 0.9 * len(calls)
    assert not problems, f"{len(problems)} differences:\n" + "\n".join(problems)


def _as_found(program: Program, calls: list[dict[str, Any]], ids: Ids) -> list[Case]:
    """Make the orders that were there when the recording began: those of its order book that no
    call of it placed."""
    own = set(re.findall(r'"orderid": "(\d+)"', json.dumps([c for c in calls if _places(c)])))
    book = next(c for c in calls if c["method"] == "orderbook")["returns"]["data"]["orders"]
    made = []
    for row in reversed(book):
        if row["orderid"] in own:
            continue
        order = {name: row[name] for name in _ORDER_FIELDS}
        if row["pricetype"] in ("LIMIT", "SL"):
            order["price"] = row["price"]
        with program.http() as http:
            body = {"apikey": program.api_key, **order}
            _, answer = http.post("/api/v1/placeorder", body)
        assert ids.match(row["orderid"], answer.get("orderid")), answer
        if row["order_status"] == "cancelled":
            program.call("cancelorder", orderid=answer["orderid"], strategy="golden")
        made.append(Case("placeorder", request=order, body=answer))
    return made


def _places(call: dict[str, Any]) -> bool:
    return call["method"] not in ("orderbook", "tradebook")


def _stream(client: Sdk, call: dict[str, Any], clock: RunClock) -> list[str]:
    recorded = call["returns"]
    row = recorded["first"][0]
    instrument = {"symbol": row["symbol"], "exchange": row["exchange"]}
    assert client.call("connect") is recorded["connect"]
    client.call("subscribe_ltp", instruments=[instrument])
    events = client.events(recorded["ticks"])
    ltp = client.call("get_ltp")
    comparison = Comparison(Ids(), window=clock.window)
    comparison.compare(row, events[0])
    comparison.compare(recorded["get_ltp"], ltp)
    client.call("disconnect")
    return comparison.differences
