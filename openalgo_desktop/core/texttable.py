"""Rows as aligned text, for a terminal and for files that people read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Widest cell of a table, so that one long text does not push the others away.
_WIDEST = 72


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Rows as aligned columns; one row as lines of name and value."""
    if len(rows) == 1:
        width = max(map(len, rows[0]))
        return [f"{name:<{width}}  {_cell(value)}" for name, value in rows[0].items()]
    names = list(rows[0])
    cells = [names, *([_cell(row.get(name, "")) for name in names] for row in rows)]
    widths = [min(_WIDEST, max(len(line[i]) for line in cells)) for i in range(len(names))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _cell(value: Any) -> str:
    """A value on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in str(value))
