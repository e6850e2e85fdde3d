"""Hosted programs: added, started, stopped, crashed, promoted; the engine dies at any moment."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import KeyRights, Mode
from openalgo_desktop.core.errors import ConfigError, StorageError
from openalgo_desktop.core.events import HostedChanged, KillSwitchChanged, Notice, SettingChanged
from openalgo_desktop.core.strategies.hosted import (
    AtStop,
    Hosted,
    HostedState,
    OnCrash,
    OnEngineRestart,
)
from openalgo_desktop.core.strategies.ports import NotNow, StrategyNotFound
from openalgo_desktop.core.strategies.restarts import DELAYS, PER_HOUR
from tests.unit.automation.host.host_world import World, crash, ended
from tests.waiting import until


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_run_has_a_key_of_its_own_that_is_dead_afterwards(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    view = await host.start("cross", Mode.SANDBOX, "me")
    assert (view.state, view.mode, view.pid) == (HostedState.RUNNING, Mode.SANDBOX, 1000)
    assert view.account_id == "sandbox:acc"
    (made,) = world.ring.made
    assert made == {
        "rights": KeyRights.SANDBOX,
        "account": "sandbox:acc",
        "strategy": "cross",
        "mode": Mode.SANDBOX,
        "per_minute": 60,
    }
    assert world.machine.last.grant is not None
    assert world.machine.last.grant.api_key.reveal() == "text-1"
    assert "text-1" not in str(world.store.rows)
    with pytest.raises(NotNow, match="runs already"):
        await host.start("cross", Mode.SANDBOX, "me")
    view = await host.stop("CROSS", "me")
    assert (view.state, view.reason, view.last_lines) == (
        HostedState.STOPPED,
        "Stopped by me.",
        ("one", "two"),
    )
    assert not world.ring.rows and not world.machine.alive
    await host.close()


async def test_live_needs_a_human_and_again_after_a_change(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    with pytest.raises(NotNow, match="sandbox until a human promotes"):
        await host.start("cross", Mode.LIVE, "me")
    audited: list[str] = []
    world.bus.subscribe(SettingChanged, lambda e: audited.append(f"{e.key} {e.value}"))
    seen = await host.promotion("cross")
    assert (seen.promoted, seen.again, seen.record.orders) == (False, False, 12)
    copy = Path(host.get("cross").hosted.folder) / "cross.py"
    copy.write_text("print('other')\n")
    with pytest.raises(NotNow, match="changed while you looked"):
        await host.promote("cross", seen.digest, "me")
    await host.promote("cross", (await host.promotion("cross")).digest, "me")
    view = await host.start("cross", Mode.LIVE, "me")
    assert view.mode is Mode.LIVE and view.promoted
    assert world.ring.made[-1]["rights"] is KeyRights.TRADE
    assert world.ring.made[-1]["mode"] is Mode.LIVE
    await host.stop("cross", "me")
    copy.write_text("print('third')\n")
    with pytest.raises(NotNow, match="changed since it was promoted"):
        await host.start("cross", Mode.LIVE, "me")
    assert (await host.promotion("cross")).again
    await host.start("cross", Mode.SANDBOX, "me")  # the sandbox is always open
    await host.demote("cross", "me")
    assert [text.partition(" (")[0] for text in audited] == [
        "strategy.cross promoted to live by me",
        "strategy.cross sandbox only, by me",
    ]
    assert host.get("cross").state is HostedState.RUNNING  # a run in the sandbox goes on
    await host.close()


async def test_demoting_ends_a_live_run(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.promote("cross", (await host.promotion("cross")).digest, "me")
    await host.start("cross", Mode.LIVE, "me")
    view = await host.demote("cross", "me")
    assert view.state is HostedState.STOPPED and not view.promoted
    assert not world.machine.alive
    await host.close()


async def test_a_crash_waits_and_a_loop_ends(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    told: list[HostedState] = []
    world.bus.subscribe(HostedChanged, lambda event: told.append(event.view.state))
    await host.start("cross", Mode.SANDBOX, "me")
    for number in range(PER_HOUR + 1):
        await until(lambda n=number: len(world.machine.all) > n)  # type: ignore[misc]
        world.machine.last.end(1, reason="ValueError: x")
    await until(lambda: host.get("cross").state is HostedState.CRASH_LOOP)
    view = host.get("cross")
    assert view.state is HostedState.CRASH_LOOP
    assert view.reason.endswith("lastly: ValueError: x (two)")
    assert view.last_lines == ("one", "two")
    assert world.waits == [*DELAYS, *[DELAYS[-1]] * (PER_HOUR - len(DELAYS))]
    assert HostedState.WAITING in told
    assert len({run.run_id for run in world.machine.all}) == PER_HOUR + 1
    assert not world.ring.rows
    await host.close()


async def test_code_0_is_no_crash_and_never_means_never(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    world.machine.last.end(0, reason="")
    await until(lambda: host.get("cross").state is HostedState.STOPPED)
    assert "exit code 0" in host.get("cross").reason
    await host.change("cross", on_crash=OnCrash.NEVER, at_stop=AtStop.SQUARE_OFF)
    await host.start("cross", Mode.SANDBOX, "me")
    world.machine.last.end(None, "memory", "It used 1,100 MB; its limit is 1,024 MB.")
    await until(lambda: world.closed)
    await until(lambda: "closed" in host.get("cross").reason)
    assert host.get("cross").reason.startswith("Crashed: It used 1,100 MB")
    assert world.waits == []
    assert world.closed == [("cross", Mode.SANDBOX, "sandbox:acc")]
    await host.close()


async def test_a_stop_closes_what_it_holds_only_when_asked(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    await host.stop("cross", "me")
    assert world.closed == []
    world.unclosed = ("+5 SBIN (MIS) may still be open: no answer.",)
    await host.start("cross", Mode.SANDBOX, "me")
    view = await host.stop("cross", "me", square_off=True)
    assert world.closed == [("cross", Mode.SANDBOX, "sandbox:acc")]
    assert view.reason == "Stopped by me. +5 SBIN (MIS) may still be open: no answer."
    await host.close()


async def test_what_a_crash_left_open_is_closed_when_asked(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.stop("cross", "me", square_off=True)
    assert world.closed == []  # it has never run
    await host.change("cross", on_crash=OnCrash.NEVER)
    await host.start("cross", Mode.SANDBOX, "me")
    world.machine.last.end(1)
    await until(lambda: host.get("cross").state is HostedState.STOPPED)
    assert world.closed == []
    view = await host.stop("cross", "me", square_off=True)
    assert world.closed == [("cross", Mode.SANDBOX, "sandbox:acc")]
    assert view.reason.startswith("Crashed: ") and view.reason.endswith("What it held is closed.")
    await host.close()


async def test_a_stop_while_the_environment_is_made(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    world.machine.hold = asyncio.Event()
    starting = asyncio.create_task(host.start("cross", Mode.SANDBOX, "me"))
    await until(lambda: host.get("cross").last_lines == ("installing",))
    assert host.get("cross").state is HostedState.PREPARING
    view = await host.stop("cross", "you")
    await starting
    assert view.state is HostedState.STOPPED and not world.machine.all and not world.ring.made
    world.machine.hold.set()
    await host.close()


async def test_what_cannot_start_says_why_and_leaves_nothing(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    world.machine.refuse = ConfigError("requirements.txt: no package 'nonesuch'.")
    with pytest.raises(ConfigError, match="nonesuch"):
        await host.start("cross", Mode.SANDBOX, "me")
    assert host.get("cross").state is HostedState.ERROR
    world.machine.refuse = None
    copy = Path(host.get("cross").hosted.folder) / "cross.py"
    copy.write_text("def f(:\n")
    with pytest.raises(ConfigError, match=r"cross.py, line 1: .*Correct it"):
        await host.start("cross", Mode.SANDBOX, "me")
    world.store.broken = StorageError("full", detail="disk full")
    copy.write_text("pass\n")
    with pytest.raises(StorageError):
        await host.start("cross", Mode.SANDBOX, "me")
    assert not world.machine.all and not world.ring.rows
    world.store.broken = None
    await host.close()


async def test_a_full_disk_does_not_keep_it_running(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    world.store.broken = StorageError("full")
    view = await host.stop("cross", "me")
    assert not world.machine.alive and "could not be stored" in view.reason
    world.store.broken = None
    await host.close()


async def test_a_stop_on_a_full_disk_holds_over_a_crash_of_the_engine(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    world.store.broken = StorageError("full")
    await host.stop("cross", "me")
    await crash(host)  # the row still says that it is wanted
    world.store.broken = None
    host = await world.engine()
    await until(lambda: not world.machine.alive)
    view = host.get("cross")
    assert view.state is HostedState.STOPPED
    assert "look at its positions" in view.reason
    await host.start("cross", Mode.SANDBOX, "me")  # a new wish
    await crash(host)
    host = await world.engine()
    await until(lambda: host.get("cross").state is HostedState.RUNNING)
    await host.close()


async def test_a_start_that_cannot_note_its_wish_is_none(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    (world.folder / "wanted").write_text("in the way")
    with pytest.raises(StorageError, match="takes no file"):
        await host.start("cross", Mode.SANDBOX, "me")
    assert not world.machine.all and not host.get("cross").state.is_up
    await host.close()


async def test_a_full_disk_keeps_no_square_off_of_a_run_that_ended(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    await host.stop("cross", "me")
    world.clock.jump(datetime(2026, 11, 3, 10, tzinfo=IST))
    world.store.broken = StorageError("full")
    await host.stop("cross", "me", square_off=True)
    assert world.closed == [("cross", Mode.SANDBOX, "sandbox:acc")]
    world.store.broken = None
    await host.close()


async def test_a_crash_on_a_full_disk_is_a_crash_and_what_it_held_is_closed(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.change("cross", at_stop=AtStop.SQUARE_OFF)
    await host.start("cross", Mode.SANDBOX, "me")
    world.store.broken = StorageError("the disk is full")
    world.machine.last.end(1, reason="ValueError: x")
    await until(lambda: world.closed)
    await until(lambda: "closed" in host.get("cross").reason)
    view = host.get("cross")
    assert view.state is HostedState.ERROR
    assert view.reason == ("It was not started again: the disk is full What it held is closed.")
    assert world.closed == [("cross", Mode.SANDBOX, "sandbox:acc")]
    world.store.broken = None
    await host.close()


async def test_the_end_of_a_program_on_a_full_disk_is_told_as_it_was(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    world.store.broken = world.ring.broken = StorageError("the disk is full")
    world.machine.last.end(0, reason="")
    await until(lambda: host.get("cross").state is HostedState.STOPPED)
    assert host.get("cross").reason == "It ended by itself (exit code 0)."
    world.store.broken = world.ring.broken = None
    await host.close()


async def test_the_kill_switch_ends_all(world: World) -> None:
    host = await world.engine()
    for name in ("a.py", "b.py"):
        await host.add(world.script(name))
        await host.start(name[0], Mode.SANDBOX, "me")
    world.blocked = "the kill switch is on (by me)."
    world.bus.publish(KillSwitchChanged(tripped=True, by="me"))
    await until(lambda: not world.machine.alive)
    await until(lambda: all(view.state is HostedState.STOPPED for view in host.all()))
    assert {view.reason for view in host.all()} == {"The kill switch was pulled by me."}
    with pytest.raises(NotNow, match="kill switch"):
        await host.start("a", Mode.SANDBOX, "me")
    await host.close()


# -- the engine ends ------------------------------------------------------------------------
async def test_three_run_on_after_the_engine_was_killed(world: World) -> None:
    host = await world.engine()
    for name in ("a.py", "b.py", "c.py"):
        await host.add(world.script(name))
        await host.start(name[0], Mode.SANDBOX, "me")
    pids = {run.pid for run in world.machine.alive.values()}
    await crash(host)
    host = await world.engine()
    assert {view.pid for view in host.all()} == pids
    assert all(view.state is HostedState.RUNNING for view in host.all())
    assert len(world.machine.all) == 3 and len(world.ring.rows) == 3
    await host.stop_all("me")
    assert not world.machine.alive and not world.ring.rows
    await host.close()


@pytest.mark.parametrize("policy", list(OnEngineRestart))
async def test_each_policy_after_a_restart(world: World, policy: OnEngineRestart) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.change("cross", on_engine_restart=policy)
    await host.start("cross", Mode.SANDBOX, "me")
    await crash(host)
    host = await world.engine()
    if policy is OnEngineRestart.STOP:
        await until(lambda: not world.machine.alive)
        assert host.get("cross").state is HostedState.STOPPED
    else:
        runs = 1 if policy is OnEngineRestart.ADOPT else 2
        await until(lambda: host.get("cross").state is HostedState.RUNNING and world.machine.alive)
        assert len(world.machine.all) == runs
    assert len(world.machine.alive) == len(world.ring.rows)
    await host.close()


@pytest.mark.parametrize("step", ["wish", "key", "process", "stop", "unwished"])
async def test_a_crash_between_any_two_steps_doubles_nothing(world: World, step: str) -> None:
    host = await world.engine()
    await host.add(world.script())
    strategy_id = host.get("cross").hosted.strategy_id
    place = ("hosted-runs", strategy_id)
    await host.start("cross", Mode.SANDBOX, "me")
    wished = dict(world.store.rows[place])
    run = world.machine.last
    if step == "wish":  # only the wish is on disk yet
        await crash(host)
        await run.stop(0)
        world.ring.rows.clear()
        world.store.rows[place] = wished | {"run_id": "", "state": "preparing"}
    elif step == "key":  # its key was made, its process not
        await crash(host)
        await run.stop(0)
        world.store.rows[place] = wished | {"state": "preparing"}
    elif step == "process":  # the process is there, the row does not say so
        await crash(host)
        world.store.rows[place] = wished | {"state": "preparing"}
    elif step == "stop":  # the wish was taken back, the process lives
        await crash(host)
        world.store.rows[place] = wished | {"wanted": None, "state": "stopping"}
    else:  # nobody knows it at all
        await crash(host)
        del world.store.rows[place]
    host = await world.engine()
    wanted = step in ("wish", "key", "process")
    await until(lambda: len(world.machine.alive) == wanted)
    if wanted:
        await until(lambda: host.get("cross").state is HostedState.RUNNING)
        assert len(world.machine.alive) == 1
        assert {key.name for key in world.ring.rows.values()} == {
            f"hosted:{host.get('cross').run_id}"
        }
    else:
        assert host.get("cross").state is HostedState.STOPPED
        assert not world.ring.rows
    await host.close()


async def test_new_keys_of_a_restart_are_not_swept_with_the_old(world: World) -> None:
    host = await world.engine()
    for name in ("a.py", "b.py", "c.py"):
        await host.add(world.script(name))
        await host.change(name[0], on_engine_restart=OnEngineRestart.RESTART)
        await host.start(name[0], Mode.SANDBOX, "me")
    await crash(host)
    host = await world.engine()
    await until(lambda: all(view.pid for view in host.all()))
    assert {key.name for key in world.ring.rows.values()} == {
        f"hosted:{view.run_id}" for view in host.all()
    }
    assert len(world.machine.alive) == 3
    await host.close()


@pytest.mark.parametrize("why", ["kill switch", "promotes"])
async def test_what_may_not_go_on_is_not_taken_up(world: World, why: str) -> None:
    host = await world.engine()
    view = await host.add(world.script())
    await host.promote("cross", (await host.promotion("cross")).digest, "me")
    await host.start("cross", Mode.LIVE, "me")
    await crash(host)
    if why == "kill switch":
        world.blocked = "the kill switch is on (by me)."
    else:  # the demotion was on disk, the stop was not
        row = world.store.rows["hosted", view.hosted.strategy_id]
        world.store.rows["hosted", view.hosted.strategy_id] = row | {"promoted_hash": ""}
    host = await world.engine()
    await until(lambda: not world.machine.alive)
    assert host.get("cross").state is HostedState.STOPPED and why in host.get("cross").reason
    assert not world.ring.rows
    await host.close()


@pytest.mark.parametrize(("away", "closed"), [(60, 1), (7200, 0)])
async def test_a_square_off_that_a_crash_cut_short_goes_on(
    world: World, away: int, closed: int
) -> None:
    host = await world.engine()
    view = await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    host._tools.rows.seen(world.clock.time())
    await crash(host)
    place = ("hosted-runs", view.hosted.strategy_id)
    row = world.store.rows[place]
    world.store.rows[place] = row | {"wanted": None, "state": "stopping", "closing": True}
    world.clock.advance(away)
    host = await world.engine()
    await until(lambda: not world.store.rows[place]["closing"])
    assert len(world.closed) == closed and not world.machine.alive
    assert closed or "look at its positions" in host.get("cross").reason
    await host.close()
    await (await world.engine()).close()
    assert len(world.closed) == closed  # once


async def test_an_address_that_moved_or_an_account_that_changed_is_not_adopted(
    world: World,
) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    old = world.machine.last
    await crash(host)
    old.marks = msgspec.structs.replace(old.marks, host="http://127.0.0.1:5001")
    host = await world.engine()
    await until(lambda: host.get("cross").state is HostedState.RUNNING)
    assert old.ended.done() and world.machine.last is not old
    second = world.machine.last
    await crash(host)
    world.account = "other"
    notes: list[str] = []
    host = await world.engine()
    world.bus.subscribe(Notice, lambda event: notes.append(event.text))
    await until(lambda: host.get("cross").state is HostedState.ERROR)
    assert second.ended.done() and not world.machine.alive and not world.ring.rows
    assert "began in another one" in host.get("cross").reason
    await host.close()


async def test_a_closed_engine_ends_them_and_takes_them_up_again(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    host._tools.rows.seen(world.clock.time())
    await host.close()
    assert not world.machine.alive and not world.ring.rows
    world.clock.advance(600)
    host = await world.engine()
    await until(lambda: host.get("cross").state is HostedState.RUNNING)
    await host.close()
    world.clock.advance(14 * 3600)
    host = await world.engine()
    view = host.get("cross")
    assert view.state is HostedState.LOST and "14 h" in view.reason
    assert not world.machine.alive
    await host.close()


async def test_what_ended_while_no_engine_ran_stays_ended(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    run = world.machine.last
    await crash(host)
    world.machine.how[run.run_id] = ended(0)
    run.end(0)
    host = await world.engine()
    assert host.get("cross").state is HostedState.STOPPED
    assert len(world.machine.all) == 1
    await host.close()


# -- what is kept ---------------------------------------------------------------------------
async def test_add_change_restart_remove(world: World) -> None:
    host = await world.engine()
    told: list[tuple[str, bool]] = []
    world.bus.subscribe(HostedChanged, lambda e: told.append((e.view.hosted.name, e.removed)))
    path = world.script()
    view = await host.add(path, "First")
    assert view.hosted.folder != str(path.parent) and view.digest
    with pytest.raises(ConfigError, match="--name"):
        await host.add(path, "first")
    with pytest.raises(StrategyNotFound, match="Did you mean First"):
        host.get("Frist")
    await host.start("First", Mode.SANDBOX, "me")
    (Path(view.hosted.folder) / "cross.py").write_text("print('edited')\n")
    await host._looking.look()
    assert host.get("First").changed  # restart to apply
    view = await host.restart("First", "me")
    assert not view.changed and len(world.machine.all) == 2
    await host.remove("First", "me")
    assert not world.machine.alive and not Path(view.hosted.folder).exists()
    assert told[-1] == ("First", True) and world.logs.removed == [view.hosted.strategy_id]
    assert path.exists()
    assert not [key for key in world.store.rows if key[1] == view.hosted.strategy_id]
    await host.close()


async def test_a_linked_program_stays_where_it_is(world: World) -> None:
    host = await world.engine()
    path = world.script()
    view = await host.add(path, link=True)
    assert Path(view.hosted.folder) == path.parent and view.hosted.linked
    await host.remove("cross", "me")
    assert path.exists()
    await host.close()


async def test_a_damaged_row_keeps_no_terminal_from_starting(world: World) -> None:
    host = await world.engine()
    for name in ("a.py", "b.py"):
        await host.add(world.script(name))
        await host.start(name[0], Mode.SANDBOX, "me")
    damaged = host.get("a").hosted.strategy_id
    await crash(host)
    world.store.rows["hosted", damaged] = {"name": 5}
    world.store.rows["hosted-runs", host.get("b").hosted.strategy_id] = {"state": "nonsense"}
    host = await world.engine()
    assert [view.hosted.name for view in host.all()] == ["b"]
    assert host.get("b").state is HostedState.ERROR
    await until(lambda: not world.machine.alive)  # nobody knows what they were to do
    assert ("hosted", damaged) in world.store.rows
    await host.close()


async def test_rows_survive_a_restart(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.change("cross", stall_minutes=5)
    await host.close()
    host = await world.engine()
    row: Hosted = host.get("cross").hosted
    assert (row.stall_minutes, row.entry) == (5, "cross.py")
    await host.close()


async def test_a_call_of_the_api_is_a_sign_of_life(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    run = world.machine.last
    key = msgspec.structs.replace(world.ring.rows[1], strategy="cross")
    run.silent = 50.0
    host.heard(msgspec.structs.replace(key, name="hosted:another-run"))
    assert run.silent == 50.0
    host.heard(key)
    assert run.silent == 0.0
    await host.close()


async def test_silence_raises_one_alarm(world: World) -> None:
    host = await world.engine()
    await host.add(world.script())
    await host.change("cross", stall_minutes=2)
    await host.start("cross", Mode.SANDBOX, "me")
    notes: list[str] = []
    world.bus.subscribe(Notice, lambda event: notes.append(event.text))
    world.machine.last.silent = 130.0
    await host._looking.look()
    await host._looking.look()
    assert notes == ["cross has given no sign of life for 2 min 10 s."]
    assert host.get("cross").stalled
    await host.close()
