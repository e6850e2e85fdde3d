"""The whole program against Noren on loopback (Shoonya): log in with the browser's code, trade,
lose an answer and the line; what the exchanges refuse over an API leaves as a protected limit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.model import Order
from tests.e2e import brokers
from tests.e2e.driver import Program
from tests.e2e.trading import book, order, post, stream
from tests.emulators.noren import API_SECRET, APP_KEY, USER, NorenEmulator
from tests.emulators.thread import EmulatorThread
from tests.waiting import wait_for

Noren = EmulatorThread[NorenEmulator]
_SITE = "https://api.shoonya.com"


@pytest.fixture
def noren() -> Iterator[Noren]:
    with brokers.at_ten(lambda clock: NorenEmulator(clock, rate=100.0)) as running:
        yield running


def program(noren: Noren, folder: Path) -> Program:
    """The engine with the Shoonya account, live."""
    return brokers.program(noren, folder, "shoonya")


def log_in(noren: Noren, folder: Path) -> str:
    """``openalgo-desktop login shoonya`` with a browser that comes back to the callback."""
    app = {"client_id": USER, "app_key": APP_KEY, "api_secret": API_SECRET}
    return brokers.log_in(noren, folder, "shoonya", app, site=_SITE)


def orders_at_broker(noren: Noren) -> list[Order]:
    """The order book of the broker itself."""
    return noren.call(noren.emulator.account.gateway.orders())


def placed(noren: Noren) -> list[dict[str, Any]]:
    """What arrived to be placed, in the broker's words."""
    return noren.emulator.arrived


def test_log_in_trade_and_stream(noren: Noren, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = log_in(noren, folder)
    assert "Logged in" in said and API_SECRET not in said
    with program(noren, folder) as engine:
        assert engine.ready["broker"] == "shoonya" and engine.ready["mode"] == "live"
        wait_for(lambda: noren.emulator.sockets, "the feed")
        resting = engine.call("placeorder", **order(3))
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        at_broker = {row.order_id: row for row in orders_at_broker(noren)}
        assert set(at_broker) == {resting["orderid"], market["orderid"]}
        assert all(row.tag for row in at_broker.values())
        assert [sent["prctyp"] for sent in placed(noren)] == ["LMT", "LMT"]
        protected = float(placed(noren)[1]["prc"])
        ltp = float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"])
        assert ltp < protected < ltp * 1.05
        status = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert status == {resting["orderid"]: "open", market["orderid"]: "complete"}
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        asyncio.run(stream(engine))
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
        token = next(iter(noren.emulator._tokens))
    brokers.assert_hidden(folder, engine.output, API_SECRET, token)


def test_a_lost_answer_is_settled_and_never_sent_again(noren: Noren, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    log_in(noren, folder)
    with program(noren, folder) as engine:
        noren.emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(
            lambda: [row["order_status"] for row in book(engine)] == ["open"],
            "the settled order",
        )
        (arrived,) = orders_at_broker(noren)
        assert [row["orderid"] for row in book(engine)] == [arrived.order_id]
        assert noren.emulator.calls("POST", "/NorenWClientAPI/PlaceOrder") == 1


def test_the_feed_drops_and_comes_back(noren: Noren, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    log_in(noren, folder)
    with program(noren, folder) as engine:
        wait_for(lambda: noren.emulator.sockets, "the feed")
        engine.call("placeorder", **order(2, pricetype="MARKET", price=0))
        noren.call(noren.emulator.drop_sockets())
        engine.call("placeorder", **order(3, pricetype="MARKET", price=0))
        wait_for(lambda: noren.emulator.sockets, "the feed again")
        trades = engine.call("tradebook")["data"]
        assert sorted(int(trade["quantity"]) for trade in trades) == [2, 3]
        (position,) = engine.call("positionbook")["data"]
        assert int(position["quantity"]) == 5
        asyncio.run(stream(engine))
