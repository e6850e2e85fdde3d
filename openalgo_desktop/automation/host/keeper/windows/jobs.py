"""The job object of one run: everything that the script starts is in it and stays in it, and it
ends with the last handle of it, which is its keeper's."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping

from openalgo_desktop.automation.host.keeper.windows import api

assert sys.platform == "win32"

_MB = 2**20
_MOST_IDS = 4096


class _Ids(ctypes.Structure):
    """JOBOBJECT_BASIC_PROCESS_ID_LIST."""

    _fields_ = (
        ("assigned", ctypes.c_uint32),
        ("listed", ctypes.c_uint32),
        ("ids", ctypes.c_size_t * _MOST_IDS),
    )


def name_of(cookie: str) -> str:
    """Under which the job of a run is found by who knows its cookie."""
    return f"Local\\openalgo-run-{cookie}"


class Job:
    """``enforced`` names the limits that need no watching. Memory and processes do: what the system
    refuses is for the script to deal with, and one that does not is ended by us."""

    def __init__(self, cookie: str) -> None:
        """Raises :class:`OSError`."""
        self._handle = api.kernel32.CreateJobObjectW(None, name_of(cookie))
        if not self._handle:
            raise api.failed()
        self.enforced: tuple[str, ...] = ()
        self._memory = 0
        if not self._set_limits({}):  # without it nothing would end with us
            raise api.failed()

    def limit(self, limits: Mapping[str, float]) -> None:
        """Have the system keep what it can."""
        if self._set_limits(limits):
            self._memory = int(limits.get("memory_mb", 0)) * _MB
        if percent := int(limits.get("cpu_percent", 0)):
            rate = max(1, min(10_000, percent * 100 // (os.cpu_count() or 1)))
            told = api.CpuRate(api.RATE_ENABLE | api.RATE_HARD_CAP, rate)
            if self._set(api.CPU_RATE, told):
                self.enforced = ("cpu_percent",)

    def _set_limits(self, limits: Mapping[str, float]) -> bool:
        told = api.ExtendedLimits()
        told.basic.flags = api.KILL_ON_CLOSE
        if processes := int(limits.get("processes", 0)):
            told.basic.flags |= api.LIMIT_PROCESSES
            told.basic.processes = processes
        if memory := int(limits.get("memory_mb", 0)):
            told.basic.flags |= api.LIMIT_MEMORY
            told.job_memory = memory * _MB
        return self._set(api.EXTENDED_LIMIT, told)

    def _set(self, kind: int, told: ctypes.Structure) -> bool:
        done = api.kernel32.SetInformationJobObject(
            self._handle, kind, ctypes.byref(told), ctypes.sizeof(told)
        )
        return bool(done)

    def take(self, process: int) -> None:
        """Put a process (a handle) in. Raises :class:`OSError`."""
        if not api.kernel32.AssignProcessToJobObject(self._handle, process):
            raise api.failed()

    def pids(self) -> list[int]:
        """What runs in it now."""
        found = _Ids()
        self._ask(api.PROCESS_IDS, found)
        return [int(found.ids[number]) for number in range(min(found.listed, _MOST_IDS))]

    def cpu(self) -> float:
        """Seconds of processor time of all that ever was in it."""
        found = api.Accounting()
        self._ask(api.ACCOUNTING, found)
        return float(found.user + found.kernel) / 1e7

    def out_of_memory(self) -> bool:
        """Whether it has wanted all the memory that it may have."""
        found = api.ExtendedLimits()
        self._ask(api.EXTENDED_LIMIT, found)
        return bool(self._memory) and int(found.peak_job_memory) >= self._memory * 0.99

    def _ask(self, kind: int, found: ctypes.Structure) -> None:
        api.kernel32.QueryInformationJobObject(
            self._handle, kind, ctypes.byref(found), ctypes.sizeof(found), None
        )

    def end(self) -> None:
        """End all of it by force."""
        api.kernel32.TerminateJobObject(self._handle, 1)


def there(cookie: str) -> bool:
    """Whether somebody holds the job of a run."""
    handle = api.kernel32.OpenJobObjectW(api.JOB_ALL_ACCESS, False, name_of(cookie))
    if handle:
        api.kernel32.CloseHandle(handle)
    return bool(handle)


def end(cookie: str) -> None:
    """End what is left of a run."""
    handle = api.kernel32.OpenJobObjectW(api.JOB_ALL_ACCESS, False, name_of(cookie))
    if handle:
        api.kernel32.TerminateJobObject(handle, 1)
        api.kernel32.CloseHandle(handle)
