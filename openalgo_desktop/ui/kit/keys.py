"""Keys as data: what a kind of dock answers to while it has the focus; Alt letters of captions.

A key of a dock is a row: an id, what it does, the built-in key. The rows stand in the ``keys``
module of each room and belong to its kinds; what a dock does with one it says itself
(:meth:`~openalgo_desktop.ui.kit.dock.Dock.answer_keys`), which key a row has now is said by the
hotkeys of the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence


@dataclass(frozen=True, slots=True)
class DockKey:
    """One key of a dock. ``key`` is written as Qt does (``Ctrl+Up``); ``also`` are further ones
    that hold as long as the key was not changed.

    ``sends``: an order, a change or a cancellation leaves at once. ``repeats``: a key that is held
    goes on; never for one that sends. ``fixed``: shown and kept free of others, not editable,
    several keys separated by `` / ``; the widget itself answers to it. ``in_fields``: it works
    while a field of the dock has the focus, too, so it must not be one that is typed.
    """

    id: str
    text: str
    key: str = ""
    sends: bool = False
    repeats: bool = False
    fixed: bool = False
    in_fields: bool = False
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.sends and self.repeats:
            raise ValueError(f"{self.id}: a key that is held must never send")

    def held(self, key: str) -> tuple[str, ...]:
        """The keys that it answers to while ``key`` is the one in force."""
        if self.fixed:
            return tuple(one.strip() for one in self.key.split(" / "))
        return (key, *self.also) if key == self.key else (key,) if key else ()


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Rows that are found and edited together: those of one kind of dock, or of several
    (``panels``: ids of kinds)."""

    id: str
    title: str
    rows: tuple[DockKey, ...]
    panels: frozenset[str] = frozenset()

    def name(self, row: DockKey) -> str:
        """What a row is called in the hotkeys: ``ladder.join-bid``."""
        return f"{self.id}.{row.id}"


#: Rows that several kinds share, by the name under which a kind asks for them.
TABLE, SYMBOL, CANDLES = "table", "symbol", "candles"
COMMON: dict[str, KeyGroup] = {
    TABLE: KeyGroup(
        TABLE,
        "Tables",
        (
            DockKey("move", "Choose a row", "Up / Down / Home / End", fixed=True),
            DockKey("show", "Show the row's symbol in the linked panels", "Return"),
            DockKey("copy", "Copy the row", "Ctrl+C", fixed=True),
        ),
    ),
    SYMBOL: KeyGroup(
        SYMBOL,
        "Panels with a symbol",
        (
            DockKey("buy", "Ticket: buy the symbol; nothing is sent", "B"),
            DockKey("sell", "Ticket: sell the symbol; nothing is sent", "S"),
        ),
    ),
    CANDLES: KeyGroup(
        CANDLES,
        "Charts",
        (
            DockKey("back", "Scroll back", "Left", repeats=True),
            DockKey("forward", "Scroll forward", "Right", repeats=True),
            DockKey("zoom-in", "Zoom in", "+", repeats=True, also=("=",)),
            DockKey("zoom-out", "Zoom out", "-", repeats=True),
            DockKey("now", "Go to now, prices fitted", "End", also=("Home", "Alt+R")),
        ),
    ),
}


def pressed(text: str) -> QKeyCombination:
    """The first (and for us only) key of a written one."""
    first: QKeyCombination = QKeySequence(text)[0]  # type: ignore[index]
    return first


def press_of(combination: QKeyCombination) -> int:
    """A press as a number to compare: the keypad counts like the other keys."""
    aside = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.GroupSwitchModifier
    key = combination.key()
    if key == Qt.Key.Key_Enter:
        key = Qt.Key.Key_Return
    return QKeyCombination(combination.keyboardModifiers() & ~aside, key).toCombined()


def presses(event: QKeyEvent) -> tuple[int, ...]:
    """What a key event may mean. A sign such as ``+`` is the same whether or not this keyboard
    needs Shift for it."""
    found = event.keyCombination()
    text, shift = event.text(), Qt.KeyboardModifier.ShiftModifier
    if len(text) == 1 and text.isprintable() and not text.isalnum() and not text.isspace():
        plain = QKeyCombination(found.keyboardModifiers() & ~shift, found.key())
        return press_of(found), press_of(plain)
    return (press_of(found),)


def alt_letters(captions: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """The captions with ``&`` before a letter of their own: the first letter of a word that is
    still free, else any free letter; a caption without a free one stays as it is.

    ``taken`` are letters that mean something else in the same window (its menus).
    """
    used = {letter.lower() for letter in taken}
    found = []
    for caption in captions:
        starts = [i for i in range(len(caption)) if not i or caption[i - 1] in " (-/"]
        order = [*starts, *range(len(caption))]
        for at in order:
            letter = caption[at].lower()
            if letter.isascii() and letter.isalnum() and letter not in used:
                used.add(letter)
                found.append(f"{caption[:at]}&{caption[at:]}")
                break
        else:
            found.append(caption)
    return found
