"""Combined rules, re-entries, trails to the entry, ranges and momentum over a running engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, OrderStatus, PriceType
from openalgo_desktop.core.events import ExitPlanChanged, OrderUpdated
from openalgo_desktop.core.exits import PlanState
from openalgo_desktop.core.model import Order
from openalgo_desktop.core.strategies.model import (
    Distance,
    DistanceUnit,
    LegRules,
    LockMode,
    LockProfit,
    Momentum,
    RangeBreakout,
    Reentry,
    ReentryMode,
    SquareOff,
    Trail,
)
from openalgo_desktop.core.strategies.ports import NotNow
from openalgo_desktop.core.strategies.rows import LegView, MadeStrategy, Run
from openalgo_desktop.core.strategies.words import EventKind, OrderKind, StopReason
from tests.unit.automation.strategies.room import (
    CE,
    NIFTY,
    NOW,
    PE,
    Room,
    contract,
    room,
    short_leg,
    stops,
    straddle,
)
from tests.waiting import until

__all__ = ["room"]
D = Decimal


def leg(room: Room, made: MadeStrategy, leg_id: int = 1) -> LegView:
    view = room.engine.view(made.strategy_id)
    assert view is not None, "the run is over"
    return next(row for row in view.legs if row.leg_id == leg_id)


async def last_run(room: Room, made: MadeStrategy) -> Run:
    await room.over(made)
    return (await room.engine.runs(made.strategy_id, 1))[0]


@pytest.mark.parametrize(
    ("fields", "prices", "reason", "result"),
    [
        ({"overall_sl": D(1500)}, (119.8, 120.0), StopReason.OVERALL_SL, -1500),
        ({"overall_target": D(750)}, (90.2, 90.0), StopReason.OVERALL_TARGET, 750),
        ({"daily_loss_limit": D(600)}, (108.0,), StopReason.DAILY_LOSS_LIMIT, -600),
        (
            {"lock_profit": LockProfit(LockMode.LOCK_AND_TRAIL, D(600), D(100), D(300))},
            (90.0, 93.9, 94.0),
            StopReason.LOCK_PROFIT,
            450,
        ),
    ],
)
async def test_a_combined_rule_closes_everything(
    room: Room, fields: dict[str, Any], prices: tuple[float, ...], reason: StopReason, result: int
):
    made = await room.running(straddle(**fields))
    for price in prices[:-1]:
        room.say(price, CE)
        assert room.engine.registry.live[made.strategy_id].state.leaving is None
    room.say(prices[-1], CE)
    run = await last_run(room, made)
    assert (run.stop_reason, run.pnl_realized) == (reason, result)
    assert room.paper.net(CE) == room.paper.net(PE) == 0


async def test_the_rules_look_at_what_is_left_after_charges(room: Room):
    """The same prices: net of charges the target is reached later, and the stop earlier."""
    gross = await room.running(straddle(name="Gross", overall_target=D(750)))
    net = await room.running(straddle(name="Net", overall_target=D(750), net_of_charges=True))
    view = room.engine.view(net.strategy_id)
    assert view is not None and view.result is not None and view.unrealised is not None
    assert view.charges > 0 and view.result == view.unrealised - view.charges
    room.say(90.0, CE)
    await room.over(gross)
    assert room.engine.view(net.strategy_id) is not None
    room.say(80.0, CE)
    run = await last_run(room, net)
    assert run.pnl_realized - run.charges >= 750


async def test_a_stop_of_one_leg_takes_all_with_it(room: Room):
    made = await room.running(straddle(rules=stops(20), square_off=SquareOff.COMPLETE))
    room.say(120.0, CE)
    run = await last_run(room, made)
    assert run.stop_reason is StopReason.OVERALL_SL and room.paper.net(PE) == 0


async def test_after_a_stop_the_other_stop_goes_to_its_entry(room: Room):
    made = await room.running(straddle(rules=stops(20), trail_sl_to_entry=True, overall_sl=D(1450)))
    room.say(85.0, PE)  # the put wins
    room.say(120.0, CE)
    await until(lambda: leg(room, made, 2).stop == 90, "the stop at the entry")
    await until(lambda: EventKind.TRAIL_TO_ENTRY_ACTIVATED in room.kinds())
    room.say(90.0, PE)
    run = await last_run(room, made)
    # 1,500 of the call; the combined stop of 1,450 is bypassed from then on
    assert (run.stop_reason, run.pnl_realized) == (StopReason.LEGS_CLOSED, -1500)


async def test_a_stop_that_would_loosen_is_not_moved(room: Room):
    made = await room.running(straddle(rules=stops(20), trail_sl_to_entry=True))
    room.say(95.0, PE)  # above its entry: the stop there would go out at once
    room.say(120.0, CE)
    await until(lambda: leg(room, made).state == "closed")
    assert leg(room, made, 2).stop == 110


async def test_a_trail_tells_that_it_is_armed_and_moved(room: Room):
    rules = LegRules(sl=Distance(D(20)), trail=Trail(D(10), D(5)))
    made = await room.running(straddle(legs=(short_leg(1, "CE", rules=rules),)))
    room.say(90.0, CE)
    room.say(80.0, CE)
    await until(lambda: leg(room, made).stop == 110)
    assert leg(room, made).best == 80
    room.say(110.0, CE)
    await room.over(made)
    kinds = room.kinds()
    assert kinds.count(EventKind.LEG_TRAIL_ARMED) == 1 == kinds.count(EventKind.LEG_TRAIL_ADVANCED)
    rows = await room.engine.orders(made.strategy_id, None)
    assert rows[-1].kind is OrderKind.TRAIL


async def test_a_stop_by_the_underlying(room: Room):
    """A short call loses when the index rises, a short put when it falls."""
    rules = LegRules(sl=Distance(D(50), DistanceUnit.UNDERLYING_POINTS))
    made = await room.running(straddle(rules=rules))
    room.say(25_049.0, NIFTY)
    assert [leg(room, made, n).state for n in (1, 2)] == ["open", "open"]
    room.say(25_050.0, NIFTY)
    await until(lambda: leg(room, made).state == "closed")
    assert leg(room, made, 2).state == "open"
    room.say(24_950.0, NIFTY)
    await room.over(made)
    assert room.paper.net(PE) == 0


# -- re-entry --------------------------------------------------------------------------------------
def again(mode: ReentryMode, times: int = 1) -> LegRules:
    return LegRules(sl=Distance(D(20)), after_sl=Reentry(mode, times))


async def test_re_entry_asap_chooses_its_strike_anew(room: Room):
    rules = again(ReentryMode.ASAP)
    made = await room.running(straddle(legs=(short_leg(1, "CE", rules=rules),)))
    other = contract("CE", 25_200)
    room.quote({NIFTY: 25_210.0, other: 100.0})
    room.say(120.0, CE)
    await until(lambda: room.paper.net(other) == -75, "the re-entry")
    assert room.paper.sent == [f"SELL 75 {CE[1]}", f"BUY 75 {CE[1]}", f"SELL 75 {other[1]}"]
    await until(lambda: leg(room, made).units == -75)
    room.say(120.0, other)  # once was all
    run = await last_run(room, made)
    assert run.pnl_realized == -3000 and room.paper.net(other) == 0


async def test_re_entry_reversed_takes_the_other_side(room: Room):
    rules = again(ReentryMode.ASAP_REVERSED)
    await room.running(straddle(legs=(short_leg(1, "CE", rules=rules),)))
    room.say(120.0, CE)
    await until(lambda: room.paper.net(CE) == 75, "the other side")


async def test_re_entry_at_cost_waits_for_the_first_price(room: Room):
    rules = again(ReentryMode.COST)
    made = await room.running(straddle(legs=(short_leg(1, "CE", rules=rules),)))
    room.say(120.0, CE)
    await until(lambda: leg(room, made).state == "waiting")
    room.say(101.0, CE)
    assert len(room.paper.sent) == 2
    room.say(100.0, CE)
    await until(lambda: room.paper.net(CE) == -75, "the re-entry")


async def test_no_re_entry_after_a_time(room: Room):
    rules = again(ReentryMode.ASAP)
    made = await room.running(
        straddle(legs=(short_leg(1, "CE", rules=rules),), no_reentry_after="09:59")
    )
    room.say(120.0, CE)
    run = await last_run(room, made)
    assert run.stop_reason is StopReason.LEGS_CLOSED and len(room.paper.sent) == 2


async def test_the_whole_enters_again_after_a_combined_stop(room: Room):
    made = await room.running(straddle(overall_sl=D(1500), overall_reentries=1))
    room.say(120.0, CE)
    await until(lambda: len(room.paper.sent) == 6, "both legs again")
    await until(lambda: leg(room, made).units == -75)
    room.say(139.0, CE)  # 1,425 more; 2,925 in all
    assert room.engine.view(made.strategy_id) is not None
    room.say(140.0, CE)
    run = await last_run(room, made)
    assert (run.stop_reason, run.pnl_realized) == (StopReason.OVERALL_SL, -3000)


# -- entries that wait -----------------------------------------------------------------------------
async def test_momentum_waits_for_the_price_of_the_leg(room: Room):
    leg_ = short_leg(1, "CE", momentum=Momentum(D(-10), DistanceUnit.PERCENT))
    made = await room.make(straddle(legs=(leg_, short_leg(2, "PE"))))
    answer = await room.start(made)
    assert [row.leg_id for row in answer.legs] == [2]
    assert leg(room, made).state == "waiting"
    room.say(91.0, CE)
    assert room.paper.net(CE) == 0
    room.say(90.0, CE)
    await until(lambda: room.paper.net(CE) == -75, "the entry")


async def test_a_range_is_left(room: Room):
    made = await room.make(straddle(range_breakout=RangeBreakout("10:00", "10:05")))
    await room.start(made)
    assert room.paper.sent == []
    for price in (25_010.0, 24_980.0):
        room.say(price, NIFTY)
    room.clock.jump(NOW.replace(minute=6))
    room.say(25_010.0, NIFTY)  # its high; it has to be above
    assert room.paper.sent == []
    room.say(25_011.0, NIFTY)
    await until(lambda: len(room.paper.sent) == 2, "the entries")
    await until(lambda: leg(room, made).state == "open")


async def test_a_range_that_nobody_saw_is_not_guessed(room: Room):
    made = await room.make(straddle(range_breakout=RangeBreakout("09:15", "09:45")))
    with pytest.raises(NotNow, match="was not seen from there"):
        await room.start(made)
    made = await room.make(straddle(name="Gap", range_breakout=RangeBreakout("10:00", "10:05")))
    await room.start(made)
    room.say(25_010.0, NIFTY)
    await room.engine.recorder.flush()
    await room.kill()  # in the middle of the range
    await room.over(made)
    room.clock.jump(NOW.replace(minute=6))
    room.say(26_000.0, NIFTY)
    assert room.paper.sent == []


async def test_the_daily_loss_counts_earlier_runs(room: Room):
    made = await room.running(straddle(daily_loss_limit=D(1000)))
    room.say(110.0, CE)
    await room.engine.stop(made.strategy_id, "test")
    await room.over(made)  # 750 lost
    room.say(100.0, CE)
    await room.start(made)
    await until(lambda: room.all_in(made))
    room.say(104.0, CE)  # 300 more
    run = await last_run(room, made)
    assert run.stop_reason is StopReason.DAILY_LOSS_LIMIT
    with pytest.raises(NotNow, match="daily loss limit is reached"):
        await room.start(made)


async def test_an_exit_that_is_told_after_its_leg_counted_as_closed_outside_counts_once(room: Room):
    made = await room.running(straddle(legs=(short_leg(1, "CE"), short_leg(2, "PE"))))
    live = room.engine.registry.live[made.strategy_id]
    place = next(row for row in live.open() if row.symbol == CE[1])
    plan = live.plans[place.ref]
    room.say(98.0, CE)
    gone = msgspec.structs.replace(plan, state=PlanState.DONE, held=0)
    room.bus.publish(ExitPlanChanged(plan=gone))
    await until(lambda: place.closed)
    assert place.elsewhere == 75 and live.result().realised == D(150)  # 2 rupees of 75 units
    order = Order(
        "LATE", *reversed(CE), Action.BUY, 75, PriceType.MARKET, place.product,
        status=OrderStatus.OPEN, filled_quantity=25, average_price=96.0,
        source=f"exit:{place.ref}",
    )  # fmt: skip
    live.ledger.exit(room.engine._exits.template(live, place, OrderKind.SL, 75))

    def tell() -> None:
        event = OrderUpdated(live.run.account_id, live.run.mode, "sandbox", order)
        room.bus.publish(event)

    tell()
    await until(lambda: live.result().realised == D(200))  # 25 at 96, 50 at 98
    order.filled_quantity, order.status = 75, OrderStatus.COMPLETE
    tell()
    await until(lambda: live.result().realised == D(300))
    tell()  # twice
    assert (place.elsewhere, place.elsewhere_value) == (0, 0)
    assert live.result().realised == D(300)
