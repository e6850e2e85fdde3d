"""The matching engine: resting orders per instrument, and what a tick does to them.

Pure: a tick or an order goes in, outcomes come out; time, money and storage are the caller's.
Orders of an instrument are kept in two ladders sorted by the price that wakes them, so a tick
costs two comparisons unless it reaches one: cost grows with matches, not with orders.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from openalgo_desktop.core.enums import Action, PriceType
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.ticks import Tick


class Resting(msgspec.Struct, gc=False):
    """A working order as the matcher sees it. ``quantity`` is what is not filled yet.

    ``trigger`` is 0 once it was hit: from then on the order is a plain market or limit order.
    ``fresh`` until it has met its first market; ``ahead`` is the estimated queue before it.
    """

    order_id: str
    key: Key
    action: Action
    price_type: PriceType
    quantity: int
    price: float = 0.0
    trigger: float = 0.0
    seq: int = 0
    fresh: bool = True
    ahead: float = -1.0  # -1: not estimated yet
    active: bool = True  # False while it is on its way (latency)
    tick_size: float = 0.05


class Fill(NamedTuple):
    """``quantity`` units of an order traded at ``price`` rupees."""

    order_id: str
    quantity: int
    price: float


class Triggered(NamedTuple):
    """The trigger was hit, and the order is now live in the book."""

    order_id: str


class Refused(NamedTuple):
    """The exchange threw the order out."""

    order_id: str
    reason: str


Outcome: TypeAlias = Fill | Triggered | Refused


class Market(Protocol):
    """One tick as a fill model uses it up: what one order takes, the next one does not find."""

    def fills(self, order: Resting) -> list[tuple[int, float]]:
        """(quantity, price) of what a live order gets now."""


class FillModel(Protocol):
    """Decides who gets what at which price."""

    #: A stop whose trigger is already passed at placement is refused (as exchanges do).
    refuses_passed_stops: bool

    def market(self, tick: Tick, traded: int) -> Market:
        """The market of one tick; ``traded`` is the volume since the tick before, 0 unknown."""


class _Rung(NamedTuple):
    level: float
    seq: int
    order: Resting


class _KeyBook:
    """Orders of one instrument. ``falls`` wake when the price falls to their level (buy limits,
    sell stops), ``rises`` when it rises to it; ``always`` on any tick."""

    __slots__ = ("always", "falls", "rises", "volume")

    def __init__(self) -> None:
        self.falls: list[_Rung] = []
        self.rises: list[_Rung] = []
        self.always: dict[str, Resting] = {}
        self.volume = 0

    @property
    def empty(self) -> bool:
        return not (self.falls or self.rises or self.always)

    def _ladder(self, order: Resting) -> list[_Rung] | None:
        if order.trigger:
            return self.rises if order.action is Action.BUY else self.falls
        if order.price_type.has_price:
            return self.falls if order.action is Action.BUY else self.rises
        return None

    def add(self, order: Resting) -> None:
        ladder = self._ladder(order)
        if ladder is None:
            self.always[order.order_id] = order
        else:
            bisect.insort(ladder, _Rung(order.trigger or order.price, order.seq, order))

    def discard(self, order: Resting) -> None:
        ladder = self._ladder(order)
        if ladder is None:
            self.always.pop(order.order_id, None)
            return
        at = bisect.bisect_left(ladder, (order.trigger or order.price, order.seq))
        if at < len(ladder) and ladder[at].order is order:
            del ladder[at]

    def reached(self, low: float, high: float) -> list[Resting]:
        """Orders that prices between ``low`` and ``high`` wake, best price first, then oldest."""
        found = list(self.always.values())
        falls, rises = self.falls, self.rises
        if falls and falls[-1].level >= low:
            start = bisect.bisect_left(falls, (low, -1))
            found += [r.order for r in sorted(falls[start:], key=lambda r: (-r.level, r.seq))]
        if rises and rises[0].level <= high:
            found += [r.order for r in rises[: bisect.bisect_left(rises, (high, _LAST))]]
        return found


_LAST = 1 << 62


def is_stale(tick: Tick) -> bool:
    """The last price contradicts the day's range: an old or broken quote nobody may trade on."""
    return tick.high > 0 and tick.low > 0 and not tick.low <= tick.ltp <= tick.high


class Matcher:
    """All resting orders of one paper account or exchange."""

    def __init__(self, model: FillModel) -> None:
        self.model = model
        self._books: dict[Key, _KeyBook] = {}
        self._orders: dict[str, Resting] = {}
        self._seq = 0

    def __len__(self) -> int:
        return len(self._orders)

    def get(self, order_id: str) -> Resting | None:
        """The resting order, or None when it does not rest here."""
        return self._orders.get(order_id)

    def has_orders(self, key: Key) -> bool:
        """Whether any order rests on the instrument."""
        return key in self._books

    # -- orders -----------------------------------------------------------------------------
    def submit(self, order: Resting, tick: Tick | None) -> list[Outcome]:
        """Take an order in; with a tick it meets the market at once."""
        self._seq += 1
        order.seq = self._seq
        self._orders[order.order_id] = order
        book = self._books.get(order.key)
        if book is None:
            book = self._books[order.key] = _KeyBook()
            book.volume = tick.volume if tick is not None else 0
        book.add(order)
        return self.wake(order.order_id, tick)

    def wake(self, order_id: str, tick: Tick | None) -> list[Outcome]:
        """Let one order meet the market (at its arrival, or after it was changed)."""
        order = self._orders.get(order_id)
        if order is None or not order.active or tick is None or tick.ltp <= 0 or is_stale(tick):
            return []
        passed = order.fresh and order.trigger and _stop_hit(order, tick)
        if passed and self.model.refuses_passed_stops:
            self.remove(order_id)
            side = "above" if order.action is Action.BUY else "below"
            reason = (
                f"Trigger price {plain(order.trigger)} must be {side} "
                f"the last price {plain(tick.ltp)}."
            )
            return [Refused(order_id, reason)]
        outcomes = self._meet(order, tick, self.model.market(tick, 0))
        order.fresh = False
        return outcomes

    def remove(self, order_id: str) -> Resting | None:
        """Take an order out (cancelled, expired, about to be changed)."""
        order = self._orders.pop(order_id, None)
        if order is None:
            return None
        book = self._books[order.key]
        book.discard(order)
        if book.empty:
            del self._books[order.key]
        return order

    # -- ticks ------------------------------------------------------------------------------
    def on_tick(self, tick: Tick) -> Sequence[Outcome]:
        """What the tick does to the orders resting on its instrument."""
        book = self._books.get((tick.exchange, tick.symbol))
        if book is None:
            return ()
        low = high = tick.ltp
        if 0 < tick.ask < low:
            low = tick.ask
        high = max(high, tick.bid)
        before, book.volume = book.volume, tick.volume or book.volume
        if (
            not book.always
            and (not book.falls or book.falls[-1].level < low)
            and (not book.rises or book.rises[0].level > high)
        ):
            return ()
        if low <= 0 or is_stale(tick):
            return ()
        traded = max(0, tick.volume - before) if before else 0
        market = self.model.market(tick, traded)
        outcomes: list[Outcome] = []
        for order in book.reached(low, high):
            if order.active:
                outcomes += self._meet(order, tick, market)
                order.fresh = False
        return outcomes

    def _meet(self, order: Resting, tick: Tick, market: Market) -> list[Outcome]:
        outcomes: list[Outcome] = []
        if order.trigger:
            if not _stop_hit(order, tick):
                return outcomes
            book = self._books[order.key]
            book.discard(order)
            order.trigger = 0.0
            book.add(order)
            outcomes.append(Triggered(order.order_id))
        for quantity, price in market.fills(order):
            order.quantity -= quantity
            outcomes.append(Fill(order.order_id, quantity, price))
        if order.quantity <= 0:
            self.remove(order.order_id)
        return outcomes


def _stop_hit(order: Resting, tick: Tick) -> bool:
    """Stops trigger on the traded price, inclusive."""
    if order.action is Action.BUY:
        return tick.ltp >= order.trigger
    return tick.ltp <= order.trigger
