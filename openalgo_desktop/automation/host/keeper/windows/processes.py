"""Single processes, as Windows tells of them."""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes
from typing import NamedTuple

from openalgo_desktop.automation.host.keeper.windows import api

assert sys.platform == "win32"


class Times(NamedTuple):
    """``started`` in units of 100 ns since 1601, ``cpu`` seconds, ``resident`` bytes."""

    started: int
    cpu: float
    resident: int


def look(pid: int) -> Times | None:
    """One process that runs, or None."""
    handle = api.kernel32.OpenProcess(api.QUERY_LIMITED | api.READ_MEMORY, False, pid)
    handle = handle or api.kernel32.OpenProcess(api.QUERY_LIMITED, False, pid)
    if not handle:
        return None
    try:
        code = wintypes.DWORD()
        api.kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
        if code.value != api.STILL_ACTIVE:
            return None
        times = [ctypes.c_uint64() for _ in range(4)]  # FILETIME: creation, exit, kernel, user
        api.kernel32.GetProcessTimes(handle, *map(ctypes.byref, times))
        memory = api.MemoryCounters(size=ctypes.sizeof(api.MemoryCounters))
        api.kernel32.K32GetProcessMemoryInfo(handle, ctypes.byref(memory), memory.size)
        cpu = (times[2].value + times[3].value) / 1e7
        return Times(times[0].value, cpu, int(memory.working_set))
    finally:
        api.kernel32.CloseHandle(handle)
