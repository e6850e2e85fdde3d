"""Processes as the system tells of them: who is whose child, since when, with how much.

On Linux from ``/proc``, on Windows from its own calls (there a run is a job object); elsewhere
(macOS) from the ``ps`` command. Sizes in bytes, processor time in seconds. What ends while it is
read is left out.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

LINUX = sys.platform.startswith("linux")
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
#: Rounds of ending a tree that forks while it is ended.
_ROUNDS = 50


class Facts:
    """One process. ``state`` Z is one that has ended and is not yet reaped; ``cpu`` is its own
    time and that of children which it has reaped; ``started`` is in the system's own unit, good
    for comparing only."""

    __slots__ = ("cpu", "group", "parent", "pid", "resident", "session", "started", "state")

    def __init__(
        self,
        pid: int,
        parent: int,
        group: int,
        session: int,
        state: str,
        cpu: float,
        resident: int,
        started: int,
    ) -> None:
        self.pid, self.parent, self.group, self.session = pid, parent, group, session
        self.state, self.cpu, self.resident, self.started = state, cpu, resident, started


def facts(pid: int) -> Facts | None:
    """Of one process, or None when there is none."""
    if sys.platform == "win32":
        from openalgo_desktop.automation.host.keeper.windows import processes

        told = processes.look(pid)
        return told and Facts(pid, 0, 0, 0, "R", told.cpu, told.resident, told.started)
    if not LINUX:
        return next((row for row in _ps() if row.pid == pid), None)
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The name in brackets may itself have brackets and blanks.
    words = text[text.rindex(b")") + 2 :].split()
    return Facts(
        pid,
        int(words[1]),
        int(words[2]),
        int(words[3]),
        words[0].decode(),
        sum(map(int, words[11:15])) / _TICKS,
        int(words[21]) * _PAGE,
        int(words[19]),
    )


def alive(pid: int, started: int) -> bool:
    """Whether this very process still runs; a zombie does not."""
    found = facts(pid)
    return found is not None and found.started == started and found.state not in "ZX"


def descendants(pid: int) -> list[Facts]:
    """All processes below ``pid``, zombies left out, without itself. Costs as much as the tree
    has threads, not as the machine has processes."""
    if not LINUX:
        return _below(pid, _ps())
    found: list[Facts] = []
    waiting, seen = _children(pid), {pid}
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        row = facts(one)
        if row is None:
            continue
        if row.state not in "ZX":
            found.append(row)
        waiting += _children(one)
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    return found


def proportional(rows: Iterable[Facts]) -> int:
    """Bytes that the processes hold, what they share counted once; where the system does not tell,
    the sum of their resident sizes."""
    total = 0
    for row in rows:
        size = row.resident
        with suppress(OSError, ValueError), open(f"/proc/{row.pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    size = int(line.split()[1]) * 1024
                    break
        total += size
    return total


def with_cookie(cookie: str) -> list[Facts]:
    """All processes of ours whose environment has ``cookie``: a walk over the whole machine, for
    what is left when the keeper is gone."""
    wanted = cookie.encode()
    found: list[Facts] = []
    if not LINUX:
        lines = _run_ps("-axEww", "-o", "pid=,command=")
        pids = [int(line.split()[0]) for line in lines if cookie in line]
        return [row for row in _ps() if row.pid in pids]
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        with suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            if wanted in file.read():
                row = facts(int(name))
                if row is not None and row.state not in "ZX":
                    found.append(row)
    return found


def has_cookie(pid: int, cookie: str) -> bool:
    """Whether the environment of this process has it; on Windows whether somebody holds its job,
    which the keeper alone does."""
    if sys.platform == "win32":
        from openalgo_desktop.automation.host.keeper.windows import jobs

        return jobs.there(cookie)
    if not LINUX:
        return any(cookie in line for line in _run_ps("-Eww", "-o", "command=", "-p", str(pid)))
    with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        return cookie.encode() in file.read()
    return False


def of_run(cookie: str) -> list[Facts]:
    """What is left of a run whose keeper is gone: processes with its cookie, and all below them."""
    rows = {row.pid: row for row in with_cookie(cookie)}
    for row in list(rows.values()):
        rows.update((below.pid, below) for below in descendants(row.pid))
    rows.pop(os.getpid(), None)
    return list(rows.values())


def send(rows: Sequence[Facts], number: int) -> None:
    """A signal to each and to its group (never to ours); those that are gone do not matter. A group
    is hit at once, also the child that one of it forks at this moment."""
    own = os.getpgrp()
    for group in {row.group for row in rows}:
        if group not in (0, 1, own):
            with suppress(OSError):
                os.killpg(group, number)
    for row in rows:
        with suppress(OSError):
            os.kill(row.pid, number)


def halt(pid: int) -> list[Facts]:
    """Stop everything below ``pid`` where it is, also what forks meanwhile; returns all of it."""
    halted: set[int] = set()
    rows = descendants(pid)
    for _ in range(_ROUNDS):
        fresh = [row for row in rows if row.pid not in halted]
        if not fresh:
            break
        send(fresh, signal.SIGSTOP)
        halted.update(row.pid for row in fresh)
        rows = descendants(pid)
    return rows


def end_below(pid: int) -> dict[int, int]:
    """End everything below this process by force: all are halted before any is killed, because
    some fork faster than they are ended. Returns what was reaped: {pid: wait status}."""
    done: dict[int, int] = {}
    for _ in range(_ROUNDS):
        rows = halt(pid)
        if not rows:
            break
        send(rows, signal.SIGKILL)
        time.sleep(0.005)
        done |= reap()
    return done


def end_run(cookie: str) -> bool:
    """The same for a run whose keeper is gone (or is to go with it). Whether nothing is left."""
    if sys.platform == "win32":
        from openalgo_desktop.automation.host.keeper.windows import jobs

        jobs.end(cookie)
        return True  # what is in a job ends with its last handle
    for _ in range(_ROUNDS):
        rows = of_run(cookie)
        if not rows:
            return True
        send(rows, signal.SIGSTOP)
        send(of_run(cookie), signal.SIGKILL)
        time.sleep(0.005)
    return not of_run(cookie)


def reap() -> dict[int, int]:
    """Children of this process that have ended: {pid: wait status}."""
    done: dict[int, int] = {}
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            done[pid] = status
    return done


# -- without /proc --------------------------------------------------------------------------
def _run_ps(*words: str) -> list[str]:
    import subprocess

    done = subprocess.run(
        ["/bin/ps", *words], capture_output=True, text=True, check=False, errors="replace"
    )
    return [line for line in done.stdout.splitlines() if line.strip()]


def _ps() -> list[Facts]:
    columns = "pid=,ppid=,pgid=,state=,rss=,time=,lstart="
    return [row for line in _run_ps("-axo", columns) if (row := parse_ps(line)) is not None]


def parse_ps(line: str) -> Facts | None:
    """One line of ``ps -axo pid=,ppid=,pgid=,state=,rss=,time=,lstart=``; the session is taken
    to be the group, which macOS does not tell."""
    words = line.split()
    try:
        pid, parent, group = map(int, words[:3])
        started = time.mktime(time.strptime(" ".join(words[6:11]), "%a %b %d %H:%M:%S %Y"))
        cpu = 0.0
        for part in words[5].replace("-", ":").split(":"):
            cpu = cpu * 60 + float(part)
        state, resident = words[3][0], int(words[4]) * 1024
    except (ValueError, IndexError):
        return None
    return Facts(pid, parent, group, group, state, cpu, resident, int(started))


def _below(pid: int, rows: list[Facts]) -> list[Facts]:
    """Below by parent, and the groups and sessions of those."""
    family, groups = {pid}, set[int]()
    while True:
        more = {
            row.pid
            for row in rows
            if row.pid not in family and (row.parent in family or row.group in groups)
        }
        if not more:
            break
        family |= more
        groups |= {row.group for row in rows if row.pid in more}
    return [row for row in rows if row.pid in family and row.pid != pid and row.state != "Z"]
