"""Quotes and depth from the feed: asked for once, shared, and given back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable

import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.feedquotes import FeedQuotes
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
from openalgo_desktop.core.errors import AppError, DataError, NetTimeout, NotConnected
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick
from tests.unit.brokers.kit.feed_server import FeedServer, TextCodec
from tests.unit.brokers.kit.test_stream import SPEC
from tests.waiting import until

A, B, C = ("NSE", "A"), ("NSE", "B"), ("NSE", "C")
LTP, DEPTH = FeedMode.LTP, FeedMode.DEPTH
BOOK = Depth((Level(10.0, 5, 1),), (Level(11.0, 6, 2),))


class Codec(TextCodec):
    """``full EXCHANGE:SYMBOL price`` is a snapshot, ``part`` one without its book."""

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        assert isinstance(frame, str)
        kind, _, rest = frame.partition(" ")
        if kind not in ("full", "part", "index"):
            return super().decode(frame)
        name, price = rest.split()
        exchange, symbol = name.split(":")
        tick = Tick(symbol, exchange, float(price), mode=DEPTH)
        if kind == "full":
            return (msgspec.structs.replace(tick, depth=BOOK),)
        if kind == "index":  # has no depth
            return (msgspec.structs.replace(tick, mode=FeedMode.QUOTE),)
        return (msgspec.structs.replace(tick, unknown=Part.BOOK),)


class Rig:
    """A market whose quotes come from a feed on loopback."""

    def __init__(self, server: FeedServer, deadline: float = 1.0) -> None:
        self.server = server
        self.ticks: list[Tick] = []
        self.refused: dict[Key, AppError] = {}
        modes = {LTP: "ltp", DEPTH: "full"}
        can = msgspec.structs.replace(BROKER.spec.capabilities, feed_quotes=True)
        stream = msgspec.structs.replace(SPEC, modes=modes, per_socket=10, silence=0.0)
        spec = msgspec.structs.replace(BROKER.spec, capabilities=can, streams=(stream,))
        rest = RestClient(spec, Session(), SystemClock())
        api = BrokerApi(spec, rest, BrokerIndex(), SystemClock())
        self.market = KitMarket(spec, api, lambda: None)
        self.market.set_sink(self.ticks.append)
        self.market.set_reports(lambda message: None, self.refused.__setitem__)
        listener = StreamListener()
        listener.tick, listener.refused = self.market.publish, self.market.refused

        async def prepare() -> tuple[Address, StreamCodec]:
            return Address(server.url), Codec()

        self.client = StreamClient(stream, prepare, SystemClock(), listener, title="Broker")
        self.market.attach(self.client)
        self.market._feed_quotes = FeedQuotes(self.client, deadline)

    def ask(self, *keys: Key) -> asyncio.Task[dict[Key, Tick | AppError]]:
        return asyncio.create_task(self.market.quotes(keys))

    async def asked(self, *frames: str) -> None:
        await until(lambda: sorted(self.server.asked) == sorted(frames), f"frames {frames}")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with FeedServer() as server:
        made = Rig(server)
        await made.client.start()
        await until(lambda: made.client.state is StreamState.LIVE, "the feed")
        yield made
        await made.client.stop()


async def test_a_batch_is_asked_answered_and_given_back(rig: Rig) -> None:
    task = rig.ask(A, B)
    await rig.asked("+NSE:A=full", "+NSE:B=full")
    await rig.server.send("full NSE:A 10", "full NSE:B 20")
    answers = await task
    assert {key: tick.ltp for key, tick in answers.items()} == {A: 10.0, B: 20.0}
    assert list(answers) == [A, B]
    await rig.asked("+NSE:A=full", "+NSE:B=full", "-NSE:A", "-NSE:B")
    assert rig.ticks == []  # nobody watches them


async def test_who_does_not_answer_gets_an_error_of_its_own(rig: Rig) -> None:
    began = time.monotonic()
    task = rig.ask(A, B, C)
    await rig.asked("+NSE:A=full", "+NSE:B=full", "+NSE:C=full")
    await rig.server.send("full NSE:A 10", "no NSE:C")
    async with asyncio.timeout(60):
        answers = await task
    assert time.monotonic() - began > 0.95
    assert isinstance(answers[A], Tick)
    assert isinstance(answers[B], NetTimeout)
    assert answers[B].message == "Broker sent no quote of NSE:B within 1 s."
    assert isinstance(answers[C], DataError) and answers[C].message == "not allowed"
    assert rig.refused == {}  # no watcher has to hear of it
    await until(lambda: "-NSE:B" in rig.server.asked, "it is given back")


async def test_what_cannot_be_asked_is_refused_alone(rig: Rig) -> None:
    bad = ("NSE", "BAD")
    task = rig.ask(A, bad)
    await until(lambda: "+NSE:A=full" in rig.server.asked, "the good one")
    await rig.server.send("full NSE:A 10")
    answers = await task
    assert isinstance(answers[A], Tick) and isinstance(answers[bad], AppError)


async def test_callers_share_one_subscription(rig: Rig) -> None:
    first, second = rig.ask(A), rig.ask(A, B)
    await rig.asked("+NSE:A=full", "+NSE:B=full")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await rig.server.send("full NSE:A 10", "full NSE:B 20")
    assert {tick.ltp for tick in (await second).values()} == {10.0, 20.0}
    await rig.asked("+NSE:A=full", "+NSE:B=full", "-NSE:A", "-NSE:B")


async def test_nothing_is_taken_from_the_watchers(rig: Rig) -> None:
    await rig.market.subscribe({A: LTP, B: DEPTH})
    await rig.asked("+NSE:A=ltp", "+NSE:B=full")
    task = rig.ask(A, B)
    await rig.asked("+NSE:A=ltp", "+NSE:B=full", "+NSE:A=full")
    await rig.server.send("full NSE:A 10", "full NSE:B 20")
    assert all(isinstance(tick, Tick) for tick in (await task).values())
    await until(lambda: rig.server.asked.count("+NSE:A=ltp") == 2, "back to the former mode")
    assert rig.client.mode(A) is LTP and rig.client.mode(B) is DEPTH
    assert not any(frame.startswith("-") for frame in rig.server.asked)
    assert [tick.symbol for tick in rig.ticks] == ["A", "B"]


async def test_what_is_watched_in_full_answers_from_the_last_tick(rig: Rig) -> None:
    await rig.market.subscribe({A: DEPTH})
    await rig.asked("+NSE:A=full")
    await rig.server.send("full NSE:A 10")
    await until(lambda: rig.ticks, "a price")
    assert (await rig.market.depth(A)).ltp == 10.0
    assert rig.server.asked == ["+NSE:A=full"]
    rig.market.lost()  # the feed was down: what it said is old
    assert isinstance((await rig.market.quotes([A]))[A], NetTimeout)
    await rig.market.unsubscribe([A])
    await until(lambda: rig.server.asked[-1] == "-NSE:A", "the end")


async def test_a_watcher_that_leaves_does_not_end_a_question(rig: Rig) -> None:
    await rig.market.subscribe({A: DEPTH})
    await rig.asked("+NSE:A=full")
    task = rig.ask(A)
    await asyncio.sleep(0)
    await rig.market.unsubscribe([A])
    await rig.server.send("full NSE:A 10")
    assert isinstance((await task)[A], Tick)
    await rig.asked("+NSE:A=full", "-NSE:A")


async def test_a_snapshot_in_parts_waits_for_the_rest_and_gives_what_came(rig: Rig) -> None:
    task = rig.ask(A, B)
    await rig.asked("+NSE:A=full", "+NSE:B=full")
    await rig.server.send("part NSE:A 10", "part NSE:B 20", "t NSE:A 9", "full NSE:A 11")
    answers = await task
    whole, part = answers[A], answers[B]
    assert isinstance(whole, Tick) and (whole.ltp, whole.depth) == (11.0, BOOK)
    assert isinstance(part, Tick) and part.unknown == Part.BOOK


async def test_a_lost_line_answers_with_nothing_that_came_before_it(rig: Rig) -> None:
    task = rig.ask(A, B)
    await rig.asked("+NSE:A=full", "+NSE:B=full")
    await rig.server.send("part NSE:A 10", "full NSE:B 20", "h", "t NSE:C 1")
    quotes = rig.market._feed_quotes
    assert quotes is not None
    await until(quotes._asked[B].answer.done, "the answer")
    rig.market.lost()
    later = rig.ask(B)  # while the first caller still waits for the other
    assert isinstance((await task)[A], NetTimeout)
    assert isinstance((await later)[B], NetTimeout)
    assert quotes._asked == {}
    await until(lambda: rig.client.mode(B) is None, "given back")


async def test_depth_has_all_levels_of_the_broker(rig: Rig) -> None:
    task = asyncio.create_task(rig.market.depth(A))
    await rig.asked("+NSE:A=full")
    await rig.server.send("full NSE:A 10")
    tick = await task
    assert tick.depth is not None
    assert tick.depth.buy == (Level(10.0, 5, 1), *(Level(0.0, 0, 0),) * 4)
    lost = asyncio.create_task(rig.market.depth(B))
    await until(lambda: "+NSE:B=full" in rig.server.asked, "the next question")
    await rig.server.send("part NSE:B 10")
    with pytest.raises(DataError, match="no depth of NSE:B"):
        await lost


async def test_a_closed_feed_answers_at_once(rig: Rig) -> None:
    await rig.client.stop()
    with pytest.raises(NotConnected):
        await rig.market.quotes([A])


async def test_an_index_answers_without_depth(rig: Rig) -> None:
    nifty = ("NSE_INDEX", "NIFTY")
    rig.market._feed_quotes = FeedQuotes(rig.client, 600.0)
    task = rig.ask(nifty)
    await rig.asked("+NSE_INDEX:NIFTY=full")
    await rig.server.send("index NSE_INDEX:NIFTY 25000")
    async with asyncio.timeout(60):  # the book that does not come is not waited for
        tick = (await task)[nifty]
    assert isinstance(tick, Tick) and tick.ltp == 25000.0


async def test_more_than_the_feed_has_room_for_are_asked_in_turns(rig: Rig) -> None:
    keys = [("NSE", f"S{number}") for number in range(25)]  # 20 places, 5 are watched
    await rig.market.subscribe({("NSE", f"W{number}"): LTP for number in range(5)})

    async def answer() -> None:
        for turn in (keys[:15], keys[15:]):
            await until(lambda turn=turn: f"+NSE:{turn[-1][1]}=full" in rig.server.asked, "a turn")
            for _, symbol in turn:
                await rig.server.send(f"full NSE:{symbol} 1")

    answers, _ = await asyncio.gather(rig.market.quotes(keys), answer())
    assert all(isinstance(answers[key], Tick) for key in keys) and list(answers) == keys
