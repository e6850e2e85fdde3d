"""The fault campaign: orders through the real desk, journal and database over a bad line.

    python -m tests.faults.campaign --orders 10000 --seed 1

Seeded. After each round the faults stop, everything settles, and then: orders at the exchange =
orders in the journal = orders in the window and in the API; none lost, none doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import random
import sqlite3
import tempfile
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from openalgo_desktop.brokers.simulator.account import SimulatorAccount, SimulatorOptions
from openalgo_desktop.core.clock import IST, SystemClock
from openalgo_desktop.core.enums import Action, JournalState, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, OrderStateUnknown
from openalgo_desktop.core.events import Bus, OrderSettled, OrderUpdated
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import ModifyRequest, Order, OrderRequest
from openalgo_desktop.storage import database as database_module
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.journal import Journal
from openalgo_desktop.trading import books, reconcile, sending
from openalgo_desktop.trading.desk import OrderDesk
from tests.faults.exchange import BadLine, MemoryStore

FIXTURE = Path(__file__).parents[1] / "data" / "fixture_symbols.json"
TIMEOUT = 0.03  # seconds to wait for an answer
ROUND = 50  # orders
ROUND_FAULTS = ("disk full", "database locked", "clock jumps", "line half open", "crash")


class Window:
    """The order book as the window and the WebSocket clients build it: from updates alone."""

    def __init__(self, bus: Bus, orders: list[Order]) -> None:
        self.orders = {order.order_id: order for order in orders}
        self._stops = [
            bus.subscribe(OrderUpdated, self._on_order),
            bus.subscribe(OrderSettled, lambda event: self.orders.pop(event.tag, None)),
        ]

    def close(self) -> None:
        for stop in self._stops:
            stop()

    def _on_order(self, event: OrderUpdated) -> None:
        self.orders[event.order.order_id] = event.order


class PassingClock(SystemClock):
    """The machine's clock, on which time can pass faster; a jump moves the wall clock only."""

    def __init__(self, start: datetime) -> None:
        self._passed = 0.0
        super().__init__(start)

    def skip(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        self._passed += seconds
        self.jump(self.now() + timedelta(seconds=seconds))

    def monotonic(self) -> float:
        return super().monotonic() + self._passed


class Campaign:
    """One seed: an exchange, and programs that come and go over it."""

    #: Seconds after which a call without an answer is of unknown state.
    answer = TIMEOUT

    def __init__(self, folder: Path, seed: int, *, tags: bool = True) -> None:
        self.rng = random.Random(seed)
        self.tags = tags
        self.clock = PassingClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        self.exchange_clock = SystemClock(self.clock.now())
        self.path = folder / f"campaign-{seed}.db"
        self.counts: Counter[str] = Counter()
        self.answers: dict[str, str] = {}  # strategy of an order -> placed, refused, unknown
        self.cancelled: set[str] = set()
        self._number = 0

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        options = SimulatorOptions(universe=FIXTURE, frozen=True, rate=0.0)
        self.account = SimulatorAccount(self.exchange_clock, MemoryStore(), options)
        await self.account.connect()
        self.instruments = InstrumentTable()
        self.instruments.load(await self.account.instruments())
        self.line = BadLine(self.account.gateway, self.rng, TIMEOUT, tags=self.tags)
        await self.boot()

    async def boot(self) -> None:
        """A new process over the same disk."""
        self.db = Database(f"sqlite:///{self.path}")
        await self.db.start()
        self.bus = Bus()
        self.journal = Journal(self.db, self.clock)
        self.desk = OrderDesk(
            self.clock,
            self.bus,
            self.instruments,
            self.journal,
            ack_timeout=lambda: self.answer,
            reconcile_interval=lambda: 0.05,
        )
        self.desk.set_gateway(Mode.LIVE, self.line)
        await self.desk.start()
        await self.desk.set_mode(Mode.LIVE, "campaign")
        with contextlib.suppress(AppError):
            await self.desk.books.rebase(Mode.LIVE)
        self.window = Window(self.bus, await self._read_orders())

    async def _read_orders(self) -> list[Order]:
        """As the window does: ask until the book comes."""
        while True:
            with contextlib.suppress(AppError):
                return await self.desk.read.orders()
            await asyncio.sleep(0.01)

    async def crash(self) -> None:
        """The program is gone in the middle of whatever it did; tasks end where they stand."""
        self.counts["program crashed"] += 1
        await self.desk.sender.abandon()
        self.window.close()
        await self.desk.reconciler.stop()
        await self.desk.books.stop()
        await self.db.stop()
        await self.boot()

    async def stop(self) -> None:
        await self.desk.stop()
        await self.db.stop()
        await self.account.disconnect()

    # -- orders -----------------------------------------------------------------------------
    def _order(self) -> OrderRequest:
        self._number += 1
        resting = self.rng.random() < 0.7
        return OrderRequest(
            symbol="SBIN",
            exchange="NSE",
            action=self.rng.choice(list(Action)) if not resting else Action.BUY,
            quantity=self.rng.randint(1, 5),  # few values: many orders look alike
            price_type=PriceType.LIMIT if resting else PriceType.MARKET,
            product=Product.MIS,
            price=700.0 if resting else 0.0,
            strategy=f"i{self._number}",
        )

    async def place(self, request: OrderRequest) -> None:
        try:
            placed = await self.desk.place(request, "campaign")
        except OrderStateUnknown:
            self.answers[request.strategy] = "unknown"
        except AppError:
            self.answers[request.strategy] = "refused"
        except asyncio.CancelledError:
            self.answers[request.strategy] = "unknown"  # its program crashed
        else:
            self.answers[request.strategy] = placed.order_id

    async def change(self) -> None:
        """Cancel or modify one of the working orders that the window shows."""
        working = [one for one in self.window.orders.values() if one.status.is_working]
        if not working:
            return
        order = self.rng.choice(working)
        with contextlib.suppress(AppError, asyncio.CancelledError):
            if self.rng.random() < 0.5:
                self.counts["cancellations"] += 1
                await self.desk.cancel(order.order_id, "campaign")
                self.cancelled.add(order.order_id)
            else:
                self.counts["modifications"] += 1
                quantity = self.rng.randint(1, 5)
                await self.desk.modify(ModifyRequest(order.order_id, quantity=quantity), "campaign")

    # -- one round --------------------------------------------------------------------------
    async def round(self, orders: int) -> None:
        """``orders`` orders and some changes under faults, then peace, then the comparison."""
        self.line.on = True
        trouble = self.rng.choice(ROUND_FAULTS)
        self.counts[trouble] += 1
        work: list[asyncio.Task[None]] = []
        breaker = asyncio.create_task(self._trouble(trouble))
        for _ in range(orders):
            work.append(asyncio.create_task(self.place(self._order())))
            if self.rng.random() < 0.3:
                work.append(asyncio.create_task(self.change()))
            if self.rng.random() < 0.3:  # otherwise a burst
                await asyncio.sleep(self.rng.uniform(0, 0.01))
        await breaker
        await asyncio.wait(work, timeout=60)
        assert all(task.done() for task in work), "a caller got no answer"
        for task in work:
            task.result()
        await self._peace()
        await self.check()

    async def _trouble(self, kind: str) -> None:
        await asyncio.sleep(self.rng.uniform(0, 0.05))
        if kind == "disk full":
            await self._write("PRAGMA max_page_count = 1")  # SQLite makes it the present size
            await asyncio.sleep(0.1)
            await self._write("PRAGMA max_page_count = 1073741823")
        elif kind == "database locked":
            await asyncio.to_thread(self._lock_database)
        elif kind == "clock jumps":
            # Where orders have no tag their time counts: the clock may not lie by much for long.
            for seconds in (-2.0, 20.0, -1.0) if self.tags else (-1.0, 2.0, -1.0):
                self._jump(seconds)
                await asyncio.sleep(0.02)
        elif kind == "line half open":
            self.line.down = True
            await asyncio.sleep(0.1)
            self.line.down = False
        else:
            await self.crash()

    def _lock_database(self) -> None:
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("PRAGMA busy_timeout = 5000")
        other.execute("BEGIN IMMEDIATE")
        time.sleep(0.2)  # longer than the program waits
        other.execute("COMMIT")
        other.close()

    async def _write(self, statement: str) -> None:
        await self.db.write(lambda connection: connection.exec_driver_sql(statement).close())

    def _jump(self, seconds: float) -> None:
        self.clock.jump(self.clock.now() + timedelta(seconds=seconds))

    async def _peace(self) -> None:
        self.line.on = self.line.down = False
        await asyncio.sleep(4 * TIMEOUT)  # the last late update
        async with asyncio.timeout(60):
            while self.line.under_way:  # the last late request and answer
                await asyncio.sleep(TIMEOUT)
        self.line.release()
        await self.desk.quiet()
        await self.db.flush()
        async with asyncio.timeout(60):
            while await self.journal.open_entries():
                self.clock.skip(reconcile.ANSWER_WITHIN / 3)
                now = self.exchange_clock.now() + timedelta(seconds=reconcile.ANSWER_WITHIN / 3)
                self.exchange_clock.jump(now)
                await self.desk.reconciler.run_once()
        await self.desk.reconciler.run_once()  # its list is of its last look
        await self.desk.books.compare(Mode.LIVE)
        await self.desk.quiet()
        await self.db.flush()

    # -- the comparison ---------------------------------------------------------------------
    async def check(self) -> None:
        """Nothing lost, nothing doubled, everybody shows the same. Raises AssertionError."""
        exchange = {order.order_id: order for order in await self.line.inner.orders()}
        per_intent = Counter(order.strategy for order in exchange.values())
        assert not [name for name, count in per_intent.items() if count > 1], "doubled orders"
        rows = [row for row in await self.journal.recent(1_000_000) if row.kind == "place"]
        owners = Counter(row.order_id for row in rows if row.order_id)
        strays = [exchange[key] for key in exchange.keys() - owners.keys()]
        strays += [row for row in rows if row.order_id and row.order_id not in exchange]
        assert not strays, f"journal and exchange differ: {strays}"
        assert max(owners.values(), default=1) == 1, "two journal rows own one order"
        states = {row.state for row in rows}
        assert states <= {JournalState.ACKNOWLEDGED, JournalState.REJECTED}, states
        for name, answer in self.answers.items():
            if answer == "refused":
                assert per_intent[name] == 0, f"{name} was refused but is at the exchange"
            elif answer != "unknown":
                assert exchange[answer].strategy == name, f"{name} has another's order"
        for order_id in self.cancelled:
            assert exchange[order_id].status is OrderStatus.CANCELLED, order_id
        api = {order.order_id: order for order in await self.desk.read.orders()}
        own = self.desk.books.book(Mode.LIVE).orders
        truth = {key: _state(order) for key, order in exchange.items()}
        for title, book in (("API", api), ("window", self.window.orders), ("own book", own)):
            shown = {key: _state(order) for key, order in book.items()}
            wrong = {key for key in truth.keys() | shown.keys() if truth.get(key) != shown.get(key)}
            assert not wrong, f"{title} differs: {[(truth.get(k), shown.get(k)) for k in wrong]}"
        assert self.desk.unsettled() == 0
        self.counts["rounds"] += 1


def _state(order: Order) -> tuple[OrderStatus, int, int]:
    return (order.status, order.quantity, order.filled_quantity)


async def run(folder: Path, seed: int, orders: int, *, tags: bool = True) -> Counter[str]:
    """``orders`` orders of one seed; returns the counts. Raises AssertionError at a difference."""
    campaign = Campaign(folder, seed, tags=tags)
    await campaign.start()
    try:
        for first in range(0, orders, ROUND):
            await campaign.round(min(ROUND, orders - first))
    except BaseException as error:
        error.add_note(f"seed {seed}, tags {tags}, after {campaign.counts['rounds']} rounds")
        raise
    finally:
        await campaign.stop()
    answers = Counter(
        answer if answer in ("unknown", "refused") else "placed"
        for answer in campaign.answers.values()
    )
    exchange = len(await _orders(campaign))
    campaign.counts.update({f"answered {name}": count for name, count in answers.items()})
    campaign.counts.update({"orders": len(campaign.answers), "orders at the exchange": exchange})
    return campaign.counts + campaign.line.counts


async def _orders(campaign: Campaign) -> list[Order]:
    campaign.account.gateway.connected = True
    return await campaign.line.inner.orders()


@contextlib.contextmanager
def quick():
    """Short waits, so that thousands of timeouts fit into a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_module, "BUSY_TIMEOUT_MS", 50)
        patch.setattr(books, "CONFIRM_AFTER", 0.01)
        patch.setattr(reconcile, "BUSY_INTERVAL", 0.02)
        patch.setattr(sending, "RETRY_STORE", 0.05)
        yield


def main() -> None:
    """The long run, with its counts on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-seed", type=int, default=1000)
    args = parser.parse_args()
    logging.getLogger("openalgo_desktop").setLevel(logging.CRITICAL + 1)
    total: Counter[str] = Counter()
    started = time.perf_counter()
    seeds = range(args.seed, args.seed + -(-args.orders // args.per_seed))
    with quick(), tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            total += asyncio.run(run(Path(folder), seed, args.per_seed, tags=seed % 3 != 0))
            print(f"seed {seed} done, {time.perf_counter() - started:.0f} s", flush=True)
    print(f"\nseeds {seeds.start} to {seeds.stop - 1}, every third without tags at the broker\n")
    for name, count in sorted(total.items()):
        print(f"| {name} | {count} |")


if __name__ == "__main__":
    main()
