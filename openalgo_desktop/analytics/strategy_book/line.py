"""One instrument of an account: its executions of all strategies, folded in their order. Pure.

Rows of the day may come in any order, again, or with a name that is known late: the day is folded
anew then, so that the same executions always give the same state. What closes in nobody's name (a
hand, a stop, the kill switch) leaves the strategies that would hold more than the account does, as
:class:`~openalgo_desktop.trading.ownbook.OwnBook` counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from copy import copy, deepcopy
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, TypeAlias

import msgspec

from openalgo_desktop.analytics.execution_source import TURN
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.model import SQUARE_OFF_STRATEGY
from openalgo_desktop.core.trade_journal import Because, Execution

ZERO = Decimal(0)
#: Results are kept to a hundredth of a paisa: sums of them are exact, in whatever order they come.
_EXACT = Decimal("0.0001")
_Identity: TypeAlias = tuple[Because, str, str, Product, datetime | None]
_Order: TypeAlias = tuple[datetime, int, int, str, str]


class Net(msgspec.Struct):
    """Signed units at their average, and when they were entered."""

    quantity: int = 0
    average: Decimal = ZERO
    since: datetime | None = None

    def fill(self, units: int, price: Decimal, at: datetime) -> Decimal:
        """Signed ``units`` at ``price``: closes first, the rest opens. The profit of what is
        closed, in points times units."""
        against = self.quantity * units < 0
        closed = min(abs(units), abs(self.quantity)) if against else 0
        sign = 1 if self.quantity > 0 else -1
        profit = (price - self.average) * Decimal(closed * sign)
        opened, left = abs(units) - closed, abs(self.quantity) - closed
        if opened:
            paid = self.average * Decimal(left) + price * Decimal(opened)
            self.average = paid / Decimal(left + opened)
            if not left:
                self.since = at
        elif not left:
            self.average, self.since = ZERO, None
        self.quantity += units
        return profit


class Place(msgspec.Struct):
    """One product of the instrument: of the account, and of each strategy."""

    account: Net = msgspec.field(default_factory=Net)
    nets: dict[str, Net] = msgspec.field(default_factory=dict)


class DaySum(msgspec.Struct):
    """What a strategy realised on a day, rupees."""

    realised: Decimal = ZERO
    charges: Decimal = ZERO
    fills: int = 0
    last_at: datetime | None = None

    def add(self, other: DaySum, sign: int = 1) -> None:
        """Count another one, or with ``sign`` -1 count it no more."""
        self.realised += sign * other.realised
        self.charges += sign * other.charges
        self.fills += sign * other.fills
        if sign > 0 and other.last_at is not None:
            self.last_at = max(self.last_at or other.last_at, other.last_at)


#: Rows of a day between two states that are kept: a row that is told late is folded from the last
#: one before it.
_KEPT_EACH = 64


class Charging(Protocol):
    """Charges of one instrument on one day, fill by fill in their order."""

    def cost(self, row: Execution) -> Decimal:
        """What this fill adds, rupees."""

    def copy(self) -> Charging:
        """The same state, apart."""


class _State(msgspec.Struct):
    """A line after so many rows of its day."""

    rows: int
    places: dict[Product, Place]
    sums: dict[str, DaySum]
    charges: Charging

    def copy(self) -> _State:
        return _State(self.rows, deepcopy(self.places), deepcopy(self.sums), self.charges.copy())


class Line:
    """Executions of an instrument; those of its latest day are kept, earlier ones are folded."""

    def __init__(self, charging: Callable[[date], Charging]) -> None:
        self._charging = charging
        self._rows: list[Execution] = []
        self._order: list[_Order] = []
        self._known: dict[_Identity, Execution] = {}
        self._now = _State(0, {}, {}, charging(date.min))
        self._kept: list[_State] = []  # the day's beginning first
        self._touched: dict[str, DaySum | None] = {}
        self.day = date.min
        self.multiplier = Decimal(1)

    @property
    def places(self) -> dict[Product, Place]:
        """What is held, by product."""
        return self._now.places

    @property
    def sums(self) -> dict[str, DaySum]:
        """Of the latest day, by strategy."""
        return self._now.sums

    def touched(self) -> dict[str, DaySum | None]:
        """Strategies that changed since this was asked last, with their sums of the latest day
        before (None: there were none)."""
        touched, self._touched = self._touched, {}
        return touched

    def add(self, row: Execution) -> bool:
        """Count an execution; False for one of an earlier day, which only reading all can count.
        The same one again replaces it."""
        day = day_of(row)
        if day < self.day:
            return False
        if day > self.day:
            self._begin(day)
        known = self._known.get(_identity(row))
        if known is not None and not row.strategy:  # told again by whoever does not know the name
            row = msgspec.structs.replace(row, strategy=known.strategy)
        if known == row:
            return True
        first = len(self._rows)
        if known is not None:
            first = self._rows.index(known)
            del self._rows[first], self._order[first]
        self._known[_identity(row)] = row
        order = order_of(row)
        at = bisect_right(self._order, order)
        self._rows.insert(at, row)
        self._order.insert(at, order)
        self._anew(min(first, at))
        return True

    def replace_order(self, order_id: str, rows: Iterable[Execution]) -> bool:
        """These are all executions of an order on its day; False as in :meth:`add`."""
        rows = list(rows)
        if any(day_of(row) != self.day for row in rows):
            return all(self.add(row) for row in rows)
        name = next((row.strategy for row in self._rows if row.order_id == order_id), "")
        rows = [msgspec.structs.replace(row, strategy=row.strategy or name) for row in rows]
        kept = [n for n, row in enumerate(self._rows) if row.order_id != order_id]
        self._rows = [self._rows[n] for n in kept]
        self._known = {_identity(row): row for row in self._rows}
        self._order = [self._order[n] for n in kept]
        self._anew(0)
        for row in rows:
            self.add(row)
        return True

    def name(self, order_id: str, strategy: str) -> bool:
        """The executions of an order without a name are of this strategy; whether there are."""
        found = False
        for place, row in enumerate(self._rows):
            if row.order_id == order_id and not row.strategy:
                named = msgspec.structs.replace(row, strategy=strategy)
                self._rows[place] = self._known[_identity(row)] = named
                found = True
        if found:
            self._anew(0)
        return found

    # -- folding ----------------------------------------------------------------------------
    def _begin(self, day: date) -> None:
        self.day, self._rows, self._order, self._known = day, [], [], {}
        self._now = _State(0, self._now.places, {}, self._charging(day))
        self._kept = [self._now.copy()]

    def _anew(self, first: int) -> None:
        """Fold the rows from ``first`` on (again)."""
        if first < self._now.rows:
            for name in self._names():
                self._touch(name)
            while self._kept[-1].rows > first:
                self._kept.pop()
            self._now = self._kept[-1].copy()
        for row in self._rows[self._now.rows :]:
            self._fold(row)
            self._now.rows += 1
            if self._now.rows % _KEPT_EACH == 0:
                self._kept.append(self._now.copy())
        if first < len(self._rows) - 1:
            for name in self._names():
                self._touch(name)

    def _names(self) -> set[str]:
        names = set(self._now.sums)
        for place in self._now.places.values():
            names |= place.nets.keys()
        return names

    def _touch(self, name: str) -> None:
        if name not in self._touched:
            self._touched[name] = copy(self._now.sums.get(name))

    def _fold(self, row: Execution) -> None:
        if row.because is Because.RESET:
            for name in self._names():
                self._touch(name)
            self._now.places = {}
            return
        self.multiplier = row.multiplier
        place = self.places.setdefault(row.product, Place())
        if row.because is Because.CONVERTED:
            self._convert(place, row)
        elif row.because is Because.SETTLED:
            self._settle(place, row)
        else:
            self._trade(place, row)

    def _trade(self, place: Place, row: Execution) -> None:
        units = row.quantity * row.action.sign
        place.account.fill(units, row.price, row.at)
        if row.because is not Because.TRADE:
            return
        cost = row.charges or self._now.charges.cost(row)
        if row.strategy == SQUARE_OFF_STRATEGY:
            self._leave(place, row, cost)
        elif row.strategy:
            self._take(place, row.strategy, self._own(place, row, units), row.price, row.at, cost)

    @staticmethod
    def _own(place: Place, row: Execution, units: int) -> int:
        """Delivered shares that are sold open no short: what a strategy sells beyond what it bought
        was held by somebody else, and nobody knows its result."""
        if row.product is not Product.CNC or units > 0:
            return units
        net = place.nets.get(row.strategy, Net())
        return -min(-units, max(0, net.quantity))

    def _leave(self, place: Place, row: Execution, cost: Decimal) -> None:
        side = -row.action.sign
        holders = {name: net for name, net in place.nets.items() if net.quantity * side > 0}
        held = max(0, place.account.quantity * side)
        left = min(row.quantity, sum(abs(net.quantity) for net in holders.values()) - held)
        for name, net in holders.items():
            units = min(left, abs(net.quantity))
            if units > 0:
                share = cost * Decimal(units) / Decimal(row.quantity)
                self._take(place, name, -units * side, row.price, row.at, share)
                left -= units

    def _settle(self, place: Place, row: Execution) -> None:
        """All of the position was closed, and the account told its profit: so the price is known
        at which everybody left."""
        held = place.account.quantity
        if not held:
            return
        price = place.account.average + row.profit / (Decimal(held) * row.multiplier)
        for name, net in place.nets.items():
            if net.quantity:
                self._take(place, name, -net.quantity, price, row.at, ZERO)
        place.account.fill(-held, price, row.at)

    def _convert(self, place: Place, row: Execution) -> None:
        """Units have another product; when all have, so has what each strategy holds."""
        held = place.account
        units = row.quantity * row.action.sign
        if row.to is None or held.quantity * units <= 0 or abs(units) > abs(held.quantity):
            return
        target = self.places.setdefault(row.to, Place())
        target.account.fill(units, held.average, row.at)
        held.fill(-units, held.average, row.at)
        if held.quantity:
            return
        for name, net in place.nets.items():
            if net.quantity:
                self._touch(name)
                other = target.nets.setdefault(name, Net())
                other.fill(net.quantity, net.average, net.since or row.at)
                net.fill(-net.quantity, net.average, row.at)

    def _take(
        self, place: Place, name: str, units: int, price: Decimal, at: datetime, cost: Decimal
    ) -> None:
        """Units that a strategy bought or sold; 0 is a sale that is none of its own."""
        self._touch(name)
        net = place.nets.setdefault(name, Net())
        profit = net.fill(units, price, at) * self.multiplier if units else ZERO
        sums = self.sums.setdefault(name, DaySum())
        sums.add(DaySum(profit.quantize(_EXACT), cost.quantize(_EXACT), 1, at))


def day_of(row: Execution) -> date:
    """The IST date of an execution."""
    return row.at.astimezone(IST).date()


def order_of(row: Execution) -> _Order:
    """Executions of an instrument in one order, whenever they are told."""
    return (row.at, TURN[row.because], len(row.order_id), row.order_id, row.trade_id)


def _identity(row: Execution) -> _Identity:
    """What makes two rows of an instrument and a day the same execution."""
    at = None if row.trade_id else row.at
    return (row.because, row.order_id, row.trade_id, row.product, at)
