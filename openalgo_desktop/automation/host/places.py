"""Where things of hosted programs lie below one folder, and what the files of a run say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TypeVar

import msgspec

from openalgo_desktop.automation.host.keeper import files
from openalgo_desktop.automation.host.ports import Ended, Marks
from openalgo_desktop.core.errors import ConfigError

T = TypeVar("T")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Places:
    """``runs/STRATEGY/RUN``, ``homes/STRATEGY``, ``venvs``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venvs = root / "venvs"
        self._runs = root / "runs"
        self._homes = root / "homes"

    def run(self, strategy_id: str, run_id: str) -> Path:
        """The folder of a run. Raises :class:`ConfigError` for an id that is no folder's name."""
        return self.strategy(strategy_id) / _checked(run_id, "run_id")

    def strategy(self, strategy_id: str) -> Path:
        """The folder of its runs."""
        return self._runs / _checked(strategy_id, "strategy_id")

    def home(self, strategy_id: str) -> Path:
        """HOME of its processes; what a script keeps there stays over runs."""
        return self._homes / _checked(strategy_id, "strategy_id")

    def runs_of(self, strategy_id: str) -> list[Path]:
        """Folders of its runs, newest first. Blocks."""
        return sorted(_folders(self.strategy(strategy_id)), key=started, reverse=True)

    def all_runs(self) -> list[Path]:
        """Of all strategies. Blocks."""
        return [run for strategy in _folders(self._runs) for run in _folders(strategy)]

    def strategies(self) -> list[str]:
        """Ids of all that have runs. Blocks."""
        return [folder.name for folder in _folders(self._runs)]


def _folders(path: Path) -> list[Path]:
    try:
        return [entry for entry in path.iterdir() if entry.is_dir()]
    except OSError:
        return []


def _checked(text: str, field: str) -> str:
    if _ID.fullmatch(text) is None:
        raise ConfigError(
            f"{field} {text!r} cannot be used: letters, digits, - and _, at most 64 of them."
        )
    return text


def started(run: Path) -> float:
    """When a run was started, epoch seconds."""
    spec = files.read(str(run), files.SPEC) or {}
    return float(spec.get("started", 0.0))


def marks_of(run: Path) -> Marks | None:
    """What its keeper wrote about its processes."""
    return _read(run, files.MARKS, Marks)


def ended_of(run: Path) -> Ended | None:
    """How it ended; None while it runs, or when nobody wrote that."""
    return _read(run, files.ENDED, Ended)


def write_ended(run: Path, ended: Ended) -> None:
    """In place of a keeper that cannot any more. Raises :class:`OSError`."""
    files.write(str(run), files.ENDED, json.loads(msgspec.json.encode(ended)))


def _read(run: Path, name: str, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode((run / name).read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None
