"""Work of the window that grows with a book, done in turns of the loop.

Such work is a generator that stops after each :data:`STEP` rows; whoever runs it lets the loop go
on when a turn has taken :data:`TURN`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

R = TypeVar("R")

#: Rows between two looks at the clock.
STEP: Final = 100
#: So long a turn works, seconds; a step comes on top.
TURN: Final = 0.002


def parts(rows: Sequence[R]) -> Iterator[Sequence[R]]:
    """The rows, a step at a time."""
    for first in range(0, len(rows), STEP):
        yield rows[first : first + STEP]


async def in_turns(work: Iterator[None]) -> None:
    """Do it, and let others have the loop in between."""
    until = time.perf_counter() + TURN
    for _ in work:
        if time.perf_counter() >= until:
            await asyncio.sleep(0)
            until = time.perf_counter() + TURN
