"""Columns as declarations. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

R = TypeVar("R")

#: Texts that stand for "not known" in cells.
UNKNOWN_TEXTS = frozenset({"", "–"})


class RowAction(NamedTuple):
    """A link inside a cell: ``name`` comes back when it was clicked, ``tone`` is a colour role."""

    name: str
    text: str
    tone: str = "accent"


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column of a table of ``R``.

    ``value`` gives what is sorted and compared, ``text`` what is shown (default: the value as
    text), ``tone`` the colour role of the text (empty: normal). ``numeric`` columns are right
    aligned and sort as numbers; unknown values (None) sort last both ways. ``flash`` tints a cell
    for a moment when its number changes. ``tint`` gives a colour role for the background of the
    cell. A ``live`` column carries market prices and turns grey while they are stale. A column with
    ``actions`` draws links instead of text. ``badge`` gives a word
    or two that are drawn as a chip beside a number (empty: none), ``tip`` a tooltip of the cell.
    ``copied`` is what copies and CSV files have instead of the text. ``by_value`` says that the
    text of a row stays while its value does.
    ``width`` is in pixels at a text scale of 100 per cent; ``sample`` is a long text that it
    has room for anyway. A column grows when a text would be cut, except one that ``elides``:
    its texts are long sentences, cut where they must be, whole in the tooltip.
    A ``hidden`` column is shown when the user asks for it in the menu of the header.
    ``centred`` columns are neither left nor right aligned. ``spoken`` is
    the title where the place among other columns does not tell it: in copies and for assistive
    tools.
    """

    key: str
    title: str
    width: int
    value: Callable[[R], Any]
    text: Callable[[R], str] | None = None
    tone: Callable[[R], str] | None = None
    numeric: bool = True
    flash: bool = False
    tint: Callable[[R], str] | None = None
    actions: Callable[[R], Sequence[RowAction]] | None = None
    tooltip: str = ""
    live: bool = False
    badge: Callable[[R], str] | None = None
    tip: Callable[[R], str] | None = None
    by_value: bool = False
    centred: bool = False
    spoken: str = ""
    copied: Callable[[R], str] | None = None
    sample: str = ""
    elides: bool = False
    hidden: bool = False

    def shown(self, row: R, value: Any) -> str:
        """The text of a cell whose value is already known."""
        if self.actions is not None:
            return "  ".join(action.text for action in self.actions(row))
        if self.text is not None:
            return self.text(row)
        return "" if value is None else str(value)


def plain(text: str) -> str:
    """A shown number without grouping, plus sign, per cent sign; other text unchanged."""
    if text in UNKNOWN_TEXTS:
        return ""
    bare = text.replace(",", "").removesuffix("%").strip()
    try:
        float(bare)
    except ValueError:
        return text
    return bare.removeprefix("+")
