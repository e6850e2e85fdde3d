"""Bars are built once for all who follow them; one timer ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.research.bars import live, service
from openalgo_desktop.research.bars.live import LINGER, MOST_LINGERING
from tests.unit.research.bars.world import M1, M5, SBIN, World, at


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World("2026-11-20 10:00:10")
    yield made
    await made.bars.close()


async def test_bars_are_built_once_and_one_broken_listener_stops_no_other(world: World) -> None:
    heard: list[LiveBar] = []

    def broken(bar: LiveBar) -> None:
        raise RuntimeError("a listener")

    stops = [world.bars.follow(SBIN, M1, listener) for listener in (broken, heard.append)]
    world.bars.follow(SBIN, M5, heard.append)
    assert len(world.hub.watchers[SBIN]) == 2 == world.bars.live.count
    world.hub.tick(100.0)
    assert [bar.time for bar in heard] == [at("2026-11-20 10:00")] * 2
    for stop in stops:
        stop()
        stop()
    world.hub.tick(101.0)
    assert len(heard) == 3


async def test_a_bar_is_closed_by_the_timer_although_no_tick_comes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_LOOK", 0.001)
    monkeypatch.setattr(service, "SEED_AFTER", 3600.0)
    heard: list[LiveBar] = []
    over = asyncio.Event()
    world.bars.follow(SBIN, Span.parse("1s"), heard.append)
    world.bars.follow(SBIN, M1, lambda bar: over.set() if bar.closed else None)
    world.hub.tick(100.0)
    world.clock.advance(49)
    world.bars.live.close_due()
    assert [bar.closed for bar in heard] == [False, True] and not over.is_set()
    world.clock.advance(2.5)
    await asyncio.wait_for(over.wait(), 60)  # the timer looks
    closed = world.bars.forming(SBIN, M1)
    assert closed is not None and closed.closed and closed.time == at("2026-11-20 10:00")
    world.bars.live.close_due()
    assert len(heard) == 2  # once


async def test_builders_end_a_while_after_the_last_listener(world: World) -> None:
    keys = [("NSE", f"S{number}") for number in range(MOST_LINGERING + 5)]
    for key in keys:
        world.bars.follow(key, M1, lambda bar: None)()
    assert world.bars.live.count == MOST_LINGERING
    assert not world.hub.watchers[keys[0]] and world.hub.watchers[keys[-1]]
    world.clock.advance(LINGER + 1)
    world.bars.follow(SBIN, M1, lambda bar: None)()
    assert world.bars.live.count == 1
    await world.bars.close()
    assert not any(world.hub.watchers.values()) and world.bars.live.count == 0
