"""Checks what a model sends against the schema of the tool, and says what to write instead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from openalgo_desktop.automation.mcp.envelope import plain
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.tools import ToolRow

#: Errors told at once: a model mends all of them in one go.
_MOST = 8
_KINDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def problems(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    """Sentences that name the argument and the fix; none when all is well."""
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    if not _finite(arguments):
        return ["NaN and Infinity are no numbers here: leave the argument out."]
    found = Draft202012Validator(dict(schema)).iter_errors(dict(arguments))
    told = [text for error in found for text in _sentences(error)]
    return list(dict.fromkeys(told))[:_MOST]


def _finite(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    if isinstance(value, list):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def with_defaults(row: ToolRow, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, and the defaults of those that are not there."""
    defaults = {
        name: part["default"]
        for name, part in row.schema.get("properties", {}).items()
        if "default" in part
    }
    return defaults | dict(arguments)


def fields(row: ToolRow, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments under the names of the API."""
    renamed: dict[str, Any] = _renamed(row.names, arguments)
    if row.rows:
        renamed.pop("limit", None)
    return {name: value for name, value in renamed.items() if value is not None}


def _renamed(names: Mapping[str, str], value: Any) -> Any:
    if isinstance(value, Mapping):
        return {names.get(name, name): _renamed(names, part) for name, part in value.items()}
    if isinstance(value, list):
        return [_renamed(names, part) for part in value]
    return value


def _sentences(error: Any) -> list[str]:
    place = _place(error.absolute_path)
    where = f"{place}: " if place else ""
    rule, wanted, value = error.validator, error.validator_value, error.instance
    if rule == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        return [
            f"{where}{_quoted(name)} is no argument.{did_you_mean(str(name), known)} "
            f"There are: {', '.join(known) or 'none'}."
            for name in value
            if name not in known
        ]
    if rule == "required":
        inside = f"{place}." if place else ""
        return [f"{inside}{name}: missing." for name in wanted if name not in value]
    shown = _quoted(value)
    if rule == "type":
        kinds = [wanted] if isinstance(wanted, str) else list(wanted)
        return [f"{where}{shown} must be {' or '.join(_KINDS[kind] for kind in kinds)}."]
    if rule == "enum":
        words = [str(word) for word in wanted if word is not None]
        return [f"{where}{shown} must be one of: {', '.join(words)}."]
    limits = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
    }
    if rule in limits:
        return [f"{where}{shown} must be {limits[rule]} {wanted}."]
    if rule in ("minItems", "maxItems", "minLength", "maxLength"):
        what = "items" if rule.endswith("Items") else "characters"
        most = "at least" if rule.startswith("min") else "at most"
        return [f"{where}give {most} {wanted} {what}."]
    return [f"{where}{shown} does not fit."]


def _place(path: Any) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _quoted(value: Any) -> str:
    """What the model sent, short."""
    text = repr(value)
    return plain(text if len(text) <= 60 else f"{text[:57]}...")
