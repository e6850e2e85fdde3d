"""The runner's eyes for feeds: quotes that come from them, transports whose protocol a library
speaks, modes, packets with an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.kit.feed.codec import (
    Frame,
    Message,
    Sending,
    StreamEvent,
    text_of,
)
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick, TickExtras
from tests.wire.feed import Feed, frame_of, tick_row, views
from tests.wire.made_up import (
    KITE,
    TALKER,
    Silent,
    Talker,
    adapter,
    case_of,
    one,
    problems_of,
    stream,
    talks,
)
from tests.wire.test_recorded import played
from tests.wire.test_streams import stream_ticks, tick_differences
from tests.wire.transports import plain
from tests.wire.vectors import Prepared, pointer, prepare, put


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


# -- depth ----------------------------------------------------------------------------------
class Deep(Silent):
    """Subscribes to as many levels as it was told."""

    def __init__(self, *made_of: Any) -> None:
        super().__init__(*made_of)
        self.levels: dict[Key, int] = {}

    def deepen(self, levels: Mapping[Key, int]) -> None:
        self.levels.update(levels)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        return [f"+{key[1]} {self.levels.get(key, 5)}" for key in wanted]


@pytest.mark.parametrize(
    ("levels", "host", "frame", "right"),
    [
        (20, "deep", "+SBIN 20", True),
        (50, "deep", "+SBIN 50", True),
        (5, "feed", "+SBIN 5", True),
        (20, "feed", "+SBIN 20", False),
        (50, "deep", "+SBIN 20", False),
    ],
)
async def test_deeper_books_have_their_own_connection(
    levels: int, host: str, frame: str, right: bool
) -> None:
    broker = adapter(
        stream(Deep, "market"),
        stream(Deep, "market", id="deep", url="/deep", levels=(20, 50)),
    )
    frames = [{"url": f"wss://ws.kite.trade/{host}"}, {"text": frame}]
    file = talks(subscribe=[case_of("subscribe", frames, **{**one("depth"), "depth": levels})])
    assert (await problems_of("subscribe", file, broker) == []) is right
