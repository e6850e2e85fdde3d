"""Passes of the garbage collector: short, and circles are still found."""

from __future__ import annotations

import argparse
import asyncio
import gc
import weakref
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from openalgo_desktop.core import garbage
from openalgo_desktop.core.garbage import short_passes, tidy_when
from openalgo_desktop.shell import engine
from tests.waiting import until


class Circle:
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    gc.unfreeze()
    gc.disable()  # passes are those that are asked for
    yield
    gc.enable()
    gc.unfreeze()


@pytest.fixture
def inside() -> Iterator[None]:
    gc.enable()
    with short_passes():
        yield


def test_who_survives_a_long_pass_is_not_walked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    threshold, callbacks = gc.get_threshold(), list(gc.callbacks)
    monkeypatch.setattr(garbage, "LONG", -1.0)  # every full pass is long
    with short_passes():
        kept = [[number] for number in range(1000)]
        gc.collect(1)
        assert gc.get_freeze_count() == 0  # a middle pass
        gc.collect()
        assert gc.get_freeze_count() > len(kept)
        assert not any(kept[0] is found for found in gc.get_objects())
        monkeypatch.setattr(garbage, "LONG", 60.0)
        kept = [[number] for number in range(1000)]
        gc.collect()
        assert any(kept[0] is found for found in gc.get_objects())
    assert (gc.get_threshold(), gc.callbacks) == (threshold, callbacks)


def test_full_passes_come_before_what_is_new_has_become_much() -> None:
    with short_passes():
        young, middle, full = gc.get_threshold()
    assert young * middle * full <= 30_000


async def test_circles_that_broke_late_are_found_when_it_gets_quiet(
    monkeypatch: pytest.MonkeyPatch, inside: None
) -> None:
    quiet, asked = False, 0

    def is_quiet() -> bool:
        nonlocal asked
        asked += 1
        return quiet

    circle = Circle()
    gone = weakref.ref(circle)
    gc.freeze()
    del circle
    gc.collect()
    assert gone() is not None
    task = asyncio.create_task(tidy_when(is_quiet, every=0.001))
    await until(lambda: asked > 3)
    assert gone() is not None
    quiet = True
    await until(lambda: gone() is None)
    again: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: again.append(1))
    asked = 0
    await until(lambda: asked > 3)
    assert again == []  # still quiet: nothing to look for
    quiet = False
    asked = 0
    await until(lambda: asked > 1)
    quiet = True
    await until(lambda: again)
    task.cancel()


async def test_without_a_quiet_moment_it_happens_at_last(inside: None) -> None:
    circle = Circle()
    gone = weakref.ref(circle)
    gc.freeze()
    del circle
    task = asyncio.create_task(tidy_when(lambda: False, every=0.001, at_latest=0.004))
    await until(lambda: gone() is None)
    task.cancel()


def test_a_run_of_the_engine_keeps_them_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def watched(main: Coroutine[Any, Any, int]) -> int:
        main.close()
        return len(gc.callbacks)

    before = len(gc.callbacks)
    monkeypatch.setattr(engine, "run_async", watched)
    assert engine.run(argparse.Namespace(command="headless", ready_file=None)) == before + 1
    assert len(gc.callbacks) == before


@pytest.mark.parametrize("hinder", ["not ours", "a table is being made"])
async def test_nobody_else_s_garbage_is_touched(hinder: str) -> None:
    circle = Circle()
    gone = weakref.ref(circle)
    gc.freeze()
    del circle
    turns = 0

    def quiet() -> bool:
        nonlocal turns
        turns += 1
        return True

    if hinder == "not ours":
        gc.enable()
        task = asyncio.create_task(tidy_when(quiet, every=0.001))
        await asyncio.sleep(0.05)
    else:
        with short_passes():  # the collector is off, as in ``uncollected``
            task = asyncio.create_task(tidy_when(quiet, every=0.001))
            await asyncio.sleep(0.05)
    assert gone() is not None and turns == 0
    task.cancel()
