"""Orders, positions and profits of one account as its updates tell them. Pure.

The risk rules ask it (no network on the way of an order), and the comparison with the broker's
books takes it as the second witness.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from math import fsum, isfinite

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, Product
from openalgo_desktop.core.model import (
    SQUARE_OFF_STRATEGY,
    Key,
    Order,
    OrderRequest,
    Position,
    Trade,
)
from openalgo_desktop.core.reports import Difference

log = logging.getLogger(__name__)

PositionKey = tuple[str, str, Product]
ContractValue = Callable[[Key], float]


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

    def __init__(
        self, account_id: str, mode: Mode, contract_value: ContractValue = lambda key: 1.0
    ) -> None:
        """``contract_value``: rupees that a unit of an instrument earns when its price moves by
        one; of a position that no book of the account has shown yet it is all there is."""
        self._contract_value = contract_value
        self.account_id = account_id
        self.mode = mode
        self.orders: dict[str, Order] = {}
        self._working: dict[PositionKey, dict[str, Order]] = {}  # those that may still fill
        self.positions: dict[PositionKey, Position] = {}
        self.strategies: dict[str, dict[PositionKey, _Net]] = {}
        self.day: date | None = None
        self.changes = 0  # updates that moved something: grows
        self._trades: set[str] = set()
        self._traded: dict[str, int] = {}  # order id -> units whose trades are in the book
        self._unnamed: dict[str, list[Trade]] = {}  # by order: trades of no strategy (yet)

    # -- keeping ----------------------------------------------------------------------------
    def adopt(
        self, orders: Iterable[Order], positions: Iterable[Position], trades: Iterable[Trade]
    ) -> None:
        """Take the broker's books as ours."""
        self.orders, self._working = {}, {}
        self.adopt_positions(positions)
        self.strategies, self._unnamed = {}, {}
        self._trades, self._traded = set(), {}
        trades = list(trades)
        for trade in trades:
            self._file(trade)
        for trade in trades:
            self._leave(trade.strategy, trade)
        for order in orders:
            if not impossible(order):
                self.put(order)
                # Its fills are in the positions, also those whose trades are told late.
                traded = self._traded.get(order.order_id, 0)
                self._traded[order.order_id] = max(traded, order.filled_quantity)

    def put(self, order: Order) -> None:
        """Know this state of an order. Nobody changes the row afterwards: a new state is a new
        row."""
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

    def working_of(self, key: Key) -> list[Order]:
        """Orders that may still fill, of all products of ``(exchange, symbol)``."""
        return [order for product in Product for order in self.working((*key, product))]

    def working_count(self) -> int:
        """Orders that may still fill."""
        return sum(len(rows) for rows in self._working.values())

    def adopt_positions(self, positions: Iterable[Position]) -> None:
        """Take the broker's positions (their averages and charges are better than ours)."""
        self.positions = {_position_key(row): row for row in positions}

    def seen(self, orders: Iterable[Order]) -> None:
        """Somebody was shown these: what we do not know yet, we know now."""
        for order in orders:
            if (
                order.order_id not in self.orders
                and order.status is not OrderStatus.UNKNOWN
                and not impossible(order)
            ):
                self.put(order)

    def update(self, order: Order, trade: Trade | None) -> None:
        """An order changed; ``trade`` is set on a fill. A repeated update changes nothing; one
        that cannot be is refused with a line in the log."""
        if why := impossible(order, trade):
            log.error("an update of order %r is refused: %s", order.order_id, why)
            return
        self.changes += 1
        known = self.orders.get(order.order_id)
        if known is None or not is_older(order, known):
            self.put(order)
        if trade is not None and self._is_new(trade, order):
            self._file(trade)
            self._fill(trade)
            self._leave(trade.strategy, trade)

    def attribute(self, order_id: str, strategy: str) -> tuple[Order | None, tuple[Trade, ...]]:
        """An order whose updates named no strategy is known to be of this one. Gives the order,
        where it is in the book and had no name, and its trades that had none, with it."""
        order = self.orders.get(order_id)
        if order is not None and not order.strategy:
            order = msgspec.structs.replace(order, strategy=strategy)
            self.put(order)
        else:
            order = None
        trades = []
        for trade in self._unnamed.pop(order_id, ()):
            trades.append(msgspec.structs.replace(trade, strategy=strategy))
            self._net_of(strategy, trade)
            self._leave(strategy, trade)
        return order, tuple(trades)

    def news(self, order: Order, trade: Trade | None) -> Order | None:
        """What an update says that is not known yet: the order to show with it, or None.

        Brokers repeat updates and mix up their order; nobody above has to know.
        """
        new_trade = trade is not None and self._is_new(trade, order)
        known = self.orders.get(order.order_id)
        if known is None:
            return order
        if is_older(order, known):
            return msgspec.structs.replace(known) if new_trade else None
        return order if new_trade or order != known else None

    def _is_new(self, trade: Trade, order: Order) -> bool:
        """Whether the trade is not in the book: neither by its id nor, when it is told again
        under another one, by the units that its order has filled."""
        if trade.trade_id in self._trades:
            return False
        known = self.orders.get(order.order_id)
        filled = max(order.filled_quantity, known.filled_quantity if known is not None else 0)
        return self._traded.get(order.order_id, 0) + trade.quantity <= filled

    def _file(self, trade: Trade) -> None:
        """Know the trade, and net it in its strategy."""
        self._trades.add(trade.trade_id)
        self._traded[trade.order_id] = self._traded.get(trade.order_id, 0) + trade.quantity
        if trade.strategy:
            self._net_of(trade.strategy, trade)
        else:
            self._unnamed.setdefault(trade.order_id, []).append(trade)

    def _net_of(self, strategy: str, trade: Trade) -> None:
        net = self.strategies.setdefault(strategy, {}).setdefault(
            (trade.exchange, trade.symbol, trade.product), _Net()
        )
        net.fill(trade.quantity * trade.action.sign, trade.price, self._multiplier(trade))

    def _leave(self, strategy: str, trade: Trade) -> None:
        """What closed a position in nobody's name (a hand, a stop, the kill switch) left those
        strategies, too, that would hold more than the account does now: else their results went
        on with the price, and a position that is opened later would count as theirs."""
        if strategy != SQUARE_OFF_STRATEGY:
            return
        key, side = (trade.exchange, trade.symbol, trade.product), -trade.action.sign
        holders = [
            nets[key]
            for name, nets in self.strategies.items()
            if name != strategy and key in nets and nets[key].quantity * side > 0
        ]
        row = self.positions.get(key)
        held = max(0, row.quantity * side) if row is not None else 0
        left = min(trade.quantity, sum(abs(net.quantity) for net in holders) - held)
        for net in holders:
            units = min(left, abs(net.quantity))
            if units > 0:
                net.fill(-units * side, trade.price, self._multiplier(trade))
                left -= units

    def _multiplier(self, trade: Trade) -> float:
        row = self.positions.get((trade.exchange, trade.symbol, trade.product))
        return row.multiplier if row is not None else self._contract_value(trade.key)

    def _fill(self, trade: Trade) -> None:
        key = (trade.exchange, trade.symbol, trade.product)
        row = self.positions.get(key)
        if row is None:
            value = self._contract_value(trade.key)
            row = Position(trade.symbol, trade.exchange, trade.product, 0, 0.0, multiplier=value)
        net = _Net(row.quantity, row.average_price, row.realised_today)
        net.fill(trade.quantity * trade.action.sign, trade.price, row.multiplier)
        self.positions[key] = msgspec.structs.replace(
            row,
            quantity=net.quantity,
            average_price=net.average,
            realised_today=net.realised,
        )

    def convert(self, request: ConvertRequest) -> None:
        """Units of a position are of another product now, at their average. A position book that
        was read meanwhile may show that already."""
        source = self.positions.get((*request.key, request.product))
        if source is None or source.quantity * request.action.sign < request.quantity:
            return
        self.changes += 1
        units = request.action.sign * request.quantity
        key = (*request.key, request.to)
        target = self.positions.get(key) or msgspec.structs.replace(
            source, product=request.to, quantity=0, average_price=0.0, realised=0.0,
            realised_today=0.0, buy_quantity=0, sell_quantity=0, margin=0.0,
        )  # fmt: skip
        net = _Net(target.quantity, target.average_price)
        net.fill(units, source.average_price, source.multiplier)
        self.positions[key] = msgspec.structs.replace(
            target, quantity=net.quantity, average_price=net.average
        )
        left = source.quantity - units
        self.positions[(*request.key, request.product)] = msgspec.structs.replace(
            source, quantity=left, average_price=source.average_price if left else 0.0
        )
        if not left:
            self._convert_strategies((*request.key, request.product), key)

    def _convert_strategies(self, source: PositionKey, target: PositionKey) -> None:
        """All of a position was converted, so what each strategy holds of it was."""
        for nets in self.strategies.values():
            net = nets.get(source)
            if net is not None and net.quantity:
                nets.setdefault(target, _Net()).fill(net.quantity, net.average, 1.0)
                net.quantity, net.average = 0, 0.0

    # -- asking -----------------------------------------------------------------------------
    def closes(self, request: OrderRequest, *, instead_of: str = "") -> bool:
        """Whether the order only reduces its position, orders already resting included, but the
        one that it takes the place of. A sale of delivered shares opens nothing: what is no
        position any more is a holding, and nobody sells more of those than there are."""
        if _delivers(request):
            return True
        key = (request.exchange, request.symbol, request.product)
        row = self.positions.get(key)
        if row is None or row.quantity * request.action.sign >= 0:
            return False
        resting = sum(
            order.pending_quantity
            for order in self.working(key)
            if order.action is request.action and order.order_id != instead_of
        )
        return resting + request.quantity <= abs(row.quantity)

    def closes_own(
        self,
        request: OrderRequest,
        units: Mapping[PositionKey, int],
        *,
        instead_of: str = "",
    ) -> bool:
        """As :meth:`closes`, and no more than the strategy of the order holds itself, its orders at
        rest included. ``units`` are the signed units that it holds."""
        if not self.closes(request, instead_of=instead_of):
            return False
        key, sign = (request.exchange, request.symbol, request.product), request.action.sign
        held = units.get(key, 0)
        resting = sum(
            order.pending_quantity
            for order in self.working(key)
            if order.action is request.action
            and order.strategy == request.strategy
            and order.order_id != instead_of
        )
        return held * sign < 0 and resting + request.quantity <= abs(held)

    def open_positions(self, symbol: str = "") -> int:
        """Positions that are not flat; of ``EXCHANGE:SYMBOL`` only when given."""
        return sum(
            1
            for row in self.positions.values()
            if row.quantity and symbol in ("", f"{row.exchange}:{row.symbol}")
        )

    def held(self, symbol: str = "") -> set[Key]:
        """Instruments of :meth:`open_positions`."""
        return {
            row.key
            for row in self.positions.values()
            if row.quantity and symbol in ("", f"{row.exchange}:{row.symbol}")
        }

    def day_profit(self, prices: Mapping[Key, float], symbol: str = "") -> float:
        """Today's profit in rupees at ``prices``, which has all of :meth:`held`; of one symbol
        only when given."""
        return fsum(
            msgspec.structs.replace(row, ltp=prices[row.key]).pnl
            if row.quantity
            else row.realised_today
            for row in self.positions.values()
            if symbol in ("", f"{row.exchange}:{row.symbol}")
        )

    def units_today(self, strategy: str) -> dict[PositionKey, int]:
        """Signed units that a strategy holds of what it traded today."""
        return {
            key: net.quantity
            for key, net in self.strategies.get(strategy, {}).items()
            if net.quantity > 0 or key[2] is not Product.CNC  # delivered shares are never short
        }

    def strategy_positions(self, strategy: str) -> int:
        """Positions that a strategy opened today and still holds."""
        return sum(1 for net in self.strategies.get(strategy, {}).values() if net.quantity)

    def strategy_held(self, strategy: str) -> set[Key]:
        """Instruments of :meth:`strategy_positions`."""
        return {key[:2] for key, net in self.strategies.get(strategy, {}).items() if net.quantity}

    def strategy_profit(self, prices: Mapping[Key, float], strategy: str) -> float:
        """Today's profit in rupees of what a strategy traded today, at ``prices``, which has all
        of :meth:`strategy_held`."""
        parts: list[float] = []
        for key, net in self.strategies.get(strategy, {}).items():
            parts.append(net.realised)
            if net.quantity:
                parts.append(self.open_profit(key, net, prices[key[:2]]))
        return fsum(parts)

    def open_profit(self, key: PositionKey, net: _Net, price: float) -> float:
        """Rupees that what a strategy holds of a position gives at a price."""
        row = self.positions.get(key)
        multiplier = row.multiplier if row is not None else self._contract_value(key[:2])
        return (price - net.average) * net.quantity * multiplier

    # -- comparing --------------------------------------------------------------------------
    def lost(self, order_ids: Collection[str]) -> list[Difference]:
        """Orders that the broker's (whole) book does not list under ``order_ids``."""
        return [
            Difference("order missing", order.order_id, order.status.value, "not in its book")
            for order in self.orders.values()
            if order.order_id not in order_ids and order.status is not OrderStatus.UNKNOWN
        ]

    def foreign(
        self, orders: Iterable[Order], is_ours: Callable[[Order], bool]
    ) -> list[Difference]:
        """Those of ``orders`` that neither this book nor ``is_ours`` knows."""
        return [
            Difference("order from elsewhere", order.order_id, "not known", order.status.value)
            for order in orders
            if order.order_id not in self.orders and not is_ours(order)
        ]

    def moved(self, positions: Iterable[Position], *, partial: bool = False) -> list[Difference]:
        """Positions that are another quantity here than in the broker's book; of a ``partial``
        book only those that it lists."""
        ours = {key: row.quantity for key, row in self.positions.items()}
        real = {_position_key(row): row.quantity for row in positions}
        found = []
        for key in sorted(real.keys() if partial else ours.keys() | real.keys()):
            here, there = ours.get(key, 0), real.get(key, 0)
            if here != there:
                found.append(Difference("position", ":".join(key), f"{here:+d}", f"{there:+d}"))
        return found

    def missed(
        self, orders: Iterable[Order], is_ours: Callable[[Order], bool], *, sure: bool
    ) -> list[Order]:
        """Orders of ours whose state at the broker is another than the one that we know.

        Unless ``sure`` (it was so before, too), a state that looks older is left out: our update
        may have overtaken the book on its way.
        """
        newer = []
        for order in orders:
            known = self.orders.get(order.order_id)
            if known is order or impossible(order):
                continue
            if known is None:
                if is_ours(order):
                    newer.append(order)
            elif _shown(order) != _shown(known) and (sure or not is_older(order, known)):
                newer.append(order)
        return newer


def impossible(order: Order, trade: Trade | None = None) -> str:
    """Why an order (and its fill) cannot be, or an empty text."""
    if not order.order_id:
        return "it has no order id"
    if order.filled_quantity < 0 or order.quantity < 0:
        return "a quantity is negative"
    if order.filled_quantity > order.quantity:
        return f"{order.filled_quantity} filled of {order.quantity}"
    if trade is None:
        return ""
    if not trade.trade_id or trade.order_id != order.order_id:
        return "its fill has no id or is of another order"
    if not 0 < trade.quantity <= order.quantity:
        return f"a fill of {trade.quantity} of {order.quantity}"
    return "" if isfinite(trade.price) else f"a fill at {trade.price}"


def _delivers(request: OrderRequest) -> bool:
    return request.product is Product.CNC and request.action is Action.SELL


def _position_key(row: Position) -> PositionKey:
    return (row.exchange, row.symbol, row.product)


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


def is_older(order: Order, known: Order) -> bool:
    """Updates may come twice and out of order: a final state and more fills are newer."""
    if known.status.is_final:
        return not order.status.is_final or order.filled_quantity < known.filled_quantity
    if order.filled_quantity != known.filled_quantity:
        return order.filled_quantity < known.filled_quantity
    if order.updated_at is None or known.updated_at is None:
        return False
    return order.updated_at.astimezone(IST) < known.updated_at.astimezone(IST)
