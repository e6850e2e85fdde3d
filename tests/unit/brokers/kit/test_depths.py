"""Deeper books on a feed of their own, beside the feed with the prices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.gateway import KitMarket
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.feed.codec import Frame, StreamCodec, StreamEvent
from openalgo_desktop.brokers.kit.feed.links.base import Address
from openalgo_desktop.brokers.kit.feed.stream import StreamClient, StreamListener, StreamState
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick
from tests.unit.brokers.kit.feed_server import FeedServer
from tests.unit.brokers.kit.test_confirmations import Codec
from tests.unit.brokers.kit.test_stream import DEPTH, SPEC
from tests.waiting import until

A, B = ("NSE", "A"), ("NSE", "B")


class BookCodec(Codec):
    """``book A 20`` is a tick with that many levels."""

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        assert isinstance(frame, str)
        if not frame.startswith("book"):
            return super().decode(frame)
        _, symbol, count = frame.split()
        side = (Level(10.0, 1, 1),) * int(count)
        return (Tick(symbol, "NSE", 10.0, mode=DEPTH, depth=Depth(side, side)),)


class Rig:
    def __init__(self, main: FeedServer, deep: FeedServer) -> None:
        self.main, self.deep = main, deep
        self.ticks: list[Tick] = []
        api = BrokerApi(
            BROKER.spec, RestClient(BROKER.spec, Session(), SystemClock()), BrokerIndex(),
            SystemClock(),
        )  # fmt: skip
        self.market = KitMarket(BROKER.spec, api, lambda: None)
        self.market.set_sink(self.ticks.append)
        self.clients = [self.client(main, (5,)), self.client(deep, (20, 200), per_socket=1)]
        self.clients[0].listener.tick = self.market.publish
        self.market.attach(self.clients[0], self.clients[1:])

    def client(self, server: FeedServer, levels: tuple[int, ...], **changes: Any) -> StreamClient:
        async def prepare() -> tuple[Address, StreamCodec]:
            return Address(server.url), BookCodec()

        changes = {"per_socket": 10, "sockets": 1, "silence": 0.0, "levels": levels} | changes
        spec = msgspec.structs.replace(SPEC, modes={FeedMode.DEPTH: "full"}, **changes)
        return StreamClient(spec, prepare, SystemClock(), StreamListener(), title="Broker")

    async def book(self, server: FeedServer, levels: int, symbol: str = "A") -> Tick:
        self.ticks.clear()
        await server.send(f"book {symbol} {levels}")
        await until(lambda: self.ticks, "a tick")
        return self.ticks[0]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with FeedServer() as main, FeedServer() as deep:
        made = Rig(main, deep)
        for client in made.clients:
            await client.start()
        await until(lambda: all(c.state is StreamState.LIVE for c in made.clients), "both feeds")
        yield made
        for client in made.clients:
            await client.stop()


async def test_the_deeper_book_takes_the_place_of_the_usual_one(rig: Rig) -> None:
    await rig.market.subscribe({A: DEPTH})
    tick = await rig.book(rig.main, 5)
    assert tick.depth is not None and len(tick.depth.buy) == 5
    first, second = rig.market.deepen(A, 15), rig.market.deepen(A, 200)
    await until(lambda: "+NSE:A=full200" in rig.deep.asked, "the deeper book")
    tick = await rig.book(rig.main, 5)
    assert tick.depth is None and tick.unknown == Part.BOOK and tick.ltp == 10.0
    tick = await rig.book(rig.deep, 200)
    assert tick.depth is not None and len(tick.depth.buy) == 200
    second()
    second()
    await until(lambda: rig.deep.asked[-1] == "+NSE:A=full20", "what is left")
    first()
    await until(lambda: rig.deep.asked[-1] == "-NSE:A", "nothing is left")
    assert (await rig.book(rig.main, 5)).depth is not None
    assert rig.main.asked == ["+NSE:A=full"]


async def test_the_usual_book_counts_while_the_deeper_feed_is_down(rig: Rig) -> None:
    await rig.market.subscribe({A: DEPTH})
    rig.market.deepen(A, 20)
    await until(lambda: rig.deep.asked, "the deeper book")
    assert (await rig.book(rig.main, 5)).depth is None
    rig.deep.refuse = 503
    rig.deep.drop()
    await until(lambda: rig.clients[1].state is StreamState.DOWN, "the loss")
    assert (await rig.book(rig.main, 5)).depth is not None


async def test_what_the_deeper_feed_refuses(rig: Rig) -> None:
    await rig.market.subscribe({A: DEPTH, B: DEPTH})
    rig.market.deepen(A, 20)
    with pytest.raises(DataError, match="places of the feed are taken"):
        rig.market.deepen(B, 20)
    await rig.deep.send("no NSE:A")
    await until(lambda: rig.clients[1].room == 1, "the refusal")
    assert (await rig.book(rig.main, 5)).depth is not None
    rig.market.deepen(B, 5)()  # the usual count is the main feed's
    assert all("NSE:B" not in frame for frame in rig.deep.asked)
