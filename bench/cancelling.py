"""Cancel all, flatten and the kill switch as curves over the number of orders and positions.

The whole way in the sandbox, on the loop of a headless engine: desk, journal and paper store in
one SQLite database, own book. Told are milliseconds of CPU on the loop per order, the longest time
that nobody else got the loop, and the wall clock. The floor is the matching engine's own cancel (or
closing fill) and one encoding of the rows that must be stored, without desk and disk. Limit: 0.3 ms
an order, and as much per order at the largest size as at the smallest (linear). Exits with 1 when a
limit is broken.

    .venv/bin/python bench/cancelling.py [--sizes 1000 10000] [--what cancel flatten kill]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.sandbox import Feed, key_of, tick_of  # noqa: E402
from openalgo_desktop.config.settings import SETTINGS  # noqa: E402
from openalgo_desktop.core.clock import IST, SystemClock  # noqa: E402
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product  # noqa: E402
from openalgo_desktop.core.events import Bus  # noqa: E402
from openalgo_desktop.core.garbage import short_passes  # noqa: E402
from openalgo_desktop.core.instruments import InstrumentTable  # noqa: E402
from openalgo_desktop.core.model import Instrument, OrderRequest  # noqa: E402
from openalgo_desktop.sandbox.account import Sandbox  # noqa: E402
from openalgo_desktop.shell.options import run_async  # noqa: E402
from openalgo_desktop.storage.database import Database  # noqa: E402
from openalgo_desktop.storage.journal import Journal  # noqa: E402
from openalgo_desktop.storage.paper import PaperRepository  # noqa: E402
from openalgo_desktop.storage.state import KeyValueStore  # noqa: E402
from openalgo_desktop.trading import killswitch  # noqa: E402
from openalgo_desktop.trading.desk import OrderDesk  # noqa: E402
from openalgo_desktop.trading.killswitch import KillSwitch  # noqa: E402

PER_ORDER_MS = 0.3
#: Cost per order at the largest size against the smallest.
GROWTH = 1.5
SYMBOLS = 1000


class World:
    """A desk over a sandbox with much in it."""

    def __init__(self, folder: Path, symbols: int) -> None:
        self.clock = SystemClock(datetime.now(IST).replace(hour=10, minute=0))
        self.database = Database(f"sqlite:///{folder / 'bench.db'}")
        self.bus = Bus()
        rows = []
        self.feed = Feed()
        for number in range(symbols):
            exchange, symbol = key_of(number)
            rows.append(Instrument(symbol, exchange, tick_size=0.05, instrument_type="EQ"))
            self.feed.last[key_of(number)] = tick_of(number, 100.0)
        self.table = InstrumentTable.of(rows)
        defaults = {key: setting.default for key, setting in SETTINGS.items()}
        self.settings = defaults | {"sandbox.capital": 10**12}
        self.sandbox: Any = None
        self.desk: Any = None

    async def start(self) -> None:
        await self.database.start()
        self.sandbox = Sandbox(
            "sandbox:bench", self.clock, self.table, self.feed,  # type: ignore[arg-type]
            PaperRepository(self.database), self.settings, market_always_open=lambda: True,
        )  # fmt: skip
        await self.sandbox.start()
        self.sandbox.book.fund(Decimal(10**12), self.clock.now())
        self.desk = OrderDesk(
            self.clock, self.bus, self.table, Journal(self.database, self.clock),
            ack_timeout=lambda: 60.0, reconcile_interval=lambda: 3600.0,
        )  # fmt: skip
        self.desk.set_gateway(Mode.SANDBOX, self.sandbox)
        await self.desk.start()

    async def stop(self) -> None:
        await self.desk.stop()
        await self.sandbox.stop()
        await self.database.stop()

    async def fill(self, orders: int, positions: int) -> None:
        """Resting buys below the market, and open positions."""
        for number in range(orders + positions):
            held = number >= orders
            at = number - orders if held else number % min(SYMBOLS, len(self.feed.last))
            exchange, symbol = key_of(at)
            kind = PriceType.MARKET if held else PriceType.LIMIT
            request = OrderRequest(
                symbol, exchange, Action.BUY, 1, kind, Product.MIS, price=0.0 if held else 90.0
            )
            tick = self.feed.last[exchange, symbol]
            self.sandbox.enter(request, f"B{number}", tick, self.clock.now())
            if number % 500 == 0:
                await self.sandbox.stored()
        await self.sandbox.stored()


async def longest_hold(stop: asyncio.Event) -> float:
    """Milliseconds: how late at worst somebody else got a turn that was due."""
    worst = 0.0
    while not stop.is_set():
        due = time.perf_counter() + 0.002
        await asyncio.sleep(0.002)
        worst = max(worst, time.perf_counter() - due)
    return 1000 * worst


async def measured(work: Callable[[], Awaitable[Any]]) -> tuple[Any, float, float, float]:
    """Result, seconds of wall clock, seconds of CPU on the loop, longest hold in ms."""
    stop = asyncio.Event()
    listener = asyncio.create_task(longest_hold(stop))
    await asyncio.sleep(0)
    wall, cpu = time.perf_counter(), time.thread_time()
    result = await work()
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    stop.set()
    return result, wall, cpu, await listener


def floor(world: World, orders: int) -> float:
    """Milliseconds an order: the engine's cancel and one encoding of its row and journal row."""
    rows = list(world.sandbox.book.all_working())[:orders]
    began = time.perf_counter()
    for row in rows:
        world.sandbox.book.cancel(row.order.order_id, world.clock.now())
        msgspec.json.encode(row.order)
        msgspec.json.encode({"order_id": row.order.order_id})
    world.sandbox.publish()
    return 1000 * (time.perf_counter() - began) / max(1, len(rows))


async def run(what: str, size: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        positions = {"cancel": 0, "flatten": size, "kill": size // 10}[what]
        orders = 0 if what == "flatten" else size
        world = World(Path(folder), max(SYMBOLS, positions))
        await world.start()
        # A tenth more is what the floor is measured on.
        await world.fill(orders + max(200, orders // 10), positions)
        bare = floor(world, max(200, orders // 10))
        kill = KillSwitch(world.clock, world.bus, world.desk, KeyValueStore(world.database))
        works: dict[str, Callable[[], Awaitable[Any]]] = {
            "cancel": lambda: world.desk.closing.cancel_all("bench"),
            "flatten": lambda: world.desk.closing.close_all("bench"),
            "kill": lambda: kill.trip("bench"),
        }
        result, wall, cpu, hold = await measured(works[what])
        done = {
            "cancel": lambda: len(result.cancelled) == orders and not result.failed,
            "flatten": lambda: result.closed == positions and not result.failed,
            "kill": lambda: result.clean,
        }[what]()
        left = sum(1 for row in await world.sandbox.positions() if row.quantity)
        count = orders + positions
        each = 1000 * cpu / count
        print(
            f"{what:8} {count:>7,}  {each:6.3f} ms of loop an order (floor {bare:5.3f})  "
            f"longest hold {hold:7.1f} ms  {wall:7.2f} s"
            f"{'' if done and not left else f'  NOT DONE: {result}'[:300]}",
            flush=True,
        )
        await world.stop()
        return each


async def main(sizes: list[int], what: list[str]) -> int:
    killswitch.POLL = 0.05
    broken = False
    for name in what:
        each = [await run(name, size) for size in sizes]
        broken |= each[-1] > PER_ORDER_MS or each[-1] > GROWTH * each[0]
    return int(broken)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--what", nargs="+", default=["cancel", "flatten", "kill"])
    options = parser.parse_args()
    with short_passes():
        sys.exit(run_async(main(options.sizes, options.what)))
