"""The keys of the actions: the built-in ones, the user's own, and what must not meet.

Own keys are kept in the terminal's state (scope ``hotkeys``), only where they differ from the
table. A key means one thing wherever it works: a key of the whole window may not be one that a
dock or another action answers to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit.keys import KeyHelp, single_keys
from openalgo_desktop.ui.kit.widgets import plain_tip, shortcut_text
from openalgo_desktop.ui.shell.actions import ACTIONS, ActionRow

SCOPE, STORED = "hotkeys", "own"
#: Form of the exported file.
VERSION = 1
#: Keys of the program that are no actions.
FIXED: Mapping[str, str] = {"Ctrl+F12": "Kill switch (held for a second)"}
_BARE = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """What is exported: own keys by action; an empty text takes an action's key away."""

    version: int
    keys: dict[str, str]


def _same(one: str, other: str) -> bool:
    return QKeySequence(one) == QKeySequence(other)


def _pressed(sequence: QKeySequence) -> QKeyCombination:
    """The first (and for us only) key of a sequence."""
    first: QKeyCombination = sequence[0]  # type: ignore[index]
    return first


def reads_as(text: str) -> str:
    """A key as the table writes it, from what somebody typed or Qt reported; empty stays empty.
    Raises :class:`ConfigError` for what is no single key."""
    if not text.strip():
        return ""
    sequence = QKeySequence(text)
    if sequence.count() != 1 or _pressed(sequence).key() in (Qt.Key.Key_unknown, Qt.Key(0)):
        raise ConfigError(f"{text!r} is no key: press one key, with Ctrl, Alt or Shift.")
    return sequence.toString(QKeySequence.SequenceFormat.PortableText)


def _problem_of_bare(text: str) -> str:
    """Why a key without Ctrl or Alt cannot be one of the whole window."""
    combination = _pressed(QKeySequence(text))
    key, modifiers = combination.key(), combination.keyboardModifiers()
    modifiers &= ~Qt.KeyboardModifier.KeypadModifier
    function = Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
    if modifiers in _BARE and not function:
        return (
            f"{shortcut_text(text)} is typed into fields and moves in tables: take a function key, "
            "or a key with Ctrl or Alt."
        )
    return ""


class Hotkeys(QObject):
    """Gives actions their keys. ``save`` is called with the own keys after each change."""

    changed = Signal(str)  # name of the action

    def __init__(
        self,
        actions: Mapping[str, QAction],
        save: Callable[[dict[str, str]], object],
        local_keys: Callable[[], Mapping[str, tuple[KeyHelp, ...]]],
        rows: tuple[ActionRow, ...] = ACTIONS,
    ) -> None:
        super().__init__()
        self._actions = actions
        self._save = save
        self._local_keys = local_keys  # by title of the dock
        self.rows = {row.name: row for row in rows}
        self.own: dict[str, str] = {}
        for row in rows:
            dress(actions[row.name], row, row.shortcut)

    def key(self, name: str) -> str:
        """The key in force, portable; empty when the action has none."""
        return self.own.get(name, self.rows[name].shortcut)

    def text(self, name: str) -> str:
        """The same as this platform writes it."""
        return shortcut_text(self.key(name))

    # -- conflicts --------------------------------------------------------------------------
    def conflict(self, name: str, key: str) -> str:
        """Why ``key`` cannot be the key of action ``name``, as a sentence; empty when it can."""
        if not key:
            return ""
        if problem := _problem_of_bare(key):
            return problem
        for fixed, does in FIXED.items():
            if _same(key, fixed):
                return f"{shortcut_text(key)} is fixed: {does}."
        for other, row in self.rows.items():
            if other != name and self.key(other) and _same(key, self.key(other)):
                return f"{shortcut_text(key)} is already the key of “{row.text}”."
        for title, rows in self._local_keys().items():
            for local, help_row in single_keys(rows):
                if _same(key, local):
                    return (
                        f"{shortcut_text(key)} already works inside {title}: "
                        f"{help_row.does[:1].lower()}{help_row.does[1:]}."
                    )
        return ""

    # -- changes ----------------------------------------------------------------------------
    def set(self, name: str, text: str) -> None:
        """Give an action another key (empty: none). Raises :class:`ConfigError` with the reason."""
        key = reads_as(text)
        if problem := self.conflict(name, key):
            raise ConfigError(problem)
        self._take(name, key)
        self._save(dict(self.own))

    def reset(self, name: str) -> None:
        """Back to the built-in key. Raises :class:`ConfigError` when another action has it now."""
        if problem := self.conflict(name, self.rows[name].shortcut):
            raise ConfigError(problem)
        self._take(name, self.rows[name].shortcut)
        self._save(dict(self.own))

    def reset_all(self) -> None:
        """All built-in keys."""
        for name in tuple(self.own):
            self._take(name, self.rows[name].shortcut)
        self._save({})

    def _take(self, name: str, key: str) -> None:
        if key == self.rows[name].shortcut:
            self.own.pop(name, None)
        else:
            self.own[name] = key
        dress(self._actions[name], self.rows[name], key)
        self.changed.emit(name)

    # -- stored and exported ----------------------------------------------------------------
    def load(self, stored: Any) -> list[str]:
        """Take own keys as they were kept; what does not fit any more is left out and returned in
        sentences. Actions that went are dropped."""
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
            dress(self._actions[name], self.rows[name], self.key(name))
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
        problems = [f"There is no action “{name}” here." for name in unknown]
        problems += self.load(file.keys)
        self._save(dict(self.own))
        return problems


def dress(action: QAction, row: ActionRow, key: str) -> None:
    """Key and tooltip of an action."""
    action.setShortcut(QKeySequence(key))
    hint = f" ({shortcut_text(key)})" if key else ""
    action.setToolTip(plain_tip((row.tip or row.text) + hint))
