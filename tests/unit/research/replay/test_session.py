"""Steps, speeds, the present, and who may be reached from a replay."""

from __future__ import annotations

import ast
import random
import re
from datetime import date
from pathlib import Path

import pytest

import openalgo_desktop.research.replay as room
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.research.replay.practice import Place
from openalgo_desktop.research.replay.session import Replay
from openalgo_desktop.research.replay.speed import Pace, Speed
from tests.costs import Calls
from tests.unit.research.replay.market import M1, M5, M15, A, B, D, at, buy, replay, walk


async def begun(start: str, *spans: object, days: int = 6) -> Replay:
    session = replay({A: walk(1, days, thin=0.0), B: walk(2, days)})
    await session.begin([(A, span) for span in spans], at(start))  # type: ignore[misc]
    return session


def clock(session: Replay) -> str:
    return session.now.strftime("%d %H:%M:%S")


async def test_a_step_is_a_bar_of_the_smallest_span_and_skips_the_night() -> None:
    session = await begun("02 15:22", M15, M5)
    seen = []
    for _ in range(4):
        await session.step()
        seen.append(clock(session))
    assert seen == ["02 15:25:00", "02 15:30:00", "03 09:20:00", "03 09:25:00"]
    await session.set_step(A, M15)
    await session.step()
    assert clock(session) == "03 09:30:00"
    seen = []
    for _ in range(3):
        await session.back()
        seen.append(clock(session))
    assert seen == ["02 15:30:00", "02 15:15:00", "02 15:00:00"]


async def test_each_bar_is_told_to_be_closed_once() -> None:
    session = await begun("02 09:15", M1, M5)
    heard: list[LiveBar] = []
    session.source.follow(A, M5, heard.append)
    for _ in range(7):
        await session.step()
    session.speed = Speed(1.0)
    session.advance(20.5)
    closed = [bar for bar in heard if bar.closed]
    assert [bar.time for bar in closed] == [at("02 09:15") + 300 * n for n in range(5)]
    assert [bar.time for bar in heard if bar.began] == [bar.time for bar in closed] + [
        at("02 09:40")
    ]
    whole = await session.source.get(A, M5, 0, closed[-1].time + 1)
    assert [bar.close for bar in closed] == whole.close.tolist()[-5:]


async def test_back_goes_beyond_the_day_of_the_start() -> None:
    session = await begun("03 09:16", M1)
    await session.back()
    await session.back()
    assert clock(session) == "02 15:29:00" and len(session.reel.tapes[A]) > 374
    assert (await session.source.get(A, M1, 0, 1 << 40)).time[-1] == at("02 15:28")


async def test_bars_a_second_and_times_the_market() -> None:
    session = await begun("02 09:15", M5)
    session.speed = Speed(2.0)
    session.advance(0.75)
    assert clock(session) == "02 09:22:30"
    session.speed = Speed(60.0, Pace.REAL)
    session.advance(1.5)
    assert clock(session) == "02 09:24:00"
    session.speed = Speed(3600.0, Pace.REAL)
    session.advance(6.5)  # the night takes no time
    assert clock(session) == "03 09:39:00"


async def test_it_plays_and_pauses_and_stops_at_the_present() -> None:
    session = await begun("09 15:28", M1)
    heard: list[float] = []
    session.changed.append(lambda: heard.append(session.reel.now))
    assert await session.step() and await session.step()
    assert not await session.step()
    assert clock(session) == "09 15:30:00"
    session.play()
    assert session.playing
    await session.pause()
    assert not session.playing and heard
    await session.close()
    session.play()
    assert not session.playing


async def test_the_next_session_and_a_random_day() -> None:
    session = await begun("02 11:00", M5)
    await session.next_session()
    assert clock(session) == "03 09:15:00"
    await session.jump(at("06 12:00"))
    await session.next_session()
    assert clock(session) == "09 09:15:00"  # over the weekend
    assert not await session.next_session()
    calendar, today = MarketCalendar(), date(2026, 11, 30)
    for seed in range(5):
        moment = Replay.random_moment(calendar, "NSE", today, random.Random(seed))
        assert moment < at("29 00:00") and (moment + 19_800) % 86_400 == 9.25 * 3600
        late = Replay.random_moment(calendar, "NSE", today, random.Random(seed), date(2026, 11, 26))
        assert at("26 00:00") < late < at("29 00:00")
    with pytest.raises(DataError, match="no trading days"):
        Replay.random_moment(calendar, "NSE", today, random.Random(1), today)


async def test_what_cannot_begin_says_why() -> None:
    session = replay({A: walk(1)})
    with pytest.raises(DataError, match="chart with an instrument"):
        await session.begin([], at("02 10:00"))
    with pytest.raises(DataError, match="in the past"):
        await session.begin([(A, M1)], at("30 12:00"))
    with pytest.raises(DataError, match="no bars of BBB from 02 Nov 2026"):
        await replay({A: walk(1)}).begin([(B, M1)], at("02 10:00"))


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("0.5", Speed(0.5)),
        ("100 bars/s", Speed(100.0)),
        ("10x", Speed(10.0, Pace.REAL)),
    ],
)
def test_speeds_are_read_as_they_are_shown(text: str, speed: Speed) -> None:
    assert Speed.parse(text) == speed == Speed.parse(speed.text)


@pytest.mark.parametrize("text", ["", "fast", "0", "101", "nan", "1e9x"])
def test_what_is_no_speed_is_told(text: str) -> None:
    with pytest.raises(DataError, match=r"0\.1 to 100 bars/s"):
        Speed.parse(text)


async def test_a_step_is_little_work_and_no_more_later_on() -> None:
    """Ten thousand in less than a second: about 80 calls each."""
    session = await begun("02 09:15", M1, M5, D, days=12)
    for track in session.reel.tracks.values():
        track.listeners.append(lambda bar: None)
    await session.step()
    session.do(Place(buy(price=50.0)))  # something rests, too
    costs: list[float] = []
    while await session._loader.ahead() or not costs:
        steps = 0
        with Calls() as made:
            while session.step_loaded():
                steps += 1
        costs.append(made.count / steps)
    assert len(costs) >= 3
    assert max(costs) < 110 and costs[-1] < 1.2 * costs[0], costs


def test_nothing_of_a_replay_names_who_could_send() -> None:
    """The import contract keeps the packages out; this keeps their doors out as well."""
    words = re.compile(
        r"\b(TradingGateway|TickSource|MarketSource|OrderDesk|publish|_?desk|_?hub)\b"
    )
    for file in Path(room.__path__[0]).glob("*.py"):
        tree = ast.parse(file.read_text())
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {
            row.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for row in node.names
        }
        assert not [name for name in names if words.fullmatch(name)], file.name


async def test_the_last_bar_of_a_session_ends_with_it_also_in_its_countdown() -> None:
    hour = Span.parse("1h")
    made = replay({A: walk(5, thin=0.0)})
    await made.begin([(A, hour)], at("03 15:20:30"))
    await made.source.get(A, hour, int(at("03 09:15")), int(at("03 15:30")))
    assert made.source.countdown(A, hour) == 9.5 * 60
    await made.jump(at("03 14:45:30"))
    assert made.source.countdown(A, hour) == 29.5 * 60
    await made.close()
