"""The streams of a vector file: the connections of an adapter without a network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import httpx
import msgspec

from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    Message,
    OrderRow,
    Reply,
    Request,
    Sending,
    StreamCodec,
)
from openalgo_desktop.brokers.kit.feed.links.base import Address, address_of
from openalgo_desktop.brokers.kit.rest.values import pick
from openalgo_desktop.brokers.kit.spec import Call, StreamSpec
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick
from tests.wire.harness import Wire
from tests.wire.uniform import order_row
from tests.wire.vectors import VectorFile

MODES = {"ltp": FeedMode.LTP, "quote": FeedMode.QUOTE, "depth": FeedMode.DEPTH}
_TEXT = {mode: text for text, mode in MODES.items()}

#: What leaves: a request, the address of a connection, or a frame.
Sent: TypeAlias = httpx.Request | Address | Frame


class NoStream(Exception):
    """The adapter has no such stream."""


class Line:
    """One connection of a stream."""

    def __init__(self, spec: StreamSpec, wire: Wire, values: Mapping[str, Any]) -> None:
        self.spec = spec
        self.wire = wire
        self.values = dict(values)
        self.codec: StreamCodec = self._codec()
        self.modes: dict[Key, FeedMode] = {}  # what was asked for here

    def _codec(self) -> StreamCodec:
        codec: StreamCodec = self.spec.codec(self.wire.index, self.wire.clock, self.values)
        return codec

    def fresh(self) -> Line:
        """Another connection of the same stream."""
        return Line(self.spec, self.wire, self.values)

    def subscribe(self, keys: Mapping[Key, FeedMode]) -> list[Sending]:
        """What the adapter sends for these."""
        frames = list(self.codec.subscribe(keys))
        self.modes.update(keys)
        return frames

    def unsubscribe(self, keys: Sequence[Key]) -> list[Sending]:
        """What it sends to end them."""
        frames = list(self.codec.unsubscribe(keys))
        for key in keys:
            self.modes.pop(key, None)
        return frames

    def try_subscribe(self, keys: Mapping[Key, FeedMode]) -> None:
        """Subscribe, one by one where some cannot be streamed: as the stream client does."""
        try:
            self.subscribe(keys)
        except AppError:
            for key, mode in keys.items() if len(keys) > 1 else ():
                self.try_subscribe({key: mode})

    def ending(self, keys: Mapping[Key, FeedMode]) -> list[Sending]:
        """What a connection that has exactly these sends to end them."""
        line = self.fresh()
        line.subscribe(keys)
        return line.unsubscribe(list(keys))

    def heartbeat(self) -> list[Frame]:
        """The heartbeat of the stream; none when it has no frame for it."""
        return [self.spec.ping_frame] if self.spec.ping > 0 and self.spec.ping_frame else []

    def address(self) -> Address:
        """Where it connects to."""
        return address_of(self.spec, self.wire.rest.hosts, self.values)


class Feed:
    """The connections of one account, fed with recorded frames."""

    def __init__(self, broker: Broker, file: VectorFile) -> None:
        self.broker = broker
        self.file = file
        self.wire = Wire(broker, file)
        self.failures: list[str] = []
        self._lines: dict[str, Line] = {}

    def line(self, carries: str, levels: int | None = None) -> Line:
        """The connection that carries ``market`` or ``orders``; with so many depth levels, where
        a stream has them."""
        streams = [stream for stream in self.broker.spec.streams if carries in stream.carries]
        if not streams:
            raise NoStream(f"{self.broker.spec.title}: no stream carries {carries}")
        spec = next((stream for stream in streams if levels in stream.levels), streams[0])
        if spec.id not in self._lines:
            self._lines[spec.id] = Line(spec, self.wire, self.wire.session.context())
        return self._lines[spec.id]

    def play(self, line: Line, packets: Iterable[Mapping[str, Any]]) -> list[Any]:
        """The events of recorded packets; what was wrong with them is in ``failures``."""
        events: list[Any] = []
        for packet in packets:
            for event in line.codec.decode(frame_of(packet)):
                if isinstance(event, Failure):
                    self.failures.append(event.error.message)
                else:
                    events.append(event)
        return events

    def updates(self, events: Iterable[Any]) -> list[dict[str, Any]]:
        """The order updates among events, in uniform form."""
        return [
            order_row(order)
            for event in events
            if isinstance(event, OrderRow)
            for order in self.wire.api.read_orders([event.row])
        ]

    # -- what leaves ------------------------------------------------------------------------
    async def sent(self, line: Line, frames: Iterable[Sending]) -> list[Sent]:
        """Frames as they are, requests as the adapter's own client sends them."""
        found: list[Sent] = []
        for frame in frames:
            if isinstance(frame, Request):
                op = self.broker.spec.ops[frame.op]
                values = {**line.values, **frame.values}
                found += await self._requests(Call(op, {}), values, {})
            else:
                found.append(frame)
        return found

    async def _requests(
        self,
        call: Call,
        values: Mapping[str, Any],
        given: dict[str, Any],
        replies: Iterable[Mapping[str, Any]] = (),
    ) -> list[httpx.Request]:
        """The requests of a call; ``given`` gets what it gives, when a reply was recorded. Raises
        the error of a recorded reply."""
        server = self.wire.server
        server.replies, before = list(replies), len(server.sent)
        served = bool(server.replies)
        try:
            data = await self.wire.rest.call(call.op, values)
        except AppError:
            if served:
                raise
        else:
            given |= {name: pick(data, path) for name, path in call.gives.items()}
        return server.sent[before:]

    async def fetched(
        self, line: Line, address: str, replies: Sequence[Mapping[str, Any]]
    ) -> list[httpx.Request]:
        """The requests that the stream makes before it connects; their values are the line's
        from then on. Those of an answer that nobody recorded are read out of the recorded
        ``address``, which was made of them."""
        found: list[httpx.Request] = []
        unknown: list[str] = []
        for number, call in enumerate(line.spec.fetch):
            found += await self._requests(call, line.values, line.values, replies[number:][:1])
            unknown += [name for name in call.gives if name not in line.values]
        line.values |= _read_out(line, address, unknown)
        line.codec = line.fresh().codec
        return found

    async def login_requests(self) -> list[httpx.Request]:
        """The requests that the logins and second sessions make: some feeds log in with them."""
        spec = self.broker.spec
        steps = [step for login in spec.logins for step in login.steps]
        calls = [*(step for step in steps if isinstance(step, Call)), *spec.renewals.values()]
        found: list[httpx.Request] = []
        for call in calls:
            found += await self._requests(call, self.wire.session.context(), {})
        return found

    def after_login(self, line: Line) -> list[Sending]:
        """What is sent once the server accepted the connection: the answers to its recorded
        frames, then the heartbeat."""
        accepted = [
            packet
            for case in self.file.section("subscribe")
            if case["input"]["action"] == "receive"
            for packet in case["frames"]
        ]
        found: list[Sending] = []
        for event in self.play(line, accepted):
            if isinstance(event, Reply):
                found += event.frames
        return [*found, *line.heartbeat()]

    def wanted(self, rows: Iterable[Mapping[str, Any]], mode: str | None) -> dict[Key, FeedMode]:
        """Subscriptions as the stream client keeps them: the highest mode per instrument."""
        result: dict[Key, FeedMode] = {}
        for row in rows:
            key = (row["exchange"], row["symbol"])
            asked = MODES[row.get("mode") or mode or "quote"]
            result[key] = max(asked, result.get(key, FeedMode.LTP))
        return result


def _read_out(line: Line, address: str, names: Sequence[str]) -> dict[str, str]:
    """The values of these names that make the line's address the recorded one."""
    if not names:
        return {}
    marks = {name: f"UNKNOWN{number}VALUE" for number, name in enumerate(names)}
    line.values |= marks
    pattern = re.escape(line.address().url)
    for number, mark in enumerate(marks.values()):
        pattern = pattern.replace(mark, f"(?P<v{number}>.+?)", 1)
    match = re.fullmatch(pattern, address)
    found = match.groupdict() if match is not None else {}
    return {name: found.get(f"v{number}", name) for number, name in enumerate(names)}


def frame_of(packet: Mapping[str, Any]) -> Frame:
    """A recorded packet as the link would give it."""
    data = packet["text"] if "text" in packet else bytes.fromhex(packet["hex"])
    address = packet.get("event") or packet.get("topic")
    return Message(address, data) if address else data


def views(tick: Tick, modes: Iterable[FeedMode]) -> list[Tick]:
    """A tick as the subscribers of these modes see it: one each, as the recordings count them.
    A mode above the tick's own is not served by it; with none left it is itself."""
    served = sorted(mode for mode in set(modes) if mode <= tick.mode)
    return [msgspec.structs.replace(tick, mode=mode) for mode in served] or [tick]


def tick_row(tick: Tick) -> dict[str, Any]:
    """A tick in uniform form."""
    row: dict[str, Any] = msgspec.structs.asdict(tick)
    if (extras := row.pop("extras")) is not None:
        row |= {
            name: value
            for name, value in msgspec.structs.asdict(extras).items()
            if value is not None
        }
    row["exchange"] = str(tick.exchange)
    row["mode"] = _TEXT[FeedMode(tick.mode)]
    row["change"], row["change_percent"] = tick.change, tick.change_percent
    if tick.depth is not None:
        row["depth"] = {
            "buy": [msgspec.structs.asdict(level) for level in tick.depth.buy],
            "sell": [msgspec.structs.asdict(level) for level in tick.depth.sell],
        }
        row["depth_level"] = max(len(tick.depth.buy), len(tick.depth.sell))
    return row
