"""Long life: a whole market session, compressed as far as this machine allows.

The real window (offscreen unless DISPLAY is set) runs on the simulator's market: once per market
minute the simulator prices every subscribed instrument, and these ticks enter the hub by the feed's
door over and over until the minute has had its RATE ticks per second. Market time is counted in
ticks, so the session is as fast as the machine can take, paint and match them. Spread over it come
sandbox orders, drops of the feed, and docks that are closed and opened. The limit in the same run
is the machine itself: the speed factor is market seconds per wall second.

    .venv/bin/python bench/soak.py                       a full session of 6 h 15 min
    .venv/bin/python bench/soak.py --seconds 300         a short one

Exits with 1 when memory grew by more than 50 MiB after the warm-up, or when descriptors, threads,
tasks, timers, hub readers or bus handlers grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import itertools
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import msgspec

if not os.environ.get("DISPLAY"):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

from openalgo_desktop.core.clock import IST, SystemClock
from openalgo_desktop.core.enums import Action, FeedMode, Mode, PriceType, Product
from openalgo_desktop.core.errors import AppError, NotConnected, OrderNotWorking
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.ui.engine.loop import PumpEventLoop
from openalgo_desktop.ui.shell.main import Session, make_application

SESSION_SECONDS = 22_500  # 09:15 to 15:30
SAMPLES = 20
MAX_GROWTH_MIB = 50
#: Shown docks and caches fill during this part of the session; growth is counted after it.
WARM_UP = 0.2
#: The loop is given back after this long of feeding, seconds: a busy feed, not a blocked loop.
SLICE = 0.003
#: The feed stays away for this much market time after a drop, seconds.
OUTAGE = 5
SEED = 11


class TickClock(SystemClock):
    """Market time that advances with the ticks taken; durations stay real."""

    def __init__(self, start: datetime, rate: int, ticks: Callable[[], int]) -> None:
        self._start = start.timestamp()
        self._rate = rate
        self._ticks = ticks
        self._extra = 0.0  # while the feed is away nothing ticks, but time goes on

    def elapsed(self) -> float:
        """Market seconds since the start of the session."""
        return self._ticks() / self._rate + self._extra

    def skip(self, seconds: float) -> None:
        """Let time pass without ticks."""
        self._extra += seconds

    def time(self) -> float:
        return self._start + self.elapsed()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), IST)


class Sample(msgspec.Struct):
    """What must not grow."""

    market: float  # seconds into the session
    memory: float  # MiB resident
    descriptors: int
    threads: int
    tasks: int
    timers: int
    readers: int
    handlers: int

    def counts(self) -> dict[str, int]:
        """All but time and memory."""
        return {
            name: getattr(self, name)
            for name in ("descriptors", "threads", "tasks", "timers", "readers", "handlers")
        }


def resident_mib() -> float:
    """Resident memory of this process, MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Soak:
    """One run: plays the session and samples it."""

    def __init__(self, session: Session, loop: PumpEventLoop, options: argparse.Namespace) -> None:
        self.session = session
        self.loop = loop
        self.options = options
        self.random = random.Random(SEED)
        self.samples: list[Sample] = []
        self.placed = self.drops = self.toggles = 0
        self.refusals: Counter[str] = Counter()
        self.resting: list[str] = []
        self.keys: list[Key] = []
        self.clock: TickClock

    @property
    def terminal(self) -> Terminal:
        return self.session.terminal

    def sample(self) -> None:
        """Take one, after a collection: what is left then is held by somebody."""
        gc.collect()
        terminal = self.terminal
        self.samples.append(
            Sample(
                market=self.clock.elapsed(),
                memory=resident_mib(),
                descriptors=len(os.listdir("/proc/self/fd")),
                threads=threading.active_count(),
                tasks=len(asyncio.all_tasks()),
                timers=self.loop.scheduled,
                readers=terminal.hub.subscribed,
                handlers=terminal.bus.handler_count(),
            )
        )

    # -- what happens in a session ----------------------------------------------------------
    async def order(self) -> None:
        """A market order that is closed again later, or a limit order that is cancelled later."""
        table = self.terminal.instruments
        row = self.random.choice([r for r in table.rows("NSE") if not r.is_index])
        try:
            last = (await self.terminal.hub.snapshot(row.key)).ltp
            limit = self.random.random() < 0.5
            placed = await self.terminal.desk.place(
                OrderRequest(
                    symbol=row.symbol,
                    exchange=row.exchange,
                    action=self.random.choice((Action.BUY, Action.SELL)),
                    quantity=self.random.randint(1, 50),
                    price_type=PriceType.LIMIT if limit else PriceType.MARKET,
                    product=Product.MIS,
                    price=to_tick(last * self.random.uniform(0.99, 1.01), row.tick_size)
                    if limit
                    else 0.0,
                ),
                "soak",
            )
            self.placed += 1
            self.resting.append(placed.order_id)
            if len(self.resting) > 20:
                with contextlib.suppress(OrderNotWorking):  # it filled meanwhile
                    await self.terminal.desk.cancel(self.resting.pop(0), "soak")
        except AppError as error:
            self.refusals[f"{type(error).__name__}: {error.message[:60]}"] += 1

    async def drop(self) -> None:
        """The feed goes away and comes back."""
        await self.terminal.account.control({"faults": {"disconnect": True}})
        self.clock.skip(OUTAGE)
        await asyncio.sleep(0)
        await self.terminal.account.control({"faults": {"disconnect": False}})
        self.drops += 1

    async def toggle_dock(self) -> None:
        """Close a dock and open it again."""
        dock = self.random.choice(list(self.session.window.docks.values()))
        dock.close()
        await asyncio.sleep(0.02)
        dock.show()
        self.toggles += 1

    async def feed(self) -> None:
        """The ticks of the session, minute by minute."""
        hub, minute, ticks = self.terminal.hub, -1, itertools.cycle(())
        while (elapsed := self.clock.elapsed()) < self.options.seconds:
            if minute != int(elapsed // 60) and hub.connected:
                minute = int(elapsed // 60)
                ticks = itertools.cycle(await self.priced())
            end = time.perf_counter() + SLICE
            while time.perf_counter() < end and hub.connected:
                for tick in itertools.islice(ticks, 50):
                    hub.publish(tick)
            await asyncio.sleep(0)

    async def priced(self) -> list[Tick]:
        """All subscribed instruments as the simulator prices them now."""
        ticks = []
        for key in self.keys:
            try:
                tick = (await self.terminal.account.market.quotes([key]))[key]
            except NotConnected:  # dropped meanwhile
                break
            if isinstance(tick, Tick):
                ticks.append(tick)
        return ticks

    async def play(self) -> float:
        """The session; returns its wall time in seconds."""
        options = self.options
        events: list[tuple[float, Callable[[], Awaitable[None]]]] = []
        for count, action in (
            (options.orders, self.order),
            (options.reconnects, self.drop),
            (options.docks, self.toggle_dock),
        ):
            events += [(self.random.uniform(0, options.seconds), action) for _ in range(count)]
        events.sort(key=lambda event: event[0])
        marks = [options.seconds * i / SAMPLES for i in range(SAMPLES + 1)]
        began = time.perf_counter()
        feeding = asyncio.create_task(self.feed(), name="soak-feed")
        while self.clock.elapsed() < options.seconds:
            while events and events[0][0] <= self.clock.elapsed():
                await events.pop(0)[1]()
            while marks and marks[0] <= self.clock.elapsed():
                marks.pop(0)
                self.sample()
            await asyncio.sleep(0.002)
            if feeding.done():
                feeding.result()
        await feeding
        self.sample()
        return time.perf_counter() - began


async def run(session: Session, loop: PumpEventLoop, options: argparse.Namespace) -> int:
    """Play and judge."""
    terminal = session.terminal
    soak = Soak(session, loop, options)
    start = datetime(2026, 11, 24, 9, 15, tzinfo=IST)
    soak.clock = TickClock(
        start, options.rate, lambda: terminal.hub.tick_count if hasattr(terminal, "hub") else 0
    )
    terminal.clock = soak.clock
    await session.start()
    try:
        soak.keys = [row.key for row in terminal.instruments.rows()][: options.symbols]
        stops = [terminal.hub.watch(key, FeedMode.QUOTE, lambda tick: None) for key in soak.keys]
        while terminal.hub.subscribed < len(soak.keys):
            await asyncio.sleep(0.05)
        wall = await soak.play()
        for stop in stops:
            stop()
    finally:
        await session.stop()
    return report(soak, wall)


def report(soak: Soak, wall: float) -> int:
    """The table and the verdict."""
    names = ("market", "memory", *soak.samples[0].counts())
    print("  ".join(f"{name:>11}" for name in names))
    for sample in soak.samples:
        cells = [f"{sample.market:11.0f}", f"{sample.memory:11.1f}"]
        print("  ".join(cells + [f"{count:11d}" for count in sample.counts().values()]))
    seconds = soak.clock.elapsed()
    print(f"orders {soak.placed} (refused {soak.refusals.total()}), feed drops {soak.drops}, "
          f"docks closed and opened {soak.toggles}")  # fmt: skip
    print(f"{seconds:.0f} market seconds in {wall:.0f} s: speed factor {seconds / wall:.1f}")
    for reason, count in soak.refusals.most_common(5):
        print(f"  refused {count}: {reason}")
    after = [s for s in soak.samples if s.market >= WARM_UP * seconds] or soak.samples
    growth = after[-1].memory - after[0].memory
    print(f"memory after the warm-up: {growth:+.1f} MiB (limit {MAX_GROWTH_MIB})")
    # Counts breathe (a timer here, an outage there); a leak raises even their lowest values.
    third = max(1, len(after) // 3)
    grown = []
    for name in after[0].counts():
        first, last = (
            min(getattr(sample, name) for sample in part)
            for part in (after[:third], after[-third:])
        )
        if last > first:
            grown.append(f"{name} {first} -> {last}")
    for line in grown:
        print(f"GREW: {line}")
    return 1 if grown or growth > MAX_GROWTH_MIB else 0


def main() -> int:
    """Parse, play, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=SESSION_SECONDS, help="market seconds")
    parser.add_argument("--rate", type=int, default=2000, help="ticks per market second")
    parser.add_argument("--symbols", type=int, default=400, help="subscribed instruments")
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--reconnects", type=int, default=20)
    parser.add_argument("--docks", type=int, default=100, help="docks closed and opened")
    options = parser.parse_args()
    app = make_application()
    loop = PumpEventLoop(app)
    asyncio.set_event_loop(loop)
    overrides = {
        "api.rest_port": 0,
        "api.ws_port": 0,
        "simulator.rate": 0.0,  # this file feeds
        "log.level": "WARNING",
    }
    with tempfile.TemporaryDirectory() as folder:
        session = Session(
            app, TerminalOptions(data_dir=Path(folder), mode=Mode.SANDBOX, overrides=overrides)
        )
        try:
            return loop.run_until_complete(run(session, loop, options))
        finally:
            loop.close()


if __name__ == "__main__":
    sys.exit(main())
