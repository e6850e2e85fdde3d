"""The books of the current mode as the docks see them: one copy, refreshed on events.

Order updates are applied at once and in order; positions, holdings and funds are asked again
after a change, several changes at a time.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Bus, ModeChanged, OrderUpdated, PositionsChanged
from openalgo_desktop.core.model import Funds, Holding, Order, Position, Trade
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
    async def orders(self) -> list[Order]: ...
    async def trades(self) -> list[Trade]: ...
    async def positions(self) -> list[Position]: ...
    async def holdings(self) -> list[Holding]: ...
    async def funds(self) -> Funds: ...


class Books(QObject):
    """Orders by id, trades, positions, holdings and funds of the mode that is shown."""

    orders_changed = Signal()
    order_updated = Signal(object)  # Order, after it was applied
    trades_changed = Signal()
    positions_changed = Signal()
    holdings_changed = Signal()
    funds_changed = Signal()
    prices_moved = Signal()  # positions and holdings carry newer prices

    def __init__(self, desk: Desk, bus: Bus, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self.orders: dict[str, Order] = {}
        self.trades: list[Trade] = []
        self.positions: list[Position] = []
        self.holdings: list[Holding] = []
        self.funds = Funds()
        self._moved = False
        self._stale: set[str] = set(ALL)
        self._wake = asyncio.Event()
        self._wake.set()
        self._unsubscribe = [
            bus.subscribe(OrderUpdated, self._on_order),
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
        self.order_updated.emit(event.order)
        self.orders_changed.emit()
        trade = event.trade
        if trade is not None and all(trade.trade_id != row.trade_id for row in self.trades[-50:]):
            self.trades.append(trade)
            self.trades_changed.emit()
        self._mark(MONEY)

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
        return [order for order in self.orders.values() if order.status.is_working]
