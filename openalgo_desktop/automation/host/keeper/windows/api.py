"""The calls of Windows that are needed, through ctypes: a keeper has the standard library only.

Names, layouts and numbers as in Microsoft's documentation (``winnt.h``, *Job Objects*,
*GetProcessTimes*, *GetProcessMemoryInfo*).
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes

assert sys.platform == "win32"

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
ntdll = ctypes.WinDLL("ntdll")

# JOBOBJECTINFOCLASS
ACCOUNTING, PROCESS_IDS, EXTENDED_LIMIT, CPU_RATE = 1, 3, 9, 15
# JOB_OBJECT_LIMIT_*, JOB_OBJECT_CPU_RATE_CONTROL_*
LIMIT_PROCESSES, LIMIT_MEMORY, KILL_ON_CLOSE = 0x8, 0x200, 0x2000
RATE_ENABLE, RATE_HARD_CAP = 0x1, 0x4
JOB_ALL_ACCESS = 0x1F001F
QUERY_LIMITED, READ_MEMORY = 0x1000, 0x10
STILL_ACTIVE = 259
CTRL_BREAK = 1
SUSPENDED = 0x4


class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", wintypes.DWORD),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("processes", wintypes.DWORD),
        ("affinity", ctypes.c_size_t),
        ("priority", wintypes.DWORD),
        ("scheduling", wintypes.DWORD),
    )


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("basic", BasicLimits),
        ("io", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process_memory", ctypes.c_size_t),
        ("peak_job_memory", ctypes.c_size_t),
    )


class Accounting(ctypes.Structure):
    """JOBOBJECT_BASIC_ACCOUNTING_INFORMATION; times in units of 100 ns."""

    _fields_ = (
        ("user", ctypes.c_int64),
        ("kernel", ctypes.c_int64),
        ("period_user", ctypes.c_int64),
        ("period_kernel", ctypes.c_int64),
        ("faults", wintypes.DWORD),
        ("all_processes", wintypes.DWORD),
        ("processes", wintypes.DWORD),
        ("terminated", wintypes.DWORD),
    )


class CpuRate(ctypes.Structure):
    """JOBOBJECT_CPU_RATE_CONTROL_INFORMATION; ``rate`` in hundredths of a per cent of all cores."""

    _fields_ = (("flags", wintypes.DWORD), ("rate", wintypes.DWORD))


class MemoryCounters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS."""

    _fields_ = (
        ("size", wintypes.DWORD),
        ("faults", wintypes.DWORD),
        ("peak_working_set", ctypes.c_size_t),
        ("working_set", ctypes.c_size_t),
        ("rest", ctypes.c_size_t * 6),
    )


_HANDLE, _DWORD, _BOOL, _TEXT = (
    *(wintypes.HANDLE, wintypes.DWORD, wintypes.BOOL, wintypes.LPCWSTR),
)
_ANY = ctypes.c_void_p
_CALLS = (
    ("CreateJobObjectW", _HANDLE, (_ANY, _TEXT)),
    ("OpenJobObjectW", _HANDLE, (_DWORD, _BOOL, _TEXT)),
    ("SetInformationJobObject", _BOOL, (_HANDLE, ctypes.c_int, _ANY, _DWORD)),
    ("QueryInformationJobObject", _BOOL, (_HANDLE, ctypes.c_int, _ANY, _DWORD, _ANY)),
    ("AssignProcessToJobObject", _BOOL, (_HANDLE, _HANDLE)),
    ("TerminateJobObject", _BOOL, (_HANDLE, wintypes.UINT)),
    ("OpenProcess", _HANDLE, (_DWORD, _BOOL, _DWORD)),
    ("GetExitCodeProcess", _BOOL, (_HANDLE, _ANY)),
    ("GetProcessTimes", _BOOL, (_HANDLE, _ANY, _ANY, _ANY, _ANY)),
    ("K32GetProcessMemoryInfo", _BOOL, (_HANDLE, _ANY, _DWORD)),
    ("TerminateProcess", _BOOL, (_HANDLE, wintypes.UINT)),
    ("GenerateConsoleCtrlEvent", _BOOL, (_DWORD, _DWORD)),
    ("CloseHandle", _BOOL, (_HANDLE,)),
)
for _name, _answer, _takes in _CALLS:
    _call = kernel32[_name]
    _call.restype, _call.argtypes = _answer, _takes
ntdll.NtResumeProcess.argtypes = (_HANDLE,)


def failed() -> OSError:
    """The error of the last call."""
    return ctypes.WinError(ctypes.get_last_error())
