"""An emulator in a thread of its own, for tests that drive the program from outside."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from tests.emulators.base import BrokerEmulator

T = TypeVar("T")
E = TypeVar("E", bound=BrokerEmulator)


class EmulatorThread(Generic[E]):
    """Context manager; ``call`` runs a coroutine, ``do`` a plain function, on its loop."""

    def __init__(self, make: Callable[[], E]) -> None:
        self._make = make
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)
        self.emulator: E

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the emulator's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def do(self, work: Callable[[], T]) -> T:
        """Run a function on the emulator's loop."""

        async def run() -> T:
            return work()

        return self.call(run())

    def __enter__(self) -> Self:
        self._thread.start()

        async def build() -> None:
            self.emulator = self._make()
            await self.emulator.start()

        self.call(build())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.call(self.emulator.stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(60)
            self._loop.close()
