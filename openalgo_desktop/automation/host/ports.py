"""What the process side of hosted programs takes and gives.

A *program* is a Python file or folder of the user. One *run* of it is one process tree, started by
a small *keeper* process that writes the run's log, watches its limits, and ends the tree when it is
told to, when a limit is broken, or when no engine has looked after the run for a while. The keeper
is no child that dies with the engine: after a restart the engine adopts what it finds.

Times named ``at`` and ``started`` are epoch seconds of the machine's clock (a keeper has no other);
durations are seconds of the monotonic clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from openalgo_desktop.core.secret import Secret

#: What ended a run. ``exited``: the script by itself (see ``code``); ``signal``: something else
#: killed it; ``stopped``: we were asked to; ``orphaned``: no engine looked after it; ``lost``: it
#: was gone, keeper and all, when somebody looked.
Why = Literal[
    "exited", "signal", "stopped", "memory", "cpu", "processes", "orphaned", "unstartable", "lost"
]
Stream = Literal["out", "err", "note"]  # note: a line of the keeper's own


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What is to run. ``strategy_id`` is also a folder's name: letters, digits, ``-`` and ``_``."""

    strategy_id: str
    name: str
    folder: Path  # the working folder of its processes
    entry: Path  # the script, inside ``folder`` (absolute, or relative to it)
    requirements: Path | None = None
    exchange: str = "NSE"
    interpreter: Path | None = None  # a Python of the user's; None: ours
    variables: dict[str, str] = {}  # its own parameters, for its environment


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the whole process tree; 0 is none. Never set as resource limits of a process."""

    memory_mb: int = 1024
    cpu_percent: int = 0  # of one core, on average over ``cpu_seconds``
    processes: int = 64  # processes, not threads
    cpu_seconds: float = 60.0
    #: What may be written to the log, bytes a second, with a burst of four seconds. What is more is
    #: read, counted and left out, save the last lines.
    output_bytes_per_second: int = 262_144


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """The way back to us: the key made for this run and the addresses it is good for."""

    api_key: Secret
    host: str  # http://127.0.0.1:5000
    ws_url: str  # ws://127.0.0.1:8765


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A checked program. ``command`` runs a script: interpreter and its options."""

    command: tuple[str, ...]
    entry: Path
    digest: str  # SHA-256 (hex) of the entry's content that was checked
    python: str  # "3.12.4"
    venv: Path | None = None
    notes: tuple[str, ...] = ()  # for the user: imports that will probably fail


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """What proves a process after a restart of the engine: its pid, the time it started (in the
    system's own unit), and a cookie in its environment that only we know."""

    strategy_id: str
    run_id: str
    keeper_pid: int
    keeper_started: int
    pid: int
    pid_started: int
    cookie: str
    host: str  # the REST address that the process was told
    started: float
    cgroup: str = ""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. ``code`` is None where a signal or nobody knows what ended it."""

    code: int | None
    signal: str  # "SIGKILL" or empty
    why: Why
    reason: str  # a sentence for the user
    last_lines: tuple[str, ...]  # the last 20, without secrets
    at: float


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """The whole tree at the last look (once a second). ``silent_seconds`` counts from the last
    output or :meth:`Running.heartbeat`."""

    cpu_percent: float
    memory_mb: float
    processes: int
    lines: int
    left_out: int  # lines that were too many for the log
    silent_seconds: float


class Running(Protocol):
    """One process tree that runs, or did."""

    @property
    def pid(self) -> int:
        """Of the script's own process."""

    @property
    def started(self) -> float: ...

    @property
    def run_id(self) -> str: ...

    @property
    def marks(self) -> Marks: ...

    @property
    def ended(self) -> asyncio.Future[Ended]:
        """Done when the whole tree is gone. Each is the caller's own: cancelling it is harmless."""

    async def stop(self, grace: float, reason: str = "") -> Ended:
        """Ask politely (SIGTERM to its process group), wait ``grace`` seconds, then end the whole
        tree by force. May be called again with a shorter grace."""

    def usage(self) -> Usage: ...

    def heartbeat(self) -> None:
        """It gave a sign of life elsewhere, such as a call of the API."""


class Processes(Protocol):
    """Starts, adopts and ends runs. One of it for a data folder."""

    async def prepare(self, program: Program, progress: Callable[[str], None]) -> Ready:
        """Check the entry, make or find the virtual environment; ``progress`` gets pip's lines.
        Nothing is executed. Raises :class:`ConfigError` that names file, line and fix."""

    async def start(
        self, program: Program, ready: Ready, grant: Grant, limits: Limits, run_id: str
    ) -> Running:
        """A new process tree. Raises :class:`ConfigError` when it cannot be started."""

    async def left(self) -> list[Marks]:
        """Runs of an earlier engine that still go on, proven. Those that nobody adopts are to be
        given to :meth:`end`."""

    async def adopt(self, marks: Marks) -> Running | None:
        """Look after this run from now on; None when it is not that process any more."""

    async def end(self, marks: Marks, reason: str) -> Ended:
        """End a run of an earlier engine, its whole tree."""

    async def how_it_ended(self, strategy_id: str, run_id: str) -> Ended | None:
        """Of a run that is over, also one that ended while no engine ran; None: not known."""

    async def tidy(self, days: int = 60) -> int:
        """Delete virtual environments that nobody asked for in so many days and no run uses;
        returns how many."""

    async def stop_all(self, grace: float, reason: str = "") -> None:
        """End all runs side by side; returns when they are gone."""

    async def close(self) -> None:
        """Stop looking, and leave the runs to the next engine."""


class LogEntry(msgspec.Struct, frozen=True):
    """One line of a run's output."""

    at: float
    stream: Stream
    text: str


class RunLog(msgspec.Struct, frozen=True, kw_only=True):
    """One run as the list of logs shows it."""

    run_id: str
    started: float
    size: int  # bytes on disk
    ended: Ended | None


class Logs(Protocol):
    """Output of the runs, newest run first. Every text passes the program's redactor."""

    async def runs(self, strategy_id: str) -> list[RunLog]: ...

    async def last(self, strategy_id: str, run_id: str, count: int = 200) -> list[LogEntry]: ...

    async def search(
        self, strategy_id: str, text: str, *, run_id: str = "", limit: int = 500
    ) -> list[tuple[str, LogEntry]]:
        """(run, line) of the lines that contain ``text`` in any case, newest run first."""

    def follow(self, strategy_id: str, run_id: str, last: int = 0) -> AsyncIterator[list[LogEntry]]:
        """The last lines, then new ones as they come, in bounded parts; ends with the run."""

    async def prune(self, *, days: int, megabytes: int, most: int = 200) -> int:
        """Delete logs of ended runs that are older, then the oldest of each strategy that has more
        than ``megabytes`` or more than ``most`` runs; the newest run stays. Returns how many runs
        were deleted."""

    async def remove(self, strategy_id: str) -> None:
        """Delete everything of a strategy: logs, its home. Raises :class:`ConfigError` while it
        runs."""
