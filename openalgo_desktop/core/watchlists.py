"""Watchlists: groups of instruments with headings, notes and flags. Pure.

A list is a tuple of items in order; what identifies an item within its list is its key. A heading
has no exchange, and its text in the place of the symbol.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from openalgo_desktop.core.model import Key

#: Name of the list that is there before anybody made one.
FIRST = "Core"
FLAGS = range(1, 5)
MOST_NAME, MOST_NOTE = 24, 200


class WatchItem(msgspec.Struct, frozen=True):
    """An instrument or a heading. ``flag`` 0 is none."""

    exchange: str
    symbol: str
    note: str = ""
    flag: int = 0

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def is_heading(self) -> bool:
        """Whether it is a heading of a section."""
        return not self.exchange


class WatchGroup(msgspec.Struct, frozen=True):
    """A named list: one tab."""

    name: str
    items: tuple[WatchItem, ...] = ()

    @property
    def keys(self) -> list[Key]:
        """Its instruments in order."""
        return [item.key for item in self.items if not item.is_heading]


Items = tuple[WatchItem, ...]


def heading(text: str) -> WatchItem:
    """A heading."""
    return WatchItem("", text)


def of_keys(keys: Iterable[Key]) -> Items:
    """Plain items."""
    return tuple(WatchItem(*key) for key in dict.fromkeys(keys))


def put(items: Items, new: Sequence[WatchItem], at: int | None = None) -> Items:
    """``new`` before the place ``at`` (None: the end). What is there already moves, and keeps its
    note and flag."""
    known = {item.key: item for item in items}
    fresh = {item.key: known.get(item.key, item) for item in new}
    place = len(items) if at is None else max(0, min(at, len(items)))
    before = [item for item in items[:place] if item.key not in fresh]
    after = [item for item in items[place:] if item.key not in fresh]
    return (*before, *fresh.values(), *after)


def without(items: Items, keys: Collection[Key]) -> Items:
    """The list without some of its items."""
    return tuple(item for item in items if item.key not in keys)


def shifted(items: Items, key: Key, by: int) -> Items:
    """One item moved up (negative) or down; at an end it stays."""
    place = next((n for n, item in enumerate(items) if item.key == key), None)
    if place is None:
        return items
    to = max(0, min(len(items) - 1, place + by))
    rest = [*items[:place], *items[place + 1 :]]
    rest.insert(to, items[place])
    return tuple(rest)


def marked(items: Items, key: Key, *, note: str | None = None, flag: int | None = None) -> Items:
    """One item with another note or flag."""
    return tuple(
        item
        if item.key != key
        else WatchItem(
            *item.key,
            item.note if note is None else note.strip()[:MOST_NOTE],
            item.flag if flag is None else flag,
        )
        for item in items
    )


def free_name(wanted: str, taken: Collection[str]) -> str:
    """``wanted``, with a number where a list has that name already."""
    name = wanted.strip()[:MOST_NAME] or "List"
    number, made = 2, name
    while made in taken:
        made, number = f"{name} {number}", number + 1
    return made


def to_json(groups: Sequence[WatchGroup]) -> list[dict[str, Any]]:
    """What the workspace stores."""
    return [
        {
            "name": group.name,
            "items": [[i.exchange, i.symbol, i.note, i.flag] for i in group.items],
        }
        for group in groups
    ]


def from_json(state: Mapping[str, Any]) -> list[WatchGroup] | None:
    """The lists of a stored state, also of versions that knew one list (``symbols``); None where
    none is stored. What cannot be read is left out."""
    stored = state.get("groups")
    if not isinstance(stored, list):
        former = state.get("symbols")
        if not isinstance(former, list):
            return None
        return [WatchGroup(FIRST, _items(former))]
    groups: list[WatchGroup] = []
    for row in stored:
        if isinstance(row, dict) and isinstance(row.get("items"), list):
            name = free_name(str(row.get("name", "")), [group.name for group in groups])
            groups.append(WatchGroup(name, _items(row["items"])))
    return groups or [WatchGroup(FIRST)]


def _items(rows: Iterable[Any]) -> Items:
    found: dict[Key, WatchItem] = {}
    for row in rows:
        if not isinstance(row, list | tuple) or len(row) < 2 or not row[1]:
            continue
        exchange, symbol, *more = row
        note = str(more[0]) if more else ""
        flag = more[1] if len(more) > 1 and more[1] in FLAGS else 0
        item = WatchItem(str(exchange), str(symbol), note, flag)
        found.setdefault(item.key, item)
    return tuple(found.values())
