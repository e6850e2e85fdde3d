"""A long book is taken into a dock in turns of the loop; the rows of before stay until it is in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from openalgo_desktop.ui.engine.turns import in_turns
from openalgo_desktop.ui.kit.dock import Dock


class LongLoad:
    """One load at a time; ``done`` is called at the end of each that was not stopped."""

    def __init__(self, dock: Dock, done: Callable[[], object]) -> None:
        self._dock = dock
        self._done = done
        self._task: asyncio.Task[None] | None = None
        self._then: list[Callable[[], object]] = []

    @property
    def under_way(self) -> bool:
        """Whether a book is being taken in."""
        return self._task is not None

    def start(self, work: Iterator[None]) -> None:
        """Do ``work`` in turns, after :meth:`stop`."""
        self._task = self._dock.spawn(self._run(work), f"read {self._dock.title}")

    async def _run(self, work: Iterator[None]) -> None:
        task = asyncio.current_task()
        try:
            await in_turns(work)
        finally:
            if self._task is task:
                self._task = None
        self._done()
        then, self._then = self._then, []
        for call in then:
            call()

    def stop(self) -> None:
        """What is being taken in is not wanted any more."""
        self._then.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def after(self, call: Callable[[], object]) -> None:
        """Do this when the rows are there: now, or after the load that is under way."""
        if self.under_way:
            self._then.append(call)
        else:
            call()
