"""Logging: one redacted stream to daily files, to the log dock's ring, and warnings to stderr."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import queue
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple

from openalgo_desktop.config.private import open_private
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.redact import Redactor

RING_LINES = 5000
PROGRAM = "openalgo_desktop"
_OTHERS = logging.WARNING  # the least that other libraries tell
#: Where an interpreter that dies leaves its stacks.
CRASH_LOG = "crash.log"
#: Log files are named openalgo-2026-12-02.log.
PREFIX, SUFFIX = "openalgo-", ".log"


class LogLine(NamedTuple):
    """One record as shown; ``level`` is the number of :mod:`logging`."""

    level: int
    text: str
    at: float  # epoch seconds
    source: str = ""  # name of the logger


class _Formatter(logging.Formatter):
    """One line per record in IST; everything in it, tracebacks too, passes the redactor."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        self._redactor = redactor

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, IST).isoformat(" ", "milliseconds")[:-6]

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.clean(super().format(record))


class _DailyFile:
    """Appends lines to one file per IST day on a thread of its own, and deletes old files."""

    def __init__(self, folder: Path, keep_days: int) -> None:
        self._folder = folder
        self._keep_days = keep_days
        self._lines: queue.SimpleQueue[tuple[float, str] | None] = queue.SimpleQueue()
        self._day: date | None = None
        self._file: IO[str] | None = None
        self._thread = threading.Thread(target=self._run, name="log-file", daemon=True)
        self._thread.start()

    def put(self, at: float, text: str) -> None:
        self._lines.put((at, text))

    def close(self) -> None:
        """Write what waits, then close."""
        self._lines.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        while (item := self._lines.get()) is not None:
            # A full disk must not end the log: the ring still has the line.
            with contextlib.suppress(OSError):
                self._write(*item)
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    def _write(self, at: float, text: str) -> None:
        day = datetime.fromtimestamp(at, IST).date()
        if self._file is None or day != self._day:
            self._open(day)
        assert self._file is not None
        self._file.write(text + "\n")
        if self._lines.empty():
            self._file.flush()

    def _open(self, day: date) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{PREFIX}{day.isoformat()}{SUFFIX}"
        descriptor = open_private(path, os.O_WRONLY | os.O_APPEND)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")
        self._day = day
        oldest = day - timedelta(days=self._keep_days - 1)
        for old in self._folder.glob(f"{PREFIX}*{SUFFIX}"):
            with contextlib.suppress(ValueError, OSError):
                if date.fromisoformat(old.name[len(PREFIX) : -len(SUFFIX)]) < oldest:
                    old.unlink()


class LogRing(logging.Handler):
    """The newest lines, for the log dock; hands every line to the day's file too.

    Listeners are called on the thread that logs.
    """

    def __init__(self, folder: Path, keep_days: int) -> None:
        super().__init__()
        self.redactor = Redactor()
        self.setFormatter(_Formatter(self.redactor))
        self._ring: deque[LogLine] = deque(maxlen=RING_LINES)
        self._listeners: tuple[Callable[[LogLine], None], ...] = ()
        self._file = _DailyFile(folder, keep_days)
        self._stderr: logging.Handler | None = None
        self._closed = False
        self._levels: dict[logging.Logger, int] = {}  # as they were before
        self.errors = 0  # records of level ERROR and above, of this run
        self.last_error = ""  # the newest of them, without secrets

    def install(self) -> None:
        """Take the records of the whole process."""
        root = logging.getLogger()
        root.addHandler(self)
        if sys.stderr is not None:
            self._stderr = logging.StreamHandler(sys.stderr)
            self._stderr.setLevel(logging.WARNING)
            self._stderr.setFormatter(self.formatter)
            root.addHandler(self._stderr)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = LogLine(record.levelno, self.format(record), record.created, record.name)
            self._ring.append(line)
            if line.level >= logging.ERROR:
                self.errors += 1
                self.last_error = line.text
            self._file.put(line.at, line.text)
            for listener in self._listeners:
                listener(line)
        except Exception:
            self.handleError(record)

    def lines(self) -> list[LogLine]:
        """The newest lines, oldest first."""
        self.acquire()
        try:
            return list(self._ring)
        finally:
            self.release()

    def subscribe(self, listener: Callable[[LogLine], None]) -> Callable[[], None]:
        """Call ``listener`` for each new line, on the thread that logs; returns the stop call."""
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            self._listeners = tuple(one for one in self._listeners if one != listener)

        return stop

    def set_detail(self, level: str) -> None:
        """Show our records from ``level`` up; other libraries never below WARNING."""
        if self._closed:
            return
        number = logging.getLevelNamesMapping()[level]
        for logger, least in ((logging.getLogger(PROGRAM), 0), (logging.getLogger(), _OTHERS)):
            self._levels.setdefault(logger, logger.level)
            logger.setLevel(max(number, least))

    def close(self) -> None:
        """Leave logging and write what waits."""
        if self._closed:
            return
        self._closed = True
        root = logging.getLogger()
        root.removeHandler(self)
        if self._stderr is not None:
            root.removeHandler(self._stderr)
        for logger, level in self._levels.items():
            logger.setLevel(level)
        self._file.close()
        super().close()


def stop_signals() -> tuple[signal.Signals, ...]:
    """Signals that stop the program cleanly: Ctrl+C, a service manager, a terminal that closes."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    found = [signal.Signals[name] for name in names if name in signal.Signals.__members__]
    # Under nohup the terminal's end is to be ignored, as it was when we were started.
    return tuple(one for one in found if signal.getsignal(one) is not signal.SIG_IGN)


def catch_crashes(folder: Path) -> None:
    """For a program of its own: errors that nobody caught go to the log (and so through the
    redactor) instead of bare to stderr, and a crash of the interpreter leaves its stacks (which
    have no values in them) in ``crash.log``."""
    log = logging.getLogger(PROGRAM)

    def uncaught(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.critical("uncaught error", exc_info=(kind, error, trace))

    def uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = open_private(folder / CRASH_LOG, os.O_WRONLY | os.O_APPEND)
        faulthandler.enable(descriptor)


def setup_logging(settings: Settings, path: Path) -> LogRing:
    """Start logging into the folder ``path``; follows the setting ``log.level``."""
    ring = LogRing(path, settings["log.keep_days"])
    ring.install()
    ring.set_detail(settings["log.level"])

    def changed(key: str, value: object) -> None:
        if key == "log.level":
            ring.set_detail(str(value))

    settings.subscribe(changed)
    return ring
