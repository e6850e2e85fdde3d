"""How much of a request was spent waiting for a broker.

The one who answers a request sets a :class:`Stopwatch`; whoever calls a broker on its behalf, in
this task or in one made from it, adds the time with :func:`upstream`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)


class Stopwatch:
    """Seconds spent with brokers; waits at the same time are added up."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds = 0.0

    @classmethod
    def begin(cls) -> Stopwatch:
        """A new one, in force for this task and the tasks that it starts."""
        watch = cls()
        _current.set(watch)
        return watch


@contextmanager
def upstream() -> Iterator[None]:
    """Count the time inside as time of a broker."""
    watch = _current.get()
    if watch is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        watch.seconds += time.perf_counter() - began
