"""A feed that refuses an instrument, late or at once: the clients that asked hear it, the log has
it and the hub keeps it, in the whole engine."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from openalgo_desktop.core.enums import FeedMode, Interval, KeyRights
from openalgo_desktop.core.errors import AppError, DataError, NotConnected
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars, Tick
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.waiting import until

SBIN: Key = ("NSE", "SBIN")
TCS: Key = ("NSE", "TCS")
FULL = "all 9000 places of the feed are taken"
GONE = "the instrument was taken off the feed"


class Feed:
    """A data account whose feed refuses what the test says."""

    broker = "test"

    def __init__(self) -> None:
        self.full: set[Key] = set()
        self.asked: list[Key] = []
        self.sink: Callable[[Tick], None] = lambda tick: None

    def set_sink(self, sink: Callable[[Tick], None]) -> None:
        self.sink = sink

    depth_levels = (5,)

    def deepen(self, key: Key, levels: int) -> Callable[[], None]:
        return lambda: None

    def set_reports(
        self, muted: Callable[[str], None], refused: Callable[[Key, AppError], None]
    ) -> None:
        self.refused = refused

    async def subscribe(self, wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        self.asked += wanted
        return {key: DataError(FULL) for key in wanted if key in self.full}

    async def unsubscribe(self, keys: Sequence[Key]) -> None: ...

    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        return {key: NotConnected("no quotes here") for key in keys}

    async def depth(self, key: Key) -> Tick:
        raise NotConnected("no depth here")

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        return Bars.empty()

    def intervals(self) -> Sequence[Interval]:
        return ()

    def history_days(self, interval: Interval) -> int:
        return 30


class Client:
    """A script on the WebSocket API."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def ask(self, **message: Any) -> dict[str, Any]:
        await self.socket.send(json.dumps(message))
        return await self.frame()

    async def frame(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            return dict(json.loads(await self.socket.recv()))

    async def rest(self) -> list[dict[str, Any]]:
        """What had been sent when a ping is answered."""
        await self.socket.send(json.dumps({"action": "ping", "_pingId": "end"}))
        frames = []
        while (frame := await self.frame()).get("_pingId") != "end":
            frames.append(frame)
        return frames


class Rig:
    def __init__(self, terminal: Terminal, key: str) -> None:
        self.terminal, self.key, self.feed = terminal, key, Feed()
        terminal.hub.set_source(self.feed)
        self.sockets: list[ClientConnection] = []

    async def client(self) -> Client:
        assert self.terminal.api is not None
        self.sockets.append(await connect(self.terminal.api.ws_url, max_queue=None))
        made = Client(self.sockets[-1])
        assert (await made.ask(action="authenticate", api_key=self.key))["status"] == "success"
        return made


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setenv("OPENALGO_VAULT", "file")
    overrides = {"api.rest_port": 0, "api.ws_port": 0}
    terminal = Terminal(TerminalOptions(data_dir=tmp_path, overrides=overrides, sim_frozen=True))
    await terminal.start()
    made = Rig(terminal, (await terminal.keys.create("script", KeyRights.TRADE))[1].reveal())
    yield made
    for socket in made.sockets:
        await socket.close()
    await terminal.stop()


def refusal(key: Key, reason: str) -> dict[str, Any]:
    row = {"symbol": key[1], "exchange": key[0], "status": "error", "message": reason}
    return {**row, "broker": "simulator"}


async def subscribe(client: Client, key: Key, mode: int) -> None:
    answer = await client.ask(action="subscribe", symbol=key[1], exchange=key[0], mode=mode)
    assert answer["status"] == "success", answer


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
async def test_a_refusal_reaches_who_asked_the_log_and_the_hub(
    rig: Rig, late: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    if not late:
        rig.feed.full.add(SBIN)
    reason = GONE if late else FULL
    asked, other = await rig.client(), await rig.client()
    await subscribe(other, TCS, 1)
    await subscribe(asked, SBIN, 2)
    await until(lambda: SBIN in rig.feed.asked, "the subscription")
    if late:
        assert await asked.rest() == []
        rig.feed.refused(SBIN, DataError(GONE))
    await until(lambda: rig.terminal.hub.refusal(SBIN), "the refusal")
    (frame,) = await asked.rest()
    assert (frame["type"], frame["status"]) == ("subscribe", "partial")
    assert frame["subscriptions"] == [refusal(SBIN, reason)]
    assert await other.rest() == []  # nobody else's business
    assert rig.terminal.hub.refusal(SBIN) == reason and rig.terminal.hub.refusal(TCS) == ""
    assert [row.getMessage() for row in caplog.records if "no feed for" in row.getMessage()] == [
        f"no feed for NSE:SBIN: {reason}"
    ]


async def test_who_asks_later_hears_it_too_and_its_first_tick_ends_it(rig: Rig) -> None:
    rig.feed.full.add(SBIN)
    first = await rig.client()
    await subscribe(first, SBIN, 1)
    await until(lambda: rig.terminal.hub.refusal(SBIN), "the refusal")
    later = await rig.client()
    await subscribe(later, SBIN, 1)
    assert [frame["subscriptions"] for frame in await later.rest()] == [[refusal(SBIN, FULL)]]
    rig.feed.sink(Tick("SBIN", "NSE", 800.0))  # the feed has it again
    assert rig.terminal.hub.refusal(SBIN) == ""
    for client in (first, later):
        frames = await client.rest()
        assert frames[-1]["type"] == "market_data" and frames[-1]["data"]["ltp"] == 800.0
