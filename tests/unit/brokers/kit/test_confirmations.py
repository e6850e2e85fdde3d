"""A feed that must acknowledge every subscription: some it confirms, some late, some never."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection

from openalgo_desktop.brokers.kit.feed.codec import (
    Confirmed,
    Frame,
    Sending,
    StreamCodec,
    StreamEvent,
)
from openalgo_desktop.brokers.kit.feed.links.base import Address
from openalgo_desktop.brokers.kit.feed.stream import StreamClient, StreamState
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Key
from tests.unit.brokers.kit.feed_server import FeedServer, TextCodec
from tests.unit.brokers.kit.test_stream import DEPTH, LTP, SPEC, Heard
from tests.waiting import until

A, B, C = ("NSE", "A"), ("NSE", "B"), ("NSE", "C")


class Codec(TextCodec):
    """``ok EXCHANGE:SYMBOL`` acknowledges; depth levels are written behind the mode."""

    def __init__(self) -> None:
        super().__init__()
        self.depths: dict[Key, int] = {}

    def deepen(self, levels: Mapping[Key, int]) -> None:
        self.depths.update(levels)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> list[Sending]:
        found = super().subscribe(wanted)
        return [
            f"{frame}{self.depths[key] or ''}" if key in self.depths else frame
            for frame, key in zip(found, wanted, strict=True)
        ]

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        assert isinstance(frame, str)
        if frame.startswith("ok "):
            exchange, symbol = frame[3:].split(":")
            return (Confirmed(((exchange, symbol),)),)
        return super().decode(frame)


class Rig:
    def __init__(self, server: FeedServer) -> None:
        self.server = server
        self.heard = Heard()
        self.silent: dict[str, int] = {}  # symbols by how often they are not confirmed
        server.on_frame = self._frame
        self.client = self.make()

    async def _frame(self, connection: ServerConnection, frame: str) -> None:
        if not frame.startswith("+"):
            return
        name = frame[1:].split("=", maxsplit=1)[0]
        symbol = name.split(":")[1]
        if self.silent.get(symbol, 0) > 0:
            self.silent[symbol] -= 1
        else:
            await connection.send(f"ok {name}")

    def make(self, **changes: Any) -> StreamClient:
        async def prepare() -> tuple[Address, StreamCodec]:
            return Address(self.server.url), Codec()

        changes = {"per_socket": 100, "batch": 10, "silence": 0.0, "confirms": 0.2} | changes
        self.client = StreamClient(
            msgspec.structs.replace(SPEC, **changes), prepare, SystemClock(),
            self.heard.listener, title="Broker",
        )  # fmt: skip
        return self.client


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with FeedServer() as server:
        made = Rig(server)
        yield made
        await made.client.stop()


async def test_what_is_never_confirmed_is_told_and_the_others_stay(rig: Rig) -> None:
    rig.silent = {"B": 99}
    rig.client.subscribe({A: LTP, B: LTP, C: LTP})
    await rig.client.start()
    await until(lambda: rig.heard.refused, "the report")
    assert list(rig.heard.refused) == [B]
    assert rig.heard.refused[B].message == (
        "Broker did not confirm the feed of NSE:B, asked twice; its prices do not come."
    )
    assert rig.client.figures()["unconfirmed"] == ["NSE:B"]
    await until(lambda: "-NSE:B" in rig.server.asked, "it is given back")
    assert rig.server.asked.count("+NSE:B=ltp") == 2
    assert rig.server.asked.count("+NSE:A=ltp") == rig.server.asked.count("+NSE:C=ltp") == 1
    assert rig.client.state is StreamState.LIVE and rig.server.total == 1
    rig.silent = {}
    rig.client.subscribe({B: LTP})  # as the hub does when it asks again
    await until(lambda: rig.server.asked.count("+NSE:B=ltp") == 3, "asked again")
    assert rig.client.figures()["unconfirmed"] == []


async def test_the_second_question_may_be_confirmed(rig: Rig) -> None:
    rig.silent = {"A": 1}
    rig.client.subscribe({A: LTP, B: LTP})
    await rig.client.start()
    await until(lambda: rig.server.asked.count("+NSE:A=ltp") == 2, "asked again")
    rig.silent = {"C": 99}
    rig.client.subscribe({C: LTP})
    await until(lambda: C in rig.heard.refused, "two more intervals")
    assert list(rig.heard.refused) == [C]
    assert rig.server.asked.count("+NSE:A=ltp") == 2


async def test_a_price_says_as_much_as_a_confirmation(rig: Rig) -> None:
    rig.silent = {"A": 99, "B": 99}
    rig.client.subscribe({A: LTP, B: LTP})
    await rig.client.start()
    await until(lambda: len(rig.server.asked) == 2, "the subscriptions")
    await rig.server.send("t NSE:A 10.5")
    await until(lambda: rig.heard.refused, "the report")
    assert list(rig.heard.refused) == [B]


async def test_what_was_ended_is_not_waited_for(rig: Rig) -> None:
    rig.silent = {"A": 99, "B": 99}
    rig.client.subscribe({A: LTP, B: LTP})
    await rig.client.start()
    await until(lambda: len(rig.server.asked) == 2, "the subscriptions")
    rig.client.unsubscribe([A])
    await until(lambda: rig.heard.refused, "the report")
    assert list(rig.heard.refused) == [B]


async def test_without_confirmations_nothing_is_waited_for(rig: Rig) -> None:
    rig.make(confirms=0.0)
    rig.silent = {"A": 99}
    rig.client.subscribe({A: LTP})
    await rig.client.start()
    await until(lambda: rig.server.asked, "the subscription")
    await rig.server.send("t NSE:A 1")
    await until(lambda: rig.heard.ticks, "a price")
    assert rig.heard.refused == {} and rig.server.asked == ["+NSE:A=ltp"]


async def test_the_fullest_depth_that_is_offered_wins(rig: Rig) -> None:
    rig.make(levels=(5, 20, 200), confirms=0.0)
    client, asked = rig.client, rig.server.asked
    client.subscribe({A: DEPTH, B: LTP})
    await client.start()
    await until(lambda: len(asked) == 2, "the usual levels")
    assert sorted(asked) == ["+NSE:A=full5", "+NSE:B=ltp"]
    first, second = client.deepen(A, 15), client.deepen(A, 30)
    await until(lambda: asked[-1] == "+NSE:A=full200", "the fullest")
    second()
    await until(lambda: asked[-1] == "+NSE:A=full20", "what is left")
    first()
    first()
    await until(lambda: asked[-1] == "+NSE:A=full5", "the usual")
    client.deepen(B, 20)
    client.subscribe({B: DEPTH})
    await until(lambda: asked[-1] == "+NSE:B=full20", "a wish that came before its depth")
    client.deepen(B, 1000)
    await until(lambda: asked[-1] == "+NSE:B=full200", "as many as there are")


async def test_a_feed_of_one_depth_is_not_asked_twice(rig: Rig) -> None:
    rig.make(confirms=0.0)
    rig.client.subscribe({A: DEPTH})
    await rig.client.start()
    await until(lambda: rig.server.asked, "the subscription")
    rig.client.deepen(A, 20)
    rig.client.subscribe({B: DEPTH})
    await until(lambda: len(rig.server.asked) == 2, "another one")
    assert rig.server.asked == ["+NSE:A=full", "+NSE:B=full"]
