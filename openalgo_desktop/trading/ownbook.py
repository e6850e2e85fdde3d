"""Orders, positions and profits of one account as its updates tell them. Pure.

The risk rules ask it (no network on the way of an order), and the comparison with the broker's
books takes it as the second witness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode, OrderStatus, Product
from openalgo_desktop.core.model import Difference, Order, OrderRequest, Position, Trade
from openalgo_desktop.core.ports import TickSource

PositionKey = tuple[str, str, Product]


class _Net(msgspec.Struct):
    """Net quantity, average and realised profit of one instrument in one strategy, today."""

    quantity: int = 0
    average: float = 0.0
    realised: float = 0.0

    def fill(self, quantity: int, price: float, multiplier: float) -> None:
        """Signed ``quantity`` at ``price``: closes first, the rest opens."""
        against = self.quantity * quantity < 0
        closed = min(abs(quantity), abs(self.quantity)) if against else 0
        sign = 1 if self.quantity > 0 else -1
        self.realised += (price - self.average) * closed * sign * multiplier
        opened = abs(quantity) - closed
        left = abs(self.quantity) - closed
        if opened:
            self.average = (self.average * left + price * opened) / (left + opened)
        elif not left:
            self.average = 0.0
        self.quantity += quantity


class OwnBook:
    """Orders and positions of one account as we know them from its updates."""

    def __init__(self, account_id: str, mode: Mode) -> None:
        self.account_id = account_id
        self.mode = mode
        self.orders: dict[str, Order] = {}
        self._working: dict[PositionKey, dict[str, Order]] = {}  # those that may still fill
        self.positions: dict[PositionKey, Position] = {}
        self.strategies: dict[str, dict[PositionKey, _Net]] = {}
        self.day: date | None = None
        self._trades: set[str] = set()

    # -- keeping ----------------------------------------------------------------------------
    def adopt(
        self, orders: Iterable[Order], positions: Iterable[Position], trades: Iterable[Trade]
    ) -> None:
        """Take the broker's books as ours."""
        self.orders, self._working = {}, {}
        for order in orders:
            self.put(order)
        self.adopt_positions(positions)
        self.strategies = {}
        self._trades = set()
        for trade in trades:
            self._book(trade)

    def put(self, order: Order) -> None:
        """Know this state of an order."""
        self.orders[order.order_id] = order
        key = (order.exchange, order.symbol, order.product)
        if not (order.status.is_final or order.status is OrderStatus.UNKNOWN):
            self._working.setdefault(key, {})[order.order_id] = order
        elif (rows := self._working.get(key)) is not None:
            rows.pop(order.order_id, None)
            if not rows:
                del self._working[key]

    def working(self, key: PositionKey) -> list[Order]:
        """Orders that may still move this position."""
        return list(self._working.get(key, {}).values())

    def adopt_positions(self, positions: Iterable[Position]) -> None:
        """Take the broker's positions (their averages and charges are better than ours)."""
        self.positions = {_position_key(row): row for row in positions}

    def seen(self, orders: Iterable[Order]) -> None:
        """Somebody was shown these: what we do not know yet, we know now."""
        for order in orders:
            if order.order_id not in self.orders and order.status is not OrderStatus.UNKNOWN:
                self.put(msgspec.structs.replace(order))

    def update(self, order: Order, trade: Trade | None) -> None:
        """An order changed; ``trade`` is set on a fill. A repeated update changes nothing."""
        known = self.orders.get(order.order_id)
        if known is None or not _is_older(order, known):
            self.put(order)
        if trade is not None and self._book(trade):
            self._fill(trade)

    def news(self, order: Order, trade: Trade | None) -> Order | None:
        """What an update says that is not known yet: the order to show with it, or None.

        Brokers repeat updates and mix up their order; nobody above has to know.
        """
        new_trade = trade is not None and trade.trade_id not in self._trades
        known = self.orders.get(order.order_id)
        if known is None:
            return order
        if _is_older(order, known):
            return msgspec.structs.replace(known) if new_trade else None
        return order if new_trade or order != known else None

    def _book(self, trade: Trade) -> bool:
        """File the trade under its strategy; False when it was known."""
        if trade.trade_id in self._trades:
            return False
        self._trades.add(trade.trade_id)
        net = self.strategies.setdefault(trade.strategy, {}).setdefault(
            (trade.exchange, trade.symbol, trade.product), _Net()
        )
        net.fill(trade.quantity * trade.action.sign, trade.price, self._multiplier(trade))
        return True

    def _multiplier(self, trade: Trade) -> float:
        row = self.positions.get((trade.exchange, trade.symbol, trade.product))
        return row.multiplier if row is not None else 1.0

    def _fill(self, trade: Trade) -> None:
        key = (trade.exchange, trade.symbol, trade.product)
        row = self.positions.get(key)
        if row is None:
            row = Position(trade.symbol, trade.exchange, trade.product, 0, 0.0)
        net = _Net(row.quantity, row.average_price, row.realised_today)
        net.fill(trade.quantity * trade.action.sign, trade.price, row.multiplier)
        self.positions[key] = msgspec.structs.replace(
            row,
            quantity=net.quantity,
            average_price=net.average,
            realised_today=net.realised,
        )

    # -- asking -----------------------------------------------------------------------------
    def closes(self, request: OrderRequest) -> bool:
        """Whether the order only reduces its position, orders already resting included."""
        key = (request.exchange, request.symbol, request.product)
        row = self.positions.get(key)
        if row is None or row.quantity * request.action.sign >= 0:
            return False
        resting = sum(
            order.pending_quantity for order in self.working(key) if order.action is request.action
        )
        return resting + request.quantity <= abs(row.quantity)

    def open_positions(self, symbol: str = "") -> int:
        """Positions that are not flat; of ``EXCHANGE:SYMBOL`` only when given."""
        return sum(
            1
            for row in self.positions.values()
            if row.quantity and symbol in ("", f"{row.exchange}:{row.symbol}")
        )

    def day_profit(self, ticks: TickSource, symbol: str = "") -> float:
        """Today's profit in rupees at last prices; of one symbol only when given."""
        return sum(
            msgspec.structs.replace(row, ltp=_ltp(ticks, row)).pnl
            for row in self.positions.values()
            if symbol in ("", f"{row.exchange}:{row.symbol}")
        )

    def strategy_positions(self, strategy: str) -> int:
        """Positions that a strategy opened today and still holds."""
        return sum(1 for net in self.strategies.get(strategy, {}).values() if net.quantity)

    def strategy_profit(self, ticks: TickSource, strategy: str) -> float:
        """Today's profit in rupees of what a strategy traded today."""
        total = 0.0
        for key, net in self.strategies.get(strategy, {}).items():
            total += net.realised
            tick = ticks.latest(key[:2])
            if net.quantity and tick is not None:
                row = self.positions.get(key)
                multiplier = row.multiplier if row is not None else 1.0
                total += (tick.ltp - net.average) * net.quantity * multiplier
        return total

    # -- comparing --------------------------------------------------------------------------
    def compare(
        self, orders: list[Order], positions: list[Position], is_ours: Callable[[Order], bool]
    ) -> list[Difference]:
        """Disagreements with the broker's books. ``is_ours`` knows our own orders."""
        theirs = {order.order_id: order for order in orders}
        found = [
            Difference("order missing", order.order_id, order.status.value, "not in its book")
            for order in self.orders.values()
            if order.order_id not in theirs and order.status is not OrderStatus.UNKNOWN
        ]
        found += [
            Difference("order from elsewhere", order.order_id, "not known", order.status.value)
            for order in orders
            if order.order_id not in self.orders and not is_ours(order)
        ]
        ours = {key: row.quantity for key, row in self.positions.items()}
        real = {_position_key(row): row.quantity for row in positions}
        for key in sorted(ours.keys() | real.keys()):
            here, there = ours.get(key, 0), real.get(key, 0)
            if here != there:
                found.append(Difference("position", ":".join(key), f"{here:+d}", f"{there:+d}"))
        return found

    def missed(
        self, orders: list[Order], is_ours: Callable[[Order], bool], *, sure: bool
    ) -> list[Order]:
        """Orders of ours whose state at the broker is another than the one that we know.

        Unless ``sure`` (it was so before, too), a state that looks older is left out: our update
        may have overtaken the book on its way.
        """
        newer = []
        for order in orders:
            known = self.orders.get(order.order_id)
            if known is None:
                if is_ours(order):
                    newer.append(order)
            elif _shown(order) != _shown(known) and (sure or not _is_older(order, known)):
                newer.append(order)
        return newer


def _position_key(row: Position) -> PositionKey:
    return (row.exchange, row.symbol, row.product)


def _ltp(ticks: TickSource, row: Position) -> float:
    tick = ticks.latest(row.key)
    return tick.ltp if tick is not None else row.ltp


def _shown(order: Order) -> tuple[object, ...]:
    """What of an order can change."""
    return (
        order.status,
        order.quantity,
        order.filled_quantity,
        order.price,
        order.trigger_price,
        order.price_type,
    )


def _is_older(order: Order, known: Order) -> bool:
    """Updates may come twice and out of order: a final state and more fills are newer."""
    if known.status.is_final:
        return not order.status.is_final or order.filled_quantity < known.filled_quantity
    if order.filled_quantity != known.filled_quantity:
        return order.filled_quantity < known.filled_quantity
    if order.updated_at is None or known.updated_at is None:
        return False
    return order.updated_at.astimezone(IST) < known.updated_at.astimezone(IST)
