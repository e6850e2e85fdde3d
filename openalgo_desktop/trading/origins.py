"""Who asked for which order, and for which strategy: what a broker does not tell of our orders.

Kept by the sender as orders go out; of orders of earlier runs the journal is asked when somebody
meets them. So limits, profits and books of a strategy are the same at every gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Order, Trade
from openalgo_desktop.core.ports import JournalEntry, OrderJournal

#: Rows that the journal is asked for at a time.
CHUNK = 400
#: Field of a journal row: the order went through a lane whose mode was fixed.
BOUND = "bound"


class Slice(msgspec.Struct, frozen=True, gc=False):
    """Which part of an order above the freeze quantity; ``parent`` is the same in all parts."""

    parent: str
    part: int
    parts: int


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Who asked for an order (window, key name), the strategy that it named, which part of a
    larger order it is, and whether it went through a ``bound`` lane."""

    source: str = ""
    strategy: str = ""
    slice: Slice | None = None
    bound: bool = False


class Origins:
    """Own orders by tag and by order id."""

    def __init__(self, journal: OrderJournal) -> None:
        self._journal = journal
        self._by_tag: dict[str, Origin] = {}
        self._by_id: dict[str, Origin] = {}
        self._id_of: dict[str, str] = {}  # order id by tag, of orders that were heard of
        self._changes: set[str] = set()  # tags of changes and cancellations: they name nobody anew
        self._foreign: set[str] = set()  # order ids that the journal does not know
        #: Strategies that sent something through a bound lane, by mode, as far as that was met.
        self.bound: dict[Mode, set[str]] = {}
        #: Told of each of them once.
        self.on_bound: Callable[[], None] = lambda: None
        #: Told when an order that may be known already gets its name: mode, order id, strategy.
        self.on_named: Callable[[Mode, str, str], None] = lambda mode, order_id, strategy: None

    # -- keeping ----------------------------------------------------------------------------
    def note(self, entry: JournalEntry) -> None:
        """An order write goes out, or one of an earlier run was read."""
        origin = Origin(
            entry.source,
            str(entry.request.get("strategy") or ""),
            _slice_of(entry.request),
            bool(entry.request.get(BOUND)),
        )
        self._by_tag[entry.tag] = origin
        if not entry.kind.endswith("place"):
            self._changes.add(entry.tag)
        if origin.bound and origin.strategy not in self.bound.setdefault(entry.mode, set()):
            self.bound[entry.mode].add(origin.strategy)
            self.on_bound()
        if entry.order_id and (entry.kind == "place" or entry.order_id not in self._by_id):
            self._by_id[entry.order_id] = origin

    def accepted(self, tag: str, mode: Mode, order_id: str) -> None:
        """The order of a tag has this id at the gateway."""
        self._foreign.discard(order_id)
        origin = self._by_tag.get(tag)
        if origin is None or not order_id:
            return
        if tag not in self._changes or order_id not in self._by_id:
            self._by_id[order_id] = origin
        self._id_of[tag] = order_id
        if origin.strategy:
            self.on_named(mode, order_id, origin.strategy)

    async def learn(self, account_id: str, orders: Iterable[Order]) -> None:
        """Ask the journal about orders that are not known here (those of earlier runs)."""
        unknown = [
            order
            for order in orders
            if order.order_id not in self._foreign and self._of(order) is None
        ]
        for first in range(0, len(unknown), CHUNK):
            chunk = unknown[first : first + CHUNK]
            ids = [order.order_id for order in chunk if order.order_id]
            tags = [order.tag for order in chunk if order.tag]
            for entry in await self._journal.of_orders(account_id, ids, tags):
                self.note(entry)
            self._foreign |= {row.order_id for row in chunk if self._of(row) is None}

    async def strategy_by_id(self, account_id: str, order_id: str) -> str:
        """:meth:`strategy_of`, also of an order that nobody met in this run: the journal says."""
        if order_id not in self._by_id and order_id not in self._foreign:
            entries = await self._journal.of_orders(account_id, [order_id], [])
            for entry in entries:
                self.note(entry)
        return self.strategy_of(order_id)

    # -- asking -----------------------------------------------------------------------------
    def _of(self, order: Order) -> Origin | None:
        return (self._by_tag.get(order.tag) if order.tag else None) or self._by_id.get(
            order.order_id
        )

    def id_of(self, tag: str) -> str:
        """The order of a tag, also before the journal knows it; empty while nobody heard of it."""
        return self._id_of.get(tag, "")

    def source_of(self, order_id: str) -> str:
        """Who asked for an order; empty when it is not known as ours."""
        origin = self._by_id.get(order_id)
        return "" if origin is None else origin.source

    def strategy_of(self, order_id: str) -> str:
        """The strategy that an order was placed for; empty when it named none, or is not known
        as ours."""
        origin = self._by_id.get(order_id)
        return "" if origin is None else origin.strategy

    def is_bound(self, order_id: str) -> bool:
        """Whether an order went through a lane whose mode was fixed."""
        origin = self._by_id.get(order_id)
        return origin is not None and origin.bound

    def slice_of(self, order: Order) -> Slice | None:
        """Which part of a larger order it is; None for one that went out whole."""
        origin = self._of(order)
        return None if origin is None else origin.slice

    def is_ours(self, order: Order) -> bool:
        """Whether this program placed (or changed) the order, now or in an earlier run."""
        return self._of(order) is not None

    def name(self, order: Order) -> Order:
        """``order`` with its source and strategy filled in where its row does not say them. That
        is the one change of a row which everybody shares: it only adds what was always true."""
        if not (order.source and order.strategy):
            origin = self._of(order)
            if origin is not None:
                order.source = order.source or origin.source
                order.strategy = order.strategy or origin.strategy
                if order.tag:
                    self._by_id[order.order_id] = origin
                    self._id_of[order.tag] = order.order_id
        return order

    def named_trade(self, trade: Trade) -> Trade:
        """``trade`` with the strategy of its order."""
        if trade.strategy:
            return trade
        origin = self._by_id.get(trade.order_id)
        if origin is None or not origin.strategy:
            return trade
        return msgspec.structs.replace(trade, strategy=origin.strategy)


def _slice_of(request: Mapping[str, Any]) -> Slice | None:
    if "parent" not in request:
        return None
    return Slice(str(request["parent"]), int(request["part"]), int(request["parts"]))
