"""Reads the logs of runs: in threads, in bounded parts, through the program's redactor."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import get_args

from openalgo_desktop.automation.host import places
from openalgo_desktop.automation.host.keeper import files
from openalgo_desktop.automation.host.keeper.output import LAST, segment
from openalgo_desktop.automation.host.places import Places
from openalgo_desktop.automation.host.ports import LogEntry, RunLog, Stream
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.errors import ConfigError

#: Bytes that a follower gets at once, and seconds between two looks.
PART, PAUSE, IDLE = 65_536, 0.05, 0.25
#: Lines that one answer may have.
MOST = 5000
#: Bytes at the end of a segment in which the last lines are looked for.
_TAIL = 2**20
_STREAMS: dict[str, Stream] = dict(zip("OEN", get_args(Stream), strict=True))
#: Where the stream's letter and the text begin.
_LETTER, _TEXT = 24, 26


def parse(line: str) -> LogEntry | None:
    """One line of a segment; None for one that was cut off by a full disk."""
    try:
        at = datetime.fromisoformat(line[:23]).replace(tzinfo=IST).timestamp()
        return LogEntry(at, _STREAMS[line[_LETTER]], line[_TEXT:].rstrip("\n"))
    except (ValueError, KeyError, IndexError):
        return None


def segments(folder: Path) -> list[Path]:
    """The files of a run's log, oldest first. Blocks."""
    return sorted(folder.glob("log-*.txt"))


class RunLogs:
    """See :class:`Logs`. ``clean`` takes secrets out of a text."""

    def __init__(self, where: Places, clean: Callable[[str], str], clock: Clock) -> None:
        self._places = where
        self._clean = clean
        self._clock = clock

    async def runs(self, strategy_id: str) -> list[RunLog]:
        """Newest first."""
        return await asyncio.to_thread(
            lambda: [_described(run) for run in self._places.runs_of(strategy_id)]
        )

    async def last(self, strategy_id: str, run_id: str, count: int = 200) -> list[LogEntry]:
        """The last lines, oldest of them first."""
        folder = self._places.run(strategy_id, run_id)
        return await asyncio.to_thread(self._last, folder, min(count, MOST))

    async def search(
        self, strategy_id: str, text: str, *, run_id: str = "", limit: int = 500
    ) -> list[tuple[str, LogEntry]]:
        """See :class:`Logs`."""
        return await asyncio.to_thread(self._search, strategy_id, text, run_id, min(limit, MOST))

    async def follow(
        self, strategy_id: str, run_id: str, last: int = 0
    ) -> AsyncIterator[list[LogEntry]]:
        """See :class:`Logs`. A follower that is too slow misses what is deleted meanwhile."""
        folder = self._places.run(strategy_id, run_id)
        reader = _Follower(folder)
        if last:
            shown = await asyncio.to_thread(self._last, folder, min(last, MOST), reader)
            if shown:
                yield shown
        else:
            await asyncio.to_thread(reader.to_end)
        while True:
            over = await asyncio.to_thread((folder / files.ENDED).exists)
            entries = self._entries(await asyncio.to_thread(reader.more))
            if entries:
                yield entries
            elif over:
                return
            await asyncio.sleep(PAUSE if entries else IDLE)

    async def prune(self, *, days: int, megabytes: int, most: int = 200) -> int:
        """See :class:`Logs`."""
        return await asyncio.to_thread(self._prune, days, megabytes, most)

    async def remove(self, strategy_id: str) -> None:
        """See :class:`Logs`."""
        await asyncio.to_thread(self._remove, strategy_id)

    # -- on a thread ------------------------------------------------------------------------
    def _entries(self, lines: list[str]) -> list[LogEntry]:
        return [
            LogEntry(entry.at, entry.stream, self._clean(entry.text))
            for line in lines
            if (entry := parse(line)) is not None
        ]

    def _last(self, folder: Path, count: int, follower: _Follower | None = None) -> list[LogEntry]:
        if follower is not None:
            follower.to_end()
        end = None if follower is None else follower.position
        return self._entries(_last_lines(folder, count, end))

    def _search(
        self, strategy_id: str, text: str, run_id: str, limit: int
    ) -> list[tuple[str, LogEntry]]:
        runs = self._places.runs_of(strategy_id)
        if run_id:
            runs = [self._places.run(strategy_id, run_id)]
        found: list[tuple[str, LogEntry]] = []
        wanted = text.casefold()
        for run in runs:
            for line in _all_lines(run):
                if wanted not in line[_TEXT:].casefold():
                    continue
                # What is blanked out is not found either: no guessing of secrets.
                (entry,) = self._entries([line]) or (None,)
                if entry is not None and wanted in entry.text.casefold():
                    found.append((run.name, entry))
                    if len(found) >= limit:
                        return found
        return found

    def _prune(self, days: int, megabytes: int, most: int) -> int:
        oldest = self._clock.time() - days * 86_400
        deleted = 0
        for strategy_id in self._places.strategies():
            used = 0
            for index, run in enumerate(self._places.runs_of(strategy_id)):
                used += _size(run)
                old = places.started(run) < oldest or used > megabytes * 10**6
                if index and (old or index >= most) and (run / files.ENDED).exists():
                    shutil.rmtree(run, ignore_errors=True)
                    deleted += 1
        return deleted

    def _remove(self, strategy_id: str) -> None:
        for run in self._places.runs_of(strategy_id):
            if not (run / files.ENDED).exists():
                raise ConfigError(f"Strategy {strategy_id} still runs: stop it first.")
        shutil.rmtree(self._places.strategy(strategy_id), ignore_errors=True)
        shutil.rmtree(self._places.home(strategy_id), ignore_errors=True)


class _Follower:
    """A place in the segments of one run: (number of the segment, bytes of it that were read)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.position = (1, 0)

    def to_end(self) -> None:
        found = segments(self._folder)
        if found:
            with suppress(OSError):
                self.position = (_number(found[-1]), found[-1].stat().st_size)

    def more(self) -> list[str]:
        """Whole lines that came since, at most :data:`PART` bytes of them."""
        number, offset = self.position
        data = b""
        with suppress(OSError), (self._folder / segment(number)).open("rb") as file:
            file.seek(offset)
            data = file.read(PART)
        data = data[: data.rfind(b"\n") + 1]
        if data:
            self.position = (number, offset + len(data))
        else:
            later = [one for one in map(_number, segments(self._folder)) if one > number]
            if later:
                self.position = (later[0], 0)
                return self.more()
        return data.decode("utf-8", "replace").splitlines()


def _number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _last_lines(folder: Path, count: int, end: tuple[int, int] | None = None) -> list[str]:
    found: list[str] = []
    for path in reversed(segments(folder)):
        number = _number(path)
        if end is not None and number > end[0]:
            continue
        with suppress(OSError), path.open("rb") as file:
            size = path.stat().st_size
            if end is not None and number == end[0]:
                size = min(size, end[1])
            start = max(0, size - _TAIL)
            file.seek(start)
            lines = file.read(size - start).decode("utf-8", "replace").splitlines()
            found = (lines[1:] if start else lines)[-(count - len(found)) :] + found
        if len(found) >= count:
            break
    return found


def last_texts(folder: Path) -> list[str]:
    """The last lines of the script's own. Blocks."""
    entries = filter(None, map(parse, _last_lines(folder, LAST * 2)))
    return [entry.text for entry in entries if entry.stream != "note"][-LAST:]


def _all_lines(folder: Path) -> Iterator[str]:
    for path in segments(folder):
        with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
            yield from file


def _size(folder: Path) -> int:
    total = 0
    for path in segments(folder):
        with suppress(OSError):
            total += path.stat().st_size
    return total


def _described(run: Path) -> RunLog:
    return RunLog(
        run_id=run.name,
        started=places.started(run),
        size=_size(run),
        ended=places.ended_of(run),
    )
