"""Comparison of an answer with the recorded one: keys, types, texts and numbers.

Strict by default. What can never repeat (order ids, times) is known by the name of its field:
an id must map to one id, a time must keep its format. What differs on purpose is a rule in
``golden_rules``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

#: Fields that name something made by the run: compared by a one-to-one mapping.
ID_FIELDS = frozenset({"orderid", "trigger_id", "pending_order_id"})
ID_LISTS = frozenset({"canceled_orders"})
_TEXT_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?")


def _time_text(expected: Any, actual: Any) -> bool:
    """Both say a date and time in the same layout (a fraction of seconds may be absent)."""
    if not isinstance(expected, str) or not isinstance(actual, str):
        return False
    layout = re.sub(r"\.\d+$", "", re.sub(r"\d", "9", actual))
    return layout == re.sub(r"\.\d+$", "", re.sub(r"\d", "9", expected))


def _epoch(expected: Any, actual: Any) -> bool:
    """Both are whole numbers of the same magnitude (seconds or milliseconds)."""
    return (
        type(expected) is type(actual) is int
        and actual > 0
        and (abs(math.log10(expected) - math.log10(actual)) < 0.1 if expected > 0 else True)
    )


def _time(expected: Any, actual: Any) -> bool:
    return _time_text(expected, actual) if isinstance(expected, str) else _epoch(expected, actual)


def _same_type(expected: Any, actual: Any) -> bool:
    return type(expected) is type(actual)


def _rounded_time_value(expected: Any, actual: Any) -> bool:
    """Numbers that move with the clock; the runner sets it to the recorded second."""
    return type(expected) is type(actual) and math.isclose(
        expected, actual, rel_tol=2e-3, abs_tol=2e-4
    )


#: Amounts in texts that depend on what was recorded before, in other transcripts.
MADE_TEXTS = re.compile(r"(?<=Available: ₹)-?[\d.]+|(?<=Shortage: ₹)-?[\d.]+")


#: Fields that the run itself makes, by name.
MADE_FIELDS: dict[str, Callable[[Any, Any], bool]] = {
    "timestamp": _time,
    "ltt": _time,
    "last_reset": _time,
    "created_at": _time,
    "updated_at": _time,
    "expires_at": _time,
    "server_ts": _epoch,
    "server_timestamp": _epoch,
    "reset_count": _same_type,  # the runner resets the sandbox before each transcript
    "tradeid": _same_type,
    "total_logs": _same_type,
    "days_to_expiry": _rounded_time_value,
    "implied_volatility": _rounded_time_value,
    "delta": _rounded_time_value,
    "gamma": _rounded_time_value,
    "theta": _rounded_time_value,
    "vega": _rounded_time_value,
    "rho": _rounded_time_value,
}


@dataclass
class Ids:
    """Recorded ids and ours, one to one, over a whole transcript."""

    ours: dict[str, str] = field(default_factory=dict)

    def match(self, expected: Any, actual: Any) -> bool:
        """Whether ``actual`` is our id for the recorded ``expected``; learns a new pair."""
        if not isinstance(expected, str) or not isinstance(actual, str) or not actual:
            return False
        if expected in self.ours:
            return self.ours[expected] == actual
        if actual in self.ours.values():
            return False
        self.ours[expected] = actual
        return True

    def translated(self, text: str) -> str:
        """A recorded text with our ids in place of the recorded ones."""
        for expected, actual in self.ours.items():
            text = text.replace(expected, actual)
        return text


@dataclass
class Freedom:
    """What rules allow in one answer. Paths like ``data.orders[*].price``; ``*`` is any text."""

    free: Sequence[str] = ()  # any value of the same type
    extra: Sequence[str] = ()  # keys that only we have
    missing: Sequence[str] = ()  # keys that only the recording has
    any_length: Sequence[str] = ()  # lists of rows like the recorded ones, however many
    near: Sequence[tuple[str, float]] = ()  # numbers that may differ by that much
    by_id: Sequence[str] = ()  # lists whose rows are found by their id, in any order
    unordered: Sequence[str] = ()  # lists whose rows have no order

    @staticmethod
    def has(patterns: Sequence[str], path: str) -> bool:
        bare = re.sub(r"\[\d+\]", "[*]", path)
        return any(fnmatchcase(bare.replace("[", "("), p.replace("[", "(")) for p in patterns)

    def margin(self, path: str) -> float | None:
        """How far a number may be off; None: not at all."""
        return next((margin for pattern, margin in self.near if self.has((pattern,), path)), None)


class Comparison:
    """Collects the differences between two JSON values as ``path: what``."""

    def __init__(self, ids: Ids, freedom: Freedom | None = None) -> None:
        self._ids = ids
        self._freedom = freedom or Freedom()
        self.differences: list[str] = []

    def compare(self, expected: Any, actual: Any, path: str = "") -> None:
        """Compare a value and everything below it."""
        name = re.sub(r"\[\d+\]$", "", path.rpartition(".")[2])
        if Freedom.has(self._freedom.free, path):
            if not _same_type(expected, actual):
                self._differ(path, expected, actual)
        elif (margin := self._freedom.margin(path)) is not None:
            if not _same_type(expected, actual) or abs(expected - actual) > margin:
                self._differ(path, expected, actual)
        elif isinstance(expected, dict) and isinstance(actual, dict):
            self._compare_objects(expected, actual, path)
        elif isinstance(expected, list) and isinstance(actual, list):
            self._compare_lists(expected, actual, path)
        elif name in ID_FIELDS or name in ID_LISTS:
            if not self._ids.match(expected, actual) and expected != actual:
                self._differ(path, expected, actual)
        elif name in MADE_FIELDS and expected is not None:
            if not MADE_FIELDS[name](expected, actual):
                self._differ(path, expected, actual)
        elif not self._same(expected, actual):
            self._differ(path, expected, actual)

    def _same(self, expected: Any, actual: Any) -> bool:
        if type(expected) is not type(actual):
            return False
        if isinstance(expected, float):
            # Recorded numbers carry the noise of binary floats; a paisa is 0.01.
            return math.isclose(expected, actual, rel_tol=1e-9, abs_tol=1e-6)
        if isinstance(expected, str):
            wanted = MADE_TEXTS.sub("", self._ids.translated(expected))
            return wanted == MADE_TEXTS.sub("", actual)
        return bool(expected == actual)

    def _compare_objects(self, expected: dict[str, Any], actual: dict[str, Any], path: str) -> None:
        for key, value in expected.items():
            inner = f"{path}.{key}" if path else key
            if key in actual:
                self.compare(value, actual[key], inner)
            elif not Freedom.has(self._freedom.missing, inner):
                self.differences.append(f"{inner}: missing, recorded {_short(value)}")
        for key in actual.keys() - expected.keys():
            inner = f"{path}.{key}" if path else key
            if not Freedom.has(self._freedom.extra, inner):
                self.differences.append(f"{inner}: only ours, {_short(actual[key])}")

    def _compare_lists(self, expected: list[Any], actual: list[Any], path: str) -> None:
        if Freedom.has(self._freedom.any_length, path):
            if bool(expected) != bool(actual):
                self._differ(path, expected, actual)
            if expected:
                for number, item in enumerate(actual):
                    self.compare(expected[0], item, f"{path}[{number}]")
            return
        if len(expected) != len(actual):
            self.differences.append(
                f"{path}: {len(actual)} items, recorded {len(expected)}: "
                f"{_short(actual)}, recorded {_short(expected)}"
            )
            return
        if Freedom.has(self._freedom.by_id, path):
            actual = self._in_order_of(expected, actual)
        if Freedom.has(self._freedom.unordered, path):
            expected, actual = sorted(expected, key=_text), sorted(actual, key=_text)
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            self.compare(one, other, f"{path}[{number}]")

    def _in_order_of(self, expected: list[Any], actual: list[Any]) -> list[Any]:
        """Our rows in the order of the recorded ones; rows without a known id keep their place."""
        name = next((n for n in ID_FIELDS if expected and n in expected[0]), "")
        places = {self._ids.ours.get(row.get(name, "")): at for at, row in enumerate(expected)}
        return sorted(actual, key=lambda row: places.get(row.get(name), len(expected)))

    def _differ(self, path: str, expected: Any, actual: Any) -> None:
        self.differences.append(f"{path}: {_short(actual)}, recorded {_short(expected)}")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}..."
