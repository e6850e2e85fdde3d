"""All studies that a chart can have: those of the registry and the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

import msgspec

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.analytics.indicators.kit.params import checked
from openalgo_desktop.analytics.indicators.kit.shelf import Givens
from openalgo_desktop.analytics.indicators.running.higher import Higher
from openalgo_desktop.core.charting.resample import makes
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import (
    Draw,
    Param,
    ParamKind,
    Study,
    StudySpec,
    Value,
)
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.errors import DataError

#: The parameter that computes a study on longer bars than the chart's. Studies that ask where they
#: stand (levels, profiles) have none: they know longer stretches by themselves.
INTERVAL: Final = Param(
    "interval",
    "Interval",
    "",
    ParamKind.SPAN,
    help="Empty: that of the chart. Longer bars count once they are closed",
)
#: Prefix of the ids of the user's own studies.
USER: Final = "user:"
#: Told that a study has other values without a new bar; with what went wrong, "" when nothing.
Changed = Callable[[str], None]


class OwnStudies(Protocol):
    """The user's studies, which run elsewhere and answer later."""

    def specs(self) -> Sequence[StudySpec]:
        """Those that are there now."""

    def make(self, study: str, params: Mapping[str, Value], changed: Changed) -> Study:
        """A running one. Raises :class:`DataError` when it is not there."""


class Library:
    """Specs and running studies by their ids."""

    def __init__(self, own: OwnStudies | None = None) -> None:
        self._own = own

    def specs(self) -> list[StudySpec]:
        """All of them, by family and title, the user's last."""
        own = self._own.specs() if self._own is not None else ()
        return [*map(_with_interval, registry.specs()), *own]

    def find(self, words: str) -> list[StudySpec]:
        """What is meant by ``words``, the nearest first."""
        return registry.find(words, self.specs())

    def spec(self, study: str) -> StudySpec:
        """The study of that id. Raises :class:`DataError`."""
        if not is_own(study):
            return _with_interval(registry.spec(study))
        own = self._own.specs() if self._own is not None else ()
        found = next((spec for spec in own if spec.study == study), None)
        if found is None:
            name = study.removeprefix(USER)
            raise DataError(f"Study {name} is not in the folder of your studies.")
        return found

    def check(self, study: str, params: Mapping[str, Value]) -> dict[str, Value]:
        """All parameters, those of ``params`` checked. Raises :class:`DataError`."""
        return checked(self.spec(study), params)

    def make(
        self,
        study: str,
        params: Mapping[str, Value],
        given: Givens,
        around: Surroundings,
        changed: Changed = lambda error: None,
    ) -> Study:
        """A running study; see :func:`registry.make`. Raises :class:`DataError`."""
        if is_own(study):
            if self._own is None:
                raise DataError("Your own studies are not available here.")
            return self._own.make(study, self.check(study, params), changed)
        values = dict(params)
        text = str(values.pop(INTERVAL.name, ""))
        spec = registry.spec(study)
        span = Span.parse(text) if text and not registry.is_placed(study) else around.span
        if span == around.span:
            return registry.make(study, values, given, around)
        if not makes(around.span, span) or around.rhythm is None:
            raise DataError(
                f"{spec.title}: Interval: bars of {span.text} cannot be made of bars of "
                f"{around.span.text}. Give a longer interval that is a multiple of the chart's."
            )
        there = replace(around, span=span)
        once = [output.draw is Draw.MARKS for output in spec.outputs]
        return Higher(
            lambda inner: registry.make(study, values, inner, there),
            once,
            given,
            around.span,
            around.rhythm(span),
        )


def is_own(study: str) -> bool:
    """Whether that is the id of a study of the user."""
    return study.startswith(USER)


def _with_interval(spec: StudySpec) -> StudySpec:
    if registry.is_placed(spec.study):
        return spec
    return msgspec.structs.replace(spec, params=(*spec.params, INTERVAL))
