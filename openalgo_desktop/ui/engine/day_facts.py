"""The door to what days of candles tell, where a feed does not (see :mod:`core.day_facts`).

Brokers count requests for history, so they are asked one after another with a pause between, only
for what somebody sees, once a day for each instrument; after some that failed in a row for a while
not at all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.day_facts import day_facts, first_day
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import TickExtras

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

log = logging.getLogger(__name__)
#: At least so long between two requests, and so many times as long as the last one took; after
#: :data:`MANY` failures in a row nothing is asked for :data:`REST`; seconds.
PAUSE, TIMES, REST = 0.4, 2.0, 600.0
MANY = 3
Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
Wait = Callable[[float], Awaitable[None]]


class DayFactsDoor(QObject):
    """``changed`` says that an instrument has facts now."""

    changed = Signal(object)  # Key

    def __init__(
        self, terminal: Terminal, spawn: Spawn, parent: QObject, wait: Wait = asyncio.sleep
    ) -> None:
        super().__init__(parent)
        self._terminal, self._spawn, self._wait = terminal, spawn, wait
        self._wanted: dict[str, list[Key]] = {}
        self._facts: dict[Key, TickExtras] = {}
        self._day: date | None = None
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._rests_until = 0.0

    def of(self, key: Key) -> TickExtras | None:
        """What is known of today; None while it was not asked."""
        return self._facts.get(key) if self._day == self._today() else None

    def want(self, owner: str, keys: Iterable[Key]) -> None:
        """What ``owner`` shows and lacks, most wanted first; replaces what it wanted before."""
        wanted = list(keys)
        if not wanted:
            self._wanted.pop(owner, None)
            return
        self._wanted[owner] = wanted
        idle = self._task is None or self._task.done()
        if idle and self._next() is not None and time.monotonic() >= self._rests_until:
            self._task = self._spawn(self._ask(), "facts of the day")

    def again(self) -> None:
        """Another account, or the same one anew: it may answer."""
        self._failures, self._rests_until = 0, 0.0

    def _today(self) -> date:
        return self._terminal.clock.now().date()

    def _next(self) -> Key | None:
        if self._day != self._today():
            self._day = self._today()
            self._facts.clear()
        keys = (key for wanted in self._wanted.values() for key in wanted)
        return next((key for key in keys if key not in self._facts), None)

    async def _ask(self) -> None:
        while (key := self._next()) is not None:
            began = time.monotonic()
            self._facts[key] = await self._ask_one(key)
            took = time.monotonic() - began
            self.changed.emit(key)
            if self._failures >= MANY:
                self._failures, self._rests_until = 0, time.monotonic() + REST
                return
            await self._wait(max(PAUSE, TIMES * took))

    async def _ask_one(self, key: Key) -> TickExtras:
        row, today = self._terminal.instruments.get(key), self._today()
        if row is None:
            return TickExtras()
        hub = self._terminal.hub
        try:
            bars = await hub.history(key, Interval.DAY, first_day(row, today), today)
        except AppError as error:
            self._failures += 1
            log.info("no daily candles of %s: %s", ":".join(key), error.message)
            return TickExtras()
        self._failures = 0
        trades = self._terminal.calendar.is_trading_day(today, row.exchange)
        return day_facts(row, bars, today if trades else None)
