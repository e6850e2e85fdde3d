"""The WebSocket server against a real client library, on a hub that the test feeds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from openalgo_desktop.brokers.openalgo.codec import OpenAlgoCodec
from openalgo_desktop.brokers.zerodha.ticker import KiteCodec
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.clock import IST, ManualClock, SystemClock
from openalgo_desktop.core.enums import (
    AccountState,
    Action,
    FeedMode,
    KeyRights,
    Mode,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.events import Bus, OrderNamed, OrderUpdated
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import AccountStatus, Instrument, Key, Order
from openalgo_desktop.core.ticks import Depth, Level, Tick
from openalgo_desktop.local_api.ws import WsServer
from openalgo_desktop.market.hub import MarketHub
from tests.waiting import until

MOMENT = datetime(2026, 11, 25, 10, 0, tzinfo=IST)


class Keys:
    """Keys without storage."""

    def __init__(self) -> None:
        self.rows = {
            "good": ApiKey(1, "default", KeyRights.TRADE, "", MOMENT),
            "paper": ApiKey(2, "paper", KeyRights.SANDBOX, "", MOMENT),
            "bound": ApiKey(3, "bound", KeyRights.TRADE, "simulator:OTHER", MOMENT),
            "ema": ApiKey(4, "ema", KeyRights.TRADE, "", MOMENT, "ema", Mode.SANDBOX),
            "live": ApiKey(5, "live", KeyRights.TRADE, "", MOMENT, "", Mode.LIVE),
        }
        self.listeners: list[Callable[[ApiKey], None]] = []

    def cached(self, text: str) -> ApiKey | None:
        return None

    async def verify(self, text: str) -> ApiKey | None:
        return self.rows.get(text)

    def on_revoked(self, listener: Callable[[ApiKey], None]) -> None:
        self.listeners.append(listener)

    def revoke(self, text: str) -> None:
        row = self.rows.pop(text)
        for listener in self.listeners:
            listener(row)


class World:
    """A server with its surroundings, and clients that are closed at the end."""

    def __init__(self, **overrides: Any) -> None:
        self.settings = Settings({"api.ws_port": 0, **overrides})
        self.bus = Bus()
        self.instruments = InstrumentTable()
        rows = [Instrument(symbol=f"S{n}", exchange="NSE") for n in range(3000)]
        rows += [
            Instrument(symbol="SBIN", exchange="NSE"),
            Instrument(symbol="TCS", exchange="NSE"),
        ]
        rows += [Instrument(symbol="NIFTY", exchange="NSE_INDEX", instrument_type="INDEX")]
        self.instruments.load(rows)
        self.hub = MarketHub(ManualClock(MOMENT), self.instruments)
        self.hub.connected = True
        self.keys = Keys()
        status = AccountStatus("simulator:SIM", "simulator", "SIM", "Sim", AccountState.CONNECTED)
        self.ctx = SimpleNamespace(
            settings=self.settings,
            clock=SystemClock(),
            bus=self.bus,
            hub=self.hub,
            instruments=self.instruments,
            keys=self.keys,
            account_status=lambda: status,
            user_id="trader",
            broker="simulator",
            brokers=("simulator",),
        )
        self.server = WsServer(self.ctx)  # type: ignore[arg-type]
        self.stack = contextlib.AsyncExitStack()

    async def client(self, key: str | None = "good", **options: Any) -> Client:
        socket = await self.stack.enter_async_context(connect(self.server.url, **options))
        client = Client(socket)
        if key is not None:
            answer = await client.ask(action="authenticate", api_key=key)
            assert answer["status"] == "success", answer
        return client


class Client:
    """Speaks the protocol by hand."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            return dict(json.loads(await self.socket.recv()))

    async def ask(self, **message: Any) -> dict[str, Any]:
        await self.send(**message)
        return await self.receive()

    async def rest(self) -> list[dict[str, Any]]:
        """Everything up to the answer of a ping."""
        await self.send(action="ping", _pingId="end")
        frames = []
        while (frame := await self.receive()).get("_pingId") != "end":
            frames.append(frame)
        return frames


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.server.start()
    async with world.stack:
        yield world
    await world.server.stop()


def depth_tick(symbol: str = "SBIN", ltp: float = 800.0, exchange: str = "NSE") -> Tick:
    book = Depth(
        buy=tuple(Level(ltp - 0.05 * n, 10 * n, n) for n in range(1, 6)),
        sell=tuple(Level(ltp + 0.05 * n, 20 * n, n) for n in range(1, 4)),
    )
    return Tick(
        symbol,
        exchange,
        ltp,
        FeedMode.DEPTH,
        timestamp=1795361899826,
        ltt=1795361899000,
        open=796,
        high=816.0,
        low=784.0,
        close=792.0,
        volume=1000,
        last_quantity=10,
        average_price=801.5,
        oi=7,
        bid=799.95,
        ask=800.05,
        depth=book,
    )


# -- authentication --------------------------------------------------------------------------
async def test_authentication_answers(world: World) -> None:
    client = await world.client(None)
    error = {"status": "error", "code": "AUTHENTICATION_ERROR"}
    assert await client.ask(action="authenticate", api_key="") == {
        **error,
        "message": "API key is required",
    }
    for wrong in ("bad", 5, ["good"]):
        assert await client.ask(action="authenticate", api_key=wrong) == {
            **error,
            "message": "Invalid API key",
        }
    success = {
        "type": "auth",
        "status": "success",
        "message": "Authentication successful",
        "broker": "simulator",
        "user_id": "trader",
        "supported_features": {"ltp": True, "quote": True, "depth": True},
    }
    assert await client.ask(type="auth", apikey="good") == success
    assert await client.ask(action="authenticate", api_key="good") == success


async def test_an_unauthenticated_socket_is_closed_after_the_deadline() -> None:
    world = World(**{"api.ws_auth_timeout": 1.0})
    await world.server.start()
    async with world.stack:
        silent = await world.client(None)
        known = await world.client()
        with pytest.raises(ConnectionClosed) as closed:
            await silent.receive()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4401, "auth timeout")
        assert (await known.ask(action="ping"))["type"] == "pong"
    await world.server.stop()


async def test_any_path_is_accepted(world: World) -> None:
    for path in ("/", "/ws", "/a/b?c=d"):
        async with connect(world.server.url + path) as socket:
            await socket.send('{"action":"ping"}')
            assert json.loads(await socket.recv())["type"] == "pong"


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"Host": "evil.example:8765"}, False),
        ({"Host": "localhost:8765"}, True),
        ({"Host": "[::1]:8765"}, True),
        ({"Host": "desk.lan"}, True),
        ({"Host": "127.0.0.1", "Origin": "https://evil.example"}, False),
        ({"Host": "127.0.0.1", "Origin": "null"}, False),
        ({"Host": "127.0.0.1", "Origin": "http://127.0.0.1:5000"}, True),
        ({"Host": "127.0.0.1", "Origin": "https://app.example"}, True),
    ],
)
async def test_hosts_and_origins(headers: dict[str, str], accepted: bool) -> None:
    allow = {"api.allowed_hosts": "desk.lan", "api.cors_origins": "https://app.example"}
    world = World(**allow)
    await world.server.start()
    raw = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    writer.write(
        f"GET / HTTP/1.1\r\n{raw}Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    status = await asyncio.wait_for(reader.readline(), 60)
    assert status.split()[1] == (b"101" if accepted else b"403")
    writer.close()
    await world.server.stop()


async def test_a_revoked_key_loses_its_sockets(world: World) -> None:
    revoked, other = await world.client("paper"), await world.client()
    world.keys.revoke("paper")
    with pytest.raises(ConnectionClosed) as closed:
        await revoked.receive()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
    assert (await other.ask(action="ping"))["type"] == "pong"
    again = await world.client(None)
    assert (await again.ask(action="auth", api_key="paper"))["code"] == "AUTHENTICATION_ERROR"


# -- errors ----------------------------------------------------------------------------------
async def test_unreadable_messages(world: World) -> None:
    client = await world.client()
    for raw in ("{not json", "", b"\x01\x02", "[" * 10_000):
        await client.socket.send(raw)
        assert await client.receive() == {
            "status": "error",
            "code": "INVALID_JSON",
            "message": "Invalid JSON message",
        }
    for raw in ("[]", "5", "null", '"x"'):
        await client.socket.send(raw)
        assert (await client.receive())["code"] == "SERVER_ERROR"
    for message, text in (
        ({"action": "frobnicate"}, "frobnicate"),
        ({}, "None"),
        ({"type": None}, "None"),
        ({"action": [1]}, "[1]"),
    ):
        answer = await client.ask(**message)
        assert (answer["code"], answer["message"]) == ("INVALID_ACTION", f"Invalid action: {text}")
    assert (await client.ask(action="ping"))["type"] == "pong"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
async def test_messages_in_every_writing(world: World, encoding: str) -> None:
    client = await world.client()
    text = json.dumps({"action": "ping", "_pingId": 5})
    await client.socket.send(text.encode(encoding))  # a binary frame
    assert (await client.receive())["_pingId"] == 5
    await client.socket.send("\ufeff" + text)
    assert (await client.receive())["_pingId"] == 5


async def test_a_number_of_levels_that_nobody_can_read_spoils_only_its_own_row(
    world: World,
) -> None:
    client = await world.client()
    rows = [{"symbol": name, "exchange": "NSE"} for name in ("TCS:" + "9" * 5000, "TCS")]
    answer = await client.ask(action="subscribe", symbols=rows, mode=3)
    assert [row["status"] for row in answer["subscriptions"]] == ["error", "success"]


async def test_refusals_echo_the_request_id(world: World) -> None:
    client = await world.client(None)
    for request in (
        {"action": "frobnicate"},
        {"action": "subscribe"},
        {"action": "authenticate"},
        {"action": "authenticate", "api_key": "wrong"},
    ):
        answer = await client.ask(**request, request_id={"n": [1]})
        assert (answer["status"], answer["request_id"]) == ("error", {"n": [1]})
    known = await world.client()
    for request in (
        {"action": "subscribe", "symbol": "SBIN", "exchange": "NSE", "mode": 9},
        {"action": "subscribe"},
        {"action": "subscribe", "symbols": ["SBIN"]},
        {"action": "unsubscribe"},
    ):
        answer = await known.ask(**request, request_id="r")
        assert (answer["status"], answer["request_id"]) == ("error", "r")


async def test_what_needs_authentication(world: World) -> None:
    client = await world.client(None)
    for action in (
        "subscribe",
        "unsubscribe",
        "unsubscribe_all",
        "subscribe_orders",
        "unsubscribe_orders",
        "get_broker_info",
    ):
        answer = await client.ask(action=action, symbol="SBIN", exchange="NSE")
        assert answer["code"] == "NOT_AUTHENTICATED"
    assert (await client.ask(action="get_supported_brokers")) == {
        "type": "supported_brokers",
        "status": "success",
        "brokers": ["simulator"],
        "count": 1,
    }
    pong = await client.ask(action="ping", timestamp=17, _pingId="p")
    assert (pong["client_timestamp"], pong["_pingId"]) == (17, "p")


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (7, "Invalid mode 7; expected 1 (LTP), 2 (Quote), or 3 (Depth)"),
        ("X", "Invalid mode 'X'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)"),
        ("1", "Invalid mode '1'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)"),
        (True, "Mode must be int or str, got bool (True)"),
        (None, "Mode must be int or str, got NoneType"),
        (1.0, "Mode must be int or str, got float"),
    ],
)
async def test_bad_modes(world: World, mode: Any, text: str) -> None:
    client = await world.client()
    answer = await client.ask(action="subscribe", symbol="SBIN", exchange="NSE", mode=mode)
    assert (answer["code"], answer["message"]) == ("INVALID_MODE", text)
    answer = await client.ask(
        action="unsubscribe", symbols=[{"symbol": "SBIN", "exchange": "NSE", "mode": mode}]
    )
    assert (answer["status"], answer["failed"][0]["message"]) == ("error", text)


# -- subscriptions ---------------------------------------------------------------------------
async def test_subscribe_answers_per_symbol(world: World) -> None:
    client = await world.client()
    answer = await client.ask(
        action="subscribe",
        mode=" depth ",
        depth=20,
        request_id={"any": 1},
        symbols=[
            {"symbol": "SBIN", "exchange": "NSE"},
            {"symbol": "NOPE", "exchange": "NSE"},
            {"symbol": "TCS:50", "exchange": "NSE"},
            {"symbol": "SBIN"},
            {"symbol": 5, "exchange": "NSE"},
        ],
    )
    rows = answer.pop("subscriptions")
    assert answer == {
        "type": "subscribe",
        "status": "partial",
        "message": "Subscription processing complete",
        "broker": "simulator",
        "request_id": {"any": 1},
    }
    good = {"exchange": "NSE", "status": "success", "mode": "Depth", "depth": 5}
    assert rows[0] == {"symbol": "SBIN", "broker": "simulator", **good}
    assert rows[1]["message"] == "Symbol NOPE not found for exchange NSE"
    assert rows[2] == {"symbol": "TCS:50", "broker": "simulator", **good}
    assert [row["status"] for row in rows] == ["success", "error", "success", "error"]
    empty = await client.ask(action="subscribe", symbols=[{"symbol": "SBIN"}], mode=1)
    assert (empty["status"], empty["subscriptions"]) == ("success", [])
    for nothing in ({}, {"symbols": []}, {"symbol": "SBIN"}):
        answer = await client.ask(action="subscribe", mode=1, **nothing)
        assert answer["code"] == "INVALID_PARAMETERS"
        assert answer["message"] == "At least one symbol must be specified"
    for symbols in (["NSE:SBIN"], "SBIN"):
        assert (await client.ask(action="subscribe", symbols=symbols))["code"] == "SERVER_ERROR"


async def test_one_frame_per_subscribed_mode(world: World) -> None:
    client, other = await world.client(), await world.client()
    for mode in (1, 2, 3):
        await client.ask(action="subscribe", symbol="SBIN", exchange="NSE", mode=mode)
    await other.ask(action="subscribe", symbol="SBIN", exchange="NSE", mode="LTP")
    world.hub.publish(depth_tick())
    frames = await client.rest()
    assert [frame["mode"] for frame in frames] == [1, 2, 3]
    assert {frame["type"] for frame in frames} == {"market_data"}
    assert [frame["data"]["mode"] for frame in frames] == ["ltp", "quote", "full"]
    ltp, quote, depth = (frame["data"] for frame in frames)
    assert ltp == {
        "symbol": "SBIN",
        "exchange": "NSE",
        "mode": "ltp",
        "ltp": 800.0,
        "ltt": 1795361899000,
        "timestamp": 1795361899826,
    }
    for short, long in (
        ("last_quantity", "last_trade_quantity"),
        ("average_price", "avg_trade_price"),
        ("change", "price_change"),
        ("change_percent", "price_change_percent"),
        ("oi", "open_interest"),
    ):
        assert quote[short] == quote[long]
    assert (quote["change"], quote["change_percent"], quote["close"]) == (8.0, 1.01, 792.0)
    assert isinstance(quote["open"], float)
    assert len(depth["depth"]["buy"]) == len(depth["depth"]["sell"]) == 5
    assert depth["depth"]["buy"][0] == {"price": 799.95, "quantity": 10, "orders": 1}
    assert depth["depth"]["sell"][4] == {"price": 0.0, "quantity": 0, "orders": 0}
    assert [frame["mode"] for frame in await other.rest()] == [1]
    # A poorer tick reaches only the modes that it can fill.
    world.hub.publish(Tick("SBIN", "NSE", 801.0, FeedMode.QUOTE, timestamp=1))
    assert [frame["mode"] for frame in await client.rest()] == [1, 2]


#: What the quotes of some brokers lack.
TOUCH_FIELDS = {"bid_price", "ask_price", "bid_size", "ask_size"}
OI_FIELDS = {"oi", "open_interest"}


def kite_quote(table: InstrumentTable) -> Tick:
    """A quote packet of the Kite feed: it has no best bid and ask and no open interest."""
    codec = KiteCodec(table, ManualClock(MOMENT))
    codec.subscribe({("NSE", "SBIN"): FeedMode.QUOTE})
    data = struct.pack(
        ">IiIIIIIiiii", 779521, 80000, 10, 80150, 1000, 5, 6, 79600, 81600, 78400, 79200
    )
    (tick,) = codec.decode(struct.pack(">HH", 1, len(data)) + data)
    assert isinstance(tick, Tick)
    return tick


def openalgo_quote(table: InstrumentTable) -> Tick:
    """A quote of an OpenAlgo server whose broker has no best bid and ask."""
    codec = OpenAlgoCodec(table, ManualClock(MOMENT), {"api_key": "k"})
    codec.subscribe({("NSE", "SBIN"): FeedMode.QUOTE})
    data = {"ltp": 800.0, "open": 796.0, "high": 816.0, "low": 784.0, "close": 792.0,
            "volume": 1000, "bid_price": 0, "ask_price": 0}  # fmt: skip
    frame = {"type": "market_data", "symbol": "SBIN", "exchange": "NSE", "mode": 2, "data": data}
    (tick,) = codec.decode(json.dumps(frame))
    assert isinstance(tick, Tick)
    return tick


@pytest.mark.parametrize("quote", [kite_quote, openalgo_quote])
async def test_what_a_broker_does_not_send_is_left_out_and_not_0(
    world: World, quote: Callable[[InstrumentTable], Tick]
) -> None:
    world.instruments.load([Instrument(symbol="SBIN", exchange="NSE", token="779521::::3045")])
    client = await world.client()
    await client.ask(action="subscribe", symbol="SBIN", exchange="NSE", mode=2)
    world.hub.publish(quote(world.instruments))
    (frame,) = await client.rest()
    data = frame["data"]
    assert (data["ltp"], data["open"], data["high"], data["volume"]) == (800.0, 796.0, 816.0, 1000)
    assert not (TOUCH_FIELDS | OI_FIELDS) & set(data)
    world.hub.publish(depth_tick())  # another source of the same feed knows them
    (frame,) = await client.rest()
    assert set(frame["data"]) >= TOUCH_FIELDS | OI_FIELDS


async def test_suffixed_symbols_keep_their_spelling(world: World) -> None:
    client = await world.client()
    await client.ask(action="subscribe", symbol="TCS:50", exchange="NSE", mode=3)
    await client.ask(action="subscribe", symbol="TCS", exchange="NSE", mode=3, depth=2)
    world.hub.publish(depth_tick("TCS", 3200.0))
    frames = {frame["symbol"]: frame["data"] for frame in await client.rest()}
    assert set(frames) == {"TCS:50", "TCS"}
    assert frames["TCS:50"]["symbol"] == "TCS:50"
    assert len(frames["TCS:50"]["depth"]["buy"]) == 5
    assert len(frames["TCS"]["depth"]["buy"]) == 2
    await client.ask(action="unsubscribe", symbol="TCS:50", exchange="NSE", mode=3)
    world.hub.publish(depth_tick("TCS", 3201.0))
    assert [frame["symbol"] for frame in await client.rest()] == ["TCS"]


async def test_deeper_books_come_where_the_feed_has_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many levels as were asked for, or the most below that; asked of the feed once for all
    clients, and given back with the last one."""
    wishes: list[int] = []

    def deepen(self: MarketHub, key: Key, levels: int) -> Callable[[], None]:
        wishes.append(levels)
        return lambda: wishes.remove(levels)

    monkeypatch.setattr(MarketHub, "depth_levels", property(lambda self: (5, 20, 50)))
    monkeypatch.setattr(MarketHub, "deepen", deepen)
    one, other = await world.client(), await world.client()
    for client, symbol, levels in ((one, "TCS:30", 20), (other, "TCS", 5)):
        answer = await client.ask(action="subscribe", symbol=symbol, exchange="NSE", mode=3)
        assert answer["subscriptions"][0]["depth"] == levels
    answer = await other.ask(action="subscribe", symbol="TCS:50", exchange="NSE", mode=2)
    assert answer["subscriptions"][0]["depth"] == 5  # a quote needs no deeper feed
    assert wishes == [20]
    answer = await other.ask(action="subscribe", symbol="TCS", exchange="NSE", mode=3, depth=50)
    assert answer["subscriptions"][0]["depth"] == 5 and wishes == [20]
    answer = await other.ask(action="subscribe", symbol="TCS:200", exchange="NSE", mode=3)
    assert answer["subscriptions"][0]["depth"] == 50 and wishes == [50]
    levels = tuple(Level(3200.0 - n, n + 1, 1) for n in range(50))
    world.hub.publish(replace(depth_tick("TCS", 3200.0), depth=Depth(levels, levels[:7])))
    (frame,) = await one.rest()
    book = frame["data"]["depth"]
    assert [row["quantity"] for row in book["buy"]] == list(range(1, 21))
    assert [row["quantity"] for row in book["sell"]] == [*range(1, 8), *[0] * 13]
    await other.rest()
    await other.ask(action="unsubscribe", symbol="TCS:200", exchange="NSE", mode=3)
    assert wishes == [20]
    await one.socket.close()
    await until(lambda: not wishes, "the wish taken back")


async def test_the_cached_tick_follows_the_answer(world: World) -> None:
    first, second = await world.client(), await world.client()
    await first.ask(action="subscribe", symbol="NIFTY", exchange="NSE_INDEX", mode=3)
    world.hub.publish(depth_tick("NIFTY", 26000.0, "NSE_INDEX"))
    assert len(await first.rest()) == 1
    answer = await second.ask(action="subscribe", symbol="NIFTY", exchange="NSE_INDEX", mode=2)
    assert answer["type"] == "subscribe"
    assert [frame["mode"] for frame in await second.rest()] == [2]
    # Asking for the same again gives neither a second stream nor a second snapshot.
    await second.ask(action="subscribe", symbol="NIFTY", exchange="NSE_INDEX", mode=2)
    assert await second.rest() == []
    world.hub.publish(depth_tick("NIFTY", 26001.0, "NSE_INDEX"))
    assert len(await second.rest()) == 1
    # A price from before a break of the feed is not handed out as if it were new.
    world.hub.connected = False
    third = await world.client()
    await third.ask(action="subscribe", symbol="NIFTY", exchange="NSE_INDEX", mode=1)
    assert await third.rest() == []


async def test_unsubscribe_forms(world: World) -> None:
    client = await world.client()
    done = {
        "type": "unsubscribe",
        "status": "success",
        "message": "Unsubscription processing complete",
        "failed": [],
        "broker": "simulator",
    }
    row = {"symbol": "SBIN", "exchange": "NSE", "status": "success", "broker": "simulator"}
    for mode in (1, 2):
        await client.ask(action="subscribe", symbol="SBIN", exchange="NSE", mode=mode)
    sbin = {"symbol": "SBIN", "exchange": "NSE"}
    answer = await client.ask(action="unsubscribe", symbols=[sbin], request_id="u")
    assert answer == {**done, "successful": [row], "request_id": "u"}
    world.hub.publish(depth_tick())
    assert [frame["mode"] for frame in await client.rest()] == [1]  # mode 2 was meant
    await client.ask(action="unsubscribe", **sbin)  # no mode 2 any more: whatever it holds
    world.hub.publish(depth_tick())
    assert await client.rest() == []
    never = await client.ask(action="unsubscribe", symbols=[{"symbol": "X", "exchange": "NSE"}])
    assert never["status"] == "success"
    mixed = await client.ask(action="unsubscribe", symbols=[sbin, {**sbin, "mode": 9}])
    assert mixed["status"] == "partial"
    nothing = await client.ask(action="unsubscribe")
    assert nothing["message"] == "Either symbols or unsubscribe_all is required"
    bad = await client.ask(action="unsubscribe", **sbin, mode=9)
    assert bad["code"] == "INVALID_MODE"
    for request in (
        {"action": "unsubscribe_all"},
        {"type": "unsubscribe_all"},
        {"action": "unsubscribe", "type": "unsubscribe_all"},
    ):
        await client.ask(action="subscribe", **sbin, mode=3)
        await client.rest()
        assert await client.ask(**request) == {**done, "successful": [row]}
        assert world.server.instruments == 0
    assert await client.ask(action="unsubscribe_all") == {**done, "successful": []}


async def test_unsubscribe_with_a_mode_beside_the_list_drops_that_mode_only(world: World) -> None:
    client = await world.client()
    sbin, tcs = {"symbol": "SBIN", "exchange": "NSE"}, {"symbol": "TCS", "exchange": "NSE"}
    for mode in (1, 2, 3):
        await client.ask(action="subscribe", symbols=[sbin, tcs], mode=mode)
    await client.rest()
    answer = await client.ask(action="unsubscribe", symbols=[sbin, {**tcs, "mode": 2}], mode=3)
    assert answer["status"] == "success"
    held = {(symbol, mode) for _, symbol, mode in world.server.client_list()[0].subscriptions}
    assert held == {("SBIN", "LTP"), ("SBIN", "Quote"), ("TCS", "LTP"), ("TCS", "Depth")}
    await client.ask(action="unsubscribe", symbols=[tcs], mode=2)  # none of it: nothing else goes
    assert len(world.server.client_list()[0].subscriptions) == 4
    bad = await client.ask(action="unsubscribe", symbols=[sbin], mode=9)
    assert bad["code"] == "INVALID_MODE"


async def test_upstream_follows_the_highest_mode(world: World) -> None:
    first, second = await world.client(), await world.client()
    key = ("NSE", "SBIN")
    await first.ask(action="subscribe", symbol="SBIN", exchange="NSE", mode=1)
    await first.rest()
    assert world.hub._wanted(key) is FeedMode.LTP
    await second.ask(action="subscribe", symbol="SBIN", exchange="NSE", mode=3)
    await second.rest()
    assert world.hub._wanted(key) is FeedMode.DEPTH
    await second.socket.close()
    await until(lambda: world.hub._wanted(key) is FeedMode.LTP)
    await first.socket.close()
    await until(lambda: world.hub._wanted(key) is None and world.server.clients == 0)


async def test_thousands_of_symbols_in_one_frame_give_the_loop_turns(world: World) -> None:
    client = await world.client(max_size=None)
    symbols = [{"symbol": f"S{n}", "exchange": "NSE"} for n in range(3000)]
    turns = 0

    async def other_work() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    watch = asyncio.create_task(other_work())
    answer = await client.ask(action="subscribe", symbols=symbols, mode=2)
    assert len(answer["subscriptions"]) == 3000 and answer["status"] == "success"
    assert turns >= 3000 / 150  # a turn after each slice, whatever the machine does
    await client.rest()
    assert world.server.instruments == 3000
    gone = await client.ask(action="unsubscribe_all")
    assert len(gone["successful"]) == 3000
    assert world.server.instruments == 0
    watch.cancel()


async def test_a_frame_beyond_the_limit_closes_the_socket(world: World) -> None:
    socket = await connect(world.server.url)  # left to break: not closed by the fixture
    with pytest.raises(ConnectionClosed) as closed:
        await socket.send("x" * (1024 * 1024 + 1))
        await socket.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


# -- orders ----------------------------------------------------------------------------------
def order_event(
    mode: Mode = Mode.SANDBOX, account: str = "sandbox:simulator:SIM", **fields: Any
) -> OrderUpdated:
    values: dict[str, Any] = {
        "order_id": "26112500000001",
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": Action.BUY,
        "quantity": 10,
        "price_type": PriceType.LIMIT,
        "product": Product.MIS,
        "price": 790,
        **fields,
    }
    broker = "sandbox" if mode is Mode.SANDBOX else "simulator"
    return OrderUpdated(account_id=account, mode=mode, broker=broker, order=Order(**values))


async def test_order_updates_have_all_keys_and_no_repetitions(world: World) -> None:
    client = await world.client()
    answer = await client.ask(action="subscribe_orders", request_id="o1")
    assert answer == {
        "type": "subscribe_orders",
        "status": "success",
        "message": "Subscribed to order updates",
        "request_id": "o1",
    }
    world.bus.publish(order_event())
    world.bus.publish(order_event())
    world.bus.publish(order_event(filled_quantity=4, average_price=790))
    world.bus.publish(order_event(status=OrderStatus.COMPLETE, filled_quantity=10))
    first, partial, complete = await client.rest()
    assert first == {
        "type": "order_update",
        "user_id": "trader",
        "mode": "analyze",
        "broker": "sandbox",
        "orderid": "26112500000001",
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": "BUY",
        "quantity": 10,
        "price": 790.0,
        "trigger_price": 0.0,
        "pricetype": "LIMIT",
        "product": "MIS",
        "order_status": "open",
        "filled_quantity": 0,
        "pending_quantity": 10,
        "average_price": 0.0,
        "rejection_reason": "",
    }
    assert (partial["filled_quantity"], partial["pending_quantity"]) == (4, 6)
    assert (complete["order_status"], complete["pending_quantity"]) == ("complete", 0)
    assert (await client.ask(action="unsubscribe_orders"))["type"] == "unsubscribe_orders"
    world.bus.publish(order_event(order_id="2"))
    assert await client.rest() == []


async def test_rights_bound_the_order_stream(world: World) -> None:
    paper, bound = await world.client("paper"), await world.client("bound")
    for client in (paper, bound):
        await client.ask(action="subscribe_orders")
    world.bus.publish(order_event(Mode.LIVE, "simulator:SIM", order_id="L1"))
    world.bus.publish(order_event(Mode.LIVE, "simulator:OTHER", order_id="L2"))
    world.bus.publish(order_event(order_id="P1"))
    world.bus.publish(order_event(account="sandbox:simulator:OTHER", order_id="P2"))
    assert [frame["orderid"] for frame in await paper.rest()] == ["P1", "P2"]
    assert [frame["orderid"] for frame in await bound.rest()] == ["L2", "P2"]


async def test_a_bound_key_hears_of_the_orders_of_its_strategy_and_mode(world: World) -> None:
    ema, live = await world.client("ema"), await world.client("live")
    for client in (ema, live):
        await client.ask(action="subscribe_orders")
    world.bus.publish(order_event(order_id="1", strategy="ema"))
    world.bus.publish(order_event(order_id="2", strategy="other"))
    world.bus.publish(order_event(Mode.LIVE, "simulator:SIM", order_id="3", strategy="ema"))
    assert [frame["orderid"] for frame in await ema.rest()] == ["1"]
    assert [frame["orderid"] for frame in await live.rest()] == ["3"]


async def test_an_order_that_gets_its_name_late_is_told_to_its_strategy_then(world: World) -> None:
    """Updates of a broker that does not echo tags may come before its answer to the placement."""
    ema, good = await world.client("ema"), await world.client()
    for client in (ema, good):
        await client.ask(action="subscribe_orders")
    told = order_event(order_id="1", status=OrderStatus.COMPLETE, filled_quantity=10)
    world.bus.publish(told)
    named = msgspec.structs.replace(told.order, strategy="ema")
    world.bus.publish(
        OrderNamed(account_id=told.account_id, mode=told.mode, broker=told.broker, order=named)
    )
    (frame,) = await ema.rest()
    assert (frame["orderid"], frame["order_status"]) == ("1", "complete")
    assert len(await good.rest()) == 1  # it has heard


# -- slow clients ----------------------------------------------------------------------------
async def test_a_slow_client_gets_latest_prices_and_every_order_update(world: World) -> None:
    slow = await world.client(max_queue=1)
    quick = await world.client()
    symbols = [{"symbol": f"S{n}", "exchange": "NSE"} for n in range(20)]
    await slow.ask(action="subscribe", symbols=symbols, mode=3)
    await slow.ask(action="subscribe_orders")
    await quick.ask(action="subscribe", symbols=symbols[:1], mode=1)
    slow.socket.transport.pause_reading()  # the program does not read its socket
    rounds = 0
    state = next(info for info in world.server._clients if info.orders)
    while not state.slow:
        rounds += 1
        assert rounds < 5000, "the socket never filled"
        for n in range(20):
            world.hub.publish(depth_tick(f"S{n}", 100.0 + rounds))
        await asyncio.sleep(0)
    for extra in range(1, 301):
        for n in range(20):
            world.hub.publish(depth_tick(f"S{n}", 100.0 + rounds + extra))
        world.bus.publish(order_event(order_id=f"O{extra}"))
        if extra % 50 == 0:
            await asyncio.sleep(0)
    assert state.waiting <= 20 + 300 + 1024  # bounded: one frame a stream, and the orders
    assert state.conflated > 1000
    info = next(info for info in world.server.client_list() if info.orders)
    assert info.slow and info.conflated == state.conflated
    last = 100.0 + rounds + 300
    quick_frames = await quick.rest()
    assert quick_frames[-1]["data"]["ltp"] == last
    assert len(quick_frames) == rounds + 300
    slow.socket.transport.resume_reading()
    # The first ping's answer overtakes the prices that were merged meanwhile.
    frames = await slow.rest() + await slow.rest()
    orders = [frame["orderid"] for frame in frames if frame["type"] == "order_update"]
    assert orders == [f"O{extra}" for extra in range(1, 301)]
    newest = {f["symbol"]: f["data"]["ltp"] for f in frames if f["type"] == "market_data"}
    assert newest == {f"S{n}": last for n in range(20)}


async def test_a_client_that_never_reads_orders_is_cut(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openalgo_desktop.local_api.ws_client.MUST_LIMIT", 200_000)
    client = Client(await connect(world.server.url, max_queue=1))  # will break: not managed
    await client.ask(action="authenticate", api_key="good")
    await client.ask(action="subscribe_orders")
    client.socket.transport.pause_reading()
    for number in range(200_000):
        world.bus.publish(order_event(order_id=f"O{number}"))
        if number % 500 == 0:
            await asyncio.sleep(0)
            if not world.server.clients:
                break
    await until(lambda: world.server.clients == 0)
    client.socket.transport.abort()


async def test_refused_handshakes_do_not_reach_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidStatus):
        await connect(world.server.url, additional_headers={"Origin": "https://evil.example"})
    _, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    writer.write(b"nonsense\r\n\r\n")
    writer.close()
    client = await world.client(None)
    for _ in range(50):
        await client.ask(action="auth", api_key="wrong")
    assert caplog.records == []
