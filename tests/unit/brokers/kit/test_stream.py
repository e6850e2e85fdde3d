"""The stream client against a real server on loopback: losses, silence, capacity, floods."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection

from openalgo_desktop.brokers.kit.feed.codec import Frame, StreamCodec
from openalgo_desktop.brokers.kit.feed.links.base import Address, LinkClosed
from openalgo_desktop.brokers.kit.feed.stream import StreamClient, StreamListener, StreamState
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, AuthError, DataError, NetError, SessionExpired
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick
from tests.unit.brokers.kit.feed_server import FeedServer, TextCodec
from tests.waiting import until

SPEC = StreamSpec(
    url="", codec=TextCodec, per_socket=3, sockets=2, batch=2,
    silence=60.0, mute=0.0, backoff=(0.02, 0.1),
)  # fmt: skip
A, B, C = ("NSE", "A"), ("NSE", "B"), ("NSE", "C")
LTP, QUOTE, DEPTH = FeedMode.LTP, FeedMode.QUOTE, FeedMode.DEPTH


class Heard:
    """A listener that writes down."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.orders: list[Mapping[str, Any]] = []
        self.states: list[StreamState] = []
        self.messages: list[str] = []
        self.resumed = 0
        self.refused: dict[Key, AppError] = {}
        self.listener = StreamListener()
        self.listener.tick = self.ticks.append
        self.listener.order = self.orders.append
        self.listener.state = self._state
        self.listener.resumed = self._resumed
        self.listener.refused = self.refused.__setitem__

    def _state(self, state: StreamState, message: str) -> None:
        self.states.append(state)
        self.messages.append(message)

    def _resumed(self) -> None:
        self.resumed += 1


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with FeedServer() as running:
        yield running


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def clients() -> AsyncIterator[list[StreamClient]]:
    made: list[StreamClient] = []
    yield made
    for client in made:
        await client.stop()
    left = [t for t in asyncio.all_tasks() if " feed " in f" {t.get_name()} "]
    assert left == []


def make(
    clients: list[StreamClient], server: FeedServer, heard: Heard, **changes: Any
) -> StreamClient:
    names = ("market_open", "make_codec", "address", "verify", "request")
    options = {name: changes.pop(name) for name in names if name in changes}

    async def address() -> Address:
        return Address(server.url)

    where, codec = options.get("address", address), options.get("make_codec", TextCodec)

    async def prepare() -> tuple[Address, StreamCodec]:
        return await where(), codec()

    client = StreamClient(
        msgspec.structs.replace(SPEC, **changes),
        prepare,
        SystemClock(),
        heard.listener,
        title="test",
        market_open=options.get("market_open", lambda exchange: False),
        verify=options.get("verify"),
        request=options.get("request"),
    )
    clients.append(client)
    return client


async def test_ticks_and_orders_arrive(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    assert client.subscribe({A: LTP, B: QUOTE}) == {}
    await client.start()
    await until(lambda: len(server.asked) == 2, "subscriptions")
    assert sorted(server.asked) == ["+NSE:A=ltp", "+NSE:B=quote"]
    await server.send("t NSE:A 10.5", "o 77")
    await until(lambda: heard.orders, "the order")
    assert [(t.symbol, t.ltp) for t in heard.ticks] == [("A", 10.5)]
    assert heard.orders == [{"order_id": "77"}]
    assert heard.states == [StreamState.CONNECTING, StreamState.LIVE]
    assert heard.resumed == 0
    age = client.age()
    assert age is not None and age < 60.0


async def test_mode_upgrade_downgrade_and_unsubscribe(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    await client.start()
    client.subscribe({A: LTP})
    await until(lambda: server.asked == ["+NSE:A=ltp"], "first")
    client.subscribe({A: DEPTH})
    await until(lambda: server.asked[-1] == "+NSE:A=full", "upgrade")
    client.subscribe({A: DEPTH})
    client.subscribe({A: QUOTE})
    await until(lambda: server.asked[-1] == "+NSE:A=quote", "downgrade")
    client.unsubscribe([A, B])
    await until(lambda: server.asked[-1] == "-NSE:A", "unsubscribe")
    assert server.asked == ["+NSE:A=ltp", "+NSE:A=full", "+NSE:A=quote", "-NSE:A"]
    assert client.mode(A) is None


async def test_everything_is_asked_again_after_a_drop(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    await client.start()
    client.subscribe({A: LTP, B: DEPTH, C: QUOTE})
    await until(lambda: len(server.asked) == 3, "subscriptions")
    server.asked.clear()
    server.drop()
    client.unsubscribe([C])  # while the line is down
    await until(lambda: len(server.asked) == 2, "resubscription")
    assert sorted(server.asked) == ["+NSE:A=ltp", "+NSE:B=full"]
    await until(lambda: heard.resumed == 1, "books must be read again")
    assert heard.states[1:] == [StreamState.LIVE, StreamState.DOWN, StreamState.LIVE]
    await server.send("t NSE:B 5")
    await until(lambda: heard.ticks, "ticks flow again")
    assert client.figures()["reconnects"] == 1


async def test_silent_line_is_dropped(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    """A half-open socket: TCP is up, nothing comes."""
    client = make(clients, server, heard, silence=0.2)
    await client.start()
    client.subscribe({A: LTP})
    await until(lambda: server.asked, "subscription")
    server.quiet = True
    await until(lambda: StreamState.DOWN in heard.states, "the silence is noticed")
    assert "Nothing heard" in heard.messages[heard.states.index(StreamState.DOWN)]
    server.quiet = False
    await until(lambda: heard.resumed and len(server.asked) > 1, "back")


async def test_mute_market_is_reported_asked_again_then_dropped(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    """Heartbeats come, ticks do not, although the market is open."""
    client = make(clients, server, heard, mute=0.15, market_open=lambda exchange: True)
    await client.start()
    client.subscribe({A: LTP})
    await until(lambda: StreamState.STALE in heard.states, "stale")
    await until(lambda: server.asked == ["+NSE:A=ltp"] * 2, "asked again on the same line")
    assert server.total == 1
    await until(lambda: server.total == 2, "reconnect")
    ticking = True

    async def tick() -> None:
        while ticking:
            await server.send("t NSE:A 1")
            await asyncio.sleep(0.02)

    task = asyncio.create_task(tick())
    try:
        await until(lambda: heard.states[-1] is StreamState.LIVE and heard.ticks, "live again")
    finally:
        ticking = False
        await task


async def _pass(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(0.01)


async def test_closed_market_may_be_mute(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard, mute=0.05, market_open=lambda exchange: False)
    await client.start()
    client.subscribe({A: LTP})
    await until(lambda: server.asked, "subscription")
    await _pass(0.4)
    assert heard.states == [StreamState.CONNECTING, StreamState.LIVE]


async def test_capacity_is_split_over_sockets(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    await client.start()
    keys = [("NSE", f"S{n}") for n in range(7)]
    refused = client.subscribe(dict.fromkeys(keys, LTP))
    assert list(refused) == [keys[6]]
    assert isinstance(refused[keys[6]], DataError) and "all 6 places" in str(refused[keys[6]])
    await until(lambda: len(server.asked) == 6, "six subscriptions")
    assert len(server.connections) == 2
    assert client.figures()["sockets"] == [3, 3]
    client.unsubscribe([keys[0]])
    assert client.subscribe({keys[6]: LTP}) == {}
    await until(lambda: server.asked[-1] == "+NSE:S6=ltp", "the freed place is used")
    assert client.figures()["sockets"] == [3, 3]


async def test_bad_frames_do_not_stop_the_feed(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    await client.start()
    client.subscribe({A: LTP})
    await until(lambda: server.asked, "subscription")
    await server.send("garbage", "bug", "e strange", "t NSE:A 3")
    await until(lambda: heard.ticks, "the good frame")
    assert client.figures()["bad_frames"] == 3
    assert server.total == 1
    await server.send(*["garbage"] * 20)
    await until(lambda: server.total == 2, "out of step: a new connection")


@pytest.mark.parametrize("price", ["nan", "inf", "-inf"])
async def test_a_price_that_is_no_number_stays_out(
    server: FeedServer, heard: Heard, clients: list[StreamClient], price: str
) -> None:
    """NaN is neither above nor below a stop: whoever follows it would never act."""
    client = make(clients, server, heard)
    await client.start()
    client.subscribe({A: LTP})
    await until(lambda: server.asked, "subscription")
    await server.send(f"t NSE:A {price}", "t NSE:A -37.63")  # crude oil was below 0 once
    await until(lambda: heard.ticks, "the good price")
    assert [tick.ltp for tick in heard.ticks] == [-37.63]
    assert client.figures()["bad_frames"] == 1


async def test_frame_beyond_the_limit_closes_and_reconnects(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard, max_frame=1000)
    await client.start()
    await until(lambda: server.connections, "connection")
    await server.send("t NSE:A " + "1" * 2000)
    await until(lambda: server.total == 2, "reconnect")
    assert heard.ticks == []


async def test_refused_instruments_do_not_hurt_the_others(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    await client.start()
    bad, late = ("NSE", "BAD"), ("NSE", "LATE")
    client.subscribe({bad: LTP, A: LTP, late: LTP})
    await until(lambda: len(server.asked) == 2 and bad in heard.refused, "the good ones")
    await server.send("no NSE:LATE")
    await until(lambda: late in heard.refused, "refused by the server")
    assert client.mode(bad) is None and client.mode(late) is None
    server.drop()
    await until(lambda: len(server.asked) == 3, "resubscribed")
    assert server.asked[-1] == "+NSE:A=ltp"  # the refused are not asked for again


async def test_log_in_frame_and_replies(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    async def answer(connection: ServerConnection, frame: str) -> None:
        if frame == "login":
            await connection.send("ping")
        elif frame == "pong":
            await connection.send("ready")

    server.on_frame = answer
    client = make(clients, server, heard, make_codec=lambda: TextCodec(awaits_ready=True))
    client.subscribe({A: LTP})
    await client.start()
    await until(lambda: "+NSE:A=ltp" in server.asked, "subscription after the log-in")
    assert server.asked == ["login", "pong", "+NSE:A=ltp"]


async def test_heartbeat_frames(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard, ping=0.02, ping_frame="beat")
    await client.start()
    await until(lambda: server.asked.count("beat") >= 3, "three beats")


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_session_asks_for_a_log_in(
    server: FeedServer, heard: Heard, clients: list[StreamClient], status: int
) -> None:
    server.refuse = status
    client = make(clients, server, heard)
    client.subscribe({A: LTP})
    await client.start()
    await until(lambda: client.state is StreamState.LOGIN_NEEDED, "log-in needed")
    await _pass(0.2)
    assert server.total == 0 and heard.states[-1] is StreamState.LOGIN_NEEDED  # no retries
    server.refuse = 0
    await client.start()  # after the new log-in
    await until(lambda: server.asked == ["+NSE:A=ltp"], "subscriptions were kept")


async def test_a_refusal_that_no_read_confirms_is_a_fault_of_the_line(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    asked: list[str] = []

    async def verify(error: AuthError) -> AppError:
        asked.append(error.message)
        return NetError(error.message) if len(asked) < 3 else SessionExpired("over")

    server.refuse = 403
    client = make(clients, server, heard, verify=verify)
    client.subscribe({A: LTP})
    await client.start()
    await until(lambda: client.state is StreamState.LOGIN_NEEDED, "the third answer")
    assert asked == ["The feed refused the session (HTTP 403)."] * 3
    assert StreamState.DOWN in heard.states


async def test_a_feed_is_not_live_while_its_refusal_is_judged(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    judged = asyncio.Event()

    async def verify(error: AuthError) -> AppError:
        await judged.wait()
        return NetError("the session holds")

    client = make(clients, server, heard, verify=verify)
    await client.start()
    await until(lambda: client.state is StreamState.LIVE, "the feed")
    await server.send("e auth")
    await until(lambda: not server.connections, "the end of the connection")
    assert client.state is StreamState.CONNECTING
    judged.set()
    await until(lambda: client.state is StreamState.LIVE, "the next connection")
    live, trying, down = StreamState.LIVE, StreamState.CONNECTING, StreamState.DOWN
    assert heard.states == [trying, live, trying, down, live]
    assert heard.messages[3].startswith("the session holds Next try in")


class SlowGoodBye:
    """A link whose line ends at once, and whose good-bye takes until it is aborted."""

    watched, lost = True, 0

    def __init__(self) -> None:
        self.closing, self.aborted, self.closed = False, asyncio.Event(), False

    async def send(self, frame: Frame) -> None: ...

    async def receive(self) -> list[Frame]:
        raise LinkClosed("over")

    async def close(self) -> None:
        self.closing = True
        await self.aborted.wait()
        self.closed = True
        raise OSError("no good-bye")  # must not stand in for the stop

    def abort(self) -> None:
        self.aborted.set()


async def test_a_stop_while_a_connection_ends_leaves_nothing_open(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client, link = make(clients, server, heard), SlowGoodBye()

    async def open_link(address: Address, spec: StreamSpec) -> SlowGoodBye:
        return link

    client.open_link = open_link
    await client.start()
    await until(lambda: link.closing, "the good-bye")
    await client.stop()
    assert link.closed


async def test_session_that_ends_on_the_line(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    await client.start()
    await until(lambda: server.connections, "connection")
    await server.send("e auth")
    await until(lambda: client.state is StreamState.LOGIN_NEEDED, "log-in needed")
    assert not server.connections or server.total == 1


async def test_the_reason_of_an_end_is_told(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    await client.start()
    await until(lambda: server.connections, "connection")
    await server.send("e no data plan")
    await server.send("e end too many connections")
    await until(lambda: server.total == 2, "another connection")
    assert any(text.startswith("too many connections") for text in heard.messages)
    assert not any("no data plan" in text for text in heard.messages)


async def test_server_error_is_retried(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    server.refuse = 503
    client = make(clients, server, heard)
    client.subscribe({A: LTP})
    await client.start()
    await until(lambda: client.figures()["reconnects"] >= 2, "retries")
    assert client.state is StreamState.DOWN
    server.refuse = 0
    await until(lambda: server.asked, "back")
    assert heard.resumed == 0  # it was never up before


async def test_the_token_is_asked_for_at_each_connection(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    asked = 0

    async def address() -> Address:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise NetError("token service down")
        if asked == 4:
            raise SessionExpired("over")
        return Address(server.url)

    client = make(clients, server, heard, address=address)
    await client.start()
    await until(lambda: server.total == 1, "first")
    server.drop()
    await until(lambda: server.total == 2, "second, after one failure")
    server.drop()
    await until(lambda: client.state is StreamState.LOGIN_NEEDED, "over")
    assert asked == 4


async def test_backoff_doubles_with_jitter_up_to_its_limit() -> None:
    waits: list[float] = []
    chances = iter([0.0, 1.0, 0.5, 0.0, 0.0, 0.0])
    enough = asyncio.Event()

    async def prepare() -> tuple[Address, StreamCodec]:
        return Address("ws://nowhere"), TextCodec()

    async def refuse(address: Address, spec: StreamSpec) -> Any:
        raise LinkClosed("no")

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 6:
            enough.set()
            await asyncio.Event().wait()

    client = StreamClient(
        msgspec.structs.replace(SPEC, backoff=(1.0, 10.0)), prepare, SystemClock(),
        StreamListener(), open_link=refuse, sleep=sleep, chance=lambda: next(chances),
    )  # fmt: skip
    await client.start()
    await asyncio.wait_for(enough.wait(), 60)
    await client.stop()
    assert waits == [0.5, 2.0, 3.0, 4.0, 5.0, 5.0]


async def test_a_flood_does_not_hold_the_loop(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)

    def slow(tick: Tick) -> None:
        end = time.perf_counter() + 0.0005  # a listener that takes half a millisecond
        while time.perf_counter() < end:
            pass
        heard.ticks.append(tick)

    heard.listener.tick = slow
    await client.start()
    await until(lambda: server.connections, "connection")
    flood = asyncio.create_task(server.send(*["t NSE:A 1"] * 400))
    most, before = 0, 0
    while len(heard.ticks) < 400:
        await asyncio.sleep(0)
        most, before = max(most, len(heard.ticks) - before), len(heard.ticks)
    await flood
    # Without its slices of 3 ms the reader would take all 64 queued frames in one turn.
    assert most <= 8


async def test_stop_says_good_bye(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    await client.start()
    await until(lambda: server.connections, "connection")
    await until(lambda: StreamState.LIVE in heard.states, "our end knows of it, too")
    connection = server.connections[0]
    await client.stop()
    await until(lambda: not server.connections, "closed")
    assert connection.close_code == 1000
    assert heard.states[-1] is StreamState.CLOSED
    await client.start()
    await until(lambda: server.total == 2 and client.state is StreamState.LIVE, "again")


async def test_a_stop_under_way_does_not_end_the_next_start(
    server: FeedServer, heard: Heard, clients: list[StreamClient]
) -> None:
    client = make(clients, server, heard)
    client.subscribe({A: LTP})
    await client.start()
    await until(lambda: server.asked, "the subscription")
    stopping = asyncio.create_task(client.stop())
    await asyncio.sleep(0)
    await client.start()
    await stopping
    await until(lambda: len(server.asked) == 2, "asked again")
    assert client.state is StreamState.LIVE
