"""Limits by control groups, version 2, where this user may make them.

A group of the run is made beside (or, where there are no processes in it, below) the group that
the program itself is in. Each limit counts for itself: a system may let us have groups for ending
a tree at once, and no controller for memory.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

_PERIOD = 100_000  # microseconds, of the processor limit
#: Controllers by limit.
CONTROLLERS = {"memory_mb": "memory", "cpu_percent": "cpu", "processes": "pids"}


def root() -> str:
    """Where version 2 is mounted, or empty."""
    with suppress(OSError), open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            if right.startswith("cgroup2 "):
                return left.split()[4]
    return ""


def own() -> str:
    """The group this process is in, as a folder, or empty."""
    top = root()
    with suppress(OSError), open("/proc/self/cgroup", encoding="utf-8") as file:
        for line in file:
            if top and line.startswith("0::"):
                return os.path.join(top, line[3:].strip().lstrip("/")).rstrip("/")
    return ""


class Group:
    """The control group of one run. ``enforced`` names the limits that the system keeps for us."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.enforced: set[str] = set()

    def limit(self, limits: dict[str, int]) -> None:
        """Set what can be set; the others are left to watching."""
        allowed = _words(self.path, "cgroup.controllers")
        for name, amount in limits.items():
            controller = CONTROLLERS.get(name)
            if controller in allowed and amount and self._set(name, amount):
                self.enforced.add(name)

    def _set(self, name: str, amount: int) -> bool:
        if name == "memory_mb":
            _put(self.path, "memory.swap.max", "0")  # no such file without swap accounting
            _put(self.path, "memory.oom.group", "1")
            return _put(self.path, "memory.max", str(amount * 2**20))
        if name == "cpu_percent":
            return _put(self.path, "cpu.max", f"{amount * _PERIOD // 100} {_PERIOD}")
        return _put(self.path, "pids.max", str(amount))

    def join(self) -> bool:
        """Put this process into it."""
        return _put(self.path, "cgroup.procs", "0")

    def kill(self) -> bool:
        """End all that is in it at once. False where the system (before Linux 5.14) cannot."""
        return _put(self.path, "cgroup.kill", "1")

    def out_of_memory(self) -> bool:
        """Whether the system ended processes because of the memory limit."""
        words = _words(self.path, "memory.events")
        return "oom_kill" in words and words[words.index("oom_kill") + 1] != "0"

    def remove(self) -> None:
        """When it is empty; the system takes a moment to see that."""
        for _ in range(100):
            try:
                os.rmdir(self.path)
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)
            else:
                return


def name_of(cookie: str) -> str:
    """The name of the group of the run with this mark."""
    return f"openalgo-{cookie[:16]}"


def _places() -> list[str]:
    """Where groups of runs are made. A group with processes of its own, as ours is, cannot share
    out memory to groups below it: its parent comes first."""
    here = own()
    return [one for one in (os.path.dirname(here), here) if here and one.startswith(root())]


def left(cookie: str, path: str = "") -> list[Group]:
    """Groups of a run whose keeper is gone: where we would make it, and ``path``, which it told."""
    name = name_of(cookie)
    paths = {os.path.join(place, name) for place in _places()}
    if os.path.basename(path) == name:
        paths.add(path)
    return [Group(path) for path in paths if os.path.isdir(path)]


def make(name: str, base: str | None = None) -> Group | None:
    """A new group ``name`` below ``base``, or where this user may make one; None: nowhere."""
    for place in _places() if base is None else [base]:
        path = os.path.join(place, name)
        try:
            os.mkdir(path, 0o755)
        except OSError:
            continue
        if os.path.exists(os.path.join(path, "cgroup.procs")) or base is not None:
            return Group(path)
        with suppress(OSError):
            os.rmdir(path)
    return None


def _put(folder: str, name: str, text: str) -> bool:
    try:
        descriptor = os.open(os.path.join(folder, name), os.O_WRONLY)
    except OSError:
        return False
    try:
        os.write(descriptor, text.encode())
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _words(folder: str, name: str) -> list[str]:
    with suppress(OSError), open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read().split()
    return []
