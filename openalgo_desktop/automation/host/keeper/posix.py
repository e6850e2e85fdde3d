"""The keeper where there are signals: read, write the log, look at limits, end the tree."""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from contextlib import suppress

from openalgo_desktop.automation.host.keeper import cgroup, files, tree
from openalgo_desktop.automation.host.keeper.base import CHUNK, DRAIN, LEFTOVERS, BaseKeeper
from openalgo_desktop.automation.host.keeper.spawn import spawn
from openalgo_desktop.automation.host.keeper.tree import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Seconds between looks at the tree; without ``/proc`` each is a run of ``ps``.
LOOK = 0.25 if tree.LINUX else 2.0


class Keeper(BaseKeeper):
    """See :class:`BaseKeeper`; limits are kept by control groups where there are any."""

    def __init__(self, folder: str, spec: dict[str, Any], environment: dict[str, str]) -> None:
        self._group = cgroup.make(cgroup.name_of(spec["cookie"])) if spec["cgroup"] else None
        if self._group is not None:
            self._group.limit(spec["limits"])
        enforced = self._group.enforced if self._group is not None else ()
        super().__init__(folder, spec, environment, tuple(enforced))
        self._pipes: dict[int, str] = {}
        self._status: int | None = None
        self._heard_signal = False
        self._wake, self._waker = os.pipe()

    @property
    def _over(self) -> bool:
        return self._status is not None

    @property
    def _every(self) -> float:
        return LOOK

    def _ask_politely(self) -> None:
        os.killpg(self._pid, signal.SIGTERM)
        os.killpg(self._pid, signal.SIGCONT)

    def _rows(self) -> tuple[list[Facts], float]:
        reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
        return tree.descendants(os.getpid()), reaped.ru_utime + reaped.ru_stime

    # -- start ------------------------------------------------------------------------------
    def _start(self) -> None:
        self._hear_signals()
        self._spawn()

    def _hear_signals(self) -> None:
        os.set_blocking(self._waker, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            signal.signal(getattr(signal, name), lambda _number, _frame: self._hear())

    def _hear(self) -> None:
        self._heard_signal = True  # acted on between two turns: never in the middle of a write

    def _spawn(self) -> None:
        out, err = self._pipe("O"), self._pipe("E")
        join = self._group.join if self._group is not None else None
        try:
            self._pid = spawn(
                self._spec["command"], self._spec["cwd"], self._environment, out, err, join
            )
        finally:
            os.close(out)
            os.close(err)
        group = self._group.path if self._group is not None else ""
        marks = self._marks(tree.facts(os.getpid()), tree.facts(self._pid), group)
        files.write(self._folder, files.MARKS, marks)
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
        self._take(self._pipes[pipe], data, now)

    # -- its end ----------------------------------------------------------------------------
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
        self._write_end(code, number)


def _outcome(status: int | None) -> tuple[int | None, str]:
    """(exit code, name of the signal)."""
    if status is None:
        return None, ""
    if os.WIFSIGNALED(status):
        return None, signal.Signals(os.WTERMSIG(status)).name
    return os.WEXITSTATUS(status), ""
