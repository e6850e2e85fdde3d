"""Batch strategies: started, watched leg by leg, stopped."""

from __future__ import annotations

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategies.words import EventKind, OrderKind, OrderState, StopReason
from tests.unit.automation.strategies.room import (
    CE,
    PE,
    Room,
    room,
    stops,
    straddle,
)
from tests.waiting import until

__all__ = ["room"]


async def test_a_batch_is_entered_and_stopped_as_a_whole(room: Room):
    made = await room.running(straddle())
    assert room.paper.sent == [f"SELL 75 {CE[1]}", f"SELL 75 {PE[1]}"]
    assert room.live.sent == []
    rows = list(room.journal.rows.values())
    assert {(row.source, row.request["strategy"]) for row in rows} == {("strategy:1", "Straddle")}
    room.say(90.0, CE)
    view = room.engine.view(made.strategy_id)
    assert view is not None and [leg.state for leg in view.legs] == ["open", "open"]
    assert [leg.units for leg in view.legs] == [-75, -75]
    assert view.unrealised == 750
    answer = await room.engine.stop(made.strategy_id, "test")
    assert all(leg.ok for leg in answer.exits) and len(answer.exits) == 2
    await room.over(made)
    assert room.paper.net(CE) == room.paper.net(PE) == 0
    sources = [row.source.partition(":")[0] for row in room.journal.rows.values()]
    assert sources == ["strategy", "strategy", "exit", "exit"]
    assert {row.request["strategy"] for row in room.journal.rows.values()} == {"Straddle"}
    (run,) = await room.engine.runs(made.strategy_id, 10)
    assert (run.stop_reason, run.mode, run.pnl_realized) == (StopReason.MANUAL, Mode.SANDBOX, 750)
    orders = await room.engine.orders(made.strategy_id, run.run_id)
    assert [row.kind for row in orders] == [OrderKind.ENTRY] * 2 + [OrderKind.CLOSE_ALL] * 2
    assert {row.status for row in orders} == {OrderState.COMPLETE}
    assert [row.average_price for row in orders] == [100.0, 90.0, 90.0, 90.0]


async def test_a_leg_leaves_by_its_stop_and_the_other_goes_on(room: Room):
    made = await room.running(straddle(rules=stops(20, 50)))
    room.say(120.0, CE)
    await until(lambda: room.paper.net(CE) == 0)
    view = room.engine.view(made.strategy_id)
    assert view is not None
    await until(lambda: room.engine.view(made.strategy_id).legs[0].state == "closed")  # type: ignore[union-attr]
    assert room.paper.net(PE) == -75
    room.say(40.0, PE)
    await room.over(made)
    assert room.paper.net(PE) == 0
    (run,) = await room.engine.runs(made.strategy_id, 10)
    assert (run.stop_reason, run.pnl_realized) == (StopReason.LEGS_CLOSED, -1500 + 3750)
    kinds = room.kinds()
    assert EventKind.LEG_SL_HIT in kinds and EventKind.LEG_TARGET_HIT in kinds
    orders = await room.engine.orders(made.strategy_id, run.run_id)
    assert [row.kind for row in orders][2:] == [OrderKind.SL, OrderKind.TARGET]
