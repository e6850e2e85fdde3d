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
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.history import ChartHistory, Report


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
