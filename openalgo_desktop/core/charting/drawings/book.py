"""The drawings of all symbols: one owner for all charts and windows, and for alerts on drawings.

A symbol's drawings are a tuple, the first at the back. Saved values are decoded when a symbol is
asked for the first time; one that cannot be read costs that symbol's drawings, is told and kept
aside.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from openalgo_desktop.core.charting.drawings.model import Drawing
from openalgo_desktop.core.charting.drawings.tools import tools
from openalgo_desktop.core.charting.history import Change
from openalgo_desktop.core.model import Key

log = logging.getLogger(__name__)

#: Drawings of one symbol; of more the oldest go.
MOST = 2_000


class DrawingPart(NamedTuple):
    """The part of a chart's history that a drawing is."""

    key: Key
    ident: str


class Placed(NamedTuple):
    """A drawing with its place among those of its symbol, as history keeps it."""

    drawing: Drawing
    place: int


class Document(msgspec.Struct, frozen=True):
    """What is saved for a symbol."""

    drawings: tuple[Drawing, ...] = ()
    version: int = 1


def name_of(key: Key) -> str:
    """The key under which a symbol's drawings are saved."""
    return f"{key[0]}:{key[1]}"


def _is_whole(row: Drawing) -> bool:
    """Whether its tool is known and it has as many points as that can draw: a row with others
    would break each paint and each alert of its symbol."""
    tool = tools().get(row.tool)
    count = len(row.anchors)
    return tool is not None and tool.least <= count <= (tool.limit or count)


class DrawingBook:
    """Drawings by symbol. ``save`` gets the name and the document of a symbol that changed,
    ``aside`` the name and the text of one that cannot be read."""

    def __init__(
        self,
        saved: Mapping[str, bytes] | None = None,
        save: Callable[[str, Document], None] | None = None,
        aside: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self._raw = dict(saved or {})
        self._save, self._aside = save, aside
        self._rows: dict[Key, tuple[Drawing, ...]] = {}
        #: Rows that this version cannot draw: another one wrote them and may again.
        self._unread: dict[Key, tuple[Drawing, ...]] = {}
        self._listeners: list[Callable[[Key], None]] = []

    # -- reading ----------------------------------------------------------------------------
    def of(self, key: Key) -> tuple[Drawing, ...]:
        """All of a symbol, from the back to the front."""
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = self._read(key)
        return found

    def get(self, key: Key, ident: str) -> Drawing | None:
        """One of them."""
        return next((row for row in self.of(key) if row.ident == ident), None)

    def listen(self, listener: Callable[[Key], None]) -> Callable[[], None]:
        """Call ``listener`` with each symbol whose drawings change; returns the stop call."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _read(self, key: Key) -> tuple[Drawing, ...]:
        name = name_of(key)
        text = self._raw.pop(name, None)
        if text is None:
            return ()
        try:
            rows = msgspec.json.decode(text, type=Document).drawings
        except msgspec.MsgspecError as error:
            log.error("the drawings of %s cannot be read and are kept aside: %s", name, error)
            if self._aside is not None:
                self._aside(name, text)
            return ()
        if lost := tuple(row for row in rows if not _is_whole(row)):
            self._unread[key] = lost
            log.error(
                "%s: drawings by unknown tools, or without the points of theirs, are left out: %s",
                name,
                ", ".join(sorted({row.tool for row in lost})),
            )
        return tuple(row for row in rows if _is_whole(row))

    # -- writing ----------------------------------------------------------------------------
    def changes(
        self, key: Key, wanted: Iterable[tuple[str, Drawing | None]], place: int | None = None
    ) -> list[Change]:
        """The changes that make drawings (by ident) be these, None is gone. Known ones keep their
        place, new ones come to the front; with ``place`` they all go there. Nothing is done
        yet."""
        rows = self.of(key)
        where = {row.ident: number for number, row in enumerate(rows)}
        front, found = len(rows), []
        for ident, after in wanted:
            at = where.get(ident)
            before = None if at is None else Placed(rows[at], at)
            target = at if place is None else place
            if target is None:
                target, front = front, front + 1
            made = None if after is None else Placed(after, target)
            found.append(Change(DrawingPart(key, ident), before, made))
        return found

    def apply(self, changes: Sequence[Change]) -> None:
        """Make changes true, all of them at once: places are those of the outcome. Changes of
        other parts are left alone; listeners hear of each symbol once."""
        wanted: dict[Key, dict[str, Placed | None]] = {}
        for change in changes:
            part, after = change.part, change.after
            if isinstance(part, DrawingPart):
                made = after if isinstance(after, Placed) else None
                wanted.setdefault(part.key, {})[part.ident] = made
        for key, parts in wanted.items():
            rows = [row for row in self.of(key) if row.ident not in parts]
            placed = [made for made in parts.values() if made is not None]
            for drawing, place in sorted(placed, key=lambda made: made.place):
                rows.insert(place, drawing)
            self._rows[key] = tuple(rows[-MOST:])
            if self._save is not None:
                unread = self._unread.get(key, ())
                self._save(name_of(key), Document((*unread, *self._rows[key])))
            for listener in tuple(self._listeners):
                listener(key)
