"""The keeper on Windows: the run is a job object, a stop is a file that it looks for, and the
polite signal is CTRL+BREAK (``signal.SIGBREAK`` in a script)."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress

from openalgo_desktop.automation.host.keeper import files, tree
from openalgo_desktop.automation.host.keeper.base import CHUNK, DRAIN, LEFTOVERS, BaseKeeper
from openalgo_desktop.automation.host.keeper.tree import Facts
from openalgo_desktop.automation.host.keeper.windows import api, jobs

assert sys.platform == "win32"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Seconds between looks at the run, and at whether a stop was asked for.
LOOK = 0.25
#: Pieces of output that wait for us; then the script waits.
_WAITING = 32


class Keeper(BaseKeeper):
    """See :class:`BaseKeeper`."""

    def __init__(self, folder: str, spec: dict[str, Any], environment: dict[str, str]) -> None:
        self._job = jobs.Job(spec["cookie"])
        self._job.limit(spec["limits"])
        super().__init__(folder, spec, environment, self._job.enforced)
        self._process: subprocess.Popen[bytes] | None = None
        self._code: int | None = None
        self._read: queue.Queue[tuple[str, bytes]] = queue.Queue(_WAITING)
        self._readers: list[threading.Thread] = []

    @property
    def _over(self) -> bool:
        return self._code is not None

    @property
    def _every(self) -> float:
        return LOOK

    def _ask_politely(self) -> None:
        api.kernel32.GenerateConsoleCtrlEvent(api.CTRL_BREAK, self._pid)

    def _rows(self) -> tuple[list[Facts], float]:
        rows = [row for pid in self._job.pids() if (row := tree.facts(pid)) is not None]
        return rows, max(0.0, self._job.cpu() - sum(row.cpu for row in rows))

    # -- start ------------------------------------------------------------------------------
    def _start(self) -> None:
        """It does nothing before it is in the job."""
        process = self._process = subprocess.Popen(
            self._spec["command"],
            cwd=self._spec["cwd"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            creationflags=api.SUSPENDED | subprocess.CREATE_NEW_PROCESS_GROUP,
        )
        self._pid = process.pid
        handle = int(process._handle)  # type: ignore[attr-defined]
        try:
            self._job.take(handle)
        except OSError:
            process.kill()
            raise
        for stream, pipe in (("O", process.stdout), ("E", process.stderr)):
            assert pipe is not None
            reader = threading.Thread(target=self._pump, args=(stream, pipe.fileno()), daemon=True)
            reader.start()
            self._readers.append(reader)
        marks = self._marks(tree.facts(os.getpid()), tree.facts(self._pid), "")
        files.write(self._folder, files.MARKS, marks)
        api.ntdll.NtResumeProcess(handle)

    def _pump(self, stream: str, pipe: int) -> None:
        with suppress(OSError):
            while data := os.read(pipe, CHUNK):
                self._read.put((stream, data))

    # -- while it runs ----------------------------------------------------------------------
    def _turn(self, wait: float) -> None:
        """Wait for output, at most so long; then what is due."""
        now = time.monotonic()
        if self._deadline:
            wait = max(0.0, min(wait, self._deadline - now))
        if self._pace.left(now) > 0:
            with suppress(queue.Empty):
                self._take(*self._read.get(timeout=wait), time.monotonic())
        else:
            time.sleep(min(wait, 0.02))
        now = time.monotonic()
        if now - self._looked >= LOOK:
            self._looked = now
            assert self._process is not None
            self._code = self._process.poll()
            if files.read(self._folder, files.STOP) is not None:
                self._asked()
            self._look(now)
        if self._deadline and now >= self._deadline and self._code is None:
            self._force()

    def _asked(self) -> None:
        super()._asked()
        with suppress(OSError):  # the next one is another
            os.unlink(os.path.join(self._folder, files.STOP))

    # -- its end ----------------------------------------------------------------------------
    def _force(self) -> None:
        """End the whole job; what it printed until then is still read."""
        self._job.end()
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            self._code = self._process.wait(DRAIN)

    def _end_rest(self) -> None:
        """The script is gone; so goes what it left running."""
        if self._job.pids():
            with suppress(OSError):
                self._ask_politely()
            end = time.monotonic() + LEFTOVERS
            if self._deadline:
                end = min(end, self._deadline)
            while time.monotonic() < end and self._job.pids():
                self._turn(0.05)
        self._job.end()
        end = time.monotonic() + DRAIN
        while time.monotonic() < end and self._unread():
            self._turn(0.05)

    def _unread(self) -> bool:
        return not self._read.empty() or any(reader.is_alive() for reader in self._readers)

    def _close(self) -> None:
        if self._job.out_of_memory() and self._code and not self._why:
            self._why = "memory"
            self._reason = (
                f"It wanted more than its {self._spec['limits']['memory_mb']:,} MB of memory."
            )
        self._write_end(self._code, "")
        os._exit(0)  # nobody waits for readers of pipes that something else may still hold
