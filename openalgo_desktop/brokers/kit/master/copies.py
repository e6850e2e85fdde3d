"""Copies of a symbol master on disk: which is good, and what is strange about a new one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from openalgo_desktop.brokers.kit.master.reading import Counts
from openalgo_desktop.core.clock import IST

_NOTE: Final = "copy.json"
_DOUBT: Final = "doubt.json"
#: Two downloads are alike when the rows of a file differ by less than this part.
_ALIKE: Final = 0.1
#: Dates in names of listed files.
_DATES: Final = re.compile(r"\d{4,}(?:-\d\d){0,2}")


class MasterCopy(msgspec.Struct, frozen=True):
    """What is known of a copy on disk: instruments in all, and by file."""

    downloaded_at: datetime
    rows: int
    counts: Counts = {}


class Doubt(msgspec.Struct, frozen=True):
    """Files of a download that was not taken over (``Shrunk.key``), with their instruments."""

    since: datetime
    files: dict[str, int]


class Shrunk(msgspec.Struct, frozen=True):
    """A file that has at least a third fewer instruments than before. ``key`` is its name without
    a date: files of a list may be called otherwise every day."""

    key: str
    file: str
    before: int
    now: int

    def text(self) -> str:
        """``NSE.csv has only 1,200 instruments after 2,400 (50 % fewer)``."""
        fewer = 100 * (self.before - self.now) / self.before
        return (
            f"{self.file} has only {self.now:,} instruments after {self.before:,} "
            f"({fewer:.0f} % fewer)"
        )


def shrunk(before: MasterCopy, counts: Counts) -> list[Shrunk]:
    """The files of a new download that shrank by a third or more, or are gone. Files that the
    program no longer asks for do not count."""
    if not before.counts:  # of an earlier version of the program
        now = sum(n for pieces in counts.values() for n in pieces.values())
        return _fewer("The symbol master", {"": before.rows}, {"": now})
    found = []
    for label, old in before.counts.items():
        if label in counts:
            found += _fewer(label, old, counts[label])
    return found


def _fewer(label: str, before: Mapping[str, int], now: Mapping[str, int]) -> list[Shrunk]:
    old, new = _undated(before), _undated(now)
    names = {_DATES.sub("", piece): piece for piece in before}
    return [
        Shrunk(f"{label}/{key}", names[key] or label, rows, left)
        for key, rows in old.items()
        if 3 * (rows - (left := new.get(key, 0))) >= rows > 0
    ]


def _undated(pieces: Mapping[str, int]) -> dict[str, int]:
    """Instruments by the names of pieces without dates."""
    found: dict[str, int] = {}
    for piece, rows in pieces.items():
        key = _DATES.sub("", piece)
        found[key] = found.get(key, 0) + rows
    return found


def confirmed(doubt: Doubt | None, found: list[Shrunk], due: datetime, *, anew: bool) -> bool:
    """Whether files came twice alike: in an earlier download that was doubted, of a day before
    ``due`` (the time of today's master) unless one was asked for (``anew``), and now."""
    if doubt is None or not (anew or doubt.since < due):
        return False
    return all(
        file.key in doubt.files
        and abs(doubt.files[file.key] - file.now) <= _ALIKE * max(doubt.files[file.key], file.now)
        for file in found
    )


# -- on disk; in a thread -------------------------------------------------------------------
def newest(folder: Path) -> tuple[Path | None, MasterCopy | None]:
    """The last good copy."""
    for place in sorted(folder.glob("*"), reverse=True):
        try:
            note = (place / _NOTE).read_bytes()
            return place, msgspec.json.decode(note, type=MasterCopy)
        except (OSError, msgspec.MsgspecError):
            continue  # a download that did not come to its end
    return None, None


def new_place(folder: Path, now: datetime) -> Path:
    """An empty folder whose name sorts by time."""
    moment = now.astimezone(IST)
    while True:
        place = folder / moment.strftime("%Y%m%d-%H%M%S-%f")
        try:
            place.mkdir(parents=True)
        except FileExistsError:
            moment += timedelta(microseconds=1)
            continue
        return place


def keep(place: Path, copy: MasterCopy) -> None:
    """Make a new copy the last good one: the note is written last. Others are removed."""
    _write(place / _NOTE, msgspec.json.encode(copy))
    for other in place.parent.glob("*"):
        if other != place:
            shutil.rmtree(other, ignore_errors=True)


def doubt_of(place: Path) -> Doubt | None:
    """What was doubted of a download since this copy became the last good one."""
    try:
        return msgspec.json.decode((place / _DOUBT).read_bytes(), type=Doubt)
    except (OSError, msgspec.MsgspecError):
        return None


def note_doubt(place: Path, found: list[Shrunk], now: datetime) -> None:
    """Remember what is strange, beside the copy that stays. The first time counts where it is the
    same again."""
    known = doubt_of(place)
    since = known.since if known and confirmed(known, found, now, anew=True) else now
    doubt = Doubt(since, {file.key: file.now for file in found})
    _write(place / _DOUBT, msgspec.json.encode(doubt))


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
