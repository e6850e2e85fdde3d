"""Bars on disk: one file for each source, instrument and interval.

A file is a row of blocks, each with a head (how many bars, for which times they are all there are,
checksum) and its bars. Blocks are only added, so a program that is killed meanwhile leaves at most
a torn last one, which its length or checksum gives away; it is cut off. A block that is spoilt
anywhere else costs the file. Later blocks win over earlier ones.
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np

from openalgo_desktop.config.private import open_private
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.bars.cover import Range, united
from openalgo_desktop.research.bars.tables import (
    ROW_BYTES,
    columns,
    merged,
    part,
    replaced,
)

log = logging.getLogger(__name__)

_MAGIC = b"OBR1"
#: Mark, checksum of the rest, number of bars, covered from and before.
_HEAD = struct.Struct("<4sIQqq")
_CHECKED = 8  # bytes of the head before what the checksum covers
#: More blocks than this are made one when the file is read.
_MANY = 64
SUFFIX = ".bars"
#: What is left when the largest size is reached, share of it: not a file is removed at each write.
_KEPT_SHARE = 0.9


class SeriesName(NamedTuple):
    """Whose bars: source, exchange, symbol, interval."""

    source: str
    exchange: str
    symbol: str
    span: str

    @property
    def path(self) -> Path:
        """Its file below the folder of all. Symbols have ``&``, spaces and slashes; systems have
        names that no file may bear, none of them with an ``@``."""
        name = f"{quote(self.symbol, safe='')}@{self.span}{SUFFIX}"
        return Path(quote(self.source, safe=""), quote(self.exchange, safe=""), name)


class Content(NamedTuple):
    """What a file has: bars, the times for which they are all there are, and its good bytes."""

    bars: Bars
    known: tuple[Range, ...]
    size: int


_NOTHING = Content(Bars.empty(), (), 0)


def block(bars: Bars, start: int, end: int) -> bytes:
    """A block of the file: all bars there are in ``start <= time < end``."""
    data = b"".join(
        np.ascontiguousarray(column, dtype=kind).tobytes()
        for column, kind in zip(columns(bars), _KINDS, strict=True)
    )
    head = _HEAD.pack(_MAGIC, 0, len(bars), start, end)[_CHECKED:]
    return _MAGIC + struct.pack("<I", zlib.crc32(data, zlib.crc32(head))) + head + data


_KINDS = ("<i8", "<f8", "<f8", "<f8", "<f8", "<i8", "<i8")


class BarFiles:
    """The files below ``folder``. Blocking calls, for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._total = -1  # bytes of all files; not counted yet

    # -- reading ----------------------------------------------------------------------------
    def read(self, name: SeriesName) -> Content:
        """What is kept of ``name``. A file that is spoilt is removed, which the log says."""
        path = self._folder / name.path
        try:
            raw = path.read_bytes()
            os.utime(path)  # files that are not used go first
        except FileNotFoundError:
            return _NOTHING
        except OSError as error:
            log.warning("bars of %s cannot be read from %s: %s", name.symbol, path, error)
            return _NOTHING
        found = _parse(raw)
        if found is None:
            log.warning(
                "%s is damaged; the bars of %s %s in it are asked from %s again",
                path,
                name.symbol,
                name.span,
                name.source,
            )
            self.remove(name)
            return _NOTHING
        content, blocks = found
        if blocks > _MANY:
            return self._rewrite(path, content)
        if content.size < len(raw):
            self._cut(path, content.size)
        return content

    def _cut(self, path: Path, size: int) -> None:
        try:
            os.truncate(path, size)
            log.info("the end of %s was never finished; it is cut off", path)
        except OSError as error:
            log.warning("%s has a torn end that cannot be cut off: %s", path, error)

    def _rewrite(self, path: Path, content: Content) -> Content:
        """All blocks as few as there are ranges, in a new file that takes the old one's place."""
        raw = b"".join(
            block(part(content.bars, start, end), start, end) for start, end in content.known
        )
        partial = path.with_name(path.name + ".partial")
        try:
            descriptor = open_private(partial, os.O_WRONLY | os.O_TRUNC)
            with os.fdopen(descriptor, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            log.warning("%s could not be made smaller: %s", path, error)
            return content
        self._total = -1
        return content._replace(size=len(raw))

    # -- writing ----------------------------------------------------------------------------
    def append(self, name: SeriesName, raw: bytes) -> None:
        """Add blocks. Raises :class:`OSError`; then the file is as before."""
        path = self._folder / name.path
        if self._total < 0:
            self._total = sum(size for _, size, _ in self._files())
        for folder in (self._folder, *(self._folder / above for above in _above(name.path))):
            folder.mkdir(0o700, exist_ok=True)
        descriptor = open_private(path, os.O_WRONLY | os.O_APPEND)
        try:
            before = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, raw)
            except OSError:
                os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)
        self._total += len(raw)

    def remove(self, name: SeriesName) -> None:
        """Forget what is kept of ``name``."""
        self._unlink(self._folder / name.path)

    def shrink(self, most: int) -> None:
        """Remove the files that were not used for the longest time while all together have more
        than ``most`` bytes."""
        if self._total <= most:
            return
        files = sorted(self._files())
        self._total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if self._total <= most * _KEPT_SHARE:
                break
            if self._unlink(path):
                self._total -= size

    def _unlink(self, path: Path) -> bool:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be removed: %s", path, error)
            return False
        return True

    def _files(self) -> list[tuple[float, int, Path]]:
        """Time of the last use, size and path of each."""
        found = []
        for path in self._folder.rglob(f"*{SUFFIX}"):
            try:
                facts = path.lstat()
            except OSError:
                continue
            found.append((facts.st_mtime, facts.st_size, path))
        return found


def _above(path: Path) -> list[Path]:
    return [parent for parent in reversed(path.parents) if parent != Path()]


def _write_all(descriptor: int, raw: bytes) -> None:
    rest = memoryview(raw)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _parse(raw: bytes) -> tuple[Content, int] | None:
    """The content and its number of blocks; None for a file that is spoilt before its end."""
    parts: list[Bars] = []
    known: list[Range] = []
    at = 0
    while at < len(raw):
        if len(raw) - at < _HEAD.size:
            break
        mark, checksum, count, start, end = _HEAD.unpack_from(raw, at)
        after = at + _HEAD.size + count * ROW_BYTES
        if mark != _MAGIC or after > len(raw):
            if mark == _MAGIC or not any(raw[at:]):  # torn, or blank space that a crash left
                break
            return None
        if zlib.crc32(memoryview(raw)[at + _CHECKED : after]) != checksum:
            if after == len(raw):
                break
            return None
        bars = _bars(raw, at + _HEAD.size, count)
        if any(first < end and start < last for first, last in known):
            parts = [replaced(merged(parts), bars, start, end)]
        else:
            parts.append(bars)
        known.append((start, end))
        at = after
    return Content(merged(parts), united(known), at), len(known)


def _bars(raw: bytes, at: int, count: int) -> Bars:
    found = []
    for kind in _KINDS:
        found.append(np.frombuffer(raw, kind, count, at))
        at += 8 * count
    return Bars(*found)
