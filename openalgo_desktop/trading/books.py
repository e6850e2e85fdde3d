"""Keeps our own books from order updates and compares them with the broker's every minute.

Where they disagree, and still do a moment later, a human is told; an update that was missed is told
to everybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import AccountState, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import AccountChanged, BooksDiffer, Bus, OrderUpdated
from openalgo_desktop.core.model import BookRows, Order, Position, Trade
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.core.reports import Difference
from openalgo_desktop.trading.origins import Origins
from openalgo_desktop.trading.ownbook import ContractValue, OwnBook

log = logging.getLogger(__name__)

#: A difference counts when it is still there after this time: updates may be on their way.
CONFIRM_AFTER = 1.0
#: The three books are read so often, at most, until no update arrives meanwhile.
READ_AGAIN = 3
#: Orders that are looked at before others get the loop; about a millisecond.
TURN = 2000
R = TypeVar("R")


async def in_turns(rows: Sequence[R], turn: int = 0) -> AsyncIterator[Sequence[R]]:
    """The rows of a book in parts of ``turn`` (0: of an order book); others get the loop in
    between."""
    turn = turn or TURN
    for first in range(0, len(rows), turn):
        if first:
            await asyncio.sleep(0)
        yield rows[first : first + turn]


class BookKeeper:
    """Keeps the own book of every gateway and compares it every ``interval`` seconds."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        gateways: Mapping[Mode, TradingGateway],
        origins: Origins,
        interval: Callable[[], float],
        contract_value: ContractValue = lambda key: 1.0,
    ) -> None:
        self._contract_value = contract_value
        self._clock = clock
        self._bus = bus
        self._gateways = gateways
        self._origins = origins
        self._interval = interval
        self._books: dict[Mode, OwnBook] = {}
        self._shown: dict[Mode, tuple[Difference, ...]] = {}
        #: Hears the whole books with which a day begins: account, orders, positions.
        self.rebased: Callable[[str, Sequence[Order], Sequence[Position]], None] = (
            lambda account_id, orders, positions: None
        )
        #: Hears the trade book with which a day of an account begins, and its positions.
        self.begun: Callable[[Mode, str, Sequence[Trade], Sequence[Position]], None] = (
            lambda mode, account_id, trades, positions: None
        )
        #: Told of every order book that was read.
        self.on_orders: Callable[[Iterable[Order]], None] = lambda orders: None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._stops = [
            bus.subscribe(OrderUpdated, self._on_update),
            bus.subscribe(AccountChanged, self._on_account),
        ]

    async def start(self) -> None:
        """Begin with the brokers' books, then compare."""
        for mode in tuple(self._gateways):
            await self.rebase(mode, tell=False)
        self._task = asyncio.create_task(self._loop(), name="book-keeper")

    async def stop(self) -> None:
        """Stop comparing."""
        for stop in self._stops:
            stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def wake(self) -> None:
        """Another account serves a mode: compare soon."""
        self._wake.set()

    def book(self, mode: Mode) -> OwnBook:
        """The own book of the account that serves ``mode``; empty before its first rebase."""
        gateway = self._gateways.get(mode)
        book = self._books.get(mode)
        account_id = gateway.account_id if gateway is not None else ""
        if book is None or book.account_id != account_id:
            book = self._books[mode] = OwnBook(account_id, mode, self._contract_value)
        return book

    def differences(self, mode: Mode) -> tuple[Difference, ...]:
        """What a human has to review."""
        return self._shown.get(mode, ())

    async def rebase(self, mode: Mode, *, tell: bool = True) -> None:
        """Take the broker's books as ours: at start, after a reset, and as the one-click review.

        Orders of ours that nobody was told of are published (``tell``).
        """
        gateway = self._gateways.get(mode)
        if gateway is None:
            return
        book = self.book(mode)
        try:
            orders, positions, trades = await self._read(book, gateway)
        except AppError as error:
            log.warning("books of %s not available: %s", gateway.account_id, error)
            return
        if tell:
            await self._tell_missed(book, gateway, orders, sure=True)
        book.adopt(orders, positions, trades)
        book.day = self._clock.now().date()
        self.rebased(gateway.account_id, orders, positions)
        self.begun(mode, gateway.account_id, trades, positions)
        self._show(mode, gateway.account_id, ())

    async def _read(
        self, book: OwnBook, gateway: TradingGateway
    ) -> tuple[BookRows[Order], BookRows[Position], list[Trade]]:
        """The broker's three books of one moment, rows with their strategies: read again when an
        update arrived meanwhile."""
        for _ in range(READ_AGAIN):
            before = book.changes
            orders, positions, trades = await asyncio.gather(
                gateway.orders(), gateway.positions(), gateway.trades()
            )
            await self._origins.learn(gateway.account_id, orders)
            if book.changes == before:
                break
        async for part in in_turns(orders):
            self.on_orders(part)
            for order in part:
                self._origins.name(order)
        return orders, positions, [self._origins.named_trade(trade) for trade in trades]

    async def compare(self, mode: Mode) -> tuple[Difference, ...]:
        """Compare now; publishes changes of the list of differences."""
        gateway = self._gateways.get(mode)
        if gateway is None:
            return ()
        book = self.book(mode)
        if book.day != self._clock.now().date():  # brokers empty their books overnight
            await self.rebase(mode)
            return ()
        first, stale = await self._difference(book, gateway, sure=False)
        if first or stale:
            await asyncio.sleep(CONFIRM_AFTER)
            again, _ = await self._difference(book, gateway, sure=True)
            first = [one for one in again if one in first]
        self._show(mode, gateway.account_id, tuple(first))
        return self.differences(mode)

    async def _difference(
        self, book: OwnBook, gateway: TradingGateway, *, sure: bool
    ) -> tuple[list[Difference], bool]:
        """Differences now, and whether an order looks older at the broker than here. A partial
        book proves of no order that it is missing."""
        orders, positions = await asyncio.gather(gateway.orders(), gateway.positions())
        strangers = [order for order in orders if order.order_id not in book.orders]
        await self._origins.learn(gateway.account_id, strangers)
        await self._tell_missed(book, gateway, orders, sure=sure)
        found: list[Difference] = []
        older = False
        listed: set[str] = set()
        async for part in in_turns(orders):
            found += book.foreign(part, self._origins.is_ours)
            older = older or bool(book.missed(part, self._origins.is_ours, sure=True))
            listed.update(order.order_id for order in part)
        if not orders.partial:
            found = book.lost(listed) + found
        moved = book.moved(positions, partial=positions.partial)
        if not moved and not positions.partial:
            book.adopt_positions(positions)
        return found + moved, older

    async def _tell_missed(
        self, book: OwnBook, gateway: TradingGateway, orders: BookRows[Order], *, sure: bool
    ) -> None:
        async for part in in_turns(orders):
            self.on_orders(part)
            for order in book.missed(part, self._origins.is_ours, sure=sure):
                self._origins.name(order)
                book.put(order)
                status = order.status.value
                log.info("order %s: an update was missed, now %s", order.order_id, status)
                self._bus.publish(
                    OrderUpdated(
                        account_id=book.account_id,
                        mode=book.mode,
                        broker=gateway.broker,
                        order=order,
                    )
                )

    def _show(self, mode: Mode, account_id: str, found: tuple[Difference, ...]) -> None:
        if self._shown.get(mode, ()) == found:
            return
        self._shown[mode] = found
        for one in found:
            log.warning("books of %s differ: %s", account_id, one.text)
        self._bus.publish(BooksDiffer(account_id=account_id, mode=mode, differences=found))

    def _on_update(self, event: OrderUpdated) -> None:
        book = self.book(event.mode)
        if event.account_id == book.account_id:  # else of one that took the orders before
            book.update(event.order, event.trade)

    def _on_account(self, event: AccountChanged) -> None:
        """A log-in or a new connection: compare at once, the rules need the books."""
        if event.status.state is AccountState.CONNECTED:
            self.wake()

    async def _loop(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval()):
                    await self._wake.wait()
            self._wake.clear()
            for mode in tuple(self._gateways):
                try:
                    await self.compare(mode)
                except AppError as error:
                    log.warning("books of %s mode not compared: %s", mode.value, error)
                except Exception:
                    log.exception("comparing the books failed; trying again")
