"""Prices of a ladder that the user marked with a colour. No Qt here."""

from __future__ import annotations

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.rooms.market.ladder_grid import Grid

#: Colours that a price can be marked with: those of the link groups.
COLOURS = (1, 2, 3, 4)
#: Marks that are kept for an instrument; the oldest goes.
MOST = 40


class Marks:
    """Colours by instrument and price in ticks."""

    def __init__(self) -> None:
        self._by_key: dict[Key, dict[int, int]] = {}

    def put(self, key: Key, ticks: int, colour: int) -> None:
        """Mark a price; colour 0 takes the mark away."""
        marks = self._by_key.setdefault(key, {})
        marks.pop(ticks, None)
        if colour:
            marks[ticks] = colour
            while len(marks) > MOST:
                del marks[next(iter(marks))]

    def by_row(self, key: Key | None, grid: Grid) -> dict[int, int]:
        """The colours by rows of a grid; a row of several ticks shows the mark of one of them."""
        marks = self._by_key.get(key, {}) if key is not None else {}
        return {ticks // grid.group: colour for ticks, colour in marks.items()}

    def save(self) -> list[object]:
        """As JSON values: exchange, symbol, and pairs of ticks and colour."""
        return [
            [*key, [list(pair) for pair in marks.items()]]
            for key, marks in self._by_key.items()
            if marks
        ]

    def restore(self, stored: object) -> None:
        """The other way round; what is no mark is left out."""
        self._by_key.clear()
        for row in stored if isinstance(stored, list) else ():
            match row:
                case [str(exchange), str(symbol), list(pairs)]:
                    for pair in pairs:
                        match pair:
                            case [int(ticks), int(colour)] if colour in COLOURS:
                                self.put((exchange, symbol), ticks, colour)
