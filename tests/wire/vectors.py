"""Recorded wire vectors (schema 1): files, deviations, and the rules of our own.

The format is that of the recordings: ``expect`` is what a reference returned, a ``deviation``
says where that is wrong. ``http`` holds the requests, ``http_response`` the replies to serve.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterable, Iterator
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


Names = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A deviation that we found: where recordings are wrong, and on whose word.

    It speaks of operations (or of the sections ``symbol_master``, ``stream``, ``order_stream``,
    ``subscribe``) and a field, never of one case: ``condition`` does not see which one it is.
    ``brokers`` are ids or families; left empty, the rule holds for the name of its folder.
    A ``*`` in the field means every index or key that is there. ``should_be`` makes the right
    value of a case (``"$absent"``: none), ``change`` makes it of the recorded value; without
    both the field is not compared. ``unrecorded``: none of the project's own recordings shows it, a
    test does.
    """

    ops: str | Names
    field: str
    condition: Callable[[dict[str, Any]], bool]
    source: str
    brokers: str | Names = ()
    should_be: Callable[[dict[str, Any]], Any] | None = None
    change: Callable[[Any], Any] | None = None
    unrecorded: bool = False

    def applies(self, names: Names, kinds: Names, case: dict[str, Any]) -> bool:
        """Whether it speaks of this case."""
        if not (set(as_names(self.brokers)) & set(names) and set(as_names(self.ops)) & set(kinds)):
            return False
        return self.condition({k: v for k, v in case.items() if k not in _WHICH})


#: What tells one case from the others of its kind.
_WHICH = frozenset({"id", "origin"})


def as_names(value: str | Names) -> Names:
    """One name or several."""
    return (value,) if isinstance(value, str) else value


def prepare(
    names: str | Names, case: dict[str, Any], rules: Iterable[Rule] = (), section: str = ""
) -> Prepared:
    """``case`` as new code must behave. ``names``: the broker's id and its family."""
    result = Prepared(copy.deepcopy(case))
    for entry in case.get("deviation") or ():
        path = pointer(entry["field"])
        if entry["checkable"]:
            put(result.case, path, entry["should_be"])
        else:
            result.unchecked.append(path)
    kinds = tuple(name for name in (section, case.get("op")) if name)
    for rule in rules:
        if rule.applies(as_names(names), kinds, result.case):
            _apply(rule, result)
    return result


def _apply(rule: Rule, result: Prepared) -> None:
    if rule.should_be is None and rule.change is None:
        result.unchecked.append(pointer(rule.field))
        return
    for path in list(places(result.case, pointer(rule.field))):
        if rule.should_be is not None:
            put(result.case, path, rule.should_be(result.case))
        elif rule.change is not None:
            put(result.case, path, rule.change(at(result.case, path)))


def pointer(text: str) -> Path_:
    """The parts of a JSON pointer."""
    return tuple(
        part.replace("~1", "/").replace("~0", "~") for part in text.removeprefix("/").split("/")
    )


def places(target: Any, path: Path_) -> Iterator[Path_]:
    """The paths that a path with ``*`` stands for."""
    if "*" not in path:
        yield path
        return
    star = path.index("*")
    head, tail = path[:star], path[star + 1 :]
    inside = at(target, head)
    keys = range(len(inside)) if isinstance(inside, list) else list(inside or ())
    for key in keys:
        yield from places(target, (*head, str(key), *tail))


def at(target: Any, path: Path_) -> Any:
    """The value at ``path``; None where there is none."""
    for part in path:
        if isinstance(target, list):
            target = target[int(part)] if int(part) < len(target) else None
        else:
            target = target.get(part) if isinstance(target, dict) else None
    return target


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
