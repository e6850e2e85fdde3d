"""Every endpoint of the first version through the public client, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.driver import Program
from tests.e2e.sdk import Sdk

SBIN = {"symbol": "SBIN", "exchange": "NSE"}


@pytest.fixture(scope="module")
def sdk(frozen: Program) -> Iterator[Sdk]:
    with Sdk(frozen) as client:
        yield client


@pytest.fixture(autouse=True)
def clean(frozen: Program) -> None:
    """Each test begins with an empty sandbox and the first prices."""
    frozen.control(reset="sandbox", prices={"NSE:SBIN": 800.0})


def place(sdk: Sdk, **fields: Any) -> str:
    order = {"strategy": "e2e", **SBIN, "action": "BUY", "product": "MIS", "quantity": 10, **fields}
    answer = sdk.good("placeorder", **order)
    assert answer["mode"] == "analyze"
    assert isinstance(answer["orderid"], str)
    return str(answer["orderid"])


def book(sdk: Sdk) -> dict[str, dict[str, Any]]:
    return {row["orderid"]: row for row in sdk.good("orderbook")["data"]["orders"]}


def test_market_order_reaches_every_book(sdk: Sdk) -> None:
    order = place(sdk, price_type="MARKET")
    status = sdk.good("orderstatus", order_id=order, strategy="e2e")["data"]
    assert (status["order_status"], status["average_price"]) == ("complete", 800.05)
    assert book(sdk)[order]["order_status"] == "complete"
    trades = sdk.good("tradebook")["data"]
    assert [(row["orderid"], row["quantity"], row["average_price"]) for row in trades] == [
        (order, 10, 800.05)
    ]
    (position,) = sdk.good("positionbook")["data"]
    assert (position["symbol"], position["quantity"], position["product"]) == ("SBIN", 10, "MIS")
    open_position = sdk.good("openposition", strategy="e2e", **SBIN, product="MIS")
    assert open_position["quantity"] == 10
    funds = sdk.good("funds")["data"]
    # a fifth of 10 shares at the price paid is blocked
    assert funds["utiliseddebits"] == pytest.approx(1600.1, abs=0.2)
    closed = sdk.good("closeposition", strategy="e2e")
    assert (closed["closed_positions"], closed["message"]) == (1, "Closed 1 positions")
    assert sdk.good("openposition", strategy="e2e", **SBIN, product="MIS")["quantity"] == 0


def test_limit_order_is_modified_filled_and_cancelled(sdk: Sdk, frozen: Program) -> None:
    first, second = (place(sdk, price_type="LIMIT", price=790) for _ in range(2))
    assert book(sdk)[first]["order_status"] == "open"
    fields = {"strategy": "e2e", **SBIN, "action": "BUY", "product": "MIS", "price_type": "LIMIT"}
    modified = sdk.good("modifyorder", order_id=first, **fields, quantity=12, price=795)
    assert modified["message"] == "Order modified successfully"
    assert (book(sdk)[first]["quantity"], book(sdk)[first]["price"]) == (12, 795.0)
    cancelled = sdk.good("cancelorder", order_id=second, strategy="e2e")
    assert (cancelled["orderid"], book(sdk)[second]["order_status"]) == (second, "cancelled")
    frozen.control(prices={"NSE:SBIN": 794.0})
    row = book(sdk)[first]
    assert (row["order_status"], row["average_price"]) == ("complete", 795.0)


def test_stops_wait_for_their_trigger_and_cancelall_takes_them(sdk: Sdk, frozen: Program) -> None:
    stop = place(sdk, price_type="SL-M", action="SELL", trigger_price=790)
    kept = place(sdk, price_type="SL", trigger_price=810, price=812)
    assert {row["order_status"] for row in book(sdk).values()} == {"trigger pending"}
    frozen.control(prices={"NSE:SBIN": 789.0})
    assert book(sdk)[stop]["order_status"] == "complete"
    answer = sdk.good("cancelallorder", strategy="e2e")
    assert answer["canceled_orders"] == [kept]
    assert book(sdk)[kept]["order_status"] == "cancelled"


def test_holdings_are_there_and_empty(sdk: Sdk) -> None:
    data = sdk.good("holdings")["data"]
    assert data["holdings"] == []
    assert set(data["statistics"]) == {
        "totalholdingvalue",
        "totalinvvalue",
        "totalpnlpercentage",
        "totalprofitandloss",
    }


def test_market_data(sdk: Sdk) -> None:
    quote = sdk.good("quotes", **SBIN)["data"]
    assert (quote["ltp"], quote["bid"], quote["ask"], quote["prev_close"]) == (
        800.0,
        799.95,
        800.05,
        792.0,
    )
    depth = sdk.good("depth", **SBIN)["data"]
    assert len(depth["bids"]) == len(depth["asks"]) == 5
    for interval, first in (("5m", "2026-11-19"), ("D", "2026-11-02")):
        frame = sdk.call(
            "history", **SBIN, interval=interval, start_date=first, end_date="2026-11-20"
        )["_dataframe"]
        assert set(frame["columns"]) == {"open", "high", "low", "close", "volume", "oi"}
        assert frame["rows"] == (150 if interval == "5m" else 15)
        assert frame["index_dtype"].startswith("datetime64")
    intervals = sdk.good("intervals")["data"]
    assert "5m" in intervals["minutes"] and "D" in intervals["days"]


def test_symbols(sdk: Sdk) -> None:
    symbol = sdk.good("symbol", symbol="NIFTY29DEC26FUT", exchange="NFO")["data"]
    assert (symbol["lotsize"], symbol["expiry"], symbol["instrumenttype"]) == (
        65,
        "29-DEC-26",
        "FUT",
    )
    found = sdk.good("search", query="NIFTY 26000", exchange="NFO")["data"]
    assert found and all(row["strike"] == 26000.0 for row in found)
    dates = sdk.good("expiry", symbol="NIFTY", exchange="NFO", instrumenttype="options")
    assert dates["data"] == ["01-DEC-26", "29-DEC-26"]


def test_analyzer_switches_both_ways(sdk: Sdk) -> None:
    assert sdk.good("analyzerstatus")["data"]["mode"] == "analyze"
    try:
        assert sdk.good("analyzertoggle", mode=False)["data"]["mode"] == "live"
        assert "mode" not in sdk.good("orderbook")
        order = sdk.good(
            "placeorder",
            strategy="e2e",
            **SBIN,
            action="BUY",
            price_type="LIMIT",
            product="MIS",
            quantity=1,
            price=700,
        )
        assert "mode" not in order
        sdk.good("cancelorder", order_id=order["orderid"], strategy="e2e")
    finally:
        assert sdk.good("analyzertoggle", mode=True)["data"]["mode"] == "analyze"
    assert book(sdk) == {}


def test_ping_which_the_client_lacks(frozen: Program) -> None:
    answer = frozen.call("ping")
    assert answer["status"] == "success" and answer["data"]["message"] == "pong"


def test_errors_reach_the_client_as_it_knows_them(sdk: Sdk) -> None:
    wrong = sdk.call("funds", api_key="wrong-key")
    assert (wrong["status"], wrong["code"]) == ("error", 403)
    assert json.loads(wrong["message"].partition(": ")[2]) == {
        "message": "Invalid openalgo apikey",
        "status": "error",
    }
    refused = sdk.call("placeorder", **SBIN, action="BUY", price_type="MARKET", quantity=0)
    assert (refused["status"], refused["code"]) == ("error", 400)
    unknown = sdk.call("quotes", symbol="NOSUCHSYM", exchange="NSE")
    assert unknown["code"] == 400 and "NOSUCHSYM" in unknown["message"]


def tick_at(sdk: Sdk, price: float) -> dict[str, Any]:
    """The data of the first tick at ``price``; ticks under way may come before it."""
    for _ in range(20):
        for event in sdk.events(1):
            if event["data"]["ltp"] == price:
                return dict(event["data"])
    raise AssertionError(f"no tick at {price}")


def test_streams_with_the_clients_own_threads(sdk: Sdk, frozen: Program) -> None:
    assert sdk.call("connect") is True
    try:
        for mode, wanted in (
            ("ltp", {"ltp"}),
            ("quote", {"open", "last_trade_quantity", "avg_trade_price", "change"}),
            ("depth", {"depth"}),
        ):
            assert sdk.call(f"subscribe_{mode}", instruments=[SBIN]) is True
            sdk.events(1)
            frozen.control(prices={"NSE:SBIN": 804.0})
            data = tick_at(sdk, 804.0)
            assert wanted <= set(data)
            if mode == "quote":
                assert data["avg_trade_price"] > 0 and data["change"] == 12.0
            getter = {"ltp": "get_ltp", "quote": "get_quotes", "depth": "get_depth"}[mode]
            shown = sdk.call(getter)[mode]["NSE"]["SBIN"]
            assert shown["ltp"] == 804.0
            if mode == "depth":
                assert len(shown["buyBook"]) == 5 and shown["buyBook"]["1"]["price"] == 803.95
            assert sdk.call(f"unsubscribe_{mode}", [SBIN]) is True
            frozen.control(prices={"NSE:SBIN": 800.0})
    finally:
        sdk.call("disconnect")
