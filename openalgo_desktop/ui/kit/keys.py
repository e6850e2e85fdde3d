"""Keys in words: what a dock answers to (F1 shows it), Alt letters of captions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class KeyHelp(NamedTuple):
    """One line of a dock's key list. ``keys`` are written as Qt does (``Shift+Up``), several of
    one meaning separated by `` / ``; ``sends`` says that it sends an order at once."""

    keys: str
    does: str
    sends: bool = False


#: What every table answers to.
TABLE_KEYS: tuple[KeyHelp, ...] = (
    KeyHelp("Up / Down / Home / End", "Choose a row"),
    KeyHelp("Return", "Show the row's symbol in the linked docks"),
    KeyHelp("Ctrl+C", "Copy the row"),
)


def single_keys(rows: Iterable[KeyHelp]) -> list[tuple[str, KeyHelp]]:
    """Each key by itself with its row."""
    return [(key.strip(), row) for row in rows for key in row.keys.split(" / ") if key.strip()]


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
