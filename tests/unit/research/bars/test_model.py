"""Whatever was asked before, in whichever order: the answer is what the source has now."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.research.bars.hours import Hours, day_number, day_start
from openalgo_desktop.research.bars.tables import columns
from tests.unit.research.bars.world import CALENDAR, DAY, M5, SBIN, World

HOURS = Hours(CALENDAR, lambda: False)
#: (what, days back, days of the range or minutes that pass)
steps = st.lists(
    st.tuples(
        st.sampled_from(["get", "get", "get", "wait", "restart", "fail", "split"]),
        st.integers(0, 40),
        st.integers(1, 40),
    ),
    min_size=2,
    max_size=10,
)


async def walk(plan: list[tuple[str, int, int]], folder: Path) -> None:
    w = World("2026-11-10 08:00", folder)
    w.hub.without = {date(2026, 10, 14), date(2026, 11, 2)}
    w.hub.days = {Interval.M5: 7, Interval.M1: 3, Interval.DAY: 20}
    split = 0.0
    for what, back, size in plan:
        if what == "wait":
            w.clock.advance(size * 47 * 60)
        elif what == "restart":
            await w.restart()
        elif what == "split":
            split = w.clock.time()
            w.clock.advance(86_400)
            w.hub.factor *= 0.5
        else:
            noticed = HOURS.traded("NSE", split, w.clock.time())
            await compare(w, back, size, fails=what == "fail", noticed=noticed)
    await w.bars.close()


async def compare(w: World, back: int, size: int, *, fails: bool, noticed: bool) -> None:
    today = w.clock.now().date()
    first = today - timedelta(days=back)
    last = min(today, first + timedelta(days=size))
    for span in (M5, DAY):
        start, end = (day_start(day_number(day), span) for day in (first, last))
        if fails:
            w.hub.failing = lambda day: day_number(day) % 2 == 0
            with contextlib.suppress(NetError):
                await w.bars.get(SBIN, span, start, end + 86_400)
            w.hub.failing = lambda day: False
        bars = await w.bars.get(SBIN, span, start, end + 86_400)
        assert span.interval is not None
        true = await w.hub.history(SBIN, span.interval, first, last)
        if last == today and noticed:  # a split shows where old bars meet new ones
            for one, two in zip(columns(bars), columns(true), strict=True):
                assert np.array_equal(one, two)
        else:
            assert bars.time.tolist() == true.time.tolist()


@settings(max_examples=10, deadline=None)
@given(steps)
@example([("get", 6, 1), ("wait", 0, 21), ("split", 0, 1), ("fail", 7, 7)])  # the seam fails
def test_the_answer_is_what_the_source_has(plan: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(walk(plan, Path(folder)))
