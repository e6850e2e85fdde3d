"""Recorded wire vectors (schema 1): files, deviations, and the rules of our own.

The format is that of the recordings: ``expect`` is what a reference returned, a ``deviation``
says where that is wrong. ``http`` holds the requests, ``http_response`` the replies to serve.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1] / "data" / "vectors" / "wire"
ABSENT = "$absent"
Path_ = tuple[str, ...]


def vector_files(place: Path | None = None) -> list[Path]:
    """Every vector file of ``place``, else of ``WIRE_VECTORS`` (a folder or one file), else the
    project's own."""
    place = place or Path(os.environ.get("WIRE_VECTORS") or ROOT)
    return [place] if place.is_file() else sorted(place.glob("*.json"))


@dataclass
class VectorFile:
    """One file of recordings."""

    path: Path
    data: dict[str, Any]

    @property
    def broker(self) -> str:
        return str(self.data["broker"])

    def section(self, name: str) -> list[dict[str, Any]]:
        return self.data.get(name) or []

    @property
    def soft(self) -> set[str]:
        return set(self.data.get("soft_fields") or ())

    @property
    def own_tags(self) -> set[str]:
        return {name.lower() for name in self.data.get("own_tag_fields") or ()}


def load_files(place: Path | None = None) -> Iterator[VectorFile]:
    """The readable files; one that is not a schema 1 recording is left out."""
    for path in vector_files(place):
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict) and data.get("schema") == 1 and "broker" in data:
            yield VectorFile(path, data)


@dataclass
class Prepared:
    """A case with its deviations applied, and the places that must not be compared."""

    case: dict[str, Any]
    unchecked: list[Path_] = field(default_factory=list)

    def skip(self, path: Path_) -> bool:
        """Whether ``path`` is at or below an unchecked place."""
        return any(
            len(path) >= len(rule) and all(r in ("*", p) for r, p in zip(rule, path, strict=False))
            for rule in self.unchecked
        )


@dataclass(frozen=True)
class Rule:
    """A deviation that we found: where the recording of a broker is wrong, and on whose word.

    It speaks of a broker, an operation and a field, never of one case. ``should_be`` makes the
    right value of a case; None leaves the field uncompared.
    """

    broker: str
    op: str
    field: str
    condition: Callable[[dict[str, Any]], bool]
    source: str
    should_be: Callable[[dict[str, Any]], Any] | None = None


def prepare(broker: str, case: dict[str, Any], rules: tuple[Rule, ...] = ()) -> Prepared:
    """``case`` as new code must behave."""
    result = Prepared(copy.deepcopy(case))
    for entry in case.get("deviation") or ():
        path = pointer(entry["field"])
        if entry["checkable"]:
            put(result.case, path, entry["should_be"])
        else:
            result.unchecked.append(path)
    for rule in rules:
        if (rule.broker, rule.op) == (broker, case.get("op")) and rule.condition(result.case):
            if rule.should_be is None:
                result.unchecked.append(pointer(rule.field))
            else:
                put(result.case, pointer(rule.field), rule.should_be(result.case))
    return result


def pointer(text: str) -> Path_:
    """The parts of a JSON pointer."""
    return tuple(
        part.replace("~1", "/").replace("~0", "~") for part in text.removeprefix("/").split("/")
    )


def put(target: Any, path: Path_, value: Any) -> None:
    """Set (or, with ``$absent``, remove) the value at ``path``; missing tables are made."""
    *parents, last = path
    for part in parents:
        if isinstance(target, list):
            target = target[int(part)]
        else:
            if target.get(part) is None:
                target[part] = {}
            target = target[part]
    if isinstance(target, list):
        index = int(last)
        if value == ABSENT:
            del target[index]
        elif index == len(target):
            target.append(copy.deepcopy(value))
        else:
            target[index] = copy.deepcopy(value)
    elif value == ABSENT:
        target.pop(last, None)
    else:
        target[last] = copy.deepcopy(value)
