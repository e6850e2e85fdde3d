"""Where prices of runs come from: stream, polls, nowhere."""

from __future__ import annotations

import pytest

from openalgo_desktop.automation.strategies import prices
from openalgo_desktop.core.errors import AppError, RateLimited
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies.words import EventKind, StopReason
from openalgo_desktop.core.ticks import Tick
from tests.unit.automation.strategies.room import CE, PE, Room, room, stops, straddle
from tests.waiting import until

__all__ = ["room"]


class Later:
    """The room's clock, with a monotonic that a test moves on."""

    def __init__(self, room: Room) -> None:
        self._clock = room.clock
        self.more = 0.0

    def time(self) -> float:
        return self._clock.time()

    def now(self):  # type: ignore[no-untyped-def]
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic() + self.more


def later(room: Room) -> Later:
    """Give the price room of the engine a clock that a test moves."""
    clock = Later(room)
    room.engine.prices.clock = clock  # type: ignore[assignment]
    return clock


def quotes(room: Room, rows: dict[Key, float | AppError]) -> None:
    def polled() -> dict[Key, Tick | AppError]:
        return {
            key: Tick(key[1], key[0], row) if isinstance(row, float) else row
            for key, row in rows.items()
        }

    room.prices.polls = polled


async def test_a_silent_stream_is_polled_and_polls_move_the_rules(room: Room):
    made = await room.running(straddle(rules=stops(20)))
    clock = later(room)
    quotes(room, {CE: 119.0, PE: 90.0})
    await room.engine.prices.look()
    assert room.prices.asked == []
    clock.more = prices.SILENT
    await room.engine.prices.look()
    assert [set(keys) for keys in room.prices.asked] == [{CE, PE}]
    view = room.engine.view(made.strategy_id)
    assert view is not None and view.prices == "polling" and view.legs[0].ltp == 119
    clock.more = prices.STALE + 1.0  # what is polled is not stale
    await room.engine.prices.look()
    assert EventKind.TICK_SOURCE_STALE not in room.kinds()
    assert room.engine.registry.live[made.strategy_id].state.leaving is None
    quotes(room, {CE: 120.0, PE: 90.0})
    await room.engine.prices.look()
    await until(lambda: room.paper.net(CE) == 0, "the stop by a polled price")
    room.say(91.0, PE)
    view = room.engine.view(made.strategy_id)
    assert view is not None and view.prices == "stream"
    await until(lambda: EventKind.TICK_SOURCE_SWITCHED_TO_WS in room.kinds())
    assert room.kinds().count(EventKind.TICK_SOURCE_SWITCHED_TO_POLLING) == 1


async def test_no_price_from_anywhere_ends_the_run(room: Room):
    made = await room.running(straddle())
    clock = later(room)
    clock.more = prices.STALE - 1.0
    await room.engine.prices.look()
    assert room.engine.registry.live[made.strategy_id].state.leaving is None
    clock.more = prices.STALE + 1.0
    await room.engine.prices.look()
    await room.over(made)
    (run,) = await room.engine.runs(made.strategy_id, 5)
    assert run.stop_reason is StopReason.TICK_STALE and room.paper.net(CE) == 0
    assert EventKind.TICK_SOURCE_STALE in room.kinds()


async def test_a_closed_market_is_silent_rightly(room: Room):
    made = await room.running(straddle())
    clock = later(room)
    room.open = False
    clock.more = 2 * prices.STALE
    await room.engine.prices.look()
    assert room.prices.asked == [] and room.engine.view(made.strategy_id) is not None


@pytest.mark.parametrize(("times", "pause"), [(1, 2.0), (2, 5.0), (3, 10.0), (4, 30.0), (9, 30.0)])
async def test_a_broker_that_says_too_often_is_asked_less(room: Room, times: int, pause: float):
    await room.running(straddle())
    clock = later(room)
    clock.more = prices.SILENT
    quotes(room, {CE: RateLimited("429"), PE: RateLimited("429")})
    for _ in range(times):
        await room.engine.prices.look()
    assert room.engine.prices.pause == pause
    quotes(room, {CE: 100.0, PE: 90.0})
    await room.engine.prices.look()
    assert room.engine.prices.pause == prices.POLL
