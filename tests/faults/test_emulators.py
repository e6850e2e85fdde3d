"""Orders through the desk, an adapter and real HTTP to its broker's emulator, which misbehaves.

The campaign (``campaign.py``) beats on the desk by thousands; this one has the adapter's own
client, limits and error map in the way. Seeded. At the end: orders at the exchange = orders in the
journal, one to one.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from openalgo_desktop.core.enums import Action, JournalState, Mode, PriceType, Product
from openalgo_desktop.core.errors import AppError, OrderStateUnknown
from openalgo_desktop.core.events import Bus
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.journal import Journal
from openalgo_desktop.trading import reconcile
from openalgo_desktop.trading.desk import OrderDesk
from tests.contract.rig import Rig, open_rig
from tests.emulators.base import Faults
from tests.faces.face import face_names
from tests.faults.campaign import PassingClock

WRITE_TIMEOUT = 0.5  # the adapter's, seconds
ACK_TIMEOUT = 2.0  # the desk's
BURST = 5

#: What the emulator does to the next request or frames; the name is counted.
TROUBLES: dict[str, Callable[[Faults], object]] = {
    "acknowledgement lost": lambda f: setattr(f, "lose_acks", f.lose_acks + 1),
    "no answer": lambda f: setattr(f, "hang_acks", f.hang_acks + 1),
    "gateway error": lambda f: f.status.append(502),
    "too many requests": lambda f: f.status.append(429),
    "slow": lambda f: setattr(f, "slow", 0.05),
    "updates twice": lambda f: setattr(f, "duplicate_orders", True),
    "updates mixed up": lambda f: setattr(f, "shuffle_orders", True),
    "socket half open": lambda f: setattr(f, "half_open", True),
    "nothing": lambda f: f.__init__(),  # type: ignore[misc]
}


class Run:
    """The desk over one adapter."""

    def __init__(self, rig: Rig, database: Database, seed: int) -> None:
        self.rig = rig
        self.rng = random.Random(seed)
        self.clock = PassingClock(rig.clock.now())
        self.journal = Journal(database, self.clock)
        table = InstrumentTable()
        table.load(rig.rows.values())
        self.desk = OrderDesk(
            self.clock,
            Bus(),
            table,
            self.journal,
            ack_timeout=lambda: ACK_TIMEOUT,
            reconcile_interval=lambda: 60.0,
        )
        self.desk.set_gateway(Mode.LIVE, rig.gateway)
        self.answers: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.placed: set[str] = set()
        self.row = rig.row("NSE")

    async def place(self, number: int, price: float) -> None:
        # Each order has a quantity of its own, so that it is known where brokers keep no tag.
        request = OrderRequest(
            self.row.symbol, "NSE", Action.BUY, number, PriceType.LIMIT, Product.MIS, price
        )
        try:
            self.placed.add((await self.desk.place(request, "faults")).order_id)
            self.answers["placed"] += 1
        except OrderStateUnknown:
            self.answers["unknown"] += 1
        except AppError:
            self.answers["refused"] += 1

    async def play(self, orders: int) -> None:
        tick = await self.rig.price(self.row)
        price = round(tick.ltp * 0.95, 1)
        for first in range(1, orders + 1, BURST):
            trouble = self.rng.choice(list(TROUBLES))
            self.troubles[trouble] += 1
            TROUBLES[trouble](self.rig.emulator.faults)
            if self.rng.random() < 0.1:
                self.troubles["sockets dropped"] += 1
                await self.rig.emulator.drop_sockets()
            await asyncio.gather(*(self.place(first + i, price) for i in range(BURST)))

    async def settle(self) -> None:
        """Peace: every row of the journal gets its end."""
        self.rig.emulator.faults.__init__()  # type: ignore[misc]
        await self.desk.quiet()
        async with asyncio.timeout(60):
            while await self.journal.open_entries():
                self.clock.skip(reconcile.ANSWER_WITHIN / 3)
                await self.desk.reconciler.run_once()
        await self.desk.quiet()


@pytest.mark.parametrize("broker", face_names())
async def test_orders_at_the_emulator_are_the_journals(broker: str, tmp_path: Path) -> None:
    orders = 100
    database = Database(f"sqlite:///{tmp_path / 'journal.db'}")
    await database.start()
    try:
        async with open_rig(broker, tmp_path) as rig:
            await rig.login()
            rig.shorten(WRITE_TIMEOUT)
            run = Run(rig, database, seed=7)
            await run.desk.start()
            await run.desk.set_mode(Mode.LIVE, "faults")
            await run.play(orders)
            await run.settle()
            exchange = {o.order_id: o for o in await rig.emulator.account.gateway.orders()}
            rows = await run.journal.recent(10 * orders)
            shown = {o.order_id for o in await run.desk.read.orders()}
            await run.desk.stop()
    finally:
        await database.stop()
    owners = Counter(row.order_id for row in rows if row.state is JournalState.ACKNOWLEDGED)
    assert set(owners) == set(exchange) == shown  # none lost, none that nobody asked for
    assert max(owners.values()) == 1  # and none twice
    assert {row.state for row in rows} <= {JournalState.ACKNOWLEDGED, JournalState.REJECTED}
    assert len({order.quantity for order in exchange.values()}) == len(exchange)
    assert run.placed <= set(exchange)
    for row in rows:
        if row.state is JournalState.ACKNOWLEDGED:
            assert exchange[row.order_id].quantity == row.request["quantity"]
    # It must have bitten, or it proves nothing.
    assert run.answers["unknown"] >= 5 and run.answers["placed"] >= 20, run.answers
    assert sum(run.answers.values()) == orders
