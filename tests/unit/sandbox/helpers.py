"""A store in memory and a market that says what it is told."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key, Tick
from openalgo_desktop.core.ports import PaperRow
from openalgo_desktop.settings import SETTINGS


class MemoryStore:
    """The contract of :class:`PaperStore` in dicts; ``saves`` counts batches."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
        self.saves = 0

    async def save(self, account_id: str, rows: Mapping[str, Sequence[PaperRow]]) -> None:
        self.saves += 1
        account = self.tables.setdefault(account_id, {})
        for table, items in rows.items():
            for row in items:
                if row.data is None:
                    account.get(table, {}).pop(row.key, None)
                else:
                    account.setdefault(table, {})[row.key] = copy.deepcopy(row.data)

    async def load(self, account_id: str) -> dict[str, list[dict[str, Any]]]:
        account = self.tables.get(account_id, {})
        return {name: copy.deepcopy(list(rows.values())) for name, rows in account.items()}

    async def clear(self, account_id: str, tables: Sequence[str]) -> None:
        for table in tables:
            self.tables.get(account_id, {}).pop(table, None)


class Market:
    """A tick source by hand: ``set`` changes the quote, ``tick`` also sends it to watchers."""

    def __init__(self) -> None:
        self.quotes: dict[Key, Tick] = {}
        self.watchers: dict[Key, list[Callable[[Tick], None]]] = {}

    def set(self, key: Key, ltp: float, **more: Any) -> Tick:
        tick = Tick(key[1], key[0], ltp, mode=FeedMode.QUOTE, **more)
        self.quotes[key] = tick
        return tick

    def tick(self, key: Key, ltp: float, **more: Any) -> None:
        self.send(self.set(key, ltp, **more))

    def send(self, tick: Tick) -> None:
        for listener in tuple(self.watchers.get(tick.key, ())):
            listener(tick)

    def latest(self, key: Key) -> Tick | None:
        return self.quotes.get(key)

    def watch(
        self, key: Key, mode: FeedMode, listener: Callable[[Tick], None]
    ) -> Callable[[], None]:
        self.watchers.setdefault(key, []).append(listener)

        def stop() -> None:
            self.watchers[key].remove(listener)
            if not self.watchers[key]:
                del self.watchers[key]

        return stop

    async def snapshot(self, key: Key) -> Tick:
        if key not in self.quotes:
            raise DataError("no quote")
        return self.quotes[key]


def settings(**changes: Any) -> dict[str, Any]:
    """Default settings with some of ``sandbox.*`` changed (``key="value"`` without the prefix)."""
    values = {key: row.default for key, row in SETTINGS.items()}
    values.update({f"sandbox.{key}": value for key, value in changes.items()})
    return values


def one(items: Iterable[Any]) -> Any:
    """The only item."""
    (item,) = items
    return item
