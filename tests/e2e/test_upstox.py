"""The whole program against Upstox on loopback: log in with the browser's code, read the master,
trade, follow prices and orders over both feeds, lose an answer, log out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import brokers
from tests.e2e.driver import Program, free_port
from tests.e2e.trading import book, deep_book, order, post, stream
from tests.emulators.thread import EmulatorThread
from tests.emulators.upstox import API_KEY, API_SECRET, UpstoxEmulator
from tests.waiting import wait_for

Upstox = EmulatorThread[UpstoxEmulator]
_SITE = "https://api.upstox.com"


@pytest.fixture
def upstox() -> Iterator[Upstox]:
    with brokers.at_ten(lambda clock: UpstoxEmulator(clock, rate=100.0)) as running:
        yield running


def program(upstox: Upstox, folder: Path) -> Program:
    """The engine with the Upstox account, live; the feeds' addresses come from the emulator."""
    return brokers.program(upstox, folder, "upstox")


def run_login(upstox: Upstox, folder: Path, *more: str) -> str:
    """``openalgo-desktop login upstox`` with a browser that comes back to the callback."""
    port = str(free_port())  # the address that is registered has it
    redirect = f"http://127.0.0.1:{port}/upstox/callback"
    app = {"api_key": API_KEY, "api_secret": API_SECRET, "redirect_uri": redirect}
    return brokers.log_in(upstox, folder, "upstox", app, *more, site=_SITE, port=port)


def test_log_in_trade_stream_and_log_out(upstox: Upstox, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = run_login(upstox, folder)
    assert "Logged in" in said and API_SECRET not in said
    emulator = upstox.emulator
    with program(upstox, folder) as engine:
        assert engine.ready["broker"] == "upstox" and engine.ready["mode"] == "live"
        wait_for(lambda: len(emulator.sockets) == 2, "both feeds")
        resting = engine.call("placeorder", **order(3))
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        rows = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert rows == {resting["orderid"]: "open", market["orderid"]: "complete"}
        assert [sent.get("market_protection") for sent in emulator.arrived] == [None, -1]
        assert all(sent["tag"] for sent in emulator.arrived)
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        assert float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"]) > 0
        asyncio.run(stream(engine))
        asyncio.run(deep_book(engine, 30))
        emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(lambda: len(book(engine)) == 3, "the settled order")
        assert emulator.calls("POST", "/v3/order/place") == 3
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
        token = next(iter(emulator._tokens))
    run_login(upstox, folder, "--logout")
    assert emulator._tokens == {}
    brokers.assert_hidden(folder, engine.output, API_SECRET, token)
