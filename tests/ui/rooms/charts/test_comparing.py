"""Other instruments beside the chart's: by moments of the source that the chart has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.rooms.charts.comparing import Comparing

TCS: Key = ("NSE", "TCS")
M5 = Span.parse("5m")


def bars(times: list[int]) -> Bars:
    time = np.array(times, np.int64)
    price = time / 10.0
    return Bars(time, price, price, price, price, time * 0, time * 0)


class World:
    """Source, view and holder of one chart."""

    def __init__(self) -> None:
        self.bridge = self
        self.asked: list[tuple[int, int]] = []
        self.tell: Callable[[LiveBar], None] = lambda _: None
        self.overlays: tuple[Any, ...] = ()
        self.tasks: list[asyncio.Task[None]] = []
        self.times = [0, 300, 600]

    def name(self, key: Key) -> str:
        return key[1]

    def places(self, key: Key) -> int:
        return 2

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(work, name=name))
        return self.tasks[-1]

    def set_overlays(self, others: tuple[Any, ...]) -> None:
        self.overlays = others

    def compared_moved(self, *, closed: bool = False) -> None: ...

    async def get(self, key: Key, span: Span, start: int, end: int) -> Bars:
        self.asked.append((start, end))
        return bars(self.times)

    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]:
        self.tell = listener
        return lambda: None


async def opened() -> tuple[World, Comparing]:
    world: Any = World()
    comparing = Comparing(world, world, lambda: world)
    comparing.show([TCS], own=False)
    comparing.open(M5)
    comparing.load(Columns.of(bars([0, 300, 600])))
    await asyncio.gather(*world.tasks)
    return world, comparing


def live(time: int, close: float) -> LiveBar:
    return LiveBar(time, close, close, close, close, 1.0, 0.0, began=False)


async def test_it_asks_for_the_moments_of_the_chart_not_for_days_before_today() -> None:
    world, _ = await opened()
    (asked,) = world.asked
    assert asked[0] == 0 and asked[1] > 600
    assert world.overlays[0].closes.tolist() == [0.0, 30.0, 60.0]


async def test_a_bar_that_began_before_the_charts_own_keeps_its_price() -> None:
    world, comparing = await opened()
    world.tell(live(900, 77.0))
    comparing.append(Columns.of(bars([0, 300, 600, 900])))
    assert world.overlays[0].closes.tolist() == [0.0, 30.0, 60.0, 77.0]


async def test_what_is_heard_while_the_others_load_counts() -> None:
    world: Any = World()
    comparing = Comparing(world, world, lambda: world)
    comparing.show([TCS], own=False)
    comparing.open(M5)
    comparing.load(Columns.of(bars([0, 300, 600])))
    world.tell(live(600, 88.0))
    await asyncio.gather(*world.tasks)
    assert world.overlays[0].closes.tolist() == [0.0, 30.0, 88.0]
