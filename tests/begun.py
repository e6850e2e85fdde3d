"""Data folders that a program has begun: the tables of a new one and the hash of its first key take
more of the processor than all the rest of an engine's start."""

from __future__ import annotations

import asyncio
import functools
import shutil
import tempfile
import threading
from pathlib import Path

from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal

#: Not part of it: who had it open, and what was said.
_PASSING = shutil.ignore_patterns("lock", "logs")


@functools.cache
def _begun() -> tempfile.TemporaryDirectory[str]:
    """One, made once in this process, never opened again, and gone with it."""
    place = tempfile.TemporaryDirectory(prefix="begun-")
    terminal = Terminal(TerminalOptions(data_dir=Path(place.name)))

    async def once() -> None:
        await terminal.start_storage()
        await terminal.stop()

    # A loop of its own: one may be running here.
    thread = threading.Thread(target=asyncio.run, args=(once(),))
    thread.start()
    thread.join()
    return place


def begin(folder: Path) -> None:
    """Make an empty ``folder`` one that was begun before, with the key of its first start."""
    folder.mkdir(exist_ok=True)
    if not any(folder.iterdir()):
        shutil.copytree(_begun().name, folder, ignore=_PASSING, dirs_exist_ok=True)
