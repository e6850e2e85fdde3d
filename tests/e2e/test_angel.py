"""The whole program against Angel One on loopback: log in by code and in the browser, trade,
stream, lose an answer, log out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import brokers
from tests.e2e.driver import Program
from tests.e2e.trading import book, deep_book, order, post, stream
from tests.emulators.angel import API_KEY, PIN, TOTP_SECRET, USER, AngelEmulator
from tests.emulators.thread import EmulatorThread
from tests.waiting import wait_for

Angel = EmulatorThread[AngelEmulator]
_SITE = "https://smartapi.angelone.in"
_KEYS = {"api_key": API_KEY, "client_id": USER, "pin": PIN, "totp_secret": TOTP_SECRET}


@pytest.fixture
def angel() -> Iterator[Angel]:
    with brokers.at_ten(lambda clock: AngelEmulator(clock, rate=100.0)) as running:
        yield running


def program(angel: Angel, folder: Path) -> Program:
    """The engine with the account, live."""
    return brokers.program(angel, folder, "angel")


def log_in(angel: Angel, folder: Path, *more: str, **keys: str) -> str:
    """``openalgo-desktop login angel``, with a browser that comes back to the callback."""
    return brokers.log_in(angel, folder, "angel", keys, *more, site=_SITE)


def test_from_the_login_to_the_logout(angel: Angel, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = log_in(angel, folder, **_KEYS)
    assert "Logged in" in said and PIN not in said
    with program(angel, folder) as engine:
        assert engine.ready["broker"] == "angel" and engine.ready["mode"] == "live"
        wait_for(lambda: len(angel.emulator.sockets) == 2, "prices and order updates")
        stop = engine.call(
            "placeorder", **order(3, action="SELL", pricetype="SL", trigger_price=501)
        )
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        assert [sent["variety"] for sent in angel.emulator.arrived] == ["STOPLOSS", "NORMAL"]
        status = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert status == {stop["orderid"]: "trigger pending", market["orderid"]: "complete"}
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        assert float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"]) > 0
        asyncio.run(stream(engine))
        asyncio.run(deep_book(engine, 20))
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
        output = engine.output
    log_in(angel, folder, "--logout")
    assert angel.emulator.calls("POST", "/rest/secure/angelbroking/user/v1/logout") == 1
    brokers.assert_hidden(folder, output, TOTP_SECRET)
    assert PIN not in output


def test_a_lost_answer_is_settled_after_a_login_in_the_browser(
    angel: Angel, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    log_in(angel, folder, "--login", "browser", api_key=API_KEY)
    with program(angel, folder) as engine:
        angel.emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(
            lambda: [row["order_status"] for row in book(engine)] == ["open"],
            "the settled order",
        )
        (arrived,) = angel.call(angel.emulator.orders())
        assert [row["orderid"] for row in book(engine)] == [arrived.order_id]
        assert angel.emulator.writes.count(_PLACE) == 1


_PLACE = "/rest/secure/angelbroking/order/v1/placeOrder"
