"""Parameters that a program lets its user set: checked here, handed over as variables of its
process (``PARAM_NAME``). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import isfinite

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.strategies.hosted import Parameter

PREFIX = "PARAM_"
KINDS = ("int", "float", "bool", "text", "choice")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
MAX_TEXT = 500


def check_declared(rows: Iterable[Parameter]) -> None:
    """Raises :class:`ConfigError` for a declaration that nobody could fill in."""
    seen: set[str] = set()
    for row in rows:
        if not _NAME.fullmatch(row.name):
            raise ConfigError(
                f"parameters: {row.name!r} must begin with a letter and have letters, digits and _ "
                "only (40 at most)."
            )
        if row.name.upper() in seen:
            raise ConfigError(f"parameters: {row.name} is there twice (capitals do not count).")
        seen.add(row.name.upper())
        if row.kind not in KINDS:
            raise ConfigError(f"parameters.{row.name}.type: {row.kind!r} is none of {_all(KINDS)}.")
        if row.kind == "choice" and not row.choices:
            raise ConfigError(f"parameters.{row.name}.choices: a choice needs some.")
        if row.default:
            checked_value(row, row.default)


def checked_value(row: Parameter, text: str) -> str:
    """``text`` as it is kept. Raises :class:`ConfigError` that names the parameter."""
    text = text.strip()
    if len(text) > MAX_TEXT or not text.isprintable():
        raise ConfigError(f"{row.name}: at most {MAX_TEXT} visible characters.")
    if row.kind in ("int", "float"):
        return _number(row, text)
    if row.kind == "bool":
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"{row.name}: {text!r} must be true or false.")
        return text.lower()
    if row.kind == "choice" and text not in row.choices:
        raise ConfigError(f"{row.name}: {text!r} is none of {_all(row.choices)}.")
    return text


def _number(row: Parameter, text: str) -> str:
    try:
        value = int(text) if row.kind == "int" else float(text)
    except ValueError:
        what = "a whole number" if row.kind == "int" else "a number"
        raise ConfigError(f"{row.name}: {text!r} is not {what}.") from None
    if not isfinite(value):
        raise ConfigError(f"{row.name}: {text!r} is not a number.")
    if row.low is not None and value < row.low:
        raise ConfigError(f"{row.name}: {text} is below {row.low:g}.")
    if row.high is not None and value > row.high:
        raise ConfigError(f"{row.name}: {text} is above {row.high:g}.")
    return str(value)


def with_value(
    rows: Iterable[Parameter], values: Mapping[str, str], name: str, text: str
) -> dict[str, str]:
    """``values`` with one set, or unset where ``text`` is empty. Raises :class:`ConfigError`."""
    by_name = {row.name: row for row in rows}
    if name not in by_name:
        near = did_you_mean(name, by_name)
        has = f"; it has {_all(by_name)}" if by_name else "; its strategy.toml declares none"
        raise ConfigError(f"parameter {name!r}: the program has no such one{has}.{near}")
    kept = {key: value for key, value in values.items() if key in by_name and key != name}
    if text.strip():
        kept[name] = checked_value(by_name[name], text)
    return kept


def variables(rows: Iterable[Parameter], values: Mapping[str, str]) -> dict[str, str]:
    """The variables of the process: what was set, else the default; one without either is not
    there."""
    found = {row.name: values.get(row.name, row.default) for row in rows}
    return {PREFIX + name.upper(): text for name, text in found.items() if text}


def _all(names: Iterable[str]) -> str:
    return ", ".join(names)
