"""One run as the engine holds it: a handle on a keeper that is nobody's child."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from openalgo_desktop.automation.host import places
from openalgo_desktop.automation.host.keeper import cgroup, files, tree
from openalgo_desktop.automation.host.ports import Ended, Marks, Usage, Why
from openalgo_desktop.core.clock import Clock

log = logging.getLogger(__name__)

#: Seconds over the grace in which a keeper has to be done before it is ended itself.
PATIENCE = 15.0
#: Seconds between looks where the system does not tell when a process ends.
_LOOK = 0.25
_NOTHING = Usage(
    cpu_percent=0.0, memory_mb=0.0, processes=0, lines=0, left_out=0, silent_seconds=0.0
)


class KeptRun:
    """See :class:`Running`. Made on the loop, for a keeper that is proven."""

    def __init__(self, folder: Path, marks: Marks, clock: Clock, clean: Callable[[str], str]):
        self._folder = folder
        self._marks = marks
        self._clock = clock
        self._clean = clean
        self._heard = clock.monotonic()
        self._usage = _NOTHING
        self._over: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._pidfd = _open(marks)
        #: Signals are sent by threads; a number that was closed may be another run's by then.
        self._lock = threading.Lock()
        self._task = asyncio.create_task(self._watch(), name=f"host-{marks.run_id}")

    @property
    def pid(self) -> int:
        return self._marks.pid

    @property
    def started(self) -> float:
        return self._marks.started

    @property
    def run_id(self) -> str:
        return self._marks.run_id

    @property
    def marks(self) -> Marks:
        return self._marks

    @property
    def ended(self) -> asyncio.Future[Ended]:
        """A future of the caller's own: who is cancelled while waiting for it cancels nothing."""
        return asyncio.shield(self._over)

    def heartbeat(self) -> None:
        """It called us."""
        self._heard = self._clock.monotonic()

    def usage(self) -> Usage:
        """The last readings of the keeper; before the first and after the end, the last known."""
        told = files.read(str(self._folder), files.STATE)
        now = self._clock.monotonic()
        heard = self._heard
        if told is not None:
            heard = max(heard, float(told["heard"]))
            self._usage = Usage(
                cpu_percent=told["cpu"],
                memory_mb=round(told["memory"] / 2**20, 1),
                processes=told["processes"],
                lines=told["lines"],
                left_out=told["left_out"],
                silent_seconds=0.0,
            )
        return msgspec.structs.replace(self._usage, silent_seconds=max(0.0, round(now - heard, 1)))

    async def stop(self, grace: float, reason: str = "", why: Why = "stopped") -> Ended:
        """See :class:`Running`."""
        if not self._over.done():
            await asyncio.to_thread(self._ask, grace, reason, why)
            with suppress(TimeoutError):
                async with asyncio.timeout(grace + PATIENCE):
                    return await self.ended
            self._kill()  # its script dies with it, the rest is found afterwards
        return await self.ended

    async def close(self) -> None:
        """Look no more; the run goes on, and ends by itself when nobody takes it over."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._shut()  # a task that never began ends without its finally
        self._over.cancel()

    def _ask(self, grace: float, reason: str, why: Why) -> None:
        said = {"grace": max(0.0, grace), "reason": reason, "why": why}
        with suppress(OSError):  # a full disk: it stops with its own grace
            files.write(str(self._folder), files.STOP, said)
        if sys.platform != "win32":  # there the keeper looks for the file
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)

    def _kill(self) -> None:
        if sys.platform != "win32":
            self._signal(signal.SIGKILL)
        else:
            self._signal(signal.SIGTERM)  # which is the end of a process there, not a request

    def _signal(self, number: signal.Signals) -> None:
        with self._lock, suppress(OSError):
            if sys.platform.startswith("linux") and self._pidfd >= 0:
                signal.pidfd_send_signal(self._pidfd, number)
            elif tree.alive(self._marks.keeper_pid, self._marks.keeper_started):
                os.kill(self._marks.keeper_pid, number)

    async def _watch(self) -> None:
        try:
            await self._gone()
        finally:
            self._shut()
        try:
            ended = await asyncio.to_thread(find_end, self._folder, self._marks)
        except Exception:  # such as a folder that somebody deleted: it has ended all the same
            log.exception("how run %s ended cannot be read", self.run_id)
            ended = _unknown("It has ended; how, cannot be read.", self._clock.time())
        if not self._over.done():
            self._over.set_result(cleaned(ended, self._clean))

    def _shut(self) -> None:
        with self._lock:
            if self._pidfd >= 0:
                os.close(self._pidfd)
                self._pidfd = -1

    def _goes_on(self, pid: int, started: int) -> bool:
        """Whether the keeper has more to do: how it ended is the last thing that it writes."""
        return not (self._folder / files.ENDED).exists() and tree.alive(pid, started)

    async def _gone(self) -> None:
        """Returns when the keeper has ended."""
        keeper = self._marks.keeper_pid, self._marks.keeper_started
        if self._pidfd < 0:
            # The system tells nobody but the parent, and we are not.
            while await asyncio.to_thread(self._goes_on, *keeper):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK)
            return
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        loop.add_reader(self._pidfd, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(self._pidfd)


def _open(marks: Marks) -> int:
    """A descriptor that is readable when the keeper has ended; -1 where the system has none or
    the process is gone."""
    if not sys.platform.startswith("linux"):
        return -1
    try:
        descriptor = os.pidfd_open(marks.keeper_pid)
    except OSError:
        return -1
    if tree.alive(marks.keeper_pid, marks.keeper_started):
        return descriptor
    os.close(descriptor)
    return -1


def find_end(folder: Path, marks: Marks) -> Ended:
    """How a run ended whose keeper is gone. When the keeper did not write that, what may be left of
    the run is ended first. Blocks."""
    ended = places.ended_of(folder)
    if ended is not None:
        return ended
    rest = not end_all(marks.cookie, marks.cgroup)
    if sys.platform != "win32":
        with suppress(ChildProcessError, OSError):
            os.waitpid(marks.keeper_pid, os.WNOHANG)  # ours only where we are the first process
    reason = "The process that looked after it was ended from outside, and it with it."
    with suppress(OSError):
        said = (folder / files.ERRORS).read_text("utf-8", "replace").strip()
        if said:
            reason = f"The process that looked after it failed: {said.splitlines()[-1]}"
    if rest:
        reason = "The process that looked after it is gone, and some of its own cannot be ended."
    return lost(folder, reason)


def end_all(cookie: str, path: str = "") -> bool:
    """End what is left of a run whose keeper is gone; whether nothing is left. ``path`` is its
    control group, where that is known. Blocks."""
    groups = cgroup.left(cookie, path)
    for group in groups:
        group.kill()
    ended = tree.end_run(cookie)
    for group in groups:
        group.remove()
    return ended


def lost(folder: Path, reason: str) -> Ended:
    """The end of a run that nobody saw; written down for the list of runs. Blocks."""
    from openalgo_desktop.automation.host.logs import last_texts

    ended = _unknown(reason, folder.stat().st_mtime, tuple(last_texts(folder)))
    with suppress(OSError):
        places.write_ended(folder, ended)
    return ended


def _unknown(reason: str, at: float, last: tuple[str, ...] = ()) -> Ended:
    return Ended(code=None, signal="", why="lost", reason=reason, last_lines=last, at=at)


def cleaned(ended: Ended, clean: Callable[[str], str]) -> Ended:
    """Without the secrets that only this program knows."""
    return msgspec.structs.replace(ended, last_lines=tuple(map(clean, ended.last_lines)))
