"""All studies of this installation, found by folder: a module anywhere below ``families`` that has
``STUDIES`` offers those. Importing this module imports none of them.

    spec("rsi")                            what it is
    make("rsi", {"length": 9})             a running study over the close
    make("sma", {}, {"source": give})      over what ``give(bars)`` returns, of the bars' length
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache

from openalgo_desktop.analytics.indicators.kit.params import checked
from openalgo_desktop.analytics.indicators.kit.shelf import Definition, Givens, Shelf
from openalgo_desktop.core.charting.studies import Study, StudySpec, Value
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.near import did_you_mean


@cache
def _all() -> dict[str, Definition]:
    import openalgo_desktop.analytics.indicators.families as home

    found: dict[str, Definition] = {}
    for module in pkgutil.walk_packages(home.__path__, f"{home.__name__}."):
        if module.ispkg:
            continue
        shelf: Shelf = importlib.import_module(module.name).STUDIES
        for definition in shelf.definitions:
            if definition.spec.study in found:
                raise ValueError(f"study {definition.spec.study} is offered twice")
            found[definition.spec.study] = definition
    return found


def specs() -> list[StudySpec]:
    """All studies, by family and title."""
    every = (definition.spec for definition in _all().values())
    return sorted(every, key=lambda spec: (spec.family, spec.title))


def spec(study: str) -> StudySpec:
    """The study of that id; :class:`DataError` when there is none."""
    return _definition(study).spec


def _definition(study: str) -> Definition:
    found = _all().get(study)
    if found is None:
        raise DataError(f"Study: {study!r} is none.{did_you_mean(study, _all())}")
    return found


def check(study: str, params: Mapping[str, Value]) -> dict[str, Value]:
    """All parameters of ``study``, with those of ``params``; :class:`DataError` names a wrong
    one."""
    return checked(spec(study), params)


def is_placed(study: str) -> bool:
    """Whether a study asks where it stands (:class:`Surroundings`): such a one is of the chart's
    own bars only."""
    return _definition(study).placed


def make(
    study: str,
    params: Mapping[str, Value] | None = None,
    given: Givens | None = None,
    around: Surroundings | None = None,
) -> Study:
    """A running study. ``given`` has, by the name of a SOURCE parameter, what gives its array
    where that is no column: it is called with the bars for every ``load``, ``last`` and ``append``
    and its array must be as long as they are (renew a study before those that stand on it).
    ``around`` is where it stands. Raises :class:`DataError` for a wrong parameter, for a source
    nobody gives, and where the study makes no sense on such bars."""
    found, more = _definition(study), given or {}
    values = checked(found.spec, params or {})
    for param in found.spec.params:
        text = values[param.name]
        if param.kind == "source" and param.name not in more and text not in param.choices:
            raise DataError(f"{found.spec.title}: {param.label}: there is no {text!r} here.")
    return found.make(values, more, around or Surroundings())


def find(words: str, among: Iterable[StudySpec] | None = None) -> list[StudySpec]:
    """Studies (``among`` these) that every word of ``words`` is found in, the nearest first: those
    whose short name or title begins so, then by title."""
    asked = words.lower().split()
    every = specs() if among is None else among
    scored = [(_score(each, asked), each.title, each) for each in every]
    return [each for score, _, each in sorted(scored, key=lambda row: row[:2]) if score < 9]


def _score(spec: StudySpec, asked: list[str]) -> int:
    names = [spec.short.lower(), spec.title.lower(), spec.study]
    every = " ".join([*names, spec.family.lower(), *(word.lower() for word in spec.words)])
    if not all(word in every for word in asked):
        return 9
    text = " ".join(asked)
    if text in names:
        return 0
    return 1 if any(name.startswith(text) for name in names) else 2
