"""Bars for docks: history that is kept, forming bars, the time that is left of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from openalgo_desktop.core.charting.ports import LiveBar, Progress
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class BarsDoor:
    """The :class:`BarSource` of the window. Listeners are called for every tick, on the loop: a
    dock remembers what it is told and paints once a frame."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def get(
        self,
        key: Key,
        span: Span,
        start: int,
        end: int,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        """Bars that begin in ``start <= time < end``, epoch seconds; read-only, shared arrays.
        Raises :class:`AppError`."""
        return await self._terminal.bars.get(key, span, start, end, progress)

    async def of_days(
        self,
        key: Key,
        span: Span,
        first: date,
        last: date,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        """The same of an inclusive range of IST dates."""
        return await self._terminal.bars.of_days(key, span, first, last, progress)

    @property
    def moment(self) -> float:
        """What time it is, epoch seconds."""
        return self._terminal.clock.time()

    async def kept(self, key: Key, span: Span, first: date, last: date) -> Bars:
        """What is kept of an inclusive range of IST dates, asking nobody; what the account that
        gave them last had."""
        return await self._terminal.bars.kept_of_days(key, span, first, last)

    async def missing(self, key: Key, span: Span, first: date, last: date) -> list[tuple[int, int]]:
        """What nobody gave of it although there was trade: ``from, before``, times of bars."""
        return await self._terminal.bars.missing_of_days(key, span, first, last)

    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]:
        """Hear of every change of the forming bar and of its end; gives the stop call."""
        return self._terminal.bars.follow(key, span, listener)

    def forming(self, key: Key, span: Span) -> LiveBar | None:
        """The last bar while somebody follows it."""
        return self._terminal.bars.forming(key, span)

    def countdown(self, key: Key, span: Span) -> float | None:
        """Seconds to the end of the bar that forms; None while the market is closed."""
        return self._terminal.bars.countdown(key, span)
