"""Instruments of downloaded files, and what was left out of them; blocks, so for a thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from openalgo_desktop.brokers.kit.master.readers import parts_of, rows_of
from openalgo_desktop.brokers.kit.rest.values import OddValue
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.core.errors import DataError, ProtocolError
from openalgo_desktop.core.gently import gently, uncollected
from openalgo_desktop.core.model import Instrument

#: More unreadable rows than this part of a file: the format has changed.
_MAX_BAD_SHARE: Final = 0.02
#: Rows that are named, of those that cannot be read.
_NAMED: Final = 5
#: No tick, lot or strike is larger.
_LARGEST: Final = 1e9
#: What a row reader raises for a row that it cannot read.
_UNREADABLE: Final = (
    LookupError, ValueError, TypeError, AttributeError, ArithmeticError, OddValue,
)  # fmt: skip

#: Instruments by file, and by the pieces of one that a list names.
Counts = dict[str, dict[str, int]]


class Reading(msgspec.Struct):
    """What was read: instruments in the order of the files, how many each file gave, and how many
    rows could not be read, the first of them in words."""

    rows: list[Instrument] = []
    counts: Counts = {}
    bad: int = 0
    first: list[str] = []

    def unreadable(self, where: str, error: Exception) -> str:
        """A row was left out; what it was, in words."""
        self.bad += 1
        text = f"{where}: {type(error).__name__} {error}"
        if len(self.first) < _NAMED:
            self.first.append(text)
        return text


def read_master(spec: MasterSpec, place: Path, stop: threading.Event) -> Reading:
    """All files of a copy, and the fixed rows that they do not have.

    Raises :class:`ProtocolError` for a damaged file and where there are no rows at all.
    """
    found = Reading()
    for number, file in enumerate(spec.files):
        path = place / file_name(number, file)
        if parts_of(file, path):
            with uncollected():
                found.rows += read_file(spec, file, path, stop, found)
        elif file.optional:
            found.counts[_label(file, found.counts)] = {}
        else:
            raise DataError(f"{title(file)} is missing in the copy")
    if not found.rows:
        raise ProtocolError("the symbol master has no rows")
    if spec.fixed:
        found.rows += _missing(spec.fixed, found.rows)
    return found


def read_file(
    spec: MasterSpec,
    file: MasterFile,
    path: Path,
    stop: threading.Event | None = None,
    found: Reading | None = None,
) -> list[Instrument]:
    """The instruments of one downloaded file. What is to be told of it is added to ``found``.

    A row that cannot be read is skipped; more than a few are a :class:`ProtocolError`.
    """
    found = found if found is not None else Reading()
    before, total, first = found.bad, 0, ""
    counts = found.counts.setdefault(_label(file, found.counts), {})
    instruments: list[Instrument] = []
    reader, add = file.reader or spec.reader, instruments.append
    for part, place in parts_of(file, path):
        had, count = len(instruments), 0
        for row in gently(rows_of(part, place)):
            count += 1
            try:
                instrument = _sane(reader(row, part))
            except _UNREADABLE as error:
                text = found.unreadable(f"{title(part)} row {count}", error)
                first = first or text
                continue
            if instrument is not None:
                add(instrument)
            if stop is not None and stop.is_set():
                raise DataError("reading was stopped")
        total += count
        piece = part.name if file.listed else ""
        counts[piece] = counts.get(piece, 0) + len(instruments) - had
    if (bad := found.bad - before) > total * _MAX_BAD_SHARE:
        raise ProtocolError(f"{title(file)}: {bad} of {total} rows cannot be read; first: {first}")
    return instruments


def title(file: MasterFile) -> str:
    """A file's name for people."""
    return file.name or file.path.partition("?")[0]


def file_name(number: int, file: MasterFile) -> str:
    """Where a file of a master lies in the folder of a copy."""
    tail = "".join(c for c in file.name if c.isalnum() or c in "._-")
    return f"{number:02d}-{tail or 'master'}"


def _label(file: MasterFile, taken: Mapping[str, object]) -> str:
    """The name by which a file is counted; several requests may have one address."""
    name, number = title(file), 1
    while (label := name if number == 1 else f"{name} ({number})") in taken:
        number += 1
    return label


def _sane(row: Instrument | None) -> Instrument | None:
    """The row itself; ValueError for numbers that no instrument has (NaN among them)."""
    if row is not None and not (
        0 < row.tick_size < _LARGEST and 0 <= row.strike < _LARGEST and 0 < row.lot_size < _LARGEST
    ):
        raise ValueError(f"{row.symbol}: lot {row.lot_size}, tick {row.tick_size}, {row.strike}")
    return row


def _missing(fixed: tuple[Instrument, ...], rows: list[Instrument]) -> list[Instrument]:
    """Fixed rows whose symbol and token no row of their exchange has."""
    symbols, tokens = {row.symbol for row in fixed}, {row.token for row in fixed} - {""}
    near = [row for row in gently(rows) if row.symbol in symbols or row.token in tokens]
    taken = {row.key for row in near} | {(row.exchange, "token", row.token) for row in near}
    return [
        row
        for row in fixed
        if row.key not in taken
        and (not row.token or (row.exchange, "token", row.token) not in taken)
    ]
