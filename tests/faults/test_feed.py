"""A feed that drops and comes back: every client has its subscriptions again within 3 seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.e2e.driver import Program

BACK_WITHIN = 3.0
WANTED = (
    {("NSE", "SBIN"): 1, ("NSE", "INFY"): 3},
    {("NSE", "SBIN"): 3, ("NSE", "RELIANCE"): 2},
)


@contextmanager
def subscribed(program: Program, wanted: dict[tuple[str, str], int]) -> Iterator[ClientConnection]:
    with connect(program.ws_url, max_queue=None) as socket:
        socket.send(json.dumps({"action": "authenticate", "api_key": program.api_key}))
        for (exchange, symbol), mode in wanted.items():
            request = {"action": "subscribe", "symbol": symbol, "exchange": exchange, "mode": mode}
            socket.send(json.dumps(request))
        yield socket


def ticked(socket: ClientConnection, wanted: dict[tuple[str, str], int], since: float) -> float:
    """When every subscription of ``socket`` has brought data, in seconds ``since`` then; raises
    after a minute of silence."""
    missing = dict(wanted)
    while missing:
        message: dict[str, Any] = json.loads(socket.recv(timeout=60))
        if message.get("type") == "market_data":
            key = (message["exchange"], message["symbol"])
            if missing.get(key) == message["mode"]:
                del missing[key]
    return time.monotonic() - since


def drain(socket: ClientConnection) -> None:
    """Read what was on its way: all that comes before the answers of two questions."""
    for _ in range(2):
        socket.send(json.dumps({"action": "ping"}))
        while json.loads(socket.recv(timeout=60)).get("type") != "pong":
            pass


def heard(socket: ClientConnection) -> int:
    """Ticks that come until it is quiet for a while."""
    count = 0
    while True:
        try:
            count += json.loads(socket.recv(timeout=0.3)).get("type") == "market_data"
        except TimeoutError:
            return count


def test_all_subscriptions_of_all_clients_are_back_after_a_drop(tmp_path: Path):
    options = ("--sim-control", "--sim-rate", "20000")
    with Program(tmp_path / "data", *options) as program, ExitStack() as stack:
        clients = [(stack.enter_context(subscribed(program, row)), row) for row in WANTED]
        began = time.monotonic()
        first = [ticked(socket, wanted, began) for socket, wanted in clients]
        within = BACK_WITHIN + 20 * max(first)  # a busy machine was busy before, too
        for _ in range(2):
            program.control(faults={"disconnect": True})
            for socket, _ in clients:
                drain(socket)
                assert heard(socket) == 0, "prices came while the feed was down"
            program.control(faults={"disconnect": False})
            back = time.monotonic()
            for socket, wanted in clients:
                assert ticked(socket, wanted, back) < within


def test_no_order_is_filled_at_a_price_from_before_the_drop(tmp_path: Path):
    fixture = Path(__file__).parents[1] / "data" / "fixture_symbols.json"
    options = ("--sim-control", "--sim-frozen", "--sim-universe", str(fixture))
    with Program(tmp_path / "data", *options) as program:
        with subscribed(program, {("NSE", "SBIN"): 3}) as socket:
            program.control(prices={"NSE:SBIN": 800.0})
            ticked(socket, {("NSE", "SBIN"): 3}, time.monotonic())
            program.control(faults={"disconnect": True})
            order = {
                "strategy": "s", "symbol": "SBIN", "exchange": "NSE", "action": "BUY",
                "quantity": 1, "pricetype": "MARKET", "product": "MIS",
            }  # fmt: skip
            with program.http() as http:
                status, answer = http.post(
                    "/api/v1/placeorder", {"apikey": program.api_key, **order}
                )
            trades = program.call("tradebook")["data"]
        assert trades == [], "filled at a stale price"
        assert status != 200 or answer["orderid"]
        program.control(faults={"disconnect": False}, prices={"NSE:SBIN": 850.0})
        if status == 200:  # it waits for a price, and gets the fresh one
            deadline = time.monotonic() + 60
            while not (trades := program.call("tradebook")["data"]):
                assert time.monotonic() < deadline
                time.sleep(0.1)
                program.control(prices={"NSE:SBIN": 850.0})
            assert trades[0]["average_price"] == pytest.approx(850.0, rel=0.001)
