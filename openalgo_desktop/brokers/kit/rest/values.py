"""The small languages of a spec's tables: templates, values and paths (see ``kit.spec``)."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from openalgo_desktop.core.errors import ConfigError, ProtocolError
from openalgo_desktop.core.totp import totp

Context = Mapping[str, Any]

_NAME = re.compile(r"\{(\w+)\}")
_VALUE = re.compile(r"\$(?P<name>\w+)(?::(?P<type>text|int|float))?(?P<optional>\?)?")
_MISSING = object()


def fill(template: str, context: Context, *, quoted: bool = False) -> str:
    """``template`` with each ``{name}`` replaced; ``quoted`` for the parts of a path or query."""

    def value(match: re.Match[str]) -> str:
        try:
            text = number_text(context[match[1]])
        except KeyError:
            raise ConfigError(f"{match[1]!r} is not known here; log in again.") from None
        return quote(text, safe="") if quoted else text

    return _NAME.sub(value, template)


def number_text(value: Any) -> str:
    """Shortest decimal text of a number (``812.35``, ``0``); anything else as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def render(table: Any, context: Context) -> Any:
    """A query or body: a table of fields, a list, or one value; nested ones are rendered too. An
    optional field without a value is left out."""
    if not isinstance(table, Mapping):
        value = _render(table, context)
        return None if value is _MISSING else value
    result: dict[str, Any] = {}
    for name, spec in table.items():
        value = _render(spec, context)
        if value is not _MISSING:
            result[name] = value
    return result


def _render(spec: Any, context: Context) -> Any:
    if isinstance(spec, Mapping):
        return render(spec, context)
    if isinstance(spec, (list, tuple)):
        return [v for item in spec if (v := _render(item, context)) is not _MISSING]
    if not isinstance(spec, str) or not (match := _VALUE.fullmatch(spec)):
        return spec
    value = context.get(match["name"], _MISSING)
    if value is _MISSING or (match["optional"] and not value):
        if match["optional"]:
            return _MISSING
        raise ConfigError(f"{match['name']!r} is not known here; log in again.")
    match match["type"]:
        case "text":
            return number_text(value)
        case "int":
            return int(value)
        case "float":
            return float(value)
    return value


def pick(source: Any, path: str, default: Any = None) -> Any:
    """The value at a dotted ``path``, of the first alternative (``a|b``) that is there and not
    null. An empty path is the source itself."""
    for alternative in path.split("|"):
        value = source
        for part in alternative.split(".") if alternative else ():
            if isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(value, Sequence) and not isinstance(value, str) and part.isdigit():
                value = value[int(part)] if int(part) < len(value) else None
            else:
                value = None
            if value is None:
                break
        if value is not None:
            return value
    return default


class OddValue(ProtocolError):
    """A value of a reply that cannot be what it has to be. Never taken for 0: unknown is not 0."""


#: Texts by which brokers say that there is no value.
_ABSENT = frozenset({"", "-", "--", "na", "n/a", "null", "none"})
#: No price, amount or quantity is larger; above it floats are not exact.
_LARGEST = 1e15
#: Most letters of a value that messages repeat.
_SHOWN = 40


def absent(value: Any) -> bool:
    """Whether a reply leaves this value open."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _ABSENT)


def number(value: Any) -> float:
    """A price or amount from a reply: number, or numeric text with or without commas; 0 when it
    is absent. Raises :class:`OddValue` for anything else, NaN and infinity too."""
    if type(value) is float or type(value) is int:
        result = float(value) if abs(value) <= _LARGEST else math.nan  # false for NaN as well
    elif absent(value):
        return 0.0
    else:
        try:
            result = float(str(value).replace(",", "").strip())
        except ValueError:
            result = math.nan
    if not abs(result) <= _LARGEST:
        raise OddValue(f"{shown(value)} is no number")
    return result


def count(value: Any) -> int:
    """A quantity from a reply, a whole number; 0 when it is absent. Raises :class:`OddValue`."""
    result = number(value)
    if not result.is_integer():
        raise OddValue(f"{shown(value)} is no whole number")
    return int(result)


def shown(value: Any) -> str:
    """A value for a message: short and on one line."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def compute(template: str, context: Context, now: float) -> str:
    """A value of a login: ``sha256:...``, ``base64:...``, ``totp:{totp_secret}`` or plain text."""
    function, colon, rest = template.partition(":")
    if not colon or function not in ("sha256", "base64", "totp"):
        return fill(template, context)
    text = fill(rest, context)
    if function == "sha256":
        return hashlib.sha256(text.encode()).hexdigest()
    if function == "base64":
        return base64.b64encode(text.encode()).decode()
    return totp(text, now)


def iso_date(day: date) -> str:
    """``YYYY-MM-DD``."""
    return day.isoformat()
