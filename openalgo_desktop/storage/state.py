"""Small JSON values by scope and key: settings, workspaces, watch lists."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import select

from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.storage.database import Database, Work
from openalgo_desktop.storage.tables import key_values, upsert

log = logging.getLogger(__name__)
_Place: TypeAlias = tuple[str, str]  # scope and key
#: A write that nobody waits for and the disk did not take comes again after so long; seconds.
RETRY = 2.0

_TABLE = key_values
_KEYS = ("scope", "key")


class KeyValueStore:
    """JSON values; reads see what is committed (a ``put_later`` a moment later)."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._later: dict[_Place, Work[Any]] = {}  # by place: what nobody waits for, the newest
        #: What a write that somebody waits for took the place of; it comes back where that fails.
        self._replaced: dict[_Place, tuple[Work[Any], asyncio.Future[Any]]] = {}

    async def all(self, scope: str) -> dict[str, Any]:
        """Every value of a scope."""
        query = select(_TABLE.c.key, _TABLE.c.value).where(_TABLE.c.scope == scope)
        rows = await self._db.read(lambda connection: connection.execute(query).all())
        return {row.key: msgspec.json.decode(row.value) for row in rows}

    async def texts(self, scope: str) -> dict[str, bytes]:
        """Every value of a scope as it stands, for who decodes each when it is needed."""
        query = select(_TABLE.c.key, _TABLE.c.value).where(_TABLE.c.scope == scope)
        rows = await self._db.read(lambda connection: connection.execute(query).all())
        return {row.key: row.value.encode() for row in rows}

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
        return self.putting_all(scope, {key: value})

    def putting_all(self, scope: str, values: Mapping[str, Any]) -> asyncio.Future[Any]:
        """The same for several values, in one write."""
        rows = [_row(scope, key, value) for key, value in values.items()]
        done = self._db.writing(lambda connection: upsert(connection, _TABLE, _KEYS, rows))
        self._replace([(scope, key) for key in values], done)
        return done

    def _replace(self, places: Sequence[_Place], done: asyncio.Future[Any]) -> None:
        for place in places:
            older, _ = self._replaced.get(place, (None, done))
            work = self._later.pop(place, older)
            if work is not None:
                self._replaced[place] = work, done
        if self._replaced:
            done.add_done_callback(lambda done: self._put(places, done))

    def _put(self, places: Sequence[_Place], done: asyncio.Future[Any]) -> None:
        """What waited for the disk when a newer value came waits on where that one was refused:
        else a yet older one would stay there."""
        refused = not done.cancelled() and isinstance(done.exception(), StorageError)
        for place in places:
            work, newest = self._replaced.get(place, (None, done))
            if work is None or (refused and newest is not done):
                continue
            del self._replaced[place]
            if refused and place not in self._later and self._db.is_open:
                self._write(place, work)

    def put_later(self, scope: str) -> Callable[[str, Any], None]:
        """A call that stores ``(key, value)`` in ``scope`` without waiting; what the disk does not
        take is tried again."""

        def put(key: str, value: Any) -> None:
            row = _row(scope, key, value)
            self._write((scope, key), lambda connection: upsert(connection, _TABLE, _KEYS, [row]))

        return put

    def forget_later(self, scope: str) -> Callable[[str], None]:
        """A call that forgets ``key`` of ``scope`` without waiting."""

        def forget(key: str) -> None:
            statement = _TABLE.delete().where(_TABLE.c.scope == scope, _TABLE.c.key == key)
            self._write((scope, key), lambda connection: connection.execute(statement).rowcount)

        return forget

    def _write(self, place: _Place, work: Work[Any]) -> None:
        self._later[place] = work
        self._db.writing(work).add_done_callback(lambda done: self._written(place, work, done))

    def _written(self, place: _Place, work: Work[Any], done: asyncio.Future[Any]) -> None:
        if self._later.get(place) is not work:  # there is something newer
            return
        error = None if done.cancelled() else done.exception()
        if isinstance(error, StorageError) and self._db.is_open:
            asyncio.get_running_loop().call_later(RETRY, self._again, place, work)
            return
        del self._later[place]
        if error is not None:
            log.error("%s of %s is not stored: %s", place[1], place[0], error)

    def _again(self, place: _Place, work: Work[Any]) -> None:
        if self._later.get(place) is work and self._db.is_open:
            self._write(place, work)

    async def delete(self, scope: str, key: str) -> None:
        """Forget a value; nothing when there is none."""
        self._later.pop((scope, key), None)
        self._replaced.pop((scope, key), None)
        statement = _TABLE.delete().where(_TABLE.c.scope == scope, _TABLE.c.key == key)
        await self._db.write(lambda connection: connection.execute(statement).rowcount)


def _row(scope: str, key: str, value: Any) -> dict[str, str]:
    return {"scope": scope, "key": key, "value": msgspec.json.encode(value).decode()}
