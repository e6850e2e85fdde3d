"""The symbol master of a broker: download, read row by row, keep the last good copy.

Reading runs in a worker thread and lets go of the interpreter every few rows; nothing of it is
done on the loop. A download counts only when it could be read and no file of it shrank by a third;
until then, and whenever a later one fails, the last good copy on disk is used and its age is told.
A file that comes smaller twice alike, on another day or when asked for, is taken.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from openalgo_desktop.brokers.kit.master.copies import (
    MasterCopy,
    confirmed,
    doubt_of,
    keep,
    new_place,
    newest,
    note_doubt,
    shrunk,
)
from openalgo_desktop.brokers.kit.master.download import Download
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.readers import parts_of
from openalgo_desktop.brokers.kit.master.reading import Reading, file_name, read_master, title
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.errors import AppError, DataError, ProtocolError
from openalgo_desktop.core.gently import gently
from openalgo_desktop.core.model import Instrument

log = logging.getLogger(__name__)

#: Rows that are named, of those that have the symbol or the token of another.
_NAMED: Final = 5


class MasterStatus(msgspec.Struct, frozen=True):
    """For the status display: instruments, rows that could not be read, rows with the symbol or
    the token of another. ``problem`` says why the copy is not of today."""

    rows: int = 0
    downloaded_at: datetime | None = None
    stale: bool = True
    problem: str = ""
    unreadable: int = 0
    twice: int = 0

    def text(self, now: datetime) -> str:
        """``39,942 instruments, 12 rows unreadable, 3 h old``, with the problem if there is one."""
        if self.downloaded_at is None:
            return self.problem or "no symbol master yet"
        parts = [f"{self.rows:,} instruments"]
        parts += [f"{_rows_text(self.unreadable)} unreadable"] if self.unreadable else []
        parts += [f"{_rows_text(self.twice)} twice"] if self.twice else []
        parts.append(f"{_age_text(now - self.downloaded_at)} old")
        text = ", ".join(parts)
        return f"{text}; {self.problem}" if self.problem else text


class KitMaster:
    """Symbol master of one broker (:class:`MasterSource`), shared by all its accounts.

    ``folder`` belongs to this broker alone.
    """

    def __init__(
        self, spec: MasterSpec, folder: Path, clock: Clock, download: Download, title: str
    ) -> None:
        self._spec = spec
        self._folder = folder
        self._clock = clock
        self._download = download
        self._title = title
        self._busy = asyncio.Lock()
        self.status = MasterStatus()
        #: What it is doing now, in words; empty when it has nothing to do.
        self.doing = ""

    def use(self, folder: Path) -> None:
        """Keep copies in another folder from now on (the server behind the broker changed)."""
        self._folder = folder

    async def instruments(
        self, index: BrokerIndex | None = None, *, anew: bool = False
    ) -> list[Instrument]:
        """Today's instruments; those of the last good copy when today's cannot be had.

        ``index`` is filled with them; where two have one symbol or one token of an exchange, the
        first stays. ``anew`` downloads whatever is there. Raises the error of the download when
        there is no copy at all.
        """
        async with self._busy:
            try:
                return await self._renewed(index, anew)
            finally:
                self.doing = ""

    async def _renewed(self, index: BrokerIndex | None, anew: bool) -> list[Instrument]:
        rows = await self._wanted(anew)
        if index is not None and (twice := await asyncio.to_thread(index.load, rows)):
            rows = await asyncio.to_thread(self._without, rows, twice)
        return rows

    async def _wanted(self, anew: bool) -> list[Instrument]:
        place, copy = await asyncio.to_thread(newest, self._folder)
        if not anew and copy is not None and place is not None and self._is_current(copy):
            try:
                return await self._use(place, copy, "")
            except (AppError, OSError) as error:
                log.warning("%s: copy of the symbol master unreadable: %s", self._title, error)
                copy = None
        try:
            return await self._fetch(place, copy, anew)
        except (AppError, OSError) as error:
            if place is None or copy is None:
                self.status = MasterStatus(problem=str(error))
                raise _as_app_error(error, self._title) from error
            log.warning("%s: symbol master not renewed: %s", self._title, error)
            return await self._use(place, copy, f"not renewed: {error}")

    async def _fetch(
        self, old: Path | None, before: MasterCopy | None, anew: bool
    ) -> list[Instrument]:
        now = self._clock.now()
        place = await asyncio.to_thread(new_place, self._folder, now)
        try:
            for number, file in enumerate(self._spec.files):
                path = place / file_name(number, file)
                count = len(self._spec.files)
                part = f"file {number + 1} of {count}, " if count > 1 else ""
                self.doing = f"{part}downloading"
                try:
                    await self._download(file, path)
                except AppError:
                    if not file.optional:
                        raise
                    log.info("%s: optional master file %s left out", self._title, title(file))
                    await asyncio.to_thread(_drop, file, path)
            found = await self._read(place)
            if old is not None and before is not None:
                await asyncio.to_thread(self._judge, old, before, found, now, anew)
            copy = MasterCopy(now, len(found.rows), found.counts)
            await asyncio.to_thread(keep, place, copy)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
            raise
        return self._taken(found, MasterStatus(downloaded_at=copy.downloaded_at, stale=False))

    async def _use(self, place: Path, copy: MasterCopy, problem: str) -> list[Instrument]:
        found, stale = await self._read(place), not self._is_current(copy)
        return self._taken(
            found, MasterStatus(downloaded_at=copy.downloaded_at, stale=stale, problem=problem)
        )

    def _taken(self, found: Reading, status: MasterStatus) -> list[Instrument]:
        """These are the instruments now; what was left out of them is told."""
        self.status = msgspec.structs.replace(status, rows=len(found.rows), unreadable=found.bad)
        if found.bad:
            log.warning(
                "%s: %s unreadable in the symbol master: %s",
                self._title, _rows_text(found.bad), "; ".join(found.first),
            )  # fmt: skip
        return found.rows

    async def _read(self, place: Path) -> Reading:
        """Read a copy in a thread; a cancelled caller stops it at its next breath."""
        stop, self.doing = threading.Event(), "reading"
        try:
            return await asyncio.to_thread(read_master, self._spec, place, stop)
        finally:
            stop.set()

    def _due(self) -> datetime:
        """When the last new master was due."""
        now = self._clock.now().astimezone(IST)
        due = datetime.combine(now.date(), self._spec.refresh, IST)
        return due if now >= due else due - timedelta(days=1)

    def _is_current(self, copy: MasterCopy) -> bool:
        return copy.downloaded_at >= self._due()

    # -- in a thread ------------------------------------------------------------------------
    def _judge(
        self, old: Path, before: MasterCopy, found: Reading, now: datetime, anew: bool
    ) -> None:
        """Refuse a download with files that shrank, the first time it is like that."""
        less = shrunk(before, found.counts)
        if less and not confirmed(doubt_of(old), less, self._due(), anew=anew):
            note_doubt(old, less, now)
            raise ProtocolError(
                "; ".join(file.text() for file in less)
                + "; the old copy is kept until tomorrow's is like that too, or one downloaded anew"
            )
        for file in less:
            log.warning("%s: %s, twice; taken over", self._title, file.text())

    def _without(self, rows: list[Instrument], twice: list[Instrument]) -> list[Instrument]:
        """The rows that are left; what was left out is told."""
        names = ", ".join(f"{r.exchange}:{r.symbol} (token {r.token})" for r in twice[:_NAMED])
        log.warning(
            "%s: %s left out of the symbol master, with the symbol or token of another: %s",
            self._title, _rows_text(len(twice)), names,
        )  # fmt: skip
        out = {id(row) for row in twice}
        left = [row for row in gently(rows) if id(row) not in out]
        self.status = msgspec.structs.replace(self.status, rows=len(left), twice=len(twice))
        return left


def _drop(file: MasterFile, path: Path) -> None:
    """Remove what is there of a file."""
    for _, place in parts_of(file, path):
        place.unlink()


def _as_app_error(error: Exception, title: str) -> AppError:
    if isinstance(error, AppError):
        return error
    return DataError(f"{title}: the symbol master cannot be stored: {error}")


def _age_text(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    if hours < 1:
        return f"{max(0, round(hours * 60))} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def _rows_text(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
