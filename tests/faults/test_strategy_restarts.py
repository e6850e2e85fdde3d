"""A run that enters by itself, and the program ends amid it, or the market closes: nothing is
entered twice, and nothing that was meant for another moment is sent."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.model import OrderAck, OrderRequest
from openalgo_desktop.core.strategies.model import (
    Distance,
    DistanceUnit,
    LegRules,
    Momentum,
    Reentry,
    ReentryMode,
)
from openalgo_desktop.core.strategies.words import EventKind, StopReason
from tests.unit.automation.strategies.room import CE, PE, Room, room, short_leg, straddle
from tests.waiting import until

__all__ = ["room"]
D = Decimal


async def killed_while_it_sends(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next order arrives, and the program ends before the answer."""
    arrived, place = asyncio.Event(), room.paper.place

    async def hang(request: OrderRequest, tag: str) -> OrderAck:
        await place(request, tag)
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(room.paper, "place", hang)
        room.say(90.0, CE)
        await asyncio.wait_for(arrived.wait(), 5)
        await room.kill()
    await until(lambda: EventKind.RECOVERY_SUCCEEDED in room.kinds(), "the recovery")


async def test_an_entry_by_momentum_is_sent_once(room: Room, monkeypatch: pytest.MonkeyPatch):
    leg = short_leg(1, "CE", momentum=Momentum(D(-10), DistanceUnit.PERCENT))
    made = await room.make(straddle(legs=(leg,)))
    await room.start(made)
    await killed_while_it_sends(room, monkeypatch)
    await until(lambda: room.all_in(made), "the entry is known")
    room.say(89.0, CE)
    await room.desk.quiet()
    for _ in range(20):
        await asyncio.sleep(0)
    live = room.engine.registry.live[made.strategy_id]
    assert live.state.waiting == []
    assert room.paper.sent == [f"SELL 75 {CE[1]}"]
    assert room.paper.net(CE) == -75


async def test_the_whole_once_more_is_not_begun_on_another_day(room: Room):
    """The combined stop was reached in the last minute, and the program ended with it."""
    made = await room.running(
        straddle(overall_sl=D(1500), overall_reentries=3, intraday=False, product=Product.NRML)
    )
    room.paper.hold_back = {PE[1]}
    room.say(120.0, CE)
    await until(lambda: room.paper.net(CE) == 0)
    await room.engine.recorder.flush()
    room.paper.hold_back = set()
    room.paper.fill(room.paper.book[-1], 75)
    room.open = False
    await room.kill()
    room.clock.jump(room.clock.now() + timedelta(hours=8))
    await until(lambda: EventKind.RECOVERY_SUCCEEDED in room.kinds(), "the recovery")
    await room.over(made)
    assert len(room.paper.sent) == 4
    (run,) = await room.engine.runs(made.strategy_id, 5)
    assert run.stop_reason is StopReason.OVERALL_SL


async def test_nothing_is_entered_again_after_the_close(room: Room):
    rules = LegRules(sl=Distance(D(20)), after_sl=Reentry(ReentryMode.ASAP, 2))
    made = await room.running(
        straddle(legs=(short_leg(1, "CE", rules=rules),), intraday=False, product=Product.NRML)
    )
    room.paper.hold_back = {CE[1]}
    room.say(120.0, CE)
    await until(lambda: len(room.paper.sent) == 2)
    room.open = False  # its last trade is of the closing second
    room.paper.fill(room.paper.book[-1], 75)
    await room.over(made)
    assert len(room.paper.sent) == 2
