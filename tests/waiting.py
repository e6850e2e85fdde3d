"""Wait for what a test expects: until it is there, not for a fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

T = TypeVar("T")
#: A future is set, its task goes on, and who waits for the task is told.
TURNS = 3


async def until(
    condition: Callable[[], object], what: str = "the condition", seconds: float = 60.0
) -> None:
    """Return once ``condition`` holds; fail with what did not happen after ``seconds``.

    What waits for the same as the test (the command behind a dialog that was just answered) comes
    to its end first: the loop turns even if the condition holds already.
    """
    try:
        async with asyncio.timeout(seconds):
            for _ in range(TURNS):
                await asyncio.sleep(0)
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"did not happen within {seconds:g} s: {what}")


async def at_rest(place: Callable[[], T], turns: int = 4) -> T:
    """Where things are once they were there in so many turns of the loop one after another:
    layouts of Qt are done in the turns that follow a change."""
    last, same = place(), 0
    async with asyncio.timeout(60):
        while same < turns:
            await asyncio.sleep(0.005)
            now = place()
            same = same + 1 if now == last else 0
            last = now
    return last


async def until_told(
    ask: Callable[[], Awaitable[object]], what: str = "the answer", seconds: float = 60.0
) -> None:
    """:func:`until` for a condition that has to be asked for."""
    try:
        async with asyncio.timeout(seconds):
            while not await ask():
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"did not happen within {seconds:g} s: {what}")


def wait_for(condition: Callable[[], T], what: str = "the condition", seconds: float = 60.0) -> T:
    """The same for code without a loop; gives the condition's value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            pytest.fail(f"did not happen within {seconds:g} s: {what}")
        time.sleep(0.02)
    return value
