"""The strategy book of the program: reads what is recorded once, then counts what happens.

It is about every order that names a strategy: hosted programs, webhooks, scripts outside, the
window. Of live accounts it knows the executions that were recorded
(:mod:`~openalgo_desktop.trading.executions`), of the paper account all since its last manual reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from heapq import merge
from typing import Protocol

import msgspec

from openalgo_desktop.analytics.execution_source import TURN, Executions, ExecutionSource, Paper
from openalgo_desktop.analytics.strategy_book.account import AccountBook, TooOld
from openalgo_desktop.analytics.strategy_book.line import Charging, day_of
from openalgo_desktop.analytics.strategy_book.reading import curve_of, position_of, summary_of
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import (
    Bus,
    OrderNamed,
    OrderUpdated,
    PositionsChanged,
    StrategyBookChanged,
)
from openalgo_desktop.core.gently import gently, uncollected
from openalgo_desktop.core.model import Key, Order
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.strategy_book import StrategyDay, StrategyPosition, StrategySummary
from openalgo_desktop.core.trade_journal import Because, Execution
from openalgo_desktop.exchange.charges import ChargeDay, ChargeTable
from openalgo_desktop.exchange.ledger import paise

log = logging.getLogger(__name__)

#: Seconds between two events of a mode at least.
EVERY = 0.25
#: Seconds until a reading that failed is tried again.
RETRY = 5.0
#: Seconds that somebody who asks waits for the first reading.
READ_WITHIN = 5.0
#: Executions that were stored without a name are looked up in the order journal for so many days.
NAMED_WITHIN = 7
CHUNK = 400


class OrderRows(Protocol):
    """The order journal, as far as it tells for which strategy an order was placed."""

    async def of_orders(
        self, account_id: str, order_ids: Sequence[str], tags: Sequence[str]
    ) -> list[JournalEntry]: ...


class Surroundings(Protocol):
    """What is asked of the desk and the market, without waiting."""

    def account_of(self, mode: Mode) -> str:
        """The account that serves a mode; empty without one."""

    def price(self, mode: Mode, key: Key, product: Product) -> Decimal | None:
        """The last price that anybody knows, rupees."""

    def orders(self, mode: Mode) -> Iterable[Order]:
        """Orders of the day."""

    def follow(self, keys: Collection[Key]) -> None:
        """Stream the prices of these and of no others."""


class StrategyBook:
    """Fulfils :class:`~openalgo_desktop.core.strategy_book.StrategyBooks`."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        source: ExecutionSource,
        paper: Paper,
        live: Executions,
        journal: OrderRows,
        table: ChargeTable,
        plan: Callable[[], str],
        around: Surroundings,
        after: float = 0.0,
    ) -> None:
        """``after``: seconds between :meth:`start` and the reading."""
        self._clock = clock
        self._bus = bus
        self._source = source
        self._paper = paper
        self._live = live
        self._journal = journal
        self._table = table
        self._plan = plan
        self._around = around
        self._after = after
        self._books: dict[Mode, dict[str, AccountBook]] = {}
        self._entries = 0  # of the paper ledger that are counted
        self._late: dict[Mode, list[Callable[[], None]]] = {}  # what came while a mode is read
        self._changed: dict[tuple[Mode, str], set[str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._again: asyncio.TimerHandle | None = None
        self._wanted: set[Mode] = set(Mode)  # modes to be read (again)
        self._wake = asyncio.Event()
        self._asked = asyncio.Event()  # somebody waits for the first reading
        self._came = {mode: asyncio.Event() for mode in Mode}  # it was read
        self._task: asyncio.Task[None] | None = None
        self._stops: list[Callable[[], None]] = []

    # -- life -------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin to read; returns at once."""
        self._stops = [
            self._bus.subscribe(OrderUpdated, self._on_update),
            self._bus.subscribe(OrderNamed, self._on_named),
            self._bus.subscribe(PositionsChanged, self._on_positions),
        ]
        self._wake.set()
        self._task = asyncio.create_task(self._read_wanted(), name="strategy book")

    async def stop(self) -> None:
        """Hear of nothing more."""
        for stop in self._stops:
            stop()
        for timer in (self._timer, self._again):
            if timer is not None:
                timer.cancel()
        self._around.follow(())
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def ready(self) -> bool:
        """Whether both modes were read."""
        return all(mode in self._books for mode in Mode)

    # -- asking -----------------------------------------------------------------------------
    async def until_read(self, mode: Mode) -> None:
        """Return when a mode was read, or :data:`READ_WITHIN` later. Who asks has it read now."""
        self._asked.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._came[mode].wait(), READ_WITHIN)

    def strategies(self, mode: Mode) -> list[str]:
        """Names that traded in the account which serves a mode, sorted."""
        book = self._book(mode)
        return sorted(book.days) if book is not None else []

    def summary(self, name: str, mode: Mode) -> StrategySummary | None:
        """The sums of a strategy; None for one that never traded in that account."""
        book = self._book(mode)
        if book is None or name not in book.days:
            return None
        today = self._clock.now().date()
        account = self._around.account_of(mode)
        return summary_of(
            name, mode, account, book.days[name], self.positions(name, mode), today,
            unknown=len(self._expired(book, name, today)),
        )  # fmt: skip

    def positions(self, name: str, mode: Mode) -> list[StrategyPosition]:
        """What a strategy holds, of all days; not what expired."""
        book = self._book(mode)
        if book is None:
            return []
        today = self._clock.now().date()
        gone = self._expired(book, name, today)
        return [
            position_of(key, product, net, line.multiplier, self._around.price(mode, key, product))
            for (key, product), (net, line) in sorted(book.held(name).items())
            if (key, product) not in gone
        ]

    def units(self, mode: Mode, name: str) -> dict[tuple[str, str, Product], int] | None:
        """Signed units of :meth:`positions`; None while the book is being read."""
        if mode not in self._books:
            return None
        rows = self.positions(name, mode)
        return {(row.exchange, row.symbol, row.product): row.quantity for row in rows}

    def curve(self, name: str, mode: Mode) -> list[StrategyDay]:
        """Days on which a strategy traded, oldest first."""
        book = self._book(mode)
        return curve_of(book.days.get(name, {})) if book is not None else []

    def orders(self, name: str, mode: Mode) -> list[Order]:
        """Orders of the day that were placed for a strategy."""
        return [order for order in self._around.orders(mode) if order.strategy == name]

    async def trades(self, name: str, mode: Mode) -> list[Execution]:
        """Executions of a strategy in the account which serves a mode, oldest first."""
        account = self._around.account_of(mode)
        if mode is Mode.SANDBOX:
            trades = self._paper.all_trades()
            return await asyncio.to_thread(
                lambda: [self._source.of_trade(row) for row in trades if row.strategy == name]
            )
        rows = await self._live.of_strategy(name)
        return [row for row in rows if row.account_id == account]

    def _book(self, mode: Mode) -> AccountBook | None:
        return self._books.get(mode, {}).get(self._around.account_of(mode))

    def _expired(self, book: AccountBook, name: str, today: date) -> set[tuple[Key, Product]]:
        return {
            (key, product) for key, product in book.held(name) if self._source.is_over(key, today)
        }

    # -- hearing ----------------------------------------------------------------------------
    def added(self, row: Execution) -> None:
        """A live execution is new."""
        self._count(Mode.LIVE, row.account_id, lambda book: book.add(row))

    def replaced(self, rows: list[Execution]) -> None:
        """These are all live executions of an order on its day."""
        self._count(Mode.LIVE, rows[0].account_id, lambda book: book.replace_order(rows))

    def corrected(self, mode: Mode) -> None:
        """Something changed that only reading all of it can count: a conversion, a plan."""
        self._wanted.add(mode)
        self._wake.set()

    def _on_update(self, event: OrderUpdated) -> None:
        trade = event.trade
        if trade is not None and event.mode is Mode.SANDBOX:
            row = self._source.of_trade(trade)
            self._count(event.mode, row.account_id, lambda book: book.add(row))

    def _on_named(self, event: OrderNamed) -> None:
        order = event.order
        self._count(
            event.mode,
            event.account_id,
            lambda book: book.name(order.key, order.order_id, order.strategy),
        )

    def _on_positions(self, event: PositionsChanged) -> None:
        """The paper account settled, or began anew, without an order."""
        if event.mode is not Mode.SANDBOX or event.account_id:
            return
        if event.mode not in self._books or event.mode in self._late:
            self.corrected(event.mode)  # it is being read
            return
        entries = self._paper.results()
        if len(entries) < self._entries:
            self.corrected(event.mode)
            return
        fresh, self._entries = entries[self._entries :], len(entries)
        for entry in fresh:
            if (row := self._source.of_entry(entry)) is not None:
                self._settled(row)

    def _settled(self, row: Execution) -> None:
        self._count(Mode.SANDBOX, row.account_id, lambda book: book.add(row))

    def _count(
        self, mode: Mode, account_id: str, change: Callable[[AccountBook], set[str]]
    ) -> None:
        if (late := self._late.get(mode)) is not None:  # for the book that is being made, too
            late.append(lambda: self._count(mode, account_id, change))
        if mode not in self._books:
            return
        book = self._books[mode].setdefault(account_id, AccountBook(self._charging))
        try:
            names = change(book)
        except TooOld:
            self.corrected(mode)
            return
        self._tell(mode, account_id, names)

    def _tell(self, mode: Mode, account_id: str, names: Collection[str]) -> None:
        if not names:
            return
        self._changed.setdefault((mode, account_id), set()).update(names)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY, self._publish)

    def _publish(self) -> None:
        changed, self._changed, self._timer = self._changed, {}, None
        self._around.follow(self._all_held())
        for (mode, account_id), names in changed.items():
            self._bus.publish(
                StrategyBookChanged(mode=mode, account_id=account_id, names=frozenset(names))
            )

    def _all_held(self) -> set[Key]:
        """Instruments that strategies hold in the accounts which serve the modes now: their
        results go on with the price."""
        today = self._clock.now().date()
        books = [book for mode in Mode if (book := self._book(mode)) is not None]
        held = {key for book in books for key in book.instruments()}
        return {key for key in held if not self._source.is_over(key, today)}

    # -- reading ----------------------------------------------------------------------------
    async def _read_wanted(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._asked.wait(), self._after)
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                mode = self._wanted.pop()
                self._late[mode] = []
                try:
                    await self._read(mode)
                except AppError as error:  # a disk that does not answer: later
                    log.error("the strategy book of %s was not read: %s", mode.value, error)
                    self._again = asyncio.get_running_loop().call_later(RETRY, self.corrected, mode)
                except Exception:
                    log.exception("the strategy book of %s was not read", mode.value)
                finally:
                    for again in self._late.pop(mode):
                        again()

    async def _read(self, mode: Mode) -> None:
        moved = await self._source.moved(mode)
        entries = self._entries
        if mode is Mode.LIVE:
            stored = await self._named(await self._live.all())
            rows: Iterable[Execution] = merge(
                stored, moved, key=lambda row: (row.at, TURN[row.because])
            )
        else:
            results = self._paper.results()
            entries = len(results)
            rows = self._source.paper_rows(self._paper.all_trades(), results, moved)
        made = await asyncio.to_thread(self._fold, rows)
        self._books[mode], self._entries = made, entries
        self._came[mode].set()
        for account_id, book in made.items():
            self._tell(mode, account_id, book.days)

    def _fold(self, rows: Iterable[Execution]) -> dict[str, AccountBook]:
        made: dict[str, AccountBook] = {}
        with uncollected():
            for row in gently(rows):
                book = made.setdefault(row.account_id, AccountBook(self._charging))
                book.add(row)
        return made

    async def _named(self, rows: list[Execution]) -> list[Execution]:
        """The program may have ended between a fill and the answer to its placement: the order
        journal knows the strategy of lately filled orders that were stored without one."""
        since = self._clock.now().date() - timedelta(days=NAMED_WITHIN)
        asked: dict[str, list[str]] = {}
        for row in rows:
            if not row.strategy and row.because is Because.TRADE and day_of(row) >= since:
                asked.setdefault(row.account_id, []).append(row.order_id)
        names: dict[tuple[str, str], str] = {}
        for account_id, ids in asked.items():
            unique = list(dict.fromkeys(ids))
            for first in range(0, len(unique), CHUNK):
                chunk = unique[first : first + CHUNK]
                for entry in await self._journal.of_orders(account_id, chunk, []):
                    if entry.kind == "place" and entry.request.get("strategy"):
                        names[account_id, entry.order_id] = str(entry.request["strategy"])
        if not names:
            return rows
        return [
            msgspec.structs.replace(row, strategy=names[row.account_id, row.order_id])
            if not row.strategy and (row.account_id, row.order_id) in names
            else row
            for row in rows
        ]

    # -- charges ----------------------------------------------------------------------------
    def _charging(self, key: Key) -> Callable[[date], Charging]:
        return lambda day: _Estimated(self._source, day, ChargeDay(self._table, self._plan()))


class _Estimated:
    """Charges by the brokerage plan: capped for each order, the depository fee once a day."""

    def __init__(self, source: ExecutionSource, day: date, charges: ChargeDay) -> None:
        self._source = source
        self._day = day
        self._charges = charges

    def cost(self, row: Execution) -> Decimal:
        return paise(self._charges.add(self._source.fill_of(row, self._day)).total)

    def copy(self) -> _Estimated:
        return _Estimated(self._source, self._day, self._charges.copy())
