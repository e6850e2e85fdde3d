"""What a file of the user says of its study, read without running it.

``TITLE``, ``SHORT``, ``OVER``, ``PARAMS``, ``OUTPUTS`` and ``LEVELS`` are literals at the top
level: so the terminal knows the study (its dialog, its pane) and never executes the file itself.
"""

from __future__ import annotations

import ast
from typing import Any, Final

from openalgo_desktop.analytics.indicators.kit.params import SOURCES
from openalgo_desktop.analytics.indicators.running.library import USER
from openalgo_desktop.core.charting.studies import (
    Draw,
    Level,
    Output,
    Param,
    ParamKind,
    StudySpec,
    Value,
)
from openalgo_desktop.core.errors import DataError

FAMILY: Final = "Yours"
_NAMES: Final = ("TITLE", "SHORT", "OVER", "PARAMS", "OUTPUTS", "LEVELS")
_ROLES: Final = 8
#: How an output of a file may be drawn; a band needs two.
_DRAWS: Final = tuple(draw.value for draw in Draw if draw not in (Draw.BAND, Draw.BARS))
_MANY: Final = 24
#: Numbers beyond this are slips of the hand, and more than a field can show.
_FAR: Final = 1e9


def declared(name: str, text: str) -> StudySpec:
    """The study of the file ``name``. Raises :class:`DataError` that names line or word."""
    try:
        tree = ast.parse(text, filename=name)
    except SyntaxError as error:
        raise DataError(f"{name}, line {error.lineno}: {error.msg}.") from None
    except ValueError as error:
        raise DataError(f"{name}: {error}.") from None
    except (RecursionError, MemoryError):
        raise DataError(f"{name}: it is nested too deeply to be read.") from None
    found = _literals(name, tree)
    if not any(isinstance(node, ast.FunctionDef) and node.name == "compute" for node in tree.body):
        raise DataError(f"{name}: there is no function compute(bars, params).")
    title = str(found.get("TITLE") or name.removesuffix(".py"))
    outputs = found.get("OUTPUTS", {"value": "line"})
    return StudySpec(
        f"{USER}{name.removesuffix('.py')}",
        title,
        str(found.get("SHORT") or title),
        FAMILY,
        _outputs(name, outputs),
        _params(name, found.get("PARAMS", {})),
        over=bool(found.get("OVER", False)),
        levels=_levels(name, found.get("LEVELS", ())),
        source=f"your file {name}",
    )


def _literals(name: str, tree: ast.Module) -> dict[str, Any]:
    found = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if not isinstance(node, ast.Assign) or not isinstance(target, ast.Name):
            continue
        if target.id in _NAMES:
            try:
                found[target.id] = ast.literal_eval(node.value)
            except (ValueError, TypeError, RecursionError, MemoryError):
                raise DataError(
                    f"{name}, line {node.lineno}: write {target.id} out; it cannot be computed."
                ) from None
    return found


def _levels(name: str, given: Any) -> tuple[Level, ...]:
    if not isinstance(given, list | tuple):
        raise DataError(f"{name}: LEVELS: give a list of numbers, [30, 70].")
    return tuple(Level(_number(name, "LEVELS", value)) for value in given)


def _number(name: str, where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _FAR:
        raise DataError(f"{name}: {where}: {value!r} is no number.")
    return float(value)


def _outputs(name: str, given: Any) -> tuple[Output, ...]:
    if not isinstance(given, dict) or not 0 < len(given) <= _MANY:
        raise DataError(f'{name}: OUTPUTS: give names and how to draw them, {{"value": "line"}}.')
    found = []
    for number, (output, draw) in enumerate(given.items()):
        if not isinstance(output, str) or not output.isidentifier():
            raise DataError(f"{name}: OUTPUTS: {output!r} is no name; use letters and digits.")
        if draw not in _DRAWS:
            raise DataError(f"{name}: OUTPUTS: {output}: {draw!r} is none of {', '.join(_DRAWS)}.")
        label = output.replace("_", " ").capitalize()
        coloured = draw in (Draw.HISTOGRAM, Draw.MARKS)
        role = "up" if coloured else f"study-{number % _ROLES + 1}"
        found.append(Output(output, label, Draw(draw), role, falling="down" if coloured else ""))
    return tuple(found)


def _params(name: str, given: Any) -> tuple[Param, ...]:
    if not isinstance(given, dict):
        raise DataError(f'{name}: PARAMS: give names and defaults, {{"length": 20}}.')
    found = []
    for param, value in given.items():
        if not isinstance(param, str) or not param.isidentifier():
            raise DataError(f"{name}: PARAMS: {param!r} is no name; use letters and digits.")
        found.append(_param(name, param, value))
    return tuple(found)


def _param(name: str, param: str, value: Any) -> Param:
    label = param.replace("_", " ").capitalize()
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return Param(param, label, value[0], ParamKind.CHOICE, choices=tuple(value))
    if isinstance(value, str) and value in SOURCES:
        return Param(param, label, value, ParamKind.CHOICE, choices=SOURCES)
    low = high = None
    if isinstance(value, tuple) and len(value) == 3:
        value, low, high = value
        for bound in (low, high):
            _number(name, f"PARAMS: {param}", bound)
    kinds: dict[type, ParamKind] = {
        bool: ParamKind.BOOL,
        int: ParamKind.INT,
        float: ParamKind.FLOAT,
    }
    kind = kinds.get(type(value))
    if kind is None:
        raise DataError(
            f"{name}: PARAMS: {param}: give a number, (number, lowest, highest), True or False, a "
            f"list of words or one of {', '.join(SOURCES)}."
        )
    if kind is not ParamKind.BOOL:
        _number(name, f"PARAMS: {param}", value)
    default: Value = value
    return Param(param, label, default, kind, low, high)
