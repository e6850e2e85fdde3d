"""What a broker or a family adds to the runner, found by folder: ``tests/wire/<name>/rules.py``
with ``RULES`` and ``tests/wire/<name>/steps.py`` with ``STEPS``. Nothing else lists them."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.wire.vectors import Names, Rule

if TYPE_CHECKING:
    from tests.wire.feed import Feed
    from tests.wire.harness import Wire

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Steps:
    """What only a broker's own words can say about its recordings.

    ``session``: values of the logged-in session as the adapter names them, of the recording's
    ``session``; they go over the general ones (see ``harness.session_values``). ``login``: the
    input of a recorded login, renamed to the adapter's fields. ``step``: the operations
    ``login_step`` and ``session_info``. ``frames``: what the adapter sends for a case of the
    section ``subscribe`` whose action has no general form (ack, channel, resolve, reply) or
    that names no symbols; None = the general way. ``packets``: the packets of a feed that a
    recorded quote was read from, where ``stream_in`` holds objects of the recorder's own.
    """

    session: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None
    login: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    step: Callable[[Wire, str, Mapping[str, Any]], Awaitable[Any]] | None = None
    frames: Callable[[Feed, Mapping[str, Any]], Sequence[Any] | None] | None = None
    packets: Callable[[Feed, Mapping[str, Any]], Sequence[Mapping[str, Any]]] | None = None


def _modules(name: str) -> list[tuple[str, Any]]:
    """Folder names with their modules of that name."""
    return [
        (path.parent.name, importlib.import_module(f"tests.wire.{path.parent.name}.{name}"))
        for path in sorted(_HERE.glob(f"*/{name}.py"))
    ]


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """The rules of all folders."""
    found: list[Rule] = []
    for folder, module in _modules("rules"):
        found += [
            rule if rule.brokers else dataclasses.replace(rule, brokers=folder)
            for rule in module.RULES
        ]
    return tuple(found)


@functools.cache
def steps_of(names: Names) -> Steps:
    """The steps of a broker; what it leaves open comes from its family."""
    known: dict[str, Steps] = {folder: module.STEPS for folder, module in _modules("steps")}
    values: dict[str, Any] = {}
    for name in reversed(names):
        if name in known:
            own = known[name]
            values |= {
                item.name: value
                for item in dataclasses.fields(Steps)
                if (value := getattr(own, item.name)) is not None
            }
    return Steps(**values)
