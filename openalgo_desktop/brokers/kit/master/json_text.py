"""A JSON text that is read piece by piece: large answers whose rows are wanted one at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from openalgo_desktop.core.errors import ProtocolError

_BLOCK = 1 << 16
#: No row, and nothing that lies before the rows, is longer: what is, is no list of rows.
_MOST = 1 << 20
_BLANKS = re.compile(r"[\s,]*")
#: The inside of a string, escapes included, as far as it goes.
_INSIDE = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)


class JsonText:
    """A cursor in a JSON text; ``what`` names the text in errors, all :class:`ProtocolError`."""

    def __init__(self, text: IO[str], what: str) -> None:
        self._text = text
        self._what = what
        self._buffer = ""
        self._at = 0

    def peek(self) -> str:
        """The next character that is no blank and no comma; empty at the end."""
        while True:
            at = _BLANKS.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            self._at = at
            if at < len(self._buffer):
                return self._buffer[at]
            if not self._more():
                return ""

    def value(self) -> Any:
        """The value at the cursor, which goes behind it."""
        self.peek()
        while True:
            try:
                value, at = _DECODER.raw_decode(self._buffer, self._at)
            except ValueError:
                at = -1
            # A number at the end of a block may go on in the next.
            if at >= 0 and (at < len(self._buffer) or not self._more()):
                self._at = at
                return value
            if at < 0 and (len(self._buffer) - self._at > _MOST or not self._more()):
                raise ProtocolError(f"{self._what} ends inside a row")

    def enter(self, path: str) -> None:
        """Go to the value at a dotted path from here."""
        for part in path.split(".") if path else ():
            if not self._found(part):
                raise ProtocolError(f"{self._what}: nothing at {path!r} in the answer")

    def _found(self, part: str) -> bool:
        if self.peek() != "{":
            return False
        self._at += 1
        while self.peek() == '"':
            key = self._key()
            if key == part:
                return True
            self.value()
        return False

    def _key(self) -> Any:
        key = self.value()
        if self.peek() == ":":
            self._at += 1
        return key

    def items(self) -> Iterator[Any]:
        """The items of the array at the cursor."""
        if self.peek() != "[":
            raise ProtocolError(f"{self._what}: no list of rows in it")
        self._at += 1
        blanks, decode = _BLANKS.match, _DECODER.scan_once  # type: ignore[attr-defined]
        while True:
            # The way of nearly all: an item that lies in the buffer as a whole.
            buffer = self._buffer
            try:
                value, at = decode(buffer, blanks(buffer, self._at).end())  # type: ignore[union-attr]
            except (ValueError, StopIteration):
                at = len(buffer)
            if at == len(buffer):
                if self.peek() == "]":
                    return
                value = self.value()
            else:
                self._at = at
            yield value

    def fields(self) -> Iterator[tuple[str, Any]]:
        """Keys and values of the object at the cursor."""
        if self.peek() != "{":
            raise ProtocolError(f"{self._what}: no table of rows in it")
        self._at += 1
        while self.peek() != "}":
            yield str(self._key()), self.value()

    def lines_at(self, path: str) -> Iterator[str]:
        """The lines of the text at a path, without their ends."""
        self.enter(path)
        if self.peek() != '"':
            raise ProtocolError(f"{self._what}: no text at {path!r} in the answer")
        self._at += 1
        while True:
            end = _INSIDE.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            whole = end < len(self._buffer) and self._buffer[end] == '"'
            if not whole:
                end = self._last_line(end)
            if end > self._at:
                piece = _DECODER.decode(f'"{self._buffer[self._at : end]}"')
                yield from piece.removesuffix("\n").split("\n")
                self._at = end
            if whole:
                return
            if len(self._buffer) - self._at > _MOST or not self._more():
                raise ProtocolError(f"{self._what} ends inside its text")

    def _last_line(self, end: int) -> int:
        """Behind the last escaped line end before ``end``: there the text can be cut."""
        buffer, at = self._buffer, end
        while (at := buffer.rfind("\\n", self._at, at)) >= 0:
            start = at
            while start > self._at and buffer[start - 1] == "\\":
                start -= 1
            if (at - start) % 2 == 0:  # the backslash is not itself escaped
                return at + 2
        return self._at

    def _more(self) -> bool:
        """Read a block; what is before the cursor is dropped. False at the end."""
        block = self._text.read(_BLOCK)
        self._buffer, self._at = self._buffer[self._at :] + block, 0
        return bool(block)
