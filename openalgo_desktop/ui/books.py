"""The books of the current mode as the docks see them: one copy, refreshed on events.

Order updates are applied at once and in order, and told to the docks once per frame: an order may
not wait for the paint of another one. Positions, holdings and funds are asked again after a change,
several changes at a time.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import (
    Bus,
    ModeChanged,
    OrderSettled,
    OrderUpdated,
    PositionsChanged,
)
from openalgo_desktop.core.model import BookRows, Funds, Holding, Key, Order, Position, Trade
from openalgo_desktop.ui.frames import Ticks

log = logging.getLogger(__name__)

#: Changes within this time are answered by one refresh, seconds.
SETTLE = 0.05
ALL = frozenset({"orders", "trades", "positions", "holdings", "funds"})
MONEY = frozenset({"positions", "holdings", "funds"})


class Desk(Protocol):
    """What the books need of the order desk."""

    @property
    def mode(self) -> Mode: ...
    async def orders(self) -> BookRows[Order]: ...
    async def trades(self) -> BookRows[Trade]: ...
    async def positions(self) -> BookRows[Position]: ...
    async def holdings(self) -> BookRows[Holding]: ...
    async def funds(self) -> Funds: ...


class Books(QObject):
    """Orders by id, trades, positions, holdings and funds of the mode that is shown."""

    orders_changed = Signal()  # the whole book is another one
    orders_updated = Signal(list)  # the orders that changed since the last frame, in order
    trades_changed = Signal()
    positions_changed = Signal()
    holdings_changed = Signal()
    funds_changed = Signal()
    prices_moved = Signal()  # positions and holdings carry newer prices

    def __init__(self, desk: Desk, bus: Bus, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self.orders: dict[str, Order] = {}
        self._working: dict[Key, dict[str, Order]] = {}  # by instrument, then order id
        self.working_count = 0
        self.trades: list[Trade] = []
        self.positions: list[Position] = []
        self.holdings: list[Holding] = []
        self.funds = Funds()
        self._moved = False
        self.news = News(self)
        self._stale: set[str] = set(ALL)
        self._wake = asyncio.Event()
        self._wake.set()
        self._unsubscribe = [
            bus.subscribe(OrderUpdated, self._on_order),
            bus.subscribe(OrderSettled, self._on_settled),
            bus.subscribe(PositionsChanged, self._on_positions),
            bus.subscribe(ModeChanged, lambda event: self.refresh()),
        ]

    def close(self) -> None:
        """Listen no more."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    def refresh(self) -> None:
        """Ask all books again."""
        self._mark(ALL)

    def _mark(self, names: frozenset[str]) -> None:
        self._stale |= names
        self._wake.set()

    def _on_order(self, event: OrderUpdated) -> None:
        if event.mode is not self._desk.mode:
            return
        self.orders[event.order.order_id] = event.order
        self._index(event.order)
        trade = event.trade
        if trade is not None and all(trade.trade_id != row.trade_id for row in self.trades[-50:]):
            self.trades.append(trade)
        self.news.note(event.order, trade is not None)
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
            try:
                await self._reload(stale)
            except AppError as error:
                log.warning("books cannot be read: %s", error)
            await asyncio.sleep(SETTLE)

    async def _reload(self, stale: set[str]) -> None:
        mode = self._desk.mode
        if "orders" in stale:
            # Updates that arrive while we wait are newer than the answer.
            before = dict(self.orders)
            answer = {order.order_id: order for order in await self._desk.orders()}
            if mode is not self._desk.mode:
                return self.refresh()
            fresher = {k: v for k, v in self.orders.items() if before.get(k) is not v}
            self.orders = answer | {k: v for k, v in fresher.items() if k in answer or not before}
            self._working, self.working_count = {}, 0
            for order in self.orders.values():
                self._index(order)
            self.orders_changed.emit()
        if "trades" in stale:
            self.trades = await self._desk.trades()
            self.trades_changed.emit()
        if "positions" in stale:
            self.positions = await self._desk.positions()
            self.positions_changed.emit()
        if "holdings" in stale:
            self.holdings = await self._desk.holdings()
            self.holdings_changed.emit()
        if "funds" in stale:
            self.funds = await self._desk.funds()
            self.funds_changed.emit()
        if mode is not self._desk.mode:
            self.refresh()

    # -- live prices (a frame client, served before the docks) --------------------------------
    priority = 0
    min_interval = 0.2

    def take(self, ticks: Ticks) -> None:
        """Live prices go into positions and holdings, shown or not."""
        rows: list[Position | Holding] = [*self.positions, *self.holdings]
        for row in rows:
            tick = ticks.get(row.key)
            if tick is not None and tick.ltp:
                row.ltp = tick.ltp
                self._moved = True

    def wants_flush(self) -> bool:
        """Whether a price moved since the last flush."""
        return self._moved

    def flush(self) -> None:
        """Say that profits moved."""
        self._moved = False
        self.prices_moved.emit()

    @property
    def day_pnl(self) -> tuple[float, float]:
        """Today's realised and the open profit of all positions, rupees."""
        realised = sum(position.realised_today for position in self.positions)
        return realised, sum(position.unrealised for position in self.positions)

    def working(self) -> list[Order]:
        """Orders that may still fill."""
        return [order for rows in self._working.values() for order in rows.values()]

    def working_of(self, key: Key) -> list[Order]:
        """Orders of one instrument that may still fill."""
        return list(self._working.get(key, {}).values())

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


class News:
    """Tells the docks of order updates, all of a frame together (a frame client, served first)."""

    priority = 0
    min_interval = 0.0

    def __init__(self, books: Books) -> None:
        self._books = books
        self._orders: list[Order] = []
        self._traded = False

    def note(self, order: Order, traded: bool) -> None:
        """An order changed; ``traded`` when by a fill."""
        self._orders.append(order)
        self._traded |= traded

    def take(self, ticks: Ticks) -> None:
        """Prices are none of its business."""

    def wants_flush(self) -> bool:
        """Whether something changed since the last frame."""
        return bool(self._orders)

    def flush(self) -> None:
        """Tell it."""
        orders, self._orders = self._orders, []
        traded, self._traded = self._traded, False
        self._books.orders_updated.emit(orders)
        if traded:
            self._books.trades_changed.emit()
