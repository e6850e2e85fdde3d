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

from tests.api.golden_times import Window

#: Fields that name something made by the run: compared by a one-to-one mapping.
ID_FIELDS = frozenset({"orderid", "trigger_id", "pending_order_id", "tradeid"})
ID_LISTS = frozenset({"canceled_orders"})


def _same_type(expected: Any, actual: Any) -> bool:
    return type(expected) is type(actual)


def _close(margin: float) -> Callable[[Any, Any], bool]:
    """Numbers that move with the clock, which the runner sets to the recorded second: within
    ``margin``, what one second and the last recorded digit make."""

    def within(expected: Any, actual: Any) -> bool:
        return type(expected) is type(actual) and abs(expected - actual) <= margin * 1.001

    return within


#: Amounts in texts that depend on what was recorded before, in other transcripts.
MADE_TEXTS = re.compile(r"(?<=Available: ₹)-?[\d.]+|(?<=Shortage: ₹)-?[\d.]+")


_AMOUNTS = re.compile(r"Required: ₹([\d.]+), Available: ₹(-?[\d.]+), Shortage: ₹(-?[\d.]+)")


def _adds_up(text: str) -> bool:
    """What is short is what is required less what is there."""
    match = _AMOUNTS.search(text)
    if match is None:
        return True
    required, available, shortage = map(float, match.groups())
    return abs(required - available - shortage) < 0.011


#: Times that the run itself makes, by the name of their field.
TIME_FIELDS = frozenset(
    {
        *("timestamp", "ltt", "last_reset", "created_at", "updated_at", "expires_at"),
        *("server_ts", "server_timestamp"),
    }
)
#: Other fields that the run itself makes.
MADE_FIELDS: dict[str, Callable[[Any, Any], bool]] = {
    # The runner resets the sandbox before each transcript.
    "reset_count": lambda expected, actual: type(actual) is int and actual >= expected,
    # Requests of analyze mode are not counted here.
    "total_logs": lambda expected, actual: type(actual) is int and actual == 0,
    "days_to_expiry": _close(1e-4),
    "implied_volatility": _close(1e-2),
    "delta": _close(1e-4),
    "gamma": _close(1e-6),
    "theta": _close(1e-4),
    "vega": _close(1e-4),
    "rho": _close(1e-6),
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
    exact: Sequence[str] = ()  # times that are not made by the run

    @staticmethod
    def has(patterns: Sequence[str], path: str) -> bool:
        bare = re.sub(r"\[\d+\]", "[*]", path)
        return any(fnmatchcase(bare.replace("[", "("), p.replace("[", "(")) for p in patterns)

    def margin(self, path: str) -> float | None:
        """How far a number may be off; None: not at all."""
        return next((margin for pattern, margin in self.near if self.has((pattern,), path)), None)


class Comparison:
    """Collects the differences between two JSON values as ``path: what``."""

    def __init__(
        self, ids: Ids, freedom: Freedom | None = None, window: Window | None = None
    ) -> None:
        self._ids = ids
        self._freedom = freedom or Freedom()
        self._window = window or Window()
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
        elif (made := self._made(name, path)) is not None and expected is not None:
            if not made(expected, actual):
                self._differ(path, expected, actual)
        elif not self._same(expected, actual):
            self._differ(path, expected, actual)

    def _made(self, name: str, path: str) -> Callable[[Any, Any], bool] | None:
        """How a value that the run makes is judged; None for all others."""
        if name in TIME_FIELDS:
            return None if Freedom.has(self._freedom.exact, path) else self._window.time
        return MADE_FIELDS.get(name)

    def _same(self, expected: Any, actual: Any) -> bool:
        if type(expected) is not type(actual):
            return False
        if isinstance(expected, float):
            # Recorded numbers carry the noise of binary floats; a paisa is 0.01.
            return math.isclose(expected, actual, rel_tol=1e-9, abs_tol=1e-6)
        if isinstance(expected, str):
            wanted = MADE_TEXTS.sub("", self._ids.translated(expected))
            return wanted == MADE_TEXTS.sub("", actual) and _adds_up(actual)
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
