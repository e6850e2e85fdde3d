"""A data account whose history and ticks a test decides, and which counts what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars, Tick
from openalgo_desktop.research.bars.hours import Hours, day_number
from openalgo_desktop.research.bars.service import BarService
from openalgo_desktop.research.bars.store import BarStore

SBIN: Key = ("NSE", "SBIN")
M1, M5, DAY = Span.parse("1m"), Span.parse("5m"), Span.parse("D")
CALENDAR = MarketCalendar.from_json(resource_text("calendar/holidays.json"))


def at(text: str) -> int:
    """Epoch second of ``2026-11-20 10:00`` IST."""
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp())


def label(text: str) -> int:
    """Time of the daily bar of a date."""
    return day_number(date.fromisoformat(text)) * 86_400


def bars_of(times: Sequence[int], factor: float = 1.0) -> Bars:
    """Bars whose prices tell their time."""
    time = np.array(times, np.int64)
    price = (100.0 + time // 60 % 997 / 10.0) * factor
    units = time // 60 % 89 + 1
    return Bars(time, price, price + 1.0, price - 1.0, price + 0.5, units, units * 0)


class FakeHub:
    """History of each minute of each session up to the clock's present, and a feed by hand."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked: list[tuple[Key, Interval, date, date]] = []
        self.offered: Sequence[Interval] = (Interval.M1, Interval.M5, Interval.DAY)
        self.days = {Interval.M1: 5, Interval.M5: 30, Interval.DAY: 400}
        self.failing: Callable[[date], bool] = lambda first: False
        self.gate: asyncio.Event | None = None  # requests wait for it
        self.factor = 1.0
        self.without: set[date] = set()  # days without trade
        self.listed = date(2000, 1, 1)
        self.sound = True
        self.watchers: dict[Key, list[Callable[[Tick], None]]] = {}

    # -- the past ---------------------------------------------------------------------------
    def intervals(self) -> Sequence[Interval]:
        return self.offered

    def history_days(self, interval: Interval) -> int:
        return self.days[interval]

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        self.asked.append((key, interval, start, end))
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.failing(start):
            raise NetError("The broker does not answer.")
        times: list[int] = []
        day = start
        while day <= end:
            window = CALENDAR.session(key[0], day)
            if window is not None and day not in self.without and day >= self.listed:
                first, last = (int(moment.timestamp()) for moment in window)
                last = min(last, int(self.clock.time()) + 1)
                if interval.is_intraday:
                    times += range(first, last, interval.seconds)
                elif last > first:
                    times.append(day_number(day) * 86_400)
            day += timedelta(days=1)
        return bars_of(times, self.factor)

    # -- the feed ---------------------------------------------------------------------------
    def refusal(self, key: Key) -> str:
        return ""

    def watch(
        self, key: Key, mode: FeedMode, listener: Callable[[Tick], None]
    ) -> Callable[[], None]:
        self.watchers.setdefault(key, []).append(listener)
        return lambda: self.watchers[key].remove(listener)

    def tick(self, price: float, volume: int = 0, moment: float | None = None, oi: int = 0) -> None:
        """A tick of SBIN, now or at an exchange's moment."""
        when = int((self.clock.time() if moment is None else moment) * 1000)
        tick = Tick("SBIN", "NSE", price, FeedMode.QUOTE, when, when, volume=volume, oi=oi)
        for listener in tuple(self.watchers.get(SBIN, ())):
            listener(tick)


class World:
    """A service on a fake hub."""

    def __init__(
        self, now: str, folder: Path | None = None, *, lasts: bool = True, unbound: bool = False
    ) -> None:
        self.clock = ManualClock(datetime.fromisoformat(now).replace(tzinfo=IST))
        self.hub = FakeHub(self.clock)
        self.folder = folder
        self.lasts = lasts
        self.unbound = unbound
        self.source = "zerodha"
        self.start()

    def start(self) -> None:
        """As after a start of the program."""
        self.store = BarStore(self.folder, lambda: 64, lambda source: self.lasts)
        self.bars = BarService(
            self.hub,
            self.clock,
            Hours(CALENDAR, lambda: self.unbound),
            self.store,
            lambda: self.source,
            lambda source: self.lasts,
        )

    async def restart(self) -> None:
        """End and start again."""
        await self.bars.close()
        self.start()

    async def get(self, span: Span, start: str, end: str = "2030-01-01") -> Bars:
        """Bars of SBIN from an IST date or time on."""
        first, last = (label(text) if not span.is_intraday else at(text) for text in (start, end))
        return await self.bars.get(SBIN, span, first, last)

    @property
    def requests(self) -> int:
        return len(self.hub.asked)
