"""Questions at a terminal that can be taken back: when the browser answered first, or at Ctrl+C.

``input()`` in a thread cannot be: the thread stays in the C library's ``fgets``, and since glibc
2.41 a program that ends waits for it. On Windows there is no other way; there the exit waits for
nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TypeVar, cast

from openalgo_desktop.core.errors import ConfigError

T = TypeVar("T")

_CHUNK = 65_536
#: A line of a terminal is no longer than this.
_LINE = 4096


async def ask_line(label: str, *, secret: bool = False) -> str:
    """One line typed at the terminal, without its end; a ``secret`` is not echoed. Raises
    :class:`ConfigError` when the input ended."""
    if os.name == "nt":
        return await _in_daemon(lambda: _ask_windows(label, secret))
    fd = sys.stdin.fileno()
    with _echo_off(fd) if secret else nullcontext():
        print(label, end="", file=sys.stderr, flush=True)
        raw = await _line(fd)
    if not raw:
        raise ConfigError("Nothing was entered (the input ended).")
    return raw.decode(sys.stdin.encoding or "utf-8", "replace").rstrip("\r\n")


async def read_all() -> str:
    """Standard input to its end; not a terminal."""
    fd = sys.stdin.fileno()

    def work() -> bytes:
        parts = []
        while part := os.read(fd, _CHUNK):
            parts.append(part)
        return b"".join(parts)

    return (await _in_daemon(work)).decode("utf-8-sig", "replace")


# -- a terminal of POSIX --------------------------------------------------------------------
async def _line(fd: int) -> bytes:
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[bytes] = loop.create_future()

    def ready() -> None:
        if typed.done():
            return
        try:
            typed.set_result(os.read(fd, _LINE))  # the terminal hands over whole lines
        except BlockingIOError:
            return
        except OSError as error:
            typed.set_exception(ConfigError(f"The terminal cannot be read ({error.strerror})."))

    blocking = os.get_blocking(fd)
    loop.add_reader(fd, ready)
    try:
        return await typed
    finally:
        loop.remove_reader(fd)
        os.set_blocking(fd, blocking)  # uvloop changes it, for the shell of the user too


@contextmanager
def _echo_off(fd: int) -> Iterator[None]:
    import termios

    before = termios.tcgetattr(fd)
    quiet = termios.tcgetattr(fd)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(fd, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
        print(file=sys.stderr, flush=True)  # the Enter was not echoed either


# -- threads --------------------------------------------------------------------------------
def _ask_windows(label: str, secret: bool) -> str:
    import getpass

    return getpass.getpass(label) if secret else input(label)


async def _in_daemon(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread that does not hold the exit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast(T, result))

    def run() -> None:
        result: T | None = None
        problem: Exception | None = None
        try:
            result = work()
        except Exception as error:
            problem = ConfigError(f"Nothing was entered ({type(error).__name__}).")
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, problem)

    threading.Thread(target=run, daemon=True, name="prompt").start()
    return await future
