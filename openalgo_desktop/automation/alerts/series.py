"""The bars of one instrument and span as alerts look at them: history, then live.

A study runs once for all alerts that look at it. What a tick changes is computed when somebody
looks, what a closed bar changes at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import nan

import numpy as np

from openalgo_desktop.automation.alerts.grown import Grown
from openalgo_desktop.core.alerts import LOADING
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.ports import BarSource, LiveBar
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.charting.studies import Study
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key

log = logging.getLogger(__name__)

#: A history that could not be had is asked for again after so long, seconds.
AGAIN = 60.0
#: Live bars on top of the history after which all is loaded anew, so that nothing grows for ever.
MAX_LIVE = 20_000
FAILED = "Its study failed; the log file says how."


@dataclass(slots=True, eq=False)
class Run:
    """A study that runs: ``size`` are the bars that it has computed, -1 when it failed."""

    study: Study
    size: int = 0


class Series:
    """Bars of ``key`` from ``start(self)`` (epoch seconds) on; ``load`` begins.

    ``closed`` hears each bar that is closed and final by its index, once; not those of the history,
    except for the last one where a gap of the feed was filled. ``ready`` hears that there are bars
    (again).
    """

    def __init__(
        self,
        source: BarSource,
        clock: Clock,
        key: Key,
        span: Span,
        start: Callable[[Series], int],
        closed: Callable[[Series, int], None],
        ready: Callable[[Series], None],
    ) -> None:
        self.key, self.span = key, span
        self.trouble = LOADING
        self.bars = Grown()
        self.start = 0  # of what is loaded
        self._source, self._clock = source, clock
        self._start, self._closed, self._ready = start, closed, ready
        self._runs: dict[Hashable, Run] = {}
        self._live: dict[int, LiveBar] = {}  # heard while the history loads
        self._told = 0  # time of the last closed bar that was told
        self._lost = False
        self._most = 0  # bars after which all is loaded anew
        self._retry = 0.0
        self._task: asyncio.Task[None] | None = None
        self._stop = source.follow(key, span, self._on_bar)

    def close(self) -> asyncio.Task[None] | None:
        """Follow no more from now on; returns what still ends beside the caller, if anything."""
        self._stop()
        if not self._is_loading:
            return None
        assert self._task is not None
        self._task.cancel()
        return self._task

    # -- loading ----------------------------------------------------------------------------
    @property
    def is_ready(self) -> bool:
        """Whether there are bars to look at."""
        return not self.trouble

    def load(self) -> None:
        """Load the history and all studies, unless that is under way."""
        if not self._is_loading:
            self.trouble = LOADING
            self._task = asyncio.create_task(self._load(), name=f"bars of {self.key[1]}")

    @property
    def _is_loading(self) -> bool:
        return self._task is not None and not self._task.done()

    def lose(self) -> None:
        """The feed was lost: with the next price the history is asked what is missing."""
        self._lost = True

    def look_after(self) -> None:
        """Ask again for what could not be had."""
        late = self._clock.monotonic() >= self._retry
        if not self.is_ready and not self._is_loading and late:
            self.load()

    async def _load(self) -> None:
        trouble = ""
        try:
            await self._load_bars()
            while True:  # studies may be added meanwhile, and want more bars
                if self._start(self) < self.start:
                    await self._load_bars()
                waiting = [run for run in self._runs.values() if not run.size]
                if not waiting:
                    break
                for run in waiting:
                    await self._begin(run)
        except AppError as error:
            trouble = f"Its bars cannot be had: {error.message}"
        except Exception:
            log.exception("the bars of %s are not loaded", self.key)
            trouble = "Its bars cannot be had; the log file says why."
        self.trouble = trouble or ("" if self.bars.size else "There are no bars of it.")
        self._retry = self._clock.monotonic() + AGAIN
        self._most = self.bars.size + MAX_LIVE
        if self.is_ready:
            self._go_on()

    async def _load_bars(self) -> None:
        self.start = start = self._start(self)
        self._lost = False
        self._live.clear()
        for run in self._runs.values():
            run.size = 0
        # Bars of a day are named by midnight UTC, which may be still to come.
        end = int(self._clock.time()) + (1 if self.span.is_intraday else 86_400)
        bars = await self._source.get(self.key, self.span, start, end)
        self.bars = Grown(Columns.of(bars))
        forming = self._source.forming(self.key, self.span)
        if forming is not None:
            self._live[forming.time] = forming
        for moment in sorted(self._live):
            self.bars.put(self._live[moment])

    def _go_on(self) -> None:
        """The history is here: who waits may look; a bar that a gap hid is told now."""
        last = self.last_closed
        before, self._told = self._told, self.time(last)
        self.renew()
        self._ready(self)
        if before and self._told > before:
            self._closed(self, last)

    # -- live -------------------------------------------------------------------------------
    def _on_bar(self, bar: LiveBar) -> None:
        if self._is_loading:
            self._live[bar.time] = bar
            self.bars.put(bar)  # a study that computes beside the loop catches up
        elif self._lost or self.bars.size > self._most:
            self.load()
        elif self.is_ready and bar.time >= self.bars.last_time:
            if bar.time > self.bars.last_time:
                self._end()
            self.bars.put(bar)
            if bar.closed:
                self._end()

    def _end(self) -> None:
        """The last bar is final; that is told once."""
        if self.bars.last_time > self._told:
            self._told = self.bars.last_time
            self.renew()
            self._closed(self, self.bars.size - 1)

    # -- what is seen -----------------------------------------------------------------------
    @property
    def last_closed(self) -> int:
        """Index of the last bar that is final; -1 without one."""
        last = self.bars.size - 1
        forming = self._source.forming(self.key, self.span)
        if forming is not None and forming.time == self.time(last):
            return last if forming.closed else last - 1
        if self.span.is_intraday:
            over = self.time(last) + self.span.seconds <= self._clock.time()
        else:
            closed = self._source.countdown(self.key, self.span) is None
            over = closed and self.span.unit is SpanUnit.DAY
        return last if over else max(-1, last - 1)

    def time(self, index: int) -> int:
        """When a bar began, epoch seconds; 0 for one that is not there."""
        return int(self.bars.columns.time[index]) if 0 <= index < self.bars.size else 0

    def value(self, name: Hashable, output: int, index: int) -> float:
        """A study's value at a bar as of the last :meth:`renew`; NaN where it is not known."""
        values = self._values(name, output)
        return float(values[index]) if 0 <= index < len(values) else nan

    def extremes(self, name: Hashable, output: int, index: int, bars: int) -> tuple[float, float]:
        """Lowest and highest of a study within ``bars`` bars that end at ``index``."""
        part = self._values(name, output)[max(0, index + 1 - bars) : index + 1]
        return (float(np.min(part)), float(np.max(part))) if len(part) else (nan, nan)

    def _values(self, name: Hashable, output: int) -> Floats:
        run = self._runs.get(name)
        return np.empty(0) if run is None or run.size <= 0 else run.study.values[output]

    # -- studies ----------------------------------------------------------------------------
    def runs(self, name: Hashable) -> bool:
        """Whether a study runs under this name."""
        return name in self._runs

    def add(self, name: Hashable, study: Study) -> None:
        """Run a study under a name, from when all is loaded (again) on."""
        self._runs[name] = Run(study)
        self.load()

    def keep(self, names: set[Hashable]) -> None:
        """End all studies but these."""
        for name in set(self._runs) - names:
            del self._runs[name]

    def failed(self, name: Hashable) -> bool:
        """Whether a study broke down."""
        run = self._runs.get(name)
        return run is not None and run.size < 0

    async def _begin(self, run: Run) -> None:
        """Compute a study beside the loop, then what came meanwhile."""
        bars = self.bars.copy()
        try:
            await asyncio.to_thread(run.study.load, bars)
        except Exception:
            log.exception("a study of alerts on %s failed", self.key)
            run.size = -1
            return
        run.size = bars.size or -1
        self._catch_up(run)

    def renew(self) -> None:
        """Bring all studies to the bars of now."""
        if self.bars.is_dirty:
            self.bars.is_dirty = False
            for run in self._runs.values():
                self._catch_up(run)

    def _catch_up(self, run: Run) -> None:
        """The last bar that a study had may have changed, and others came."""
        columns = self.bars.columns
        if run.size <= 0:
            return
        try:
            run.study.last(columns.cut(0, run.size))
            while run.size < columns.size:
                run.study.append(columns.cut(0, run.size + 1))
                run.size += 1
        except Exception:
            log.exception("a study of alerts on %s failed", self.key)
            run.size = -1
