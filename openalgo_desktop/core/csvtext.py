"""Tables as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

#: First characters that make a spreadsheet run a cell as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_NUMBER = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?([eE][+-]?[0-9]+)?%?", re.ASCII)


def safe_cell(text: str) -> str:
    """``text``, with an apostrophe in front where it would run as a formula; numbers stay."""
    if not text.startswith(_FORMULA):
        return text
    return text if _NUMBER.fullmatch(text) else f"'{text}"


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as CSV text with the line ends of RFC 4180."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()
