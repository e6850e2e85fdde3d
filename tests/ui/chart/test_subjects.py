"""Arithmetic of legs, live: a bar where all have one, no price of what is lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from openalgo_desktop.core.charting.legs.parser import parse
from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.history import Report
from openalgo_desktop.ui.chart.subjects import Combination

A: Key = ("NSE", "A")
B: Key = ("NSE", "B")
M5 = Span.parse("5m")
DAY = date(2026, 11, 20)


class FakeSource:
    """Bars and listeners by leg."""

    moment = 0.0

    def __init__(self, bars: dict[Key, Bars]) -> None:
        self.bars = bars
        self.tell: dict[Key, Callable[[LiveBar], None]] = {}

    async def get(
        self, key: Key, span: Span, start: int, end: int, progress: Report | None = None
    ) -> Bars:
        return self.bars[key]

    async def of_days(
        self, key: Key, span: Span, first: date, last: date, progress: Report | None = None
    ) -> Bars:
        return self.bars[key]

    async def kept(self, key: Key, span: Span, first: date, last: date) -> Bars:
        return self.bars[key]

    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]:
        self.tell[key] = listener
        return lambda: None


def bars(*rows: tuple[int, float, float]) -> Bars:
    if not rows:
        return Bars.empty()
    time, o, c = (np.array(column) for column in zip(*rows, strict=True))
    o, c = o.astype(float), c.astype(float)
    return Bars(time, o, np.maximum(o, c), np.minimum(o, c), c, time * 0, time * 0)


def live(time: int, opened: float, close: float, *, closed: bool = False) -> LiveBar:
    high, low = max(opened, close), min(opened, close)
    return LiveBar(time, opened, high, low, close, 1.0, 0.0, began=False, closed=closed)


class Rig:
    def __init__(self, history: dict[Key, Bars]) -> None:
        self.source = FakeSource(history)
        self.subject = Combination(self.source, parse("A-B", {"A": A, "B": B}.get))
        self.told: list[LiveBar] = []
        self.subject.follow(M5, self.told.append)

    async def load(self) -> Bars:
        return await self.subject.bars(M5, DAY, DAY, lambda _: None)


HISTORY = {A: bars((0, 10, 11), (300, 11, 12)), B: bars((0, 4, 5), (300, 5, 6))}


async def test_a_bar_begins_with_the_opens_of_its_own_legs_only() -> None:
    it = Rig(HISTORY)
    found = await it.load()
    assert found.close.tolist() == [6.0, 6.0]
    it.source.tell[A](live(300, 11, 12))
    it.source.tell[B](live(300, 5, 6))
    before = len(it.told)
    it.source.tell[A](live(600, 50, 51))  # the other leg has no bar of that time yet
    assert len(it.told) == before
    it.source.tell[B](live(600, 6, 7))
    made = it.told[-1]
    assert (made.time, made.open, made.close, made.began) == (600, 44.0, 44.0, True)
    it.source.tell[A](live(600, 50, 60))
    assert it.told[-1][1:5] == (44.0, 53.0, 44.0, 53.0)


async def test_bars_that_come_whole_as_in_a_replay_make_bars() -> None:
    it = Rig(HISTORY)
    await it.load()
    for time in (600, 900):
        it.source.tell[A](live(time, 20, 21, closed=True))
        it.source.tell[B](live(time, 7, 8, closed=True))
    times = [bar.time for bar in it.told if bar.began]
    assert times == [600, 900] and it.told[-1].close == 13.0


async def test_what_is_lost_has_no_price_until_it_trades_again() -> None:
    it = Rig(HISTORY)
    await it.load()
    it.source.tell[A](live(300, 11, 12))
    it.source.tell[B](live(300, 5, 6))
    it.subject.lose(B)
    before = len(it.told)
    it.source.tell[A](live(300, 11, 90))
    it.source.tell[B](live(300, 5, 6, closed=True))  # its end is no trade
    it.source.tell[A](live(600, 90, 91))
    assert len(it.told) == before
    it.source.tell[B](live(600, 7, 7))
    assert it.told[-1].time == 600 and it.told[-1].close == 84.0


async def test_legs_without_bars_and_of_other_hours_make_none_and_are_named() -> None:
    it = Rig({A: HISTORY[A], B: bars()})
    assert not len(await it.load()) and it.subject.without == (B,)
    other = Rig({A: bars((0, 1, 1)), B: bars((150, 1, 1))})
    assert not len(await other.load()) and other.subject.without == ()
    other.source.tell[A](live(300, 1, 2))
    other.source.tell[B](live(450, 1, 2))
    assert not other.told


async def test_the_forming_bar_has_the_open_that_the_history_told() -> None:
    it = Rig(HISTORY)
    it.source.tell[A](live(300, 12, 12))  # heard since the middle of the bar
    it.source.tell[B](live(300, 6, 6.5))
    await it.load()
    assert it.told[-1].open == 6.0 and it.told[-1].close == 5.5
    it.source.tell[A](live(300, 12, 13))
    assert it.told[-1].open == 6.0 and not math.isnan(it.told[-1].close)


async def test_what_is_kept_of_all_legs_is_kept_of_the_whole() -> None:
    it = Rig(HISTORY)
    found = await it.subject.kept(M5, DAY, DAY)
    assert found.time.tolist() == [0, 300] and found.open.tolist() == [6.0, 6.0]


@pytest.mark.parametrize("order", [(A, B), (B, A)])
async def test_both_orders_of_legs_make_the_same(order: tuple[Key, Key]) -> None:
    it = Rig(HISTORY)
    await it.load()
    rows = {A: live(600, 30, 33), B: live(600, 10, 11)}
    for key in order:
        it.source.tell[key](rows[key])
    assert it.told[-1][:5] == (600, 20.0, 22.0, 20.0, 22.0)
