"""What runs write beside their work: order rows, checkpoints, events. In order, by one task.

What the disk did not take is kept and tried again: a run does not stop for it. What has to be on
disk first (a start, the intent of an entry) is waited for by who asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import msgspec

from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.events import Bus, StrategyTold
from openalgo_desktop.core.strategies.ports import StrategyStore
from openalgo_desktop.core.strategies.rows import Run, RunEvent, RunOrder
from openalgo_desktop.core.strategies.words import RunStatus

log = logging.getLogger(__name__)

#: Pause before what the disk did not take is tried again; seconds.
AGAIN = 2.0
#: How long the end of a run waits for the disk; seconds.
FINISH_WITHIN = 5.0

Work = Callable[[], Awaitable[None]]
_Job = tuple[Work, asyncio.Future[None] | None]


class Recorder:
    """Writes of all runs, one after the other."""

    def __init__(self, store: StrategyStore, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._queue: asyncio.Queue[_Job] = asyncio.Queue()
        #: Rows that are on disk, by place.
        self.numbered: dict[tuple[int, str, int], int] = {}  # run, position, number -> row on disk
        self._states: dict[
            int, tuple[Run, bytes]
        ] = {}  # checkpoints that wait: the last one counts
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write(), name="strategy records")

    async def stop(self) -> None:
        """Write what waits, then end; what the disk refuses now is lost."""
        if self._task is None:
            return
        if not self._queue.empty():
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.put_nowait((_nothing, done))
            await asyncio.wait({done}, timeout=AGAIN)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    def abandon(self) -> None:
        """End where it stands, as a program does that is killed; for tests."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _write(self) -> None:
        while True:
            work, waiter = await self._queue.get()
            while True:
                try:
                    await work()
                except StorageError as error:
                    if waiter is not None:
                        if not waiter.done():
                            waiter.set_exception(error)
                        break
                    log.error("a strategy's record is not stored yet: %s", error)
                    await asyncio.sleep(AGAIN)
                    continue
                if waiter is not None and not waiter.done():
                    waiter.set_result(None)
                break

    # -- order rows -------------------------------------------------------------------------
    def know(self, run_id: int, ref: str, number: int, row: RunOrder) -> None:
        """A row that is on disk."""
        self.numbered[run_id, ref, number] = row.row_id

    def order(self, strategy_id: int, ref: str, number: int, row: RunOrder) -> None:
        """A new row, or one that changed."""
        self._queue.put_nowait((lambda: self._order(strategy_id, ref, number, row), None))

    async def intent(self, strategy_id: int, ref: str, number: int, row: RunOrder) -> None:
        """The same, durable when it returns. Raises :class:`StorageError`; then nothing may
        leave."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((lambda: self._order(strategy_id, ref, number, row), done))
        await done

    async def _order(self, strategy_id: int, ref: str, number: int, row: RunOrder) -> None:
        place = (row.run_id, ref, number)
        row_id = self.numbered.get(place)
        if row_id is None:
            self.numbered[place] = await self._store.add_order(row, strategy_id)
            return
        await self._store.put_order(msgspec.structs.replace(row, row_id=row_id))

    async def _forget(self, run_id: int) -> None:
        for place in [place for place in self.numbered if place[0] == run_id]:
            del self.numbered[place]

    # -- checkpoints and events -----------------------------------------------------------------
    def checkpoint(self, run: Run, state: bytes) -> None:
        """A run as it is now; one that waits is replaced."""
        waits = run.run_id in self._states
        self._states[run.run_id] = (run, state)
        if not waits:
            self._queue.put_nowait((lambda: self._checkpoint(run.run_id), None))

    async def _checkpoint(self, run_id: int) -> None:
        row = self._states.pop(run_id, None)
        if row is None:
            return
        try:
            await self._store.keep(*row)
        except StorageError:
            self._states.setdefault(run_id, row)
            raise

    async def finish(self, run: Run, state: bytes, status: RunStatus) -> None:
        """A run is over; behind all that it wrote. Where the disk does not take it soon it is tried
        again without the caller: until then the run counts as on."""
        done = asyncio.Event()

        async def work() -> None:
            self._states.pop(run.run_id, None)
            await self._store.finish(run, state, status)
            await self._forget(run.run_id)
            done.set()

        self._queue.put_nowait((work, None))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_WITHIN):
                await done.wait()

    async def written(self) -> None:
        """Return when all so far is on disk, or after a second: for who reads it."""
        with contextlib.suppress(TimeoutError, StorageError):
            async with asyncio.timeout(1.0):
                await self.flush()

    async def flush(self) -> None:
        """Return when all so far is durable. Raises :class:`StorageError` where the disk takes
        nothing."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((_nothing, done))
        await done

    def tell(self, event: RunEvent) -> None:
        """Keep an event, and publish it with its id."""
        self._queue.put_nowait((lambda: self._tell(event), None))

    async def _tell(self, event: RunEvent) -> None:
        self._bus.publish(StrategyTold(event=await self._store.tell(event)))


async def _nothing() -> None:
    return
