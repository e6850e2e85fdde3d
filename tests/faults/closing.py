"""The closing campaign: orders and exits of all kinds at once, in both modes, while the mode is
switched and the broker's line is bad. The broker may have no order push (its book is polled).

    python -m tests.faults.closing --seeds 100

Seeded. Two exchanges: what is live reaches one only, what is simulated the other. First everything
goes on at once; then, with positions open, only exits: nothing may pass zero or grow. At last both
accounts are closed in peace and must be flat.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import tempfile
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.kit.books.polling import BookPoller, PollPolicy
from openalgo_desktop.brokers.kit.books.tracker import OrderTracker
from openalgo_desktop.brokers.simulator.account import SimulatorAccount, SimulatorOptions
from openalgo_desktop.core.enums import Action, JournalState, Mode, PriceType, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Bus
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import (
    BookRows,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
)
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.journal import Journal
from openalgo_desktop.trading import exits, reconcile, underway
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.smart import SmartOrders
from tests.faults.campaign import FIXTURE, TIMEOUT, Campaign, _state, quick
from tests.faults.exchange import BadLine, MemoryStore

SYMBOLS = ("SBIN", "INFY")
ORDERS = ("market", "market", "market", "limit", "stop", "modify", "cancel", "smart")
EXITS = ("close", "close", "close all", "cancel all", "smart exit", "cancel")


class Line(BadLine):
    """A bad line to an exchange whose fills are written down as they happen. With ``push`` off it
    tells of changes when its order book is read, as adapters of brokers without a push do."""

    def __init__(self, account_id: str, push: bool, clock: Any, *args: Any, **more: Any) -> None:
        self.account_id = account_id  # type: ignore[misc]
        self.held: Counter[str] = Counter()
        self.path: dict[str, list[int]] = defaultdict(lambda: [0])  # positions, fill by fill
        self._push = push
        self._tracker = OrderTracker(clock)
        policy = PollPolicy(busy=0.02, idle=0.05, slowest=0.1, soon=0.005)
        self.poller = BookPoller(self.orders, clock, policy)
        super().__init__(*args, **more)

    def _pushed(self, update: OrderUpdate) -> None:
        if (trade := update.trade) is not None:
            self.held[trade.symbol] += trade.quantity * trade.action.sign
            self.path[trade.symbol].append(self.held[trade.symbol])
        if self._push:
            super()._pushed(update)

    def _deliver(self, update: OrderUpdate) -> None:
        super()._deliver(OrderUpdate(self.account_id, update.order, update.trade))

    def _shown(self, order: Order) -> Order:
        shown = super()._shown(order)
        shown.account_id = self.account_id
        return shown

    async def _sent(self, call: Any) -> OrderAck:
        try:
            return await call
        finally:
            self.poller.poke()

    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        return await self._sent(super().place(request, tag))

    async def modify(self, request: ModifyRequest) -> OrderAck:
        return await self._sent(super().modify(request))

    async def cancel(self, order_id: str) -> OrderAck:
        return await self._sent(super().cancel(order_id))

    async def orders(self) -> BookRows[Order]:
        rows = await super().orders()
        if not self._push:
            for update in self._tracker.update(rows):
                self._deliver(update)
        return rows


class Closing(Campaign):
    """One seed over two exchanges."""

    def __init__(self, folder: Path, seed: int, *, push: bool, switching: bool) -> None:
        super().__init__(folder, seed)
        self.push, self.switching = push, switching
        self.began: dict[str, Mode] = {}  # source of an operation -> where it began

    async def start(self) -> None:
        self.accounts, self.lines = {}, {}
        for mode, name in ((Mode.LIVE, "simulator:SIM001"), (Mode.SANDBOX, "sandbox:one")):
            options = SimulatorOptions(universe=FIXTURE, frozen=True, rate=0.0)
            account = SimulatorAccount(self.exchange_clock, MemoryStore(), options)
            await account.connect()
            account.gateway.latency = 0.02  # fills come after the answer
            self.accounts[mode] = account
            push = self.push or mode is Mode.SANDBOX
            line = Line(name, push, self.clock, account.gateway, self.rng, TIMEOUT, tags=self.tags)
            self.lines[mode] = line
        self.account, self.line = self.accounts[Mode.LIVE], self.lines[Mode.LIVE]
        self.instruments = InstrumentTable()
        self.instruments.load(await self.account.instruments())
        await self.boot()

    async def boot(self) -> None:
        self.db = Database(f"sqlite:///{self.path}")
        await self.db.start()
        self.bus = Bus()
        self.journal = Journal(self.db, self.clock)
        self.desk = OrderDesk(
            self.clock, self.bus, self.instruments, self.journal,
            ack_timeout=lambda: self.answer, reconcile_interval=lambda: 0.05,
        )  # fmt: skip
        for mode, line in self.lines.items():
            self.desk.set_gateway(mode, line)
        await self.desk.start()
        for mode in self.lines:
            await self.desk.books.rebase(mode)
        if not self.push:
            self.lines[Mode.LIVE].poller.start()
        await self.desk.set_mode(Mode.LIVE, "campaign")
        self.smart = SmartOrders(self.desk)

    async def stop(self) -> None:
        for line in self.lines.values():
            await line.poller.stop()
        await self.desk.stop()
        await self.db.stop()
        for account in self.accounts.values():
            await account.disconnect()

    # -- operations -------------------------------------------------------------------------
    def _request(self, kind: str, symbol: str) -> OrderRequest:
        self._number += 1
        action = self.rng.choice(list(Action))
        far = 0.9 if action is Action.BUY else 1.1
        last = {"SBIN": 800.0, "INFY": 1600.0}[symbol]
        price, trigger = 0.0, 0.0
        kinds = {"limit": PriceType.LIMIT, "stop": PriceType.SLM}
        if kind == "limit":
            price = last * far
        elif kind == "stop":
            trigger = last * (2 - far)
        return OrderRequest(
            symbol, "NSE", action, self.rng.randint(1, 5), kinds.get(kind, PriceType.MARKET),
            Product.MIS, round(price, 1), round(trigger, 1), strategy=f"i{self._number}",
        )  # fmt: skip

    def _working(self) -> str:
        book = self.desk.books.book(self.desk.mode).orders.values()
        ids = [order.order_id for order in book if order.status.is_working]
        return self.rng.choice(ids) if ids else "none"

    async def act(self, kind: str) -> None:
        """One operation as a caller would make it; refusals are answers."""
        source = f"{kind}:{len(self.began)}"
        self.began[source] = self.desk.mode
        self.counts[kind] += 1
        symbol = self.rng.choice(SYMBOLS)
        request = self._request(kind, symbol)
        target = self.rng.randint(-5, 5)
        quantity, working = self.rng.randint(1, 5), self._working()
        calls = {
            "modify": lambda: self.desk.modify(ModifyRequest(working, quantity=quantity), source),
            "cancel": lambda: self.desk.cancel(working, source),
            "smart": lambda: self.smart.place(request, target, source),
            # With a quantity a smart order to 0 opens when nothing is held, as documented.
            "smart exit": lambda: self.smart.place(
                msgspec.structs.replace(request, quantity=0), 0, source
            ),
            "close": lambda: self.desk.closing.close_position(symbol, "NSE", Product.MIS, source),
            "close all": lambda: self.desk.closing.close_all(source),
            "cancel all": lambda: self.desk.closing.cancel_all(source),
        }
        call: Any = calls.get(kind, lambda: self.desk.place(request, source))
        try:
            await call()
        except AppError as error:
            self.counts[f"refused: {type(error).__name__}"] += 1

    async def _switch(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0.005, 0.04))
            mode = Mode.SANDBOX if self.desk.mode is Mode.LIVE else Mode.LIVE
            await self.desk.set_mode(mode, "campaign")

    async def storm(self, kinds: tuple[str, ...], number: int, *, faults: bool) -> None:
        """Many operations at once, with switches of the mode in between; then peace."""
        for line in self.lines.values():
            line.on = faults
        switch = asyncio.create_task(self._switch()) if self.switching else None
        work = []
        for _ in range(number):
            work.append(asyncio.create_task(self.act(self.rng.choice(kinds))))
            if self.rng.random() < 0.4:
                await asyncio.sleep(self.rng.uniform(0, 0.02))
        done, late = await asyncio.wait(work, timeout=60)
        assert not late, "a caller got no answer"
        if switch is not None:
            switch.cancel()
            await asyncio.gather(switch, return_exceptions=True)
        for task in done:
            task.result()
        await self._peace()

    async def _peace(self) -> None:
        live, self.line = self.line, self.lines[Mode.SANDBOX]
        self.line.on = False
        async with asyncio.timeout(60):
            while self.line.under_way:
                await asyncio.sleep(TIMEOUT)
        self.line.release()
        self.line = live
        await super()._peace()
        await self.desk.books.compare(Mode.SANDBOX)

    # -- what must hold ---------------------------------------------------------------------
    async def check(self) -> None:
        """Nothing lost, nothing doubled, nothing in the wrong mode. Raises AssertionError."""
        journal = await self.journal.recent(1_000_000)
        for entry in journal:
            assert entry.mode is self.began[entry.source], f"{entry.source} ended in {entry.mode}"
        for mode, line in self.lines.items():
            exchange = {order.order_id: order for order in await line.inner.orders()}
            rows = [r for r in journal if r.kind == "place" and r.mode is mode]
            owners = Counter(row.order_id for row in rows if row.order_id)
            assert max(owners.values(), default=1) == 1, "two journal rows own one order"
            assert owners.keys() == exchange.keys(), f"{mode}: journal and exchange differ"
            assert {r.state for r in rows} <= {JournalState.ACKNOWLEDGED, JournalState.REJECTED}
            tags = Counter(order.tag for order in exchange.values())
            assert max(tags.values(), default=1) == 1, f"{mode}: doubled orders"
            own = self.desk.books.book(mode).orders
            wrong = [
                (order, own.get(key))
                for key, order in exchange.items()
                if key not in own or _state(own[key]) != _state(order)
            ]
            assert not wrong, f"{mode}: own book differs: {wrong[:3]}"
        assert self.desk.unsettled() == 0

    def check_exits(self, since: dict[Mode, dict[str, int]]) -> None:
        """Each fill since then took a position nearer to zero, and none passed it."""
        for mode, line in self.lines.items():
            for symbol, path in line.path.items():
                steps = path[since[mode].get(symbol, 1) - 1 :]
                for before, after in pairwise(steps):
                    closer = 0 <= after < before or before < after <= 0
                    assert closer, f"{mode} {symbol}: {steps}"

    async def flatten(self) -> None:
        """In peace one or two closings per mode are enough."""
        for mode, line in self.lines.items():
            await self.desk.set_mode(mode, "campaign")
            for number in range(3):
                source = f"last:{mode}:{number}"
                self.began[source] = mode
                await self.desk.closing.cancel_all(source)
                result = await self.desk.closing.close_all(source)
                await self._peace()
                if not any(line.held.values()):
                    break
            assert not any(line.held.values()), f"{mode}: {line.held} left, {result}"

    async def round(self, orders: int) -> None:
        await self.storm((*ORDERS, *EXITS), orders, faults=True)
        await self.check()
        seen = {
            mode: {s: len(p) for s, p in line.path.items()} for mode, line in self.lines.items()
        }
        await self.storm(EXITS, orders // 2, faults=True)
        self.check_exits(seen)
        await self.check()
        await self.flatten()
        self.check_exits(seen)
        await self.check()
        self.counts["rounds"] += 1


async def run(
    folder: Path, seed: int, rounds: int, orders: int = 30, **options: bool
) -> Counter[str]:
    """Rounds of one seed; returns the counts. Raises AssertionError."""
    with quick(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(underway, "LAG", 0.2)
        patch.setattr(underway, "AGAIN", 0.02)
        patch.setattr(underway, "PERSISTS", 0.3)
        patch.setattr(exits, "SETTLE", 0.5)
        patch.setattr(exits, "POLL", 0.02)
        patch.setattr(reconcile, "BUSY_INTERVAL", 0.02)
        campaign = Closing(folder, seed, **options)
        await campaign.start()
        try:
            for _ in range(rounds):
                await campaign.round(orders)
        except BaseException as error:
            error.add_note(f"seed {seed}, {options}, after {campaign.counts['rounds']} rounds")
            raise
        finally:
            with contextlib.suppress(AppError):
                await campaign.stop()
    return campaign.counts


def main() -> None:
    """Rounds of many seeds, with their counts on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    logging.getLogger("openalgo_desktop").setLevel(logging.CRITICAL + 1)
    total: Counter[str] = Counter()
    for seed in range(args.seed, args.seed + args.seeds):
        with tempfile.TemporaryDirectory() as folder:
            how = {"push": bool(seed & 1), "switching": bool(seed & 2)}
            total += asyncio.run(run(Path(folder), seed, 2, **how))
        print(f"seed {seed} done", flush=True)
    for name, count in sorted(total.items()):
        print(f"| {name} | {count} |")


if __name__ == "__main__":
    main()
