"""A running study of the user: its values come later, from its process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from openalgo_desktop.analytics.indian.kept import NAN, Growing
from openalgo_desktop.analytics.indicators.own.process import Answer, Worker
from openalgo_desktop.analytics.indicators.running.library import Changed
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import Profile, Value
from openalgo_desktop.core.errors import DataError

log = logging.getLogger(__name__)
Spawn = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]
#: The forming bar is computed again after so many seconds, and after so many times as long as the
#: last answer took; after failures in a row the pause doubles from one to the next up to the last.
FORMING: Final = 1.0
TIMES: Final = 5.0
LONGEST: Final = 300.0


class OwnStudy:
    """All bars are computed each time: at every new bar, and now and then while one forms."""

    def __init__(
        self,
        worker: Worker,
        params: Mapping[str, Value],
        outputs: Sequence[str],
        changed: Changed,
        spawn: Spawn,
    ) -> None:
        self._worker, self._params, self._outputs = worker, dict(params), tuple(outputs)
        self._changed, self._spawn = changed, spawn
        self._columns = [Growing() for _ in outputs]
        self._bars: Columns | None = None
        self._epoch = 0  # rises with every load: an answer for bars of before is none
        self._due = self._busy = False
        self._pause, self._failures = FORMING, 0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def values(self) -> Sequence[Floats]:
        """As far as they were answered; not known beyond."""
        return [column.view for column in self._columns]

    @property
    def profiles(self) -> Sequence[Profile]:
        """None."""
        return ()

    def load(self, bars: Columns) -> None:
        """Start over."""
        self._bars = bars
        self._epoch += 1
        self._failures = 0
        for column in self._columns:
            column.clear()
        self._pad(bars.size)
        self._ask()

    def last(self, bars: Columns) -> None:
        """The forming bar changed: it is computed in a while."""
        self._bars = bars
        if self._timer is None and not self._busy:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._ask)

    def append(self, bars: Columns) -> None:
        """A bar was closed."""
        self._bars = bars
        self._pad(bars.size)
        if self._failures:
            self.last(bars)  # with a pause: it would only fail again
        else:
            self._ask()

    def close(self) -> None:
        """Ask and tell nothing any more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pad(self, size: int) -> None:
        for column in self._columns:
            for _ in range(size - len(column.view)):
                column.push(NAN)

    def _ask(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due = True
        if not self._busy and not self._closed:
            self._busy = True
            self._spawn(self._work(), "own study")

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._due and self._bars is not None and not self._closed:
                self._due = False
                epoch, began = self._epoch, loop.time()
                try:
                    answer = await self._worker.ask(self._bars, self._params, self._outputs)
                except DataError as error:
                    answer = Answer((), error.message)
                if not self._closed and epoch == self._epoch:
                    self._take(answer, loop.time() - began)
        finally:
            self._busy = False

    def _take(self, answer: Answer, seconds: float) -> None:
        if answer.printed:
            log.info("a study of yours says: %s", answer.printed)
        if answer.error:
            self._failures += 1
            self._pause = min(LONGEST, FORMING * 2.0**self._failures)
        else:
            self._failures, self._pause = 0, max(FORMING, TIMES * seconds)
            for column, values in zip(self._columns, answer.arrays, strict=True):
                column.fill(values)
            if self._bars is not None:
                self._pad(self._bars.size)
        self._changed(answer.error)
