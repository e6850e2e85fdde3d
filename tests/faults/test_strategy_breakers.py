"""What else goes wrong around runs: late arrivals, hands, disks, accounts, restarts."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from openalgo_desktop.automation.strategies import exits, hours, prices, recorder
from openalgo_desktop.core.enums import Action, Mode, OrderStatus
from openalgo_desktop.core.errors import NetTimeout, StorageError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.strategies.model import Distance, DistanceUnit, LegRules
from openalgo_desktop.core.strategies.ports import EveryEntryRejected, NotNow
from openalgo_desktop.core.strategies.rows import LegView, MadeStrategy
from openalgo_desktop.core.strategies.words import EventKind, RunStatus, StopReason
from openalgo_desktop.trading import reconcile
from tests.unit.automation.strategies.room import (
    CE,
    NIFTY,
    PE,
    Room,
    room,
    short_leg,
    stops,
    straddle,
)
from tests.unit.automation.strategies.test_prices import later, quotes
from tests.waiting import until, until_told

__all__ = ["room"]


def leg(room: Room, made: MadeStrategy, leg_id: int = 1) -> LegView:
    view = room.engine.view(made.strategy_id)
    assert view is not None, "the run is over"
    return next(row for row in view.legs if row.leg_id == leg_id)


async def arrive_late(room: Room) -> None:
    """What the gateway refused is at the exchange after all, and trades."""
    tag = next(tag for tag, row in room.journal.rows.items() if row.state.value == "rejected")
    row = room.journal.rows[tag]
    room.paper.refuse = set()
    room.paper.hold_back = {CE[1]}
    request = OrderRequest(CE[1], "NFO", Action.SELL, 75, product=row.request["product"],
                           strategy=row.request["strategy"])  # fmt: skip
    await room.paper.place(request, tag)
    order = room.paper.book[-1]
    room.desk.reconciler.saw_book([order])
    await room.desk.quiet()
    room.paper.hold_back = set()
    room.paper.fill(order, 75)


async def test_a_refused_entry_that_arrives_after_the_end_of_its_run_is_closed(room: Room):
    room.paper.refuse = {CE[1]}
    made = await room.make(straddle(legs=(short_leg(1, "CE"),)))
    with pytest.raises(EveryEntryRejected):
        await room.start(made)
    assert room.engine.view(made.strategy_id) is None
    await arrive_late(room)
    await until(lambda: room.paper.sent[-1] == f"BUY 75 {CE[1]}", "its exit")
    await until(lambda: room.paper.net(CE) == 0)
    assert any("filled after the end of the run" in row.text for row in room.notices)


async def test_a_refused_entry_that_arrives_while_its_run_is_on_belongs_to_it(room: Room):
    room.paper.refuse = {CE[1]}
    made = await room.make(straddle(rules=stops(20)))
    await room.start(made)
    await until(lambda: leg(room, made, 2).units == -75)
    assert leg(room, made).state == "closed"
    await arrive_late(room)
    await until(lambda: leg(room, made).units == -75, "the leg that is back")
    await room.engine.stop(made.strategy_id, "test")
    await room.over(made)
    assert room.paper.net(CE) == room.paper.net(PE) == 0


async def test_a_stop_by_hand_ends_a_re_entry_of_the_whole(room: Room):
    made = await room.running(straddle(overall_sl=Decimal(1500), overall_reentries=3))
    room.paper.hold_back = {PE[1]}
    room.say(120.0, CE)
    await until(lambda: room.paper.net(CE) == 0)
    await room.engine.stop(made.strategy_id, "test")
    room.paper.fill(next(row for row in room.paper.book if row.status is OrderStatus.OPEN), 75)
    await room.over(made)
    assert len(room.paper.sent) == 4


async def test_what_a_hand_closes_is_counted_at_the_last_price(room: Room):
    made = await room.running(straddle())
    room.say(80.0, CE)
    key = (*CE, room.engine.registry.live[made.strategy_id].state.places[0].product)
    await room.desk.exits.close(key, "window", Mode.SANDBOX)
    await until(lambda: leg(room, made).state == "closed")
    view = room.engine.view(made.strategy_id)
    assert view is not None and view.realised == 1500
    assert leg(room, made, 2).units == -75


async def test_a_plan_that_a_hand_deletes_is_no_longer_the_run_s(room: Room):
    made = await room.running(straddle(rules=stops(20)))
    ref = room.engine.registry.live[made.strategy_id].state.places[0].ref
    await room.watch.commands.delete(ref, Mode.SANDBOX)
    await until(lambda: leg(room, made).state == "closed")
    await room.engine.stop(made.strategy_id, "test")
    await room.over(made)
    assert room.paper.net(CE) == -75 and room.paper.net(PE) == 0


async def test_an_entry_whose_intent_is_not_stored_is_not_sent(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    async def full(*_: object) -> int:
        raise StorageError("disk full")

    made = await room.make(straddle())
    monkeypatch.setattr(room.store, "add_order", full)
    with pytest.raises(EveryEntryRejected, match="disk full"):
        await room.start(made)
    assert room.paper.sent == []


async def test_a_full_disk_keeps_no_exit_in(room: Room, monkeypatch: pytest.MonkeyPatch):
    made = await room.running(straddle(rules=stops(20)))

    async def full(*_: object) -> None:
        raise StorageError("disk full")

    monkeypatch.setattr(recorder, "AGAIN", 0.05)
    with monkeypatch.context() as patch:
        for name in ("add_order", "put_order", "keep", "tell", "finish"):
            patch.setattr(room.store, name, full)
        room.say(120.0, CE)
        await until(lambda: room.paper.net(CE) == 0, "the stop")
        await asyncio.wait_for(room.engine.stop(made.strategy_id, "test"), 30)
        await until(lambda: room.paper.net(PE) == 0)
    await room.over(made)

    async def stored() -> bool:
        return (await room.engine.get(made.strategy_id)).status is RunStatus.STOPPED

    await until_told(stored)
    rows = await room.engine.orders(made.strategy_id, None)
    assert len(rows) == 4 and all(row.filled == 75 for row in rows)


async def test_a_recovery_waits_for_its_account(room: Room):
    made = await room.running(straddle(rules=stops(20)), Mode.LIVE)
    await room.engine.recorder.flush()
    room.live.account_id = "kite:2"
    await room.kill()
    await until(lambda: any("is not there yet" in row.text for row in room.notices))
    room.say(120.0, CE)
    assert len(room.live.sent) == 2
    room.live.account_id = "kite:1"
    await until(lambda: EventKind.RECOVERY_SUCCEEDED in room.kinds())
    room.say(121.0, CE)
    await until(lambda: room.live.net(CE) == 0)
    assert leg(room, made, 2).units == -75


async def test_entries_that_were_not_sent_are_not_made_up_for(room: Room):
    """Killed between the claim and the entries: nothing is sent later."""
    made = await room.make(straddle())
    live = room.engine.registry

    class Killed(BaseException):
        pass

    async def die(*_: object) -> None:
        raise Killed

    room.engine.entries.enter_all = die  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        await room.start(made)
    assert made.strategy_id in live.live
    await room.engine.recorder.flush()
    await room.kill()
    await room.over(made)
    assert room.paper.sent == []
    assert (await room.engine.get(made.strategy_id)).status is RunStatus.STOPPED


async def test_a_strategy_whose_last_run_left_something_does_not_start(room: Room):
    made = await room.running(straddle())
    await room.engine.recorder.flush()
    (run,) = await room.engine.runs(made.strategy_id, 5)
    await room.store.keep(run, b"{broken")
    await room.kill()
    await until(lambda: EventKind.RECOVERY_FAILED in room.kinds())
    await until(lambda: room.engine.view(made.strategy_id) is None)
    with pytest.raises(NotNow, match=f"An earlier run left {CE[1]}, {PE[1]} in exit plans"):
        await room.start(made)


async def test_a_stop_by_the_underlying_is_blind_without_its_price(room: Room):
    rules = LegRules(sl=Distance(Decimal(50), DistanceUnit.UNDERLYING_POINTS))
    made = await room.running(straddle(rules=rules))
    clock = later(room)
    quotes(room, {CE: 100.0, PE: 90.0})
    clock.more = prices.STALE + 1.0
    await room.engine.prices.look()
    await room.over(made)
    assert [NIFTY in keys for keys in room.prices.asked] == [True]
    (run,) = await room.engine.runs(made.strategy_id, 5)
    assert run.stop_reason is StopReason.TICK_STALE


async def test_an_exit_without_an_answer_is_not_sent_twice(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    made = await room.running(straddle(rules=stops(20)))
    room.paper.lose = {CE[1]}
    room.paper.hold_back = {CE[1]}
    room.say(120.0, CE)
    await until(lambda: room.paper.sent[-1] == f"BUY 75 {CE[1]}")
    with pytest.raises(NotNow, match="already running"):
        await room.start(made)
    room.paper.fill(room.paper.book[-1], 75)
    monkeypatch.setattr(reconcile, "ABSENT_AFTER", 1e9)
    await room.desk.reconciler.run_once()
    await until(lambda: leg(room, made).state == "closed")
    assert room.paper.sent.count(f"BUY 75 {CE[1]}") == 1


async def test_an_exit_without_an_answer_so_far_is_no_refusal(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    made = await room.running(straddle(legs=(short_leg(1, "CE"),)), Mode.LIVE)
    monkeypatch.setattr(exits, "ANSWER_WITHIN", 0.05)
    room.live.account_id = "kite:2"  # its account is not there: the exit waits for it
    answer = await room.engine.stop(made.strategy_id, "test")
    (row,) = answer.exits
    assert answer.pending and (row.ok, row.acknowledged) == (True, False)
    assert row.error.startswith("No answer yet") and len(room.live.sent) == 1
    room.live.account_id = "kite:1"
    await room.desk.books.rebase(Mode.LIVE)
    await room.over(made)
    assert room.live.net(CE) == 0


async def test_positions_that_cannot_be_read_close_nothing_twice(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hours, "LOOK", 0.02)
    monkeypatch.setattr(hours, "WATCH_AGAIN", 0.05)
    made = await room.running(straddle(rules=stops(20)))

    async def unreadable() -> None:
        raise NetTimeout("positions: no answer")

    with monkeypatch.context() as patch:
        patch.setattr(room.paper, "positions", unreadable)
        room.say(120.0, CE)
        await until(lambda: EventKind.LEG_EXIT_REJECTED in room.kinds())
        assert room.paper.net(CE) == -75
    await until(lambda: leg(room, made).state == "closed", "the exit, once the book can be read")
    assert room.paper.net(CE) == 0 and room.paper.sent.count(f"BUY 75 {CE[1]}") == 1
