"""History of a chart: windows older than what is loaded, words for how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from openalgo_desktop.core.charting.ports import Progress
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.history import ChartHistory, Report, gap_words


class FakeDock:
    """What a history needs of its dock."""

    name = "chart"

    def __init__(self) -> None:
        self.bridge = self

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 12)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=name)


def some(count: int) -> Bars:
    i, f = np.arange(count, dtype=np.int64), np.ones(count)
    return Bars(i, f, f, f, f, i, i)


@pytest.fixture
def rig(qapp: object) -> ChartHistory:
    dock: Any = FakeDock()
    return ChartHistory(dock, lambda _span: 10, lambda: None)


async def wait(rig: ChartHistory) -> None:
    while rig.loading:
        await asyncio.sleep(0)


async def test_older_windows_follow_one_another_until_two_are_empty(rig: ChartHistory) -> None:
    asked: list[tuple[date, date]] = []
    texts: list[str] = []
    counts = [30, 20, 0, 10, 0, 0]

    async def ask(first: date, last: date, tell: Report) -> Bars:
        asked.append((first, last))
        tell(Progress(2, 8, "Loading 3 of 8…"))
        texts.append(rig.message.text())
        return some(counts[len(asked) - 1])

    shown: list[int] = []
    assert not rig.older(lambda bars: shown.append(len(bars)))  # nothing is loaded yet
    rig.load(Span.of(Interval.M5), ask, lambda interval, bars: shown.append(len(bars)))
    assert not rig.older(lambda bars: None)  # one load at a time
    await wait(rig)
    while rig.older(lambda bars: shown.append(len(bars))):
        await wait(rig)
    assert shown == counts and rig.ended
    assert asked[:3] == [
        (date(2026, 11, 10), date(2026, 11, 20)),
        (date(2026, 10, 31), date(2026, 11, 9)),
        (date(2026, 10, 21), date(2026, 10, 30)),
    ]
    assert set(texts) == {"Loading 3 of 8…"} and rig.message.text() == ""


async def test_a_long_weekend_neither_is_without_bars_nor_ends_the_history(qapp: object) -> None:
    dock: Any = FakeDock()
    dock.now = lambda: datetime(2026, 11, 22, 12)  # a Sunday; Friday and Thursday were holidays
    rig = ChartHistory(dock, lambda _span: 1, lambda: None)
    asked: list[tuple[date, date]] = []

    async def ask(first: date, last: date, tell: Report) -> Bars:
        asked.append((first, last))
        traded = first <= date(2026, 11, 18) <= last or first <= date(2026, 11, 11) <= last
        return some(10 if traded else 0)

    shown: list[int] = []
    rig.load(Span.parse("1s"), ask, lambda span, bars: shown.append(len(bars)))
    await wait(rig)
    assert shown == [10] and asked[0] == (date(2026, 11, 21), date(2026, 11, 22))
    days = [first.toordinal() for first, _ in asked], [last.toordinal() for _, last in asked]
    assert all(first == last + 1 for first, last in zip(days[0], days[1][1:], strict=False))
    assert rig.older(lambda bars: shown.append(len(bars)))
    await wait(rig)
    assert shown == [10, 10] and not rig.ended  # a week further, in one go
    while rig.older(lambda bars: shown.append(len(bars))):
        await wait(rig)
    assert rig.ended and shown == [10, 10, 0, 0] and len(asked) < 20


async def test_an_older_window_that_fails_is_told_and_asked_for_again(rig: ChartHistory) -> None:
    fails = False
    asked: list[date] = []

    async def ask(first: date, last: date, tell: Report) -> Bars:
        asked.append(last)
        if fails:
            raise NetError("The broker does not answer.")
        return some(5)

    rig.load(Span.of(Interval.M5), ask, lambda interval, bars: None)
    await wait(rig)
    fails = True
    shown: list[Bars] = []
    assert rig.older(shown.append)
    await wait(rig)
    assert rig.message.text() == "The broker does not answer." and not shown
    fails = False
    assert rig.older(shown.append)
    await wait(rig)
    assert asked[1] == asked[2] and len(shown) == 1 and rig.retry.isHidden()


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp())


async def test_holes_of_what_is_kept_are_told_until_they_are_filled(rig: ChartHistory) -> None:
    broken = [True]
    holes = [(moment("2026-11-12 09:15"), moment("2026-11-17 15:30"))]
    heard: list[Any] = []
    filled: list[int] = []
    rig.gaps_changed = heard.append
    rig.refilled = lambda bars: filled.append(len(bars))

    async def ask(first: date, last: date, tell: Report) -> Bars:
        if broken[0] and first < date(2026, 11, 10):
            raise NetError("Asked too often.")
        return some(30)

    async def kept(first: date, last: date) -> Bars:
        return some(20)

    async def missing(first: date, last: date) -> list[tuple[int, int]]:
        return holes

    rig.load(Span.of(Interval.M5), ask, lambda interval, bars: None, kept, missing)
    await wait(rig)
    assert not rig.gaps and rig.retry.isHidden()  # all of it came
    assert rig.older(lambda bars: filled.append(-len(bars)))
    await wait(rig)
    assert filled == [-20] and heard == [tuple(holes)] and not rig.failed
    assert rig.message.text() == "Missing 12 Nov \N{EN DASH} 17 Nov: Asked too often."
    assert not rig.retry.isHidden()
    rig.retry.click()
    await wait(rig)
    assert rig.gaps and filled == [-20, 20]  # again not all: what there is
    broken[0] = False
    rig.retry.click()
    await wait(rig)
    assert filled == [-20, 20, 30] and heard[-1] == () and rig.retry.isHidden()
    assert rig.message.text() == ""


async def test_what_is_asked_anew_is_missing_no_more(rig: ChartHistory) -> None:
    holes = [(moment("2026-11-12 09:15"), moment("2026-11-20 11:00"))]

    async def ask(first: date, last: date, tell: Report) -> Bars:
        if first < date(2026, 11, 10):
            raise NetError("No.")
        return some(3)

    async def kept(first: date, last: date) -> Bars:
        return some(2)

    async def missing(first: date, last: date) -> list[tuple[int, int]]:
        return holes

    rig.load(Span.of(Interval.M5), ask, lambda interval, bars: None, kept, missing)
    await wait(rig)
    rig.older(lambda bars: None)
    await wait(rig)
    assert rig.newer(date(2026, 11, 18), lambda bars: None)
    await wait(rig)
    assert rig.gaps == ((holes[0][0], moment("2026-11-18 00:00")),)


@pytest.mark.parametrize(
    ("span", "gaps", "words"),
    [
        ("5m", [("2026-11-20 11:05", "2026-11-20 15:30")], "20 Nov 11:05 - 15:30"),
        ("5m", [("2025-12-30 09:15", "2026-01-02 15:30")], "30 Dec 2025 - 02 Jan 2026"),
        ("D", [("2026-11-19 05:30", "2026-11-20 05:30")], "19 Nov"),
        (
            "D",
            [("2026-11-02 05:30", "2026-11-04 05:30"), ("2026-11-10 05:30", "2026-11-13 05:30")],
            "10 Nov - 12 Nov and 1 more",
        ),
    ],
)
def test_words_of_what_is_missing(span: str, gaps: list[tuple[str, str]], words: str) -> None:
    found = [(moment(start), moment(end)) for start, end in gaps]
    told = gap_words(found, Span.parse(span), date(2026, 11, 20))
    assert told == words.replace(" - ", " \N{EN DASH} ")


async def test_a_fault_of_the_program_ends_the_load_with_a_reason_and_retry(
    rig: ChartHistory,
) -> None:
    async def ask(first: date, last: date, tell: Report) -> Bars:
        raise TypeError("no such leg")

    async def kept(first: date, last: date) -> Bars:
        return some(3)

    shown: list[int] = []
    rig.load(Span.of(Interval.M5), ask, lambda span, bars: shown.append(len(bars)), kept)
    await wait(rig)
    assert shown == [3] and rig.failed and not rig.retry.isHidden()  # what was kept is there
    assert rig.message.text() == "History failed: an error of the program (TypeError: no such leg)"
