"""What is kept of the bars that sources gave, in memory and on disk.

A series is kept with the times for which it is complete: a holiday that was asked for is known to
have no bars. Memory is bounded, the series that was not used longest goes first; one on disk is
read again when it is needed. A disk that takes nothing costs the bars of this run only the disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.bars.cover import Range, missing, united
from openalgo_desktop.research.bars.files import BarFiles, SeriesName, block
from openalgo_desktop.research.bars.tables import (
    ROW_BYTES,
    equal,
    frozen,
    part,
    replaced,
)

log = logging.getLogger(__name__)

#: Bytes of bars in memory: 1.2 million bars.
MEMORY = 64 << 20
_MB = 1 << 20


class _Series:
    """What is kept of one series. The table is never changed, only replaced."""

    __slots__ = ("bars", "known")

    def __init__(self, bars: Bars, known: tuple[Range, ...]) -> None:
        self.bars = frozen(bars)
        self.known = known


def _unknown(series: _Series, taken: Bars, start: int, end: int) -> int:
    """From where on ``taken`` says something new, so that a day that goes on is not written again
    with each of its minutes."""
    until = max((min(last, end) for first, last in series.known if first <= start), default=start)
    same = equal(part(series.bars, start, until), part(taken, start, until))
    return max(start, until) if same and until < end else start


class BarStore:
    """Keeps series. ``folder`` is where those of lasting sources are on disk, None for nowhere;
    ``lasts`` says which sources last, ``most_mb`` how much the disk keeps."""

    def __init__(
        self,
        folder: Path | None,
        most_mb: Callable[[], int],
        lasts: Callable[[str], bool] = lambda source: True,
        memory: int = MEMORY,
    ) -> None:
        self._files = BarFiles(folder) if folder is not None else None
        self._most_mb = most_mb
        self._lasts = lasts
        self._memory = memory
        self._bytes = 0
        self._series: OrderedDict[SeriesName, _Series] = OrderedDict()
        self._reading: dict[SeriesName, asyncio.Future[_Series]] = {}
        self._writes: set[asyncio.Future[None]] = set()
        self._thread: ThreadPoolExecutor | None = None
        self._full = False  # the disk took nothing the last time

    @property
    def memory(self) -> int:
        """Bytes of bars in memory."""
        return self._bytes

    # -- the three ---------------------------------------------------------------------------
    async def get(self, name: SeriesName, start: int, end: int) -> Bars:
        """What is kept in ``start <= time < end``; read-only views."""
        return part((await self._of(name)).bars, start, end)

    async def gaps(self, name: SeriesName, start: int, end: int) -> list[Range]:
        """The parts of ``start`` to ``end`` that nobody gave yet, ascending."""
        return missing((await self._of(name)).known, start, end)

    async def append(self, name: SeriesName, bars: Bars, start: int, end: int) -> None:
        """Keep ``bars`` as all there are in ``start <= time < end`` (others are left out), in
        place of what was known there. Writing goes on after the return."""
        series = await self._of(name)
        taken = part(bars, start, end)
        new = _unknown(series, taken, start, end)
        self._put(
            name,
            _Series(
                replaced(series.bars, taken, start, end), united([*series.known, (start, end)])
            ),
        )
        if self._on_disk(name) and self._most_mb() > 0:
            self._write(name, part(taken, new, end), new, end)

    async def known(self, name: SeriesName) -> tuple[Range, ...]:
        """The times that are known, ascending."""
        return (await self._of(name)).known

    def forget(self, name: SeriesName) -> None:
        """Drop what is kept, also on disk."""
        self._drop(name)
        files = self._files
        if files is not None and self._lasts(name.source):
            self._later(lambda: files.remove(name))

    def forget_passing(self) -> None:
        """Drop the series of sources that do not last."""
        for name in [name for name in self._series if not self._on_disk(name)]:
            self._drop(name)

    async def flush(self) -> None:
        """Return when all that was appended is written, or could not be."""
        while self._writes:
            # Not gather: of futures that are done it makes no turn of the loop (since Python 3.12),
            # and they would never leave the set.
            await asyncio.wait(tuple(self._writes))

    async def close(self) -> None:
        """Finish writing and end the thread."""
        await self.flush()
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    # -- memory -----------------------------------------------------------------------------
    async def _of(self, name: SeriesName) -> _Series:
        """The series in memory; read from disk once, however many ask."""
        found = self._series.get(name)
        if found is not None:
            self._series.move_to_end(name)
            return found
        reading = self._reading.get(name)
        if reading is None:
            reading = asyncio.ensure_future(self._read(name))
            self._reading[name] = reading
            reading.add_done_callback(lambda _: self._reading.pop(name, None))
        return await asyncio.shield(reading)

    async def _read(self, name: SeriesName) -> _Series:
        files = self._files
        if files is None or not self._on_disk(name):
            series = _Series(Bars.empty(), ())
        else:
            loop = asyncio.get_running_loop()
            content = await loop.run_in_executor(self._executor(), files.read, name)
            series = _Series(content.bars, content.known)
        self._put(name, series)
        return series

    def _put(self, name: SeriesName, series: _Series) -> None:
        self._drop(name)
        self._series[name] = series
        self._bytes += len(series.bars) * ROW_BYTES
        while self._bytes > self._memory and len(self._series) > 1:
            self._drop(next(iter(self._series)))

    def _drop(self, name: SeriesName) -> None:
        series = self._series.pop(name, None)
        if series is not None:
            self._bytes -= len(series.bars) * ROW_BYTES

    # -- disk -------------------------------------------------------------------------------
    def _on_disk(self, name: SeriesName) -> bool:
        return self._files is not None and self._lasts(name.source)

    def _executor(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="bars")
        return self._thread

    def _write(self, name: SeriesName, bars: Bars, start: int, end: int) -> None:
        files, most = self._files, self._most_mb() * _MB
        assert files is not None

        def write() -> None:
            try:
                files.append(name, block(bars, start, end))
                files.shrink(most)
            except OSError as error:
                if not self._full:
                    log.warning("bars are kept in memory only: %s", error)
                self._full = True
            else:
                self._full = False

        self._later(write)

    def _later(self, work: Callable[[], None]) -> None:
        """In the thread, after what was given to it before."""
        task = asyncio.get_running_loop().run_in_executor(self._executor(), work)
        self._writes.add(task)
        task.add_done_callback(self._written)

    def _written(self, task: asyncio.Future[None]) -> None:
        self._writes.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("bars could not be written", exc_info=error)

    def names(self) -> Iterable[SeriesName]:
        """The series in memory, least used first."""
        return tuple(self._series)
