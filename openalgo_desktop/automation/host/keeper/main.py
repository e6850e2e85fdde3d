"""The keeper's loop: read, write the log, look at limits and at the engine, end the tree."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress

from openalgo_desktop.automation.host.keeper import cgroup, files, tree
from openalgo_desktop.automation.host.keeper.lease import Lease
from openalgo_desktop.automation.host.keeper.limits import Watch
from openalgo_desktop.automation.host.keeper.output import Budget, LogFile, Output
from openalgo_desktop.automation.host.keeper.spawn import become_keeper, spawn
from openalgo_desktop.core.redact import Redactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Seconds between looks at the tree (elsewhere each is a run of ``ps``), and between readings that
#: are told.
LOOK, TELL = 0.25 if tree.LINUX else 2.0, 1.0
#: Bytes read from a pipe at once, and bytes a second that are read at most (far fewer go to the
#: disk): a script that prints without end waits for us instead of taking a processor for each.
CHUNK, PACE = 65_536, 20_000_000.0
#: What a line costs beside its bytes: a flood of empty lines is a flood too.
LINE = 100
#: Seconds for what a finished script leaves behind to end by itself; for its last output.
LEFTOVERS, DRAIN = 2.0, 1.0
_SECRET = "OPENALGO_API_KEY"


class Keeper:
    """One run from its start to its end."""

    def __init__(self, folder: str, spec: dict[str, Any], environment: dict[str, str]) -> None:
        now = time.monotonic()
        limits = spec["limits"]
        rate = int(limits["output_bytes_per_second"]) or 2**40
        redactor = Redactor()
        redactor.add(environment.get(_SECRET, ""))
        self._folder, self._spec, self._environment = folder, spec, environment
        self._output = Output(LogFile(folder), rate, redactor.clean, now)
        self._pace = Budget(PACE, PACE * 2, now)
        self._group = cgroup.make(cgroup.name_of(spec["cookie"])) if spec["cgroup"] else None
        if self._group is not None:
            self._group.limit(limits)
        enforced = self._group.enforced if self._group is not None else ()
        self._watch = Watch(limits, enforced, tree.proportional)
        self._pipes: dict[int, str] = {}
        self._pid = 0
        self._status: int | None = None
        self._why, self._reason = "", ""
        self._deadline = 0.0  # of the grace; 0: nobody asked to stop
        self._heard_signal = False
        self._lease = Lease(folder, now)
        self._looked = self._told = now
        self._started = time.time()
        self._wake, self._waker = os.pipe()
        self._state = os.open(
            os.path.join(folder, files.STATE), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
        )

    # -- start ------------------------------------------------------------------------------
    def run(self) -> None:
        """Start the script and stay with it until nothing of it is left."""
        self._hear_signals()
        try:
            self._start()
        except OSError as error:
            self._why = "unstartable"
            self._reason = f"{self._spec['command'][0]} could not be started: {error.strerror}."
            self._output.note(self._reason)
            self._close()
            return
        while self._status is None:
            self._turn(LOOK)
        self._end_rest()
        self._close()

    def _hear_signals(self) -> None:
        os.set_blocking(self._waker, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            signal.signal(getattr(signal, name), lambda _number, _frame: self._hear())

    def _hear(self) -> None:
        self._heard_signal = True  # acted on between two turns: never in the middle of a write

    def _start(self) -> None:
        out, err = self._pipe("O"), self._pipe("E")
        join = self._group.join if self._group is not None else None
        try:
            self._pid = spawn(
                self._spec["command"], self._spec["cwd"], self._environment, out, err, join
            )
        finally:
            os.close(out)
            os.close(err)
        files.write(self._folder, files.MARKS, self._marks())
        os.write(1, b"started\n")
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.close(nothing)

    def _pipe(self, stream: str) -> int:
        """The script's end of a new pipe."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        self._pipes[reader] = stream
        return writer

    def _marks(self) -> dict[str, Any]:
        mine, its = tree.facts(os.getpid()), tree.facts(self._pid)
        return {
            "strategy_id": self._spec["strategy_id"],
            "run_id": self._spec["run_id"],
            "keeper_pid": os.getpid(),
            "keeper_started": mine.started if mine else 0,
            "pid": self._pid,
            "pid_started": its.started if its else 0,
            "cookie": self._spec["cookie"],
            "host": self._environment.get("OPENALGO_HOST", ""),
            "started": self._started,
            "cgroup": self._group.path if self._group is not None else "",
        }

    # -- while it runs ----------------------------------------------------------------------
    def _turn(self, wait: float) -> None:
        """Wait for output or a signal, at most so long; then what is due."""
        now = time.monotonic()
        free = self._pace.left(now) > 0
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if free:
            for pipe in self._pipes:
                poll.register(pipe, select.POLLIN)
        if self._deadline:
            wait = max(0.0, min(wait, self._deadline - now))
        events = poll.poll((wait if free else min(wait, 0.02)) * 1000)
        if self._heard_signal:
            self._heard_signal = False
            self._asked()
        now = time.monotonic()
        for descriptor, _ in events:
            if descriptor == self._wake:
                with suppress(BlockingIOError):
                    os.read(self._wake, 512)
            else:
                self._read(descriptor, now)
        status = tree.reap().get(self._pid)
        if status is not None:
            self._status = status
        if now - self._looked >= LOOK:
            self._looked = now
            self._look(now)
        if self._deadline and now >= self._deadline and self._status is None:
            self._force()

    def _read(self, pipe: int, now: float) -> None:
        try:
            data = os.read(pipe, CHUNK)
        except BlockingIOError:
            return
        if not data:
            del self._pipes[pipe]
            os.close(pipe)
            return
        self._pace.use(len(data) + data.count(b"\n") * LINE)
        self._output.take(self._pipes[pipe], data, now)

    def _look(self, now: float) -> None:
        rows = tree.descendants(os.getpid())
        reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
        why, reason = self._watch.look(rows, reaped.ru_utime + reaped.ru_stime, now)
        if why and not self._deadline:
            self._stop(why, reason, 0.0 if why != "cpu" else self._spec["grace"])
        if now - self._told >= TELL:
            self._told = now
            self._tell()
            self._see_engine(now)

    def _tell(self) -> None:
        text = json.dumps(
            {
                "cpu": round(self._watch.cpu_percent, 1),
                "memory": self._watch.memory,
                "processes": self._watch.processes,
                "lines": self._output.lines,
                "left_out": self._output.left_out,
                "heard": round(self._output.heard, 3),
            }
        )
        with suppress(OSError):
            os.pwrite(self._state, text.encode().ljust(files.STATE_SIZE), 0)

    def _see_engine(self, now: float) -> None:
        alone = self._lease.alone(now)
        if alone > self._spec["orphan_seconds"] and not self._deadline:
            self._stop(
                "orphaned",
                f"The program that looked after it was gone for {alone:.0f} seconds.",
                self._spec["grace"],
            )

    # -- its end ----------------------------------------------------------------------------
    def _asked(self) -> None:
        """SIGTERM: of the engine, which says more in a file, or of the system that shuts down."""
        said = files.read(self._folder, files.STOP) or {}
        self._stop(
            said.get("why", "stopped"),
            said.get("reason", "") or "It was stopped.",
            float(said.get("grace", self._spec["grace"])),
        )

    def _stop(self, why: str, reason: str, grace: float) -> None:
        if self._status is not None:  # it has ended by itself, and that is why
            return
        deadline = time.monotonic() + grace
        if self._deadline:  # asked again: sooner, never later
            self._deadline = min(self._deadline, deadline)
            return
        self._deadline, self._why, self._reason = deadline, why, reason
        self._output.note(f"{reason} It has {grace:g} seconds to end." if grace else reason)
        if grace and self._pid:
            with suppress(OSError):
                os.killpg(self._pid, signal.SIGTERM)
                os.killpg(self._pid, signal.SIGCONT)

    def _force(self) -> None:
        """End the whole tree; what it printed until then is still read."""
        if self._group is not None:
            self._group.kill()
        self._status = tree.end_below(os.getpid()).get(self._pid, self._status)
        self._deadline = time.monotonic() + DRAIN  # once more, should something be left

    def _end_rest(self) -> None:
        """The script is gone; so goes what it left running."""
        rest = tree.descendants(os.getpid())
        if rest:
            tree.send(rest, signal.SIGTERM)
            end = time.monotonic() + LEFTOVERS
            if self._deadline:
                end = min(end, self._deadline)
            while time.monotonic() < end and tree.descendants(os.getpid()):
                self._turn(0.05)
        self._force()
        end = time.monotonic() + DRAIN
        while self._pipes and time.monotonic() < end:
            self._turn(0.05)

    def _close(self) -> None:
        tree.reap()
        code, number = _outcome(self._status)
        if self._group is not None:
            if self._group.out_of_memory() and not self._why:
                self._why = "memory"
                self._reason = (
                    f"It wanted more than its {self._spec['limits']['memory_mb']:,} MB of memory."
                )
            self._group.remove()
        if not self._why:
            self._why = "signal" if number else "exited"
            self._reason = (
                f"Something ended it with {number}." if number else f"It ended with code {code}."
            )
        last = self._output.finish(time.monotonic())
        self._output.note(self._reason)
        self._output.close()
        self._tell()
        import shutil

        shutil.rmtree(os.path.join(self._folder, files.TEMPORARY), ignore_errors=True)
        ended = {
            "code": code,
            "signal": number,
            "why": self._why,
            "reason": self._reason,
            "last_lines": last,
            "at": time.time(),
        }
        with suppress(OSError):
            files.write(self._folder, files.ENDED, ended)


def _outcome(status: int | None) -> tuple[int | None, str]:
    """(exit code, name of the signal)."""
    if status is None:
        return None, ""
    if os.WIFSIGNALED(status):
        return None, signal.Signals(os.WTERMSIG(status)).name
    return os.WEXITSTATUS(status), ""


def main(arguments: list[str]) -> None:
    """Of the process; ``arguments`` is the run's folder. The environment is the script's."""
    become_keeper()
    spec = files.read(arguments[0], files.SPEC)
    if spec is None:
        sys.exit(f"{arguments[0]} has no {files.SPEC}")
    Keeper(arguments[0], spec, dict(os.environ)).run()
