"""The studies of a chart while it lives: long loads in a thread, what came meanwhile caught up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from openalgo_desktop.analytics.indicators.running.library import Library
from openalgo_desktop.analytics.indicators.running.study_set import StudyRun, StudySet
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import Profile, StudyWish
from openalgo_desktop.core.charting.surroundings import Surroundings

Spawn = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]
#: Bars times studies that are computed at once, without a thread: a millisecond or two.
SMALL: Final = 1500


class _Due(NamedTuple):
    studies: StudySet
    bars: Columns


class ChartStudies:
    """Whoever has the bars calls :meth:`load`, :meth:`last` and :meth:`append` with all of them
    and reads at any time. ``told`` is called on the loop when a load is done or an answer came; not
    for :meth:`last` and :meth:`append`, which are done when they return.

    While a load runs, the values of before are given: bars that were put before the known ones
    have none yet. The arrays always have the length of the bars that were handed in last.
    """

    def __init__(
        self, library: Library, around: Surroundings, told: Callable[[], None], spawn: Spawn
    ) -> None:
        self._library, self._around = library, around
        self._told, self._spawn = told, spawn
        self._wishes: tuple[StudyWish, ...] = ()
        self._set = StudySet(library, around)
        self._bars: Columns | None = None
        self._shift = 0  # bars before the first one that the studies know
        self._due: _Due | None = None
        self._running: _Due | None = None  # what a thread computes now
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    # -- what is wished -----------------------------------------------------------------------
    @property
    def wishes(self) -> tuple[StudyWish, ...]:
        """The studies, in order."""
        return self._wishes

    @property
    def busy(self) -> bool:
        """Whether a load runs."""
        return self._task is not None

    def wish(self, wishes: Sequence[StudyWish]) -> None:
        """These studies from now on. Those that are the same go on running."""
        self._wishes = tuple(wishes)
        self._arrange(self._set.runs)

    def renew(self, studies: Collection[str]) -> None:
        """Make the ones of these ids anew: their files changed."""
        runs = self._set.runs
        if any(wish.study in studies for wish in self._wishes):
            self._arrange({n: run for n, run in runs.items() if run.wish.study not in studies})

    def _arrange(self, runs: Mapping[str, StudyRun]) -> None:
        if self._bars is None:
            return
        kept = {} if self.busy or self._shift else runs
        made = self._made(kept)
        if made.fresh and (self.busy or self._bars.size * made.fresh > SMALL):
            self._set.take_back()
            made.close()
            self._begin(self._bars)
            return
        made.load(self._bars, only_fresh=True)
        self._put(made)
        self._told()

    @property
    def around(self) -> Surroundings:
        """Where the studies stand."""
        return self._around

    def surround(self, around: Surroundings) -> None:
        """More is known of where they stand: for studies that are made from now on."""
        self._around = around

    def reload(self) -> None:
        """Make all anew of the bars of now."""
        if self._bars is not None:
            self._begin(self._bars)

    def stand(self, around: Surroundings) -> None:
        """Another instrument or interval: nothing is known until its bars are loaded."""
        self._around = around
        self._bars = None
        self._drop_due()
        self._put(StudySet(self._library, around))

    def _put(self, studies: StudySet) -> None:
        """These in place of those of before."""
        before, self._set, self._shift = self._set, studies, 0
        before.close()

    def _drop_due(self) -> None:
        """What is to be loaded is wanted no more; a load that runs lets go by itself."""
        due, self._due = self._due, None
        if due is not None and due is not self._running:
            due.studies.close()

    def _made(self, kept: Mapping[str, StudyRun]) -> StudySet:
        made: list[StudySet] = []

        def changed(ident: str) -> None:
            if made and made[0] is self._set and not self._closed:
                self._told()

        made.append(StudySet(self._library, self._around, self._wishes, changed, kept))
        return made[0]

    # -- bars -----------------------------------------------------------------------------------
    def load(self, bars: Columns) -> None:
        """Start over with these bars, or with more of the past before the known ones."""
        self._follow(bars)
        self._begin(bars)

    def _follow(self, bars: Columns) -> None:
        """Whether the values of before still belong to the end of these bars."""
        before, self._bars = self._bars, bars
        shift = -1
        if before is not None and before.size and bars.size:
            known = int(before.time[0]) if not self._shift else int(before.time[self._shift])
            shift = int(np.searchsorted(bars.time, known))
            same_end = bars.size - shift == before.size - self._shift
            if not same_end or int(bars.time[shift]) != known:
                shift = -1
        if shift < 0:
            self._put(StudySet(self._library, self._around))
            shift = 0
        self._shift = shift

    def _begin(self, bars: Columns) -> None:
        if not self.busy and bars.size * len(self._wishes) <= SMALL:
            made = self._made({})
            made.load(bars)
            self._put(made)
            self._told()
            return
        self._drop_due()
        self._due = _Due(self._made({}), _copied(bars))
        if self._task is None:
            self._task = self._spawn(self._work(), "studies")

    async def _work(self) -> None:
        try:
            while (due := self._due) is not None:
                self._running = due
                await asyncio.to_thread(due.studies.load_paced, due.bars)
                if due is self._due and not self._closed:
                    self._due = None
                    self._take(due)
                else:
                    due.studies.close()
        finally:
            self._task = self._running = None

    def _take(self, due: _Due) -> None:
        studies, bars = due.studies, self._bars
        studies.load_later(due.bars)
        if bars is None:
            studies.close()
            return
        for end in range(due.bars.size + 1, bars.size + 1):
            studies.append(bars.cut(0, end))
        studies.last(bars)
        self._put(studies)
        self._told()

    def last(self, bars: Columns) -> None:
        """The last bar changed."""
        self._bars = bars
        self._set.last(bars.cut(self._shift))

    def append(self, bars: Columns) -> None:
        """One bar was added."""
        self._bars = bars
        self._set.append(bars.cut(self._shift))

    def close(self) -> None:
        """Compute and tell nothing any more."""
        self._closed = True
        self._drop_due()
        self._put(StudySet(self._library, self._around))
        self._told = lambda: None

    # -- reading --------------------------------------------------------------------------------
    def values(self, ident: str) -> Sequence[Floats]:
        """One array for each output of a study, as long as the bars; empty while there is none."""
        run = self._set.runs.get(ident)
        found = run.values if run is not None else ()
        if not self._shift:
            return found
        before = np.full(self._shift, np.nan)
        return [np.concatenate((before, values)) for values in found]

    def profiles(self, ident: str) -> Sequence[Profile]:
        """What a study draws sideways; none while older bars are being computed."""
        run = self._set.runs.get(ident)
        return run.profiles if run is not None and not self._shift else ()

    def error(self, ident: str) -> str:
        """Why a study has no values, or "": a sentence for the dock."""
        run = self._set.runs.get(ident)
        return run.error if run is not None else ""

    def note(self, ident: str) -> str:
        """Why all values of a study are unknown, or ""."""
        run = self._set.runs.get(ident)
        return run.note if run is not None else ""


def _copied(bars: Columns) -> Columns:
    o, h, low, c = (x.copy() for x in (bars.open, bars.high, bars.low, bars.close))
    return Columns(bars.time.copy(), o, h, low, c, bars.volume.copy(), bars.oi.copy())
