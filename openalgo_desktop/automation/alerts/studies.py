"""The studies of the registry as alerts run them; a study may stand on another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from functools import partial

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.automation.alerts.ports import Need
from openalgo_desktop.core.alerts import OfStudy
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import ParamKind, Profile, Study
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.errors import AppError, DataError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.near import did_you_mean

#: So many times its longest length, and an average that remembers for ever has forgotten its start.
TIMES = 10
#: Studies on studies on studies.
_DEEP = 5


class RegistryStudies:
    """:class:`Studies` of this installation; ``around`` is what they may know beside the bars."""

    def __init__(self, around: Callable[[Key, Span], Surroundings]) -> None:
        self._around = around

    async def prepare(self) -> None:
        """Import the families beside the loop; they are many modules."""
        await asyncio.to_thread(registry.specs)

    def title(self, source: OfStudy) -> str:
        """``RSI 14``, ``MACD 12 26 9 Signal``, ``SMA 9 of RSI 14``."""
        try:
            spec, values = registry.spec(source.study), registry.check(source.study, source.params)
        except AppError:
            return source.study
        kinds = (ParamKind.INT, ParamKind.FLOAT)
        parts = [spec.short, *(f"{values[p.name]:g}" for p in spec.params if p.kind in kinds)]
        if len(spec.outputs) > 1:
            parts += [row.label for row in spec.outputs if row.name == source.output]
        under = [f"of {self.title(one)}" for one in source.inputs.values()]
        return " ".join([*parts, *under])

    def output(self, source: OfStudy) -> int:
        """Which of the study's arrays it is."""
        self._check(source, 1)
        outputs = registry.spec(source.study).outputs
        return [row.name for row in outputs].index(source.output)

    def _check(self, source: OfStudy, deep: int) -> None:
        spec = registry.spec(source.study)
        registry.check(source.study, source.params)
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
        values = registry.check(source.study, source.params)
        under = sorted((name, self.name(one), one.output) for name, one in source.inputs.items())
        return (source.study, tuple(sorted(values.items())), tuple(under))

    def need(self, source: OfStudy) -> Need:
        """Bars by its longest length, and back to its anchor."""
        spec, values = registry.spec(source.study), registry.check(source.study, source.params)
        of = {
            kind: [values[row.name] for row in spec.params if row.kind is kind]
            for kind in ParamKind
        }
        lengths = [int(value) for value in of[ParamKind.INT]]
        anchors = [int(value) for value in of[ParamKind.TIME] if value != ""]
        bars, since = TIMES * max(lengths, default=0), min(anchors, default=0)
        for one in source.inputs.values():
            under = self.need(one)
            bars += under.bars
            since = min(since or under.since, under.since or since)
        return Need(bars, since)

    def make(self, source: OfStudy, key: Key, span: Span) -> Study:
        """A running study, not loaded yet."""
        under = {name: self.make(one, key, span) for name, one in source.inputs.items()}
        given = {
            name: partial(_array, study, self.output(source.inputs[name]))
            for name, study in under.items()
        }
        made = registry.make(source.study, source.params, given, self._around(key, span))
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
