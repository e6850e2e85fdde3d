"""The whole program against Dhan on loopback: consent in the browser, master, quotes, the binary
feed with deeper books, orders pushed and lost, log-out; and its sandbox, which has no prices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import brokers
from tests.e2e.driver import Program
from tests.e2e.trading import book, deep_book, order, post, stream
from tests.emulators.dhan import APP_ID, APP_SECRET, CLIENT, DhanEmulator
from tests.emulators.thread import EmulatorThread
from tests.waiting import wait_for

Dhan = EmulatorThread[DhanEmulator]
_SITE = "https://auth.dhan.co"


@pytest.fixture(params=[True, False], ids=["dhan", "dhan_sandbox"])
def dhan(request: Any) -> Iterator[Dhan]:
    with brokers.at_ten(
        lambda clock: DhanEmulator(clock, live=request.param, rate=100.0)
    ) as running:
        yield running


def name_of(dhan: Dhan) -> str:
    return "dhan" if dhan.emulator.live else "dhan_sandbox"


def program(dhan: Dhan, folder: Path) -> Program:
    """The engine with the account, live."""
    return brokers.program(dhan, folder, name_of(dhan))


def run_login(dhan: Dhan, folder: Path, *more: str, given: dict[str, str] | None = None) -> str:
    """``openalgo-desktop login`` with a browser that comes back to the callback."""
    return brokers.log_in(dhan, folder, name_of(dhan), given, *more, site=_SITE)


def credentials(dhan: Dhan) -> dict[str, str]:
    """What the user has."""
    if dhan.emulator.live:
        return {"client_id": CLIENT, "app_id": APP_ID, "app_secret": APP_SECRET}
    return {"client_id": CLIENT, "access_token": dhan.emulator.new_access_token()}


def test_log_in_trade_and_log_out(dhan: Dhan, tmp_path: Path) -> None:
    folder, emulator = tmp_path / "data", dhan.emulator
    said = run_login(dhan, folder, given=credentials(dhan))
    assert "Logged in" in said and APP_SECRET not in said
    token = next(iter(emulator._tokens))
    with program(dhan, folder) as engine:
        assert engine.ready["broker"] == name_of(dhan) and engine.ready["mode"] == "live"
        if emulator.live:  # one market feed, those of deeper books, one of orders
            wait_for(lambda: len(emulator.sockets) == 4, "the feeds")
        resting = engine.call("placeorder", **order(3))
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        rows = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert rows == {resting["orderid"]: "open", market["orderid"]: "complete"}
        assert all(sent["correlationId"] for sent in emulator.arrived)
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        if emulator.live:
            quote = engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]
            assert float(quote["ltp"]) > 0
            asyncio.run(stream(engine))
            asyncio.run(deep_book(engine, 20))
        emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(lambda: len(book(engine)) == 3, "the settled order")
        assert emulator.calls("POST", "/v2/orders") == 3
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
    run_login(dhan, folder, "--logout")
    brokers.assert_hidden(folder, engine.output, APP_SECRET, token)
