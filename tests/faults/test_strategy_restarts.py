"""A run that enters by itself, and the program ends amid it, or the market closes: nothing is
entered twice, and nothing that was meant for another moment is sent."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from decimal import Decimal

import pytest

from openalgo_desktop.automation.strategies import hours
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.model import OrderAck, OrderRequest
from openalgo_desktop.core.strategies.model import (
    Distance,
    DistanceUnit,
    Expiry,
    LegRules,
    Momentum,
    Reentry,
    ReentryMode,
    Scheduler,
    SignalLeg,
)
from openalgo_desktop.core.strategies.ports import NotNow
from openalgo_desktop.core.strategies.rows import Run
from openalgo_desktop.core.strategies.words import EventKind, Signal, StopReason, TriggerSource
from tests.unit.automation.strategies.room import (
    CE,
    EXPIRIES,
    NOW,
    PE,
    Room,
    contract,
    flipper,
    room,
    short_leg,
    straddle,
)
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


async def test_old_prices_of_other_legs_are_not_counted_beside_new_ones(room: Room):
    """The first leg that trades after a night has moved; the other one has, too, and is not heard
    yet."""
    call, put = contract("CE", 25_000, EXPIRIES[1]), contract("PE", 25_000, EXPIRIES[1])
    room.quote({call: 100.0, put: 90.0})
    made = await room.running(
        straddle(
            legs=(
                short_leg(1, "CE", expiry=Expiry.NEXT_WEEK),
                short_leg(2, "PE", expiry=Expiry.NEXT_WEEK),
            ),
            overall_sl=D(1500), intraday=False, product=Product.NRML,
        )
    )  # fmt: skip
    room.clock.jump(NOW + timedelta(days=1))
    await room.engine.hours.look()
    room.say(125.0, call)  # 1,875 rupees lost
    live = room.engine.registry.live[made.strategy_id]
    assert live.state.leaving is None and live.total() is None
    room.say(60.0, put)
    assert live.state.leaving is None
    room.say(100.0, put)
    assert live.state.leaving is StopReason.OVERALL_SL
    await room.over(made)


async def test_a_disk_that_fails_for_a_moment_costs_no_start(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    row = Scheduler(enabled=True, days=("MON",), start_time="10:00")
    made = await room.make(straddle(scheduler=row))
    monkeypatch.setattr(hours, "LOOK", 3600.0)
    days, put = room.engine.hours._ground.days, room.engine.hours._ground.days.put
    failed = 0

    async def fails_once(scope: str, key: str, value: object) -> None:
        nonlocal failed
        failed += 1
        if failed == 1:
            raise StorageError("full")
        await put(scope, key, value)

    monkeypatch.setattr(days, "put", fails_once)
    with contextlib.suppress(StorageError):
        await room.engine.hours.look()
    await room.engine.hours.look()
    await until(lambda: made.strategy_id in room.engine.registry.live, "the start")


async def test_shares_that_were_delivered_are_told_to_be_without_a_stop(room: Room):
    """They are holdings from the next day on, and no position: the run ends, and says so."""
    rules = LegRules(sl=Distance(D(20)))
    leg = SignalLeg(leg_id=1, symbol="SBIN", exchange="NSE", quantity=10, rules=rules)
    made = await room.make(flipper(legs=(leg,), intraday=False, product=Product.CNC))
    await room.engine.signal(made.strategy_id, Signal.LONG_ENTRY, "test", leg_id=1)
    await until(lambda: room.all_in(made) and room.paper.net(("NSE", "SBIN")) == 10)
    room.clock.jump(NOW + timedelta(days=1))
    room.paper.held.clear()
    room.paper.rows, room.paper.book = [], []
    live = room.engine.registry.live[made.strategy_id]
    (held,) = live.open()
    plan = room.watch.legs.plan(held.ref)
    assert plan is not None
    room.watch._follower.hold(plan, 0)  # the position book of the new day has none
    await until(lambda: not any(live.open()), "the end of the position")
    told = [row.text for row in room.notices if row.level == "error"]
    assert any("NO stop and no rule looks after them" in text for text in told), told


async def test_a_start_goes_on_when_its_caller_has_gone(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    """Broken off between its legs it would hold a part, and say nothing."""
    made = await room.make(straddle(legs=(short_leg(1, "CE", position="B"), short_leg(2, "PE"))))
    arrived, goes_on, place = asyncio.Event(), asyncio.Event(), room.paper.place

    async def slow(request: OrderRequest, tag: str) -> OrderAck:
        arrived.set()
        await goes_on.wait()
        return await place(request, tag)

    monkeypatch.setattr(room.paper, "place", slow)
    task = asyncio.create_task(room.start(made))
    await asyncio.wait_for(arrived.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    goes_on.set()
    await until(lambda: len(room.paper.sent) == 2, "both legs")
    await until(lambda: room.all_in(made))
    live = room.engine.registry.live[made.strategy_id]
    await until(lambda: live.state.entered)


async def test_a_kill_switch_that_is_pulled_at_the_claim_leaves_no_run_that_waits(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    leg = short_leg(1, "CE", momentum=Momentum(D(-10), DistanceUnit.PERCENT))
    made, claim = await room.make(straddle(legs=(leg,))), room.store.claim

    async def pulled(run: Run) -> int | None:
        room.blocked = "the kill switch was pulled"
        return await claim(run)

    monkeypatch.setattr(room.store, "claim", pulled)
    with pytest.raises(NotNow, match="kill switch"):
        await room.start(made)
    assert room.engine.registry.live == {}
    (run,) = await room.engine.runs(made.strategy_id, 5)
    assert run.stop_reason is StopReason.KILL_SWITCH


async def test_an_alert_that_was_let_in_before_the_lock_enters_nothing(room: Room):
    made = await room.make(flipper())
    await room.engine.lock_webhook(made.strategy_id, True, "test")
    with pytest.raises(NotNow, match="locked"):
        await room.engine.signal(
            made.strategy_id, Signal.LONG_ENTRY, "test", leg_id=1, webhook_event_id=7
        )
    batch = await room.make(straddle())
    await room.engine.lock_webhook(batch.strategy_id, True, "test")
    with pytest.raises(NotNow, match="locked"):
        await room.engine.start(batch.strategy_id, Mode.SANDBOX, TriggerSource.WEBHOOK, "test")
    assert room.paper.sent == []
