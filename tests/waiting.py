"""Wait for what a test expects: until it is there, not for a fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")


async def until(
    condition: Callable[[], object], what: str = "the condition", seconds: float = 30.0
) -> None:
    """Return once ``condition`` holds; fail with what did not happen after ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"did not happen within {seconds:g} s: {what}")


def wait_for(condition: Callable[[], T], what: str = "the condition", seconds: float = 45.0) -> T:
    """The same for code without a loop; gives the condition's value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            pytest.fail(f"did not happen within {seconds:g} s: {what}")
        time.sleep(0.02)
    return value
