"""Alerts on a disk, with prices, bars and drawings that a test gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from datetime import datetime
from decimal import Decimal
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openalgo_desktop.analytics.held_greeks import HeldGreeks
from openalgo_desktop.automation.alerts.acts import Actors
from openalgo_desktop.automation.alerts.engine import Alerts
from openalgo_desktop.automation.alerts.ports import Need, Options, Reach, Sources
from openalgo_desktop.automation.alerts.studies import RegistryStudies
from openalgo_desktop.automation.alerts.telling import Teller
from openalgo_desktop.core.alert_acts import PostTo, SendOrder
from openalgo_desktop.core.alerts import (
    AlertWhen,
    AlertWish,
    OfDrawing,
    PriceAlert,
    ToldAlert,
)
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.ports import LiveBar, Progress
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import PriceAlertFired
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.price_alerts import (
    DeedRepository,
    PriceAlertRepository,
    ToldAlertRepository,
)
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.trading.ownbook import OwnBook
from tests.unit.trading.test_underway import World
from tests.unit.trading.watching import SBIN, Ticks

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=IST)
MINUTE = Span.parse("1m")


class Feed:
    """Bars of one minute of SBIN, kept and live."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.closes: list[float] = [800.0] * 20  # of the minutes before now
        self.error: AppError | None = None
        self.asked: list[int] = []  # from when on
        self.listeners: list[Callable[[LiveBar], None]] = []
        self.bar: LiveBar | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def get(
        self,
        key: Key,
        span: Span,
        start: int,
        end: int,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        self.asked.append(start)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        last = int(self.clock.time()) // 60 * 60
        times = np.arange(last - 60 * len(self.closes), last, 60, dtype=np.int64)
        closes = np.array(self.closes)
        none = np.zeros(len(closes), np.int64)
        return Bars(times, closes, closes, closes, closes, none, none)

    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def forming(self, key: Key, span: Span) -> LiveBar | None:
        return self.bar

    def countdown(self, key: Key, span: Span) -> float | None:
        return None

    def say(self, price: float) -> None:
        """A trade."""
        moment, bar = int(self.clock.time()) // 60 * 60, self.bar
        if bar is None or bar.time != moment:
            self.bar = LiveBar(moment, price, price, price, price, 1.0, nan, began=True)
        else:
            high, low = max(bar.high, price), min(bar.low, price)
            self.bar = bar._replace(high=high, low=low, close=price, began=False)
        self._tell()

    def end(self) -> None:
        """The minute is over; the next one begins."""
        assert self.bar is not None
        self.bar = self.bar._replace(began=False, closed=True)
        self.closes.append(self.bar.close)
        self.clock.advance(60 - self.clock.time() % 60)
        self._tell()

    def _tell(self) -> None:
        assert self.bar is not None
        for listener in tuple(self.listeners):
            listener(self.bar)


class Lines:
    """Drawings: level lines by id, from a time on."""

    def __init__(self) -> None:
        self.levels: dict[str, float] = {}
        self.since = 0.0
        self.asked = 0
        self.listeners: list[Callable[[Key], None]] = []

    def put(self, drawing: str, level: float | None) -> None:
        """Draw, move or delete."""
        if level is None:
            del self.levels[drawing]
        else:
            self.levels[drawing] = level
        for listener in tuple(self.listeners):
            listener(SBIN)

    def title(self, key: Key, source: OfDrawing) -> str:
        return "Trend line"

    def lines(self, key: Key) -> list[OfDrawing]:
        return [OfDrawing(name) for name in self.levels]

    def need(self, key: Key, source: OfDrawing) -> Need:
        return Need()

    def drawn(self, key: Key, source: OfDrawing) -> Hashable | None:
        return self.levels.get(source.drawing)

    def level(self, key: Key, source: OfDrawing, at: float, bars: Columns) -> float:
        self.asked += 1
        return self.levels[source.drawing] if at >= self.since else nan

    def watch(self, listener: Callable[[Key], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


class Figured:
    """Options whose volatility in per cent is their price, and whose delta is a thousandth."""

    def __init__(self, price: Callable[[Key], float | None]) -> None:
        self.price = price

    def source(self, key: Key) -> Key | None:
        return ("NSE", "NIFTY")

    def solve(self, keys: Iterable[Key]) -> bool:
        return True

    def of(self, key: Key) -> HeldGreeks | None:
        found = self.price(key)
        return None if found is None else HeldGreeks(found / 1000, iv=found)


class Road:
    """The corridor: what was sent, what the journal has of it, and what is answered."""

    def __init__(self) -> None:
        self.open = True
        self.sends: list[tuple[SendOrder, str]] = []
        self.journal: dict[str, list[JournalEntry]] = {}
        self.requests: dict[str, str] = {}
        self.error: AppError | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    def trades(self, exchange: str) -> bool:
        return self.open

    async def place(self, order: SendOrder, source: str) -> str:
        self.sends.append((order, source))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return "77"

    async def sent(self, source: str, since: datetime) -> list[JournalEntry]:
        return self.journal.get(source, [])

    async def queued(self, source: str, since: datetime) -> str:
        return self.requests.get(source, "")


class Post:
    """Takes what is posted."""

    def __init__(self) -> None:
        self.bodies: list[tuple[PostTo, bytes]] = []

    async def post(self, act: PostTo, body: bytes, told_id: str) -> str:
        self.bodies.append((act, body))
        return "200"


class Room:
    """Alerts on a disk that outlives them."""

    def __init__(self, db: Database) -> None:
        self.world = World()
        self.clock, self.bus = ManualClock(NOW), self.world.bus
        self.ticks, self.feed, self.lines = Ticks(), Feed(self.clock), Lines()
        self.open = True
        self.state = KeyValueStore(db)
        self.calendar = MarketCalendar()
        self.book = OwnBook("paper:1", Mode.SANDBOX)
        self.book.day = NOW.date()
        self.corridor, self.poster = Road(), Post()
        self.told: list[PriceAlert] = []
        self.words: list[ToldAlert] = []
        self.bus.subscribe(PriceAlertFired, self._on_told)
        self.alerts = self.make()

    def _on_told(self, event: PriceAlertFired) -> None:
        self.told.append(event.alert)
        self.words.append(event.told)

    def figures(self, price: Callable[[Key], float | None]) -> Options:
        return Figured(price)

    def make(self) -> Alerts:
        teller = Teller(self.clock, self.bus, ToldAlertRepository(self.state))
        made = Alerts(
            self.clock,
            self.bus,
            self.world.lookup,
            self.ticks,
            PriceAlertRepository(self.state),
            teller,
            lambda _: self.open,
            Sources(self.feed, RegistryStudies(Surroundings), self.lines),
            Reach(self.calendar, self.figures, lambda mode: self.book),
        )
        teller.actors = Actors(
            self.clock, self.bus, DeedRepository(self.state), self.corridor, self.poster,
            made.has, teller.settled,
        )  # fmt: skip
        return made

    async def restart(self) -> None:
        """The program stops and comes again."""
        await self.alerts.stop()
        await self.state.put("other", "last", 1)  # writes are done in order
        self.alerts = self.make()
        await self.alerts.start()

    async def add(
        self, when: AlertWhen, level: str, *, again: bool = False, **more: Any
    ) -> PriceAlert:
        """An alert on SBIN."""
        return await self.alerts.add(AlertWish("NSE", "SBIN", when, Decimal(level), again, **more))

    def say(self, *prices: float) -> None:
        """Trades: bars hear of each after the tick, as they may."""
        for price in prices:
            self.ticks.say(price)
            self.feed.say(price)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Started."""
    db = Database(f"sqlite:///{tmp_path / 'alerts.db'}")
    await db.start()
    made = Room(db)
    await made.alerts.start()
    yield made
    await made.alerts.stop()
    await db.stop()
