"""When a lane's watchdog calls a line mute, asks again and gives it up, to the second: the clock is
the test's own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
import pytest

from openalgo_desktop.brokers.kit.feed.codec import Frame, StreamCodec
from openalgo_desktop.brokers.kit.feed.links.base import Address
from openalgo_desktop.brokers.kit.feed.stream import StreamClient, StreamListener, StreamState
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from tests.unit.brokers.kit.feed_server import TextCodec

SPEC = StreamSpec(url="", codec=TextCodec, silence=15.0, mute=30.0, backoff=(1.0, 1.0))
KEY = ("NSE", "A")
STEP = 0.25  # seconds between two moments of the test


class Line:
    """A link into which the test puts frames; what was sent on it is in ``asked``."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self.asked: list[Frame] = []

    async def send(self, frame: Frame) -> None:
        self.asked.append(frame)

    async def receive(self) -> list[Frame]:
        return [await self.frames.get()]

    watched = False
    lost = 0

    async def close(self) -> None: ...

    def abort(self) -> None: ...


class Rig:
    """A stream client whose time passes when the test says so."""

    def __init__(self, spec: StreamSpec = SPEC, awaits_ready: bool = False) -> None:
        self.awaits_ready = awaits_ready
        self.opened: list[float] = []  # when each line was
        self.clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        self.lines: list[Line] = []
        self.told: list[tuple[StreamState, float, str]] = []
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.open = True
        self.heartbeats = True
        listener = StreamListener()
        listener.state = lambda state, message: self.told.append((state, self.now, message))
        self.client = StreamClient(
            spec, self._prepare, self.clock, listener,
            market_open=lambda exchange: self.open, open_link=self._open, sleep=self._sleep,
            chance=lambda: 0.999,
        )  # fmt: skip

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    async def _prepare(self) -> tuple[Address, StreamCodec]:
        return Address("ws://feed"), TextCodec(self.awaits_ready)

    async def _open(self, address: Address, spec: StreamSpec) -> Line:
        self.lines.append(Line())
        self.opened.append(self.now)
        return self.lines[-1]

    async def _sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, woken))
        await woken

    async def turns(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def step(self) -> None:
        self.clock.advance(STEP)
        if self.heartbeats and self.lines:
            self.lines[-1].frames.put_nowait("h")
        await self.turns()
        due = [row for row in self.sleepers if row[0] <= self.now + 1e-9]
        self.sleepers = [row for row in self.sleepers if row not in due]
        for _, woken in due:
            if not woken.done():
                woken.set_result(None)
        await self.turns()

    async def quiet(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            await self.step()

    async def busy(self, gap: float, seconds: float) -> None:
        """Market data every ``gap`` seconds."""
        for _ in range(round(seconds / gap)):
            await self.quiet(gap)
            await self.tick()

    async def tick(self) -> None:
        self.lines[-1].frames.put_nowait("t NSE:A 1")
        await self.turns()

    async def until(self, state: StreamState, most: float) -> float:
        """Seconds from now until the feed says ``state``."""
        began, seen = self.now, len(self.told)
        while not any(row[0] is state for row in self.told[seen:]):
            assert self.now - began <= most, self.told
            await self.step()
        return self.now - began


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    made.client.subscribe({KEY: FeedMode.LTP})
    await made.client.start()
    await made.turns()
    assert made.client.state is StreamState.LIVE
    yield made
    await made.client.stop()


@pytest.mark.parametrize(
    ("gap", "least", "most"),
    [
        (0.25, 4.0, 5.0),  # a busy line: seconds matter
        (1.0, 8.0, 9.25),  # eight usual gaps
        (2.0, 16.0, 17.25),
        (6.0, 30.0, 31.25),  # a slow line, but never longer than the spec says
    ],
)
async def test_a_line_is_mute_after_some_of_its_usual_gaps(
    rig: Rig, gap: float, least: float, most: float
) -> None:
    await rig.busy(gap, 120 * gap)
    assert (rig.client.state, len(rig.lines)) == (StreamState.LIVE, 1)
    waited = await rig.until(StreamState.STALE, most + 5)
    assert least <= waited <= most
    assert "silent" in rig.told[-1][2] and "asking again" in rig.told[-1][2]


async def test_a_new_line_gets_ten_seconds_to_show_what_is_usual(rig: Rig) -> None:
    waited = await rig.until(StreamState.STALE, 20)
    assert 10.0 < waited <= 11.25


async def test_a_mute_line_is_asked_once_more_and_then_dropped(rig: Rig) -> None:
    await rig.busy(0.25, 30)
    line, began = rig.lines[0], rig.now
    assert line.asked == ["+NSE:A=ltp"]
    await rig.until(StreamState.STALE, 6)
    await rig.quiet(20)
    assert line.asked == ["+NSE:A=ltp"] * 2  # not at each look
    assert len(rig.lines) == 1
    await rig.until(StreamState.DOWN, 60)
    assert 60.0 < rig.now - began <= 61.25  # the mute interval and one more
    await rig.quiet(2)
    assert len(rig.lines) == 2 and rig.lines[1].asked == ["+NSE:A=ltp"]


async def test_a_mute_line_is_given_up_less_and_less_often() -> None:
    """Perhaps nothing that is streamed trades: reconnecting for ever would help nobody."""
    rig = Rig(msgspec.structs.replace(SPEC, mute=4.0))
    rig.client.subscribe({KEY: FeedMode.LTP})
    await rig.client.start()
    for number in range(4):
        await _until_line(rig, number)
    lives = [later - before - 1.0 for before, later in itertools.pairwise(rig.opened)]
    for lived, intervals in zip(lives, (2, 3, 5), strict=True):
        assert intervals * 4.0 < lived <= intervals * 4.0 + 1.25
    await rig.client.stop()


async def test_one_tick_ends_it_and_the_next_silence_is_a_new_one(rig: Rig) -> None:
    await rig.busy(0.25, 30)
    await rig.until(StreamState.STALE, 6)
    await rig.tick()
    assert rig.client.state is StreamState.LIVE and rig.told[-1][2] == ""
    await rig.busy(0.25, 10)
    asked = len(rig.lines[0].asked)
    await rig.until(StreamState.STALE, 30)
    assert len(rig.lines[0].asked) == asked + 1


async def test_silence_counts_from_when_the_market_opens(rig: Rig) -> None:
    await rig.busy(0.25, 30)
    rig.open = False
    await rig.quiet(300)
    assert rig.client.state is StreamState.LIVE
    rig.open = True
    waited = await rig.until(StreamState.STALE, 8)
    assert 3.0 <= waited <= 6.0


async def test_a_line_without_any_frame_is_dropped_whatever_the_market_does(rig: Rig) -> None:
    await rig.busy(0.25, 30)
    rig.open = rig.heartbeats = False
    waited = await rig.until(StreamState.DOWN, 20)
    assert 15.0 < waited <= 16.25
    assert "Nothing heard for" in rig.told[-1][2]


async def test_a_log_in_that_is_not_answered_is_no_mute_market() -> None:
    """Heartbeats come, so the line is alive; but no order and no price ever will."""
    rig = Rig(msgspec.structs.replace(SPEC, backoff=(1.0, 60.0)), awaits_ready=True)
    rig.client.subscribe({KEY: FeedMode.LTP})
    await rig.client.start()
    waited = await rig.until(StreamState.DOWN, 20)
    assert 10.0 < waited <= 11.25
    assert "did not answer the log-in" in rig.told[-1][2]
    await rig.quiet(60)
    assert {state for state, _, _ in rig.told} == {StreamState.CONNECTING, StreamState.DOWN}
    gaps = [b - a for a, b in itertools.pairwise(rig.opened)]
    assert [round(gap - 11.0) for gap in gaps[:3]] == [1, 2, 4]  # waits that double
    before = len(rig.lines)
    await _until_line(rig, before)
    rig.lines[-1].frames.put_nowait("ready")
    await rig.until(StreamState.LIVE, 1)
    assert rig.lines[-1].asked == ["login", "+NSE:A=ltp"]
    await rig.client.stop()


async def _until_line(rig: Rig, count: int) -> None:
    """The connection after so many."""
    while len(rig.lines) == count:
        await rig.step()
        assert not rig.opened or rig.now - rig.opened[-1] < 80
