"""Rows of books as JSON, kept ready and served in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from openalgo_desktop.core.enums import Mode

R = TypeVar("R")

#: Rows that are looked up, and rows that are encoded, before other work gets its turn; about 1 ms.
_CHUNK, _FRESH = 2000, 200
_encode = msgspec.json.Encoder().encode


class _Ready(msgspec.Struct, gc=False):  # thousands: the garbage collector must not walk them
    row: Any
    text: bytes
    missing: Hashable


class ReadyRows(Generic[R]):
    """A row is encoded once for each state of what it shows, however many clients read the book.

    ``key`` identifies a row, ``make`` gives its shape in the API. ``missing`` tells of a row that
    others may yet complete in its place what is filled in so far, and of a complete one None.
    """

    def __init__(
        self,
        key: Callable[[R], Hashable],
        make: Callable[[R, Mode], Any],
        missing: Callable[[R], Hashable] = lambda row: None,
    ) -> None:
        self._key = key
        self._make = make
        self._missing = missing
        self._ready: dict[Mode, dict[Hashable, _Ready]]
        self.forget()

    def learn(self, row: R, mode: Mode) -> None:
        """A row is new or has changed: make it ready now, a few microseconds, so that who reads
        the book next does not wait for all that happened before."""
        self._ready[mode][self._key(row)] = self._made(row, mode)

    def _made(self, row: R, mode: Mode) -> _Ready:
        return _Ready(row, _encode(self._make(row, mode)), self._missing(row))

    def forget(self) -> None:
        """Nothing is ready any more."""
        self._ready = {mode: {} for mode in Mode}

    async def encoded(
        self,
        rows: Sequence[R],
        mode: Mode,
        each: Callable[[Sequence[R]], None] = lambda part: None,
    ) -> list[bytes]:
        """The rows with commas between them, in pieces; others get the loop in between. ``each``
        sees every part of the rows in passing."""
        ready, key, missing = self._ready[mode], self._key, self._missing
        pieces: list[bytes] = []
        first = 0
        while first < len(rows):
            fresh, used = _FRESH, list[bytes]()
            for row in rows[first : first + _CHUNK]:
                name = key(row)
                known = ready.get(name)
                if (
                    known is None
                    or (known.row is not row and known.row != row)
                    or (known.missing is not None and known.missing != missing(row))
                ):
                    if not fresh:
                        break
                    fresh -= 1
                    known = ready[name] = self._made(row, mode)
                used.append(known.text)
            each(rows[first : first + len(used)])
            first += len(used)
            pieces.append(b",".join(used) + (b"," if first < len(rows) else b""))
            await asyncio.sleep(0)
        if len(ready) > 2 * len(rows) + _CHUNK:  # rows of earlier sessions and accounts
            self._ready[mode] = {}
        return pieces
