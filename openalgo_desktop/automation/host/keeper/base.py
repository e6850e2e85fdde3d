"""What a keeper is on every system: its log, its limits, the engine that it looks for, how a stop
goes and what it writes at the end. How processes are started, seen and ended is the system's."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress

from openalgo_desktop.automation.host.keeper import files
from openalgo_desktop.automation.host.keeper.lease import Lease
from openalgo_desktop.automation.host.keeper.limits import Watch
from openalgo_desktop.automation.host.keeper.output import Budget, LogFile, Output
from openalgo_desktop.automation.host.keeper.tree import Facts, proportional
from openalgo_desktop.core.redact import Redactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Seconds between readings that are told.
TELL = 1.0
#: Bytes read from a pipe at once, and bytes a second that are read at most (far fewer go to the
#: disk): a script that prints without end waits for us instead of taking a processor for each.
CHUNK, PACE = 65_536, 20_000_000.0
#: What a line costs beside its bytes: a flood of empty lines is a flood too.
LINE = 100
#: Seconds for what a finished script leaves behind to end by itself; for its last output.
LEFTOVERS, DRAIN = 2.0, 1.0
_SECRET = "OPENALGO_API_KEY"


class BaseKeeper:
    """One run from its start to its end. ``enforced`` are limits that the system itself keeps."""

    def __init__(
        self,
        folder: str,
        spec: dict[str, Any],
        environment: dict[str, str],
        enforced: tuple[str, ...],
    ) -> None:
        now = time.monotonic()
        limits = spec["limits"]
        rate = int(limits["output_bytes_per_second"]) or 2**40
        redactor = Redactor()
        redactor.add(environment.get(_SECRET, ""))
        self._folder, self._spec, self._environment = folder, spec, environment
        self._output = Output(LogFile(folder), rate, redactor.clean, now)
        self._pace = Budget(PACE, PACE * 2, now)
        self._watch = Watch(limits, enforced, proportional)
        self._pid = 0
        self._why, self._reason = "", ""
        self._deadline = 0.0  # of the grace; 0: nobody asked to stop
        self._lease = Lease(folder, now)
        self._looked = self._told = now
        self._started = time.time()
        self._state = os.open(
            os.path.join(folder, files.STATE),
            os.O_WRONLY | os.O_CREAT | os.O_TRUNC | files.BINARY,
            0o600,
        )

    # -- of the system ----------------------------------------------------------------------
    @property
    def _over(self) -> bool:
        """Whether the script's own process has ended."""
        raise NotImplementedError

    @property
    def _every(self) -> float:
        """Seconds between looks at the processes."""
        raise NotImplementedError

    def _start(self) -> None:
        """Start the script, and write its marks. Raises :class:`OSError`."""
        raise NotImplementedError

    def _turn(self, wait: float) -> None:
        """Wait for news, at most so long; then do what is due."""
        raise NotImplementedError

    def _end_rest(self) -> None:
        """The script is gone; so goes what it left running."""
        raise NotImplementedError

    def _close(self) -> None:
        """Write how it ended."""
        raise NotImplementedError

    def _ask_politely(self) -> None:
        """Tell the script to end."""
        raise NotImplementedError

    def _rows(self) -> tuple[list[Facts], float]:
        """The processes of the run, and the seconds of processor time of those that have ended."""
        raise NotImplementedError

    # -- start ------------------------------------------------------------------------------
    def run(self) -> None:
        """Start the script and stay with it until nothing of it is left."""
        try:
            self._start()
        except OSError as error:
            self._why = "unstartable"
            self._reason = f"{self._spec['command'][0]} could not be started: {error.strerror}."
            self._output.note(self._reason)
        else:
            while not self._over:
                self._turn(self._every)
            self._end_rest()
        self._close()

    def _marks(self, mine: Facts | None, its: Facts | None, group: str) -> dict[str, Any]:
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
            "cgroup": group,
        }

    # -- while it runs ----------------------------------------------------------------------
    def _take(self, stream: str, data: bytes, now: float) -> None:
        self._pace.use(len(data) + data.count(b"\n") * LINE)
        self._output.take(stream, data, now)

    def _look(self, now: float) -> None:
        rows, ended = self._rows()
        why, reason = self._watch.look(rows, ended, now)
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
            os.lseek(self._state, 0, os.SEEK_SET)
            os.write(self._state, text.encode().ljust(files.STATE_SIZE))

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
        """By the engine, which says more in a file, or by the system that shuts down."""
        said = files.read(self._folder, files.STOP) or {}
        self._stop(
            said.get("why", "stopped"),
            said.get("reason", "") or "It was stopped.",
            float(said.get("grace", self._spec["grace"])),
        )

    def _stop(self, why: str, reason: str, grace: float) -> None:
        if self._over:  # it has ended by itself, and that is why
            return
        deadline = time.monotonic() + grace
        if self._deadline:  # asked again: sooner, never later
            self._deadline = min(self._deadline, deadline)
            return
        self._deadline, self._why, self._reason = deadline, why, reason
        self._output.note(f"{reason} It has {grace:g} seconds to end." if grace else reason)
        if grace and self._pid:
            with suppress(OSError):
                self._ask_politely()

    def _write_end(self, code: int | None, number: str) -> None:
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
