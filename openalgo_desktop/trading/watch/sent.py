"""What became of the orders of a plan: by the journal, which has every intent before it leaves,
and the order book. So a restart knows as much as the run before, and nothing goes out twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import JournalState, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.exits import ExitPlan, Plan
from openalgo_desktop.core.model import Order
from openalgo_desktop.core.ports import JournalEntry, OrderJournal, TradingGateway
from openalgo_desktop.trading.desk import OrderDesk

#: The wall clock may have been put back since a leg was reached.
_SLACK = timedelta(days=1)
#: A write has its row in the journal by then; seconds.
_ROW_WITHIN = 60.0
_OPEN = (JournalState.INTENT, JournalState.UNKNOWN)


class Sent(msgspec.Struct):
    """Orders of a plan. ``filled`` units by order id; ``unfinished`` units that may still fill,
    ``unknown`` whether some of them may not have arrived; ``working`` rests in the book;
    ``entries`` are its journal rows."""

    filled: dict[str, int] = {}
    unfinished: int = 0
    unknown: bool = False
    working: list[Order] = []
    entries: list[JournalEntry] = []


class SentOrders:
    """Reads journal and books of one desk."""

    def __init__(self, clock: Clock, journal: OrderJournal, desk: OrderDesk) -> None:
        self._clock = clock
        self._journal = journal
        self._desk = desk
        self._ids: dict[str, set[str]] = {}  # by source, of this run: also what the disk refused

    def note(self, source: str, ids: Iterable[str]) -> None:
        """Orders that were just accepted."""
        self._ids.setdefault(source, set()).update(ids)

    async def of(
        self,
        plan: Plan,
        since: datetime,
        gateway: TradingGateway,
        *,
        symbol: str = "",
        known: dict[str, int] | None = None,
    ) -> Sent:
        """The orders of a plan since it fired, of one ``symbol`` where it has several. ``known``
        are fills that were told before."""
        entries = [
            entry
            for entry in await self._journal.sent_by(plan.exit_source, since - _SLACK)
            if entry.account_id == plan.account_id
            and entry.mode is plan.mode
            and symbol in ("", entry.request.get("symbol"))
        ]
        found = Sent(entries=entries)
        ids: dict[str, JournalEntry | None] = {}
        for entry in entries:
            order_id = entry.order_id or self._desk.sender.origins.id_of(entry.tag)
            if entry.state in _OPEN and not order_id:
                found.unfinished += int(entry.request["quantity"])
                found.unknown = True
            elif order_id:  # a refused one may have a row in the book all the same
                ids[order_id] = entry
        if not symbol:
            ids |= {name: None for name in self._ids.get(plan.exit_source, ()) if name not in ids}
        for order_id, row in ids.items():
            await self._count(found, order_id, row, plan.mode, gateway, known or {})
        return found

    async def _count(
        self,
        found: Sent,
        order_id: str,
        entry: JournalEntry | None,
        mode: Mode,
        gateway: TradingGateway,
        known: dict[str, int],
    ) -> None:
        order = await self.order(order_id, mode, gateway)
        if order is not None:
            found.filled[order_id] = max(order.filled_quantity, known.get(order_id, 0))
            if not order.status.is_final:
                found.unfinished += order.pending_quantity
                found.working.append(order)
            return
        found.filled[order_id] = known.get(order_id, 0)
        if entry is None or entry.state is JournalState.REJECTED:
            return
        if entry.created_at.date() == self._clock.now().date():  # else its day is over
            found.unfinished += int(entry.request["quantity"]) - found.filled[order_id]
            found.unknown = True

    async def order(self, order_id: str, mode: Mode, gateway: TradingGateway) -> Order | None:
        """An order by our own book, else by the gateway; None when nobody shows it."""
        if (order := self._desk.books.book(mode).orders.get(order_id)) is not None:
            return order
        try:
            order = await gateway.order(order_id)
            self._desk.books.book(mode).seen([order])
            return order
        except AppError:
            pass
        if gateway.traits.recall:
            try:
                rows = await gateway.recall(set(), {order_id})
            except AppError:
                return None
            return rows[0] if rows else None
        return None

    async def entries_of(self, plan: ExitPlan) -> list[JournalEntry]:
        """Journal rows of the entry order of a bracket."""
        rows = await self._journal.sent_by(plan.source, plan.created_at - _SLACK)
        return [
            row
            for row in rows
            if row.request.get("plan") == plan.plan_id and row.account_id == plan.account_id
        ]

    async def state_of(self, tag: str, since: datetime) -> JournalState:
        """What the journal says of one write that was to leave at ``since``. Of one without a row
        nothing left, unless that was so lately that its row may still come."""
        row = await self._journal.find(tag)
        if row is not None:
            return row.state
        young = (self._clock.now() - since).total_seconds() < _ROW_WITHIN
        return JournalState.INTENT if young else JournalState.REJECTED

    async def plan_of(self, tag: str) -> str:
        """The bracket of an entry order by our own tag; empty for any other order."""
        row = await self._journal.find(tag)
        return "" if row is None else str(row.request.get("plan") or "")
