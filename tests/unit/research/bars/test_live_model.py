"""Whatever is heard and whatever is missed: bars are those of all ticks of the exchange."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.charting.resample import from_ticks
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from tests.unit.research.bars.world import CALENDAR, M1, SBIN, World, at

START = at("2026-11-20 10:00")
#: (what, whole seconds that pass first, price in paise)
steps = st.lists(
    st.tuples(
        st.sampled_from(["tick"] * 6 + ["get", "get", "follow", "leave", "down", "up", "restart"]),
        st.integers(1, 50),
        st.integers(1, 500),
    ),
    min_size=20,
    max_size=40,
)


class Exchange:
    """All trades, heard or not; its history is made of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.trades: list[tuple[float, float]] = [(START - 200.0, 1.0)]
        world.hub.history = self.history  # type: ignore[method-assign]

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        self.world.hub.asked.append((key, interval, start, end))
        return self.bars(Span.of(interval))

    def bars(self, span: Span) -> Bars:
        time, price = (np.array(column) for column in zip(*self.trades, strict=True))
        nothing = np.zeros(len(time), np.int64)
        return from_ticks(time, price, nothing, nothing, Rhythm(span, "NSE", CALENDAR))

    def trade(self, price: float) -> None:
        self.trades.append((self.world.clock.time(), price))
        if self.world.hub.sound:
            self.world.hub.tick(price)


async def walk(plan: list[tuple[str, int, int]], folder: Path, span: Span) -> None:
    w = World("2026-11-20 10:00", folder)
    try:
        await go(w, plan, span)
    finally:
        await w.bars.close()


async def go(w: World, plan: list[tuple[str, int, int]], span: Span) -> None:
    exchange, stops = Exchange(w), list[Callable[[], None]]()
    for what, wait, price in plan:
        w.clock.advance(wait)
        w.bars.live.close_due()
        if what == "tick":
            exchange.trade(price / 100)
        elif what == "follow":
            stops.append(w.bars.follow(SBIN, span, lambda bar: None))
        elif what == "leave" and stops:
            stops.pop()()
        elif what in ("down", "up"):
            w.hub.sound = what == "up"
            w.bars.feed_changed(w.hub.sound)
        elif what == "restart":
            stops.clear()
            await w.restart()
        elif what == "get":
            bars = await w.bars.get(SBIN, span, START - 3600, START + 7200)
            true = exchange.bars(span)
            assert bars.time.tolist() == true.time.tolist()
            for one, two in zip(bars_prices(bars), bars_prices(true), strict=True):
                assert np.array_equal(one, two)


def bars_prices(bars: Bars) -> tuple[np.ndarray, ...]:
    return bars.open, bars.high, bars.low, bars.close


#: The source told of the forming bar, the feed was lost, and it is asked again.
LOST = [*[("tick", 1, 1)] * 15, *[("tick", 1, 2), ("get", 1, 1), ("down", 1, 1)], ("tick", 1, 1)]


@settings(max_examples=12, deadline=None)
@given(steps, st.sampled_from([M1, Span.parse("2m"), Span.parse("7m")]))
@example([*LOST, ("get", 1, 1)], M1)
def test_bars_are_those_of_all_ticks(plan: list[tuple[str, int, int]], span: Span) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(walk(plan, Path(folder), span))
