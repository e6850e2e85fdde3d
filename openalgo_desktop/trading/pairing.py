"""Which order of an order book belongs to which unsettled journal entry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from openalgo_desktop.core.model import BookRows, Order, OrderRequest
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.trading.witness import is_alike, is_changed, is_untouched, may_be_of


class Pairs:
    """The order of each entry: by order id or tag; a *place* of a broker that keeps no tag by
    attributes and time, the oldest first, and never an order that another entry owns.

    ``undecided`` are tags of entries like one whose answer is on its way (``flying``), and those
    that only attributes could tell in a book with unreadable rows: a later look tells them apart.
    """

    def __init__(
        self,
        orders: BookRows[Order],
        flying: Sequence[OrderRequest],
        is_young: Callable[[JournalEntry], bool],
    ) -> None:
        self._orders = orders
        self._flying = flying
        self._is_young = is_young
        self.found: dict[str, Order] = {}
        self.undecided: set[str] = set()

    async def make(
        self,
        entries: Sequence[JournalEntry],
        owned: Callable[[list[str]], Awaitable[set[str]]],
    ) -> None:
        """Pair ``entries``; ``owned`` says which order ids another placement already has."""
        free: dict[str, Order] = {}
        untagged = await self._by_id_or_tag(entries, free)
        for entry in entries:
            if entry.kind == "place" and entry.tag in self.found:
                free.pop(self.found[entry.tag].order_id, None)
        if not untagged or not free:
            return
        if self._orders.partial:
            self.undecided = {entry.tag for entry in untagged}
            return
        for order_id in await owned(list(free)):
            free.pop(order_id, None)
        self._by_attributes(sorted(untagged, key=lambda one: one.created_at), free)

    async def _by_id_or_tag(
        self, entries: Sequence[JournalEntry], free: dict[str, Order]
    ) -> list[JournalEntry]:
        """Find what is certain; the placements that are left. Orders without a tag go to
        ``free``."""
        ids = {entry.order_id for entry in entries if entry.order_id}
        tags = {entry.tag for entry in entries}
        by_id: dict[str, Order] = {}
        by_tag: dict[str, Order] = {}
        async for some in in_turns(self._orders):
            by_id |= {order.order_id: order for order in some if order.order_id in ids}
            by_tag |= {order.tag: order for order in some if order.tag in tags}
            free |= {order.order_id: order for order in some if not order.tag}
        untagged: list[JournalEntry] = []
        for entry in entries:
            found = by_id.get(entry.order_id) if entry.order_id else None
            if found is None and entry.kind == "place":
                found = by_tag.get(entry.tag)
                if found is None:
                    untagged.append(entry)
            if found is not None:
                self.found[entry.tag] = found
        return untagged

    def _by_attributes(self, untagged: Sequence[JournalEntry], free: dict[str, Order]) -> None:
        for is_it in (is_untouched, is_alike, is_changed):  # the surest first
            for entry in untagged:
                request = msgspec.convert(entry.request, OrderRequest)
                alike = [order for order in free.values() if is_it(entry, request, order)]
                unsure = is_it is not is_untouched and self._is_young(entry)
                if unsure or any(may_be_of(other, request, alike) for other in self._flying):
                    self.undecided.add(entry.tag)
                elif alike and entry.tag not in self.found:
                    order = min(alike, key=lambda one: one.placed_at or entry.created_at)
                    self.found[entry.tag] = free.pop(order.order_id)
        self.undecided.difference_update(self.found)
