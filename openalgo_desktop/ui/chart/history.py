"""The history of a chart dock: loaded for an interval, one load at a time, with words for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeAlias

from PySide6.QtWidgets import QSizePolicy

from openalgo_desktop.core.charting.ports import Progress
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import AppError, DataError
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.kit.dock import Holder
from openalgo_desktop.ui.kit.elided import ElidedText
from openalgo_desktop.ui.kit.widgets import push_button

log = logging.getLogger(__name__)

Report: TypeAlias = Callable[[Progress], None]
#: Gives the bars of an inclusive range of IST dates and tells how far it is; raises
#: :class:`AppError`.
Ask: TypeAlias = Callable[[date, date, Report], Awaitable[Bars]]
#: Gives what is kept of the same without asking anybody; raises nothing.
Kept: TypeAlias = Callable[[date, date], Awaitable[Bars]]
#: Where bars are missing: ``(from, before)``, times of bars, ascending.
Gaps: TypeAlias = Sequence[tuple[int, int]]
#: Says where what is kept has holes, without asking anybody; raises nothing.
Missing: TypeAlias = Callable[[date, date], Awaitable[Gaps]]

#: So many older windows without a bar are the end of the history: before it was listed.
_EMPTY = 2
#: A shorter window without a bar, days, may be a long weekend: it goes on further back.
_REST = 7


async def _none_missing(first: date, last: date) -> Gaps:
    return ()


async def _answered(ask: Ask, first: date, last: date, tell: Report) -> Bars:
    """What ``ask`` gives. A fault of the program on the way fails as a broker does: the chart says
    so and offers *Retry*, and *Loading…* does not stay for ever."""
    try:
        return await ask(first, last, tell)
    except AppError:
        raise
    except Exception as error:
        log.exception("history of %s to %s failed", first, last)
        kind = type(error).__name__
        raise DataError(f"History failed: an error of the program ({kind}: {error})") from error


class ChartHistory:
    """Owns the line of text that says how the load went, and the button that tries again; the
    dock places both. ``days`` of history are loaded for a span, and as many again each
    time that older ones are wanted. ``gaps`` are the holes in what is loaded: pieces that could
    not be had, never days without trade; ``gaps_changed`` hears of them, ``refilled`` of all that
    is loaded when they were asked for again."""

    def __init__(
        self, dock: Holder, days: Callable[[Span], int], again: Callable[[], None]
    ) -> None:
        self._dock = dock
        self._days, self._again = days, again
        self.gaps: Gaps = ()
        self.gaps_changed: Callable[[Gaps], None] = lambda gaps: None
        self.refilled: Callable[[Bars], None] = lambda bars: None
        self._missing: Missing = _none_missing
        self._reason = ""  # why something is missing
        self._task: asyncio.Task[None] | None = None
        self._span: Span | None = None
        self._ask: Ask | None = None
        self._kept: Kept | None = None
        self._first: date | None = None  # of what is loaded
        self._failed = False
        self._empty = 0  # older windows without a bar, in a row
        self.message = ElidedText(f"{dock.name}-message")
        self.message.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.retry = push_button(
            "Retry", f"{dock.name}-retry", "Load the history again", self.ask_again
        )
        self.retry.hide()

    @property
    def loading(self) -> bool:
        """Whether a load is under way."""
        return self._task is not None and not self._task.done()

    @property
    def ended(self) -> bool:
        """Whether there is nothing older, as far as is known."""
        return self._empty >= _EMPTY

    @property
    def failed(self) -> bool:
        """Whether the load did not succeed: there is nothing, or only what was kept."""
        return self._failed

    def ask_again(self) -> None:
        """Ask for what is missing; the chart stays where it is. Without anything loaded: load."""
        if self.failed or self._first is None or self._ask is None:
            self._again()
        elif not self.loading:
            work = self._refill(self._ask, self._first)
            self._task = self._dock.spawn(work, f"{self._dock.name} missing history")

    def load(
        self,
        span: Span,
        ask: Ask,
        show: Callable[[Span, Bars], None],
        kept: Kept | None = None,
        missing: Missing = _none_missing,
    ) -> None:
        """Ask for the bars and give them to ``show``; where they cannot be had those that are
        ``kept``, maybe none, with the reason in the message and where they have holes
        (``missing``). A load under way is given up."""
        if self._task is not None:
            self._task.cancel()
        self.retry.hide()
        self._failed, self._missing = False, missing
        self._set_gaps(())
        self.message.show_text("Loading…")
        ask = partial(_answered, ask)
        self._span, self._ask, self._first, self._empty = span, ask, None, 0
        self._kept = kept
        self._task = self._dock.spawn(self._load(span, ask, show), f"{self._dock.name} history")

    def older(self, show: Callable[[Bars], None]) -> bool:
        """Ask for the window before what is loaded and give its bars to ``show`` (maybe none: a
        window without trade); False where that cannot be now. What could not be had is told, and
        asked for again by the next call."""
        if self.loading or self.ended or self._first is None or self._ask is None:
            return False
        self._task = self._dock.spawn(
            self._load_older(self._ask, self._first, show), f"{self._dock.name} older history"
        )
        return True

    def newer(self, since: date, take: Callable[[Bars | None], None]) -> bool:
        """Ask again for what there is from ``since`` to today and give it to ``take``, None where
        it cannot be had (the reason is told); False where that cannot be asked now."""
        if self.loading or self._first is None or self._ask is None or self.failed:
            return False
        self._task = self._dock.spawn(
            self._load_newer(self._ask, since, take), f"{self._dock.name} newer history"
        )
        return True

    async def _load(self, span: Span, ask: Ask, show: Callable[[Span, Bars], None]) -> None:
        today = self._dock.bridge.now().date()
        first = today - timedelta(days=self._days(span))
        try:
            first, bars = await self._back(ask, first, today)
        except AppError as error:
            bars = await self._of_kept(first, today)
            gaps = await self._missing(first, today) if len(bars) else ()
            self._first = first if len(bars) else None
            self._failed, self._reason = True, error.message
            self._set_gaps(gaps)
            self.retry.show()
            self._say(error.message)
        else:
            self._first = first
            self.message.show_text("" if len(bars) else f"No bars for {span.text}")
        show(span, bars)

    async def _back(self, ask: Ask, first: date, last: date) -> tuple[date, Bars]:
        """The bars of these days; without any those of more and more days before them, while the
        exchange may have been closed. With the first day that was asked for."""
        bars, end = await ask(first, last, self._tell), last
        while not len(bars) and (end - first).days < _REST:
            first, last = first - ((end - first) or timedelta(days=1)), first - timedelta(days=1)
            bars = await ask(first, last, self._tell)
        return first, bars

    async def _load_older(self, ask: Ask, before: date, show: Callable[[Bars], None]) -> None:
        assert self._span is not None
        first, last = before - timedelta(days=self._days(self._span)), before - timedelta(days=1)
        self.message.show_text("Loading…")
        try:
            first, bars = await self._back(ask, first, last)
        except AppError as error:
            bars = await self._of_kept(first, last)
            if len(bars):
                self._first, self._reason = first, error.message
                self._set_gaps([*await self._missing(first, last), *self.gaps])
                show(bars)
            self._say(error.message)
            return
        self._first = first
        self._empty = 0 if len(bars) else self._empty + 1
        self._say()
        show(bars)

    async def _load_newer(self, ask: Ask, since: date, take: Callable[[Bars | None], None]) -> None:
        try:
            bars = await ask(since, self._dock.bridge.now().date(), lambda progress: None)
        except AppError as error:
            self.message.show_text(error.message)
            take(None)
            return
        if self.gaps and self._span is not None:
            told = _axis_day(since, self._span)
            self._set_gaps([(start, min(end, told)) for start, end in self.gaps if start < told])
        self._say()
        take(bars)

    async def _refill(self, ask: Ask, first: date) -> None:
        today = self._dock.bridge.now().date()
        self.retry.hide()
        self.message.show_text("Loading…")
        gaps: Gaps = ()
        try:
            bars = await ask(first, today, self._tell)
        except AppError as error:
            self._reason = error.message
            bars = await self._of_kept(first, today)
            gaps = await self._missing(first, today)
        self._set_gaps(gaps)
        self._say()
        self.refilled(bars)

    # -- what is missing --------------------------------------------------------------------
    def _set_gaps(self, gaps: Gaps) -> None:
        before, self.gaps = self.gaps, tuple(gaps)
        if self.gaps != before:
            self.gaps_changed(self.gaps)
        if self.gaps:
            self.retry.show()
        elif not self._failed:
            self.retry.hide()

    def _say(self, text: str = "") -> None:
        """What is missing and why; without that ``text``."""
        if self.gaps and self._span is not None:
            today = self._dock.bridge.now().date()
            text = f"Missing {gap_words(self.gaps, self._span, today)}: {self._reason}"
        self.message.show_text(text)

    async def _of_kept(self, first: date, last: date) -> Bars:
        return Bars.empty() if self._kept is None else await self._kept(first, last)

    def _tell(self, progress: Progress) -> None:
        if progress.all > 1 and progress.text:
            self.message.show_text(progress.text)


def _axis_day(day: date, span: Span) -> int:
    """Where a date begins among the times of bars."""
    zone = IST if span.is_intraday else UTC
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def gap_words(gaps: Gaps, span: Span, today: date) -> str:
    """``12 Nov - 19 Nov``, ``20 Nov 11:05 - 15:30``: the latest of them, and how many there are
    beside it. Years other than that of ``today`` are named."""
    zone = IST if span.is_intraday else UTC
    start, end = (datetime.fromtimestamp(moment, zone) for moment in gaps[-1])
    last = end if span.is_intraday else end - timedelta(days=1)
    day = "%d %b" if start.year == last.year == today.year else "%d %b %Y"
    if start.date() != last.date():
        words = f"{start:{day}} \N{EN DASH} {last:{day}}"
    elif span.is_intraday:
        words = f"{start:{day} %H:%M} \N{EN DASH} {last:%H:%M}"
    else:
        words = f"{start:{day}}"
    return words if len(gaps) == 1 else f"{words} and {len(gaps) - 1} more"
