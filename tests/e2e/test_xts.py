"""The whole program against an XTS server on loopback: logins by keys and by the broker's page,
trading over REST, order updates and prices over Socket.IO, lost answers and lines."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from openalgo_desktop.core.model import Order
from tests.e2e import brokers
from tests.e2e.driver import Program
from tests.e2e.trading import book, order, stream
from tests.emulators import xts
from tests.emulators.thread import EmulatorThread
from tests.faces.compositedge import VARIANT as BY_FORM
from tests.waiting import wait_for

Server = EmulatorThread[xts.XtsEmulator]


@contextmanager
def running(variant: xts.Variant) -> Iterator[Server]:
    """A server at ten in the morning: a session lasts for the test."""
    with brokers.at_ten(lambda clock: xts.XtsEmulator(clock, variant, rate=100.0)) as server:
        yield server


@pytest.fixture
def server() -> Iterator[Server]:
    with running(xts.Variant()) as it:
        yield it


def program(server: Server, folder: Path, broker: str = "iifl") -> Program:
    """The engine with the account, live."""
    return brokers.program(server, folder, broker)


def log_in(
    server: Server,
    folder: Path,
    broker: str = "iifl",
    browser: Callable[[str], None] | None = None,
    port: str = "0",
) -> str:
    """``openalgo-desktop login``; ``browser`` gets the address of the broker's page."""

    def look(line: str) -> None:
        if browser is not None and "/interactive/thirdparty" in line:
            browser(line)

    return brokers.log_in(server, folder, broker, xts.KEYS, port=port, browser=look)


def orders_at_broker(server: Server) -> list[Order]:
    """The order book of the broker itself."""
    return server.call(server.emulator.account.gateway.orders())


def feeds(server: Server) -> int:
    """Sockets that are open: one for prices, one for orders."""
    return len(server.emulator.sockets)


def test_log_in_trade_and_stream(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = log_in(server, folder)
    assert "Logged in" in said and not any(secret in said for secret in xts.SECRETS)
    with program(server, folder) as engine:
        assert engine.ready["broker"] == "iifl" and engine.ready["mode"] == "live"
        wait_for(lambda: feeds(server) == 2, "the feeds")
        placed = engine.call("placeorder", **order(3))
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        at_broker = {row.order_id: row for row in orders_at_broker(server)}
        assert set(at_broker) == {placed["orderid"], market["orderid"]}
        tags = [row.tag for row in at_broker.values()]
        assert all(0 < len(tag) <= 20 for tag in tags) and len(set(tags)) == 2
        status = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert status == {placed["orderid"]: "open", market["orderid"]: "complete"}
        change = order(5, orderid=placed["orderid"], price=501)
        engine.call("modifyorder", **change, disclosed_quantity=0, trigger_price=0)
        changed = next(r for r in orders_at_broker(server) if r.order_id == placed["orderid"])
        assert (changed.quantity, changed.price) == (5, 501)
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        assert float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"]) > 0
        asyncio.run(stream(engine))
        asyncio.run(stream(engine, 3))
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
        tokens = {*server.emulator._trading, *(s.token for s in server.emulator._market.values())}
    for secret in (xts.API_SECRET, xts.MARKET_SECRET, *tokens):
        assert secret not in engine.output
        for file in folder.rglob("*.log"):
            assert secret not in file.read_text(errors="replace")
        assert secret.encode() not in (folder / "openalgo.db").read_bytes()


def test_order_updates_are_pushed(server: Server, tmp_path: Path) -> None:
    """A fill that nobody asked about reaches a client of our WebSocket."""
    folder = tmp_path / "data"
    log_in(server, folder)
    with program(server, folder) as engine:
        wait_for(lambda: feeds(server) == 2, "the feeds")
        placed = engine.call("placeorder", **order(4))["orderid"]
        asked = server.emulator.calls("GET", "/interactive/orders")

        async def cancelled_elsewhere() -> None:
            async with connect(engine.ws_url) as socket, asyncio.timeout(60):
                login = {"action": "authenticate", "api_key": engine.api_key}
                await socket.send(json.dumps(login))
                await socket.send(json.dumps({"action": "subscribe_orders"}))
                while json.loads(await socket.recv()).get("type") != "subscribe_orders":
                    pass
                await asyncio.to_thread(server.call, server.emulator.drop(placed))
                while True:
                    frame = json.loads(await socket.recv())
                    if (frame.get("orderid"), frame.get("order_status")) == (placed, "cancelled"):
                        return

        asyncio.run(cancelled_elsewhere())
        assert server.emulator.calls("GET", "/interactive/orders") - asked <= 1


def test_a_lost_answer_is_settled_and_never_sent_again(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    log_in(server, folder)
    with program(server, folder) as engine:
        server.emulator.faults.lose_acks = 1
        with engine.http() as http:
            body = {"apikey": engine.api_key, **order(4)}
            status, answer = http.post("/api/v1/placeorder", body)
        assert status != 200 and "unknown" in json.dumps(answer).lower()
        wait_for(
            lambda: [row["order_status"] for row in book(engine)] == ["open"], "the settled order"
        )
        (arrived,) = orders_at_broker(server)
        assert [row["orderid"] for row in book(engine)] == [arrived.order_id]
        assert server.emulator.calls("POST", "/interactive/orders") == 1


def test_market_data_taken_elsewhere_comes_back(server: Server, tmp_path: Path) -> None:
    """Another program logs in to the market data: quotes and the feed begin a session anew, and
    trading goes on."""
    folder = tmp_path / "data"
    log_in(server, folder)
    with program(server, folder) as engine:
        asyncio.run(stream(engine))
        server.do(server.emulator.end_market_sessions)
        server.call(server.emulator.drop_sockets())
        assert float(engine.call("quotes", symbol="INFY", exchange="NSE")["data"]["ltp"]) > 0
        engine.call("placeorder", **order(2, pricetype="MARKET", price=0))
        asyncio.run(stream(engine))
        assert len(orders_at_broker(server)) == 1


def through_the_page(address: str, base: str) -> None:
    """What a browser does: the broker's page, and on by its link or its form."""
    page = re.sub(r"https://[^/]+", base, address, count=1)
    with urllib.request.urlopen(page, timeout=60) as answer:
        text = answer.read().decode()
        if urllib.parse.urlsplit(answer.url).path != "/interactive/thirdparty":
            return
    target = re.search(r'action="([^"]*)"', text)
    value = re.search(r'name="session" value="([^"]*)"', text)
    assert target is not None and value is not None
    form = urllib.parse.urlencode({"session": unescape(value[1])}).encode()
    request = urllib.request.Request(unescape(target[1]), data=form)
    request.add_header("Origin", "https://xts.compositedge.com")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def test_log_in_by_the_brokers_page(tmp_path: Path) -> None:
    """The page comes back with a form: to the login's own server, then to the running engine."""
    with running(BY_FORM) as server:
        folder = tmp_path / "data"

        def browser(address: str) -> None:
            through_the_page(address, server.emulator.url)

        said = log_in(server, folder, "compositedge", browser)
        assert "Logged in" in said
        with program(server, folder, "compositedge") as engine:
            engine.call("placeorder", **order(1))
            server.do(server.emulator.expire_sessions)
            with engine.http() as http:
                body = {"apikey": engine.api_key, **order(1)}
                assert http.post("/api/v1/placeorder", body)[0] == 403
                port = engine.rest_url.rpartition(":")[2]
                assert "running engine" in log_in(server, folder, "compositedge", browser, port)
                wait_for(lambda: http.post("/api/v1/placeorder", body)[0] == 200, "the session")


@pytest.mark.parametrize("broker", ["fivepaisaxts", "ibulls", "jainamxts", "rmoney", "wisdom"])
def test_every_member_from_login_to_order(broker: str, tmp_path: Path) -> None:
    """By keys or by its page, whichever comes first; an order and its fill; pushed prices."""
    module = importlib.import_module(f"tests.faces.{broker}")
    with running(module.VARIANT) as server:
        folder = tmp_path / "data"
        pages: list[str] = []

        def browser(address: str) -> None:
            pages.append(address)
            through_the_page(address, server.emulator.url)

        said = log_in(server, folder, broker, browser)
        assert "Logged in" in said
        assert not any(secret in said for secret in (xts.API_SECRET, xts.MARKET_SECRET))
        assert bool(pages) == (module.VARIANT.login != "direct")
        with program(server, folder, broker) as engine:
            assert engine.ready["broker"] == broker
            resting = engine.call("placeorder", **order(3))["orderid"]
            ask = float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ask"])
            through = order(7, price=round(ask * 1.02, 1))
            filled = engine.call("placeorder", **through)["orderid"]
            wait_for(lambda: feeds(server) == 2, "the feeds")
            asyncio.run(stream(engine))
            engine.call("cancelorder", orderid=resting, strategy="e2e")
            states = {row["orderid"]: row["order_status"] for row in book(engine)}
            assert states == {resting: "cancelled", filled: "complete"}
