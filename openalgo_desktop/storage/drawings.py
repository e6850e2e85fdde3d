"""Drawings on charts: one value for each symbol; they survive the program."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec

from openalgo_desktop.core.charting.drawings.book import Document
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.storage.state import KeyValueStore

log = logging.getLogger(__name__)

SCOPE, ASIDE = "chart-drawings", "chart-drawings-damaged"
#: A symbol's drawings are written when they have rested so long, seconds.
REST = 0.5


class DrawingRepository:
    """Writes what changed when the hand rests; :meth:`stop` writes the rest."""

    def __init__(self, state: KeyValueStore) -> None:
        self._state = state
        self._due: dict[str, Document] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def load(self) -> dict[str, bytes]:
        """The saved values by symbol, not decoded yet."""
        return await self._state.texts(SCOPE)

    def save(self, name: str, document: Document) -> None:
        """Write a symbol's drawings soon; none forgets the symbol."""
        self._due[name] = document
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(REST, self._write)

    def keep_aside(self, name: str, text: bytes) -> None:
        """Keep a value that cannot be read, so that saving does not end it."""
        self._state.put_later(ASIDE)(name, text.decode(errors="replace"))

    def _write(self) -> None:
        self._timer = None
        due, self._due = self._due, {}
        for name, document in due.items():
            if document.drawings:
                self._state.put_later(SCOPE)(name, msgspec.to_builtins(document))
            else:
                self._state.forget_later(SCOPE)(name)

    async def stop(self) -> None:
        """Write what is due; returns when it is durable."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due, self._due = self._due, {}
        waits: list[Any] = []
        for name, document in due.items():
            if document.drawings:
                waits.append(self._state.put(SCOPE, name, msgspec.to_builtins(document)))
            else:
                waits.append(self._state.delete(SCOPE, name))
        try:
            await asyncio.gather(*waits)
        except StorageError as error:
            log.error("the last drawings are not stored: %s", error)
