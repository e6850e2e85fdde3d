"""The studies of the registry as alerts run them; a study may stand on another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from math import ceil

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.analytics.indicators.running.library import INTERVAL, Library, is_own
from openalgo_desktop.automation.alerts import depth
from openalgo_desktop.automation.alerts.ports import Need
from openalgo_desktop.core.alerts import OfStudy
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import ParamKind, Profile, Study, StudySpec
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.errors import AppError, DataError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.near import did_you_mean

#: So many times its longest length, and an average that remembers for ever has forgotten its start.
TIMES = 10
#: Studies on studies on studies.
_DEEP = 5
#: Days in which the period before lies whole, by the values of parameters that name one.
_PERIODS = {"day": 7, "week": 21, "month": 70, "auto": 70}
_MOST_DAYS = 400


class RegistryStudies:
    """:class:`Studies` of the program; ``around`` is what they may know beside the bars.

    Studies of the user's own files answer later, from their process, and those of the option
    chain live of what the window records: alerts look at neither.
    """

    def __init__(self, around: Callable[[Key, Span], Surroundings]) -> None:
        self._around = around
        self._library = Library()

    async def prepare(self) -> None:
        """Import the families beside the loop; they are many modules."""
        await asyncio.to_thread(self._library.specs)

    def specs(self) -> list[StudySpec]:
        """All that have lines, but those of the option chain."""
        known = self._library.specs()
        return [spec for spec in known if spec.outputs and "chain" not in spec.needs]

    def title(self, source: OfStudy) -> str:
        """``RSI 14``, ``MACD 12 26 9 Signal``, ``SMA 9 of RSI 14``."""
        try:
            spec = self._library.spec(source.study)
            values = self._library.check(source.study, source.params)
        except AppError:
            return source.study
        kinds = (ParamKind.INT, ParamKind.FLOAT)
        parts = [spec.short, *(f"{values[p.name]:g}" for p in spec.params if p.kind in kinds)]
        if len(spec.outputs) > 1:
            parts += [row.label for row in spec.outputs if row.name == source.output]
        if values.get(INTERVAL.name):
            parts.append(str(values[INTERVAL.name]))
        under = [f"of {self.title(one)}" for one in source.inputs.values()]
        return " ".join([*parts, *under])

    def output(self, source: OfStudy) -> int:
        """Which of the study's arrays it is."""
        self._check(source, 1)
        outputs = self._library.spec(source.study).outputs
        return [row.name for row in outputs].index(source.output)

    def _check(self, source: OfStudy, deep: int) -> None:
        if is_own(source.study):
            raise DataError(
                "An alert cannot wait for a study of your own files: it runs apart and may answer "
                "late or not at all. Choose a study of the list, or have a price alert."
            )
        spec = self._library.spec(source.study)
        if "chain" in spec.needs:
            raise DataError(
                f"{spec.title}: it needs the option chain, which is recorded only while a chart "
                "shows it; alerts are watched without one, too. Choose a study of prices or volume."
            )
        self._library.check(source.study, source.params)
        names = [row.name for row in spec.outputs]
        if source.output not in names:
            more = did_you_mean(source.output, names)
            raise DataError(f"{spec.title}: there is no line {source.output!r}.{more}")
        known = {row.name for row in spec.params if row.kind is ParamKind.SOURCE}
        if deep > _DEEP or set(source.inputs) - known:
            raise DataError(f"{spec.title}: it cannot stand on that study.")
        for one in source.inputs.values():
            self._check(one, deep + 1)

    def name(self, source: OfStudy) -> Hashable:
        """Study, all its parameters, and what it stands on."""
        values = self._library.check(source.study, source.params)
        under = sorted((name, self.name(one), one.output) for name, one in source.inputs.items())
        return (source.study, tuple(sorted(values.items())), tuple(under))

    def need(self, source: OfStudy) -> Need:
        """Bars by its longest length, days of its period, and back to its anchor."""
        spec = self._library.spec(source.study)
        values = self._library.check(source.study, source.params)
        lengths = [int(values[p.name]) for p in spec.params if p.kind is ParamKind.INT]
        anchors = [int(values[p.name]) for p in spec.params if p.kind is ParamKind.TIME
                   and values[p.name] != ""]  # fmt: skip
        days = max((_PERIODS.get(str(value), 0) for value in values.values()), default=0)
        longest, higher = max(lengths, default=0), str(values.get(INTERVAL.name, ""))
        if registry.is_placed(source.study):  # its lengths may be days
            days = max(days, min(_MOST_DAYS, 2 * longest))
        if higher:
            days = max(days, ceil(depth.seconds(Span.parse(higher), TIMES * longest) / 86_400))
        needs = [Need(TIMES * longest, min(anchors, default=0), days)]
        needs += [self.need(one) for one in source.inputs.values()]
        since = min((need.since for need in needs if need.since), default=0)
        return Need(sum(need.bars for need in needs), since, max(need.days for need in needs))

    def make(self, source: OfStudy, key: Key, span: Span) -> Study:
        """A running study, not loaded yet."""
        under = {name: self.make(one, key, span) for name, one in source.inputs.items()}
        given = {
            name: partial(_array, study, self.output(source.inputs[name]))
            for name, study in under.items()
        }
        around = self._around(key, span)
        made = self._library.make(source.study, source.params, given, around)
        return _Chain(tuple(under.values()), made) if under else made


def _array(study: Study, output: int, bars: Columns) -> Floats:
    return study.values[output][: bars.size]


class _Chain:
    """A study after those that it stands on."""

    def __init__(self, under: tuple[Study, ...], top: Study) -> None:
        self._every = (*under, top)
        self._top = top

    @property
    def values(self) -> Sequence[Floats]:
        return self._top.values

    @property
    def profiles(self) -> Sequence[Profile]:
        return self._top.profiles

    def load(self, bars: Columns) -> None:
        for study in self._every:
            study.load(bars)

    def last(self, bars: Columns) -> None:
        for study in self._every:
            study.last(bars)

    def append(self, bars: Columns) -> None:
        for study in self._every:
            study.append(bars)
