"""Long work in a thread beside a loop that must not wait.

One thread at a time runs Python. A thread that computes keeps the loop waiting for the interpreter
until it is made to let go, and on a busy machine that takes its time; so whatever walks a large
table lets go by itself, really sleeping for a moment after each millisecond of work.
"""

from __future__ import annotations

import gc
import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, TypeVar

T = TypeVar("T")

#: Seconds of work after which others get the interpreter, and how long they are let in at least.
WORK: Final = 0.001
PAUSE: Final = 0.00005
#: Items between two looks at the clock; a power of two.
_EVERY: Final = 32
#: Items that are sorted in one go, a millisecond or two: no other thread runs meanwhile.
_PIECE: Final = 500
#: Parts that are let go of between two looks at the clock; each may be large itself.
_FREED: Final = 2


def pause() -> None:
    """Let the other threads run."""
    time.sleep(PAUSE)


_guard = threading.Lock()
_builders: set[object] = set()


@contextmanager
def uncollected() -> Iterator[None]:
    """A large table is made or let go of in this thread: no garbage collection meanwhile.

    A full one stops every thread until it has walked all objects, tens of milliseconds for
    100,000 rows, and building triggers several. As the rows live for the day and have no cycles
    they are then moved out of the collector's sight.
    """
    builder = object()
    with _guard:
        _builders.add(builder)
        gc.disable()
    try:
        yield
    finally:
        with _guard:
            _builders.discard(builder)
            if not _builders:
                gc.freeze()
                gc.enable()


class Pace:
    """When to let others run: asked often, it sleeps after each :data:`WORK`. On the main thread,
    where the loop itself would be who sleeps, it never does."""

    def __init__(self) -> None:
        main = threading.current_thread() is threading.main_thread()
        self._due = float("inf") if main else time.perf_counter() + WORK

    def keep(self) -> None:
        """Breathe if it is time."""
        if time.perf_counter() > self._due:
            pause()
            self._due = time.perf_counter() + WORK


def gently(items: Iterable[T]) -> Iterator[T]:
    """The same items; the thread that walks them lets others run after each millisecond."""
    pace = Pace()
    for number, item in enumerate(items):
        yield item
        if not number & (_EVERY - 1):
            pace.keep()


def sorted_gently(items: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """As :func:`sorted`, for large tables: between pieces and while they are merged others run."""
    rest, pieces, pace = iter(items), list[list[T]](), Pace()
    while piece := sorted(islice(rest, _PIECE), key=key):
        pieces.append(piece)
        pace.keep()
    return pieces[0] if len(pieces) == 1 else list(gently(heapq.merge(*pieces, key=key)))


def let_go(*tables: list[Any]) -> None:
    """Empty these lists, which hold the parts of a large table, from their ends: to free it is
    work as to make it."""
    pace = Pace()
    for table in tables:
        while table:
            del table[-_FREED:]
            pace.keep()
