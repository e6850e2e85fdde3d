"""The keys of the actions and of the panels: the built-in ones, the user's own, and what must not
meet.

Own keys are kept in the terminal's state (scope ``hotkeys``), only where they differ from the
tables. A key means one thing wherever it works: one of the whole window may not be one that a
panel or another action answers to, and two of a panel may not be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit.keys import DockKey, KeyGroup, press_of, pressed
from openalgo_desktop.ui.kit.widgets import plain_tip, shortcut_text
from openalgo_desktop.ui.shell.actions import ACTIONS, ActionRow, menu_keys

SCOPE, STORED = "hotkeys", "own"
#: Form of the exported file.
VERSION = 1
#: Keys of the program that are no actions.
FIXED: Mapping[str, str] = {"Ctrl+F12": "Kill switch (held for a second)"}
_BARE = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """What is exported: own keys by name (``ladder.join-bid`` is one of a panel); an empty text
    takes a key away."""

    version: int
    keys: dict[str, str]


#: Keys of every panel that are no rows.
_LEAVE = {
    Qt.Key.Key_Escape: "it leaves what was begun",
    Qt.Key.Key_Tab: "it goes to the next field",
    Qt.Key.Key_Backtab: "it goes to the field before",
}
#: What is pressed to look around, to press a button, to end an entry: never something that sends.
_HARMLESS = frozenset(
    (
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
        Qt.Key.Key_Return,
        Qt.Key.Key_Enter,
        Qt.Key.Key_Space,
    )
)


@dataclass(frozen=True, slots=True)
class HotkeyRow:
    """What can have a key: an action of the window, or something a panel does (``group``, with its
    ``row``)."""

    name: str
    text: str
    title: str  # menu or panel
    default: str
    tip: str = ""
    also: tuple[str, ...] = ()
    group: KeyGroup | None = None
    row: DockKey | None = None

    @property
    def local(self) -> bool:
        """Whether it works in panels only."""
        return self.group is not None

    def meets(self, other: HotkeyRow) -> bool:
        """Whether both can be pressed in one place."""
        if self.group is None or other.group is None:
            return True
        return bool(self.group.panels & other.group.panels)


def _rows(actions: Iterable[ActionRow], groups: Iterable[KeyGroup]) -> Iterator[HotkeyRow]:
    for action in actions:
        yield HotkeyRow(
            action.name, action.text, action.menu, action.shortcut, action.tip, action.also
        )
    for group in groups:
        for row in group.rows:
            yield HotkeyRow(
                group.name(row), row.text, group.title, row.key, "", row.also, group, row
            )


def _same(one: str, other: str) -> bool:
    return press_of(pressed(one)) == press_of(pressed(other))


def reads_as(text: str) -> str:
    """A key as the table writes it, from what somebody typed or Qt reported; empty stays empty.
    Raises :class:`ConfigError` for what is no single key."""
    if not text.strip():
        return ""
    sequence = QKeySequence(text)
    if sequence.count() != 1 or pressed(text).key() in (Qt.Key.Key_unknown, Qt.Key(0)):
        raise ConfigError(f"{text!r} is no key: press one key, with Ctrl, Alt or Shift.")
    return sequence.toString(QKeySequence.SequenceFormat.PortableText)


def _is_bare(text: str) -> bool:
    """Whether neither Ctrl nor Alt belongs to a key."""
    modifiers = pressed(text).keyboardModifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return modifiers in _BARE


def _problem_of_bare(text: str) -> str:
    """Why a key without Ctrl or Alt cannot be one that works in fields, too."""
    function = Qt.Key.Key_F1 <= pressed(text).key() <= Qt.Key.Key_F35
    if _is_bare(text) and not function:
        return (
            f"{shortcut_text(text)} is typed into fields and moves in tables: take a function key, "
            "or a key with Ctrl or Alt."
        )
    return ""


def _problem_in_panel(text: str, row: DockKey) -> str:
    """Why a key cannot be that of a row of a panel, whatever else there is."""
    key = pressed(text).key()
    if _is_bare(text) and key in _LEAVE:
        return f"{shortcut_text(text)} means the same in every panel: {_LEAVE[key]}."
    if row.sends and _is_bare(text) and key in _HARMLESS:
        return (
            f"{shortcut_text(text)} is pressed without thinking of an order: take another key for "
            "something that sends, or one with Ctrl or Alt."
        )
    return _problem_of_bare(text) if row.in_fields else ""


class Hotkeys(QObject):
    """Gives actions and panels their keys. ``save`` is called with the own keys after each
    change."""

    changed = Signal(str)  # name of a row

    def __init__(
        self,
        actions: Mapping[str, QAction],
        save: Callable[[dict[str, str]], object],
        groups: Iterable[KeyGroup],
        rows: tuple[ActionRow, ...] = ACTIONS,
    ) -> None:
        super().__init__()
        self._actions = actions
        self._save = save
        found = tuple(_rows(rows, groups))
        self._fixed = tuple(row for row in found if row.row is not None and row.row.fixed)
        self.rows = {row.name: row for row in found if row not in self._fixed}
        self.own: dict[str, str] = {}
        for row in self.rows.values():
            self._dress(row)

    def key(self, name: str) -> str:
        """The key in force, portable; empty when there is none."""
        return self.own.get(name, self.rows[name].default)

    def text(self, name: str) -> str:
        """The same as this platform writes it."""
        return shortcut_text(self.key(name))

    def everywhere(self) -> list[HotkeyRow]:
        """The actions of the window."""
        return [row for row in self.rows.values() if not row.local]

    # -- conflicts --------------------------------------------------------------------------
    def conflict(self, name: str, key: str) -> str:
        """Why ``key`` cannot be that of the row ``name``, as a sentence; empty when it can."""
        if not key:
            return ""
        mine = self.rows[name]
        problem = _problem_of_bare(key) if mine.row is None else _problem_in_panel(key, mine.row)
        if problem:
            return problem
        for fixed, does in FIXED.items():
            if _same(key, fixed):
                return f"{shortcut_text(key)} is fixed: {does}."
        for opens, menu in menu_keys().items():
            if _same(key, opens):
                return f"{shortcut_text(key)} opens the menu {menu}."
        for other in (*self.rows.values(), *self._fixed):
            if other.name == name or not other.meets(mine):
                continue
            if any(_same(key, held) for held in self._held(other)):
                return f"{shortcut_text(key)} {_taken(other)}"
        return ""

    def held(self, name: str) -> tuple[str, ...]:
        """All keys that a row answers to now."""
        row, key = self.rows[name], self.key(name)
        return (key, *row.also) if key == row.default and key else (key,) if key else ()

    def _held(self, row: HotkeyRow) -> tuple[str, ...]:
        fixed = row.row is not None and row.row.fixed
        return row.row.held(row.default) if row.row is not None and fixed else self.held(row.name)

    # -- changes ----------------------------------------------------------------------------
    def set(self, name: str, text: str) -> None:
        """Give a row another key (empty: none). Raises :class:`ConfigError` with the reason."""
        key = reads_as(text)
        if problem := self.conflict(name, key):
            raise ConfigError(problem)
        self._take(name, key)
        self._save(dict(self.own))

    def reset(self, name: str) -> None:
        """Back to the built-in key. Raises :class:`ConfigError` when another row has it now."""
        if problem := self.conflict(name, self.rows[name].default):
            raise ConfigError(problem)
        self._take(name, self.rows[name].default)
        self._save(dict(self.own))

    def reset_all(self) -> None:
        """All built-in keys."""
        for name in tuple(self.own):
            self._take(name, self.rows[name].default)
        self._save({})

    def _take(self, name: str, key: str) -> None:
        if key == self.rows[name].default:
            self.own.pop(name, None)
        else:
            self.own[name] = key
        self._dress(self.rows[name])
        self.changed.emit(name)

    def _dress(self, row: HotkeyRow) -> None:
        """Key and tooltip of an action; panels hear of theirs by ``changed``."""
        if not row.local:
            dress(self._actions[row.name], row.tip or row.text, self.held(row.name))

    # -- stored and exported ----------------------------------------------------------------
    def load(self, stored: Any) -> list[str]:
        """Take own keys as they were kept; what does not fit any more is left out and returned in
        sentences. What went is dropped."""
        if not isinstance(stored, dict):
            return []
        before = set(self.own)
        # All at once: two keys may have been exchanged.
        self.own = {n: k for n, k in stored.items() if n in self.rows and isinstance(k, str)}
        wanted, problems = set(self.own), []
        while found := next(filter(None, map(self._misfit, self.own)), None):
            name, problem = found  # without it another may fit, or not any more
            problems.append(f"Key of “{self.rows[name].text}”: {problem}")
            del self.own[name]
        for name in before | wanted:
            self._dress(self.rows[name])
            self.changed.emit(name)
        return problems

    def _misfit(self, name: str) -> tuple[str, str] | None:
        try:
            self.own[name] = reads_as(self.own[name])
            problem = self.conflict(name, self.own[name])
        except ConfigError as error:
            problem = error.message
        return (name, problem) if problem else None

    def exported(self) -> bytes:
        """Own keys as JSON."""
        return msgspec.json.format(msgspec.json.encode(_File(VERSION, dict(self.own))))

    def take_file(self, data: bytes) -> list[str]:
        """Own keys from an exported file, in place of those before; returns what was left out.
        Raises :class:`ConfigError` when it is no such file."""
        try:
            file = msgspec.json.decode(data, type=_File)
        except msgspec.DecodeError as error:
            raise ConfigError(f"This is no file of exported keys: {error}.") from None
        if file.version != VERSION:
            raise ConfigError(f"The keys are of form {file.version}; this version reads {VERSION}.")
        unknown = sorted(set(file.keys) - set(self.rows))
        problems = [f"Nothing here is called “{name}”." for name in unknown]
        problems += self.load(file.keys)
        self._save(dict(self.own))
        return problems


def _taken(row: HotkeyRow) -> str:
    """What a key that is asked for does already."""
    if row.group is None:
        return f"is already the key of “{row.text}”."
    return f"already works inside {row.title}: {row.text[:1].lower()}{row.text[1:]}."


def dress(action: QAction, words: str, keys: tuple[str, ...]) -> None:
    """Keys of an action, and its tooltip with the first."""
    action.setShortcuts([QKeySequence(key) for key in keys])
    hint = f" ({shortcut_text(keys[0])})" if keys else ""
    action.setToolTip(plain_tip(words + hint))
