"""The symbol master of a broker: download, read row by row, keep the last good copy.

Reading runs in a worker thread and lets go of the interpreter every few rows; nothing of it is
done on the loop. A download counts only when it could be read and is not suspiciously small;
until then, and whenever a later one fails, the last good copy on disk is used and its age is told.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from openalgo_desktop.brokers.kit.master.download import Download
from openalgo_desktop.brokers.kit.master.readers import parts_of, rows_of
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.errors import AppError, DataError, ProtocolError
from openalgo_desktop.core.gently import gently, uncollected
from openalgo_desktop.core.model import Instrument

log = logging.getLogger(__name__)

#: A download with less than this part of the rows of the copy before it is taken for broken.
_MIN_SHARE: Final = 0.5
#: More unreadable rows than this part of a file: the format has changed.
_MAX_BAD_SHARE: Final = 0.02
#: No tick, lot or strike is larger.
_LARGEST: Final = 1e9
_NOTE: Final = "copy.json"


class MasterCopy(msgspec.Struct, frozen=True):
    """What is known of a copy on disk."""

    downloaded_at: datetime
    rows: int


class MasterStatus(msgspec.Struct, frozen=True):
    """For the status display. ``problem`` says why the copy is not of today."""

    rows: int = 0
    downloaded_at: datetime | None = None
    stale: bool = True
    problem: str = ""

    def text(self, now: datetime) -> str:
        """``39,942 instruments, 3 h old``, with the problem if there is one."""
        if self.downloaded_at is None:
            return self.problem or "no symbol master yet"
        age = _age_text(now - self.downloaded_at)
        text = f"{self.rows:,} instruments, {age} old"
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

    def use(self, folder: Path) -> None:
        """Keep copies in another folder from now on (the server behind the broker changed)."""
        self._folder = folder

    async def instruments(self) -> list[Instrument]:
        """Today's instruments; those of the last good copy when today's cannot be had.

        Raises the error of the download when there is no copy at all.
        """
        async with self._busy:
            place, copy = await asyncio.to_thread(self._newest)
            if copy is not None and place is not None and self._is_current(copy):
                try:
                    return await self._use(place, copy, "")
                except (AppError, OSError) as error:
                    log.warning("%s: copy of the symbol master unreadable: %s", self._title, error)
                    copy = None
            return await self._renewed(place, copy)

    async def refresh(self) -> list[Instrument]:
        """Download anew, whatever is there."""
        async with self._busy:
            place, copy = await asyncio.to_thread(self._newest)
            return await self._renewed(place, copy)

    async def _renewed(self, place: Path | None, copy: MasterCopy | None) -> list[Instrument]:
        try:
            return await self._fetch(copy)
        except (AppError, OSError) as error:
            if place is None or copy is None:
                self.status = MasterStatus(problem=str(error))
                raise _as_app_error(error, self._title) from error
            log.warning("%s: symbol master not renewed: %s", self._title, error)
            return await self._use(place, copy, f"not renewed: {error}")

    async def _fetch(self, before: MasterCopy | None) -> list[Instrument]:
        now = self._clock.now()
        place = await asyncio.to_thread(self._new_place, now)
        try:
            for number, file in enumerate(self._spec.files):
                try:
                    await self._download(file, place / _name(number, file))
                except AppError:
                    if not file.optional:
                        raise
                    log.info("%s: optional master file %s left out", self._title, file.name)
                    await asyncio.to_thread(_drop, file, place / _name(number, file))
            rows = await _in_thread(lambda stop: self._read(place, stop))
            if before is not None and len(rows) < before.rows * _MIN_SHARE:
                raise ProtocolError(
                    f"the new symbol master has only {len(rows):,} rows "
                    f"after {before.rows:,}; the old one is kept"
                )
            copy = MasterCopy(now, len(rows))
            await asyncio.to_thread(self._keep, place, copy)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
            raise
        self.status = MasterStatus(copy.rows, copy.downloaded_at, stale=False)
        return rows

    async def _use(self, place: Path, copy: MasterCopy, problem: str) -> list[Instrument]:
        rows = await _in_thread(lambda stop: self._read(place, stop))
        stale = not self._is_current(copy)
        self.status = MasterStatus(len(rows), copy.downloaded_at, stale, problem)
        return rows

    def _is_current(self, copy: MasterCopy) -> bool:
        now = self._clock.now().astimezone(IST)
        due = datetime.combine(now.date(), self._spec.refresh, IST)
        return copy.downloaded_at >= (due if now >= due else due - timedelta(days=1))

    # -- in a thread ------------------------------------------------------------------------
    def _newest(self) -> tuple[Path | None, MasterCopy | None]:
        for place in sorted(self._folder.glob("*"), reverse=True):
            try:
                note = (place / _NOTE).read_bytes()
                return place, msgspec.json.decode(note, type=MasterCopy)
            except (OSError, msgspec.MsgspecError):
                continue  # a download that did not come to its end
        return None, None

    def _new_place(self, now: datetime) -> Path:
        """An empty folder whose name sorts by time."""
        moment = now.astimezone(IST)
        while True:
            place = self._folder / moment.strftime("%Y%m%d-%H%M%S-%f")
            try:
                place.mkdir(parents=True)
            except FileExistsError:
                moment += timedelta(microseconds=1)
                continue
            return place

    def _keep(self, place: Path, copy: MasterCopy) -> None:
        """Make a new copy the last good one: the note is written last."""
        part = place / (_NOTE + ".part")
        part.write_bytes(msgspec.json.encode(copy))
        part.rename(place / _NOTE)
        for other in self._folder.glob("*"):
            if other != place:
                shutil.rmtree(other, ignore_errors=True)

    def _read(self, place: Path, stop: threading.Event) -> list[Instrument]:
        rows: list[Instrument] = []
        for number, file in enumerate(self._spec.files):
            path = place / _name(number, file)
            if parts_of(file, path):
                with uncollected():
                    rows += read_file(self._spec, file, path, stop)
            elif not file.optional:
                raise DataError(f"{file.name or file.path} is missing in the copy")
        if not rows:
            raise ProtocolError("the symbol master has no rows")
        return rows


def read_file(
    spec: MasterSpec, file: MasterFile, path: Path, stop: threading.Event | None = None
) -> list[Instrument]:
    """The instruments of one downloaded file; blocks, so call it in a thread.

    A row that cannot be read is skipped; more than a few are a :class:`ProtocolError`.
    """
    instruments: list[Instrument] = []
    count = bad = 0
    first = ""
    reader, add = file.reader or spec.reader, instruments.append
    for part, place in parts_of(file, path):
        for row in gently(rows_of(part, place)):
            count += 1
            try:
                instrument = _sane(reader(row, part))
            except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
                bad += 1
                first = first or f"row {count}: {type(error).__name__} {error}"
                continue
            if instrument is not None:
                add(instrument)
            if stop is not None and stop.is_set():
                raise DataError("reading was stopped")
    if bad > count * _MAX_BAD_SHARE:
        raise ProtocolError(
            f"{file.name or file.path}: {bad} of {count} rows cannot be read; first: {first}"
        )
    if bad:
        log.info("%s: %d rows skipped, first: %s", file.name or file.path, bad, first)
    return instruments


def _sane(row: Instrument | None) -> Instrument | None:
    """The row itself; ValueError for numbers that no instrument has (NaN among them)."""
    if row is not None and not (
        0 < row.tick_size < _LARGEST and 0 <= row.strike < _LARGEST and 0 < row.lot_size < _LARGEST
    ):
        raise ValueError(f"{row.symbol}: lot {row.lot_size}, tick {row.tick_size}, {row.strike}")
    return row


async def _in_thread(work: Callable[[threading.Event], list[Instrument]]) -> list[Instrument]:
    """Run ``work`` in a thread; a cancelled caller stops it at its next breath."""
    stop = threading.Event()
    try:
        return await asyncio.to_thread(work, stop)
    finally:
        stop.set()


def _drop(file: MasterFile, path: Path) -> None:
    """Remove what is there of a file."""
    for _, place in parts_of(file, path):
        place.unlink()


def _name(number: int, file: MasterFile) -> str:
    tail = "".join(c for c in file.name if c.isalnum() or c in "._-")
    return f"{number:02d}-{tail or 'master'}"


def _as_app_error(error: Exception, title: str) -> AppError:
    if isinstance(error, AppError):
        return error
    return DataError(f"{title}: the symbol master cannot be stored: {error}")


def _age_text(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    if hours < 1:
        return f"{max(0, round(hours * 60))} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
