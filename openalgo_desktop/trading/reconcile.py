"""Settles orders whose answer was lost: asks the order book, never sends again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import JournalState, Mode, OrderStatus
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import (
    Bus,
    Notice,
    OrderSettled,
    OrderUpdated,
    PositionsChanged,
)
from openalgo_desktop.core.model import Order, OrderRequest
from openalgo_desktop.core.ports import (
    JournalEntry,
    OrderJournal,
    TradingGateway,
    supports_gtt,
)
from openalgo_desktop.trading.witness import (
    is_alike,
    is_changed,
    is_untouched,
    may_be_of,
    outcome,
)

log = logging.getLogger(__name__)

#: While something is unknown the order book is asked this often; seconds.
BUSY_INTERVAL = 2.0
#: An order that is absent from the order book this long after the send never arrived; seconds.
#: Entries of an earlier run are older than their process, so a shorter wait is enough for them.
ABSENT_AFTER = 30.0
ABSENT_AFTER_RESTART = 2.0
#: A call that has not ended after this time is not waited for any more; seconds.
ANSWER_WITHIN = 150.0
NEVER_ARRIVED = "not in the order book: never arrived"
#: An order that was filled or modified since is given to an intent only when the intent is so
#: old: the one that is exactly right may still come; seconds.
UNSURE_UNTIL = 10.0


def order_of_entry(entry: JournalEntry) -> Order:
    """An unsettled *place* as a row for the order book, with status unknown."""
    request = msgspec.convert(entry.request, OrderRequest)
    return Order(
        order_id=entry.order_id or entry.tag,
        symbol=request.symbol,
        exchange=request.exchange,
        action=request.action,
        quantity=request.quantity,
        price_type=request.price_type,
        product=request.product,
        price=request.price,
        trigger_price=request.trigger_price,
        status=OrderStatus.UNKNOWN,
        rejection_reason=entry.message,
        placed_at=entry.created_at,
        updated_at=entry.updated_at,
        strategy=request.strategy,
        tag=entry.tag,
        source=entry.source,
        account_id=entry.account_id,
    )


class Reconciler:
    """Compares open journal entries with the order book of their account until all are settled."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        journal: OrderJournal,
        gateways: Mapping[Mode, TradingGateway],
        interval: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._journal = journal
        self._gateways = gateways
        self._interval = interval
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._started_at = clock.now()
        self._absent: dict[str, JournalEntry] = {}  # by tag: judged never arrived
        self._unsubscribe: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[None]] = set()
        self.open_entries: list[JournalEntry] = []
        #: Gateways of further connected accounts, where an earlier order may be unsettled.
        self.others: Callable[[], Iterable[TradingGateway]] = tuple
        self._problems: dict[str, str] = {}  # account -> why its book could not be read
        self.found_ids: set[str] = set()  # order ids that were found to be ours
        #: Tags whose call has not ended, or whose answer is not written yet; kept by the desk.
        self.flying: Counter[str] = Counter()

    async def start(self) -> None:
        """Settle what can be settled now, then go on in the background."""
        self._started_at = self._clock.now()
        self._unsubscribe = self._bus.subscribe(OrderUpdated, self._saw)
        for entry in await self._journal.recent(2000):
            if entry.message == NEVER_ARRIVED:
                self._absent[entry.tag] = entry
        await self.run_once()
        self._task = asyncio.create_task(self._loop(), name="reconciler")

    async def stop(self) -> None:
        """Stop the background tasks."""
        self._unsubscribe()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def wake(self) -> None:
        """Something became unknown: look soon."""
        self._wake.set()

    def _saw(self, event: OrderUpdated) -> None:
        """The exchange itself speaks of an order: that settles it at once, and corrects the
        judgement that it never arrived."""
        tag = event.order.tag
        if tag and (tag in self._absent or any(entry.tag == tag for entry in self.open_entries)):
            entry = self._absent.get(tag)
            if entry is None:
                self.wake()
                return
            task = asyncio.create_task(self._arrived_late(entry, event.order))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _arrived_late(self, entry: JournalEntry, order: Order) -> None:
        try:
            state, message = outcome(entry, order) or (JournalState.ACKNOWLEDGED, "")
            await self._journal.settle(entry.tag, state, order.order_id, message)
        except AppError as error:
            log.warning("order %s arrived late, not journaled: %s", order.order_id, error)
            return
        self._absent.pop(entry.tag, None)
        self._tell(entry, f"arrived late after all, as order {order.order_id}", order.order_id)

    def unknown(self, account_id: str, mode: Mode) -> list[JournalEntry]:
        """Unsettled placements of one account and mode."""
        return [
            entry
            for entry in self.open_entries
            if entry.kind == "place"
            and entry.state is JournalState.UNKNOWN
            and entry.account_id == account_id
            and entry.mode is mode
        ]

    async def _loop(self) -> None:
        while True:
            wait = BUSY_INTERVAL if self.open_entries else self._interval()
            with contextlib.suppress(TimeoutError):
                # Not wait_for: in Python 3.11 it swallows a cancellation that meets the wake-up.
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.run_once()
            except Exception:
                log.exception("reconciliation failed; trying again")

    async def run_once(self) -> None:
        """One comparison of all open entries with the order books."""
        entries = await self._journal.open_entries()
        left: list[JournalEntry] = []  # shown only when it is whole: no unknown order flickers
        for mode, gateway in self._reachable():
            mine = [e for e in entries if e.mode is mode and e.account_id == gateway.account_id]
            if not mine:
                continue
            try:
                orders = await gateway.orders()
                if recall := getattr(gateway, "recall", None):
                    # Its order book lists a session; the order may be of the one before.
                    orders += await recall({e.tag for e in mine}, {e.order_id for e in mine})
            except AppError as error:
                self._unreadable(gateway.account_id, error)
                left += mine
                continue
            self._problems.pop(gateway.account_id, None)
            found, undecided = await self._match(gateway.account_id, mine, orders)
            for entry in mine:
                if entry.tag in undecided:
                    settled = False
                elif entry.kind.startswith("gtt"):
                    settled = await self._settle_gtt(entry, gateway)
                else:
                    settled = await self._settle(entry, found.get(entry.tag))
                if not settled:
                    left.append(await self._marked_unknown(entry))
        self.open_entries = left

    def _reachable(self) -> list[tuple[Mode, TradingGateway]]:
        """The gateways of both modes, and live accounts that take no orders just now."""
        found = list(self._gateways.items())
        served = {gateway.account_id for gateway in self._gateways.values()}
        found += [
            (Mode.LIVE, gateway) for gateway in self.others() if gateway.account_id not in served
        ]
        return found

    def _unreadable(self, account_id: str, error: AppError) -> None:
        """Told once, not every two seconds."""
        if self._problems.get(account_id) != error.message:
            self._problems[account_id] = error.message
            log.warning("order book of %s not available: %s", account_id, error)

    async def _match(
        self, account_id: str, entries: list[JournalEntry], orders: list[Order]
    ) -> tuple[dict[str, Order], set[str]]:
        """The order of each entry: by order id or tag; a *place* of a broker that keeps no tag
        by attributes and time, the oldest first, and never an order that another entry owns.

        Undecided are entries like one whose answer is on its way: the next look tells them apart.
        """
        by_id = {order.order_id: order for order in orders}
        by_tag = {order.tag: order for order in orders if order.tag}
        found: dict[str, Order] = {}
        undecided: set[str] = set()
        untagged: list[JournalEntry] = []
        for entry in entries:
            order = by_id.get(entry.order_id) if entry.order_id else None
            if order is None and entry.kind == "place":
                order = by_tag.get(entry.tag)
                if order is None:
                    untagged.append(entry)
            if order is not None:
                found[entry.tag] = order
        free = {order.order_id: order for order in orders if not order.tag}
        for entry in entries:
            if entry.kind == "place" and entry.tag in found:
                free.pop(found[entry.tag].order_id, None)
        # An order whose answer is still on its way must not be given to another entry.
        flying = [
            msgspec.convert(entry.request, OrderRequest)
            for entry in await self._journal.open_entries()
            if entry.kind == "place" and self._is_flying(entry)
        ]
        if not untagged or not free:
            return found, undecided
        for owned in await self._journal.placed(account_id, list(free)):
            free.pop(owned, None)
        for is_it in (is_untouched, is_alike, is_changed):  # the surest first
            for entry in sorted(untagged, key=lambda one: one.created_at):
                request = msgspec.convert(entry.request, OrderRequest)
                alike = [order for order in free.values() if is_it(entry, request, order)]
                unsure = is_it is not is_untouched and self._age(entry) < UNSURE_UNTIL
                if unsure or any(may_be_of(other, request, alike) for other in flying):
                    undecided.add(entry.tag)
                elif alike and entry.tag not in found:
                    order = min(alike, key=lambda one: one.placed_at or entry.created_at)
                    found[entry.tag] = free.pop(order.order_id)
        undecided.difference_update(found)
        return found, undecided

    async def _settle(self, entry: JournalEntry, order: Order | None) -> bool:
        """Write down what became of ``entry``; False while that is not known."""
        if order is not None:
            became = outcome(entry, order)
            if became is not None:
                state, message = became
                await self._journal.settle(entry.tag, state, order.order_id, message)
                self.found_ids.add(order.order_id)
                text = f"is settled: {message} (order {order.order_id})"
                self._tell(entry, text, order.order_id)
                return True
        if not self._absent_long_enough(entry):
            return False
        message = "the order book does not show it: it had no effect"
        if entry.kind == "place":
            message = NEVER_ARRIVED
            self._absent[entry.tag] = entry
        await self._journal.settle(entry.tag, JournalState.REJECTED, entry.order_id, message)
        self._tell(entry, f"is settled: {message}")
        return True

    async def _settle_gtt(self, entry: JournalEntry, gateway: TradingGateway) -> bool:
        """A good-till-triggered order is looked for in its own book: a placement by tag, a
        cancellation by absence; a modification cannot be told from the book and counts as made
        when the trigger is there."""
        account_id = gateway.account_id
        if not supports_gtt(gateway):
            return False
        try:
            book = await gateway.gtt_orders()
        except AppError as error:
            log.warning("GTT book of %s not available: %s", account_id, error)
            return False
        if entry.kind == "gtt_place":
            found = next((row.trigger_id for row in book if row.tag == entry.tag), "")
        else:
            there = any(row.trigger_id == entry.order_id for row in book)
            found = entry.order_id if there == (entry.kind == "gtt_modify") else ""
        if found:
            await self._journal.settle(
                entry.tag, JournalState.ACKNOWLEDGED, found, "found in the GTT book"
            )
            self._tell(entry, f"was found in the GTT book as {found}")
            return True
        if not self._absent_long_enough(entry):
            return False
        await self._journal.settle(
            entry.tag, JournalState.REJECTED, entry.order_id, "not in the GTT book: never arrived"
        )
        self._tell(entry, "is not in the GTT book: it never arrived")
        return True

    async def _marked_unknown(self, entry: JournalEntry) -> JournalEntry:
        """An intent whose process died is unknown: nobody waits for its answer any more."""
        if entry.state is JournalState.UNKNOWN or entry.created_at >= self._started_at:
            return entry
        message = "the program stopped before the answer came"
        await self._journal.settle(entry.tag, JournalState.UNKNOWN, entry.order_id, message)
        return msgspec.structs.replace(entry, state=JournalState.UNKNOWN, message=message)

    def _is_flying(self, entry: JournalEntry) -> bool:
        """Its call has not ended, or its answer is not written yet."""
        return self.flying[entry.tag] > 0 and self._age(entry) < ANSWER_WITHIN

    def _age(self, entry: JournalEntry) -> float:
        """Seconds since the intent."""
        return (self._clock.now() - entry.created_at).total_seconds()

    def _absent_long_enough(self, entry: JournalEntry) -> bool:
        if self._is_flying(entry):
            return False
        restarted = entry.created_at < self._started_at
        return self._age(entry) >= (ABSENT_AFTER_RESTART if restarted else ABSENT_AFTER)

    def _tell(self, entry: JournalEntry, what: str, order_id: str = "") -> None:
        symbol = entry.request.get("symbol") or entry.order_id
        log.warning("%s %s of %s %s", entry.kind, entry.tag, symbol, what)
        self._bus.publish(
            Notice(
                level="warning",
                text=f"The {entry.kind} of {symbol} {what}.",
                at=self._clock.now(),
            )
        )
        self._bus.publish(
            OrderSettled(
                account_id=entry.account_id, mode=entry.mode, tag=entry.tag, order_id=order_id
            )
        )
        self._bus.publish(PositionsChanged(account_id=entry.account_id, mode=entry.mode))
