"""The fourteen rules that real accidents of 2026 taught (automation.md A5), one by one: failing
gateways, and programs that are killed where they stand."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec
import pytest

from openalgo_desktop.automation.strategies import hours
from openalgo_desktop.core.enums import Action, Mode, OrderStatus
from openalgo_desktop.core.errors import NetTimeout, OrderError, RiskBlocked
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Distance,
    LegRules,
    LockMode,
    LockProfit,
    StrikeMode,
    Trail,
)
from openalgo_desktop.core.strategies.ports import EveryEntryRejected, NotNow
from openalgo_desktop.core.strategies.rows import LegView, MadeStrategy, Run
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    OrderState,
    RunStatus,
    Severity,
    Signal,
    StopReason,
)
from openalgo_desktop.trading.smart import SmartOrders
from tests.unit.automation.strategies.room import (
    CE,
    NIFTY,
    PE,
    SBIN,
    Bourse,
    Room,
    buys,
    contract,
    flipper,
    room,
    short_leg,
    stops,
    straddle,
)
from tests.waiting import until, until_told

__all__ = ["room"]


def leg(room: Room, made: MadeStrategy, leg_id: int = 1) -> LegView:
    view = room.engine.view(made.strategy_id)
    assert view is not None, "the run is over"
    return next(row for row in view.legs if row.leg_id == leg_id)


def spread() -> tuple[BatchLeg, ...]:
    """A short call, and the long put beside it, which stands second."""
    return (short_leg(1, "CE"), short_leg(2, "PE", position="B"))


async def test_rule_1_what_is_bought_goes_before_what_is_sold(room: Room):
    made = await room.running(straddle(legs=spread()))
    assert room.paper.sent == [f"BUY 75 {PE[1]}", f"SELL 75 {CE[1]}"]
    await room.engine.stop(made.strategy_id, "test")
    await room.over(made)
    assert room.paper.sent[2:] == [f"BUY 75 {CE[1]}", f"SELL 75 {PE[1]}"]


async def test_rule_1_without_its_hedge_nothing_is_sold(room: Room):
    room.paper.refuse = {PE[1]}
    made = await room.make(straddle(legs=spread()))
    with pytest.raises(EveryEntryRejected, match="BUY leg 2 was refused"):
        await room.start(made)
    assert room.paper.sent == [f"BUY 75 {PE[1]}"]
    assert (await room.engine.get(made.strategy_id)).status is RunStatus.STOPPED


async def test_rule_2_all_legs_are_resolved_before_anything_is_claimed(room: Room):
    unknown = short_leg(2, "PE", strike_mode=StrikeMode.PREMIUM, value=Decimal(50))
    made = await room.make(straddle(legs=(short_leg(1, "CE"), unknown)))
    with pytest.raises(OrderError, match=r"Leg 2: .*Nothing was guessed"):
        await room.start(made)
    assert room.paper.sent == [] and await room.engine.runs(made.strategy_id, 5) == []
    assert (await room.engine.get(made.strategy_id)).status is RunStatus.STOPPED


async def test_rule_3_an_exit_is_of_what_the_run_holds(room: Room):
    made = await room.running(straddle())
    room.quote({NIFTY: 25_300.0, contract("CE", 25_300): 70.0, contract("PE", 25_300): 80.0})
    await room.engine.stop(made.strategy_id, "test")
    await room.over(made)
    assert room.paper.sent[2:] == [f"BUY 75 {CE[1]}", f"BUY 75 {PE[1]}"]


async def test_rule_4_what_leaves_is_claimed_before_it_is_sent(room: Room):
    """A stop, a close of the leg and an end of the run in one moment: one exit."""
    made = await room.running(straddle(rules=stops(20)))
    room.paper.hold_back = {CE[1]}
    room.say(120.0, CE)
    number = made.strategy_id
    await asyncio.gather(room.engine.close_leg(number, 1, "test"), room.engine.stop(number, "test"))
    assert buys(room.paper.sent) == [f"BUY 75 {CE[1]}", f"BUY 75 {PE[1]}"]
    assert leg(room, made).state == "exiting"
    room.paper.fill(next(o for o in room.paper.book if o.status is OrderStatus.OPEN), 75)
    await room.over(made)
    rows = await room.engine.orders(number, None)
    assert [row.kind for row in rows if row.symbol == CE[1]] == [OrderKind.ENTRY, OrderKind.SL]


async def test_rule_4_a_refused_exit_gives_the_claim_back(room: Room):
    made = await room.running(straddle())
    room.paper.refuse = {CE[1]}
    with pytest.raises(NotNow, match=r"blocked"):
        await room.engine.close_leg(made.strategy_id, 1, "test")
    await until(lambda: leg(room, made).state == "open", "the claim given back")
    room.paper.refuse = set()
    await room.engine.close_leg(made.strategy_id, 1, "test")
    await until(lambda: leg(room, made).state == "closed")
    assert room.paper.net(CE) == 0


async def test_rule_5_a_leg_closes_by_its_fill(room: Room):
    made = await room.running(straddle())
    room.paper.hold_back = {CE[1], PE[1]}
    answer = await room.engine.stop(made.strategy_id, "test")
    assert answer.pending and not answer.run_stopped and all(row.ok for row in answer.exits)
    assert [leg(room, made, n).state for n in (1, 2)] == ["exiting", "exiting"]
    for order in room.paper.book[2:]:
        room.paper.fill(order, 40)
    await until(lambda: leg(room, made).units == -35)
    for order in room.paper.book[2:]:
        room.paper.fill(order, 35)
    await room.over(made)


async def test_rule_6_a_fill_belongs_to_an_order(room: Room):
    """A flip has two positions under one leg; each fill counts where it belongs."""
    made = await room.make(flipper())
    number = made.strategy_id
    await room.engine.signal(number, Signal.LONG_ENTRY, "test", leg_id=1)
    await until(lambda: leg(room, made).units == 10)
    room.say(810.0, SBIN)
    answer = await room.engine.signal(number, Signal.SHORT_ENTRY, "test", symbol="SBIN",
                                      exchange="NSE")  # fmt: skip
    assert answer.result == "ok"
    again = await room.engine.signal(number, Signal.SHORT_ENTRY, "test", leg_id=1)
    assert again.result == "already_short"
    await until(lambda: leg(room, made).units == -10)
    assert room.paper.sent == ["BUY 10 SBIN", "SELL 10 SBIN", "SELL 10 SBIN"]
    live = room.engine.registry.live[number]
    old, new = live.state.places
    assert (old.superseded, old.closed, new.superseded) == (True, True, False)
    await room.engine.signal(number, Signal.SHORT_EXIT, "test", leg_id=1)
    await until(lambda: room.paper.net(SBIN) == 0)
    view = room.engine.view(number)
    assert view is not None and view.realised == 100
    rows = await room.engine.orders(number, None)
    assert [(row.position_ref, row.kind) for row in rows] == [
        (old.ref, OrderKind.ENTRY),
        (old.ref, OrderKind.SIGNAL),
        (new.ref, OrderKind.ENTRY),
        (new.ref, OrderKind.SIGNAL),
    ]


async def test_rule_6_a_flip_whose_exit_is_refused_enters_nothing(room: Room):
    made = await room.make(flipper())
    number = made.strategy_id
    await room.engine.signal(number, Signal.LONG_ENTRY, "test", leg_id=1)
    await until(lambda: leg(room, made).units == 10)
    room.paper.refuse = {"SBIN"}
    await room.engine.signal(number, Signal.SHORT_ENTRY, "test", leg_id=1)
    await until(lambda: EventKind.FLIP_OUTGOING_EXIT_REJECTED in room.kinds())
    room.paper.refuse = set()
    assert room.engine.registry.live[number].state.again == []
    assert leg(room, made).units == 10 and room.paper.net(SBIN) == 10
    answer = await room.engine.signal(number, Signal.LONG_ENTRY, "test", leg_id=1)
    assert answer.result == "already_long"


async def test_rule_7_a_stop_whose_exits_were_all_refused_leaves_the_run_open(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hours, "LOOK", 0.02)
    monkeypatch.setattr(hours, "WATCH_AGAIN", 0.05)
    made = await room.running(straddle(rules=stops(20)))
    room.paper.refuse = {CE[1], PE[1]}
    with pytest.raises(NotNow, match="No exit was accepted: leg 1: "):
        await room.engine.stop(made.strategy_id, "test")
    await until(lambda: EventKind.RUN_STOP_FAILED in room.kinds(), "the event")
    (event,) = [row for row in room.told if row.kind is EventKind.RUN_STOP_FAILED]
    assert event.severity is Severity.CRITICAL
    assert (await room.engine.get(made.strategy_id)).status is RunStatus.RUNNING
    room.paper.refuse = set()
    room.say(121.0, CE)  # its stop: what is open is looked after
    await until(lambda: room.paper.net(CE) == 0, "the stop")
    assert room.paper.net(PE) == -75 and leg(room, made, 2).state == "open"


async def test_rule_8_the_mode_belongs_to_the_run(room: Room):
    made = await room.running(straddle(rules=stops(20)))
    await room.desk.set_mode(Mode.LIVE, "window")
    room.say(120.0, CE)
    await until(lambda: room.paper.net(CE) == 0)
    await room.engine.stop(made.strategy_id, "test")
    await room.over(made)
    assert len(room.paper.sent) == 4 and room.live.sent == []


async def test_rule_8_two_on_opposite_sides_of_one_position_would_net(room: Room):
    await room.running(straddle(name="Short", legs=(short_leg(1, "CE"),)))
    long = await room.make(straddle(name="Long", legs=(short_leg(1, "CE", position="B"),)))
    with pytest.raises(EveryEntryRejected, match="The strategy Short holds the other side"):
        await room.start(long)
    live = await room.make(straddle(name="Live", legs=(short_leg(1, "CE", position="B"),)))
    await room.engine.enable_live(live.strategy_id, True, "test")
    await room.start(live, Mode.LIVE)  # another account
    assert room.live.sent == [f"BUY 75 {CE[1]}"]


async def test_rule_8_live_is_allowed_for_one_account(room: Room):
    made = await room.make(flipper())
    await room.engine.enable_live(made.strategy_id, True, "test")
    other = Bourse("upstox", room.prices)
    room.desk.set_gateway(Mode.LIVE, other)
    refused = "may trade live in the account kite:1, and live orders go to upstox:1 now"
    with pytest.raises(NotNow, match=refused):  # by the schedule
        await room.start(made, Mode.LIVE)
    with pytest.raises(NotNow, match=refused):  # by its webhook
        await room.engine.signal(made.strategy_id, Signal.LONG_ENTRY, "test", leg_id=1)
    assert (room.live.sent, other.sent, room.paper.sent) == ([], [], [])
    await room.engine.enable_live(made.strategy_id, True, "test")
    await room.engine.signal(made.strategy_id, Signal.LONG_ENTRY, "test", leg_id=1)
    await until(lambda: other.sent == ["BUY 10 SBIN"])


async def test_rule_8_the_account_that_changes_before_the_claim_is_not_traded_in(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    made = await room.make(straddle())
    await room.engine.enable_live(made.strategy_id, True, "test")
    other = Bourse("upstox", room.prices)
    claim = room.store.claim

    async def later(run: Run) -> int | None:  # it went by already
        return await claim(msgspec.structs.replace(run, account_id=other.account_id))

    monkeypatch.setattr(room.store, "claim", later)
    with pytest.raises(NotNow):
        await room.start(made, Mode.LIVE)
    assert room.live.sent == [] and (await room.engine.get(made.strategy_id)).current_run_id is None


async def test_live_is_allowed_for_no_account_that_is_not_there(room: Room):
    made = await room.make(straddle())
    room.desk.set_gateway(Mode.LIVE, None)
    with pytest.raises(NotNow, match="one account, and there is none"):
        await room.engine.enable_live(made.strategy_id, True, "test")
    assert not (await room.engine.get(made.strategy_id)).live_enabled


async def test_rule_8_what_the_hand_holds_is_not_netted(room: Room):
    request = OrderRequest("SBIN", "NSE", Action.BUY, 30)
    await room.desk.place(request, "window")
    await until(lambda: room.paper.net(SBIN) == 30)
    made = await room.make(flipper())
    with pytest.raises(OrderError, match=r"account holds \+30 SBIN MIS that are not of this"):
        await room.engine.signal(made.strategy_id, Signal.SHORT_ENTRY, "test", leg_id=1)
    await room.engine.signal(made.strategy_id, Signal.LONG_ENTRY, "test", leg_id=1)
    await until(lambda: room.paper.net(SBIN) == 40)
    await room.engine.signal(made.strategy_id, Signal.LONG_EXIT, "test", leg_id=1)
    await until(lambda: room.paper.net(SBIN) == 30, "its own ten and no more")


async def test_rule_9_an_exit_never_waits_for_approval(room: Room):
    made = await room.running(straddle(rules=stops(20)))

    async def ask(request: OrderRequest, source: str) -> None:
        raise RiskBlocked(f"Orders of {source} need approval")

    room.desk.approval = ask
    room.say(120.0, CE)
    await until(lambda: room.paper.net(CE) == 0, "the stop")
    await room.engine.stop(made.strategy_id, "test")
    await room.over(made)
    assert room.paper.net(PE) == 0
    with pytest.raises(EveryEntryRejected, match="need approval"):
        await room.start(made)


async def test_rule_10_a_part_that_filled_and_a_cancel(room: Room):
    room.paper.hold_back = {CE[1]}
    made = await room.make(straddle(legs=(short_leg(1, "CE", rules=stops(20)),)))
    await room.start(made)
    (order,) = room.paper.book
    room.paper.fill(order, 30)
    await room.paper.cancel(order.order_id)
    await until(lambda: leg(room, made).units == -30)
    room.paper.hold_back = set()
    room.say(120.0, CE)
    await room.over(made)
    assert room.paper.sent == [f"SELL 75 {CE[1]}", f"BUY 30 {CE[1]}"] and room.paper.net(CE) == 0
    entry, _ = await room.engine.orders(made.strategy_id, None)
    assert (entry.status, entry.filled, entry.quantity) == (OrderState.CANCELLED, 30, 75)


async def test_rule_11_rejected_is_final(room: Room):
    room.paper.reject = {CE[1]}
    made = await room.make(straddle())
    await room.start(made)
    await until(lambda: EventKind.LEG_ENTRY_REJECTED in room.kinds())
    assert room.paper.sent == [f"SELL 75 {CE[1]}", f"SELL 75 {PE[1]}"]
    assert leg(room, made).state == "closed" and leg(room, made, 2).state == "open"


async def test_rule_11_an_order_of_unknown_state_counts_as_working(room: Room):
    room.paper.lose = {CE[1]}
    made = await room.make(straddle(legs=(short_leg(1, "CE"),)))
    answer = await room.start(made)
    assert [(row.ok, row.acknowledged) for row in answer.legs] == [(True, False)]
    with pytest.raises(NotNow, match="already running"):
        await room.start(made)
    await room.desk.reconciler.run_once()
    await until(lambda: leg(room, made).units == -75, "the order that arrived")
    assert room.paper.sent == [f"SELL 75 {CE[1]}"]


async def test_rule_12_the_intent_is_on_disk_before_the_order_leaves(room: Room):
    seen: list[int] = []

    def before(request: OrderRequest) -> None:
        live = room.engine.registry.live[1]
        rows = live.ledger.rows()
        seen.append(sum(row.status is OrderState.PENDING for row in rows))
        seen.append(len(room.engine.recorder.numbered))

    room.paper.before = before
    await room.running(straddle(legs=(short_leg(1, "CE"),)))
    assert seen == [1, 1]


async def test_rule_12_a_restart_rebuilds_from_rows_plans_and_checkpoint(room: Room):
    rules = LegRules(sl=Distance(Decimal(20)), trail=Trail(Decimal(10), Decimal(8)))
    lock = LockProfit(LockMode.LOCK, Decimal(1000), Decimal(400))
    made = await room.running(straddle(rules=rules, lock_profit=lock))
    room.say(85.0, CE)  # 15 won: one step, from 120 to 112; 1,125 rupees: the profit is locked
    await until(lambda: leg(room, made).stop == 112)
    await until(lambda: EventKind.LOCK_PROFIT_ARMED in room.kinds())
    await room.engine.recorder.flush()
    await until(lambda: not room.watch._shelf._unsaved)
    await room.kill()
    await until(lambda: EventKind.RECOVERY_SUCCEEDED in room.kinds(), "the recovery")
    view = room.engine.view(made.strategy_id)
    assert view is not None and view.floor == 400
    assert [row.units for row in view.legs] == [-75, -75] and view.legs[0].stop == 112
    assert room.paper.sent == [f"SELL 75 {CE[1]}", f"SELL 75 {PE[1]}"]
    room.say(95.0, CE)  # 375 rupees are below the floor
    await room.over(made)
    (run,) = await room.engine.runs(made.strategy_id, 5)
    assert (run.stop_reason, run.pnl_realized) == (StopReason.LOCK_PROFIT, 375)


async def test_rule_12_a_fill_while_the_program_was_away_is_known(room: Room):
    room.paper.hold_back = {CE[1]}
    made = await room.make(straddle(legs=(short_leg(1, "CE", rules=stops(20)),)))
    await room.start(made)
    room.paper.before = lambda request: None
    (order,) = room.paper.book
    room.paper.listener, quiet = None, room.paper.listener
    assert quiet is not None
    room.paper.fill(order, 75)
    room.paper.hold_back = set()
    await room.kill()
    await until(lambda: EventKind.RECOVERY_SUCCEEDED in room.kinds())
    await until(lambda: leg(room, made).units == -75)
    room.say(120.0, CE)
    await room.over(made)
    assert room.paper.net(CE) == 0


async def test_rule_12_a_kill_in_the_middle_of_the_exits_sends_none_twice(room: Room):
    made = await room.running(straddle())
    room.paper.hold_back = {CE[1], PE[1]}
    await room.engine.stop(made.strategy_id, "test")
    await room.engine.recorder.flush()
    await room.kill()
    await until(lambda: EventKind.RECOVERY_SUCCEEDED in room.kinds())
    for order in room.paper.book[2:]:
        room.paper.fill(order, 75)
    await room.over(made)
    assert buys(room.paper.sent) == [f"BUY 75 {CE[1]}", f"BUY 75 {PE[1]}"]
    (run,) = await room.engine.runs(made.strategy_id, 5)
    assert run.stop_reason is StopReason.MANUAL


async def test_rule_12_what_cannot_be_proven_is_told_and_stays_protected(room: Room):
    made = await room.running(straddle(rules=stops(20)))
    await room.engine.recorder.flush()
    (run,) = await room.engine.runs(made.strategy_id, 5)
    await room.store.keep(run, b"{broken")
    await room.kill()
    await until(lambda: EventKind.RECOVERY_FAILED in room.kinds())
    await until_status(room, made, RunStatus.ERRORED)
    (run,) = await room.engine.runs(made.strategy_id, 5)
    assert run.stop_reason is StopReason.RECOVERY_FAILED
    room.say(120.0, CE)
    await until(lambda: room.paper.net(CE) == 0, "the stop of its plan")


async def until_status(room: Room, made: MadeStrategy, status: RunStatus) -> None:
    async def there() -> bool:
        return (await room.engine.get(made.strategy_id)).status is status

    await until_told(there)


async def test_rule_13_three_triggers_at_once_start_once(room: Room):
    made = await room.make(straddle())
    answers = await asyncio.gather(*(room.start(made) for _ in range(3)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, NotNow)]
    assert len(refused) == 2 and refused[0].message == "This strategy is already running"
    assert len(room.paper.sent) == 2


async def test_rule_14_a_smart_order_whose_position_cannot_be_read(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    async def positions() -> None:
        raise NetTimeout("positions: no answer")

    monkeypatch.setattr(room.paper, "positions", positions)
    request = OrderRequest("SBIN", "NSE", Action.BUY, 10)
    with pytest.raises(NetTimeout) as caught:
        await SmartOrders(room.desk).place(request, 10, "api:key")
    assert caught.value.message == (
        "OpenAlgo could not read your open position from sandbox, so no order was sent. Check your "
        "positions and try again."
    )
    assert room.paper.sent == []


async def test_a_changed_definition_never_meets_a_run(room: Room):
    made = await room.running(straddle())
    for call in (
        room.engine.update(made.strategy_id, straddle(name="Other"), "test"),
        room.engine.enable_live(made.strategy_id, True, "test"),
        room.engine.delete(made.strategy_id, "test"),
    ):
        with pytest.raises(NotNow, match="It runs"):
            await call
