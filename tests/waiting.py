"""Wait for what a test expects: until it is there, not for a fixed time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest


async def until(
    condition: Callable[[], object], what: str = "the condition", seconds: float = 10.0
) -> None:
    """Return once ``condition`` holds; fail with what did not happen after ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"did not happen within {seconds:g} s: {what}")
