"""What is true of every study of the registry; a new one is covered by being there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.studies import Draw, ParamKind, Study, StudySpec, Value
from openalgo_desktop.core.errors import DataError
from tests.unit.analytics.indicators import series

SPECS = registry.specs()
FAMILIES = sorted({spec.family for spec in SPECS})
EVERY = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.study)
#: Bars, and from which on they come one by one.
SERIES: dict[str, tuple[Callable[[], Columns], int]] = {
    "random": (lambda: series.bars(292, 5), 215),
    "unknown start": (lambda: series.unknown_start(75), 35),
    "unknown, one by one": (lambda: series.unknown_start(20), 1),
    "constant after all": (lambda: series.joined(series.bars(90), series.constant(40)), 85),
    "other parameters": (lambda: series.bars(230, 6), 214),
    "gap within": (lambda: series.gap_within(150), 135),
    "constant, no volume": (lambda: series.constant(45, volume=0.0), 15),
}


def made(spec: StudySpec, full: bool = False) -> Study:
    """With its defaults, an anchor where it needs one; ``full``: all that can be switched on."""
    params: dict[str, Value] = {}
    for param in spec.params:
        if param.kind == ParamKind.TIME and param.name != "end":
            params[param.name] = int(series.bars(1).time[0])
        elif full and param.kind == ParamKind.BOOL:
            params[param.name] = True
    return registry.make(spec.study, params, around=series.AROUND)


def same(found: np.ndarray, wanted: np.ndarray) -> bool:
    scale = np.nanmax(np.abs(wanted), initial=1e-3, where=~np.isnan(wanted))
    return bool(np.allclose(found, wanted, rtol=1e-9, atol=1e-9 * scale, equal_nan=True))


def wrong(spec: StudySpec, found: Study, wanted: Study) -> list[str]:
    """Outputs that are not the same, with the first bar."""
    result = []
    for output, a, b in zip(spec.outputs, found.values, wanted.values, strict=True):
        if not same(a, b):
            scale = np.nanmax(np.abs(b), initial=1e-3, where=~np.isnan(b))
            near = np.isclose(a, b, rtol=1e-9, atol=1e-9 * scale, equal_nan=True)
            at = int(np.argmin(near))
            result.append(f"{output.name}[{at}]: {a[at]!r}, not {b[at]!r} ({(~near).sum()})")
    return result


def forming(b: Columns, size: int, wild: float) -> Columns:
    """The first ``size`` bars, the last one still forming: other values than it ends with."""
    cut = Columns(*(x[:size].copy() for x in b))
    o = cut.open[-1]
    cut.close[-1], cut.high[-1] = o + wild, max(o, o + wild, cut.high[-1] - 0.1)
    cut.low[-1] = min(o, o + wild)
    cut.volume[-1] *= 0.5
    return cut


@cache
def walk(kind: str) -> tuple[Columns, int, list[tuple[Columns, ...]]]:
    """All bars, the first that comes alone, and each from there on: as it begins, as it changes,
    as it ends."""
    give, first = SERIES[kind]
    b = give()
    rows = [
        (*(forming(b, size, wild) for wild in (0.0, 3.0, -2.0)), b.cut(0, size))
        for size in range(first + 1, b.size + 1)
    ]
    return b, first, rows


@EVERY
def test_bar_by_bar_equals_all_at_once(spec: StudySpec) -> None:
    for kind in SERIES:
        if kind != "other parameters":
            _bar_by_bar(spec, kind)


def _bar_by_bar(spec: StudySpec, kind: str) -> None:
    b, first, rows = walk(kind)
    live, whole = made(spec), made(spec)
    live.load(forming(b, first, 0.4))
    live.last(b.cut(0, first))
    for begins, *changes in rows:
        live.append(begins)
        for change in changes[-2 if begins.size % 8 else 0 :]:
            live.last(change)
    whole.load(b)
    assert not wrong(spec, live, whole), kind
    assert [len(x) for x in live.values] == [b.size] * len(spec.outputs)


def no_study_looks_ahead(spec: StudySpec) -> None:
    if spec.repaints:
        return
    b = series.bars(260, 9)
    whole = made(spec)
    whole.load(b)
    for size in (1, 2, 30, 131):
        part = made(spec)
        part.load(b.cut(0, size))
        for output, a, w in zip(spec.outputs, part.values, whole.values, strict=True):
            assert same(a, w[:size]), (output.name, size)


def nothing_and_one_bar(spec: StudySpec) -> None:
    study, one = made(spec), series.bars(1)
    study.load(one.cut(0, 0))
    assert [len(x) for x in study.values] == [0] * len(spec.outputs)
    study.append(one)
    study.last(one)
    assert [len(x) for x in study.values] == [1] * len(spec.outputs)


def every_output_has_values(spec: StudySpec) -> None:
    if set(spec.needs) & {"chain"}:
        return
    study = made(spec, full=True)
    study.load(series.bars(1600, 11))
    empty = [o.name for o, x in zip(spec.outputs, study.values, strict=True) if np.isnan(x).all()]
    assert not empty
    assert not any(np.isinf(x).any() for x in study.values)


def a_spec_is_complete(spec: StudySpec) -> None:
    names = [output.name for output in spec.outputs]
    # That of what is in view is only drawn sideways.
    assert len(set(names)) == len(names) and (names or "view" in spec.needs)
    assert spec.title and spec.short and spec.source
    params = {param.name for param in spec.params}
    assert len(params) == len(spec.params)
    for output in spec.outputs:
        assert output.shift.removeprefix("-") in {*params, ""}
        assert (output.draw == Draw.BAND) == bool(output.fill_to)
        assert not output.fill_to or output.fill_to in names
        assert output.period in {*params, "", "period"}
        output.offset_in(spec.defaults())
    assert registry.check(spec.study, spec.defaults()) == spec.defaults()


def the_bounds_of_every_parameter_can_be_used(spec: StudySpec) -> None:
    """The smallest of every number, then the largest that fits, and each choice."""
    b = series.bars(40, 4)
    tried: list[dict[str, float | str]] = [{}]
    for param in spec.params:
        if param.kind in (ParamKind.INT, ParamKind.FLOAT):
            assert param.low is not None and param.high is not None, param.name
            tried += [{param.name: param.low}, {param.name: max(param.low, min(param.high, 3.0))}]
        elif param.kind == ParamKind.CHOICE:
            tried += [{param.name: word} for word in param.choices[:8]]
    lows = {p.name: p.low for p in spec.params if p.kind == ParamKind.INT and p.low is not None}
    for params in [*tried, lows]:
        study = registry.make(spec.study, params, around=series.AROUND)
        study.load(b.cut(0, 39))
        study.append(b)
        assert [len(x) for x in study.values] == [40] * len(spec.outputs)


def other_parameters_are_followed_too(spec: StudySpec) -> None:
    """Short lengths with the last choices, and lengths that are longer than by default."""
    b, first, rows = walk("other parameters")
    short = {
        param.name: min(max(3, int(param.low or 0)), int(param.high or 3))
        for param in spec.params
        if param.kind == ParamKind.INT
    }
    long = {
        param.name: min(int(param.default) * 2 + 1, int(param.high or 3))
        for param in spec.params
        if param.kind == ParamKind.INT
    }
    last = {p.name: p.choices[-1] for p in spec.params if p.kind == ParamKind.CHOICE}
    for params in ({**short, **last}, long):
        try:
            live = registry.make(spec.study, params, around=series.AROUND)
            whole = registry.make(spec.study, params, around=series.AROUND)
            live.load(b.cut(0, first))
        except DataError:  # these do not go together, and it says so
            continue
        for begins, *_, ends in rows:
            live.append(begins)
            live.last(ends)
        whole.load(b)
        assert not wrong(spec, live, whole), params


CHECKS = (
    other_parameters_are_followed_too,
    no_study_looks_ahead,
    nothing_and_one_bar,
    every_output_has_values,
    a_spec_is_complete,
    the_bounds_of_every_parameter_can_be_used,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("family", FAMILIES)
def test_of_a_family(family: str, check: Callable[[StudySpec], None]) -> None:
    """Families together: a test of its own for each study costs more than what it does."""
    for spec in SPECS:
        if spec.family == family:
            try:
                check(spec)
            except Exception as error:
                error.add_note(f"study {spec.study}")
                raise
