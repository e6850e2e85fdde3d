"""What the trades of today come to for each position: units and averages of both sides, charges,
who asked for them. One owner for all docks; the books tell it of each trade once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.model import Key, Trade
from openalgo_desktop.ui.engine.books import Books

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

PositionId = tuple[Key, Product]


class _Filled(msgspec.Struct):
    """An order as far as it has traded: units, their value at unit prices, charges as told."""

    action: Action
    product: Product
    key: Key
    units: int = 0
    value: float = 0.0
    told: float = 0.0
    charges: float | None = None  # of what it has traded, once worked out


class DaySum(msgspec.Struct):
    """Trades of today in one position. ``value`` is units times price; averages in rupees."""

    bought: int = 0
    buy_value: float = 0.0
    sold: int = 0
    sell_value: float = 0.0
    charges: float | None = 0.0
    estimated: bool = False  # some of the charges are ours, not the account's
    strategies: dict[str, None] = {}

    @property
    def buy_average(self) -> float | None:
        """Of today's purchases; None when there are none."""
        return self.buy_value / self.bought if self.bought else None

    @property
    def sell_average(self) -> float | None:
        """Of today's sales; None when there are none."""
        return self.sell_value / self.sold if self.sold else None


NONE = DaySum()


class DayTrades:
    """Sums by position, each worked out when it is asked for after a trade of it. ``cost`` gives
    the charges of an order (key, product, side, units, average price), None where the
    instrument is not known."""

    def __init__(
        self, books: Books, cost: Callable[[Key, Product, Action, int, float], float | None]
    ) -> None:
        self._books = books
        self._cost = cost
        self._orders: dict[PositionId, dict[str, _Filled]] = {}
        self._strategies: dict[PositionId, dict[str, None]] = {}
        self._sums: dict[PositionId, DaySum] = {}
        self._counted: list[Trade] = []  # in the order of the book
        books.trades_changed.connect(self._read)
        books.trades_added.connect(self._add)

    def of(self, key: Key, product: Product) -> DaySum:
        """Today's trades of a position; empty where there are none."""
        place = (key, product)
        found = self._sums.get(place)
        if found is None:
            orders = self._orders.get(place)
            if orders is None:
                return NONE
            found = self._sums[place] = self._summed(orders, self._strategies[place])
        return found

    def charges_of(self, trade: Trade) -> tuple[float | None, bool]:
        """What a trade cost, rupees, and whether that is an estimate: its share, by value, of what
        its order costs."""
        if trade.charges:
            return trade.charges, False
        order = self._orders.get((trade.key, trade.product), {}).get(trade.order_id)
        whole = self._charged(order) if order is not None else None
        if order is None or whole is None or not order.value:
            return None, True
        return whole * trade.quantity * trade.price / order.value, True

    @property
    def charges(self) -> float | None:
        """Of all trades of today, rupees; None while one of them is not known."""
        total = 0.0
        for key, product in self._orders:
            part = self.of(key, product).charges
            if part is None:
                return None
            total += part
        return total

    # -- keeping ----------------------------------------------------------------------------
    def _read(self) -> None:
        """The book was read whole. What it lists as before is counted already."""
        trades, known = self._books.trades, len(self._counted)
        self._sums = {}
        if trades[:known] == self._counted:
            for orders in self._orders.values():
                for order in orders.values():
                    order.charges = None  # the plan may be another one
            return self._add(trades[known:])
        self._orders, self._strategies = {}, {}
        self._counted.clear()
        self._add(trades)

    def _add(self, trades: Iterable[Trade]) -> None:
        for trade in trades:
            self._counted.append(trade)
            place = (trade.key, trade.product)
            orders = self._orders.setdefault(place, {})
            order = orders.get(trade.order_id)
            if order is None:
                order = _Filled(trade.action, trade.product, trade.key)
                orders[trade.order_id] = order
            order.units += trade.quantity
            order.value += trade.quantity * trade.price
            order.told += trade.charges
            order.charges = None
            named = self._strategies.setdefault(place, {})
            if trade.strategy:
                named[trade.strategy] = None
            self._sums.pop(place, None)

    def _charged(self, order: _Filled) -> float | None:
        if order.told:
            return order.told
        if order.charges is None and order.units:
            average = order.value / order.units
            order.charges = self._cost(order.key, order.product, order.action, order.units, average)
        return order.charges

    def _summed(self, orders: dict[str, _Filled], strategies: dict[str, None]) -> DaySum:
        found = DaySum(strategies=strategies)
        for order in orders.values():
            if order.action is Action.BUY:
                found.bought += order.units
                found.buy_value += order.value
            else:
                found.sold += order.units
                found.sell_value += order.value
            cost = self._charged(order)
            found.estimated = found.estimated or not order.told
            found.charges = None if cost is None or found.charges is None else found.charges + cost
        return found


def day_trades(terminal: Terminal, books: Books) -> DayTrades:
    """The one of a terminal: charges by the brokerage plan in force."""

    def cost(key: Key, product: Product, action: Action, units: int, price: float) -> float | None:
        row = terminal.instruments.get(key)
        if row is None:
            return None
        day = terminal.clock.now().date()
        estimator = terminal.sandbox.charging.estimator
        return estimator.charges(row, product, action, units, price, day)

    return DayTrades(books, cost)
