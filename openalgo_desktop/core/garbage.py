"""Garbage collection that does not grow with the day.

A full pass of Python's collector walks every object it knows and stops the loop meanwhile: 40 ms
for the objects of 10,000 orders, more with each order. What a pass has found alive in more than
a moment is therefore moved out of its sight (:func:`gc.freeze`); it is freed as ever when nobody
refers to it. Only circles that break later stay: they are looked for while no market is open.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

#: Seconds of a full pass after which its survivors are left alone.
LONG: Final = 0.002
#: New objects until a young pass, young passes until a middle one, middle ones until a full one:
#: as Python's own, but the full ones, cheap now, come before what is new has become much.
_OFTEN: Final = (700, 10, 4)
#: Seconds between two looks whether it is quiet, and after which nobody is asked any more.
LOOK_EVERY: Final = 600.0
AT_LATEST: Final = 24 * 3600.0


_inside: list[object] = []  # who keeps passes short just now


@contextmanager
def short_passes() -> Iterator[None]:
    """Inside, full passes stay short, however many objects live. For the whole process."""
    before, began = gc.get_threshold(), 0.0

    def watch(phase: str, info: dict[str, Any]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        elif info["generation"] == 2 and time.perf_counter() - began > LONG:
            gc.freeze()

    _inside.append(watch)
    gc.callbacks.append(watch)
    gc.set_threshold(*_OFTEN)
    try:
        yield
    finally:
        _inside.remove(watch)
        gc.callbacks.remove(watch)
        gc.set_threshold(*before)


async def tidy_when(
    quiet: Callable[[], bool], every: float = LOOK_EVERY, at_latest: float = AT_LATEST
) -> None:
    """Until cancelled, where passes are kept short: look at everything once when it gets
    ``quiet`` (and again after the next noise), or ``at_latest`` seconds after the last time.
    That pass takes as long as it takes."""
    waited, done = 0.0, False
    while True:
        await asyncio.sleep(every)
        waited += every
        if not _inside or not gc.isenabled():  # nothing was moved away, or a table is being made
            continue
        calm = quiet()
        done = done and calm
        if (calm and not done) or waited >= at_latest:
            waited, done = 0.0, True
            gc.unfreeze()
            gc.collect()
            gc.freeze()
