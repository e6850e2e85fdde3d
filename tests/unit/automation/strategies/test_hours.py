"""Schedules, exit times, expiries; the kill switch; what may not begin."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from openalgo_desktop.automation.strategies import hours
from openalgo_desktop.core.calendar import Holiday, Opening
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import ConfigError, OrderError
from openalgo_desktop.core.events import KillSwitchChanged
from openalgo_desktop.core.strategies.checks import DefinitionError
from openalgo_desktop.core.strategies.model import (
    Definition,
    Expiry,
    Reentry,
    ReentryMode,
    Scheduler,
)
from openalgo_desktop.core.strategies.ports import NotNow, StrategyNotFound
from openalgo_desktop.core.strategies.rows import LegView, MadeStrategy
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    RunStatus,
    Signal,
    StopReason,
    TriggerSource,
)
from openalgo_desktop.storage.state import KeyValueStore
from tests.unit.automation.strategies.room import (
    CE,
    EXPIRIES,
    NOW,
    PE,
    SBIN,
    Room,
    contract,
    flipper,
    room,
    short_leg,
    stops,
    straddle,
)
from tests.waiting import until

__all__ = ["room"]


def leg(room: Room, made: MadeStrategy, leg_id: int = 1) -> LegView:
    view = room.engine.view(made.strategy_id)
    assert view is not None, "the run is over"
    return next(row for row in view.legs if row.leg_id == leg_id)


def at(text: str, days: int = 0) -> datetime:
    day = NOW.date() + timedelta(days=days)
    return datetime.fromisoformat(f"{day.isoformat()}T{text}").replace(tzinfo=IST)


def scheduled(**fields: Any) -> Definition:
    row: dict[str, Any] = {"enabled": True, "start_time": "10:10", "auto_stop_time": "14:00"}
    return straddle(scheduler=Scheduler(**(row | fields)))


async def look(room: Room, text: str, days: int = 0) -> None:
    room.clock.jump(at(text, days))
    await room.engine.hours.look()
    await asyncio.gather(*room.engine.hours.starting)


async def runs(room: Room, made: MadeStrategy) -> list[tuple[TriggerSource, StopReason | None]]:
    rows = await room.engine.runs(made.strategy_id, 10)
    return [(row.trigger_source, row.stop_reason) for row in rows]


# -- schedule --------------------------------------------------------------------------------------
async def test_a_schedule_starts_once_a_day_and_stops(room: Room):
    made = await room.make(scheduled())
    await look(room, "10:09:59")
    assert await runs(room, made) == []
    await look(room, "10:10:00")
    await until(lambda: len(room.paper.sent) == 2, "the start")
    await until(lambda: room.all_in(made))
    await look(room, "13:59:59")
    assert room.engine.view(made.strategy_id) is not None
    await look(room, "14:00:00")
    await room.over(made)
    assert await runs(room, made) == [(TriggerSource.SCHEDULER, StopReason.SCHEDULER)]
    for moment in ("10:10:30", "10:11:00"):  # the clock was put back
        await look(room, moment)
    assert len(await runs(room, made)) == 1
    await room.kill()
    await look(room, "10:12:00")
    assert len(await runs(room, made)) == 1  # nor after a restart


async def test_a_start_that_a_crash_cut_short_is_made_up_for(room: Room):
    made = await room.make(scheduled())
    at_claim = asyncio.Event()

    async def dies(*_: object) -> int:
        at_claim.set()
        await asyncio.Event().wait()
        raise AssertionError

    claim, room.store.claim = room.store.claim, dies  # type: ignore[method-assign]
    room.clock.jump(at("10:10:00"))
    await room.engine.hours.look()
    await at_claim.wait()
    room.store.claim = claim  # type: ignore[method-assign]
    await room.kill()
    assert await runs(room, made) == [] == room.paper.sent
    await look(room, "10:12:00")
    await until(lambda: len(room.paper.sent) == 2, "the start")
    assert await runs(room, made) == [(TriggerSource.SCHEDULER, None)]
    await until(lambda: room.all_in(made))
    await room.engine.stop(made.strategy_id, "test")
    await room.over(made)
    await room.kill()
    await look(room, "10:13:00")
    assert len(await runs(room, made)) == 1


async def test_a_start_that_a_crash_cut_short_after_its_claim_is_no_second_one(room: Room):
    made = await room.make(scheduled())
    number = str(made.strategy_id)
    await look(room, "10:10:00")
    await until(lambda: room.all_in(made), "the entries")
    await room.engine.recorder.flush()
    # The note that it came to its end did not reach the disk.
    await KeyValueStore(room.db).put("strategy-days", number, f"{NOW.date()} trying")
    await room.kill()
    await until(lambda: EventKind.RECOVERY_SUCCEEDED in room.kinds())
    await room.engine.stop(made.strategy_id, "test")
    await room.over(made)
    await look(room, "10:12:00")
    assert len(await runs(room, made)) == 1


async def test_a_start_that_was_cut_short_and_comes_too_late_is_told(room: Room):
    made = await room.make(scheduled())
    number = str(made.strategy_id)
    await KeyValueStore(room.db).put("strategy-days", number, f"{NOW.date()} trying")
    await look(room, "10:20:00")
    assert await runs(room, made) == []
    assert [row.text for row in room.notices if "was missed by 10 minutes" in row.text]


async def test_nothing_is_entered_again_in_the_last_minute_of_a_half_day(room: Room):
    again = msgspec.structs.replace(stops(20), after_sl=Reentry(mode=ReentryMode.ASAP, times=5))
    opened = Opening("NFO", "09:15", "12:00")
    half = Holiday(NOW.date(), "half day", "SPECIAL_SESSION", open=(opened,))
    made = await room.running(straddle(rules=again))
    room.calendar.amend([half])
    room.clock.jump(at("11:58:00"))
    room.say(120.0, CE)
    await until(lambda: len(room.paper.sent) == 4, "its leg comes again")
    await until(lambda: room.all_in(made))
    room.clock.jump(at("11:59:00"))
    room.say(145.0, CE)
    await until(lambda: leg(room, made).state == "closed")
    assert len(room.paper.sent) == 5


async def test_a_new_schedule_is_looked_after_without_being_asked(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hours, "LOOK", 0.02)
    room.clock.jump(at("10:11:00"))
    made = await room.make(scheduled())
    await until(lambda: made.strategy_id in room.engine.registry.live, "the start")


async def test_a_start_that_could_not_be_is_tried_again_during_its_grace(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hours, "TRY_AGAIN", 0.0)
    made = await room.make(scheduled())
    room.blocked = "The kill switch is on."
    for second in range(3):
        await look(room, f"10:10:0{second}")
        await until(lambda: not room.engine.hours.starting)
    told = [row.text for row in room.notices if "The kill switch is on." in row.text]
    assert len(told) == 1 and "tried again for 5 minutes" in told[0]
    room.blocked = ""
    await look(room, "10:14:00")
    await until(lambda: len(room.paper.sent) == 2, "the start")
    assert await runs(room, made) == [(TriggerSource.SCHEDULER, None)]


async def test_a_schedule_leaves_alone_what_runs_already(room: Room):
    made = await room.running(scheduled())
    await look(room, "10:10:00")
    assert not room.engine.hours.starting
    assert await runs(room, made) == [(TriggerSource.MANUAL, None)]


async def test_a_late_engine_makes_up_for_minutes_and_not_for_hours(room: Room):
    made = await room.make(scheduled())
    await look(room, "10:14:00")
    await until(lambda: len(room.paper.sent) == 2, "within its grace")
    await room.engine.stop(made.strategy_id, "test")
    late = msgspec.structs.replace(scheduled(start_time="10:05"), name="Late")
    other = await room.make(late)
    await look(room, "10:20:00")
    assert await runs(room, other) == []
    assert any("was missed by 15 minutes" in notice.text for notice in room.notices)


async def test_no_start_on_another_weekday_or_away_from_its_expiry(room: Room):
    for definition in (
        msgspec.structs.replace(scheduled(days=("TUE",)), name="Tuesdays"),
        msgspec.structs.replace(scheduled(expiry_days=(0,)), name="Expiry days"),
    ):
        made = await room.make(definition)
        await look(room, "10:10:00")
        assert await runs(room, made) == []
    near = await room.make(msgspec.structs.replace(scheduled(expiry_days=(1,)), name="Day before"))
    await look(room, "10:11:00")  # Monday; the expiry is on Tuesday
    await until(lambda: near.strategy_id in room.engine.registry.live)


async def test_a_schedule_of_live_needs_the_opt_in(room: Room):
    made = await room.make(scheduled(default_mode="live"))
    await look(room, "10:10:00")
    await until(lambda: any("not enabled for live" in row.text for row in room.notices))
    assert room.live.sent == [] and await runs(room, made) == []


# -- exit times ------------------------------------------------------------------------------------
async def test_an_intraday_run_leaves_at_its_exit_time(room: Room):
    made = await room.running(straddle())
    await look(room, "15:15:00")
    await room.over(made)
    assert await runs(room, made) == [(TriggerSource.MANUAL, StopReason.EOD)]
    rows = await room.engine.orders(made.strategy_id, None)
    assert {row.kind for row in rows} == {OrderKind.ENTRY, OrderKind.EOD}
    with pytest.raises(NotNow, match="exit time of today"):
        await room.start(made)


async def test_a_run_of_yesterday_leaves_when_the_market_opens(room: Room):
    made = await room.running(straddle())
    room.open = False
    await look(room, "08:00:00", 1)
    assert len(room.paper.sent) == 2
    room.open = True
    await look(room, "09:15:01", 1)
    await room.over(made)
    assert room.paper.net(CE) == 0


async def test_what_expires_today_leaves_and_the_rest_goes_on(room: Room):
    later = contract("PE", 25_000, EXPIRIES[2])
    room.say(300.0, later)
    legs = (short_leg(1, "CE"), short_leg(2, "PE", expiry=Expiry.MONTHLY))
    made = await room.running(straddle(legs=legs, intraday=False, product=Product.NRML))
    await look(room, "15:15:00")  # Monday
    assert len(room.paper.sent) == 2
    await look(room, "15:15:00", 1)
    await until(lambda: room.paper.net(CE) == 0, "the expiry")
    assert leg(room, made, 2).units == -75
    await until(lambda: EventKind.EXPIRY_SQUAREOFF in room.kinds())


# -- what may not be -------------------------------------------------------------------------------
async def test_the_kill_switch_ends_runs_of_both_modes(room: Room):
    paper = await room.running(straddle())
    live = await room.running(straddle(name="Live"), Mode.LIVE)
    room.desk.risk.block("the kill switch is on")
    room.bus.publish(KillSwitchChanged(tripped=True, by="window"))
    for made in (paper, live):
        await room.over(made)
        assert (await runs(room, made))[0][1] is StopReason.KILL_SWITCH
    assert room.paper.net(CE) == room.live.net(CE) == 0


async def test_nothing_begins_that_may_not(room: Room):
    made = await room.make(straddle())
    with pytest.raises(NotNow, match="not enabled for live trading"):
        await room.start(made, Mode.LIVE)
    room.blocked = "The vault is locked."
    with pytest.raises(NotNow, match="vault is locked"):
        await room.start(made)
    room.blocked, room.open = "", False
    with pytest.raises(NotNow, match="NFO is closed now"):
        await room.start(made)
    room.open = True
    await room.engine.enable_live(made.strategy_id, True, "test")
    room.desk.set_gateway(Mode.LIVE, None)
    with pytest.raises(NotNow, match="No live account"):
        await room.start(made, Mode.LIVE)
    with pytest.raises(NotNow, match="This strategy is not running"):
        await room.engine.stop(made.strategy_id, "test")
    with pytest.raises(StrategyNotFound, match="Strategy not found"):
        await room.engine.stop(999, "test")
    assert room.paper.sent == room.live.sent == []


async def test_a_kill_switch_in_a_closed_market_closes_when_it_opens(room: Room):
    made = await room.running(straddle())
    room.open = False
    room.bus.publish(KillSwitchChanged(tripped=True, by="window"))
    await room.engine.hours.look()
    live = room.engine.registry.live[made.strategy_id]
    assert live.state.leaving is StopReason.KILL_SWITCH
    assert not any(place.exiting for place in live.open())
    room.open = True
    await room.engine.hours.look()
    await room.over(made)
    assert room.paper.net(CE) == room.paper.net(PE) == 0


async def test_a_stop_in_a_closed_market_is_taken_and_carried_out_when_it_opens(room: Room):
    made = await room.running(straddle(intraday=False, product=Product.NRML))
    room.open = False
    with pytest.raises(NotNow, match="NFO is closed now, so nothing can be closed"):
        await room.engine.close_leg(made.strategy_id, 1, "test")
    answer = await room.engine.stop(made.strategy_id, "test")
    assert answer.pending and not answer.run_stopped
    assert [(row.ok, row.acknowledged) for row in answer.exits] == [(True, False)] * 2
    assert {row.error for row in answer.exits} == {
        "NFO is closed now: it goes out when that opens."
    }
    assert len(room.paper.sent) == 2
    await room.engine.recorder.flush()
    await room.kill()  # it is on disk
    await until(lambda: EventKind.RECOVERY_SUCCEEDED in room.kinds())
    await look(room, "09:14:59", 1)
    assert len(room.paper.sent) == 2
    room.open = True
    await look(room, "09:15:01", 1)
    await room.over(made)
    assert room.paper.net(CE) == room.paper.net(PE) == 0
    assert (await runs(room, made))[0][1] is StopReason.MANUAL


async def test_another_account_takes_no_orders_of_a_run(room: Room):
    """The account was switched under a run: its exits wait for their own."""
    made = await room.running(straddle(rules=stops(20)), Mode.LIVE)
    room.live.account_id = "kite:2"
    room.say(120.0, CE)
    for _ in range(2):
        await room.engine.hours.look()
    assert len(room.live.sent) == 2
    note = "Orders go to kite:2 now: stops and exits wait until kite:1 takes orders again."
    assert leg(room, made).message == note
    assert [row.text for row in room.notices if note in row.text] == [
        f"Straddle: {CE[1]}, {PE[1]}: {note}"
    ]
    room.live.account_id = "kite:1"
    await room.engine.hours.look()
    assert leg(room, made, 2).message != note
    assert room.notices[-1].text == "Straddle: kite:1 takes orders again."
    room.say(121.0, CE)
    await until(lambda: room.live.net(CE) == 0, "its own account is back")
    assert leg(room, made, 2).units == -75


# -- catalog ---------------------------------------------------------------------------------------
async def test_names_are_unique_and_files_come_back(room: Room):
    made = await room.make(straddle())
    with pytest.raises(DefinitionError, match="There is a strategy Straddle already"):
        await room.make(straddle(name="STRADDLE"))
    room.others = ["straddle", "Hosted"]
    with pytest.raises(DefinitionError, match="A strategy of another kind is called HOSTED"):
        await room.make(straddle(name="HOSTED"))
    await room.engine.update(made.strategy_id, straddle(), "test")  # it has that name
    text = await room.engine.export(made.strategy_id)
    other = text.replace(b'"Straddle"', b'"Copy"')
    copy = await room.engine.import_file(other, "test")
    assert msgspec.structs.replace(copy.definition, name="Straddle") == made.definition
    assert [row.definition.name for row in await room.engine.find()] == ["Copy", "Straddle"]
    assert [row.definition.name for row in await room.engine.find(words="strad")] == ["Straddle"]
    assert await room.engine.find(RunStatus.RUNNING) == []
    await room.engine.delete(copy.strategy_id, "test")
    with pytest.raises(StrategyNotFound):
        await room.engine.get(copy.strategy_id)


async def test_a_token_is_told_once_and_kept_as_a_digest(room: Room):
    made = await room.make(flipper())
    token = await room.engine.rotate_token(made.strategy_id, "test")
    assert token.startswith("oaws_") and len(token) == 48
    found = await room.engine.by_token(token)
    assert found is not None and found.strategy_id == made.strategy_id
    second = await room.engine.rotate_token(made.strategy_id, "test")
    assert await room.engine.by_token(token) is None and second != token
    await room.engine.recorder.flush()
    dump = await room.db.read(lambda link: "\n".join(link.connection.iterdump()))  # type: ignore[attr-defined]
    assert token not in dump and second not in dump


async def test_locking_the_webhook_flattens(room: Room):
    made = await room.running(straddle())
    locked = await room.engine.lock_webhook(made.strategy_id, True, "test")
    assert locked.webhook_locked
    await room.over(made)
    assert room.paper.net(CE) == room.paper.net(PE) == 0


# -- signals ---------------------------------------------------------------------------------------
async def test_signals_say_why_nothing_changed(room: Room):
    made = await room.make(flipper(entry_time="10:00", exit_time="15:00"))
    number = made.strategy_id

    async def send(signal: Signal) -> tuple[str, str]:
        answer = await room.engine.signal(number, signal, "test", leg_id=1)
        return answer.result, answer.message

    word = "no_matching_position"
    assert await send(Signal.LONG_EXIT) == (word, f"Signal accepted ({word})")
    assert (await send(Signal.LONG_ENTRY))[0] == "ok"
    assert (await room.engine.get(number)).status is RunStatus.RUNNING
    await until(lambda: leg(room, made).units == 10)
    assert (await send(Signal.LONG_ENTRY))[0] == "already_long"
    assert (await send(Signal.SHORT_EXIT))[0] == word
    room.clock.jump(at("15:00:00"))
    assert (await send(Signal.SHORT_ENTRY))[0] == "outside_entry_window"
    room.open = False
    assert (await send(Signal.LONG_EXIT))[0] == "outside_trading_window"
    assert room.paper.sent == ["BUY 10 SBIN"]


async def test_a_signal_that_does_not_fit_is_refused(room: Room):
    made = await room.make(flipper(direction="long_only"))
    batch = await room.make(straddle())
    number = made.strategy_id
    for call, text in (
        (room.engine.signal(number, Signal.START, "t", leg_id=1), "takes long_entry"),
        (room.engine.signal(batch.strategy_id, Signal.LONG_ENTRY, "t"), "takes start, stop"),
        (room.engine.signal(number, Signal.LONG_ENTRY, "t", leg_id=9), "no leg 9"),
        (room.engine.signal(number, Signal.LONG_ENTRY, "t", symbol="X", exchange="NSE"), "NSE:X"),
        (room.engine.signal(number, Signal.SHORT_ENTRY, "t", leg_id=1), "no short_entry"),
    ):
        with pytest.raises(ConfigError, match=text):
            await call
    assert room.paper.sent == []


async def test_a_paused_strategy_enters_nothing_and_is_still_looked_after(room: Room):
    made = await room.make(flipper())
    number = made.strategy_id
    await room.engine.signal(number, Signal.LONG_ENTRY, "test", leg_id=1)
    await until(lambda: leg(room, made).units == 10)
    assert (await room.engine.pause(number, True, "test")).status is RunStatus.PAUSED
    with pytest.raises(NotNow, match="paused"):
        await room.engine.signal(number, Signal.SHORT_ENTRY, "test", leg_id=1)
    await room.engine.signal(number, Signal.LONG_EXIT, "test", leg_id=1)
    await until(lambda: room.paper.net(SBIN) == 0)
    assert (await room.engine.pause(number, False, "test")).status is RunStatus.RUNNING
    await room.engine.signal(number, Signal.SHORT_ENTRY, "test", leg_id=1)
    await until(lambda: room.paper.net(SBIN) == -10)


async def test_an_entry_by_signal_that_is_refused_says_why(room: Room):
    made = await room.make(flipper())
    room.paper.refuse = {"SBIN"}
    with pytest.raises(OrderError, match="RMS: SBIN blocked"):
        await room.engine.signal(made.strategy_id, Signal.LONG_ENTRY, "test", leg_id=1)
