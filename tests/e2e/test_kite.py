"""The whole program against Kite on loopback: log in, trade over REST, lose answers and lines,
be killed; nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from openalgo_desktop.core.model import Order
from tests.e2e import brokers
from tests.e2e.driver import Program
from tests.e2e.trading import book, order, post, stream
from tests.emulators.kite import API_KEY, API_SECRET, KiteEmulator
from tests.emulators.thread import EmulatorThread
from tests.waiting import wait_for

Kite = EmulatorThread[KiteEmulator]
_SITE = "https://kite.zerodha.com"


@pytest.fixture
def kite() -> Iterator[Kite]:
    with brokers.at_ten(lambda clock: KiteEmulator(clock, rate=100.0)) as running:
        yield running


def program(kite: Kite, folder: Path, *more: str) -> Program:
    """The engine with the Zerodha account, live."""
    return brokers.program(kite, folder, "zerodha", *more)


def log_in(kite: Kite, folder: Path, beside: Program | None = None) -> str:
    """``openalgo-desktop login zerodha`` with a browser that comes back to the callback; that of
    the running engine when the login is ``beside`` it, as both have the registered port."""
    port = "0"
    if beside is not None:
        port = beside.rest_url.rpartition(":")[2]
        kite.emulator.redirect = f"{beside.rest_url}/zerodha/callback"
    app = {"api_key": API_KEY, "api_secret": API_SECRET}
    return brokers.log_in(kite, folder, "zerodha", app, site=_SITE, port=port)


def orders_at_kite(kite: Kite) -> list[Order]:
    """The order book of the broker itself."""
    return kite.call(kite.emulator.account.gateway.orders())


def test_log_in_trade_and_stream(kite: Kite, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = log_in(kite, folder)
    assert "Logged in" in said and API_SECRET not in said
    with program(kite, folder) as engine:
        assert engine.ready["broker"] == "zerodha" and engine.ready["mode"] == "live"
        wait_for(lambda: kite.emulator.sockets, "the feed")
        placed = engine.call("placeorder", **order(3))
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        at_kite = {row.order_id: row for row in orders_at_kite(kite)}
        assert set(at_kite) == {placed["orderid"], market["orderid"]}
        assert all(row.tag and row.tag.isalnum() and len(row.tag) <= 20 for row in at_kite.values())
        status = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert status == {placed["orderid"]: "open", market["orderid"]: "complete"}
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        assert float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"]) > 0
        asyncio.run(stream(engine))
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
        token = next(iter(kite.emulator._tokens))
    brokers.assert_hidden(folder, engine.output, API_SECRET, token)


def test_a_lost_answer_is_settled_and_never_sent_again(kite: Kite, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    log_in(kite, folder)
    with program(kite, folder) as engine:
        kite.emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(
            lambda: [row["order_status"] for row in book(engine)] == ["open"],
            "the settled order",
        )
        (arrived,) = orders_at_kite(kite)
        assert [row["orderid"] for row in book(engine)] == [arrived.order_id]
        assert kite.emulator.calls("POST", "/orders") == 1


def test_killed_while_an_answer_is_lost(kite: Kite, tmp_path: Path) -> None:
    """The engine dies between send and answer; the next start finds the order by its tag."""
    folder = tmp_path / "data"
    log_in(kite, folder)
    engine = program(kite, folder).start()
    kite.emulator.faults.hang_acks = 1
    sender = threading.Thread(target=_ignoring, args=(engine,))
    sender.start()
    wait_for(lambda: len(orders_at_kite(kite)) == 1, "the order at the broker")
    engine.kill()
    sender.join(60)
    with program(kite, folder) as again:
        wait_for(
            lambda: [row["order_status"] for row in book(again)] == ["open"],
            "the settled order",
        )
        (arrived,) = orders_at_kite(kite)
        assert book(again)[0]["orderid"] == arrived.order_id
        assert kite.emulator.calls("POST", "/orders") == 1


def _ignoring(engine: Program) -> None:
    try:
        post(engine, order(5))
    except OSError:
        return
    except Exception as error:  # the connection died with the engine
        assert "Remote" in type(error).__name__ or "Incomplete" in type(error).__name__


def test_the_feed_drops_and_comes_back(kite: Kite, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    log_in(kite, folder)
    with program(kite, folder) as engine:
        wait_for(lambda: kite.emulator.sockets, "the feed")
        kite.emulator.faults.duplicate_orders = True
        engine.call("placeorder", **order(2, pricetype="MARKET", price=0))
        kite.call(kite.emulator.drop_sockets())
        engine.call("placeorder", **order(3, pricetype="MARKET", price=0))
        wait_for(lambda: kite.emulator.sockets, "the feed again")
        trades = engine.call("tradebook")["data"]
        assert sorted(int(trade["quantity"]) for trade in trades) == [2, 3]
        (position,) = engine.call("positionbook")["data"]
        assert int(position["quantity"]) == 5
        asyncio.run(stream(engine))


def test_log_in_again_beside_the_running_engine(kite: Kite, tmp_path: Path) -> None:
    """The session ends at the broker; the engine says so, and takes up the next one by itself."""
    folder = tmp_path / "data"
    log_in(kite, folder)
    with program(kite, folder) as engine:
        engine.call("placeorder", **order(1))
        kite.do(kite.emulator.expire_sessions)
        status, body = post(engine, order(1))
        assert status == 403, body
        status, body = post(engine, order(1))
        assert status == 403 and kite.emulator.calls("POST", "/orders") == 2
        assert "running engine" in log_in(kite, folder, beside=engine)
        wait_for(lambda: post(engine, order(1))[0] == 200, "the new session")
        assert len(orders_at_kite(kite)) == 2
