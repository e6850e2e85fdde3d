"""Small JSON values by scope and key: settings, workspaces, watch lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import select

from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import key_values, upsert

_TABLE = key_values
_KEYS = ("scope", "key")


class KeyValueStore:
    """JSON values; reads see what is committed (a ``put_later`` a moment later)."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def all(self, scope: str) -> dict[str, Any]:
        """Every value of a scope."""
        query = select(_TABLE.c.key, _TABLE.c.value).where(_TABLE.c.scope == scope)
        rows = await self._db.read(lambda connection: connection.execute(query).all())
        return {row.key: msgspec.json.decode(row.value) for row in rows}

    async def get(self, scope: str, key: str) -> Any:
        """One value, or None."""
        query = select(_TABLE.c.value).where(_TABLE.c.scope == scope, _TABLE.c.key == key)
        text = await self._db.read(lambda connection: connection.execute(query).scalar())
        return None if text is None else msgspec.json.decode(text)

    async def put(self, scope: str, key: str, value: Any) -> None:
        """Store a JSON value; returns when it is durable."""
        await self.putting(scope, key, value)

    def putting(self, scope: str, key: str, value: Any) -> asyncio.Future[Any]:
        """As :meth:`put`, for who goes on meanwhile; errors come by the future."""
        row = _row(scope, key, value)
        return self._db.writing(lambda connection: upsert(connection, _TABLE, _KEYS, [row]))

    def put_later(self, scope: str) -> Callable[[str, Any], None]:
        """A call that stores ``(key, value)`` in ``scope`` without waiting."""

        def put(key: str, value: Any) -> None:
            row = _row(scope, key, value)
            self._db.write_later(lambda connection: upsert(connection, _TABLE, _KEYS, [row]))

        return put

    def forget_later(self, scope: str) -> Callable[[str], None]:
        """A call that forgets ``key`` of ``scope`` without waiting."""

        def forget(key: str) -> None:
            statement = _TABLE.delete().where(_TABLE.c.scope == scope, _TABLE.c.key == key)
            self._db.write_later(lambda connection: connection.execute(statement).rowcount)

        return forget

    async def delete(self, scope: str, key: str) -> None:
        """Forget a value; nothing when there is none."""
        statement = _TABLE.delete().where(_TABLE.c.scope == scope, _TABLE.c.key == key)
        await self._db.write(lambda connection: connection.execute(statement).rowcount)


def _row(scope: str, key: str, value: Any) -> dict[str, str]:
    return {"scope": scope, "key": key, "value": msgspec.json.encode(value).decode()}
