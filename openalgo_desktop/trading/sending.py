"""The last part of an order's walk: journal (durable), gateway, journal.

Everything after the journal row runs in a task of its own, so that a caller who goes away (a closed
HTTP connection) neither loses the answer nor leaves the journal open.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import JournalState, Mode
from openalgo_desktop.core.errors import (
    AppError,
    AuthError,
    ConfigError,
    DataError,
    NotConnected,
    NotSupported,
    OrderError,
    OrderStateUnknown,
    RateLimited,
    RejectedByBroker,
    RiskBlocked,
    StorageError,
)
from openalgo_desktop.core.events import (
    Bus,
    Notice,
    OrderSettled,
)
from openalgo_desktop.core.leaving import leaving
from openalgo_desktop.core.model import (
    OrderAck,
)
from openalgo_desktop.core.ports import (
    JournalEntry,
    OrderJournal,
    TradingGateway,
)
from openalgo_desktop.core.stopwatch import upstream
from openalgo_desktop.trading.origins import Origins
from openalgo_desktop.trading.outstanding import OutstandingOrders, PositionKey
from openalgo_desktop.trading.pace import OrderPace
from openalgo_desktop.trading.reconcile import Reconciler
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.risk import RiskGate

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Pause before a failed write of an answer is tried again; seconds.
RETRY_STORE = 1.0
#: Whoever wants out of a broker's book waits so long for a disk that does not answer; seconds.
EXIT_WAITS = 1.0
_NOT_STORED = "the answer of order %s is not stored yet: %s"

#: Errors of a gateway that say that the order is not at the exchange. Anything else leaves the
#: order unknown until the order book tells.
REFUSALS = (
    OrderError,
    AuthError,
    NotConnected,
    RateLimited,
    NotSupported,
    DataError,
    ConfigError,
)


class OrderSender:
    """Writes intents, calls gateways, writes what became of them; knows which orders are ours."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        journal: OrderJournal,
        reconciler: Reconciler,
        risk: RiskGate,
        ack_timeout: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._journal = journal
        self._reconciler = reconciler
        self._risk = risk
        self._ack_timeout = ack_timeout
        self._tasks: set[asyncio.Future[Any]] = set()
        self.origins = Origins(journal)
        self.outstanding = OutstandingOrders()
        self.pace = OrderPace(clock.monotonic)
        self._answers: dict[str, asyncio.Future[Placed]] = {}  # placements that are being answered
        self._late_rows: dict[str, asyncio.Future[None]] = {}  # intents that follow their order
        self._stop_settled = bus.subscribe(OrderSettled, self._on_settled)

    async def start(self) -> None:
        """Know what earlier runs left open; of their other orders the journal is asked when one
        is met."""
        now = self._clock.monotonic()
        for entry in await self._journal.open_entries():
            self.origins.note(entry)
            if entry.kind == "place":
                self.outstanding.add(entry, now, unknown=True)

    async def stop(self) -> None:
        """Wait briefly for orders under way, then end."""
        self._stop_settled()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._ack_timeout()):
                while self._tasks:  # an answer that the store did not take yet comes again
                    await self.quiet()
        await self.abandon()

    async def quiet(self) -> None:
        """Wait until no order write is under way, at most the time of an answer."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=self._ack_timeout())

    async def abandon(self) -> None:
        """Let go of everything where it stands; the next start settles it."""
        while tasks := tuple(self._tasks):
            for task in tasks:
                task.cancel()
            # Not gather: of futures that are done it makes no turn of the loop (since Python 3.12),
            # and they would never leave the set.
            await asyncio.wait(tasks)

    def _on_settled(self, event: OrderSettled) -> None:
        """The reconciler found an order that was unknown, or that it never arrived."""
        if event.order_id:
            now = self._clock.monotonic()
            self.outstanding.accepted(event.tag, event.order_id, now)
            self.origins.accepted(event.tag, event.mode, event.order_id)
        else:
            self.outstanding.drop(event.tag)

    # -- sending ----------------------------------------------------------------------------
    def entry(
        self,
        tag: str,
        kind: str,
        mode: Mode,
        gateway: TradingGateway,
        source: str,
        request: dict[str, Any],
    ) -> JournalEntry:
        entry = JournalEntry(
            tag=tag,
            kind=kind,
            account_id=gateway.account_id,
            mode=mode,
            source=source,
            request=request,
            created_at=self._clock.now(),
        )
        self.origins.note(entry)
        return entry

    async def send(
        self,
        entry: JournalEntry,
        mode: Mode,
        gateway: TradingGateway,
        call: Callable[[], Coroutine[Any, Any, OrderAck]],
        *,
        prompt: bool = False,
        closing: bool = False,
    ) -> Placed:
        """Journal, call, journal. A ``prompt`` order was meant to trade at once; what is
        ``closing`` a position passes the kill switch."""
        self._reconciler.began(entry.tag)
        task = self._fly(entry.tag, self._journaled(entry, mode, gateway, call, closing))
        if entry.kind == "place":
            self.outstanding.add(entry, self._clock.monotonic(), prompt=prompt)
            self._answers[entry.tag] = task
            task.add_done_callback(lambda _: self._answers.pop(entry.tag, None))
        return await asyncio.shield(task)

    async def answered(self, account_id: str, key: PositionKey) -> None:
        """Wait until no placement of this position waits for its answer, at most the time of one:
        a placement may wait for a disk that hangs, and that keeps no exit in."""
        rows = self.outstanding.of(account_id, key)
        tasks = [self._answers[row.tag] for row in rows if row.tag in self._answers]
        if tasks:
            await asyncio.wait(tasks, timeout=self._ack_timeout())

    def _fly(self, tag: str, work: Awaitable[T]) -> asyncio.Future[T]:
        """Work of ours, a task unless it is a future already; from this moment until it is done
        the reconciler gives the order of ``tag`` to nobody else."""
        self._reconciler.flying[tag] += 1
        task = self._own(work)
        task.add_done_callback(lambda _: self._landed(tag))
        return task

    def _landed(self, tag: str) -> None:
        flying = self._reconciler.flying
        flying[tag] -= 1
        if not flying[tag]:
            del flying[tag]
            self._reconciler.landed(tag)

    async def _journaled(
        self,
        entry: JournalEntry,
        mode: Mode,
        gateway: TradingGateway,
        call: Callable[[], Coroutine[Any, Any, OrderAck]],
        closing: bool,
    ) -> Placed:
        # The paper account is in our own database and its rows are written after the intent: one
        # commit has both, and neither is answered before. A database that could not store is
        # asked first: then nothing is entered.
        together = mode is Mode.SANDBOX and self._journal.well
        intent = self._intend(entry, together)
        if not together:
            # Whoever wants out gets out of a broker's book on a full or silent disk, too: sent
            # twice, a cancel does no more, and a close is worked out anew from the broker's books.
            leaves = mode is Mode.LIVE and (closing or entry.kind.endswith("cancel"))
            try:
                done, _ = await asyncio.wait({intent}, timeout=EXIT_WAITS if leaves else None)
                why = intent.exception() if done else "the disk does not answer"
                if why is not None:
                    if done and not (leaves and isinstance(why, StorageError)):
                        intent.result()  # nothing was sent
                    log.error("%s %s leaves before it is stored: %s", entry.kind, entry.tag, why)
                    late = self._fly(entry.tag, self._store_late(entry, intent))
                    self._late_rows[entry.tag] = late
            except BaseException:
                self.outstanding.drop(entry.tag)
                raise
        if not entry.kind.endswith("cancel"):
            try:  # the kill switch may have been pulled since the order passed the risk step
                self._risk.check_blocked(entry.source, closing=closing)
            except RiskBlocked as error:
                self.outstanding.drop(entry.tag)
                self._write(entry.tag, JournalState.REJECTED, "", error.message)
                raise
        with leaving(closing):  # the tasks that it makes know it
            sending = self._fly(entry.tag, call())
        self.pace.follow(entry.account_id, entry.kind, sending)
        with upstream() if mode is Mode.LIVE else contextlib.nullcontext():
            done, _ = await asyncio.wait({sending}, timeout=self._ack_timeout())
        if not done:
            # The request is still under way: its late answer settles the row.
            sending.add_done_callback(lambda late: self._late_answer(entry, late))
            raise self._unknown(entry, gateway, "no answer in time")
        return await self._settle(entry, mode, gateway, sending, intent if together else None)

    def _intend(self, entry: JournalEntry, shared: bool) -> asyncio.Future[Any]:
        try:
            return self._fly(entry.tag, self._journal.intent(entry, shared=shared))
        except Exception:  # a row that cannot be written at all
            self.outstanding.drop(entry.tag)
            raise

    async def _settle(
        self,
        entry: JournalEntry,
        mode: Mode,
        gateway: TradingGateway,
        sending: asyncio.Future[OrderAck],
        intent: asyncio.Future[None] | None,
    ) -> Placed:
        """``intent`` is given where it was not waited for before the call."""
        try:
            ack = sending.result()
            if intent is not None:
                await asyncio.shield(intent)
        except OrderStateUnknown as error:
            raise self._unknown(entry, gateway, error.message) from error
        except REFUSALS as error:
            self._refused(entry, error.message)
            order_id = error.order_id if isinstance(error, RejectedByBroker) else ""
            self._write(entry.tag, JournalState.REJECTED, order_id, error.message)
            raise
        except AppError as error:
            # A lost connection, an answer that cannot be read, a store that is full: the order
            # may be there.
            raise self._unknown(entry, gateway, error.message) from error
        except Exception as error:
            log.exception("%s order failed in the gateway", entry.kind)
            raise self._unknown(entry, gateway, type(error).__name__) from error
        # The gateway has the order: recovery would find it by its tag, so this row need not be
        # waited for.
        self.origins.accepted(entry.tag, mode, ack.order_id)
        self.outstanding.accepted(entry.tag, ack.order_id, self._clock.monotonic())
        self._write(entry.tag, JournalState.ACKNOWLEDGED, ack.order_id, ack.message)
        return Placed(ack.order_id, mode, ack.message)

    def _unknown(self, entry: JournalEntry, gateway: TradingGateway, why: str) -> OrderStateUnknown:
        text = (
            f"The state of this {entry.kind} is unknown ({why}). It is being checked against "
            f"the order book of {gateway.broker}; do not send it again before it is settled."
        )
        log.warning("%s %s is unknown: %s", entry.kind, entry.tag, why)
        self.outstanding.lost(entry.tag)
        self._write(entry.tag, JournalState.UNKNOWN, entry.order_id, why)
        self._bus.publish(Notice(level="warning", text=text, at=self._clock.now()))
        self._reconciler.lost(entry, why)
        return OrderStateUnknown(text, tag=entry.tag)

    def _late_answer(self, entry: JournalEntry, sending: asyncio.Future[OrderAck]) -> None:
        if sending.cancelled():
            return
        error, order_id = sending.exception(), ""
        if error is None:
            order_id = sending.result().order_id
            self._write(entry.tag, JournalState.ACKNOWLEDGED, order_id, "late")
        elif isinstance(error, REFUSALS) and not isinstance(error, OrderStateUnknown):
            self._refused(entry, error.message)
            self._write(entry.tag, JournalState.REJECTED, "", error.message)
        else:
            return
        self._reconciler.answered(entry.tag)
        self._bus.publish(
            OrderSettled(
                account_id=entry.account_id, mode=entry.mode, tag=entry.tag, order_id=order_id
            )
        )

    def _refused(self, entry: JournalEntry, why: str) -> None:
        self.outstanding.drop(entry.tag)
        if entry.kind == "place":
            self._reconciler.refused(entry, why)

    def _write(self, tag: str, state: JournalState, order_id: str, message: str) -> None:
        """An answer is too precious to lose to a full disk: it is tried again until it is stored
        (or the program ends; then the order book tells)."""
        if (row := self._late_rows.get(tag)) is not None:
            self._fly(tag, self._write_until_stored(row, tag, state, order_id, message))
            return

        def again(first: asyncio.Future[Any]) -> None:
            if not first.cancelled() and isinstance(error := first.exception(), StorageError):
                log.error(_NOT_STORED, tag, error)
                self._fly(tag, self._write_until_stored(None, tag, state, order_id, message))

        self._fly(tag, self._journal.settle(tag, state, order_id, message)).add_done_callback(again)

    async def _write_until_stored(
        self,
        row: asyncio.Future[None] | None,
        tag: str,
        state: JournalState,
        order_id: str,
        message: str,
    ) -> None:
        """After the ``row`` that it belongs to, or a moment after a first failure."""
        await (asyncio.sleep(RETRY_STORE) if row is None else asyncio.shield(row))
        while True:
            try:
                await self._journal.settle(tag, state, order_id, message)
                return
            except StorageError as error:
                log.error(_NOT_STORED, tag, error)
                await asyncio.sleep(RETRY_STORE)

    async def _store_late(self, entry: JournalEntry, first: asyncio.Future[Any]) -> None:
        """Bring the row of what left without one to the disk as soon as it takes it; the
        ``first`` write of it may still be under way."""
        try:
            with contextlib.suppress(StorageError):
                await asyncio.shield(first)
                return
            while True:
                await asyncio.sleep(RETRY_STORE)
                try:
                    if await self._journal.find(entry.tag) is None:
                        await self._journal.intent(entry)
                    return
                except StorageError:
                    continue
        finally:
            self._late_rows.pop(entry.tag, None)

    def _own(self, work: Awaitable[T]) -> asyncio.Future[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, AppError):
            log.error("order task failed", exc_info=error)
