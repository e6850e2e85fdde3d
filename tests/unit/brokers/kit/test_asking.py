"""Feeds that subscribe by HTTP requests: what is refused, lost or answered with a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.kit.feed.codec import (
    FrameCodec,
    Reply,
    Request,
    Sending,
    StreamCodec,
    StreamEvent,
)
from openalgo_desktop.brokers.kit.feed.links.base import Address
from openalgo_desktop.brokers.kit.feed.stream import StreamClient, StreamState
from openalgo_desktop.brokers.kit.rest.second import SecondSessionRefused
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, DataError, NetError, SessionExpired
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick
from tests.unit.brokers.kit.feed_server import FeedServer, TextCodec
from tests.unit.brokers.kit.test_stream import LTP, SPEC, Heard
from tests.waiting import until

KEYS: list[Key] = [("NSE", f"S{number}") for number in range(8)]


class RestCodec(TextCodec):
    """Subscribes by the operations ``subscribe`` and ``unsubscribe``; ``hello`` comes first and
    ``renew`` when the server says ``ping``."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = 0

    def opened(self) -> Sequence[Sending]:
        return (Request("hello"),)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        return (Request("subscribe", {"names": [s for _, s in wanted]}, tuple(wanted)),)

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        return (Request("unsubscribe", {"names": [s for _, s in keys]}, tuple(keys)),)

    def decode(self, frame: Any) -> Iterable[StreamEvent]:
        return (Reply((Request("renew"),)),) if frame == "ping" else super().decode(frame)

    def answered(self, request: Request, answer: Any) -> Iterable[StreamEvent]:
        if isinstance(answer, AppError) and "already" in answer.message:
            return ()  # what this broker says is no refusal
        super().answered(request, answer)
        if answer == "bug":
            raise KeyError("codec")
        return [Tick(name, "NSE", price) for name, price in (answer or {}).items()]


class Rest:
    """The broker's side of the requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self.bad: dict[str, AppError] = {}  # by name; a batch with one of them is refused whole
        self.next: list[AppError] = []  # errors of the next requests
        self.answer: Any = None

    async def __call__(self, name: str, values: Mapping[str, Any]) -> Any:
        names = list(values.get("names", ()))
        self.asked.append((name, names))
        if self.next:
            raise self.next.pop(0)
        for one in names:
            if one in self.bad and name == "subscribe":
                raise self.bad[one]
        return self.answer if name == "subscribe" else None

    @property
    def streamed(self) -> list[str]:
        """What was asked for and not refused, in batches of the last try."""
        bad = set(self.bad)
        return [
            one for op, names in self.asked if op == "subscribe" and not bad & set(names)
            for one in names
        ]  # fmt: skip


class Rig:
    def __init__(self, server: FeedServer, **changes: Any) -> None:
        self.server = server
        self.heard = Heard()
        self.rest = Rest()
        self.slept: list[float] = []
        self.judged: list[str] = []

        async def prepare() -> tuple[Address, StreamCodec]:
            return Address(server.url), RestCodec()

        async def verify(error: AppError) -> AppError:
            self.judged.append(error.message)
            return NetError("a new session was begun")

        spec = msgspec.structs.replace(
            SPEC, per_socket=100, sockets=1, batch=8, silence=0.0, **changes
        )
        self.client = StreamClient(
            spec, prepare, SystemClock(), self.heard.listener,
            title="test", request=self.rest, verify=verify,
        )  # fmt: skip


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with FeedServer() as server:
        made = Rig(server)
        yield made
        await made.client.stop()


async def test_requests_go_out_and_their_answers_are_events(rig: Rig) -> None:
    rig.rest.answer = {"S0": 10.0, "S1": 11.0}
    rig.client.subscribe(dict.fromkeys(KEYS[:2], LTP))
    await rig.client.start()
    await until(lambda: len(rig.heard.ticks) == 2, "the snapshots")
    assert [(t.symbol, t.ltp) for t in rig.heard.ticks] == [("S0", 10.0), ("S1", 11.0)]
    rig.client.unsubscribe(KEYS[:1])
    await until(lambda: len(rig.rest.asked) == 3, "the end of one")
    await rig.server.send("ping")
    await until(lambda: len(rig.rest.asked) == 4, "the answer of the codec")
    assert rig.rest.asked == [
        ("hello", []), ("subscribe", ["S0", "S1"]), ("unsubscribe", ["S0"]), ("renew", []),
    ]  # fmt: skip
    assert rig.server.asked == [] and rig.heard.refused == {}


async def test_a_refused_batch_is_asked_in_halves_down_to_the_bad_one(rig: Rig) -> None:
    rig.rest.bad = {"S5": DataError("no such instrument")}
    rig.client.subscribe(dict.fromkeys(KEYS, LTP))
    await rig.client.start()
    await until(lambda: rig.heard.refused, "the refusal")
    await until(lambda: len(rig.rest.streamed) == 7, "the others")
    assert {key: error.message for key, error in rig.heard.refused.items()} == {
        ("NSE", "S5"): "no such instrument"
    }
    assert sorted(rig.rest.streamed) == ["S0", "S1", "S2", "S3", "S4", "S6", "S7"]
    assert len(rig.rest.asked) == 1 + 1 + 2 * 3  # hello, the batch, two halves three times
    assert rig.client.state is StreamState.LIVE and rig.server.total == 1


async def test_the_codec_says_what_is_no_refusal(rig: Rig) -> None:
    rig.rest.bad = {"S0": DataError("already subscribed")}
    rig.client.subscribe(dict.fromkeys(KEYS[:2], LTP))
    await rig.client.start()
    await until(lambda: ("subscribe", ["S1"]) in rig.rest.asked, "both halves")
    assert rig.heard.refused == {} and rig.client.mode(KEYS[0]) is LTP


async def test_a_lost_request_is_sent_again_and_the_line_stays(rig: Rig) -> None:
    async def sleep(seconds: float) -> None:
        rig.slept.append(seconds)
        await asyncio.sleep(min(seconds, 0.01))

    rig.client.sleep = sleep
    await rig.client.start()
    await until(lambda: ("hello", []) in rig.rest.asked, "the first request")
    rig.rest.next = [NetError("timeout"), NetError("timeout")]
    rig.client.subscribe(dict.fromkeys(KEYS[:2], LTP))
    await until(lambda: len(rig.rest.asked) == 4, "the third try")
    assert rig.rest.asked[1:] == [("subscribe", ["S0", "S1"])] * 3
    assert rig.heard.refused == {} and rig.server.total == 1
    # The watchdog looks every second; the second pause after a loss is twice the first.
    assert rig.slept.count(2.0) == 1 and max(rig.slept) == 2.0


async def test_a_refused_session_is_judged_and_all_is_asked_anew(rig: Rig) -> None:
    await rig.client.start()
    await until(lambda: ("hello", []) in rig.rest.asked, "the first request")
    rig.rest.next = [SessionExpired("Invalid Token")]
    rig.client.subscribe(dict.fromkeys(KEYS[:2], LTP))
    await until(lambda: rig.server.total == 2 and len(rig.rest.asked) == 4, "asked again")
    assert rig.judged == ["Invalid Token"]
    assert rig.rest.asked[2:] == [("hello", []), ("subscribe", ["S0", "S1"])]
    assert rig.client.state is StreamState.LIVE


async def test_a_second_session_that_is_refused_is_not_tried_per_instrument(rig: Rig) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await rig_sleep(seconds if seconds < 1 else 0.01)

    rig_sleep, rig.client.sleep = rig.client.sleep, sleep
    await rig.client.start()
    await until(lambda: ("hello", []) in rig.rest.asked, "the first request")
    rig.rest.next = [SecondSessionRefused("wrong market key")]
    rig.client.subscribe(dict.fromkeys(KEYS, LTP))
    await until(lambda: StreamState.DOWN in rig.heard.states, "the feed says so")
    down = rig.heard.messages[rig.heard.states.index(StreamState.DOWN)]
    assert down.startswith("wrong market key Next try in 300 s.")
    assert max(waits) == 300.0 and rig.heard.refused == {}
    assert rig.rest.asked[1] == ("subscribe", [symbol for _, symbol in KEYS])
    assert all(len(names) in (0, len(KEYS)) for _, names in rig.rest.asked)


async def test_a_codec_that_fails_on_an_answer_does_no_harm(rig: Rig) -> None:
    rig.rest.answer = "bug"
    rig.client.subscribe(dict.fromkeys(KEYS[:1], LTP))
    await rig.client.start()
    await until(lambda: rig.client.figures()["bad_frames"] == 1, "it is counted")
    assert rig.client.state is StreamState.LIVE


def test_a_frame_codec_refuses_by_the_error_of_a_request() -> None:
    codec = FrameCodec(InstrumentTable(), SystemClock())
    with pytest.raises(DataError):
        codec.answered(Request("x"), DataError("no"))
    assert list(codec.answered(Request("x"), {"any": 1})) == []
