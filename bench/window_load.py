"""The window on a heavy day: 5,000 working orders, 500 watched rows, the chart, 5,000 ticks/s.

The real window (offscreen unless DISPLAY is set) in this process; ticks of the watched instruments
enter the hub by the feed's door at a fixed rate; another process places orders over HTTP. Measured
twice, without and with the working orders: how late a timer of 1 ms came (wall clock, and CPU of
the loop's thread meanwhile, which other processes do not spoil), round trips of placeorder, CPU of
the process in percent of a core. The window has one chart; it counts for the four of the aim.

    .venv/bin/python bench/window_load.py [--seconds 10] [--orders 5000] [--rate 5000]

Exits with 1 when a limit is broken: hold p99 15 ms, placeorder p99 25 ms, CPU 10 points more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

if not os.environ.get("DISPLAY"):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.first_light import seed_watchlist  # noqa: E402
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product  # noqa: E402
from openalgo_desktop.core.model import Instrument, OrderRequest  # noqa: E402
from openalgo_desktop.core.ticks import Tick  # noqa: E402
from openalgo_desktop.runtime.options import TerminalOptions  # noqa: E402
from openalgo_desktop.ui.engine.loop import PumpEventLoop  # noqa: E402
from openalgo_desktop.ui.shell.main import Session, make_application  # noqa: E402

HOLD, PLACE, POINTS = 15.0, 25.0, 10.0
ROWS = 500
#: Seconds between two portions of ticks.
STEP = 0.01
CLIENT = """
import http.client, json, sys, time
host, body, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
line, times = http.client.HTTPConnection(host, timeout=60), []
end = time.perf_counter() + seconds
while time.perf_counter() < end:
    began = time.perf_counter()
    line.request("POST", "/api/v1/placeorder", body, {"Content-Type": "application/json"})
    answer = line.getresponse()
    text = answer.read()
    times.append((time.perf_counter() - began) * 1e3)
    assert answer.status == 200, text
    time.sleep(0.05)
print(json.dumps(times))
"""


@dataclass
class Load:
    """Milliseconds, sorted, and percent of a core."""

    late: list[float]
    held: list[float]
    placed: list[float]
    cpu: float


def part(values: list[float], share: float) -> float:
    """The value that ``share`` of all do not exceed."""
    return values[min(len(values) - 1, int(len(values) * share))]


class Run:
    """One window and its load."""

    def __init__(self, session: Session, options: argparse.Namespace) -> None:
        self.terminal = session.terminal
        self.options = options
        self.rows: list[Instrument] = []
        self.ticks: list[Tick] = []
        self.ticked = 0

    async def prepare(self) -> None:
        rows = list(self.terminal.instruments.rows())[:ROWS]
        found = await self.terminal.account.market.quotes([row.key for row in rows])
        self.ticks = [tick for tick in found.values() if isinstance(tick, Tick)]
        priced = {tick.key for tick in self.ticks}
        self.rows = [row for row in rows if row.key in priced and not row.is_index]
        self.terminal.sandbox.book.fund(Decimal(10**13), self.terminal.clock.now())

    async def feed(self) -> None:
        """Ticks at the wanted rate, each a little off the one before."""
        began, at = time.perf_counter(), 0
        self.ticked = 0
        while True:
            due = int((time.perf_counter() - began) * self.options.rate)
            due = min(due, self.ticked + self.options.rate // 20)
            while self.ticked < due:
                tick = self.ticks[at]
                move = 0.05 if (self.ticked // len(self.ticks)) % 2 else -0.05
                fresh = msgspec.structs.replace(tick, ltp=tick.ltp + move)
                self.terminal.hub.publish(fresh)
                at = (at + 1) % len(self.ticks)
                self.ticked += 1
            await asyncio.sleep(STEP)

    async def watch(self, load: Load) -> None:
        """A timer of a millisecond, and what the loop did when it was late."""
        while True:
            wall, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            load.late.append((time.perf_counter() - wall) * 1e3 - 1.0)
            load.held.append((time.thread_time() - cpu) * 1e3)

    async def rest(self) -> None:
        """The working orders: buys far below the market, over all watched symbols."""
        prices = {tick.key: tick for tick in self.ticks}
        for number in range(self.options.orders):
            row = self.rows[number % len(self.rows)]
            tick = prices[row.key]
            price = max(row.tick_size, round(tick.ltp * 0.5 / row.tick_size) * row.tick_size)
            request = OrderRequest(
                row.symbol, row.exchange, Action.BUY, row.lot_size, PriceType.LIMIT,
                Product.NRML if row.expiry else Product.MIS, price=round(price, 4),
            )  # fmt: skip
            self.terminal.sandbox.enter(request, f"W{number}", tick, self.terminal.clock.now())
            if number % 100 == 0:
                await self.terminal.sandbox.stored()
        await self.terminal.sandbox.stored()

    async def measure(self) -> Load:
        terminal, load = self.terminal, Load([], [], [], 0.0)
        assert terminal.api is not None
        secret = await terminal.keys.default()
        assert secret is not None
        order = {
            "apikey": secret.reveal(), "strategy": "bench", "symbol": "SBIN", "exchange": "NSE",
            "action": "BUY", "quantity": 1, "product": "MIS", "pricetype": "MARKET",
        }  # fmt: skip
        host = terminal.api.rest_url.removeprefix("http://")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENT, host, json.dumps(order), str(self.options.seconds),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await asyncio.sleep(0.5)
        watching = asyncio.create_task(self.watch(load))
        wall, cpu = time.perf_counter(), time.process_time()
        out, _ = await process.communicate()
        load.cpu = 100 * (time.process_time() - cpu) / (time.perf_counter() - wall)
        watching.cancel()
        load.placed = sorted(json.loads(out))
        load.late.sort()
        load.held.sort()
        return load


def told(name: str, load: Load) -> None:
    """One line of the table."""
    print(
        f"{name:16} timer late p50 {part(load.late, 0.5):5.1f}  p99 {part(load.late, 0.99):6.1f}  "
        f"CPU of a hold p99 {part(load.held, 0.99):5.1f}  max {load.held[-1]:6.1f}   "
        f"placeorder p50 {part(load.placed, 0.5):5.1f}  p99 {part(load.placed, 0.99):6.1f} ms   "
        f"CPU {load.cpu:5.1f} %",
        flush=True,
    )


async def run(session: Session, options: argparse.Namespace) -> int:
    await session.start()
    feeding: asyncio.Task[None] | None = None
    try:
        work = Run(session, options)
        await work.prepare()
        feeding = asyncio.create_task(work.feed())
        await asyncio.sleep(3)
        without = await work.measure()
        told("no orders", without)
        await work.rest()
        await asyncio.sleep(3)
        loaded = await work.measure()
        told(f"{options.orders:,} orders", loaded)
    finally:
        if feeding is not None:
            feeding.cancel()
        await session.stop()
    more = loaded.cpu - without.cpu
    print(f"{more:+.1f} points of CPU by the orders")
    broken = part(loaded.held, 0.99) > HOLD or part(loaded.placed, 0.99) > PLACE or more > POINTS
    return int(broken)


def main() -> int:
    """Parse, run, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--rate", type=int, default=5000, help="ticks per second")
    options = parser.parse_args()
    overrides: dict[str, Any] = {
        "api.rest_port": 0, "api.ws_port": 0, "simulator.rate": 0.0, "log.level": "WARNING",
        "simulator.always_open": True, "limits.order": "100000 per second",
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(seed_watchlist(folder))
        app = make_application()
        loop = PumpEventLoop(app)
        asyncio.set_event_loop(loop)
        session = Session(
            app,
            TerminalOptions(data_dir=folder / "data", mode=Mode.SANDBOX, overrides=overrides),
        )
        try:
            return loop.run_until_complete(run(session, options))
        finally:
            loop.close()


if __name__ == "__main__":
    sys.exit(main())
