"""What the sandbox costs on the tick path.

10,000 resting orders on 1,000 symbols take 5,000 ticks a second (in memory, with the real gateway,
writer and store interface) under 20 % of one core; no row is written by ticks that match nothing;
and the cost follows the matches, not the orders. The peer in the same run is the plain way: a scan
of all resting orders of the ticking symbol, and of the whole book. Exits with 1 when a limit is
broken.

    .venv/bin/python bench/sandbox.py [--seconds 4]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, FeedMode, PriceType, Product
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key, OrderRequest
from openalgo_desktop.core.ports import PaperRow
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.sandbox.account import Sandbox

RATE = 5_000  # ticks per second
LIMIT = 0.20  # of one core
SYMBOLS = 1_000


class CountingStore:
    """A store that counts what would be written."""

    def __init__(self) -> None:
        self.rows = 0
        self.batches = 0

    async def save(self, account_id: str, rows: Mapping[str, Sequence[PaperRow]]) -> None:
        self.batches += 1
        self.rows += sum(map(len, rows.values()))

    async def load(self, account_id: str) -> dict[str, list[dict[str, Any]]]:
        return {}

    async def clear(self, account_id: str, tables: Sequence[str]) -> None:
        pass


class Feed:
    """A tick source that calls the watchers of a key."""

    def __init__(self) -> None:
        self.watchers: dict[Key, Callable[[Tick], None]] = {}
        self.last: dict[Key, Tick] = {}

    def latest(self, key: Key) -> Tick | None:
        return self.last.get(key)

    def watch(
        self, key: Key, mode: FeedMode, listener: Callable[[Tick], None]
    ) -> Callable[[], None]:
        self.watchers[key] = listener
        return lambda: self.watchers.pop(key, None) and None

    async def snapshot(self, key: Key, parts: object = None) -> Tick:
        return self.last[key]


def key_of(number: int) -> Key:
    return ("NSE", f"SYM{number:04d}")


def tick_of(number: int, price: float) -> Tick:
    return Tick(
        f"SYM{number:04d}",
        "NSE",
        price,
        mode=FeedMode.QUOTE,
        bid=round(price - 0.05, 2),
        ask=round(price + 0.05, 2),
    )


async def make(model: str, orders: int, symbols: int = SYMBOLS) -> tuple[Sandbox, Feed, Any]:
    """A sandbox with ``orders`` resting limit and stop orders, spread over the symbols."""
    clock = ManualClock(datetime(2026, 11, 23, 10, 0, tzinfo=IST))
    table = InstrumentTable()
    table.load([Instrument(f"SYM{n:04d}", "NSE") for n in range(symbols)])
    values = {key: row.default for key, row in SETTINGS.items()}
    values |= {"sandbox.hours": "always", "sandbox.fill_model": model}
    feed, store = Feed(), CountingStore()
    for number in range(symbols):
        feed.last[key_of(number)] = tick_of(number, 1000.0)
    box = Sandbox("sandbox:bench", clock, table, feed, store, values)
    await box.start(Decimal(10) ** 12)
    dice = random.Random(7)
    for number in range(orders):
        exchange, symbol = key_of(number % symbols)
        away = round(dice.randint(60, 400) * 0.05, 2)
        action = dice.choice(list(Action))
        kind = dice.choice([PriceType.LIMIT, PriceType.SLM])
        # Limits wait on the cheap side of the market, stops on the dear one.
        side = action.sign if kind is PriceType.SLM else -action.sign
        level = round(1000.0 + side * away, 2)
        now = clock.now()
        if kind is PriceType.SLM:
            request = OrderRequest(
                symbol, exchange, action, 1, kind, Product.MIS, trigger_price=level
            )
        else:
            request = OrderRequest(symbol, exchange, action, 1, kind, Product.MIS, price=level)
        clock.advance(0.002)
        box.enter(request, "", feed.last[key_of(number % symbols)], now)
    await box.stored()
    return box, feed, store


def walk(symbols: int, count: int) -> list[Tick]:
    """Prices that move without reaching any order (they rest at least 3 rupees away)."""
    dice = random.Random(11)
    return [
        tick_of(dice.randrange(symbols), 1000.0 + dice.randint(-40, 40) * 0.05)
        for _ in range(count)
    ]


def cpu(work: Callable[[], None]) -> float:
    """CPU seconds of ``work``."""
    start = time.process_time()
    work()
    return time.process_time() - start


def send(feed: Feed, ticks: list[Tick]) -> None:
    """What the hub does with a tick: remember it, call the watchers."""
    last, watchers = feed.last, feed.watchers
    for tick in ticks:
        key = (tick.exchange, tick.symbol)
        last[key] = tick
        listener = watchers.get(key)
        if listener is not None:
            listener(tick)


async def quiet(model: str, orders: int, seconds: float, symbols: int = SYMBOLS) -> float:
    """Share of a core that ticks without a match take; checks that nothing is written."""
    box, feed, store = await make(model, orders, symbols)
    ticks = walk(symbols, int(RATE * seconds))
    send(feed, ticks[:1000])
    await asyncio.sleep(0.3)
    rows = store.rows
    used = cpu(lambda: send(feed, ticks))
    await asyncio.sleep(0.3)
    assert len(box.book.matcher) == orders, "a quiet tick matched"
    assert store.rows == rows, "a quiet tick wrote rows"
    await box.stop()
    return used / seconds


async def matching(orders: int, matches: int) -> float:
    """CPU seconds of one pass of ticks over all symbols that fills ``matches`` orders."""
    box, feed, _ = await make("touch", orders)
    resting = [row.order for row in box.book.all_working()][:matches]
    ticks = []
    for order in resting:
        number = int(order.symbol[3:])
        level = order.price if order.price_type is PriceType.LIMIT else order.trigger_price
        ticks.append(tick_of(number, level))
    ticks += walk(SYMBOLS, RATE - len(ticks))
    before = len(box.state.trades)
    used = cpu(lambda: send(feed, ticks))
    assert len(box.state.trades) - before >= matches
    await box.stop()
    return used


def plain(orders: int, whole_book: bool, seconds: float) -> float:
    """The peer: every tick looks at each resting order of its symbol (or of the book)."""
    dice = random.Random(7)
    book: dict[int, list[tuple[bool, float]]] = {}
    for number in range(orders):
        falls = dice.random() < 0.5
        book.setdefault(number % SYMBOLS, []).append((falls, 990.0 if falls else 1010.0))
    everything = [row for rows in book.values() for row in rows]
    count = int(RATE * seconds) if not whole_book else 50
    ticks = walk(SYMBOLS, count)
    hits = 0

    def scan() -> None:
        nonlocal hits
        for tick in ticks:
            for falls, level in everything if whole_book else book.get(int(tick.symbol[3:]), ()):
                hits += (tick.ltp <= level) if falls else (tick.ltp >= level)

    used = cpu(scan)
    assert hits == 0
    return used / count * RATE


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds of ticks per measure")
    seconds = parser.parse_args().seconds
    broken = 0
    print(f"{RATE} ticks/s over {SYMBOLS} symbols, share of one core:")
    for model in ("touch", "book"):
        share = await quiet(model, 10_000, seconds)
        verdict = "ok" if share < LIMIT else f"ABOVE {LIMIT:.0%}"
        broken += share >= LIMIT
        print(f"  {model:>5}: 10,000 resting orders      {share:7.1%}  {verdict}")
    few = await quiet("touch", 1_000, seconds)
    many = await quiet("touch", 40_000, seconds)
    flat = many < 2.0 * few + 0.02
    broken += not flat
    print(
        f"  touch:  1,000 orders {few:6.1%}, 40,000 orders {many:6.1%}  {'ok' if flat else 'GROWS'}"
    )
    lone = await quiet("touch", 10_000, seconds, symbols=1)
    print(f"  touch: 10,000 orders on one symbol {lone:7.1%}")
    print(f"  peer, scan of the symbol's orders  {plain(10_000, False, seconds):7.1%}")
    print(f"  peer, scan of the whole book       {plain(10_000, True, seconds):7.0%}")
    print(f"{RATE} ticks with matches among 10,000 orders, CPU ms:")
    base = await matching(10_000, 0)
    for matches in (0, 100, 1_000, 4_000):
        used = await matching(10_000, matches)
        each = (used - base) / matches * 1e6 if matches else 0.0
        print(
            f"  {matches:>5} matches {used * 1e3:8.1f}"
            + (f"  {each:6.0f} µs each" if matches else "")
        )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
