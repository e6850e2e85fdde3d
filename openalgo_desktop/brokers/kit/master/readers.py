"""Streaming readers of master files: CSV, JSON, JSON lines; plain, gz or zip; CSV inside JSON.

Each gives one row at a time and keeps no more of the file in memory than a block, so a thread
that reads never holds the interpreter for long.
"""

from __future__ import annotations

import csv
import fnmatch
import glob
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec

from openalgo_desktop.brokers.kit.master.json_text import JsonText
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.errors import ConfigError, ProtocolError

#: What readers of files and texts raise for what is not of their format; a seek in a damaged zip
#: may go anywhere.
_DAMAGED = (
    zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, csv.Error, OSError, ValueError,
    RuntimeError,
)  # fmt: skip
#: The first bytes of a gzip file.
_GZIP = b"\x1f\x8b"

Row = Mapping[str, Any]


def parts_of(file: MasterFile, path: Path) -> list[tuple[MasterFile, Path]]:
    """What is on disk of a file that was downloaded to ``path``: itself, or the pieces it came in
    (files of a list bear their own names then), in their order. Empty when nothing is there."""
    found = [(file, path)] if path.exists() else []
    for piece in sorted(path.parent.glob(glob.escape(path.name) + ".[0-9][0-9][0-9]*")):
        name = piece.name.removeprefix(path.name)[5:]
        if piece.suffix != ".part":
            found.append((msgspec.structs.replace(file, name=name) if name else file, piece))
    return found


def piece_path(path: Path, number: int, name: str = "") -> Path:
    """Where piece ``number`` of a file that is downloaded to ``path`` lies."""
    if not 0 <= number < 1000:
        raise ProtocolError("A file of the symbol master comes in more than a thousand pieces.")
    tail = "".join(c for c in name if c.isalnum() or c in "._-")
    return path.with_name(f"{path.name}.{number:03d}" + (f".{tail}" if tail else ""))


def rows_of(file: MasterFile, path: Path) -> Iterator[Row]:
    """The rows of a downloaded file. Raises :class:`ProtocolError` when it is damaged.

    A text in place of a row comes as ``{"value": text}``.
    """
    return chain.from_iterable(_rows(part, place) for part, place in parts_of(file, path))


def _rows(file: MasterFile, path: Path) -> Iterator[Row]:
    what = file.name or file.path
    try:
        for text in _texts(file, path):
            if file.form == "json" and not file.text_at:
                yield from _json_rows(file, text)
                continue
            lines = JsonText(text, what).lines_at(file.text_at) if file.text_at else text
            if file.form == "csv":
                yield from _csv_rows(file, lines)
            elif file.form == "jsonl":
                yield from _line_rows(file, lines)
            else:
                raise ConfigError(f"master file {file.path}: unknown form {file.form!r}")
    except _DAMAGED as error:
        raise ProtocolError(f"{what} is damaged: {error}") from None


def _texts(file: MasterFile, path: Path) -> Iterator[IO[str]]:
    """The unpacked text, or those of a zip's members that fit the pattern."""
    if file.pack == "zip":
        with zipfile.ZipFile(path) as archive:
            names = _members(archive, file.member or "*")
            if not names:
                raise ProtocolError(f"{file.name or file.path}: no {file.member!r} in the archive")
            for name in names:
                with archive.open(name) as member:
                    yield _text(file, member)
    elif file.pack in ("", "gz"):
        with path.open("rb") as plain:
            yield _text(file, plain)
    else:
        raise ConfigError(f"master file {file.path}: unknown pack {file.pack!r}")


def _members(archive: zipfile.ZipFile, pattern: str) -> list[str]:
    """Files whose name, or whose whole path, fits; nothing of what macOS adds."""
    return [
        name
        for name in archive.namelist()
        if not name.endswith("/")
        and not name.startswith("__MACOSX/")
        and (fnmatch.fnmatch(PurePosixPath(name).name, pattern) or fnmatch.fnmatch(name, pattern))
    ]


def _text(file: MasterFile, data: Any) -> IO[str]:
    """Text of a binary stream. Whether it is gzip is seen from its first bytes: servers and
    clients undo that on the way, or do not."""
    if data.peek(2)[:2] == _GZIP:
        data = gzip.GzipFile(fileobj=data)
    try:
        return io.TextIOWrapper(data, encoding=file.encoding, errors="replace", newline="")
    except LookupError:
        raise ConfigError(f"master file {file.path}: unknown encoding {file.encoding!r}") from None


def _csv_rows(file: MasterFile, lines: Iterable[str]) -> Iterator[Row]:
    rows = csv.reader(lines, delimiter=file.delimiter)
    header = file.header or tuple(name.strip() for name in next(rows, ()))
    width = len(header)
    for row in rows:
        if len(row) == width:
            yield dict(zip(header, row, strict=True))
        elif row:
            # Short and long rows come as far as they go: the row reader decides.
            yield dict(zip(header, row, strict=False))


def _line_rows(file: MasterFile, lines: Iterable[str]) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    for line in lines:
        if line.strip():
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise ProtocolError(f"{file.name or file.path} is damaged: {error}") from None


def _json_rows(file: MasterFile, text: IO[str]) -> Iterator[Row]:
    """The items of the array at ``file.rows`` (the outermost when empty), or the values of the
    object there (``*``) with their keys, one by one."""
    source = JsonText(text, file.name or file.path)
    header = file.header
    path, star, _ = file.rows.rpartition("*")
    if star:
        source.enter(path.rstrip("."))
        for key, value in source.fields():
            row = value if isinstance(value, dict) else {"value": value}
            row.setdefault("key", key)
            yield row
        return
    if source.peek() != "[":  # else it is the list itself
        source.enter(file.rows)
    for item in source.items():
        if isinstance(item, dict):
            yield item
        elif header and isinstance(item, list):
            yield dict(zip(header, item, strict=False))
        else:
            yield {"value": item}
