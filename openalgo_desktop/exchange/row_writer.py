"""Stores the changed rows of a paper account: at once for those who wait, else in batches."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.ports import PaperStore
from openalgo_desktop.exchange.state import PaperState

log = logging.getLogger(__name__)

#: Pause after a failed write before the rows are tried again; seconds.
_RETRY = 1.0
#: Changes that nobody waits for are collected this long before they are written; seconds.
_BATCH = 0.2


class RowWriter:
    """One task that writes what :class:`PaperState` has marked as changed."""

    def __init__(self, account_id: str, store: PaperStore, state: Callable[[], PaperState]) -> None:
        self._account_id = account_id
        self._store = store
        self._state = state
        self._waiters: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._saving = False
        self._failing = False  # the last batch could not be stored

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name=f"paper {self._account_id}")

    async def stop(self) -> None:
        """Write what waits and end."""
        if self._task is None:
            return
        try:
            await self.stored()
        except StorageError:
            log.exception("last rows of %s could not be stored", self._account_id)
        task, self._task = self._task, None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def changed(self) -> None:
        """Rows changed that nobody waits for: store them soon."""
        self._wake.set()

    async def stored(self) -> None:
        """Return when everything that changed so far is durable; raises :class:`StorageError`."""
        if not self._state().dirty and not self._waiters and not self._saving:
            return
        done = asyncio.get_running_loop().create_future()
        self._waiters.append(done)
        self._urgent.set()
        self._wake.set()
        await done

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            if not self._waiters:
                with contextlib.suppress(TimeoutError):
                    # Not wait_for: in Python 3.11 it can swallow a cancellation.
                    async with asyncio.timeout(_BATCH):
                        await self._urgent.wait()
            self._wake.clear()
            self._urgent.clear()
            await self._write()

    async def _write(self) -> None:
        waiters, self._waiters = self._waiters, []
        rows = self._state().take()
        self._saving = True
        try:
            if rows:
                await self._store.save(self._account_id, rows)
        except Exception as error:
            if not self._failing:  # a full disk lasts: it is said once
                log.exception("rows of %s could not be stored; trying again", self._account_id)
            self._failing = True
            self._state().put_back(rows)
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_exception(
                        StorageError("The paper account could not be stored.", detail=str(error))
                    )
            await asyncio.sleep(_RETRY)
            self._wake.set()
            return
        finally:
            self._saving = False
        if self._failing:
            log.warning("rows of %s are stored again", self._account_id)
            self._failing = False
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
