"""The whole program against Fyers on loopback: log in with the browser's code, read the master,
trade, follow prices and orders over both feeds, lose an answer, log out, log in with the PIN."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import brokers
from tests.e2e.driver import Program
from tests.e2e.trading import book, deep_book, order, post, stream
from tests.emulators.fyers import APP_ID, PIN, SECRET, FyersEmulator
from tests.emulators.thread import EmulatorThread
from tests.waiting import wait_for

Fyers = EmulatorThread[FyersEmulator]
_SITE = "https://api-t1.fyers.in"


@pytest.fixture
def fyers() -> Iterator[Fyers]:
    with brokers.at_ten(lambda clock: FyersEmulator(clock, rate=100.0)) as running:
        yield running


def program(fyers: Fyers, folder: Path) -> Program:
    """The engine with the Fyers account, live."""
    return brokers.program(fyers, folder, "fyers")


def run_login(fyers: Fyers, folder: Path, *more: str) -> str:
    """``openalgo-desktop login fyers`` with a browser that comes back to the callback."""
    app = {"api_key": APP_ID, "api_secret": SECRET, "pin": PIN}
    return brokers.log_in(fyers, folder, "fyers", app, *more, site=_SITE)


def test_log_in_trade_stream_and_log_out(fyers: Fyers, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = run_login(fyers, folder)
    assert "Logged in" in said and SECRET not in said
    emulator = fyers.emulator
    with program(fyers, folder) as engine:
        assert engine.ready["broker"] == "fyers" and engine.ready["mode"] == "live"
        wait_for(lambda: len(emulator.sockets) == 3, "the feeds")
        resting = engine.call("placeorder", **order(3))
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        rows = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert rows == {resting["orderid"]: "open", market["orderid"]: "complete"}
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        assert float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"]) > 0
        asyncio.run(stream(engine))
        asyncio.run(deep_book(engine, 50))
        emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(lambda: len(book(engine)) == 3, "the settled order")
        assert emulator.calls("POST", "/api/v3/orders/sync") == 3
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
        tokens = list(emulator._tokens)
    # The session has ended: the refresh token of the first login is kept, the PIN is asked for.
    emulator._tokens.clear()
    assert "Logged in" in run_login(fyers, folder, "--login", "refresh")
    run_login(fyers, folder, "--logout")
    assert emulator._tokens == {}
    with pytest.raises(AssertionError, match="Refresh token is missing"):
        run_login(fyers, folder, "--login", "refresh")  # a logout forgets it
    for secret in (SECRET, PIN, *tokens, *emulator._refresh):
        assert secret == PIN or secret not in engine.output
        for file in folder.rglob("*.log"):
            assert secret == PIN or secret not in file.read_text(errors="replace")
    database = (folder / "openalgo.db").read_bytes()
    assert not any(secret.encode() in database for secret in (SECRET, *tokens))
