"""The runner's eyes for what leaves on a connection: each kind of fault is seen, and an adapter
that sends nothing fails every case that records a frame."""

from __future__ import annotations

from typing import Any

import pytest

from openalgo_desktop.brokers.kit.feed.codec import (
    Message,
)
from tests.wire.feed import Feed
from tests.wire.frames import case_problems, frame_differences
from tests.wire.made_up import (
    ADDRESS,
    CASES,
    LISTEN,
    TALKER,
    Silent,
    Talker,
    adapter,
    case_of,
    problems_of,
    stream,
    talks,
)
from tests.wire.vectors import Prepared, VectorFile, load_files, pointer, put

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
