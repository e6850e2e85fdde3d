"""The books of the current mode as the docks see them: one copy, refreshed on events.

Order updates are applied at once and in order, and told to the docks once per frame: an order may
not wait for the paint of another one. Positions, holdings and funds are asked again after a change,
several changes at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.enums import Mode, OrderStatus, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import (
    AccountChanged,
    Bus,
    ModeChanged,
    OrderSettled,
    OrderUpdated,
    PositionsChanged,
)
from openalgo_desktop.core.model import BookRows, Funds, Holding, Key, Order, Position, Trade
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.ui.engine.book_news import Gaps, News
from openalgo_desktop.ui.engine.held import HeldBooks, Prices

log = logging.getLogger(__name__)
A = TypeVar("A")

#: A book that could not be read is asked again after this, seconds.
RETRY = 5.0

#: Changes within this time are answered by one refresh, seconds.
SETTLE = 0.05
ALL = frozenset({"orders", "trades", "positions", "holdings", "funds"})
MONEY = frozenset({"positions", "holdings", "funds"})


class _ModeMoved(Exception):
    """The switch was moved, or orders go to another account, since a book was asked for."""


async def _nothing(trades: Sequence[Trade]) -> None:
    """Nobody counts."""


class Desk(Protocol):
    """What the books need of the order desk."""

    @property
    def mode(self) -> Mode: ...
    @property
    def account_id(self) -> str: ...
    async def orders(self) -> BookRows[Order]: ...
    async def trades(self) -> BookRows[Trade]: ...
    async def positions(self) -> BookRows[Position]: ...
    async def holdings(self) -> BookRows[Holding]: ...
    async def funds(self) -> Funds: ...


class Books(HeldBooks):
    """Orders by id, trades, positions, holdings and funds of the mode that is shown."""

    left = Signal()  # the mode was switched: all rows are gone, whoever showed them
    orders_changed = Signal()  # the whole book is another one
    orders_updated = Signal(list)  # the orders that changed since the last frame, in order
    trades_changed = Signal()
    trades_added = Signal(list)  # executions since the last frame, in order
    gaps_changed = Signal(str)  # name of a book that is incomplete, or is whole again
    funds_changed = Signal()

    def __init__(self, desk: Desk, prices: Prices, bus: Bus, parent: QObject) -> None:
        super().__init__(prices, parent)
        self._desk = desk
        self.orders: dict[str, Order] = {}
        self._working: dict[Key, dict[str, Order]] = {}  # by instrument, then order id
        self.working_count = 0
        self.trades: list[Trade] = []
        #: Today's profit of each position as the account itself told it when it was read, rupees.
        self.told_pnl: dict[tuple[Key, Product], float] = {}
        self.funds = Funds()
        self.funds_known = False  # zeros that nobody told are no money
        self.gaps: dict[str, Gaps] = {}  # by book; whole ones are not in it
        #: Updates that came while the order book is being read: they are newer than its answer.
        self._fresher: dict[str, Order] | None = None
        self._newer: list[Trade] | None = None  # trades that came while that book is being read
        #: Done with a trade book that was read before anybody is told of it.
        self.before_trades: Callable[[Sequence[Trade]], Awaitable[None]] = _nothing
        self._shown = self._whose()  # whose rows these are
        self._orders_known = False  # their order book was read
        self.news = News(self)
        self._stale: set[str] = set(ALL)
        self._wake = asyncio.Event()
        self._wake.set()
        self._unsubscribe = [
            bus.subscribe(OrderUpdated, self._on_order),
            bus.subscribe(OrderSettled, self._on_settled),
            bus.subscribe(PositionsChanged, self._on_positions),
            bus.subscribe(ModeChanged, self._on_mode),
            bus.subscribe(AccountChanged, self._on_account),
        ]

    def close(self) -> None:
        """Listen no more."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    def _whose(self) -> tuple[Mode, str]:
        return self._desk.mode, self._desk.account_id

    def _on_account(self, _event: AccountChanged) -> None:
        """Orders may go to another account now: rows of the one before are none of it."""
        if self._whose() != self._shown:
            asyncio.get_running_loop().call_soon(self._leave)
            self.refresh()

    def _on_mode(self, event: ModeChanged) -> None:
        # Who hears of the switch now may still ask what is left behind. A book that is being
        # asked for may take seconds: the rows do not stay until then.
        asyncio.get_running_loop().call_soon(self._leave)
        self.refresh()

    def _leave(self) -> None:
        if self._whose() != self._shown:
            self._clear()

    def shows(self, mode: Mode) -> bool:
        """Whether these are the orders of ``mode``, as its order book has them."""
        return self._shown == (mode, self._desk.account_id) and self._orders_known

    def refresh(self) -> None:
        """Ask all books again."""
        self._mark(ALL)

    def recheck(self) -> None:
        """Ask positions, holdings and funds again."""
        self._mark(MONEY)

    def _mark(self, names: frozenset[str]) -> None:
        self._stale |= names
        self._wake.set()

    def _on_order(self, event: OrderUpdated) -> None:
        if event.mode is not self._desk.mode or event.account_id not in ("", self._desk.account_id):
            return
        self.orders[event.order.order_id] = event.order
        if self._fresher is not None:
            self._fresher[event.order.order_id] = event.order
        self._index(event.order)
        trade = event.trade
        if trade is not None and all(trade.trade_id != row.trade_id for row in self.trades[-50:]):
            self.trades.append(trade)
            self.news.traded(trade)
            if self._newer is not None:
                self._newer.append(trade)
        self.news.note(event.order)
        self._mark(MONEY)

    def _on_settled(self, event: OrderSettled) -> None:
        """The row of an unknown order is over; the book shows what it became."""
        if event.mode is self._desk.mode:
            self._mark(frozenset({"orders"}))

    def _on_positions(self, event: PositionsChanged) -> None:
        if event.mode is self._desk.mode:
            self._mark(MONEY)

    async def run(self) -> None:
        """Refresh what is stale, for ever; the bridge owns this task."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            stale, self._stale = self._stale, set()
            await self._reload(stale)
            await asyncio.sleep(SETTLE)

    async def _reload(self, stale: set[str]) -> None:
        """Read these books again; one that cannot be read keeps its rows, says so, and is asked
        again."""
        self._leave()
        readers = {
            "orders": self._read_orders,
            "trades": self._read_trades,
            "positions": self._read_positions,
            "holdings": self._read_holdings,
            "funds": self._read_funds,
        }
        for name in (name for name in readers if name in stale):
            try:
                await readers[name]()
            except AppError as error:
                self._failed(name, error)
            except _ModeMoved:
                return self.refresh()

    def _clear(self) -> None:
        """Rows of one mode or account are never shown in another, whether that can be read or
        not."""
        self._shown, self._orders_known = self._whose(), False
        self.orders, self._working, self.working_count = {}, {}, 0
        self.trades, self.positions, self.holdings = [], [], []
        self.told_pnl = {}
        self.funds, self.funds_known = Funds(), False
        self._tell_held()
        for name in tuple(self.gaps):
            self._tell(name, None)
        self.news.forget()
        for changed in (
            self.left,
            self.orders_changed,
            self.trades_changed,
            self.positions_changed,
            self.holdings_changed,
            self.funds_changed,
        ):
            changed.emit()

    async def _asked(self, answer: Awaitable[A]) -> A:
        """The answer, unless the mode or the account moved while we waited: it would be of the
        other one."""
        whose = self._whose()
        try:
            rows = await answer
        except AppError:
            if whose != self._whose():
                raise _ModeMoved from None
            raise
        if whose != self._whose():
            raise _ModeMoved
        return rows

    async def _read_orders(self) -> None:
        first, whose = not self.orders, self._whose()
        fresher = self._fresher = {}
        try:
            rows = await self._asked(self._desk.orders())
            answer: dict[str, Order] = {}
            working: dict[Key, dict[str, Order]] = {}
            async for part in in_turns(rows):
                for order in part:
                    answer[order.order_id] = order
                    if order.status.is_working:
                        working.setdefault(order.key, {})[order.order_id] = order
        finally:
            self._fresher = None
        if whose != self._whose():
            raise _ModeMoved
        self.orders, self._working = answer, working
        self.working_count = sum(map(len, working.values()))
        for order_id, order in fresher.items():
            # An order that came into being meanwhile is not in the answer yet. The row of an
            # unknown one that is not there any more is settled.
            if first or order_id in answer or order.status is not OrderStatus.UNKNOWN:
                answer[order_id] = order
                self._index(order)
        self._orders_known = True
        self._read("orders", rows.unreadable)
        self.orders_changed.emit()

    async def _read_trades(self) -> None:
        whose = self._whose()
        newer = self._newer = []
        known: set[str] = set()
        try:
            rows = await self._asked(self._desk.trades())
            await self.before_trades(rows)
            if newer:
                async for part in in_turns(rows):
                    known.update(trade.trade_id for trade in part)
        finally:
            self._newer = None
        if whose != self._whose():
            raise _ModeMoved
        if missing := [trade for trade in newer if trade.trade_id not in known]:
            rows += missing
            # The book of a broker may list them under other ids.
            asyncio.get_running_loop().call_later(RETRY, self._mark, frozenset({"trades"}))
        self.trades = rows
        self.news.forget_trades()
        self._read("trades", rows.unreadable)
        self.trades_changed.emit()

    async def _read_positions(self) -> None:
        rows = await self._asked(self._desk.positions())
        self.told_pnl = {(row.key, row.product): row.pnl for row in rows if row.ltp}
        self._price(rows)
        self.positions = rows
        self._read("positions", rows.unreadable)
        self._tell_held()
        self.positions_changed.emit()

    async def _read_holdings(self) -> None:
        self.holdings = rows = await self._asked(self._desk.holdings())
        self._price(rows)
        self._read("holdings", rows.unreadable)
        self.holdings_changed.emit()

    async def _read_funds(self) -> None:
        self.funds = await self._asked(self._desk.funds())
        self.funds_known = True
        self._read("funds", ())
        self.funds_changed.emit()

    # -- what is missing --------------------------------------------------------------------
    def _read(self, name: str, unreadable: tuple[str, ...]) -> None:
        self._tell(name, Gaps(unreadable) if unreadable else None)

    def _failed(self, name: str, error: AppError) -> None:
        if name not in self.gaps or not self.gaps[name].failure:
            log.warning("%s cannot be read: %s", name, error)
        self._tell(name, Gaps(failure=error.message))
        asyncio.get_running_loop().call_later(RETRY, self._mark, frozenset({name}))

    def _tell(self, name: str, gaps: Gaps | None) -> None:
        if self.gaps.get(name) == gaps:
            return
        if gaps is None:
            del self.gaps[name]
        else:
            self.gaps[name] = gaps
        self.gaps_changed.emit(name)

    def working(self) -> list[Order]:
        """Orders that may still fill."""
        return [order for rows in self._working.values() for order in rows.values()]

    def working_of(self, key: Key) -> list[Order]:
        """Orders of one instrument that may still fill."""
        return list(self._working.get(key, {}).values())

    def working_keys(self, most: int) -> list[Key]:
        """Instruments with orders that may still fill, ``most`` of them at most: those whose first
        one came last."""
        return list(islice(reversed(self._working), most))

    def _index(self, order: Order) -> None:
        rows = self._working.setdefault(order.key, {})
        before = len(rows)
        if order.status.is_working:
            rows[order.order_id] = order
        else:
            rows.pop(order.order_id, None)
        self.working_count += len(rows) - before
        if not rows:
            del self._working[order.key]
