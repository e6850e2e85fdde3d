"""After a run that did not end properly: a report of what it left, for the next start to offer.

The report stays in the log folder until newer ones push it out; it is never sent anywhere.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from openalgo_desktop import __version__
from openalgo_desktop.config.private import open_private
from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.runtime.logs import CRASH_LOG, PREFIX, SUFFIX

#: Names of reports, as a pattern and as they are made.
REPORTS = "crash-report-*.txt"
_NAME = "crash-report-{:%Y-%m-%d-%H%M%S}.txt"
#: Lines of the log, and of the stacks, in a report.
LOG_LINES, STACK_LINES = 300, 2000
#: Reports that are kept.
KEEP = 5


def look_back(
    folder: Path, announced: Mapping[str, str], now: datetime, redactor: Redactor
) -> Path | None:
    """Make the report of the run before, if it did not end properly: it is still ``announced``,
    or its interpreter left stacks, which are moved into the report. To be called by the owner of
    the data folder, before it logs much."""
    stacks = _last_lines(folder / CRASH_LOG, STACK_LINES)
    if not stacks and not announced:
        return None
    began = announced.get("since", "")
    text = [
        f"OpenAlgo Desktop {__version__}: the run before did not end properly.",
        f"seen: {api_timestamp(now)} IST",
        f"that run began: {began or 'not known'}",
        f"its process: {announced.get('pid', 'not known')}",
        "",
        "Stacks of the interpreter"
        if stacks
        else "The interpreter left no stacks: it was ended from outside, or the machine stopped.",
        *stacks,
        "",
        f"The last lines of the log ({LOG_LINES} at most)",
        *_last_log_lines(folder),
    ]
    path = folder / _NAME.format(now)
    try:
        descriptor = open_private(path, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(redactor.clean(line) for line in text) + "\n")
        if stacks:
            os.truncate(folder / CRASH_LOG, 0)
        for old in reports(folder)[KEEP:]:
            old.unlink(missing_ok=True)
    except OSError:
        return None  # a full disk: the start matters more than its report
    return path


def reports(folder: Path) -> list[Path]:
    """Reports that are kept, newest first."""
    return sorted(folder.glob(REPORTS), reverse=True)


def _last_log_lines(folder: Path) -> list[str]:
    files = sorted(folder.glob(f"{PREFIX}*{SUFFIX}"))
    return _last_lines(files[-1], LOG_LINES) if files else []


def _last_lines(path: Path, count: int) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, count)]
    except OSError:
        return []
