"""How the charts of a dock are arranged: 1 to 16 of them in rows and columns."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """Row, column and how many of each a chart takes."""

    row: int
    column: int
    rows: int = 1
    columns: int = 1


def _even(rows: int, columns: int) -> tuple[Place, ...]:
    return tuple(Place(row, column) for row in range(rows) for column in range(columns))


#: By the text of the menu.
LAYOUTS: dict[str, tuple[Place, ...]] = {
    "1": _even(1, 1),
    "2 side by side": _even(1, 2),
    "2 stacked": _even(2, 1),
    "3 side by side": _even(1, 3),
    "3 stacked": _even(3, 1),
    "1 large, 2 small": (Place(0, 0, 2, 2), Place(0, 2), Place(1, 2)),
    "4": _even(2, 2),
    "1 large, 3 small": (Place(0, 0, 3, 3), Place(0, 3), Place(1, 3), Place(2, 3)),
    "6": _even(2, 3),
    "8": _even(2, 4),
    "9": _even(3, 3),
    "10": _even(2, 5),
    "12": _even(3, 4),
    "14": _even(2, 7),
    "15": _even(3, 5),
    "16": _even(4, 4),
}
ONE = "1"
MOST = max(len(places) for places in LAYOUTS.values())
