"""The studies of one chart, or of one alert."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from openalgo_desktop.analytics.indicators.kit.shelf import Given
from openalgo_desktop.analytics.indicators.running.library import Library, is_own
from openalgo_desktop.analytics.indicators.running.order import in_order, sources_of
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import (
    ParamKind,
    Profile,
    Study,
    StudySpec,
    StudyWish,
)
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.errors import AppError, DataError
from openalgo_desktop.core.gently import Pace

log = logging.getLogger(__name__)


class StudyRun:
    """One study. ``error`` says why it has no values, ``note`` why they are all unknown."""

    def __init__(self, wish: StudyWish, owner: StudySet) -> None:
        self.wish = wish
        self.owner: StudySet | None = owner  # the set that it runs in now
        self.spec: StudySpec | None = None
        self.study: Study | None = None
        self.needs: tuple[str, ...] = ()  # idents of the studies it reads
        self.later = False  # a study of the user, or one that stands on such a one
        self.error = ""
        self.note = ""

    @property
    def title(self) -> str:
        """What a sentence calls it."""
        return self.wish.study if self.spec is None else self.spec.title

    @property
    def values(self) -> Sequence[Floats]:
        """One array for each output; empty while there is an error."""
        return () if self.study is None or self.error else self.study.values

    @property
    def profiles(self) -> Sequence[Profile]:
        """What it draws sideways."""
        return () if self.study is None or self.error else self.study.profiles

    def tell(self, error: str) -> None:
        """The study has other values without a new bar, or failed."""
        if self.owner is not None:
            self.owner.answered(self.wish.ident, error)

    def fail(self, error: Exception) -> None:
        """It has no values any more; the others go on."""
        if isinstance(error, AppError):
            self.error = error.message
            return
        log.error("study %s failed", self.wish.study, exc_info=error)
        self.error = f"{self.title} failed: {type(error).__name__}: {error}"


class StudySet:
    """Makes studies in the order in which they stand on one another, and hands bars to all. What
    goes wrong in one is kept with it. ``changed`` is called with the ident of a study that has
    other values without a new bar.

    Everything is called on one thread but :meth:`load_paced`, which may be given to another one
    as long as nothing else of this set is called meanwhile.
    """

    def __init__(
        self,
        library: Library,
        around: Surroundings,
        wishes: Sequence[StudyWish] = (),
        changed: Callable[[str], None] = lambda ident: None,
        kept: Mapping[str, StudyRun] | None = None,
    ) -> None:
        self._library = library
        self._around = around
        self._changed = changed
        self._bars: Columns | None = None
        self.runs: dict[str, StudyRun] = {}
        self._fresh: set[str] = set()
        self._arrange(wishes, kept or {})

    @property
    def fresh(self) -> int:
        """How many studies were made new and have no bars yet."""
        return len(self._fresh)

    # -- making -----------------------------------------------------------------------------
    def _arrange(self, wishes: Sequence[StudyWish], kept: Mapping[str, StudyRun]) -> None:
        made = {wish.ident: StudyRun(wish, self) for wish in wishes}
        for run in made.values():
            try:
                run.spec = self._library.spec(run.wish.study)
                sources = sources_of(run.wish, run.spec)
                run.needs = tuple(dict.fromkeys(ident for ident, _ in sources.values()))
            except AppError as error:
                run.fail(error)
        order, circles = in_order({ident: run.needs for ident, run in made.items()})
        for ident in order:
            run, before = made[ident], kept.get(ident)
            run.later = is_own(run.wish.study) or any(
                self.runs[other].later for other in run.needs if other in self.runs
            )
            if ident in circles:
                run.fail(DataError(_circle(run, [made[other] for other in circles[ident]])))
            elif before is not None and self._same(before, run):
                before.wish, before.owner = run.wish, self
                run = before
            elif not run.error:
                self._make(run)
                self._fresh.add(ident)
            self.runs[ident] = run

    def _same(self, before: StudyRun, run: StudyRun) -> bool:
        """Whether a study that runs already is this one: the same, on the same."""
        same = before.wish.study == run.wish.study and before.wish.params == run.wish.params
        stands = all(ident in self.runs and ident not in self._fresh for ident in run.needs)
        return same and stands and not before.error

    def _make(self, run: StudyRun) -> None:
        assert run.spec is not None
        try:
            sources = sources_of(run.wish, run.spec)
            given = {name: self._given(run, *source) for name, source in sources.items()}
            run.study = self._library.make(
                run.wish.study,
                run.wish.params,
                given,
                self._around,
                run.tell,
            )
        except Exception as error:
            run.fail(error)

    def _given(self, run: StudyRun, ident: str, output: str) -> Given:
        source = self.runs.get(ident)
        if source is None:
            raise DataError(f"{run.title}: its source {ident} is not on this chart any more.")
        if source.error or source.spec is None:
            raise DataError(f"{run.title}: its source {source.title} has no values: {source.error}")
        names = [each.name for each in source.spec.outputs]
        if output not in names:
            raise DataError(f"{run.title}: {source.title} has no {output}; it has {_list(names)}.")
        place = names.index(output)

        def give(bars: Columns) -> Floats:
            values = source.values
            if not values:
                raise DataError(f"{run.title}: its source {source.title} has no values.")
            return values[place]

        return give

    # -- running ----------------------------------------------------------------------------
    def load(self, bars: Columns, only_fresh: bool = False) -> None:
        """Compute all (``only_fresh``: those that were made new) of these bars."""
        self.load_paced(bars, only_fresh)
        self.load_later(bars, only_fresh)

    def load_paced(self, bars: Columns, only_fresh: bool = False) -> None:
        """The same without the user's studies and what stands on them; in a thread it lets others
        run in between."""
        pace = Pace()
        for run in self._due(only_fresh):
            if not run.later:
                self._load(run, bars)
                pace.keep()

    def load_later(self, bars: Columns, only_fresh: bool = False) -> None:
        """The rest; and take over that all have these bars."""
        for run in self._due(only_fresh):
            if run.later:
                self._load(run, bars)
        self._bars = bars
        self._fresh.clear()

    def _due(self, only_fresh: bool) -> list[StudyRun]:
        return [run for ident, run in self.runs.items() if not only_fresh or ident in self._fresh]

    def _load(self, run: StudyRun, bars: Columns) -> None:
        if run.study is None:
            return
        try:
            run.error = ""
            run.note = _lacks(run, bars, self._around)
            run.study.load(bars)
        except Exception as error:
            run.fail(error)

    def last(self, bars: Columns) -> None:
        """The last bar changed."""
        self._bars = bars
        for run in self.runs.values():
            if run.study is not None and not run.error:
                try:
                    run.study.last(bars)
                except Exception as error:
                    run.fail(error)

    def append(self, bars: Columns) -> None:
        """One bar was added."""
        self._bars = bars
        for run in self.runs.values():
            if run.study is not None and not run.error:
                try:
                    run.study.append(bars)
                except Exception as error:
                    run.fail(error)

    def take_back(self) -> None:
        """Another set that took studies over is not wanted after all: close that one then."""
        for run in self.runs.values():
            run.owner = self

    def close(self) -> None:
        """Let go of all studies that no other set has taken over. Studies and sets refer to each
        other, and the collector looks for circles rarely while markets are open."""
        for run in self.runs.values():
            if run.owner is self:
                run.owner = run.study = None
        self.runs = {}
        self._bars = None
        self._changed = lambda ident: None

    # -- later answers ----------------------------------------------------------------------
    def answered(self, ident: str, error: str) -> None:
        """A study has other values now, or failed: those that stand on it are computed anew."""
        run, bars = self.runs.get(ident), self._bars
        if run is None:
            return
        run.error = error
        self._changed(ident)
        renewed = {ident}
        for other in self.runs.values():
            if renewed.intersection(other.needs) and bars is not None:
                self._load(other, bars)
                renewed.add(other.wish.ident)
                self._changed(other.wish.ident)


def _lacks(run: StudyRun, bars: Columns, around: Surroundings) -> str:
    """A sentence when a study has not what it needs: an anchor, a column of the bars, a chain."""
    if run.spec is None:
        return ""
    needs = run.spec.needs
    anchor = next((param for param in run.spec.params if param.kind is ParamKind.TIME), None)
    if anchor is not None and run.wish.params.get(anchor.name, "") == "":
        return f"{run.title}: {anchor.label}: choose a bar on the chart."
    if "volume" in needs and bars.size and not np.any(bars.volume > 0):
        return f"{run.title} needs volume, and this instrument has none."
    if "oi" in needs and bars.size and not np.any(bars.oi > 0):
        return f"{run.title} needs open interest, and this instrument has none."
    if "intraday" in needs and not around.span.is_intraday:
        return f"{run.title} needs bars shorter than a day."
    if "chain" in needs and around.chain is None:
        return f"{run.title} needs options on this instrument, and there are none."
    return ""


def _circle(run: StudyRun, circle: Sequence[StudyRun]) -> str:
    others = [other.title for other in circle if other is not run]
    if not others:
        return f"{run.title} cannot be its own source: choose another."
    return f"{run.title} and {_list(others)} stand on one another: choose another source for one."


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
