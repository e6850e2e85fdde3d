"""Keeps the executions of live accounts for the trade journal: brokers forget them overnight.

Fills are stored as they are told. A fill that was told without its trade, or while the program
did not run, comes from the broker's trade book of the day.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Bus, OrderNamed, OrderUpdated
from openalgo_desktop.core.model import Key, Order, Position, Trade
from openalgo_desktop.core.trade_journal import Because, Execution

log = logging.getLogger(__name__)

#: Seconds after which the trade book is asked for a fill that came without its trade.
ASK_AFTER = 3.0
#: Where the day is kept on which an account was first seen.
SCOPE = "journal"
OrderKey = tuple[str, date, str]


class Store(Protocol):
    """Where executions are kept."""

    def add(self, trade_id: str, row: Execution) -> None: ...
    def replace_order(self, rows: Sequence[tuple[str, Execution]]) -> None: ...
    async def of_day(self, day: date) -> list[Execution]: ...


class ExecutionRecorder:
    """Listens on the bus between :meth:`start` and :meth:`stop`.

    ``trades`` reads the live account's trade book, ``multiplier`` the rupees that a unit of an
    instrument earns; ``remember`` stores the first day of an account (:data:`SCOPE`). ``on_added``
    hears of each new execution, ``on_changed`` when earlier ones were corrected.
    """

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        store: Store,
        remember: Callable[[str, Any], None],
        trades: Callable[[], Awaitable[Sequence[Trade]]],
        multiplier: Callable[[Key], float],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._store = store
        self._remember = remember
        self._trades = trades
        self._multiplier = multiplier
        self._units: dict[OrderKey, int] = {}
        #: Orders that have filled more than is recorded: account -> order id -> the order.
        self._ahead: dict[str, dict[str, Order]] = {}
        self._since: dict[str, date] = {}
        self._behind = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stop: Callable[[], object] | None = None
        self.on_added: Callable[[Execution], None] = lambda row: None
        self.on_changed: Callable[[], None] = lambda: None
        #: Hears all executions of an order whose earlier ones were others.
        self.on_order: Callable[[list[Execution]], None] = lambda rows: None

    async def start(self, since: Mapping[str, Any]) -> None:
        """Know what is stored of today and the stored first days, then listen."""
        self._since = {key: date.fromisoformat(str(value)) for key, value in since.items()}
        for row in await self._store.of_day(self._clock.now().date()):
            if row.because is Because.TRADE:
                self._count(row)
        stops = [
            self._bus.subscribe(OrderUpdated, self._on_update),
            self._bus.subscribe(OrderNamed, self._on_named),
        ]
        self._stop = lambda: [stop() for stop in stops]
        self._task = asyncio.create_task(self._loop(), name="executions")

    async def stop(self) -> None:
        """Listen no more."""
        if self._stop is not None:
            self._stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def since(self, account_id: str) -> date | None:
        """The day from which executions of an account are known."""
        return self._since.get(account_id)

    # -- hearing ----------------------------------------------------------------------------
    def _on_update(self, event: OrderUpdated) -> None:
        if event.mode is not Mode.LIVE:
            return
        order, trade = event.order, event.trade
        moment = trade.traded_at if trade is not None else order.updated_at or self._clock.now()
        key = (event.account_id, _day(moment), order.order_id)
        known = self._units.get(key, 0)
        if trade is not None and known + trade.quantity <= order.filled_quantity:
            row = self._execution(trade, event.account_id)
            self._count(row)
            self._store.add(trade.trade_id, row)
            self.on_added(row)
            known += trade.quantity
        if order.filled_quantity > known:
            self._ahead.setdefault(event.account_id, {})[order.order_id] = order
            self._behind.set()
        else:
            self._ahead.get(event.account_id, {}).pop(order.order_id, None)

    def ahead(self, account_id: str) -> list[tuple[Order, int]]:
        """Orders of an account that were told today to have filled more than is recorded, and by
        how many units (positive): their trades are on the way."""
        found = []
        now = self._clock.now()
        for order in self._ahead.get(account_id, {}).values():
            day = _day(order.updated_at or now)
            known = self._units.get((account_id, day, order.order_id), 0)
            if day == _day(now) and order.filled_quantity > known:
                found.append((order, order.filled_quantity - known))
        return found

    def _on_named(self, event: OrderNamed) -> None:
        """Trades that were stored without the name of their strategy."""
        if event.mode is not Mode.LIVE or not event.trades:
            return
        for trade in event.trades:
            self._store.add(trade.trade_id, self._execution(trade, event.account_id))
        self.on_changed()

    async def _loop(self) -> None:
        while True:
            await self._behind.wait()
            await asyncio.sleep(ASK_AFTER)  # the trade may be on its way
            self._behind.clear()
            try:
                self.learn(await self._trades())
            except AppError as error:
                log.warning("the trade book was not read for the journal: %s", error)
            except Exception:
                log.exception("the trade book was not taken into the journal")

    # -- books ------------------------------------------------------------------------------
    def begin(
        self, mode: Mode, account_id: str, trades: Sequence[Trade], positions: Iterable[Position]
    ) -> None:
        """The books with which a day of a live account begins: of an account that is new here,
        what it held before is taken over at the broker's average."""
        if mode is not Mode.LIVE:
            return
        self.learn(trades, account_id)
        if account_id in self._since:
            return
        today = self._clock.now().date()
        self._since[account_id] = today
        self._remember(account_id, today.isoformat())
        moved: dict[tuple[str, str, str], int] = {}
        for trade in trades:
            key = (trade.exchange, trade.symbol, trade.product.value)
            moved[key] = moved.get(key, 0) + trade.quantity * trade.action.sign
        for row in positions:
            key = (row.exchange, row.symbol, row.product.value)
            held = row.quantity - moved.get(key, 0)
            if held and row.average_price > 0:
                self._carry(account_id, row, held, today)

    def _carry(self, account_id: str, row: Position, held: int, today: date) -> None:
        carried = Execution(
            account_id=account_id,
            mode=Mode.LIVE,
            symbol=row.symbol,
            exchange=row.exchange,
            product=row.product,
            action=Action.BUY if held > 0 else Action.SELL,
            quantity=abs(held),
            price=_decimal(row.average_price),
            at=datetime.combine(today, time(), IST),
            order_id="carried",
            trade_id="|".join((row.exchange, row.symbol, row.product.value)),
            multiplier=_decimal(row.multiplier),
            because=Because.CARRIED,
        )
        self._store.add(carried.trade_id, carried)
        self.on_order([carried])
        self.on_changed()

    def learn(self, trades: Iterable[Trade], account_id: str = "") -> None:
        """A trade book: orders of which it knows more than we do are taken from it."""
        orders: dict[OrderKey, list[Trade]] = {}
        for trade in trades:
            owner = account_id or trade.account_id
            orders.setdefault((owner, _day(trade.traded_at), trade.order_id), []).append(trade)
        changed = False
        for key, rows in orders.items():
            units = sum(trade.quantity for trade in rows)
            if units <= self._units.get(key, 0):
                continue
            told = [(trade.trade_id, self._execution(trade, key[0])) for trade in rows]
            self._store.replace_order(told)
            self._units[key] = units
            self._ahead.get(key[0], {}).pop(key[2], None)
            self.on_order([row for _, row in told])
            changed = True
        if changed:
            self.on_changed()

    def _count(self, row: Execution) -> None:
        key = (row.account_id, _day(row.at), row.order_id)
        self._units[key] = self._units.get(key, 0) + row.quantity

    def _execution(self, trade: Trade, account_id: str) -> Execution:
        multiplier = _decimal(self._multiplier(trade.key))
        return Execution.of(trade, account_id, Mode.LIVE, multiplier)


def _day(moment: datetime) -> date:
    return moment.astimezone(IST).date()


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))
