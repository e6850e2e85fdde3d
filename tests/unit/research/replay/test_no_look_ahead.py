"""Whatever a chart of a replay gets is of the past, and is what the past's bars make."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from functools import cache

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.replay.session import Replay
from openalgo_desktop.research.replay.speed import Pace, Speed
from openalgo_desktop.research.replay.track import chosen, joined
from tests.unit.research.replay.market import (
    M1,
    M5,
    M15,
    A,
    B,
    D,
    Row,
    W,
    at,
    bars_of,
    put_together,
    replay,
    walk,
)

#: A case takes a while: one that fails is told as it is and not made smaller.
FAST = (Phase.explicit, Phase.reuse, Phase.generate)
CHARTS = [(A, M5), (A, M15), (A, D), (B, M1), (B, W)]
MINUTES = {A: walk(1), B: walk(2, thin=0.4)}


def known(rows: list[Row], now: float) -> list[Row]:
    """The minutes as far as they had come: whole ones, and the beginning of the path of one."""
    found: list[Row] = []
    for row in rows:
        time, o, high, low, c, _, oi = row
        if time + 60 <= now:
            found.append(row)
        elif time < now:
            down = o - low < high - o or (o - low == high - o and c >= o)
            first, second = (low, high) if down else (high, low)
            path = [o]
            path += [first] if now > time + 20 else []
            path += [second] if now > time + 40 else []
            oi = found[-1][6] if found else 0
            found.append((time, o, max(path), min(path), path[-1], 0, oi))
    return found


@cache
def whole(key: Key, span: Span) -> Bars:
    return bars_of(put_together(MINUTES[key], span))


def expected(key: Key, span: Span, now: float) -> Bars:
    """What a chart may show at a moment: what was over by then, and what had come since the
    beginning of the last bar that had begun."""
    bars, rows = whole(key, span), MINUTES[key]
    begins = bars.time - (0 if span.is_intraday else 19_800)
    begun = int(np.searchsorted(begins, now))
    if not begun:
        return Bars.empty()
    since = bisect_left(rows, begins[begun - 1], key=lambda row: row[0])
    until = bisect_left(rows, now, key=lambda row: row[0])
    before = rows[since - 1 : since] if since else []
    part = put_together(known([*before, *rows[since:until]], now)[len(before) :], span)
    if not part:
        return chosen(bars, slice(0, begun - 1))
    return joined(chosen(bars, slice(0, begun - 1)), bars_of(part))


def same(shown: Bars, wanted: Bars) -> None:
    for name in ("time", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(shown, name), getattr(wanted, name), err_msg=name)


class Chart:
    """Shows what a chart does: history, then live bars over it."""

    def __init__(self, session: Replay, key: Key, span: Span) -> None:
        self.session, self.key, self.span = session, key, span
        self.rows: list[tuple[float, ...]] = []
        session.source.follow(key, span, self.take)
        session.rebuilt.append(self.rows.clear)

    async def load(self) -> None:
        bars = await self.session.source.get(self.key, self.span, 0, 1 << 40)
        columns = (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume)
        self.rows[:] = zip(*(column.tolist() for column in columns), strict=True)

    def take(self, bar: LiveBar) -> None:
        assert bar.time < self.session.reel.now + 19_800
        row = tuple(bar[:6])
        if bar.began:
            assert not self.rows or self.rows[-1][0] < bar.time
            self.rows.append(row)
        else:
            assert self.rows[-1][0] == bar.time
            self.rows[-1] = row

    def bars(self) -> Bars:
        return bars_of([(*row, 0) for row in self.rows])  # type: ignore[misc]


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(1, 9)),
        st.tuples(st.just("back"), st.integers(1, 3)),
        st.tuples(st.just("bars"), st.floats(0.05, 3.0)),
        st.tuples(st.just("time"), st.floats(1.0, 20_000.0)),
        st.tuples(st.just("jump"), st.integers(0, 5 * 24 * 60)),
    ),
    max_size=8,
)


async def act(session: Replay, kind: str, size: float) -> bool:
    """Do it; whether the bars have to be read anew."""
    if kind == "step":
        for _ in range(int(size)):
            await session.step()
        return False
    if kind == "bars":
        session.speed = Speed(1.0)
        session.advance(size)
        return False
    if kind == "time":
        session.speed = Speed(1.0, Pace.REAL)
        session.advance(size)
        return False
    if kind == "back":
        for _ in range(int(size)):
            await session.back()
    else:
        await session.jump(at("02 00:00") + size * 60)
    return True


@settings(max_examples=10, deadline=None, phases=FAST)
@given(start=st.integers(0, 4 * 24 * 60), step=st.sampled_from([M1, M5, M15, D]), acts=ACTS)
def test_charts_see_the_past_and_nothing_else(
    start: int, step: Span, acts: list[tuple[str, float]]
) -> None:
    asyncio.run(_live_through(start, step, acts))


async def _live_through(start: int, step: Span, acts: list[tuple[str, float]]) -> None:
    session = replay(MINUTES)
    await session.begin(CHARTS, at("02 00:00") + 60 * start, step)
    charts = [Chart(session, key, span) for key, span in CHARTS]
    for chart in charts:
        await chart.load()
    for kind, size in [("step", 0), *acts]:
        if await act(session, kind, size):
            for chart in charts:
                await chart.load()
        now = session.reel.now
        for chart in charts:
            wanted = expected(chart.key, chart.span, now)
            same(chart.bars(), wanted)
            same(await session.source.get(chart.key, chart.span, 0, 1 << 40), wanted)
            forming = session.source.forming(chart.key, chart.span)
            if forming is not None:
                assert forming.time == wanted.time[-1] and forming.close == wanted.close[-1]
            last = session.last(chart.key)
            small = expected(chart.key, M1, now)
            assert last == (small.close[-1] if len(small) else None)


async def test_an_instrument_that_comes_in_late_sees_no_more() -> None:
    session = replay(MINUTES)
    await session.begin([(A, M5)], at("03 11:02:30"))
    same(await session.source.get(B, M15, 0, 1 << 40), expected(B, M15, session.reel.now))
    heard: list[LiveBar] = []
    stop = session.source.follow(B, D, heard.append)
    await session.source.get(B, D, 0, 1)
    await session.step()
    assert heard[-1].close == expected(B, D, session.reel.now).close[-1]
    stop()
    count = len(heard)
    await session.step()
    assert len(heard) == count
    await session.close()


async def test_where_there_are_no_minutes_days_are_played_in_step() -> None:
    session = replay(MINUTES, only=(D, W))
    await session.begin([(A, D), (A, W)], at("03 09:00"))
    await session.step()
    assert session.now.strftime("%d %H:%M") == "03 15:30"
    same(await session.source.get(A, D, 0, 1 << 40), expected(A, D, session.reel.now))
    same(await session.source.get(A, W, 0, 1 << 40), expected(A, W, session.reel.now))
    session.advance(0.5)  # half of Wednesday
    shown = await session.source.get(A, D, 0, 1 << 40)
    assert len(shown) == 3 and shown.volume[-1] == 0
    assert session.now.strftime("%d %H:%M:%S") == "04 12:22:30"


async def test_a_span_without_small_bars_shows_only_what_is_over() -> None:
    session = replay(MINUTES, only=(D, M15))
    await session.begin([(A, D)], at("04 11:00"))
    shown = await session.source.get(A, M15, 0, 1 << 40)
    assert shown.time[-1] + 900 <= session.reel.now
