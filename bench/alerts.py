"""Alerts on ticks: 5,000 of them on 500 symbols at 5,000 ticks/s, as the engine watches them.

CPU of a second of market time, all threads (the disk takes what changed): the ticks enter the hub,
the engine hears them, the look that comes every two seconds is taken in its place. Beside it the
same ticks with the hub alone, and a naive loop that compares each tick with every alert. Prices
wander a tick at a time; a fifth of the alerts tell again and again. Also the start with that many
kept ones, and memory of each.

    .venv/bin/python bench/alerts.py [--seconds 20] [--rate 5000] [--counts 1000,5000,10000,50000]

Exits with 1 when 5,000 alerts cost more than 5 % of a core beyond the hub.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
import tracemalloc
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.automation.alerts.drawings import BookDrawings  # noqa: E402
from openalgo_desktop.automation.alerts.engine import Alerts  # noqa: E402
from openalgo_desktop.automation.alerts.ports import Reach, Sources  # noqa: E402
from openalgo_desktop.automation.alerts.studies import RegistryStudies  # noqa: E402
from openalgo_desktop.automation.alerts.telling import Teller  # noqa: E402
from openalgo_desktop.core.alerts import AlertWhen, AlertWish, PriceAlert, ToldAlert  # noqa: E402
from openalgo_desktop.core.calendar import MarketCalendar  # noqa: E402
from openalgo_desktop.core.charting.drawings.book import DrawingBook  # noqa: E402
from openalgo_desktop.core.charting.surroundings import Surroundings  # noqa: E402
from openalgo_desktop.core.clock import IST, ManualClock  # noqa: E402
from openalgo_desktop.core.enums import FeedMode  # noqa: E402
from openalgo_desktop.core.events import Bus, PriceAlertFired  # noqa: E402
from openalgo_desktop.core.instruments import InstrumentTable  # noqa: E402
from openalgo_desktop.core.model import Instrument  # noqa: E402
from openalgo_desktop.core.ticks import Tick  # noqa: E402
from openalgo_desktop.market.hub import MarketHub  # noqa: E402
from openalgo_desktop.storage.database import Database  # noqa: E402
from openalgo_desktop.storage.price_alerts import (  # noqa: E402
    PriceAlertRepository,
    ToldAlertRepository,
)
from openalgo_desktop.storage.state import KeyValueStore  # noqa: E402

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=IST)
SYMBOLS, AIM, LOOK = 500, 5.0, 2.0
#: Seconds of the market before it is measured.
FIRST = 2
WHENS = (
    AlertWhen.ABOVE, AlertWhen.BELOW, AlertWhen.CROSSES, AlertWhen.CROSSES_UP,
    AlertWhen.CROSSES_DOWN, AlertWhen.ENTERS, AlertWhen.DAY_ABOVE, AlertWhen.DAY_BELOW,
)  # fmt: skip


class Toast:
    """Takes everything."""

    name, title = "toast", "Toast"

    async def tell(self, alert: PriceAlert, told: ToldAlert) -> None:
        """Taken."""


class NoBars:
    """Nobody asks for bars here."""

    follow = get = forming = countdown = None


class Market:
    """500 symbols whose prices wander in steps of 0.05."""

    def __init__(self) -> None:
        self.clock, self.table = ManualClock(NOW), InstrumentTable()
        names = [f"S{number:03}" for number in range(SYMBOLS)]
        self.table.load([Instrument(name, "NSE", name, "EQ", 1, 0.05) for name in names])
        self.hub = MarketHub(self.clock, self.table)
        self.hub.connected = True
        self.random = random.Random(7)
        self.names = names
        self.prices = [500.0 + number for number in range(SYMBOLS)]
        self.at = 0

    def ticks(self, count: int) -> list[Tick]:
        """Made before they are measured."""
        made, stamp = [], int(self.clock.time() * 1000)
        for _ in range(count):
            at = self.at = (self.at + 1) % SYMBOLS
            price = round(self.prices[at] + self.random.choice((-0.05, 0.0, 0.05)), 2)
            self.prices[at] = price
            made.append(
                Tick(
                    self.names[at],
                    "NSE",
                    price,
                    FeedMode.QUOTE,
                    open=price,
                    high=price,
                    low=price,
                    close=500.0 + at,
                    volume=1,
                    ltt=stamp,
                    timestamp=stamp,
                )
            )
        return made

    def alerts(self, count: int) -> list[PriceAlert]:
        """Within three per cent of the prices."""
        made, near = [], self.random.uniform
        for number in range(count):
            when = WHENS[number % len(WHENS)]
            at = number % SYMBOLS
            level = near(-3, 3) if when.of_day else (500.0 + at) * (1 + near(-0.03, 0.03))
            wish = AlertWish(
                "NSE",
                self.names[at],
                when,
                Decimal(f"{level:.2f}"),
                again=number // len(WHENS) % 5 == 0,
                channels=("toast",),
                upper=Decimal(f"{level + 1:.2f}") if when.of_channel else None,
            )
            made.append(PriceAlert(f"a{number:05}", wish, NOW + timedelta(microseconds=number)))
        return made


class Result(NamedTuple):
    """Per cent of a core, seconds of the start, KiB an alert, and how often something told."""

    cpu: float
    start: float
    memory: float
    told: int
    hold: float


async def run(count: int, seconds: int, rate: int) -> Result:
    """One engine on a disk of its own."""
    market, told = Market(), []
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/alerts.db")
        await db.start()
        state, bus = KeyValueStore(db), Bus()
        store = PriceAlertRepository(state)
        await asyncio.gather(*(store.save(row) for row in market.alerts(count)))
        bus.subscribe(PriceAlertFired, told.append)
        engine = Alerts(
            market.clock, bus, market.table, market.hub, store,
            Teller(market.clock, bus, ToldAlertRepository(state)), lambda _: True,
            Sources(NoBars(), RegistryStudies(Surroundings), BookDrawings(DrawingBook())),
            Reach(MarketCalendar(), lambda price: None, lambda mode: None),
        )  # fmt: skip
        engine.teller.add(Toast())
        began = time.process_time()
        await engine.start()
        start = time.process_time() - began
        step, spent, hold = rate // 20, 0.0, 0.0
        for turn in range(-20 * FIRST, seconds * 20):
            if turn == 0:  # what was true from the beginning has been told
                await state.put("other", "last", 1)
                spent, hold = 0.0, 0.0
                told.clear()
            ticks = market.ticks(step)
            began = time.process_time()
            for tick in ticks:
                cpu = time.thread_time()
                market.hub.publish(tick)
                hold = max(hold, time.thread_time() - cpu)
            if count and turn % int(20 * LOOK) == 0:
                engine._ending.some(50)
                list(engine._looking())
            await asyncio.sleep(0)
            spent += time.process_time() - began
            market.clock.advance(0.05)
        began = time.process_time()
        await engine.stop()
        await db.stop()
        spent += time.process_time() - began
    memory = await asyncio.to_thread(weigh, count) if count else 0.0
    return Result(100 * spent / seconds, start, memory, len(told), 1e3 * hold)


def weigh(count: int) -> float:
    """KiB that one alert takes in the engine."""
    market = Market()
    tracemalloc.start()
    rows = market.alerts(min(count, 5000))
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / len(rows) / 1024


def naive(count: int, rate: int) -> float:
    """Per cent of a core of a loop over all alerts at each tick (measured on some ticks)."""
    market = Market()
    rows = [(row.key, float(row.wish.level)) for row in market.alerts(count)]
    ticks = market.ticks(100)
    hits, began = 0, time.thread_time()
    for tick in ticks:
        key, price = (tick.exchange, tick.symbol), tick.ltp
        for place, level in rows:
            if place == key and price >= level:
                hits += 1
    return 100 * (time.thread_time() - began) / len(ticks) * rate


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--counts", default="1000,5000,10000,50000")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    alone = asyncio.run(run(0, options.seconds, options.rate)).cpu
    print(f"{options.rate} ticks/s on {SYMBOLS} symbols; the hub alone {alone:.1f} % of a core")
    failed = False
    for count in map(int, options.counts.split(",")):
        found = asyncio.run(run(count, options.seconds, options.rate))
        share = found.cpu - alone
        failed |= count == 5000 and share > AIM
        print(
            f"{count} alerts: {share:.1f} % of a core (naive {naive(count, options.rate):.0f} %), "
            f"{found.told / options.seconds:.1f} tell each second, a tick holds at most "
            f"{found.hold:.1f} ms, "
            f"start {found.start:.2f} s, {found.memory:.1f} KiB each"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
