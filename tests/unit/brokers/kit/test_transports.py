"""The same cases over every transport: what the lane promises does not depend on how frames
travel."""

from __future__ import annotations

import asyncio
import importlib
import logging
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.kit.feed.codec import StreamCodec
from openalgo_desktop.brokers.kit.feed.links import socketio
from openalgo_desktop.brokers.kit.feed.links.base import Address
from openalgo_desktop.brokers.kit.feed.stream import StreamClient, StreamState
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, AuthError
from openalgo_desktop.core.ticks import Tick
from tests.emulators.transports import PEERS, MqttBroker, NatsServer, Peer
from tests.emulators.transports.base import PASSWORD, USER, PeerCodec
from tests.unit.brokers.kit.test_stream import Heard
from tests.unit.brokers.kit.test_websocket_link import certificate, tls_server
from tests.waiting import until

__all__ = ["certificate"]  # a fixture

A, B, C = ("NSE", "A"), ("NSE", "B"), ("NSE", "C")
LTP = FeedMode.LTP
#: The libraries themselves would wait for a good-bye for ten seconds or without end; ours takes a
#: hundredth of one in these tests.
LIBRARY_WAITS = 9.0


class Rig:
    """A stream client and the peer that it talks to. Both are patient: a machine that is busy
    elsewhere is no dead line."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        peer.patience = 300.0
        self.heard = Heard()
        self.judged: list[AuthError] = []
        self.client = self.make()

    def make(self, **changes: Any) -> StreamClient:
        self.options = dict(self.peer.options())
        spec = StreamSpec(
            **{
                "url": "", "codec": PeerCodec, "transport": self.peer.transport,
                "silence": 60.0, "mute": 0.0, "backoff": (0.02, 0.1), **changes,
            }
        )  # fmt: skip

        async def prepare() -> tuple[Address, StreamCodec]:
            address = Address(self.peer.url, options=self.options)
            return address, PeerCodec(self.peer.transport)

        async def verify(error: AuthError) -> AppError:
            self.judged.append(error)
            return error

        self.client = StreamClient(
            spec, prepare, SystemClock(), self.heard.listener,
            title="test", market_open=lambda exchange: True, verify=verify,
        )  # fmt: skip
        return self.client

    def close_within(self, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        """How long the link may take to say good-bye."""
        link = importlib.import_module(
            f"openalgo_desktop.brokers.kit.feed.links.{self.peer.transport}"
        )
        monkeypatch.setattr(link, "CLOSE_TIMEOUT", seconds)

    async def live(self) -> None:
        """Start, and stream A and B."""
        self.client.subscribe({A: LTP, B: LTP})
        await self.client.start()
        await until(lambda: {"+A", "+B"} <= set(self.peer.asked), "the subscriptions")
        await until(lambda: self.client.state is StreamState.LIVE, "the feed")

    async def tick(self, symbol: str = "A", price: float = 10.5) -> None:
        """One price, there and read."""
        self.heard.ticks.clear()
        await self.peer.price(symbol, price)
        await until(lambda: self.heard.ticks, f"a price of {symbol}")
        tick = self.heard.ticks[0]
        assert (tick.symbol, tick.ltp) == (symbol, price)


@pytest.fixture(params=sorted(PEERS))
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with PEERS[request.param]() as peer:
        made = Rig(peer)
        yield made
        await made.client.stop()


async def test_prices_come_and_what_is_ended_is_ended(rig: Rig) -> None:
    await rig.live()
    await rig.tick("A", 10.5)
    await rig.tick("B", 20.25)
    rig.client.subscribe({C: LTP})
    await until(lambda: "+C" in rig.peer.asked, "another one")
    rig.client.unsubscribe([B])
    await until(lambda: "-B" in rig.peer.asked, "the end of one")
    assert rig.peer.total == 1


async def test_a_cut_line_comes_back_with_all_subscriptions(rig: Rig) -> None:
    await rig.live()
    await rig.tick()
    rig.peer.asked.clear()
    rig.peer.drop()
    await until(lambda: rig.peer.total == 2, "the next connection")
    await until(lambda: {"+A", "+B"} <= set(rig.peer.asked), "the subscriptions again")
    assert StreamState.DOWN in rig.heard.states
    await until(lambda: rig.heard.resumed == 1, "the books must be read again")
    await rig.tick()


async def test_a_half_open_line_is_dropped(rig: Rig) -> None:
    rig.peer.patience = 0.25
    rig.make(silence=0.6)
    await rig.live()
    rig.peer.half_open = True
    await until(lambda: rig.client.state is StreamState.DOWN, "the watchdog")
    rig.peer.half_open = False
    rig.peer.asked.clear()
    await until(lambda: rig.peer.total >= 2, "the next connection")
    await until(lambda: {"+A", "+B"} <= set(rig.peer.asked), "the subscriptions again")
    await rig.tick()


async def test_a_mute_market_is_told_and_asked_again(rig: Rig) -> None:
    rig.make(mute=0.4)
    await rig.live()
    rig.peer.asked.clear()
    await until(lambda: rig.client.state is StreamState.STALE, "the report")
    await until(lambda: {"+A", "+B"} <= set(rig.peer.asked), "everything asked again")
    await rig.tick()
    await until(lambda: rig.client.state is StreamState.LIVE, "it speaks")


async def test_a_flood_is_bounded_and_holds_nobody(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a library cannot be held back frames are lost, counted, and never the newest."""
    count = 2000

    def slow(tick: Tick) -> None:
        end = time.perf_counter() + 0.0003
        while time.perf_counter() < end:
            pass
        rig.heard.ticks.append(tick)

    monkeypatch.setattr(socketio, "_PATIENCE", 300.0)
    await rig.live()
    rig.heard.listener.tick = slow
    flood = asyncio.create_task(rig.peer.price("A", *range(1, count + 1)))
    most, before = 0, 0
    async with asyncio.timeout(60):
        while not rig.heard.ticks or rig.heard.ticks[-1].ltp < count:
            await asyncio.sleep(0)
            most, before = max(most, len(rig.heard.ticks) - before), len(rig.heard.ticks)
        await flood
    assert most <= 16  # slices of 3 ms
    await until(
        lambda: len(rig.heard.ticks) + rig.client.figures()["lost"] == count,
        "all are accounted for",
    )
    prices = [tick.ltp for tick in rig.heard.ticks]
    assert prices == sorted(prices)


async def test_a_refused_log_in_is_told_from_a_lost_line(rig: Rig) -> None:
    rig.peer.busy = True
    await rig.client.start()
    await until(lambda: rig.heard.states.count(StreamState.DOWN) >= 1, "not reachable")
    await until(lambda: rig.client.figures()["reconnects"] >= 2, "it goes on trying")
    assert rig.judged == []
    rig.peer.busy, rig.peer.refuse = False, True
    await until(lambda: rig.client.state is StreamState.LOGIN_NEEDED, "the refusal")
    assert [type(error) for error in rig.judged] == [DoubtfulSession]
    rig.peer.refuse = False
    await rig.client.start()
    await until(lambda: rig.client.state is StreamState.LIVE, "the next log-in")


async def test_nobody_there_is_a_lost_line(rig: Rig) -> None:
    rig.peer.port = 1  # nobody listens
    await rig.client.start()
    await until(lambda: rig.client.state is StreamState.DOWN, "not reachable")
    assert rig.judged == []
    assert "reached" in rig.heard.messages[-1] or "broke" in rig.heard.messages[-1]


async def test_a_stop_says_good_bye_and_leaves_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asyncio.all_tasks()
    rig.close_within(600.0, monkeypatch)  # nobody has to wait for it
    await rig.live()
    async with asyncio.timeout(60):
        await rig.client.stop()
    await until(lambda: rig.peer.open == 0 and rig.peer.farewells == 1, "the good-bye")
    assert rig.client.state is StreamState.CLOSED

    def ours() -> list[str]:
        left = asyncio.all_tasks() - before
        return [str(t.get_coro()) for t in left if "tests/" not in str(t.get_coro())]

    await until(lambda: not [t for t in ours() if "site-packages/websockets" not in t], "no task")
    await rig.client.start()
    await until(lambda: rig.client.state is StreamState.LIVE, "and again")


async def test_a_stop_of_a_half_open_line_does_not_wait(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.close_within(0.01, monkeypatch)
    await rig.live()
    rig.peer.half_open = True
    async with asyncio.timeout(LIBRARY_WAITS):
        await rig.client.stop()


async def test_a_stop_while_connecting(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.close_within(0.01, monkeypatch)
    rig.peer.half_open = True
    await rig.client.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(LIBRARY_WAITS):
        await rig.client.stop()
    assert rig.client.state is StreamState.CLOSED


async def test_no_secret_is_logged(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await rig.live()
    await rig.tick()
    rig.peer.refuse = True
    rig.peer.drop()
    await until(lambda: rig.client.state is StreamState.LOGIN_NEEDED, "the refusal")
    for secret in (USER, PASSWORD, "price.A"):
        assert secret not in caplog.text
    assert all(secret not in text for text in rig.heard.messages for secret in (USER, PASSWORD))


@pytest.mark.parametrize("rig", ["mqtt", "nats"], indirect=True)
async def test_a_denied_topic_is_the_refusal_of_its_instrument(rig: Rig) -> None:
    rig.peer.denied = {"B"}
    await rig.live()
    await until(lambda: rig.heard.refused, "the refusal")
    assert list(rig.heard.refused) == [B]
    assert "refused by the feed" in rig.heard.refused[B].message
    await rig.tick("A")


@pytest.mark.parametrize("rig", ["mqtt"], indirect=True)
async def test_topics_are_asked_for_in_groups(rig: Rig) -> None:
    assert isinstance(rig.peer, MqttBroker)
    rig.make(batch=1000)
    rig.client.subscribe({("NSE", f"S{n}"): LTP for n in range(250)})
    await rig.client.start()
    await until(lambda: len(rig.peer.asked) == 250, "all topics")
    assert rig.peer.groups == [100, 100, 50] and rig.peer.clients == ["desk-1"]


@pytest.mark.parametrize("rig", ["nats"], indirect=True)
async def test_a_nats_log_in_signs_the_nonce(rig: Rig) -> None:
    """With a seed of our own: two prefix bytes of a user, 32 bytes of the key, a checksum."""
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    assert isinstance(rig.peer, NatsServer)
    raw = bytes(range(32))
    seed = base64.b32encode(bytes((0x92, 0xA0)) + raw + b"\0\0").decode().rstrip("=")
    rig.options = {"jwt": "a.jwt.text", "seed": seed}
    await rig.client.start()
    await until(lambda: rig.client.state is StreamState.LIVE, "the log-in")
    said = rig.peer.logins[0]
    assert said["jwt"] == "a.jwt.text" and "user" not in said
    key = Ed25519PrivateKey.from_private_bytes(raw).public_key()
    key.verify(base64.b64decode(str(said["sig"])), rig.peer.nonce.encode())


@pytest.mark.parametrize("name", ["mqtt", "nats"])
async def test_tls(name: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody knows is refused before anything is said."""
    peer = PEERS[name]()
    peer.context = tls_server(certificate)
    async with peer:
        rig = Rig(peer)
        await rig.client.start()
        await until(lambda: rig.client.state is StreamState.DOWN, "the refusal")
        assert peer.total == 0 and rig.judged == []
        await rig.client.stop()
        known = ssl.create_default_context(cafile=str(certificate))
        module = importlib.import_module(f"openalgo_desktop.brokers.kit.feed.links.{name}")
        monkeypatch.setattr(module, "tls", lambda: known)
        await rig.live()
        await rig.tick()
        await rig.client.stop()


async def test_a_judge_that_fails_does_not_end_the_feed(caplog: pytest.LogCaptureFixture) -> None:
    async with PEERS["websocket"]() as peer:
        rig = Rig(peer)

        async def bug(error: AuthError) -> AppError:
            raise KeyError("bug")

        rig.client.verify = bug
        peer.refuse = True
        await rig.client.start()
        await until(lambda: rig.client.figures()["reconnects"] >= 2, "it goes on trying")
        assert rig.client.state is StreamState.DOWN and "could not be judged" in caplog.text
        peer.refuse = False
        await until(lambda: rig.client.state is StreamState.LIVE, "the return")
        await rig.client.stop()
