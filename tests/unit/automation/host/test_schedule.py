"""The schedule of hosted programs at work: starts, pauses, late engines, what a human did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest

from openalgo_desktop.automation.host.service import Host
from openalgo_desktop.core.calendar import Holiday, MarketCalendar
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.strategies.hosted import (
    AtWindowEnd,
    HostedState,
    Hours,
    PausedBecause,
)
from openalgo_desktop.core.strategies.ports import NotNow
from tests.unit.automation.host.host_world import World, crash
from tests.waiting import until

HOURS = Hours(enabled=True, windows=(("09:20", "15:00"),))
HOLIDAY = date(2026, 11, 3)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Monday, 2 November 2026, 08:00; Tuesday is a holiday."""
    closed = Holiday(HOLIDAY, "Holiday", "TRADING_HOLIDAY", closed=("NSE",))
    return World(tmp_path, calendar=MarketCalendar([closed]))


@pytest.fixture
async def host(world: World) -> AsyncIterator[Host]:
    engine = await world.engine()
    await engine.add(world.script())
    await engine.change("cross", hours=HOURS)
    yield engine
    await engine.close()


async def look(world: World, host: Host, clock: str, day: int = 2) -> HostedState:
    """What is seen at ``clock`` of a day of November, when all that was due is done."""
    hour, minute = map(int, clock.split(":"))
    world.clock.jump(datetime(2026, 11, day, hour, minute, tzinfo=IST))
    await host._looking.look()
    await until(lambda: not host._looking._busy)
    return host.get("cross").state


async def test_a_day(world: World, host: Host) -> None:
    assert await look(world, host, "09:19") is HostedState.PAUSED
    view = host.get("cross")
    assert view.paused is PausedBecause.BEFORE_MARKET
    assert view.next_start == datetime(2026, 11, 2, 9, 20, tzinfo=IST)
    assert await look(world, host, "09:20") is HostedState.RUNNING
    assert host.get("cross").mode is Mode.SANDBOX
    assert await look(world, host, "14:59") is HostedState.RUNNING
    assert await look(world, host, "15:00") is HostedState.PAUSED
    assert host.get("cross").reason == "Its window has ended."
    assert not world.machine.alive and not world.ring.rows and world.closed == []
    assert await look(world, host, "10:00", day=3) is HostedState.PAUSED
    assert host.get("cross").paused is PausedBecause.HOLIDAY
    assert await look(world, host, "09:21", day=4) is HostedState.RUNNING
    assert len(world.machine.all) == 2


@pytest.mark.parametrize("at_end", list(AtWindowEnd))
async def test_the_end_of_a_window(world: World, host: Host, at_end: AtWindowEnd) -> None:
    await host.change("cross", hours=msgspec.structs.replace(HOURS, at_end=at_end))
    await look(world, host, "09:20")
    state = await look(world, host, "15:01")
    assert (state is HostedState.RUNNING) is (at_end is AtWindowEnd.LEAVE)
    assert len(world.closed) == (at_end is AtWindowEnd.SQUARE_OFF)


async def test_a_stop_by_hand_is_not_undone_that_day(world: World, host: Host) -> None:
    await look(world, host, "09:20")
    await host.stop("cross", "me")
    assert await look(world, host, "10:00") is HostedState.STOPPED
    assert await look(world, host, "09:20", day=4) is HostedState.RUNNING


async def test_a_stop_before_its_start_counts_for_the_day(world: World, host: Host) -> None:
    await look(world, host, "09:00")
    await host.stop("cross", "me")
    assert await look(world, host, "09:20") is HostedState.STOPPED


async def test_what_ended_by_itself_is_not_started_again_in_its_window(
    world: World, host: Host
) -> None:
    await look(world, host, "09:20")
    world.machine.last.end(0, reason="")
    await until(lambda: host.get("cross").state is HostedState.STOPPED)
    assert await look(world, host, "09:30") is HostedState.STOPPED
    assert len(world.machine.all) == 1


async def test_a_start_by_hand_in_the_evening_is_left_alone(world: World, host: Host) -> None:
    await look(world, host, "20:00")
    await host.start("cross", Mode.SANDBOX, "me")
    assert await look(world, host, "23:00") is HostedState.RUNNING


async def test_a_late_engine_makes_up_a_start_within_its_grace(world: World, host: Host) -> None:
    notes: list[str] = []
    world.bus.subscribe(Notice, lambda event: notes.append(event.text))
    assert await look(world, host, "09:45") is HostedState.RUNNING
    await host.stop("cross", "me")
    assert await look(world, host, "11:00", day=4) is HostedState.STOPPED
    assert await look(world, host, "11:01", day=4) is HostedState.STOPPED
    assert notes == [
        "cross: Its start at 09:20 was missed by 1 h 40 min; start it by hand if you want it to "
        "run today."
    ]
    await host.start("cross", Mode.SANDBOX, "me")
    assert await look(world, host, "15:00", day=4) is HostedState.PAUSED


async def test_a_schedule_that_is_switched_on_in_its_window_starts_now(
    world: World, host: Host
) -> None:
    await host.change("cross", hours=msgspec.structs.replace(HOURS, enabled=False))
    assert await look(world, host, "13:00") is HostedState.STOPPED
    await host.change("cross", hours=HOURS)
    assert await look(world, host, "13:01") is HostedState.RUNNING


async def test_a_schedule_goes_live_only_with_what_was_promoted(world: World, host: Host) -> None:
    live = msgspec.structs.replace(HOURS, mode=Mode.LIVE)
    with pytest.raises(NotNow, match="sandbox until a human promotes"):
        await host.change("cross", hours=live)
    await host.promote("cross", (await host.promotion("cross")).digest, "me")
    view = await host.change("cross", hours=live)
    (Path(view.hosted.folder) / "cross.py").write_text("print('edited')\n")
    assert await look(world, host, "09:20") is HostedState.ERROR
    assert "changed since it was promoted" in host.get("cross").reason
    assert not world.machine.all
    await host.promote("cross", (await host.promotion("cross")).digest, "me")
    assert await look(world, host, "09:20", day=4) is HostedState.RUNNING
    assert host.get("cross").mode is Mode.LIVE
    await host.demote("cross", "me")
    assert not host.get("cross").hosted.hours.enabled


async def test_a_live_schedule_is_for_the_account_for_which_it_was_switched_on(
    world: World, host: Host
) -> None:
    live = msgspec.structs.replace(HOURS, mode=Mode.LIVE)
    await host.promote("cross", (await host.promotion("cross")).digest, "me")
    await host.change("cross", hours=live)
    world.account = "other"
    assert await look(world, host, "09:20") is HostedState.ERROR
    assert "switched on for the account live:acc, and orders go to live:other" in (
        host.get("cross").reason
    )
    assert not world.machine.all
    await host.change("cross", hours=live)  # a human says so for this one
    assert await look(world, host, "09:20", day=4) is HostedState.RUNNING
    assert host.get("cross").account_id == "live:other"


async def test_a_live_run_ends_when_another_account_takes_the_orders(
    world: World, host: Host
) -> None:
    told: list[str] = []
    world.bus.subscribe(Notice, lambda event: told.append(event.text))
    await host.promote("cross", (await host.promotion("cross")).digest, "me")
    await host.change("cross", hours=msgspec.structs.replace(HOURS, enabled=False))
    await host.start("cross", Mode.LIVE, "me")
    assert await look(world, host, "10:00") is HostedState.RUNNING
    world.account = "other"
    await look(world, host, "10:01")
    await until(lambda: not world.machine.alive)
    why = "Orders go to the account live:other now, and it ran for live:acc."
    await until(lambda: host.get("cross").state is HostedState.STOPPED)
    assert host.get("cross").reason.startswith(why)
    assert told == [f"cross: {why}"]
    await host.start("cross", Mode.SANDBOX, "me")
    world.account = "third"
    assert await look(world, host, "10:02") is HostedState.RUNNING  # of paper there is one


async def test_a_window_that_ended_while_no_engine_ran(world: World, host: Host) -> None:
    await look(world, host, "14:50")
    await host.start("cross", Mode.SANDBOX, "schedule")
    await crash(host)
    world.clock.jump(datetime(2026, 11, 2, 15, 30, tzinfo=IST))
    again = await world.engine()
    try:
        assert await look(world, again, "15:30") is HostedState.PAUSED
        await until(lambda: not world.machine.alive)
    finally:
        await again.close()


async def test_a_crash_loop_waits_for_a_human(world: World, host: Host) -> None:
    await look(world, host, "09:20")
    for number in range(7):
        await until(lambda n=number: len(world.machine.all) > n)  # type: ignore[misc]
        world.machine.last.end(1)
    await until(lambda: host.get("cross").state is HostedState.CRASH_LOOP)
    assert await look(world, host, "09:20", day=4) is HostedState.CRASH_LOOP
    await host.start("cross", Mode.SANDBOX, "me")
    assert host.get("cross").state is HostedState.RUNNING


async def test_around_the_clock(world: World, host: Host) -> None:
    await host.change("cross", hours=Hours(enabled=True, all_day=True))
    assert await look(world, host, "03:00", day=3) is HostedState.RUNNING
    assert await look(world, host, "23:59", day=7) is HostedState.RUNNING
    assert len(world.machine.all) == 1
