"""The folder of one run: names of its files and how they are written. JSON, because the keeper has
the standard library only.

* ``spec.json``: what to run, written by the engine before the keeper is started;
* ``owner.json``: which engine looks after the run: ``{"pid", "started"}``;
* ``marks.json``: the processes, written by the keeper when the script has been started;
* ``state.json``: readings, once a second, in place;
* ``stop.json``: how to stop, read by the keeper at SIGTERM: ``{"grace", "why", "reason"}``;
* ``ended.json``: how it ended, the last thing a keeper writes;
* ``log-0001.txt`` and so on: the output.
"""

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SPEC, OWNER, MARKS, STATE = "spec.json", "owner.json", "marks.json", "state.json"
STOP, ENDED = "stop.json", "ended.json"
TEMPORARY = "tmp"
ERRORS = "keeper.err"  # what the keeper itself says on its standard error: nothing, mostly
#: The environment variable that marks every process of a run.
COOKIE = "STRATEGY_RUN"
#: Windows changes line ends otherwise.
BINARY: int = getattr(os, "O_BINARY", 0)
#: Bytes of the file of readings; it is overwritten in place.
STATE_SIZE = 256
_TRIES = 100


def read(folder: str, name: str) -> dict[str, Any] | None:
    """The content, or None while it is missing or half written."""
    try:
        with open(os.path.join(folder, name), "rb") as file:
            value = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write(folder: str, name: str, value: dict[str, Any]) -> None:
    """Whole or not at all. Raises :class:`OSError`."""
    path = os.path.join(folder, name)
    descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, 0o600)
    try:
        os.write(descriptor, json.dumps(value).encode())
    finally:
        os.close(descriptor)
    _replace(path + ".new", path)


def _replace(new: str, path: str) -> None:
    """Windows lets nobody take the place of a file that somebody reads at this moment."""
    for _ in range(_TRIES if os.name == "nt" else 0):
        try:
            os.replace(new, path)
        except PermissionError:
            time.sleep(0.01)
        else:
            return
    os.replace(new, path)
