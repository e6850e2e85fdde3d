"""Floods of tiny frames: whoever sends them, others on the loop have their turns."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from websockets.asyncio.server import ServerConnection

from openalgo_desktop.local_api import ws_client, ws_turns
from openalgo_desktop.local_api.ws_turns import PIECE, Turns
from tests.unit.local_api.test_ws import World
from tests.waiting import until

MASK = bytes(4)
TINY = {
    "texts": b"\x81\x80" + MASK,
    "pings": b"\x89\x80" + MASK,
    "pongs": b"\x8a\x80" + MASK,
    "questions": b"\x81\x91" + MASK + b'{"action":"ping"}',
}
#: Bytes of the smallest frame, and frames that may be handled in one turn that has the time for one
#: piece: what waits of one is answered in the same turn; and two good-byes.
SMALLEST = 6
MOST = 2 * PIECE // SMALLEST + 2
COUNT = 6_000


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.server.start()
    async with world.stack:
        yield world
    await world.server.stop()


class Raw:
    """A socket after its handshake, written and read byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, world: World) -> Raw:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", world.server.port, limit=1 << 20
        )
        writer.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n" % world.server.port
        )
        await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    async def all(self) -> bytes:
        """What comes until the connection ends."""
        found = bytearray()
        while more := await self.reader.read(1 << 16):
            found += more
        self.writer.close()
        return bytes(found)


class Counter:
    """Frames of all connections, and the most between two turns of the loop."""

    def __init__(self) -> None:
        self.frames = self.most = self._now = 0

    def frame(self) -> None:
        self.frames += 1
        self._now += 1
        self.most = max(self.most, self._now)

    async def turns(self) -> None:
        while True:
            self._now = 0
            await asyncio.sleep(0)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    counter = Counter()
    before = ServerConnection.process_event

    def counted(connection: ServerConnection, event: object) -> None:
        counter.frame()
        before(connection, event)  # type: ignore[arg-type]

    monkeypatch.setattr(ServerConnection, "process_event", counted)
    monkeypatch.setattr(ws_turns, "SLICE", 0.0)  # one piece, however fast the machine is
    yield counter


@pytest.mark.parametrize("kind", TINY)
async def test_tiny_frames_leave_the_loop_to_others(
    world: World, counter: Counter, kind: str
) -> None:
    sockets = [await Raw.to(world) for _ in range(2)]
    turns = asyncio.create_task(counter.turns())
    before = counter.frames
    reading = [asyncio.create_task(raw.all()) for raw in sockets]
    for raw in sockets:
        raw.writer.write(TINY[kind] * COUNT)
        raw.writer.write(b"\x88\x80" + MASK)  # good-bye: it follows everything before it
    answers = await asyncio.gather(*reading)
    turns.cancel()
    assert counter.frames - before == 2 * (COUNT + 1)
    assert counter.most <= MOST
    for answer in answers:
        assert answer.endswith(b"\x88\x00")  # and so does the answer
        if kind == "pings":
            assert answer == b"\x8a\x00" * COUNT + b"\x88\x00"
        elif kind == "questions":
            # What still waits when the good-bye is read gets no answer: one piece at most.
            assert answer.count(b'"type":"pong"') > COUNT - PIECE // SMALLEST


async def test_who_floods_does_not_delay_a_good_client(world: World) -> None:
    good = await world.client()
    flood = await Raw.to(world)

    async def pour() -> None:
        with contextlib.suppress(OSError):
            while True:
                flood.writer.write(TINY["pongs"] * COUNT)
                await flood.writer.drain()

    pouring = asyncio.create_task(pour())
    for number in range(50):
        answer = await good.ask(action="ping", _pingId=number)
        assert answer["_pingId"] == number
    assert not pouring.done()
    pouring.cancel()
    flood.writer.transport.abort()


async def test_who_asks_and_never_reads_is_cut(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ws_client, "MUST_LIMIT", 100_000)
    raw = await Raw.to(world)
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
    ping = b"\x89\xfd" + MASK + bytes(125)
    with contextlib.suppress(OSError):
        while world.server.clients:
            raw.writer.write(ping * 200)
            await asyncio.wait_for(raw.writer.drain(), 60)
            await asyncio.sleep(0)
    await until(lambda: world.server.clients == 0, "the cut")
    raw.writer.transport.abort()


async def test_a_large_message_comes_whole_and_what_follows_it_in_order(world: World) -> None:
    raw = await Raw.to(world)
    text = b'{"action":"ping","_pingId":"%s"}' % (b"x" * 300_000)
    head = b"\x81\xff" + len(text).to_bytes(8, "big") + MASK
    small = b'{"action":"ping","_pingId":"end"}'
    raw.writer.write(head + text + b"\x81" + bytes((128 + len(small),)) + MASK + small)
    found = await asyncio.wait_for(raw.reader.readuntil(b'"end"}'), 60)
    assert found.count(b"x" * 300_000) == 1 and found.count(b'"pong"') == 2
    raw.writer.write(TINY["texts"] * COUNT)
    raw.writer.close()  # in the middle of what was not taken apart yet
    await until(lambda: world.server.clients == 0, "the end of the line")


async def test_turns_are_shared() -> None:
    turns, order = Turns(), []

    class Slow:
        def __init__(self, name: str, pieces: int) -> None:
            self.name, self.pieces = name, pieces

        def take(self) -> bool:
            order.append(self.name)
            self.pieces -= 1
            return self.pieces > 0

    turns.wait(Slow("a", 3))
    turns.wait(Slow("b", 1))
    await until(lambda: len(order) == 4)
    assert order == ["a", "b", "a", "a"]
