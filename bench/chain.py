"""The live option chain: 81 strikes x 2 at 5,000 ticks/s, prices taken 10 times a second and
figures solved 4 times, as the window does it.

CPU of a second of market time (the ticks enter the hub and are taken over; without a chain the
same ticks cost the hub alone), and how long one pass holds the loop, by the wall clock and by CPU
of the thread.

    .venv/bin/python bench/chain.py [--seconds 20] [--strikes 81] [--rate 5000]

Exits with 1 when p99 of a pass (CPU) is above 5 ms.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from datetime import date, datetime
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.analytics.contracts import Contracts  # noqa: E402
from openalgo_desktop.analytics.live_chain import ChainFinder, LiveChain  # noqa: E402
from openalgo_desktop.core.chain import ChainName  # noqa: E402
from openalgo_desktop.core.clock import IST, ManualClock  # noqa: E402
from openalgo_desktop.core.enums import FeedMode  # noqa: E402
from openalgo_desktop.core.instruments import InstrumentTable  # noqa: E402
from openalgo_desktop.core.model import Instrument  # noqa: E402
from openalgo_desktop.core.options_math import price  # noqa: E402
from openalgo_desktop.core.symbols import option_symbol  # noqa: E402
from openalgo_desktop.core.ticks import Tick  # noqa: E402
from openalgo_desktop.market.hub import MarketHub  # noqa: E402

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=IST)
EXPIRY = date(2026, 12, 1)
YEARS = (datetime(2026, 12, 1, 15, 30, tzinfo=IST) - NOW).total_seconds() / 31_536_000
FORWARD, LIMIT = 24_503.0, 5.0
LOOKS, PASSES = 10, 4  # a second


def part(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Market:
    """NIFTY options whose forward wanders a point a quarter of a second."""

    def __init__(self, strikes: int) -> None:
        self.clock, table = ManualClock(NOW), InstrumentTable()
        rows = [Instrument("NIFTY", "NSE_INDEX", "NIFTY 50", "INDEX")]
        self.legs: list[tuple[float, bool, Tick]] = []
        low = 24_500.0 - 50 * (strikes // 2)
        for strike in (low + 50 * n for n in range(strikes)):
            for kind in ("CE", "PE"):
                symbol = option_symbol("NIFTY", EXPIRY, strike, kind)
                rows.append(Instrument(symbol, "NFO", "NIFTY", kind, 65, 0.05, EXPIRY, strike))
                blank = Tick(symbol, "NFO", 1.0, FeedMode.QUOTE, close=90.0, volume=1, oi=65)
                self.legs.append((strike, kind == "CE", blank))
        table.load(rows)
        self.table = table
        self.hub = MarketHub(self.clock, table)
        self.hub.connected = True
        self.random = random.Random(7)
        self.forward = FORWARD
        self.at = 0

    def chain(self) -> LiveChain:
        finder = ChainFinder(self.table, Contracts(self.table, self.hub), self.clock)
        family = finder.family(self.table.require("NIFTY", "NSE_INDEX"))
        assert family is not None
        return LiveChain(self.hub, self.table, self.clock, ChainName(family, EXPIRY))

    def ticks(self, count: int) -> list[Tick]:
        """Made before they are measured."""
        self.forward += self.random.choice((-1.0, 0.0, 1.0))
        made = []
        for _ in range(count):
            strike, call, blank = self.legs[self.at]
            self.at = (self.at + 1) % len(self.legs)
            fair = max(0.05, float(price(self.forward, strike, YEARS, 0.13, 0.0, call)))
            half = max(0.05, 0.002 * fair)
            made.append(
                msgspec.structs.replace(
                    blank, ltp=fair, bid=max(0.05, fair - half), ask=fair + half
                )
            )
        return made


def run(options: argparse.Namespace, follow: bool) -> tuple[float, list[float], list[float]]:
    """CPU of a second of the market, and milliseconds of each pass by CPU and by wall clock."""
    market = Market(options.strikes)
    chain = market.chain() if follow else None
    spent, passes, walls = 0.0, [], []
    step = options.rate // 20  # twenty portions a second; looks and passes fall on some of them
    for turn in range(options.seconds * 20):
        ticks = market.ticks(step)
        began = time.thread_time()
        for tick in ticks:
            market.hub.publish(tick)
        if chain is not None and turn % (20 // LOOKS) == 0:
            chain.absorb()
        if chain is not None and turn % (20 // PASSES) == 0:
            wall, cpu = time.perf_counter(), time.thread_time()
            chain.solve()
            passes.append((time.thread_time() - cpu) * 1e3)
            walls.append((time.perf_counter() - wall) * 1e3)
        spent += time.thread_time() - began
        market.clock.advance(0.05)
    if chain is not None:
        chain.close()
    return spent / options.seconds, passes[PASSES:], walls[PASSES:]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--strikes", type=int, default=81)
    parser.add_argument("--rate", type=int, default=5000)
    options = parser.parse_args()
    floor, _, _ = run(options, False)
    whole, passes, walls = run(options, True)
    print(
        f"{options.strikes} strikes x 2 at {options.rate} ticks/s: {100 * whole:.1f} % of a core, "
        f"{100 * floor:.1f} % without the chain"
    )
    worst = part(passes, 0.99)
    print(
        f"one pass: p50 {part(passes, 0.5):.2f} ms of CPU, p99 {worst:.2f}; "
        f"by the wall clock {part(walls, 0.5):.2f} and {part(walls, 0.99):.2f}"
    )
    return 1 if worst > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
