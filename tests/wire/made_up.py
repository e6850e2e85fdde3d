"""A made-up adapter that sends everything, one that sends nothing, and recordings of it: what the
runner's own tests stand on."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    Message,
    Ready,
    Reply,
    Request,
    Sending,
    StreamEvent,
)
from openalgo_desktop.brokers.kit.spec import Call, Op, StreamSpec
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import ProtocolError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick
from tests.wire.feed import Feed
from tests.wire.frames import case_problems, history
from tests.wire.vectors import Prepared, VectorFile

KITE = Registry(()).get("zerodha")


def adapter(*streams: StreamSpec, **ops: Op) -> Broker:
    """A broker of no folder, with these streams and operations."""
    spec = msgspec.structs.replace(
        KITE.spec, id="made up", streams=streams, ops={**KITE.spec.ops, **ops}
    )
    return msgspec.structs.replace(KITE, spec=spec)


class Silent:
    """A codec that sends nothing and understands nothing."""

    awaits_ready = False

    def __init__(self, *made_of: Any) -> None:
        self.made_of = made_of

    def opened(self) -> Sequence[Frame]:
        return ()

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        return ()

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        return ()

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        return ()


def stream(codec: type[Silent], carries: str, **more: Any) -> StreamSpec:
    """A stream of the made-up adapter."""
    return StreamSpec(
        **{"id": carries, "url": "/feed", "codec": codec, "carries": frozenset({carries}), **more}
    )


# -- an adapter with everything -------------------------------------------------------------
class Talker(Silent):
    """Logs in, waits, subscribes over HTTP for prices and with topics for depth."""

    awaits_ready = True

    def opened(self) -> Sequence[Frame]:
        return ('{"t":"login","key":"K"}',)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        frames: list[Sending] = []
        for (exchange, symbol), mode in wanted.items():
            name = f"{exchange}|{symbol}"
            if mode is FeedMode.LTP:
                frames.append(Request("listen", {"names": [name]}))
            elif mode is FeedMode.QUOTE:
                frames.append(f'{{"t":"q","k":"{name}"}}\n'.encode())
            else:
                frames.append(Message("depth", f'{{"k":"{name}"}}'))
        return frames

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        return [bytes((7, len(keys)))]

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        if isinstance(frame, Message):
            name, price = str(frame.data).split("=")
            if frame.topic != "ltp":
                return [Failure(ProtocolError(f"to {frame.topic}"))]
            return [Tick(name, "NSE", float(price), FeedMode.QUOTE, 0)]
        if frame == '{"t":"ok"}':
            return (Ready(), Reply(('{"t":"orders"}',)))
        return [Failure(ProtocolError("odd"))]


LISTEN = Op(
    method="POST",
    path="/listen",
    encoding="json",
    body={"names": "$names", "mode": "ltp"},
    headers={"X-Client": "desk"},
)
TICKET = Call(Op(method="GET", path="/ticket/{api_key}"), {"ticket": "ticket"})
TALKER = adapter(
    stream(
        Talker,
        "market",
        url="/feed?ticket={ticket}",
        headers={"X-Kind": "market"},
        fetch=(TICKET,),
        ping=5.0,
        ping_frame='{"t":"h"}',
    ),
    stream(Talker, "orders", url="/orders?key={api_key}"),
    listen=LISTEN,
)


def case_of(action: str, frames: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    """A case of the section ``subscribe``."""
    known = {"action": action, "mode": None, "depth": None, "symbols": [], **given}
    return {"id": action, "input": known, "frames": frames}


def one(mode: str | None, symbol: str = "SBIN") -> dict[str, Any]:
    return {"mode": mode, "symbols": [{"symbol": symbol, "exchange": "NSE"}]}


TICKET_REQUEST = {
    "method": "GET", "url": "https://api.kite.trade/ticket/KEY", "query": {}, "encoding": "none",
    "headers": {"x-kite-version": "3"}, "body": None,
}  # fmt: skip
LISTEN_REQUEST = {
    "method": "POST", "url": "https://api.kite.trade/listen", "query": {}, "encoding": "json",
    "headers": {"x-client": "desk"}, "body": {"names": ["NSE|SBIN"], "mode": "ltp"},
}  # fmt: skip
ADDRESS = "wss://ws.kite.trade/feed?ticket=T"
CASES: dict[str, dict[str, Any]] = {
    "connect": case_of(
        "connect",
        [
            {"http": TICKET_REQUEST},
            {"url": ADDRESS, "headers": {"x-kind": "market", "User-Agent": "any"}},
            {"text": '{"key":"K","t":"login"}'},
        ],
    ),
    "order_connect": case_of(
        "order_connect",
        [
            {"url": "wss://ws.kite.trade/orders?key=KEY"},
            {"text": '{"t":"login","key":"K"}'},
            {"text": '{"t":"orders"}'},
        ],
    ),
    "receive": case_of("receive", [{"text": '{"t":"ok"}'}]),
    "heartbeat": case_of("heartbeat", [{"text": '{"t":"h"}'}]),
    "http": case_of("subscribe", [{"http": LISTEN_REQUEST}], **one("ltp")),
    "binary": case_of(
        "subscribe",
        [{"text": '{"t":"q","k":"NSE|ONGC"}', "terminator": "\n", "opcode": "binary"}],
        **one("quote", "ONGC"),
    ),
    "event": case_of(
        "subscribe", [{"text": '{"k":"NSE|TCS"}', "event": "depth"}], **one("depth", "TCS")
    ),
    "hex": case_of("unsubscribe", [{"hex": "0701"}], **one("quote", "ONGC")),
}


def talks(**more: Any) -> VectorFile:
    """A file of recordings that the talking adapter passes."""
    session = {"api_key": "KEY", "auth_token": "A"}
    subscribe = [{**case, "id": name} for name, case in copy.deepcopy(CASES).items()]
    data = {"broker": "made up", "session": session, "subscribe": subscribe, **more}
    return VectorFile(Path("made up"), data)


async def problems_of(name: str, file: VectorFile, broker: Broker = TALKER) -> list[str]:
    """What the runner says of one case of the file, over the cases before it."""
    feed = Feed(broker, file)
    case = next(case for case in file.section("subscribe") if case["id"] == name)
    for earlier in history(file, "subscribe", case):
        await case_problems(feed, Prepared(earlier))
    return await case_problems(feed, Prepared(case))
