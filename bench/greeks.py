"""Greeks of many options: microseconds an option beside the chain and the bare solver.

.venv/bin/python bench/greeks.py
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.analytics.chain import ChainBook  # noqa: E402
from openalgo_desktop.analytics.greeks import GreeksDesk, GreeksRequest  # noqa: E402
from openalgo_desktop.core.clock import IST, ManualClock  # noqa: E402
from openalgo_desktop.core.enums import FeedMode  # noqa: E402
from openalgo_desktop.core.instruments import InstrumentTable  # noqa: E402
from openalgo_desktop.core.model import Instrument  # noqa: E402
from openalgo_desktop.core.options_math import greeks, implied_volatility, price  # noqa: E402
from openalgo_desktop.core.symbols import option_symbol  # noqa: E402
from openalgo_desktop.core.ticks import Tick  # noqa: E402
from openalgo_desktop.market.hub import MarketHub  # noqa: E402

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=IST)
EXPIRY = date(2026, 12, 29)
YEARS = (datetime(2026, 12, 29, 15, 30, tzinfo=IST) - NOW).total_seconds() / 31_536_000
STRIKES = [21_000.0 + 50 * n for n in range(201)]
FORWARD = 26_120.0


def hub() -> tuple[MarketHub, InstrumentTable, ManualClock]:
    """NIFTY with 201 strikes, all streamed."""
    clock, table = ManualClock(NOW), InstrumentTable()
    rows = [Instrument("NIFTY", "NSE_INDEX", "NIFTY 50", "INDEX")]
    ticks = [Tick("NIFTY", "NSE_INDEX", 26_000.0, FeedMode.QUOTE)]
    for strike in STRIKES:
        for kind in ("CE", "PE"):
            symbol = option_symbol("NIFTY", EXPIRY, strike, kind)
            rows.append(Instrument(symbol, "NFO", "NIFTY", kind, 65, 0.05, EXPIRY, strike))
            fair = float(price(FORWARD, strike, YEARS, 0.14, 0.0, kind == "CE"))
            ticks.append(Tick(symbol, "NFO", max(0.05, fair), FeedMode.QUOTE))
    table.load(rows)
    found = MarketHub(clock, table)
    found.connected = True
    for tick in ticks:
        found.publish(tick)
    return found, table, clock


async def best(work: Callable[[], Awaitable[Any]], times: int = 30) -> float:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        spent.append(time.perf_counter() - began)
    return min(spent) * 1e6


async def solver(count: int) -> None:
    strikes = np.array(STRIKES[: max(1, count // 2)]).repeat(2)[:count]
    calls = np.arange(count) % 2 == 0
    premium = np.asarray(price(FORWARD, strikes, np.full(count, YEARS), 0.14, 0.0, calls))
    sigma = np.asarray(implied_volatility(premium, FORWARD, strikes, YEARS, 0.0, calls))
    greeks(FORWARD, strikes, YEARS, np.where(sigma > 0, sigma, 0.2), 0.0, calls)


async def main() -> None:
    market, table, clock = hub()
    book = ChainBook(market, table, clock)
    desk = GreeksDesk(book, table, clock)
    underlying = book.contracts.underlying("NIFTY", "NSE_INDEX", "29DEC26", NOW.date())
    print("microseconds an option (aim: near the chain's; 430 when solved one by one)")
    for count in (1, 2, 10, 50):
        wanted = [
            GreeksRequest(option_symbol("NIFTY", EXPIRY, strike, kind), "NFO")
            for strike in STRIKES[88:113]
            for kind in ("CE", "PE")
        ][:count]
        many = await best(lambda w=wanted: desk.many(w)) / count
        floor = await best(lambda c=count: solver(c)) / count
        print(f"multioptiongreeks of {count:3}: {many:6.1f}   solver alone {floor:6.1f}")
    for each_side in (5, 25, 100):
        whole = await best(lambda n=each_side: book.build(underlying, n, True))
        bare = await best(lambda n=each_side: book.build(underlying, n, False))
        count = 2 * (2 * each_side + 1)
        print(
            f"chain of {count // 2:3} strikes:      {whole / count:6.1f}   "
            f"without greeks {bare / count:6.1f}   whole {whole / 1000:5.1f} ms"
        )
    book.close()


if __name__ == "__main__":
    asyncio.run(main())
