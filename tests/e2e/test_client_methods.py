"""Every public method of both clients, those included that no recording shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import clients
from tests.e2e.driver import ROOT, Program
from tests.e2e.sdk import Sdk

SBIN = {"symbol": "SBIN", "exchange": "NSE"}
GTT = {
    **SBIN,
    "strategy": "e2e",
    "action": "BUY",
    "product": "CNC",
    "quantity": 5,
    "trigger_type": "SINGLE",
}
#: Methods of the newest client for made strategies; what they do where there is one:
#: ``test_client_strategies``.
STRATEGY = {
    "strategylist": {},
    "strategystatus": {"strategy_id": 1},
    "strategystart": {"strategy_id": 1, "mode": "sandbox"},
    "strategystop": {"strategy_id": 1},
    "strategycloseall": {"strategy_id": 1},
    "strategycloseleg": {"strategy_id": 1, "leg_id": 1},
    "strategyruns": {"strategy_id": 1},
    "strategyorders": {"strategy_id": 1},
    "strategyevents": {"strategy_id": 1},
}
#: What the tests below call, beside the calls of the recording (``tests/api/test_golden_sdk``).
COVERED_HERE = {
    *("analyzertoggle", "interval", "telegram", "whatsapp"),
    *("connect", "disconnect", "close"),
    *("subscribe_ltp", "subscribe_quote", "subscribe_depth", "subscribe_orders"),
    *("unsubscribe_ltp", "unsubscribe_quote", "unsubscribe_depth", "unsubscribe_orders"),
    *("get_ltp", "get_quotes", "get_depth", "get_orders"),
    *("placegttorder", "modifygttorder", "cancelgttorder", "gttorderbook"),
    *STRATEGY,
}


@pytest.fixture(scope="module", params=clients.parameters())
def sdk(request: pytest.FixtureRequest, frozen: Program) -> Iterator[Sdk]:
    with Sdk(frozen, clients.python_of(request.param)) as client:
        yield client


@pytest.fixture(scope="module")
def methods(sdk: Sdk) -> set[str]:
    return set(sdk.call("@methods"))


def test_every_method_is_called_somewhere(methods: set[str]) -> None:
    recorded = json.loads((ROOT / "tests/data/golden/sdk.json").read_text(encoding="utf-8"))
    called = {call["method"] for call in recorded["calls"]} | COVERED_HERE
    assert methods - called == set()


def test_switch_and_intervals(sdk: Sdk) -> None:
    assert sdk.good("analyzertoggle", mode=True)["data"]["analyze_mode"] is True
    assert sdk.call("interval") == sdk.call("intervals")


def test_messaging_answers_that_it_is_not_running(sdk: Sdk, methods: set[str]) -> None:
    telegram = sdk.call("telegram", username="trader", message="hello")
    assert (telegram["status"], telegram["code"]) == ("error", 409)
    if "whatsapp" in methods:
        assert sdk.call("whatsapp", "hello")["status"] == "error"


def test_triggered_orders(sdk: Sdk, methods: set[str], frozen: Program) -> None:
    if "placegttorder" not in methods:
        assert not {"modifygttorder", "cancelgttorder", "gttorderbook"} & methods
        return
    frozen.control(reset="sandbox", prices={"NSE:SBIN": 800.0})
    trigger = sdk.good("placegttorder", **GTT, price=781, triggerprice_sl=780)["trigger_id"]
    sdk.good("modifygttorder", trigger_id=trigger, **GTT, price=786, triggerprice_sl=785)
    (row,) = sdk.good("gttorderbook")["data"]
    assert (row["trigger_id"], row["trigger_prices"]) == (trigger, [785.0])
    assert row["legs"][0]["price"] == 786.0
    sdk.good("cancelgttorder", trigger_id=trigger, strategy="e2e")
    assert sdk.good("gttorderbook")["data"] == []


def test_order_stream_with_the_clients_own_threads(
    sdk: Sdk, methods: set[str], frozen: Program
) -> None:
    if "subscribe_orders" not in methods:
        assert not {"unsubscribe_orders", "get_orders"} & methods
        return
    frozen.control(reset="sandbox", prices={"NSE:SBIN": 800.0})
    assert sdk.call("connect") is True
    try:
        assert sdk.call("subscribe_orders") is True
        order, probes = _placed_once_heard(sdk)
        events: list[dict[str, Any]] = []
        while not any(event["order_status"] == "complete" for event in events):
            events += [event for event in sdk.events(1) if event["orderid"] not in probes]
        assert {event["orderid"] for event in events} == {order}
        assert [event["order_status"] for event in events] == ["open", "complete"]
        assert "order" in json.dumps(sdk.call("get_orders"))
        assert sdk.call("unsubscribe_orders") is True
    finally:
        sdk.call("disconnect")


def _placed_once_heard(sdk: Sdk) -> tuple[str, set[str]]:
    """An order placed after the subscription has arrived: the client does not say when. With it
    those that were placed to learn it, whose updates may still come."""
    probes: set[str] = set()
    probe = {"strategy": "e2e", **SBIN, "action": "BUY", "product": "MIS", "quantity": 1}
    for _ in range(100):
        resting = sdk.good("placeorder", **probe, price_type="LIMIT", price=700)["orderid"]
        probes.add(str(resting))
        sdk.good("cancelorder", order_id=resting, strategy="e2e")
        if sdk.call("@events", count=1, timeout=0.5):
            break
    else:
        raise AssertionError("no order update came")
    return str(sdk.good("placeorder", **probe, price_type="MARKET")["orderid"]), probes


@pytest.mark.parametrize(("name", "kwargs"), STRATEGY.items(), ids=STRATEGY)
def test_a_strategy_that_is_not_there(
    sdk: Sdk, methods: set[str], name: str, kwargs: dict[str, Any]
) -> None:
    if name not in methods:
        return
    answer = sdk.call(name, **kwargs)
    if name == "strategylist":
        assert (answer["status"], answer["data"]) == ("success", [])
        return
    assert (answer["status"], answer["code"]) == ("error", 404)
    assert answer["message"] == "Strategy not found"


def test_the_connection_can_be_closed(sdk: Sdk, methods: set[str]) -> None:
    """Last: afterwards this client is of no use."""
    if "close" in methods:
        assert sdk.call("close") is None
