"""What the program knows of itself, as text and as a zip, for somebody who helps.

Everything passes the redactor, and nothing leaves this machine by itself.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from openalgo_desktop import __version__
from openalgo_desktop.config.private import open_private
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.core.texttable import table
from openalgo_desktop.runtime.about import libraries
from openalgo_desktop.runtime.crash import REPORTS
from openalgo_desktop.runtime.hands.state import setting_facts
from openalgo_desktop.runtime.logs import CRASH_LOG, PREFIX, SUFFIX
from openalgo_desktop.storage.datadir import DataDirectory

_ZIP = zipfile.ZIP_DEFLATED
#: Of a longer log file only the end is taken; bytes.
LOG_TAIL = 8_000_000


@dataclass(slots=True)
class Findings:
    """What ``doctor`` saw. ``running`` and the settings are the running engine's own words."""

    program: dict[str, str]
    libraries: dict[str, str]
    folders: dict[str, str] = field(default_factory=dict)
    secrets: str = ""
    running: dict[str, str] = field(default_factory=dict)
    settings: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def cleaned(self, redactor: Redactor) -> dict[str, Any]:
        """As JSON types, every text without secrets."""
        return {
            name: _clean(getattr(self, name), redactor)
            for name in (
                *("program", "libraries", "folders", "secrets"),
                *("running", "settings", "notes", "problems"),
            )
        }


class Engine(Protocol):
    """What a running engine says of itself."""

    settings: Settings
    data_dir: DataDirectory


def program_facts() -> dict[str, str]:
    """Versions of the program and of what it runs on."""
    return {
        "version": __version__,
        "python": f"{sys.version.split()[0]}, {sys.executable}",
        "platform": platform.platform(),
        "sqlite": sqlite3.sqlite_version,
    }


def engine_findings(engine: Engine, running: Mapping[str, str], secrets: str) -> Findings:
    """The same as ``doctor`` finds beside a running engine; ``running`` is its status."""
    directory = engine.data_dir
    return Findings(
        program_facts(),
        libraries(),
        folders={
            "data": str(directory.path),
            "configuration": str(directory.config),
            "logs": str(directory.logs),
            "database": directory.shown_database_url,
        },
        secrets=secrets,
        running=dict(running),
        settings=setting_facts(engine.settings),
        problems=list(directory.warnings),
    )


# -- telling --------------------------------------------------------------------------------
def lines(shown: Mapping[str, Any]) -> list[str]:
    """The answer for a human."""
    set_ones = [row for row in shown["settings"] if row["from"] != "default"]
    others = [row for row in shown["settings"] if row["from"] == "default"]
    running = shown["running"] or {"process": "nothing runs on this data folder"}
    text = [
        *("OpenAlgo Desktop", *_pairs(shown["program"])),
        *("libraries", *_pairs(shown["libraries"])),
        *("where", *_pairs(shown["folders"] | {"secrets": shown["secrets"]})),
        *("what runs", *_pairs(running)),
        *("settings that were set", *_table(set_ones)),
        *("settings at their default", *_table([_two(row) for row in others])),
    ]
    for title in ("notes", "problems"):
        if shown[title]:
            text += [title, *(f"  {line}" for line in shown[title])]
    return text


def _two(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"key": row["key"], "value": row["value"]}


def _pairs(values: Mapping[str, Any]) -> list[str]:
    width = max(map(len, values))
    return [f"  {name:<{width}}  {value}".rstrip() for name, value in values.items()]


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["  none"]
    if len(rows) == 1:
        return [f"  {'  '.join(map(str, rows[0].values()))}"]
    return [f"  {line}" for line in table(rows)[1:]]


def _clean(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.clean(value)
    if isinstance(value, dict):
        return {name: _clean(part, redactor) for name, part in value.items()}
    if isinstance(value, list):
        return [_clean(part, redactor) for part in value]
    return value


# -- the bundle -----------------------------------------------------------------------------
def write_bundle(
    path: Path,
    folder: Path,
    texts: Mapping[str, str],
    redactor: Redactor,
    day: date | None = None,
) -> list[str]:
    """A zip with ``texts`` (by file name) and the log files of ``folder``, each line through
    ``redactor``: of one ``day``, with the reports of crashes, or all of them. Returns the names of
    the files in it; raises :class:`StorageError`. For a thread: it lets others run."""
    try:
        descriptor = open_private(path, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", _ZIP) as bundle:
            for name, text in texts.items():
                bundle.writestr(name, "\n".join(_clean_lines(text.splitlines(), redactor)))
            for log in _logs(folder, day):
                with bundle.open(f"logs/{log.name}", "w") as copy:
                    for line in _clean_lines(_tail(log), redactor):
                        copy.write(f"{line}\n".encode())
            return bundle.namelist()
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from None


def _logs(folder: Path, day: date | None) -> list[Path]:
    if day is None:
        return sorted(folder.glob("*.log")) + sorted(folder.glob(REPORTS))
    names = (f"{PREFIX}{day.isoformat()}{SUFFIX}", CRASH_LOG)
    found = [folder / name for name in names if (folder / name).exists()]
    return found + sorted(folder.glob(REPORTS))


def _tail(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_TAIL))
        if size > LOG_TAIL:
            file.readline()  # half a line could hide the name of a secret
        for line in file:
            yield line.decode("utf-8", "replace").rstrip("\r\n")


def _clean_lines(lines: Any, redactor: Redactor) -> Iterator[str]:
    # Line by line: one pass over megabytes would hold the interpreter for a second.
    return (redactor.clean(line) for line in lines)
