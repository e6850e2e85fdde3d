"""The script's own process: what is set between fork and exec, and nothing else."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

_PDEATHSIG, _NAME, _SUBREAPER = 1, 15, 36
#: Ignored by a Python parent, and ignored signals stay so over exec.
_DEFAULTS = ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD", "SIGQUIT")
_FALLBACK_FILES = 4096
#: When the machine's memory is full, scripts go before the engine that holds the positions.
_OOM = "500"


def _prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    with suppress(OSError, AttributeError):
        function: Callable[..., int] = ctypes.CDLL(None).prctl
        return function
    return None


def become_keeper() -> None:
    """Nobody's child, so that it does not matter when the engine ends; and whoever loses its parent
    below us becomes our child, so that no double fork escapes."""
    if os.fork():
        os._exit(0)
    prctl = _prctl()
    if prctl is not None:
        prctl(_SUBREAPER, 1, 0, 0, 0)
        prctl(_NAME, b"strategy-keeper", 0, 0, 0)


def spawn(
    command: list[str],
    folder: str,
    environment: dict[str, str],
    out: int,
    err: int,
    join: Callable[[], object] | None,
) -> int:
    """Start ``command`` in a session of its own, with descriptors 0 (nothing), 1 and 2 only; it
    dies with us. Returns its pid; raises :class:`OSError` when it cannot be executed."""
    prctl = _prctl()
    reader, writer = os.pipe()  # closed by exec; carries the error number of a failed one
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _child(command, folder, environment, out, err, join, prctl, parent, writer)
        except OSError as error:
            os.write(writer, str(error.errno or 1).encode())
        finally:
            os._exit(127)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        said = file.read()
    if said:
        os.waitpid(pid, 0)
        number = int(said)
        raise OSError(number, os.strerror(number), command[0])
    return pid


def _child(
    command: list[str],
    folder: str,
    environment: dict[str, str],
    out: int,
    err: int,
    join: Callable[[], object] | None,
    prctl: Callable[..., int] | None,
    parent: int,
    writer: int,
) -> None:
    os.setsid()
    for name in _DEFAULTS:
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    if join is not None:
        join()
    if prctl is not None:
        prctl(_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before that held
            os._exit(127)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(_OOM)
    nothing = os.open(os.devnull, os.O_RDONLY)
    # The three may have each other's numbers.
    nothing, out, err, writer = (_above(one) for one in (nothing, out, err, writer))
    for number, descriptor in enumerate((nothing, out, err)):
        os.dup2(descriptor, number, inheritable=True)
    os.closerange(3, writer)
    os.closerange(writer + 1, max(writer + 2, _highest()))
    os.umask(0o077)
    os.chdir(folder)
    os.execve(command[0], command, environment)


def _above(descriptor: int) -> int:
    """The same with a number above those of the three standard ones; not inherited by exec."""
    if descriptor > 2:
        return descriptor
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)


def _highest() -> int:
    with suppress(OSError, ValueError):
        return max(map(int, os.listdir("/proc/self/fd"))) + 1
    return _FALLBACK_FILES
