"""Tables as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

#: First characters that make a spreadsheet run a cell as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_NUMBER = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?([eE][+-]?[0-9]+)?%?", re.ASCII)

_BREAKS = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")


def safe_cell(text: str) -> str:
    """``text``, with an apostrophe in front where it would run as a formula; numbers stay."""
    if not text.startswith(_FORMULA):
        return text
    return text if _NUMBER.fullmatch(text) else f"'{text}"


def bare_cell(text: str) -> str:
    """What :func:`safe_cell` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def pasted_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells for the clipboard, separated by tabs. A spreadsheet that they are pasted into
    runs nothing, and a cell of several lines stays one cell."""
    return "\n".join(
        "\t".join(safe_cell(" ".join(_BREAKS.split(cell))) for cell in row) for row in rows
    )


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as CSV text with the line ends of RFC 4180."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()
