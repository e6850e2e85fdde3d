"""Settles orders whose answer was lost: asks the order book, never sends again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.conversion import is_converted
from openalgo_desktop.core.enums import JournalState, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import (
    Bus,
    Notice,
    OrderSettled,
    OrderUpdated,
    PositionsChanged,
)
from openalgo_desktop.core.model import BookRows, Key, Order, OrderRequest
from openalgo_desktop.core.ports import (
    JournalEntry,
    OrderJournal,
    TradingGateway,
)
from openalgo_desktop.trading.corrections import NEVER_ARRIVED, Corrections
from openalgo_desktop.trading.pairing import Pairs
from openalgo_desktop.trading.witness import gtt_outcome, outcome

log = logging.getLogger(__name__)

#: While something is unknown the order book is asked this often; seconds.
BUSY_INTERVAL = 2.0
#: An order that is absent from the order book this long after the send never arrived; seconds.
#: Entries of an earlier run are older than their process, so a shorter wait is enough for them.
ABSENT_AFTER = 30.0
ABSENT_AFTER_RESTART = 2.0
#: A call that has not ended after this time is not waited for any more; seconds.
ANSWER_WITHIN = 150.0
#: An order that was filled or modified since is given to an intent only when the intent is so
#: old: the one that is exactly right may still come; seconds.
UNSURE_UNTIL = 10.0


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
        self._started = clock.monotonic()
        self._looking = asyncio.Lock()
        #: Whether the last look failed: nobody knows what is open, so the next one comes soon.
        self.blind = False
        self._began: dict[str, float] = {}  # by tag: when this run sent it, monotonic
        self._lost: dict[str, JournalEntry] = {}  # by tag: unknown, as the sender told
        self._corrections = Corrections(bus, journal, self._tell)
        self._unsubscribe: Callable[[], None] = lambda: None
        self.open_entries: dict[str, JournalEntry] = {}
        self._ended: set[str] = set()  # tags that were settled or answered during the present look
        self._landed: set[str] = set()  # those whose own answer was written during it
        #: Gateways of further connected accounts, where an earlier order may be unsettled.
        self.others: Callable[[], Iterable[TradingGateway]] = tuple
        self._problems: dict[str, str] = {}  # account -> why its book could not be read
        #: Tags whose call has not ended, or whose answer is not written yet; kept by the desk.
        self.flying: Counter[str] = Counter()

    async def start(self) -> None:
        """Settle what can be settled now, then go on in the background."""
        self._started = self._clock.monotonic()
        self._unsubscribe = self._bus.subscribe(OrderUpdated, self._saw)
        await self._corrections.load()
        try:
            await self.run_once()
        except AppError as error:
            log.warning("what an earlier run left open is not settled yet: %s", error)
        self._task = asyncio.create_task(self._loop(), name="reconciler")

    async def stop(self) -> None:
        """Stop the background tasks."""
        self._unsubscribe()
        await self._corrections.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def wake(self) -> None:
        """Something became unknown: look soon."""
        self._wake.set()

    # -- told by the sender -----------------------------------------------------------------
    def began(self, tag: str) -> None:
        """This run sends the order of ``tag`` now; what never began here is of an earlier run."""
        self._began[tag] = self._clock.monotonic()

    def lost(self, entry: JournalEntry, why: str) -> None:
        """The answer was lost: shown as unknown at once, whatever the store does; look soon."""
        entry = msgspec.structs.replace(entry, state=JournalState.UNKNOWN, message=why)
        self._ended.discard(entry.tag)
        self._lost[entry.tag] = self.open_entries[entry.tag] = entry
        self.wake()

    def answered(self, tag: str) -> None:
        """The answer came after all."""
        self._lost.pop(tag, None)
        self.open_entries.pop(tag, None)
        self._ended.add(tag)

    def refused(self, entry: JournalEntry, why: str) -> None:
        """A placement is told as rejected; should its tag turn up, that is corrected."""
        self._corrections.refused(entry, why)

    # -- told by the exchange ---------------------------------------------------------------
    def _saw(self, event: OrderUpdated) -> None:
        """The exchange itself speaks of an order: that settles it at once, and corrects what was
        told before."""
        tag = event.order.tag
        if not tag:
            return
        if tag in self._corrections:
            self.saw_book([event.order])
        elif tag in self.open_entries:
            self.wake()

    def saw_book(self, orders: Iterable[Order]) -> None:
        """Orders that are at the exchange; one that was told as rejected is corrected."""
        self._corrections.saw(orders)

    def landed(self, tag: str) -> None:
        """What was in flight has its end in the journal."""
        if self._looking.locked():
            self._landed.add(tag)

    def unknown(self, account_id: str, mode: Mode) -> list[JournalEntry]:
        """Unsettled placements of one account and mode."""
        return [
            entry
            for entry in self.open_entries.values()
            if entry.kind == "place"
            and entry.state is JournalState.UNKNOWN
            and entry.account_id == account_id
            and entry.mode is mode
        ]

    async def converting(self, account_id: str, mode: Mode, key: Key) -> bool:
        """Whether nobody knows yet what became of a conversion of an instrument, of an earlier
        run too: the journal is asked."""
        return any(
            (entry.kind, entry.account_id, entry.mode) == ("convert", account_id, mode)
            and (entry.request.get("exchange"), entry.request.get("symbol")) == key
            for entry in await self._journal.open_entries()
        )

    async def _loop(self) -> None:
        while True:
            wait = BUSY_INTERVAL if self.open_entries or self.blind else self._interval()
            with contextlib.suppress(TimeoutError):
                # Not wait_for: in Python 3.11 it swallows a cancellation that meets the wake-up.
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.run_once()
            except AppError as error:
                log.warning("what is open cannot be read, trying again: %s", error)
            except Exception:
                log.exception("reconciliation failed; trying again")

    async def run_once(self) -> None:
        """One comparison of all open entries with the order books. Looks of several callers come
        one after the other, so none overwrites what another found."""
        async with self._looking:
            self.blind = True
            await self._look()
            self.blind = False

    async def _look(self) -> None:
        known = set(self._lost)
        self._ended.clear()
        self._landed.clear()
        entries = await self._journal.open_entries()
        left: list[JournalEntry] = []  # shown only when it is whole: no unknown order flickers
        for mode, gateway in self._reachable():
            mine = [e for e in entries if e.mode is mode and e.account_id == gateway.account_id]
            if not mine:
                continue
            try:
                orders = await gateway.orders()
                if gateway.traits.recall:
                    # Its order book lists a session; the order may be of the one before.
                    orders += await gateway.recall(
                        {e.tag for e in mine}, {e.order_id for e in mine}
                    )
            except AppError as error:
                self._unreadable(gateway.account_id, error)
                left += [self._as_unknown(e) for e in mine if not self._on_its_way(e)]
                continue
            self._problems.pop(gateway.account_id, None)
            left += await self._settle_all(gateway, mine, orders)
        # Who became unknown while this look was under way is shown too.
        listed = {entry.tag for entry in entries}
        fresh = [e for tag, e in self._lost.items() if tag not in known and tag not in listed]
        self._lost = {tag: e for tag, e in self._lost.items() if tag not in known or tag in listed}
        # Who was lost during this look is not in it; forgotten, it would be of an earlier run.
        kept = listed | self.flying.keys() | self._lost.keys()
        self._began = {tag: at for tag, at in self._began.items() if tag in kept}
        self.open_entries = {e.tag: e for e in left + fresh if e.tag not in self._ended}

    async def _settle_all(
        self, gateway: TradingGateway, mine: list[JournalEntry], orders: BookRows[Order]
    ) -> list[JournalEntry]:
        """Settle the entries of one account; those that are left."""
        # Read again: also of an order that was sent after the first read the book may tell.
        flying = [
            msgspec.convert(entry.request, OrderRequest)
            for entry in await self._journal.open_entries()
            if entry.kind == "place" and self._is_flying(entry)
        ]
        # Rows read before their answer was written: of them and their orders all is known by now.
        mine = [e for e in mine if e.tag not in self._landed or not self._on_its_way(e)]
        pairs = Pairs(orders, flying, lambda entry: self._age(entry) < UNSURE_UNTIL)
        await pairs.make(mine, lambda ids: self._journal.placed(gateway.account_id, ids))
        left = []
        for entry in mine:
            if self._on_its_way(entry):
                continue
            try:
                if entry.tag in pairs.undecided:
                    settled = False
                elif entry.kind.startswith("gtt"):
                    settled = await self._settle_gtt(entry, gateway)
                elif entry.kind == "convert":
                    settled = await self._settle_conversion(entry, gateway)
                else:
                    settled = await self._settle(entry, pairs.found.get(entry.tag), orders.partial)
                if settled:
                    self.answered(entry.tag)  # at once: a long look must not show it twice
                else:
                    left.append(await self._marked_unknown(entry))
            except AppError as error:  # the store; the next look tries again
                log.warning("%s is not settled yet: %s", entry.tag, error)
                left.append(self._as_unknown(entry))
        return left

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

    async def _settle(self, entry: JournalEntry, order: Order | None, partial: bool) -> bool:
        """Write down what became of ``entry``; False while that is not known. A ``partial`` book
        proves of nothing that it is absent."""
        if order is not None:
            became = outcome(entry, order)
            if became is not None:
                state, message = became
                await self._journal.settle(entry.tag, state, order.order_id, message)
                text = f"is settled: {message} (order {order.order_id})"
                self._tell(entry, text, order.order_id)
                return True
        if partial or not self._absent_long_enough(entry):
            return False
        message = "the order book does not show it: it had no effect"
        if entry.kind == "place":
            message = NEVER_ARRIVED
            self.refused(entry, message)
        await self._journal.settle(entry.tag, JournalState.REJECTED, entry.order_id, message)
        self._tell(entry, f"is settled: {message}")
        return True

    async def _settle_gtt(self, entry: JournalEntry, gateway: TradingGateway) -> bool:
        """A good-till-triggered order is looked for in its own book."""
        account_id = gateway.account_id
        if not gateway.traits.gtt:
            return False
        try:
            book = await gateway.gtt_orders()
        except AppError as error:
            log.warning("GTT book of %s not available: %s", account_id, error)
            return False
        if found := gtt_outcome(entry, book):
            await self._journal.settle(
                entry.tag, JournalState.ACKNOWLEDGED, found, "found in the GTT book"
            )
            self._tell(entry, f"was found in the GTT book as {found}")
            return True
        if book.partial or not self._absent_long_enough(entry):
            return False
        message = "the GTT book does not show it: it had no effect"
        if entry.kind == "gtt_place":
            message = "not in the GTT book: never arrived"
        await self._journal.settle(entry.tag, JournalState.REJECTED, entry.order_id, message)
        self._tell(entry, f"is settled: {message}")
        return True

    async def _settle_conversion(self, entry: JournalEntry, gateway: TradingGateway) -> bool:
        """The position book tells whether the units have the other product."""
        try:
            book = await gateway.positions()
        except AppError as error:
            log.warning("position book of %s not available: %s", gateway.account_id, error)
            return False
        if is_converted(entry.request, book):
            message = "the position book shows it"
            await self._journal.settle(entry.tag, JournalState.ACKNOWLEDGED, entry.tag, message)
            self._tell(entry, f"is settled: {message}", entry.tag)
            return True
        if book.partial or not self._absent_long_enough(entry):
            return False
        message = "the position book does not show it: it had no effect"
        await self._journal.settle(entry.tag, JournalState.REJECTED, "", message)
        self._tell(entry, f"is settled: {message}")
        return True

    async def _marked_unknown(self, entry: JournalEntry) -> JournalEntry:
        """An intent whose process died is unknown: nobody waits for its answer any more."""
        shown = self._as_unknown(entry)
        if entry.state is JournalState.INTENT and self._is_earlier(entry):
            await self._journal.settle(
                entry.tag, JournalState.UNKNOWN, entry.order_id, shown.message
            )
        return shown

    def _as_unknown(self, entry: JournalEntry) -> JournalEntry:
        """The entry as it is shown: unknown as soon as that is known, stored or not."""
        if entry.tag in self._lost:
            return self._lost[entry.tag]
        if entry.state is JournalState.UNKNOWN or not self._is_earlier(entry):
            return entry
        message = "the program stopped before the answer came"
        return msgspec.structs.replace(entry, state=JournalState.UNKNOWN, message=message)

    def _is_earlier(self, entry: JournalEntry) -> bool:
        """Whether it is of an earlier run, whatever the clock says."""
        return entry.tag not in self._began

    def _is_flying(self, entry: JournalEntry) -> bool:
        """Its call has not ended, or its answer is not written yet."""
        return entry.tag in self.flying and self._age(entry) < ANSWER_WITHIN

    def _on_its_way(self, entry: JournalEntry) -> bool:
        """Its own answer comes and says what became of it: there is nothing to find out, and
        nobody calls it unknown. So it is where the answer was written after ``entry`` was read."""
        coming = self._is_flying(entry) or entry.tag in self._landed
        return coming and self._as_unknown(entry).state is JournalState.INTENT

    def _age(self, entry: JournalEntry) -> float:
        """Seconds since the intent; of an earlier run at least those of this one."""
        now = self._clock.monotonic()
        if not self._is_earlier(entry):
            return now - self._began[entry.tag]
        return max(now - self._started, (self._clock.now() - entry.created_at).total_seconds())

    def _absent_long_enough(self, entry: JournalEntry) -> bool:
        if self._is_flying(entry):
            return False
        wait = ABSENT_AFTER_RESTART if self._is_earlier(entry) else ABSENT_AFTER
        return self._age(entry) >= wait

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
