"""Which commands linked chats sent: kept, bounded, without codes."""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime

import msgspec

from openalgo_desktop.automation.telegram.ports import Store
from openalgo_desktop.core.telegram import CommandRow

log = logging.getLogger(__name__)

SCOPE = "telegram.commands"
#: Commands that are kept, and letters of the arguments of one.
MAX_ROWS, MAX_TEXT = 2000, 80


class History:
    """The last commands of all chats."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: deque[tuple[str, CommandRow]] = deque()  # oldest first, with their keys
        self._next = 0

    async def load(self) -> None:
        """Take up what earlier runs kept."""
        for key, value in sorted((await self._store.all(SCOPE)).items()):
            try:
                self._rows.append((key, msgspec.convert(value, CommandRow)))
            except msgspec.ValidationError as error:
                log.warning("a command of the bot's history cannot be read: %s", error)
        if self._rows:
            self._next = int(self._rows[-1][0]) + 1

    def add(self, row: CommandRow) -> None:
        """Keep a command; the oldest of too many goes."""
        row = msgspec.structs.replace(
            row, arguments=row.arguments[:MAX_TEXT], outcome=row.outcome[:MAX_TEXT]
        )
        key = f"{self._next:012d}"
        self._next += 1
        self._rows.append((key, row))
        self._store.put_later(SCOPE)(key, msgspec.to_builtins(row))
        while len(self._rows) > MAX_ROWS:
            self._store.forget_later(SCOPE)(self._rows.popleft()[0])

    def since(self, moment: datetime) -> list[CommandRow]:
        """Those since then, oldest first."""
        return [row for _, row in self._rows if row.at >= moment]
