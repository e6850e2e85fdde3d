"""Parameters that many studies share, and whether given ones can be used."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Param, ParamKind, StudySpec, Value
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.near import did_you_mean

#: Columns, and means of columns, that a study can be calculated from.
SOURCES = ("open", "high", "low", "close", "hl2", "hlc3", "ohlc4", "hlcc4", "volume", "oi")
_OUTPUT = re.compile(r"^[\w-]+\.[\w-]+$")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")
#: No study looks back further, bars.
LONGEST = 2000


def length(
    default: int, name: str = "length", label: str = "Length", low: int = 1, high: int = LONGEST
) -> Param:
    """A number of bars."""
    return Param(name, label, default, ParamKind.INT, low, high)


def number(
    name: str, label: str, default: float, low: float = 0.0, high: float = 1000.0, help: str = ""
) -> Param:
    """Any number between bounds."""
    return Param(name, label, default, ParamKind.FLOAT, low, high, help=help)


def source(default: str = "close", name: str = "source", label: str = "Source") -> Param:
    """What it is calculated from."""
    return Param(name, label, default, ParamKind.SOURCE, choices=SOURCES)


def choice(name: str, label: str, default: str, choices: Iterable[str]) -> Param:
    """One of several words."""
    return Param(name, label, default, ParamKind.CHOICE, choices=tuple(choices))


def flag(name: str, label: str, default: bool) -> Param:
    """Yes or no."""
    return Param(name, label, default, ParamKind.BOOL)


def checked(spec: StudySpec, given: Mapping[str, Value]) -> dict[str, Value]:
    """All parameters, those of ``given`` checked and the rest as they are by default. Raises
    :class:`DataError` with a sentence that names the parameter."""
    known = {param.name: param for param in spec.params}
    result = spec.defaults()
    for name, value in given.items():
        if name not in known:
            raise DataError(f"{spec.title}: no parameter {name!r}.{did_you_mean(name, known)}")
        result[name] = _value(spec, known[name], value)
    return result


def _value(spec: StudySpec, param: Param, value: Any) -> Value:
    try:
        return _READ[param.kind](param, value)
    except ValueError as error:
        raise DataError(f"{spec.title}: {param.label}: {error}") from None


def _whole(param: Param, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError(f"give a whole number, not {value!r}.")
    return int(_bounded(param, value))


def _real(param: Param, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"give a number, not {value!r}.")
    return float(_bounded(param, value))


def _bounded(param: Param, value: float) -> float:
    low = -math.inf if param.low is None else param.low
    high = math.inf if param.high is None else param.high
    if not low <= value <= high:
        raise ValueError(f"give {low:g} to {high:g}, not {value:g}.")
    return value


def _bool(param: Param, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"give yes or no, not {value!r}.")
    return value


def _word(param: Param, value: Any) -> str:
    if value not in param.choices:
        raise ValueError(f"give one of {', '.join(param.choices)}, not {value!r}.")
    return str(value)


def _source(param: Param, value: Any) -> str:
    if value in SOURCES or (isinstance(value, str) and _OUTPUT.match(value)):
        return str(value)
    raise ValueError(f"give one of {', '.join(SOURCES)} or an output of a study, not {value!r}.")


def _span(param: Param, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"give an interval, not {value!r}.")
    try:
        return Span.parse(value).text if value else ""
    except DataError as error:
        raise ValueError(error.message) from None


def _time(param: Param, value: Any) -> Value:
    return "" if value == "" else _whole(param, value)


def _clock(param: Param, value: Any) -> str:
    if not isinstance(value, str) or not _CLOCK.match(value):
        raise ValueError(f"give a time as 09:15, not {value!r}.")
    return value


_READ: dict[ParamKind, Callable[[Param, Any], Value]] = {
    ParamKind.INT: _whole,
    ParamKind.FLOAT: _real,
    ParamKind.BOOL: _bool,
    ParamKind.CHOICE: _word,
    ParamKind.SOURCE: _source,
    ParamKind.SPAN: _span,
    ParamKind.TIME: _time,
    ParamKind.CLOCK: _clock,
}
