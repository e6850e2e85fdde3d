"""The small languages of a spec's tables: templates, values and paths (see ``kit.spec``)."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from urllib.parse import quote

import msgspec

from openalgo_desktop.core.errors import ConfigError, InvalidOrder, ProtocolError
from openalgo_desktop.core.totp import totp

Context = Mapping[str, Any]

#: A name in a template, and a value word.
NAME = re.compile(r"\{(\w+)\}")
VALUE = re.compile(r"\$(?P<name>\w+)(?P<words>(?::\w+)*)(?P<optional>\?)?")
_MISSING = object()
#: Decimals beyond these are float noise of a price.
_NOISE = Decimal("0.000001")


def fill(template: str, context: Context, *, quoted: bool = False) -> str:
    """``template`` with each ``{name}`` replaced; ``quoted`` for the parts of a path or query."""

    def value(match: re.Match[str]) -> str:
        try:
            text = number_text(context[match[1]])
        except KeyError:
            raise ConfigError(f"{match[1]!r} is not known here; log in again.") from None
        return quote(text, safe="") if quoted else text

    return NAME.sub(value, template)


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
    if not isinstance(spec, str) or not (match := VALUE.fullmatch(spec)):
        return spec
    value = context.get(match["name"], _MISSING)
    if value is _MISSING or (match["optional"] and not value):
        if match["optional"]:
            return _MISSING
        raise ConfigError(f"{match['name']!r} is not known here; log in again.")
    for word in match["words"].split(":")[1:]:
        if word not in WORDS:
            raise ConfigError(f"{spec!r}: {word!r} is no value word; they are {', '.join(WORDS)}.")
        value = WORDS[word](value, context)
    return value


def paise(rupees: Any) -> int:
    """Rupees as whole paise, exactly. What is no whole number of them raises
    :class:`InvalidOrder`, it is not rounded."""
    try:
        exact = Decimal(str(rupees)).quantize(_NOISE) * 100
    except InvalidOperation:
        exact = Decimal("0.5")
    if exact != exact.to_integral_value():
        raise InvalidOrder(f"{shown(rupees)} rupees are no whole paise.", field="price")
    return int(exact)


def _lots(units: Any, context: Context) -> int:
    """Units as lots of the instrument of the context (``lot``)."""
    if "lot" not in context:
        raise ConfigError("Lots of what? No instrument is known here.")
    lot: int = context["lot"]
    lots, rest = divmod(int(units), lot)
    if rest:
        raise InvalidOrder(
            f"Quantity must be in multiples of lot size {lot} for "
            f"{context.get('symbol', 'it')}, got {units}",
            field="quantity",
        )
    return lots


#: What may follow the name of a value, each applied to what the one before gave.
WORDS: Mapping[str, Callable[[Any, Context], Any]] = {
    "text": lambda value, context: number_text(value),
    "int": lambda value, context: int(value),
    "float": lambda value, context: float(value),
    "paise": lambda value, context: paise(value),
    "lots": _lots,
    "json": lambda value, context: msgspec.json.encode(value).decode(),
}


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
#: Units that a row path may end with: the broker counts paise, or lots of the instrument.
UNITS = ("", "paise", "lots")
#: Most letters of a value that messages repeat.
_SHOWN = 40


def absent(value: Any) -> bool:
    """Whether a reply leaves this value open."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _ABSENT)


def told_amount(value: Any) -> float | None:
    """An amount, or None where the reply leaves it open. Raises :class:`OddValue`."""
    return None if absent(value) else number(value)


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


@cache
def unit_of(path: str) -> tuple[str, str]:
    """A row path without its unit, and the unit: ``avg:paise``, ``qty:lots``."""
    plain, _, unit = path.partition(":")
    if unit not in UNITS:
        raise ConfigError(f"{path!r}: {unit!r} is no unit; they are {', '.join(UNITS[1:])}.")
    return plain, unit


def amount(source: Any, path: str) -> float:
    """The price or amount at a row path in rupees; 0 when it is absent. Raises
    :class:`OddValue`."""
    plain, unit = unit_of(path)
    value = number(pick(source, plain))
    return value / 100 if unit == "paise" else value


def as_rows(data: Any) -> Sequence[Any]:
    """The rows of a book: an empty one may be null, missing or an empty table. Raises
    :class:`ProtocolError` for what is no list, which must not pass for an empty book."""
    if not data:
        return ()
    if not isinstance(data, list):
        raise ProtocolError(f"A list of rows was expected, not {shown(data)}.")
    return data


def shown(value: Any) -> str:
    """A value for a message: short and on one line."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


#: What a computed value of a login may begin with: functions of a text and the time.
FUNCTIONS: Mapping[str, Callable[[str, float], str]] = {
    "sha256": lambda text, now: hashlib.sha256(text.encode()).hexdigest(),
    "base64": lambda text, now: base64.b64encode(text.encode()).decode(),
    "totp": totp,
}


def compute(template: str, context: Context, now: float) -> str:
    """A value of a login: ``sha256:...``, ``base64:...``, ``totp:{totp_secret}`` or plain text."""
    function, colon, rest = template.partition(":")
    if not colon or function not in FUNCTIONS:
        return fill(template, context)
    return FUNCTIONS[function](fill(rest, context), now)
