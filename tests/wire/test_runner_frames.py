"""The runner's eyes for what leaves on a connection: each kind of fault is seen, and an adapter
that sends nothing fails every case that records a frame."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

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
    text_of,
)
from openalgo_desktop.brokers.kit.spec import Call, Op, StreamSpec
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import ProtocolError
from openalgo_desktop.core.model import Key, Tick, TickExtras
from tests.wire.feed import Feed, frame_of, tick_row, views
from tests.wire.frames import case_problems, frame_differences, history
from tests.wire.test_recorded import played
from tests.wire.test_streams import stream_ticks, tick_differences
from tests.wire.transports import plain
from tests.wire.vectors import Prepared, VectorFile, load_files, pointer, prepare, put

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


FRAMES = [
    pytest.param(file, case, id=f"{file.path.stem}-{case['id']}")
    for file in load_files()
    for case in file.section("subscribe")
    if case["frames"]
]


@pytest.mark.parametrize(("file", "case"), FRAMES)
async def test_an_adapter_that_sends_nothing_fails(file: VectorFile, case: dict[str, Any]) -> None:
    nothing = adapter(stream(Silent, "market"), stream(Silent, "orders"))
    assert await case_problems(Feed(nothing, file), Prepared(case))


def test_there_are_frames() -> None:
    assert len(FRAMES) >= 5


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


@pytest.mark.parametrize("name", CASES)
async def test_what_is_right_passes(name: str) -> None:
    assert await problems_of(name, talks()) == []


@pytest.mark.parametrize(
    ("name", "where", "value", "said"),
    [
        ("connect", "/frames/0/http/url", "https://api.kite.trade/other", "/url"),
        ("connect", "/frames/0/http/headers/x-kite-version", "4", "x-kite-version"),
        ("connect", "/frames/0", "$absent", "1 frames instead of 0|nobody recorded this http"),
        ("connect", "/frames/1/url", "wss://ws.kite.trade/feeds?ticket=T", "/url"),
        ("connect", "/frames/1/url", "wss://ws.kite.trade/feed?ticket=T&v=2", "/url/v: missing"),
        ("connect", "/frames/1/headers/x-kind", "orders", "/headers/x-kind"),
        ("connect", "/frames/1/headers/x-more", "1", "header missing"),
        ("connect", "/frames/2/text", '{"key":"L","t":"login"}', "/key"),
        ("connect", "/frames/2", "$absent", "nobody recorded this frame"),
        ("order_connect", "/frames/0/url", ADDRESS, "/url"),
        ("order_connect", "/frames/2/text", '{"t":"trades"}', "'orders', wanted 'trades'"),
        ("receive", "/frames/0/text", '{"t":"no"}', "not understood: odd"),
        ("heartbeat", "/frames/0/text", '{"t":"hb"}', "wanted 'hb'"),
        ("heartbeat", "/frames/0/hex", "00", "wanted 00"),
        ("http", "/frames/0/http/method", "PUT", "POST instead of PUT"),
        ("http", "/frames/0/http/url", "https://api.kite.trade/listeners", "/url"),
        ("http", "/frames/0/http/query/a", "1", "query/a: missing"),
        ("http", "/frames/0/http/headers/x-client", "other", "x-client"),
        ("http", "/frames/0/http/body/names/0", "NSE|TCS", "/body/names/0"),
        ("http", "/frames/0/http/body/mode", 1, "another JSON type"),
        ("http", "/frames/0/http/body/mode", "$absent", "/body/mode: not wanted"),
        ("http", "/frames", [], "1 frames instead of 0"),
        ("http", "/frames/1", {"text": "more"}, "1 frames instead of 2"),
        ("http", "/frames/0", {"text": "listen"}, "a request instead of"),
        ("binary", "/frames/0/text", '{"t":"q","k":"NSE|SBIN"}', "/k"),
        ("binary", "/frames/0/opcode", "text", "wrong kind of frame"),
        ("binary", "/frames/0/terminator", "\r", "does not end with"),
        ("binary", "/frames/0/event", "quote", "has no address"),
        ("event", "/frames/0/event", "quotes", "to 'depth', wanted 'quotes'"),
        ("event", "/frames/0/event", "$absent", "has an address"),
        ("event", "/frames/0/text", '{"k":"NSE|INFY"}', "/k"),
        ("hex", "/frames/0/hex", "0702", "wanted 0702"),
        ("hex", "/frames", [], "1 frames instead of 0"),
    ],
)
async def test_it_notices(name: str, where: str, value: Any, said: str) -> None:
    file = talks()
    case = next(case for case in file.section("subscribe") if case["id"] == name)
    put(case, pointer(where), value)
    problems = await problems_of(name, file)
    assert any(part in problem for problem in problems for part in said.split("|")), problems


async def test_what_another_case_recorded_may_be_sent() -> None:
    """A recorder wrote addresses and frames of the same moment into two cases."""
    file = talks()
    connect = file.section("subscribe")[0]
    address, login = ([frame] for frame in connect["frames"][1:])
    file.data["subscribe"] = [
        {**connect, "frames": [connect["frames"][0], *address]},
        {**connect, "id": "then", "frames": login},
    ]
    assert await problems_of("connect", file) == [] == await problems_of("then", file)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": "success", "data": {"ticket": "T"}}, ""),
        ({"status": "success", "data": {"ticket": "U"}}, "/url/ticket"),
        ({"status": "error", "message": "No tickets left"}, "No tickets left"),
    ],
)
async def test_a_recorded_answer_gives_the_address(answer: dict[str, Any], said: str) -> None:
    file = talks()
    replies = [{"status": 200, "body": answer}]
    file.section("subscribe")[0]["extra"] = {"http_response": replies}
    problems = await problems_of("connect", file)
    assert said in problems[0] if said else not problems


async def test_a_rule_speaks_of_the_place_in_the_case() -> None:
    """Whatever of it is looked at beside: requests, addresses and frames are judged apart."""
    file = talks()
    case = file.section("subscribe")[0]
    put(case, pointer("/frames/2/text"), '{"key":"L","t":"login"}')

    async def problems_without(place: str) -> list[str]:
        return await case_problems(Feed(TALKER, file), Prepared(case, [pointer(place)]))

    assert await problems_without("/frames/2/text/key") == []
    assert await problems_without("/frames/2") == []
    assert await problems_without("/frames/0")


async def test_a_missing_heartbeat_and_a_missing_order_stream_are_noticed() -> None:
    mute = adapter(stream(Talker, "market"), listen=LISTEN)
    (problem,) = await problems_of("heartbeat", talks(), mute)
    assert "0 frames instead of 1" in problem
    (problem,) = await problems_of("order_connect", talks(), mute)
    assert "no stream carries orders" in problem


@pytest.mark.parametrize("action", ["ack", "channel", "resolve", "reply", "disconnect"])
async def test_an_action_that_nobody_knows_is_noticed(action: str) -> None:
    file = talks(subscribe=[case_of(action, [{"hex": "00"}])])
    (problem,) = await problems_of(action, file)
    assert "steps.py" in problem


async def test_a_subscription_without_symbols_needs_words_of_its_own() -> None:
    file = talks(subscribe=[case_of("subscribe", [{"text": "a"}])])
    assert "steps.py" in (await problems_of("subscribe", file))[0]


def test_a_message_must_go_to_the_recorded_topic() -> None:
    assert not frame_differences([{"topic": "orders/7"}], [Message("orders/7")])
    assert not frame_differences([{"topic": "orders/7"}], ["orders/7"])
    assert frame_differences([{"topic": "orders/7"}], [Message("orders/8")])
    assert frame_differences([{"topic": "orders/7"}], ["orders/8"])
    assert not frame_differences([{"text": "[1]", "event": "e"}], [Message("e", [1])])
    assert frame_differences([{"text": "[1]", "event": "e"}], [Message("e", [2])])
    assert not frame_differences([{"hex": "01ff", "topic": "t"}], [Message("t", b"\x01\xff")])
    assert frame_differences([{"hex": "01ff", "topic": "t"}], [Message("t", "01ff")])


# -- quotes from the feed -------------------------------------------------------------------
class Quotes(Talker):
    """Sends whole quotes for a name."""

    awaits_ready = False

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        return [f"+{symbol} {int(mode)}" for (_, symbol), mode in wanted.items()]

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        return [f"-{symbol}" for _, symbol in keys]

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        symbol, price = text_of(frame).split("=")
        return [Tick(symbol, "NSE", float(price), FeedMode.QUOTE, 0)]


QUOTES = msgspec.structs.replace(
    KITE,
    spec=msgspec.structs.replace(
        KITE.spec,
        id="made up",
        streams=(stream(Quotes, "market", modes={FeedMode.LTP: "l", FeedMode.QUOTE: "q"}),),
        capabilities=msgspec.structs.replace(KITE.spec.capabilities, feed_quotes=True),
    ),
)


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("/expect/ltp", 812.5, ""),
        ("/expect/ltp", 812.6, "ltp"),
        ("/frames_sent/0/text", "+SBIN 1", "+SBIN"),
        ("/frames_sent/1", "$absent", "2 frames instead of 1"),
        ("/stream_in/0/text", "TCS=812.5", "no quote"),
        ("/stream_in", {"SBIN": {"ltp": 812.5}}, "no quote"),
        ("/input/symbol", "TCS", "+TCS"),
    ],
)
async def test_quotes_from_the_feed_are_compared(where: str, value: Any, said: str) -> None:
    case = {
        "id": "q", "op": "quotes", "input": {"symbol": "SBIN", "exchange": "NSE"}, "http": [],
        "stream_in": [{"text": "SBIN=812.5"}],
        "frames_sent": [{"text": "+SBIN 2"}, {"text": "-SBIN"}],
        "expect": {"ltp": 812.5},
    }  # fmt: skip
    put(case, pointer(where), value)
    _, problems = await played(QUOTES, talks(), Prepared(case))
    assert any(said in problem for problem in problems) if said else not problems, problems


# -- transports whose protocol a library speaks ---------------------------------------------
#: What MQTT 3.1.1 has for: connect as ``desk`` with user ``ME`` and password ``P``; subscribe to
#: and unsubscribe from two topics.
MQTT = {
    "connect": "101700044d51545404c2003c00046465736b00024d45000150",
    "subscribe": "820e00010003612f31000003612f3200",
    "unsubscribe": "a20c00020003612f310003612f32",
}


def test_packets_of_mqtt_are_topics() -> None:
    def opened(name: str) -> list[dict[str, Any]]:
        return plain("mqtt", [{"hex": MQTT[name]}])

    options = {"client_id": "desk", "username": "ME", "password": "P"}
    assert opened("connect") == [{"options": options}]
    assert opened("subscribe") == [{"topic": "a/1"}, {"topic": "a/2"}]
    assert opened("unsubscribe") == [{"topic": t, "gone": True} for t in ("a/1", "a/2")]
    assert plain("mqtt", [{"hex": "c000"}]) == []  # a heartbeat
    assert plain("websocket", [{"hex": "8200"}]) == [{"hex": "8200"}]
    with pytest.raises(ValueError):
        plain("mqtt", [{"hex": "82ff0100"}])


def test_lines_of_nats_are_subjects() -> None:
    before = [{"text": "SUB ltp.3045 1\r\n"}]
    lines = [{"text": text} for text in ("SUB book.7 2\r\n", "UNSUB 1\r\n", "PING\r\n")]
    assert plain("nats", lines, before) == [
        {"topic": "book.7"},
        {"topic": "ltp.3045", "gone": True},
    ]


class Topics(Silent):
    """Subscribes by topics."""

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        return [Message(f"a/{number}", "") for number, _ in enumerate(wanted, 1)]

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        return [Message(f"a/{number}", None) for number, _ in enumerate(keys, 1)]


class StillThere(Topics):
    """Does not end what it asked for."""

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        return [Message(f"a/{number}", "") for number, _ in enumerate(keys, 1)]


@pytest.mark.parametrize(
    ("codec", "user", "wrong"),
    [
        (Topics, "ME", ()),
        (Topics, "YOU", ("connect",)),
        (StillThere, "ME", ("unsubscribe",)),
        (Silent, "ME", ("subscribe", "unsubscribe")),
    ],
)
async def test_topics_are_compared(codec: type[Silent], user: str, wrong: tuple[str, ...]) -> None:
    two = {"symbols": [{"symbol": s, "exchange": "NSE"} for s in ("SBIN", "TCS")]}
    file = talks(
        subscribe=[
            case_of(name, [{"hex": text}], **({} if name == "connect" else two))
            for name, text in MQTT.items()
        ]
    )
    options = {"client_id": "desk", "username": user, "password": "P"}
    broker = adapter(stream(codec, "market", transport="mqtt", options=options))
    found = {name: await problems_of(name, file, broker) for name in MQTT}
    assert {name for name, problems in found.items() if problems} == set(wrong), found


# -- modes ----------------------------------------------------------------------------------
class OneMode(Silent):
    """Keeps one mode per instrument: a move ends the mode before."""

    def __init__(self, *made_of: Any) -> None:
        super().__init__(*made_of)
        self.modes: dict[Key, FeedMode] = {}

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        frames: list[Sending] = []
        for key, mode in wanted.items():
            if key in self.modes:
                frames += self.unsubscribe([key])
            frames.append(f"+{key[1]} {int(mode)}")
            self.modes[key] = mode
        return frames

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        return [f"-{key[1]} {int(self.modes.pop(key))}" for key in keys]


class Leaky(OneMode):
    """Moves wrongly: it ends a mode that was never asked for."""

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        moving = len(self.modes) > 1
        frames = super().unsubscribe(keys)
        return [*frames, "-all"] if moving else frames


async def test_the_recordings_count_each_mode_by_itself() -> None:
    """A move may end the older mode, which the recordings keep; nothing else may be there."""
    steps = [
        case_of("subscribe", [{"text": "+SBIN 1"}], **one("ltp")),
        case_of("subscribe", [{"text": "+TCS 1"}], **one("ltp", "TCS")),
        case_of("subscribe", [{"text": "+SBIN 2"}], **one("quote")),
        case_of("unsubscribe", [{"text": "-SBIN 1"}], **one("ltp")),
        case_of("unsubscribe", [{"text": "-SBIN 2"}], **one("quote")),
    ]
    file = talks(subscribe=[{**case, "id": str(n)} for n, case in enumerate(steps)])
    good = adapter(stream(OneMode, "market"))
    for number in range(len(steps)):
        assert await problems_of(str(number), file, good) == []
    assert await problems_of("2", file, adapter(stream(Leaky, "market")))
    file.section("subscribe")[2]["frames"] = []
    assert await problems_of("2", file, good)


def test_a_tick_serves_the_modes_below_it() -> None:
    tick = Tick("SBIN", "NSE", 1.0, FeedMode.QUOTE, 0)
    seen = [view.mode for view in views(tick, {FeedMode.LTP, FeedMode.QUOTE, FeedMode.DEPTH})]
    assert seen == [FeedMode.LTP, FeedMode.QUOTE]
    assert [view.mode for view in views(tick, {FeedMode.DEPTH})] == [FeedMode.QUOTE]


def test_extras_of_a_tick_are_rows_of_its_own() -> None:
    extras = TickExtras(week_52_high=912.0, oi_change=0)
    row = tick_row(Tick("SBIN", "NSE", 1.0, FeedMode.QUOTE, 0, extras=extras))
    assert (row["week_52_high"], row["oi_change"]) == (912.0, 0)
    assert "prev_oi" not in row and "extras" not in row
    assert "extras" not in tick_row(Tick("SBIN", "NSE", 1.0))


# -- packets --------------------------------------------------------------------------------
def test_packets_with_an_event_or_a_topic_are_messages() -> None:
    assert frame_of({"text": "a", "event": "tick"}) == Message("tick", "a")
    assert frame_of({"hex": "00ff", "topic": "t/1"}) == Message("t/1", b"\x00\xff")
    assert frame_of({"text": "a"}) == "a" and frame_of({"hex": "00"}) == b"\x00"


@pytest.mark.parametrize(
    ("event", "mode", "right"),
    [("ltp", "quote", True), ("depth", "quote", False), ("ltp", "depth", False)],
)
def test_a_tick_of_another_event_or_mode_is_noticed(event: str, mode: str, right: bool) -> None:
    file = talks()
    case = {
        "id": "t",
        "subscribed": [{"symbol": "SBIN", "exchange": "NSE", "mode": "quote"}],
        "packets": [{"text": "SBIN=812.5", "event": event}],
        "expect": [{"symbol": "SBIN", "exchange": "NSE", "mode": mode, "ltp": 812.5}],
    }
    ticks = stream_ticks(Feed(TALKER, file), case)
    found = tick_differences(case["expect"], ticks, prepare("x", case), file, False)  # type: ignore[arg-type]
    assert (not found) is right
