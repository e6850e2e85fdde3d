"""The bars of a chart: what was missed comes back, what comes while it loads is neither lost nor
doubled, and the view stays where it is."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.transforms.machine import Running
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.history import ChartHistory, Report
from openalgo_desktop.ui.chart.series import CLOSE, HIGH, OPEN
from openalgo_desktop.ui.rooms.charts.bars import shown as shown_module
from openalgo_desktop.ui.rooms.charts.bars.ports import Followers
from openalgo_desktop.ui.rooms.charts.data import ChartData, days_of
from tests.waiting import wait_for

M5 = Span.parse("5m")
OPENING = int(datetime(2026, 11, 20, 9, 15, tzinfo=IST).timestamp())
STEP = 300


def bar(time: int, close: float = math.nan) -> LiveBar:
    price = 100.0 + time // STEP % 11 if math.isnan(close) else close
    return LiveBar(time, price, price + 1, price - 1, price, 10.0, 0.0, began=False)


def bars_of(rows: list[LiveBar]) -> Bars:
    columns = [np.array(column) for column in list(zip(*rows, strict=True))[:7]]
    time, o, h, low, c, volume, oi = columns
    return Bars(time, o, h, low, c, volume.astype(np.int64), oi.astype(np.int64))


class FakeHolder:
    """Runs tasks and knows the day."""

    name = "chart"

    def __init__(self) -> None:
        self.bridge = self
        self.tasks: list[asyncio.Task[None]] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 12, tzinfo=IST)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(work, name=name))
        return self.tasks[-1]


class FakeSubject:
    """A market whose bars a test decides; it gives those from the first day asked for on."""

    without: tuple[Key, ...] = ()

    def __init__(self, rows: list[LiveBar]) -> None:
        self.rows, self.past = rows, list[LiveBar]()
        self.exact_extremes = True
        self.asked: list[tuple[date, date]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error = ""
        self.of_store: list[LiveBar] = []
        self.holes: list[tuple[int, int]] = []
        self.tell: Callable[[LiveBar], None] = lambda _: None

    async def bars(self, span: Span, first: date, last: date, tell: Report) -> Bars:
        self.asked.append((first, last))
        await self.gate.wait()
        if self.error:
            raise NetError(self.error)
        rows = self.rows if last >= date(2026, 11, 20) else self.past
        return bars_of(rows) if rows else Bars.empty()

    async def kept(self, span: Span, first: date, last: date) -> Bars:
        return bars_of(self.of_store) if self.of_store else Bars.empty()

    async def missing(self, span: Span, first: date, last: date) -> list[tuple[int, int]]:
        return self.holes

    def follow(self, span: Span, listener: Callable[[LiveBar], None]) -> Callable[[], None]:
        self.tell = listener
        return lambda: None

    def lose(self, key: Key) -> None: ...


class Heard:
    """A follower that keeps what it was told last."""

    def __init__(self) -> None:
        self.times: list[int] = []

    def load(self, bars: Columns) -> None:
        self.times = bars.time.tolist()

    last = append = load


class Rig:
    """A chart's data on a real view."""

    def __init__(self, count: int = 30) -> None:
        self.holder: Any = FakeHolder()
        self.view = ChartView()
        self.view.resize(800, 500)
        self.history = ChartHistory(self.holder, days_of, lambda: None)
        self.heard = Heard()
        self.data = ChartData(
            self.holder, self.view, self.history, Followers(self.heard), lambda *_: None
        )
        self.subject = FakeSubject([bar(OPENING + STEP * n) for n in range(count)])

    @property
    def series(self) -> Any:
        return self.view.canvas.series

    def open(self, span: Span = M5) -> None:
        self.data.open(self.subject, span, 2, 0.05)

    async def ready(self) -> Rig:
        self.open()
        await self.rest()
        return self

    async def rest(self) -> None:
        """Until nothing is under way."""
        for _ in range(200):
            await asyncio.gather(*self.holder.tasks, return_exceptions=True)
            if all(task.done() for task in self.holder.tasks):
                return

    def live(self, number: int, close: float = math.nan) -> None:
        self.subject.tell(bar(OPENING + STEP * number, close))
        self.data.flush()


@pytest.fixture
def rig(qapp: object) -> Callable[..., Rig]:
    return Rig


def is_regular(times: Any) -> bool:
    return bool((np.diff(times) == STEP).all())


async def test_what_a_lost_feed_left_out_comes_back_and_the_view_stays(rig: Any) -> None:
    it = await rig(300).ready()
    it.live(299, 150.0)  # forms while the feed goes
    it.view.canvas.stage.scale_x.pan(-150.0)
    left, right = it.view.canvas.scale_x.left, it.view.canvas.scale_x.right
    it.live(303, 111.0)  # the feed is there again, three bars are missing
    whole = [bar(OPENING + STEP * n) for n in range(300)]
    whole[299] = bar(OPENING + STEP * 299, 170.0)  # it went on
    it.subject.rows = [*whole, *(bar(OPENING + STEP * n) for n in range(300, 304))]
    it.data.mend()
    it.data.flush()
    await it.rest()
    assert len(it.series) == 304 and is_regular(it.series.time)
    assert it.series.column(CLOSE)[299] == 170.0 and it.series.column(HIGH)[299] == 171.0
    assert it.heard.times == it.series.time.tolist()
    assert (it.view.canvas.scale_x.left, it.view.canvas.scale_x.right) == (left, right)
    it.live(304)
    assert len(it.series) == 305 and is_regular(it.series.time)


async def test_a_hole_and_a_new_day_are_asked_for_without_any_word_of_the_feed(rig: Any) -> None:
    it = await rig(5).ready()
    it.live(5)
    assert len(it.subject.asked) == 1
    it.subject.rows = [bar(OPENING + STEP * n) for n in range(9)]
    it.live(8)
    await it.rest()
    assert len(it.subject.asked) == 2 and is_regular(it.series.time) and len(it.series) == 9
    tomorrow = 86_400 // STEP
    it.subject.rows = [*it.subject.rows, bar(OPENING + STEP * 9), bar(OPENING + 86_400)]
    it.live(tomorrow)
    await it.rest()
    assert it.series.time.tolist()[-2:] == [OPENING + STEP * 9, OPENING + 86_400]


async def test_what_cannot_be_asked_for_is_tried_again_at_the_next_bar(rig: Any) -> None:
    it = await rig(5).ready()
    it.subject.error = "The broker does not answer."
    it.live(7)
    await it.rest()
    assert it.history.message.text() == it.subject.error and len(it.series) == 6
    for price in (101.0, 102.0, 103.0):
        it.live(7, price)
    await it.rest()
    assert len(it.subject.asked) == 2  # not with every tick
    it.subject.error, it.subject.rows = "", [bar(OPENING + STEP * n) for n in range(9)]
    it.live(8)
    await it.rest()
    assert is_regular(it.series.time) and len(it.series) == 9
    assert it.history.message.text() == ""


async def test_ticks_that_come_while_it_mends_are_the_newest(rig: Any) -> None:
    it = await rig(5).ready()
    it.subject.gate.clear()
    it.data.mend()
    it.data.flush()
    await asyncio.sleep(0)
    it.live(4, 188.0)
    it.subject.gate.set()
    await it.rest()
    it.data.flush()
    assert it.series.column(CLOSE)[4] == 188.0


async def test_of_a_replay_nothing_is_asked_again(rig: Any) -> None:
    it = rig(5)
    it.data.open(it.subject, M5, 2, 0.05, mends=False)
    await it.rest()
    it.live(9)
    it.data.mend()
    it.data.flush()
    await it.rest()
    assert len(it.subject.asked) == 1 and len(it.series) == 6


async def test_extremes_of_ticks_are_kept_where_the_history_has_bodies_only(rig: Any) -> None:
    it = await rig(5).ready()
    it.subject.exact_extremes = False
    time = OPENING + STEP * 4
    it.subject.tell(bar(time)._replace(high=500.0, low=1.0))
    it.data.flush()
    it.subject.rows[4] = bar(time, 105.0)
    it.data.mend()
    it.data.flush()
    await it.rest()
    assert it.series.bar(4)[1:4] == (500.0, 1.0, 105.0)


async def test_while_nobody_can_be_asked_what_is_kept_is_shown_with_the_reason(rig: Any) -> None:
    it = rig()
    it.subject.error = "No data account is connected."
    it.subject.of_store = [bar(OPENING + STEP * n) for n in range(7)]
    await it.ready()
    assert len(it.series) == 7 and it.data.loaded and it.history.failed
    assert it.history.message.text() == it.subject.error
    it.subject.of_store = [bar(OPENING - 86_400 + STEP * n) for n in range(3)]
    it.data._older()
    await it.rest()
    assert len(it.series) == 10 and it.history.message.text() == it.subject.error


@pytest.mark.parametrize("kind", ["renko", "heikin-ashi"])
async def test_rows_have_each_bar_once_whatever_comes_while_they_are_made(
    rig: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_module, "AT_ONCE", 1)  # in a thread
    it = await rig(50).ready()
    params = {"size": "fixed", "fixed": 2.0} if kind == "renko" else {}
    it.data.set_kind(kind, params)
    assert not it.data.problem
    await it.rest()
    it.subject.rows = [bar(OPENING + STEP * n) for n in range(5)]  # another symbol
    it.open()
    while not it.data.loaded:
        await asyncio.sleep(0)
    it.subject.past = [bar(OPENING - 86_400 + STEP * n) for n in range(4)]
    it.live(4, 120.0)
    it.data._prepend(bars_of(it.subject.past))  # before the first rows were shown
    it.live(5, 130.0)
    it.live(6, 90.0)
    await it.rest()
    it.live(6, 95.0)
    market = it.data.market.columns()
    assert market.size == 11 and (np.diff(market.time) > 0).all()
    spec = shown_module.BY_KIND[kind]
    fresh = spec.run(params, it.data.bars.size)
    fresh.load(market)
    assert it.series.time.tolist() == fresh.rows.time.tolist()
    assert it.series.column(OPEN).tolist() == fresh.rows.open.tolist()
    assert it.series.column(CLOSE).tolist() == fresh.rows.close.tolist()
    assert it.view.canvas.scale_x.count == len(it.series)


async def test_many_rows_do_not_hold_the_loop(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    it = await rig(3000).ready()
    calls: list[bool] = []
    inner = asyncio.to_thread

    async def spied(work: Any, *args: Any) -> Any:
        calls.append(True)
        return await inner(work, *args)

    monkeypatch.setattr(asyncio, "to_thread", spied)
    it.data.set_kind("line-break", {})
    await it.rest()
    assert calls and len(it.series) > 0


async def test_a_kind_that_cannot_be_made_says_why(rig: Any) -> None:
    it = await rig(300).ready()
    it.data.set_kind("renko", {"size": "fixed", "fixed": 0.0})
    await it.rest()
    assert "Renko" in it.data.problem and len(it.series) == 300
    it.data.set_kind("", it.data.bars._params)
    assert not it.data.problem  # it is said once


async def test_rows_that_break_leave_the_bars_of_the_market(
    rig: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await rig(300).ready()
    gave_up: list[str] = []
    it.data.bars.gave_up = lambda: gave_up.append(it.data.problem)

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Running, "load", breaks)
    it.data.set_kind("renko", {})
    it.data.forget_drawn()
    it.subject = FakeSubject([bar(OPENING + STEP * n) for n in range(100)])
    it.open()
    await it.rest()
    assert gave_up[-1] == "Renko cannot be made of these bars."
    assert it.data.is_drawn and len(it.series) == 100 and not it.data.bars.making
    it.live(100)
    assert len(it.series) == 101  # and it goes on
    broken = [task.exception() for task in it.holder.tasks if not task.cancelled()]
    assert any(isinstance(error, ZeroDivisionError) for error in broken)  # and is reported


async def test_a_tick_that_would_make_rows_without_end_ends_the_kind(rig: Any) -> None:
    it = await rig(300).ready()
    it.data.set_kind("renko", {"size": "fixed", "fixed": 1.0})
    await it.rest()
    it.live(300, 1e9)
    assert "too small" in it.data.problem and len(it.series) == 301


@pytest.mark.parametrize("kind", ["renko", "range"])
async def test_many_rows_of_a_tick_are_made_beside_the_loop(
    rig: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await rig(300).ready()
    params = {"size": "fixed", "fixed": 1.0}
    it.data.set_kind(kind, params)
    await it.rest()
    rows, inner = dict.fromkeys((True, False), 0), Running.beyond

    def beyond(run: Running, ahead: Any, time: Any) -> Any:
        found = inner(run, ahead, time)
        here = threading.current_thread() is threading.main_thread()
        rows[here] = max(rows[here], found.rows.size + found.final.size)
        return found

    monkeypatch.setattr(Running, "beyond", beyond)
    it.live(299, 105.0)  # a few: at once
    assert not it.data.bars.making and 0 < rows[True] < 20
    for close in (3000.0, 5000.0):  # and what comes while rows are made is not lost
        it.live(299, close)
    assert it.data.bars.making
    it.live(300, 4000.0)
    it.live(301, 4001.0)
    await it.rest()
    assert rows[True] < 20 and rows[False] > 2000
    fresh = shown_module.BY_KIND[kind].run(params, it.data.bars.size)
    fresh.load(it.data.market.columns())
    assert it.series.column(OPEN).tolist() == fresh.rows.open.tolist()
    assert it.series.time.tolist() == fresh.rows.time.tolist() == it.heard.times
    it.live(300 + 1, 4002.0)  # and at once again
    assert not it.data.bars.making


@pytest.mark.parametrize("kind", ["", "renko"])
async def test_bars_of_something_else_do_not_stay_whatever_becomes_of_a_load(
    rig: Any, kind: str
) -> None:
    it = await rig(300).ready()
    it.data.set_kind(kind, {})
    await it.rest()

    class Broken(FakeSubject):
        async def bars(self, *_: object) -> Bars:
            raise asyncio.CancelledError

    it.subject = Broken([])
    it.data.forget_drawn()
    it.open()
    await it.rest()
    assert len(it.series)
    wait_for(lambda: QCoreApplication.processEvents() or not len(it.series), "an empty view")
    assert not it.data.is_drawn and it.heard.times == []


async def test_another_span_while_rows_are_made_leaves_nothing_of_the_one_before(rig: Any) -> None:
    it = await rig(3000).ready()
    it.data.set_kind("heikin-ashi", {})
    it.subject.rows = [bar(OPENING + 600 * n) for n in range(4)]
    it.open(Span.parse("10m"))
    await it.rest()
    assert it.series.time.tolist() == [OPENING + 600 * n for n in range(4)]
    assert datetime.fromtimestamp(OPENING, UTC).tzinfo is UTC


async def test_a_kind_begins_with_the_first_tick_of_what_had_no_history(rig: Any) -> None:
    it = await rig(0).ready()
    it.data.set_kind("heikin-ashi", {})
    for number, price in enumerate((100.0, 104.0, 96.0)):
        it.live(number, price)
    await it.rest()
    market = it.data.market.columns()
    fresh = shown_module.BY_KIND["heikin-ashi"].run({}, 0.0)
    fresh.load(market)
    assert market.close.tolist() == [100.0, 104.0, 96.0]
    assert it.series.column(OPEN).tolist() == fresh.rows.open.tolist()


@pytest.mark.parametrize("kind", ["", "heikin-ashi"])
async def test_what_came_while_nobody_looked_is_drawn_at_once(rig: Any, kind: str) -> None:
    it = await rig(5).ready()
    it.data.set_kind(kind, {})
    await it.rest()
    calls: list[str] = []
    follower = it.data.bars._follower
    for name in ("load", "last", "append"):
        inner = getattr(follower, name)
        setattr(follower, name, lambda bars, n=name, f=inner: (calls.append(n), f(bars)))
    whole = [bar(OPENING + STEP * n) for n in range(400)]
    for one in whole[4:]:
        it.subject.tell(one)
    it.subject.rows = whole
    assert it.data.flush() == 395
    await it.rest()
    assert calls == ["load"]
    assert it.data.market.time.tolist() == [one.time for one in whole]
    assert it.data.market.column(CLOSE).tolist() == [one.close for one in whole]
    it.live(400, 222.0)
    await it.rest()
    assert it.data.market.column(CLOSE)[-1] == 222.0 and len(it.data.market) == 401


async def test_a_hole_in_the_history_is_shaded_and_filled_where_the_view_is(rig: Any) -> None:
    it = await rig(60).ready()
    day = OPENING - 86_400
    past = [bar(day + STEP * n) for n in range(40)]
    it.subject.error, it.subject.of_store = "Asked too often.", past[:10] + past[30:]
    it.subject.holes = [(day + STEP * 10, day + STEP * 30)]
    it.data._older()
    await it.rest()
    assert len(it.series) == 80 and it.view.canvas.stage.gaps == tuple(it.subject.holes)
    assert it.history.message.text().startswith("Missing 19 Nov 10:05")
    it.view.show_range(float(OPENING + STEP * 20), float(OPENING + STEP * 50))
    before = it.view.visible_times()
    it.subject.error, it.subject.rows = "", past + it.subject.rows
    it.history.retry.click()
    await it.rest()
    assert len(it.series) == 100 and it.view.canvas.stage.gaps == ()
    assert it.view.visible_times() == pytest.approx(before, abs=STEP)
