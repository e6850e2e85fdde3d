"""What work costs and leaves, told so that a slow or a busy machine changes nothing: calls and
objects are counted, and times are only ever compared with those of other work in the same run."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any


class Calls:
    """How many functions this thread calls inside a ``with``, those written in C included.

    What a walk over all rows adds is seen, and so is anything done for each row or cell that is
    drawn; what one call of C does inside (numpy, Qt) is one, and a type of C that is called
    (``int``, ``float``, ``QRect``) is none. The collector waits meanwhile: it calls what watches it
    (hypothesis does) and what dies of it, whenever its time has come.
    """

    def __init__(self) -> None:
        self.count = 0

    def _heard(self, frame: FrameType, event: str, arg: Any) -> None:
        if event in ("call", "c_call"):
            self.count += 1

    def __enter__(self) -> Calls:
        self._collects = gc.isenabled()
        gc.disable()
        self._before = sys.getprofile()
        sys.setprofile(self._heard)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(self._before)
        if self._collects:
            gc.enable()


def calls(work: Callable[[], object]) -> int:
    """The calls that ``work`` makes."""
    with Calls() as made:
        work()
    return made.count


def times_dearer(work: Callable[[], object], peer: Callable[[], object], times: int = 5) -> float:
    """How many times the processor time of ``peer`` this thread needs for ``work``: the two are
    done in turns, and the least of each counts."""
    best = [float("inf")] * 2
    for _ in range(times):
        for place, act in enumerate((work, peer)):
            began = time.thread_time()
            act()
            best[place] = min(best[place], time.thread_time() - began)
    return best[0] / best[1]


def living(*kinds: type) -> int:
    """Objects of these kinds that somebody still holds. A pass of the collector that took long has
    moved what it saw out of its sight (``core.garbage``), on a slow machine sooner than on a fast
    one: everything is looked at again, and what the pass here moved is brought back to be seen."""
    gc.unfreeze()
    gc.collect()
    gc.unfreeze()
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())
