"""Streaming readers of master files: CSV, JSON array, JSON lines; plain, gz or zip.

Each gives one row at a time and keeps no more of the file in memory than a block, so a thread
that reads never holds the interpreter for long.
"""

from __future__ import annotations

import csv
import fnmatch
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.errors import ConfigError, ProtocolError

_BLOCK = 1 << 16
#: A row of a JSON array is never longer; a longer one means that the text is no array of rows.
_MAX_ROW = 1 << 20
_BLANKS = re.compile(r"[\s,]*")

Row = Mapping[str, Any]


def rows_of(file: MasterFile, path: Path) -> Iterator[Row]:
    """The rows of a downloaded file. Raises :class:`ProtocolError` when it is damaged."""
    readers = {"csv": _csv_rows, "json": _json_rows, "jsonl": _line_rows}
    if file.form not in readers:
        raise ConfigError(f"master file {file.path}: unknown form {file.form!r}")
    try:
        with _opened(file, path) as text:
            yield from readers[file.form](file, text)
    except (zipfile.BadZipFile, EOFError, zlib.error, gzip.BadGzipFile, csv.Error) as error:
        raise ProtocolError(f"{file.name or file.path} is damaged: {error}") from None


def _opened(file: MasterFile, path: Path) -> AbstractContextManager[IO[str]]:
    """The unpacked text. A file that is said to be gz but came plain is read as it is: servers
    may undo the packing."""
    if file.pack == "zip":
        return _zip_members(file, path)
    if file.pack == "gz":
        with path.open("rb") as probe:
            packed = probe.read(2) == b"\x1f\x8b"
        if packed:
            return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    elif file.pack:
        raise ConfigError(f"master file {file.path}: unknown pack {file.pack!r}")
    return path.open("r", encoding="utf-8-sig", errors="replace", newline="")


@contextmanager
def _zip_members(file: MasterFile, path: Path) -> Iterator[IO[str]]:
    """The first member that fits the pattern."""
    with zipfile.ZipFile(path) as archive:
        names = fnmatch.filter(archive.namelist(), file.member or "*")
        if not names:
            raise ProtocolError(f"{file.name or file.path}: no {file.member!r} in the archive")
        with archive.open(names[0]) as member:
            yield io.TextIOWrapper(member, encoding="utf-8-sig", errors="replace", newline="")


def _csv_rows(file: MasterFile, text: IO[str]) -> Iterator[Row]:
    rows = csv.reader(text, delimiter=file.delimiter)
    header = file.header or tuple(name.strip() for name in next(rows, ()))
    width = len(header)
    for row in rows:
        if len(row) == width:
            yield dict(zip(header, row, strict=True))
        elif row:
            # Short and long rows come as far as they go: the row reader decides.
            yield dict(zip(header, row, strict=False))


def _line_rows(file: MasterFile, text: IO[str]) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    for line in text:
        if line.strip():
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise ProtocolError(f"{file.name or file.path} is damaged: {error}") from None


def _json_rows(file: MasterFile, text: IO[str]) -> Iterator[Row]:
    """Objects of the array at ``file.rows`` (the outermost when empty), one by one."""
    start = re.compile(rf'"{re.escape(file.rows.split(".")[-1])}"\s*:\s*\[' if file.rows else r"\[")
    decode = json.JSONDecoder().raw_decode
    buffer, at = text.read(_BLOCK), 0
    while (match := start.search(buffer)) is None:
        block = text.read(_BLOCK)
        if not block:
            raise ProtocolError(f"{file.name or file.path}: no list of rows in it")
        buffer = buffer[-256:] + block  # the key may lie across two blocks
    at = match.end()
    while True:
        at = _BLANKS.match(buffer, at).end()  # type: ignore[union-attr]
        if buffer.startswith("]", at):
            return
        try:
            row, at = decode(buffer, at)
        except ValueError:
            block = text.read(_BLOCK)
            if not block or len(buffer) - at > _MAX_ROW:
                raise ProtocolError(f"{file.name or file.path} ends inside a row") from None
            buffer, at = buffer[at:] + block, 0
            continue
        if isinstance(row, dict):
            yield row
        if at > _BLOCK:
            buffer, at = buffer[at:], 0
