"""Who follows a log in parts, as a command does that asks again and again."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque

from openalgo_desktop.automation.host.ports import LogEntry, Logs
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import ConfigError

#: Followers at once; one that has not asked for so many seconds is gone; lines that wait for one.
MOST, IDLE, KEPT = 8, 60.0, 5_000
#: Seconds that an answer waits for a line.
WAIT = 5.0


class _Follower:
    def __init__(self, now: float) -> None:
        self.asked = now
        self.lines: deque[LogEntry] = deque(maxlen=KEPT)
        self.news = asyncio.Event()
        self.over = False
        self.task: asyncio.Task[None] | None = None


class Followers:
    """Each has a token and a task that reads on."""

    def __init__(self, logs: Logs, clock: Clock) -> None:
        self._logs = logs
        self._clock = clock
        self._open: dict[str, _Follower] = {}

    def begin(self, strategy_id: str, run_id: str, last: int) -> str:
        """A token for :meth:`more`: the ``last`` lines come first."""
        now = self._clock.monotonic()
        for token, known in list(self._open.items()):
            if now - known.asked > IDLE:
                self._drop(token)
        if len(self._open) >= MOST:
            raise ConfigError(f"{MOST} commands follow logs already; end one of them.")
        follower = _Follower(now)
        follower.task = asyncio.create_task(
            self._read(follower, strategy_id, run_id, last), name="follow a log"
        )
        token = secrets.token_hex(8)
        self._open[token] = follower
        return token

    async def _read(self, follower: _Follower, strategy_id: str, run_id: str, last: int) -> None:
        try:
            async for part in self._logs.follow(strategy_id, run_id, last):
                follower.lines.extend(part)
                follower.news.set()
        finally:
            follower.over = True
            follower.news.set()

    async def more(self, token: str) -> tuple[list[LogEntry], bool]:
        """What came since the last call, after a moment of waiting; whether there may be more.
        Raises :class:`ConfigError` for a token that is not known any more."""
        follower = self._open.get(token)
        if follower is None:
            raise ConfigError("token: nobody follows a log with it (any more).")
        try:
            async with asyncio.timeout(WAIT):
                await follower.news.wait()
        except TimeoutError:
            pass
        follower.asked = self._clock.monotonic()
        follower.news.clear()
        lines = list(follower.lines)
        follower.lines.clear()
        if follower.over:
            self._drop(token)
        return lines, not follower.over

    def _drop(self, token: str) -> None:
        follower = self._open.pop(token, None)
        if follower is not None and follower.task is not None:
            follower.task.cancel()

    async def close(self) -> None:
        """End all."""
        tasks = [row.task for row in self._open.values() if row.task is not None]
        for token in list(self._open):
            self._drop(token)
        await asyncio.gather(*tasks, return_exceptions=True)
