"""Changing a good-till-triggered order over REST: what it reserves, when it fires, what is
refused."""

from __future__ import annotations

from typing import Any

from tests.e2e.driver import Program
from tests.waiting import wait_for

SBIN = {"symbol": "SBIN", "exchange": "NSE"}
ASKED: dict[str, Any] = {
    **SBIN,
    "strategy": "gtt",
    "trigger_type": "SINGLE",
    "action": "BUY",
    "product": "CNC",
    "quantity": 10,
    "pricetype": "LIMIT",
    "price": 701.0,
    "triggerprice_sl": 700.0,
}


def post(program: Program, path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    with program.http() as http:
        status, body = http.post(f"/api/v1/{path}", {"apikey": program.api_key, **fields})
    assert isinstance(body, dict)
    return status, body


def book(program: Program) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = program.call("gttorderbook")["data"]
    return rows


def test_a_changed_gtt_reserves_anew_and_fires_at_its_new_trigger(frozen: Program) -> None:
    frozen.control(prices={"NSE:SBIN": 800.0})
    status, body = post(frozen, "placegttorder", **ASKED)
    assert status == 200, body
    trigger_id = body["trigger_id"]
    (row,) = book(frozen)
    assert row["margin_blocked"] == 7010.0

    moved = ASKED | {"trigger_id": trigger_id, "quantity": 4, "price": 752.0}
    moved |= {"triggerprice_sl": 750.0}
    status, body = post(frozen, "modifygttorder", **moved)
    assert (status, body["trigger_id"]) == (200, trigger_id), body
    (row,) = book(frozen)
    assert (row["trigger_id"], row["trigger_prices"]) == (trigger_id, [750.0])
    assert (row["legs"][0]["quantity"], row["legs"][0]["price"]) == (4, 752.0)
    assert row["margin_blocked"] == 3008.0

    for change, words in (
        ({"price": 752.03}, "tick"),
        ({"triggerprice_sl": 750.03}, "tick"),
        ({"symbol": "TCS"}, "symbol cannot be changed"),
        ({"action": "SELL"}, "action cannot be changed"),
        ({"quantity": 10_000_000}, "Required"),
    ):
        status, body = post(frozen, "modifygttorder", **(moved | change))
        assert status == 400 and words in body["message"], (change, status, body)
    assert book(frozen) == [row]  # what was refused changed nothing
    status, body = post(frozen, "modifygttorder", **(moved | {"trigger_id": "GTT-none"}))
    assert status == 404 and "GTT-none" in body["message"]

    frozen.control(prices={"NSE:SBIN": 749.5})  # below the new trigger, above the old one
    wait_for(lambda: not book(frozen))
    orders = [row for row in frozen.call("orderbook")["data"]["orders"] if row["strategy"] == "gtt"]
    assert [(row["quantity"], row["price"]) for row in orders] == [(4, 752.0)]
    status, body = post(frozen, "modifygttorder", **moved)
    assert status == 404, body
