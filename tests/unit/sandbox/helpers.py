"""A store in memory and a market that says what it is told."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, FeedMode, PriceType, Product
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key, OrderRequest, OrderUpdate
from openalgo_desktop.core.ports import PaperRow
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.exchange.host import PaperGateway
from openalgo_desktop.exchange.ledger import ZERO, paise
from openalgo_desktop.exchange.records import PaperOrder
from openalgo_desktop.sandbox.account import Sandbox


class MemoryStore:
    """The contract of :class:`PaperStore` in dicts; ``saves`` counts batches."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
        self.saves = 0

    async def save(self, account_id: str, rows: Mapping[str, Sequence[PaperRow]]) -> None:
        self.saves += 1
        account = self.tables.setdefault(account_id, {})
        for table, items in rows.items():
            for row in items:
                if row.data is None:
                    account.get(table, {}).pop(row.key, None)
                else:
                    account.setdefault(table, {})[row.key] = msgspec.json.decode(row.data)

    async def load(self, account_id: str) -> dict[str, list[dict[str, Any]]]:
        account = self.tables.get(account_id, {})
        return {name: copy.deepcopy(list(rows.values())) for name, rows in account.items()}

    async def clear(self, account_id: str, tables: Sequence[str]) -> None:
        for table in tables:
            self.tables.get(account_id, {}).pop(table, None)


class Market:
    """A tick source by hand: ``set`` changes the quote, ``tick`` also sends it to watchers."""

    def __init__(self) -> None:
        self.quotes: dict[Key, Tick] = {}
        self.watchers: dict[Key, list[Callable[[Tick], None]]] = {}
        self.streamed = True  # False: only watched instruments have a last tick

    def set(self, key: Key, ltp: float, **more: Any) -> Tick:
        tick = Tick(key[1], key[0], ltp, mode=FeedMode.QUOTE, **more)
        self.quotes[key] = tick
        return tick

    def tick(self, key: Key, ltp: float, **more: Any) -> None:
        self.send(self.set(key, ltp, **more))

    def send(self, tick: Tick) -> None:
        for listener in tuple(self.watchers.get(tick.key, ())):
            listener(tick)

    def latest(self, key: Key) -> Tick | None:
        return self.quotes.get(key) if self.streamed or key in self.watchers else None

    def fresh(self, key: Key, need: int = Part.LTP, max_age: float | None = None) -> Tick | None:
        return self.latest(key)

    def watch(
        self, key: Key, mode: FeedMode, listener: Callable[[Tick], None]
    ) -> Callable[[], None]:
        self.watchers.setdefault(key, []).append(listener)

        def stop() -> None:
            self.watchers[key].remove(listener)
            if not self.watchers[key]:
                del self.watchers[key]

        return stop

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        if key not in self.quotes:
            raise DataError("no quote")
        return self.quotes[key]


def settings(**changes: Any) -> dict[str, Any]:
    """Default settings with some of ``sandbox.*`` changed (``key="value"`` without the prefix)."""
    values = {key: row.default for key, row in SETTINGS.items()}
    values.update({f"sandbox.{key}": value for key, value in changes.items()})
    return values


def one(items: Iterable[Any]) -> Any:
    """The only item."""
    (item,) = items
    return item


class Rig:
    """A sandbox at exchange hours, on a Monday morning, that runs only what the test runs: the
    task that follows the clock is off."""

    def __init__(self, rows: Sequence[Instrument], **changes: Any) -> None:
        self.clock = ManualClock(datetime(2026, 11, 16, 10, 0, tzinfo=IST))
        self.instruments = InstrumentTable()
        self.instruments.load(rows)
        self.market = Market()
        self.store = MemoryStore()
        self.values = settings(**{"hours": "market", "starting_capital": 1_000_000.0, **changes})
        self.updates: list[OrderUpdate] = []
        self.box = self._make()

    def _make(self) -> Sandbox:
        box = Sandbox(
            "sandbox:test", self.clock, self.instruments, self.market, self.store, self.values
        )
        box.set_listener(self.updates.append)
        return box

    async def start(self) -> None:
        """Open the account and catch up; the clock task stays off."""
        await PaperGateway.start(self.box, self.box.capital)
        self.box.gtts.load()
        await self.box.catch_up()

    async def kill(self) -> None:
        """End without a last word: only what was stored stays."""
        self.box.watching.stop()
        writer = self.box.writer
        task, writer._task = writer._task, None
        if task is not None:
            task.cancel()

    async def restart(self, at: str = "") -> None:
        """As after a kill, later."""
        await self.kill()
        if at:
            self.clock.jump(datetime.fromisoformat(at))
        self.box = self._make()
        await self.start()

    async def at(self, moment: str) -> None:
        """The clock jumps to ``YYYY-MM-DDTHH:MM:SS`` and timed events run."""
        self.clock.jump(datetime.fromisoformat(moment))
        await self.box.run_due()

    async def trade(
        self, action: Action, quantity: int, key: Key, product: Product, price: float = 0.0
    ) -> PaperOrder:
        """Place a MARKET (or with ``price`` a LIMIT) order; its row."""
        kind = PriceType.LIMIT if price else PriceType.MARKET
        request = OrderRequest(key[1], key[0], action, quantity, kind, product, price)
        ack = await self.box.place(request, "")
        return self.box.book.find(ack.order_id)

    def position(self, key: Key, product: Product) -> int:
        row = self.box.state.positions.get((*key, product.value))
        return row.quantity if row is not None else 0

    def check(self) -> None:
        """What must hold at any time (docs/sandbox.md)."""
        check_invariants(self.box)


def _check_cover(box: Sandbox) -> None:
    """Exits share their position, and what they do not close is margined."""
    covers: dict[tuple[str, str, str], int] = {}
    for row in box.book.all_working():
        position = box.state.positions.get(row.position_key)
        quantity = position.quantity if position is not None else 0
        assert row.covered == 0 or quantity * row.order.action.sign < 0
        key = row.position_key
        covers[key] = covers.get(key, 0) + row.covered
        assert covers[key] <= abs(quantity)
        order = row.order
        if box._settings["sandbox.margin_model"] == "leverage":
            assert row.margin == paise(
                box.book.margin.required(
                    box.book.instrument(order.key),
                    order.action,
                    order.product,
                    order.quantity - order.filled_quantity - row.covered,
                    row.basis,
                )
            )


def check_invariants(box: Sandbox) -> None:
    """The invariants that docs/sandbox.md states."""
    state = box.state
    ledger = state.ledger
    assert ledger.reserved == box.book.justified()
    assert all(row.margin >= 0 for row in state.positions.values())
    assert all(row.margin >= 0 for row in box.book.all_working())
    assert all(row.margin == 0 or row.quantity for row in state.positions.values())
    prices = [trade.price for trade in state.trades.values()]
    for row in state.positions.values():
        if row.quantity:  # what it cost on average is a price that was paid
            assert min(prices) <= float(row.cost / abs(row.quantity)) <= max(prices)
        else:
            assert row.cost == row.delivered == 0
    shares = sum((row.cost for row in state.holdings.values()), ZERO)
    total = ledger.cash + ledger.reserved + shares
    assert total == state.meta.capital + state.meta.realised - state.meta.charges
    _check_cover(box)
    for row in state.orders.values():
        order = row.order
        assert 0 <= order.filled_quantity <= order.quantity
        resting = box.book.matcher.get(order.order_id)
        assert (resting is not None) == order.status.is_working
        if resting is not None:
            assert resting.quantity == order.quantity - order.filled_quantity
        if not order.status.is_working:
            assert row.margin == 0
    filled: dict[str, int] = {}
    for trade in state.trades.values():
        filled[trade.order_id] = filled.get(trade.order_id, 0) + trade.quantity
    assert filled == {
        row.order.order_id: row.order.filled_quantity
        for row in state.orders.values()
        if row.order.filled_quantity
    }
