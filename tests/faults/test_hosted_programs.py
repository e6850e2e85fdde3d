"""Hosted scripts that do harm, as real processes: what they take with them, and how they end."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openalgo_desktop.automation.host import processes
from openalgo_desktop.automation.host.hiding import hide_from_scripts
from openalgo_desktop.automation.host.keeper import cgroup, files, tree
from openalgo_desktop.automation.host.ports import Limits
from openalgo_desktop.automation.host.running import KeptRun
from openalgo_desktop.core.errors import ConfigError
from tests.hosting import GRANT, KEY, Hosting, gone, hosting
from tests.waiting import until, until_told

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not hosted there")

#: Two forks: the inner process is nobody's child and in a session of its own.
DOUBLE_FORK = """
    import os, signal, sys, time
    {before}
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("inner", os.getpid(), flush=True)
            time.sleep(600)
        os._exit(0)
    os.wait()
    {after}
"""


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Hosting]:
    async with hosting(tmp_path) as made:
        yield made


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Hosting]:
    """Where the system keeps no limits for us."""
    async with hosting(tmp_path, use_cgroups=False) as made:
        yield made


# -- what it sees -----------------------------------------------------------------------------
async def test_a_script_sees_nothing_of_ours(host: Hosting, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENALGO_VAULT_PASSPHRASE", "correct-horse-battery")
    monkeypatch.setenv("BROKER_API_SECRET", "staple")
    leak = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(leak, True)
    run = await host.start(
        """
        import os, sys
        print("\\n".join(sorted(os.environ)))
        print("descriptors", sorted(map(int, os.listdir("/proc/self/fd")))[:-1])
        print("cwd", os.getcwd() == os.path.dirname(os.path.abspath(__file__)))
        print("arguments", open("/proc/self/cmdline").read().split("\\0"))
        print("parent", open(f"/proc/{os.getppid()}/environ").read().split("\\0"))
        print("home", os.path.isdir(os.environ["HOME"]), os.path.isdir(os.environ["TMPDIR"]))
        print("session", os.getsid(0) == os.getpid())
        """
    )
    ended = await run.ended
    os.close(leak)
    said = await host.text(run)
    names = said.partition("descriptors")[0].split()
    allowed = {
        *("OPENALGO_API_KEY", "OPENALGO_HOST", "OPENALGO_WS_URL", "STRATEGY_ID", "STRATEGY_NAME"),
        *("OPENALGO_STRATEGY_EXCHANGE", "PATH", "HOME", "TMPDIR", "PYTHONUNBUFFERED"),
        *("PYTHONIOENCODING", files.COOKIE, "LANG", "LANGUAGE", "TZ", "LC_CTYPE", "LC_ALL"),
    }
    assert set(names) <= allowed
    assert {"OPENALGO_API_KEY", "STRATEGY_ID", "HOME", "TMPDIR", "PATH"} <= set(names)
    assert "descriptors [0, 1, 2]" in said
    for fact in ("cwd True", "home True True", "session True"):
        assert fact in said
    assert "horse" not in said and "staple" not in said
    assert (ended.code, ended.why) == (0, "exited")
    everything = b"".join(
        path.read_bytes() for path in host.processes.places.root.rglob("*") if path.is_file()
    )
    assert KEY.encode() not in everything, "the key is in a file"


async def test_the_key_is_in_the_environment_and_in_no_argument(host: Hosting):
    run = await host.start(
        f"""
        import os, time
        print("right", os.environ["OPENALGO_API_KEY"] == "{KEY[:32]}" + "{KEY[32:]}")
        print("key", os.environ["OPENALGO_API_KEY"])
        time.sleep(600)
        """
    )
    await host.told(run, "key ***")
    assert "right True" in await host.text(run)
    for pid in (run.pid, run.marks.keeper_pid):
        assert KEY not in Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there")
async def test_our_own_environment_is_shut_before_a_script_runs(tmp_path: Path):
    prctl = ctypes.CDLL(None).prctl
    set_dumpable, get_dumpable = 4, 3
    prctl(set_dumpable, 1, 0, 0, 0)
    async with hosting(tmp_path, hide=hide_from_scripts) as host:
        script = """
            import ctypes, os
            print("it may be read itself", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
            """
        run = await host.start(script)
        try:
            # Whose it is decides who may read /proc/PID/environ, which only root can then.
            assert prctl(get_dumpable, 0, 0, 0, 0) == 0
            await run.ended
            assert await host.text(run) == "it may be read itself 1"
        finally:
            prctl(set_dumpable, 1, 0, 0, 0)


# -- limits -------------------------------------------------------------------------------------
async def test_threads_sockets_and_numpy_work_under_the_limits(host: Hosting):
    run = await host.start(
        """
        import socket, threading
        import numpy
        done = []
        threads = [threading.Thread(target=done.append, args=(n,)) for n in range(100)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        pairs = [socket.socketpair() for _ in range(100)]
        for one, other in pairs:
            one.send(b"x"); assert other.recv(1) == b"x"
        square = numpy.ones((200, 200)) @ numpy.ones((200, 200))
        print("all", len(done), len(pairs), square[0, 0])
        """,
        memory_mb=512,
        processes=4,
        cpu_percent=400,
    )
    ended = await run.ended
    assert "all 100 100 200.0" in await host.text(run), ended
    assert ended.code == 0


async def test_a_leak_ends_with_its_reason(watched: Hosting):
    run = await watched.start(
        """
        import time
        print("leaking")
        kept = []
        while True:
            kept.append(b"x" * 2**20)
            time.sleep(0.01)
        """,
        memory_mb=100,
    )
    ended = await run.ended
    assert ended.why == "memory" and "its limit is 100 MB" in ended.reason
    assert ended.last_lines == ("leaking",)
    await gone(run)


async def test_a_script_that_spins_ends_with_its_reason(watched: Hosting):
    run = await watched.start("while True: pass", cpu_percent=5, cpu_seconds=1.0)
    ended = await run.ended
    assert ended.why == "cpu" and "its limit is 5 %" in ended.reason


async def test_a_fork_bomb_ends(watched: Hosting):
    run = await watched.start(
        """
        import os, time
        for _ in range(60):
            if os.fork() == 0:
                time.sleep(0.3)
                for _ in range(3): os.fork()
                time.sleep(600)
        time.sleep(600)
        """,
        processes=20,
    )
    ended = await run.ended
    assert ended.why == "processes" and "its limit is 20" in ended.reason
    await gone(run)


# -- the whole tree -----------------------------------------------------------------------------
async def test_a_double_fork_does_not_escape_a_stop(watched: Hosting):
    run = await watched.start(DOUBLE_FORK.format(before="", after="time.sleep(600)"))
    await watched.told(run, "inner")
    ended = await run.stop(0.2, "enough")
    assert (ended.why, ended.reason) == ("stopped", "enough")
    await gone(run)


async def test_what_a_script_leaves_behind_ends_with_it(watched: Hosting):
    run = await watched.start(DOUBLE_FORK.format(before="", after="time.sleep(0.2); sys.exit(3)"))
    ended = await run.ended
    assert (ended.code, ended.why, ended.signal) == (3, "exited", "")
    await gone(run)


async def test_a_script_that_ignores_the_polite_signal_is_ended_after_its_grace(host: Hosting):
    run = await host.start(
        """
        import signal, time
        signal.signal(signal.SIGTERM, lambda *_: print("no"))
        print("deaf")
        while True: time.sleep(600)
        """
    )
    await host.told(run, "deaf")
    ended = await run.stop(2.0, "kill switch")
    assert (ended.signal, ended.why, ended.reason) == ("SIGKILL", "stopped", "kill switch")
    assert ended.last_lines == ("deaf", "no")


async def test_a_script_has_its_grace_to_square_off(host: Hosting):
    run = await host.start(
        """
        import signal, sys, time
        def leave(*_):
            time.sleep(0.3)
            print("squared off")
            sys.exit(7)
        signal.signal(signal.SIGTERM, leave)
        print("up")
        while True: time.sleep(600)
        """
    )
    await host.told(run, "up")
    ended = await run.stop(30.0)
    assert (ended.code, ended.why) == (7, "stopped")
    assert ended.last_lines == ("up", "squared off")


async def test_a_second_stop_may_be_sooner(host: Hosting):
    run = await host.start(
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf")
        while True: time.sleep(600)
        """
    )
    await host.told(run, "deaf")
    patient = asyncio.create_task(run.stop(300.0, "window"))

    async def heard() -> bool:
        return any(one.text.startswith("window") for one in await host.lines(run))

    await until_told(heard, "the first stop is under way")
    ended = await run.stop(0.0, "kill switch")
    assert await patient == ended
    assert ended.reason == "window"
    await gone(run)


@pytest.mark.skipif(not cgroup.root(), reason="no control groups of version 2 here")
async def test_a_group_of_its_own_is_ended_and_removed(host: Hosting):
    run = await host.start(DOUBLE_FORK.format(before="", after="time.sleep(600)"))
    if not run.marks.cgroup:
        return  # this user may make none
    await host.told(run, "inner")
    members = Path(run.marks.cgroup, "cgroup.procs").read_text().split()
    assert len(members) == 2 and str(run.pid) in members
    await run.stop(0.0)
    await gone(run)
    assert not Path(run.marks.cgroup).exists()


# -- output -------------------------------------------------------------------------------------
async def test_100_mb_of_output_are_bounded_and_end_with_the_last_lines(host: Hosting):
    run = await host.start(
        """
        import sys
        line = "x" * 999 + "\\n"
        for _ in range(100):
            sys.stdout.write(line * 1000)
        for number in range(20):
            print("last", number)
        """,
        output_bytes_per_second=100_000,
    )
    ended = await run.ended
    assert ended.code == 0
    assert ended.last_lines == tuple(f"last {number}" for number in range(20))
    (log,) = await host.logs.runs("one")
    assert log.size < 20_000_000, "unless this took three minutes"
    usage = run.usage()
    assert usage.lines == 100_020 and usage.left_out > 80_000
    lines = await host.logs.last("one", run.run_id, 22)
    assert [line.text for line in lines[1:-1]] == list(ended.last_lines)
    notes = [line.text for line in await host.lines(run) if line.stream == "note"]
    assert any("left out here" in note for note in notes)


# -- crashes of the engine and of the keeper ----------------------------------------------------
async def test_a_run_is_adopted_and_its_log_goes_on(tmp_path: Path):
    async with hosting(tmp_path) as first, hosting(tmp_path) as second:
        run = await first.start(
            """
            import os, time
            print("before")
            while not os.path.exists("go"): time.sleep(0.01)
            print("after")
            time.sleep(600)
            """
        )
        await first.told(run, "before")
        await first.processes.close()  # the engine is gone
        (marks,) = await second.processes.left()
        assert marks == run.marks
        again = await second.processes.adopt(marks)
        assert again is not None and (again.pid, again.started) == (run.pid, run.started)
        (second.folder / "one" / "go").touch()
        await second.told(again, "before\nafter")
        ended = await again.stop(5.0, "by the second")
        assert (ended.why, ended.reason) == ("stopped", "by the second")
        assert await second.processes.left() == []
        assert await second.processes.how_it_ended("one", "run-1") == ended


#: An engine that starts three programs and is killed.
ENGINE = """
import asyncio, sys
from pathlib import Path
from tests.hosting import Hosting

async def main():
    host = Hosting(Path(sys.argv[1]))
    script = "import time\\nfor n in range(10**6): print(n); time.sleep(0.01)"
    for _ in range(3):
        await host.start(script)
    print("up", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_killed_engine_leaves_exactly_three_to_the_next(tmp_path: Path):
    here = Path(__file__).parents[2]
    async with hosting(tmp_path) as second:
        with subprocess.Popen(
            [sys.executable, "-c", ENGINE, str(tmp_path)], cwd=here, stdout=subprocess.PIPE
        ) as engine:
            assert engine.stdout is not None
            assert await asyncio.to_thread(engine.stdout.readline) == b"up\n"
            engine.kill()
        left = await second.processes.left()
        assert {marks.run_id for marks in left} == {"run-1", "run-2", "run-3"}
        runs = [await second.processes.adopt(marks) for marks in left]
        for run in runs:
            assert run is not None
            before = len(await second.lines(run))
            await until_told(lambda run=run, before=before: grown(second, run, before), "its log")
        await second.processes.stop_all(5.0, "the day is over")
        for run in runs:
            assert run is not None and run.ended.result().reason == "the day is over"
            await gone(run)
            numbers = [int(one.text) for one in await second.lines(run) if one.stream == "out"]
            assert numbers == list(range(len(numbers))), "no line of its log is lost"


async def grown(host: Hosting, run: KeptRun, before: int) -> bool:
    return len(await host.lines(run)) > before


async def test_another_process_with_the_same_number_is_not_adopted(host: Hosting):
    run = await host.start("import time; time.sleep(600)")
    marks = run.marks
    await host.processes.close()
    import msgspec

    for wrong in ({"keeper_started": marks.keeper_started + 1}, {"cookie": "0" * 32}):
        assert await host.processes.adopt(msgspec.structs.replace(marks, **wrong)) is None
    assert await host.processes.adopt(marks) is not None


async def test_a_number_that_is_another_process_by_now_is_left_alone(host: Hosting):
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with bystander:
        its = tree.facts(bystander.pid)
        assert its is not None
        run = await host.start("import time; time.sleep(600)")
        await run.stop(0.0)
        folder = host.processes.places.run("one", "run-1")
        said = files.read(str(folder), files.MARKS)
        assert said is not None
        said |= {"keeper_pid": its.pid, "keeper_started": its.started, "pid": its.pid}
        files.write(str(folder), files.MARKS, said)
        (folder / files.ENDED).unlink()  # as if it had been killed with the machine's power
        assert await host.processes.left() == []
        ended = await host.processes.how_it_ended("one", "run-1")
        assert ended is not None and ended.why == "lost"
        assert bystander.poll() is None, "somebody else's process was ended"
        bystander.communicate(b"\n")


async def test_a_process_that_never_stays_the_same_is_caught(watched: Hosting):
    run = await watched.start(
        """
        import os, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("up")
        if os.fork() == 0:
            while os.fork() == 0: pass
            os._exit(0)
        signal.pause()
        """
    )
    await watched.told(run, "up")
    await run.stop(0.3)
    await gone(run)


async def test_a_run_that_no_engine_looks_after_ends(tmp_path: Path):
    async with hosting(tmp_path, orphan_seconds=1.0) as host:
        run = await host.start(
            """
            import signal, sys, time
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("squared off") or 0))
            print("up")
            time.sleep(600)
            """
        )
        await host.told(run, "up")
        owner = str(host.processes.places.run("one", "run-1"))
        files.write(owner, files.OWNER, {"pid": 2**22 + 1, "started": 1})  # killed
        ended = await run.ended
        assert ended.why == "orphaned" and "was gone" in ended.reason
        assert ended.last_lines == ("up", "squared off")


async def test_a_killed_keeper_takes_the_whole_tree_with_it(watched: Hosting):
    run = await watched.start(DOUBLE_FORK.format(before="", after="time.sleep(600)"))
    await watched.told(run, "inner")
    os.kill(run.marks.keeper_pid, signal.SIGKILL)
    ended = await run.ended
    assert ended.why == "lost" and "ended from outside" in ended.reason
    assert ended.last_lines[0].startswith("inner")
    await gone(run)


async def test_engine_and_keeper_killed_leave_nothing_to_the_next_start(tmp_path: Path):
    async with hosting(tmp_path, use_cgroups=False) as first, hosting(tmp_path) as second:
        run = await first.start(DOUBLE_FORK.format(before="", after="time.sleep(600)"))
        await first.told(run, "inner")
        await first.processes.close()
        os.kill(run.marks.keeper_pid, signal.SIGKILL)
        await until(lambda: not tree.alive(run.pid, run.marks.pid_started), "its script's end")
        assert await second.processes.left() == []
        await gone(run)
        ended = await second.processes.how_it_ended("one", "run-1")
        assert ended is not None and ended.why == "lost"


async def test_a_start_that_was_cut_off_leaves_nothing(host: Hosting):
    folder = host.processes.places.run("one", "run-9")
    folder.mkdir(parents=True)
    files.write(str(folder), files.SPEC, {"cookie": "c" * 32, "started": 1.0})
    assert await host.processes.left() == []
    ended = await host.processes.how_it_ended("one", "run-9")
    assert ended is not None and "while it was being started" in ended.reason


async def test_a_keeper_that_had_just_begun_is_found_by_its_cookie(tmp_path: Path):
    async with hosting(tmp_path) as first, hosting(tmp_path) as second:
        run = await first.start(DOUBLE_FORK.format(before="", after="time.sleep(600)"))
        await first.told(run, "inner")
        await first.processes.close()
        folder = first.processes.places.run("one", "run-1")
        (folder / files.MARKS).unlink()  # the engine was killed before they were written
        assert await second.processes.left() == []
        await gone(run)
        assert cgroup.left(run.marks.cookie) == []
        ended = await second.processes.how_it_ended("one", "run-1")
        assert ended is not None and "while it was being started" in ended.reason


async def test_looking_no_more_leaves_no_descriptor(tmp_path: Path):
    async with hosting(tmp_path) as first:
        before = set(os.listdir("/proc/self/fd"))
        run = await first.start("import time; time.sleep(600)")
        await first.processes.close()
        assert set(os.listdir("/proc/self/fd")) <= before
        again = await first.processes.adopt(run.marks)
        assert again is not None
        await first.processes.close()  # before anything of it began
        assert set(os.listdir("/proc/self/fd")) <= before


async def test_two_programs_may_have_runs_of_one_name(host: Hosting):
    script = "import time; time.sleep(600)"
    first = host.program(script)
    second = host.program(script, strategy_id="two")
    for program in (first, second):
        ready = await host.processes.prepare(program, lambda _line: None)
        await host.processes.start(program, ready, GRANT, Limits(), "run-1")
    assert await host.processes.left() == [], "both are held"
    await host.processes.stop_all(0.0, "both")
    for program in (first, second):
        ended = await host.processes.how_it_ended(program.strategy_id, "run-1")
        assert ended is not None and ended.reason == "both"


async def test_a_start_that_is_called_off_leaves_nothing(
    host: Hosting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    program = host.program("import time; time.sleep(600)")
    ready = await host.processes.prepare(program, lambda _line: None)
    go = tmp_path / "go"
    late = ["/bin/sh", "-c", f'while [ ! -e {go} ]; do sleep 0.05; done; exec "$0" "$@"']
    command = [*late, *processes._keeper_command()]
    monkeypatch.setattr(processes, "_keeper_command", lambda: command)
    task = asyncio.create_task(host.processes.start(program, ready, GRANT, Limits(), "run-1"))
    folder = host.processes.places.run("one", "run-1")
    await until((folder / files.SPEC).exists, "the start")
    task.cancel()
    go.touch()
    with pytest.raises(asyncio.CancelledError):
        await task
    said = files.read(str(folder), files.SPEC)
    assert said is not None and tree.with_cookie(said["cookie"]) == []
    ended = await host.processes.how_it_ended("one", "run-1")
    assert ended is not None and ended.reason == "The start was called off."


async def test_a_run_whose_folder_is_deleted_still_ends(host: Hosting):
    run = await host.start("import time; time.sleep(600)")
    waiting = asyncio.ensure_future(run.ended)
    waiting.cancel()  # who waits no more changes nothing
    shutil.rmtree(host.processes.places.run("one", "run-1"))
    ended = await run.stop(0.0)
    assert ended.why == "lost" and "cannot be read" in ended.reason
    await gone(run)


async def test_an_interpreter_that_vanished_is_said(host: Hosting):
    import msgspec

    program = host.program("print(1)")
    ready = await host.processes.prepare(program, lambda _line: None)
    nowhere = msgspec.structs.replace(ready, command=("/nowhere/python",))
    with pytest.raises(ConfigError, match="/nowhere/python could not be started"):
        await host.processes.start(program, nowhere, GRANT, Limits(), "run-1")
    with pytest.raises(ConfigError, match="a run is started once"):
        await host.processes.start(program, ready, GRANT, Limits(), "run-1")
