"""What WebSocket clients send is taken apart in turns, so that no flood of tiny frames holds the
loop: one read of a socket can bring forty thousand frames, and each costs some microseconds.

All connections share one turn: a thousand that flood together hold it no longer than one.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final, Protocol

#: Seconds of work before others on the loop have their turn.
SLICE: Final = 0.001
#: Bytes that are taken apart at once: some 170 of the smallest frames, a millisecond.
PIECE: Final = 1024


class Taker(Protocol):
    """A connection that has bytes to take apart."""

    def take(self) -> bool:
        """Take one piece; whether another may be taken now."""


class Turns:
    """Who has bytes waiting; each gets a piece in its turn."""

    def __init__(self) -> None:
        self._waiting: deque[Taker] = deque()

    def wait(self, taker: Taker) -> None:
        """``taker`` has something to take. It does not ask again before it was asked."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._run)
        self._waiting.append(taker)

    def _run(self) -> None:
        waiting, until = self._waiting, time.perf_counter() + SLICE
        while waiting:
            # It stays in front while it works: who comes meanwhile must not start a second run.
            if waiting[0].take():
                waiting.rotate(-1)
            else:
                waiting.popleft()
            if time.perf_counter() >= until:
                break
        if waiting:
            asyncio.get_running_loop().call_soon(self._run)
