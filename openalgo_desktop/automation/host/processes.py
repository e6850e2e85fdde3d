"""Starts, adopts and ends the runs of hosted programs. See :class:`Processes` in ``ports``."""

from __future__ import annotations

import asyncio
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from openalgo_desktop.automation.host import environment, places
from openalgo_desktop.automation.host.hiding import hide_from_scripts
from openalgo_desktop.automation.host.keeper import files, tree
from openalgo_desktop.automation.host.places import Places
from openalgo_desktop.automation.host.ports import Ended, Grant, Limits, Marks, Program, Ready
from openalgo_desktop.automation.host.preparing import INSIDE, Preparer
from openalgo_desktop.automation.host.running import KeptRun, cleaned, end_all, find_end, lost
from openalgo_desktop.automation.host.venvs import Venvs
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError, ConfigError

#: Seconds without an engine after which a run ends itself, and its grace then.
ORPHAN, GRACE = 60.0, 10.0
#: Seconds that a keeper may take to start a script, on a machine that is very busy.
_START = 60.0
WINDOWS = sys.platform == "win32"
#: A console that nobody sees (without one there is no CTRL+BREAK), and a group of its own.
_FLAGS = 0
if sys.platform == "win32":
    _FLAGS = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
_KEEPER = Path(__file__).parent / "keeper" / "__main__.py"


class HostProcesses:
    """Runs below the folder ``root``. ``clean`` takes secrets out of a text; ``interpreter`` is the
    Python for programs that name none, empty for ours."""

    def __init__(
        self,
        root: Path,
        clock: Clock,
        clean: Callable[[str], str],
        *,
        interpreter: Callable[[], str] = str,
        orphan_seconds: float = ORPHAN,
        use_cgroups: bool = True,
        hide: Callable[[], object] = hide_from_scripts,
        rehearsal: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.places = Places(root)
        self._clock = clock
        self._clean = clean
        self._venvs = Venvs(self.places.venvs)
        self._preparer = Preparer(self._venvs, interpreter=interpreter)
        self._orphan = orphan_seconds
        self._use_cgroups = use_cgroups
        self._hide = hide
        self._rehearsal = rehearsal
        #: By (strategy, run).
        self._runs: dict[tuple[str, str], KeptRun] = {}
        self._starting: set[tuple[str, str]] = set()

    async def prepare(self, program: Program, progress: Callable[[str], None]) -> Ready:
        """See :class:`Processes`."""
        return await self._preparer.prepare(program, progress)

    async def start(
        self, program: Program, ready: Ready, grant: Grant, limits: Limits, run_id: str
    ) -> KeptRun:
        """See :class:`Processes`."""
        folder = self.places.run(program.strategy_id, run_id)
        cookie = secrets.token_hex(16)
        variables = environment.for_script(
            program,
            grant,
            home=self.places.home(program.strategy_id),
            temporary=folder / files.TEMPORARY,
            venv=ready.venv,
        )
        spec = {
            "strategy_id": program.strategy_id,
            "run_id": run_id,
            "command": [*ready.command, str(ready.entry)],
            "cwd": str(program.folder.resolve()),
            "cookie": cookie,
            "cgroup": self._use_cgroups,
            "limits": {
                "memory_mb": limits.memory_mb,
                "cpu_percent": limits.cpu_percent,
                "processes": limits.processes,
                "cpu_seconds": limits.cpu_seconds,
                "output_bytes_per_second": limits.output_bytes_per_second,
            },
            "orphan_seconds": self._orphan,
            "grace": GRACE,
            "started": time.time(),
        }
        variables |= self._rehearsal()
        variables[files.COOKIE] = cookie
        self._hide()
        key = (program.strategy_id, run_id)
        self._starting.add(key)
        launching = asyncio.ensure_future(asyncio.to_thread(self._launch, folder, spec, variables))
        try:
            marks = await asyncio.shield(launching)
        except asyncio.CancelledError:  # nobody will hold it: it is ended, not forgotten
            with suppress(AppError):
                await self.end(await launching, "The start was called off.", 0.0)
            raise
        finally:
            self._starting.discard(key)
        return self._hold(folder, marks)

    def _launch(self, folder: Path, spec: dict[str, object], variables: dict[str, str]) -> Marks:
        """Blocks until the script has been started. Raises :class:`ConfigError`."""
        _make_folders(folder, self.places.home(str(spec["strategy_id"])))
        try:
            process = _spawn(folder, spec, variables)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ConfigError(
                f"{spec['run_id']} was not started: {error.strerror or error}. Is the disk full?"
            ) from error
        started = _has_started(process, folder)
        marks = places.marks_of(folder)
        if started and marks is not None:
            return marks
        # Not its script, not in time, or not at all.
        with suppress(OSError):
            _stop_keeper(process)
        process.wait()
        ended = places.ended_of(folder)
        if ended is None:
            end_all(str(spec["cookie"]))
            detail = (folder / files.ERRORS).read_text(errors="replace")[-2000:]
            ended = lost(folder, "Its keeper could not be started.")
            raise ConfigError(f"{spec['run_id']} was not started: {ended.reason}", detail=detail)
        raise ConfigError(f"{spec['run_id']} was not started: {ended.reason}")

    # -- after a restart --------------------------------------------------------------------
    async def left(self) -> list[Marks]:
        """See :class:`Processes`. What is left of runs whose keeper is gone is ended here."""
        await asyncio.to_thread(self._venvs.sweep)
        found: list[Marks] = []
        for folder in await asyncio.to_thread(self.places.all_runs):
            marks = await asyncio.to_thread(self._look_at, folder)
            if marks is not None:
                found.append(marks)
        return found

    def _look_at(self, folder: Path) -> Marks | None:
        key = (folder.parent.name, folder.name)
        if (folder / files.ENDED).exists() or key in self._runs or key in self._starting:
            return None
        marks = places.marks_of(folder)
        if marks is not None and proven(marks):
            return marks
        if marks is not None:
            find_end(folder, marks)
            return None
        # An engine died while it was starting this one: there may be a keeper already.
        spec = files.read(str(folder), files.SPEC) or {}
        if spec.get("cookie"):
            end_all(spec["cookie"])
        lost(folder, "The program ended while it was being started.")
        return None

    async def adopt(self, marks: Marks) -> KeptRun | None:
        """See :class:`Processes`."""
        self._hide()
        held = self._runs.get((marks.strategy_id, marks.run_id))
        if held is not None:
            return held
        folder = self.places.run(marks.strategy_id, marks.run_id)
        if not await asyncio.to_thread(_take_over, folder, marks):
            return None
        return self._hold(folder, marks)

    async def end(self, marks: Marks, reason: str, grace: float = GRACE) -> Ended:
        """See :class:`Processes`."""
        run = await self.adopt(marks)
        if run is not None:
            return await run.stop(grace, reason)
        folder = self.places.run(marks.strategy_id, marks.run_id)
        return cleaned(await asyncio.to_thread(find_end, folder, marks), self._clean)

    async def how_it_ended(self, strategy_id: str, run_id: str) -> Ended | None:
        """See :class:`Processes`."""
        folder = self.places.run(strategy_id, run_id)
        ended = await asyncio.to_thread(places.ended_of, folder)
        return None if ended is None else cleaned(ended, self._clean)

    async def tidy(self, days: int = 60) -> int:
        """See :class:`Processes`."""
        return await asyncio.to_thread(self._tidy, days)

    def _tidy(self, days: int) -> int:
        going = [
            str((files.read(str(folder), files.SPEC) or {}).get("command", ""))
            for folder in self.places.all_runs()
            if not (folder / files.ENDED).exists()
        ]
        old = [
            venv
            for venv in self._venvs.unused(days, time.time())
            if not any(venv.name in command for command in going)
        ]
        for venv in old:
            shutil.rmtree(venv, ignore_errors=True)
        return len(old)

    # -- the end ----------------------------------------------------------------------------
    async def stop_all(self, grace: float, reason: str = "") -> None:
        """See :class:`Processes`."""
        await asyncio.gather(*(run.stop(grace, reason) for run in list(self._runs.values())))

    async def close(self) -> None:
        """See :class:`Processes`."""
        for run in list(self._runs.values()):
            await run.close()
        self._runs.clear()

    def _hold(self, folder: Path, marks: Marks) -> KeptRun:
        run = KeptRun(folder, marks, self._clock, self._clean)
        key = (marks.strategy_id, marks.run_id)
        self._runs[key] = run
        run.ended.add_done_callback(lambda _ended: self._runs.pop(key, None))
        return run


def _spawn(
    folder: Path, spec: dict[str, object], variables: dict[str, str]
) -> subprocess.Popen[bytes]:
    files.write(str(folder), files.OWNER, _me())
    files.write(str(folder), files.SPEC, spec)
    with (folder / files.ERRORS).open("wb") as errors:
        return subprocess.Popen(
            [*_keeper_command(), str(folder)],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if WINDOWS else subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            creationflags=_FLAGS,
        )


def _has_started(process: subprocess.Popen[bytes], folder: Path) -> bool:
    """Whether the keeper tells in time that its script has been started. Blocks."""
    if sys.platform == "win32":  # nobody can wait for a pipe there; its marks come first
        end = time.monotonic() + _START
        while places.marks_of(folder) is None:
            if process.poll() is not None or time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True
    assert process.stdout is not None
    with process.stdout as told:
        poll = select.poll()
        poll.register(told, select.POLLIN)
        said = told.readline() if poll.poll(_START * 1000) else b""
    if said:
        process.wait()  # it is the child of a child
    return bool(said)


def _stop_keeper(process: subprocess.Popen[bytes]) -> None:
    """One that has not begun: what it started ends with it."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGTERM)


def proven(marks: Marks) -> bool:
    """Whether the keeper of the marks is that very process. Blocks."""
    return tree.alive(marks.keeper_pid, marks.keeper_started) and tree.has_cookie(
        marks.keeper_pid, marks.cookie
    )


def _take_over(folder: Path, marks: Marks) -> bool:
    if not proven(marks) or places.marks_of(folder) != marks:
        return False
    files.write(str(folder), files.OWNER, _me())
    return True


def _me() -> dict[str, int]:
    mine = tree.facts(os.getpid())
    return {"pid": os.getpid(), "started": mine.started if mine is not None else 0}


def _keeper_command() -> list[str]:
    if hasattr(sys, "frozen"):
        return [sys.executable, INSIDE, "--keeper"]
    return [sys.executable, "-I", "-S", str(_KEEPER)]


def _make_folders(folder: Path, home: Path) -> None:
    try:
        for path in (folder.parent, home):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        (folder / files.TEMPORARY).mkdir(mode=0o700)
    except FileExistsError:
        raise ConfigError(f"Run {folder.name} was there before: a run is started once.") from None
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ConfigError(
            f"{folder} cannot be made ({error.strerror}): make room, or give us the right to write "
            "there."
        ) from error
