"""Kinds of docks. A room of ``ui/rooms`` lists its own in ``KINDS``; the rooms are found by folder.

A kind is known at once and its module imported when the first dock of it is opened: what nobody
opens costs nothing at the start.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.keys import COMMON, DockKey, KeyGroup

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from openalgo_desktop.ui.kit.dock import Dock

ROOMS = "openalgo_desktop.ui.rooms"
_INSTANCE = re.compile(r"(?P<kind>.+?)(?:-(?P<number>[1-9][0-9]{0,3}))?")


class Place(StrEnum):
    """Where a dock goes that no layout knows: beside what is there already."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class DockKind:
    """What there is to know of a dock before it exists. ``factory`` is ``module.Class`` within
    the room; ``many`` allows several at once (``chart``, ``chart-2`` ...); ``former`` are names
    that it had in earlier versions: stored layouts keep it. ``keys`` are its own keys, ``shares``
    the names of those that it has in common with others."""

    id: str
    title: str
    factory: str
    place: Place
    many: bool = False
    former: tuple[str, ...] = ()
    keys: tuple[DockKey, ...] = ()
    shares: tuple[str, ...] = ()
    room: str = field(default="", compare=False)

    def build(self, bridge: Bridge, name: str, parent: QWidget) -> Dock:
        """A new dock of this kind; ``name`` tells several apart and is kept in layouts."""
        module, _, kind = self.factory.rpartition(".")
        made: Any = import_module(f"{self.room}.{module}")
        dock: Dock = made.__dict__[kind](bridge, name, parent)
        return dock


@cache
def kinds() -> Mapping[str, DockKind]:
    """All kinds by id, room by room in the order of the folders."""
    found: dict[str, DockKind] = {}
    for entry in pkgutil.iter_modules(import_module(ROOMS).__path__):
        room = f"{ROOMS}.{entry.name}"
        for kind in import_module(room).__dict__.get("KINDS", ()):
            if kind.id in found:
                raise ValueError(f"two kinds of docks are called {kind.id}")
            found[kind.id] = replace(kind, room=room)
    return found


@cache
def key_groups() -> Mapping[str, KeyGroup]:
    """The keys of all kinds: those that several share first, then kind by kind."""
    found = {
        name: replace(group, panels=frozenset(k.id for k in kinds().values() if name in k.shares))
        for name, group in COMMON.items()
    }
    for kind in kinds().values():
        if kind.id in found:
            raise ValueError(f"{kind.id} is the name of keys that several kinds share")
        if kind.keys:
            found[kind.id] = KeyGroup(kind.id, kind.title, kind.keys, frozenset({kind.id}))
    return found


def groups_of(name: str) -> list[KeyGroup]:
    """The keys of the dock called ``name``; its own come first."""
    kind = kind_of(name)
    found = key_groups()
    wanted = (kind.id, *kind.shares) if kind is not None else ()
    return [found[one] for one in wanted if one in found]


def split_name(name: str) -> tuple[str, int]:
    """``chart-2`` -> (``chart``, 2); a name without a number is the first of its kind."""
    if name in kinds():
        return name, 1
    match = _INSTANCE.fullmatch(name)
    if match is None:  # a stored name that no version of ours wrote
        return name, 1
    return match["kind"], int(match["number"] or 1)


def kind_of(name: str) -> DockKind | None:
    """The kind of the dock called ``name``, also under a former name; None when there is none
    any more."""
    kind, _ = split_name(name)
    if kind in kinds():
        return kinds()[kind]
    return next((known for known in kinds().values() if kind in known.former), None)


def current_name(name: str) -> str | None:
    """``name`` as it is called now; None for a dock that no version of ours knows."""
    kind = kind_of(name)
    if kind is None:
        return None
    number = split_name(name)[1]
    return instance_name(kind.id, number)


def instance_name(kind: str, number: int) -> str:
    """The other way round."""
    return kind if number == 1 else f"{kind}-{number}"
