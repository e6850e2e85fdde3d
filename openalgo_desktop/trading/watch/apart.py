"""Tasks of the watch belong to nobody else.

A task takes over the context variables of whoever happens to start it: a fill that a human's *close
all by limits* brought about would make the stop that it sets off a limit, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any


def apart(work: Coroutine[Any, Any, None], name: str = "") -> asyncio.Task[None]:
    """A task with a context of its own; the caller owns it."""
    return asyncio.create_task(work, name=name or None, context=Context())


def apart_later(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    """The same for a call after so many seconds."""
    return asyncio.get_running_loop().call_later(seconds, call, context=Context())
