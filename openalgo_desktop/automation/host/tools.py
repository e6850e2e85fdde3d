"""Runs a tool (pip, the check of a script) on a thread, its lines as they come."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from openalgo_desktop.automation.host.environment import for_tools

#: Lines of a tool that are kept for the sentence about its failure.
LAST = 12


class Done(NamedTuple):
    """How a tool ended. ``out`` is its last lines (of both streams), or all of its output where
    nobody hears the lines."""

    code: int
    out: str


async def run(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    hear: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 1800.0,
) -> Done:
    """Run to its end; when the caller is cancelled or after ``timeout`` seconds its whole group is
    ended. ``hear`` gets each line on the loop. Raises :class:`OSError` when it cannot start."""
    starting = asyncio.ensure_future(asyncio.to_thread(_start, command, folder, environment))
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        _end(await starting)
        raise
    loop = asyncio.get_running_loop()
    told = loop.create_future()

    def read() -> None:
        kept: deque[str] = deque(maxlen=LAST if hear is not None else None)
        assert process.stdout is not None
        with process.stdout:
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace").rstrip()
                kept.append(line)
                if hear is not None:
                    with suppress(RuntimeError):  # the loop is closed
                        loop.call_soon_threadsafe(hear, line)
        done = Done(process.wait(), "\n".join(kept))
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell, told, done)

    # Not of the loop's pool: pip may take minutes, and the pool has few threads.
    threading.Thread(target=read, name="host-tool", daemon=True).start()
    try:
        async with asyncio.timeout(timeout):
            return await asyncio.shield(told)
    except BaseException:
        _end(process)
        raise


def _start(
    command: Sequence[str], folder: Path | None, environment: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command),
        cwd=folder,
        env=dict(environment) if environment is not None else for_tools(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _tell(future: asyncio.Future[Done], done: Done) -> None:
    if not future.done():
        future.set_result(done)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
