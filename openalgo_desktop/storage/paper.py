"""Durable state of paper accounts (:class:`PaperStore`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from openalgo_desktop.core.ports import PaperRow
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import paper_rows, upsert

_TABLE = paper_rows
_KEYS = ("account_id", "name", "key")


class PaperRepository:
    """Rows of all paper accounts in one table; ``load`` gives them in order of first save."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, account_id: str, rows: Mapping[str, Sequence[PaperRow]]) -> None:
        """Put (or delete, where ``data`` is None) rows per table; returns when committed."""

        def work(connection: Connection) -> None:
            puts: list[dict[str, Any]] = []
            for name, items in rows.items():
                for item in items:
                    if item.data is None:
                        gone = _same(account_id, name, item.key)
                        connection.execute(_TABLE.delete().where(*gone))
                        continue
                    data = item.data.decode()
                    puts.append(
                        {"account_id": account_id, "name": name, "key": item.key, "data": data}
                    )
            upsert(connection, _TABLE, _KEYS, puts)

        await self._db.write(work)

    async def rehearse(self) -> None:
        """Make the statements of :meth:`save` ready; nothing is stored."""
        row = {"account_id": "rehearsal", "name": "", "key": "", "data": "{}"}
        # Two rows, since many are written in another way than one.
        rows = [row, row | {"key": "-"}]
        await self._db.rehearse(lambda connection: upsert(connection, _TABLE, _KEYS, rows))

    async def load(self, account_id: str) -> dict[str, list[dict[str, Any]]]:
        """All rows of an account by table."""
        query = (
            select(_TABLE.c.name, _TABLE.c.data)
            .where(_TABLE.c.account_id == account_id)
            .order_by(_TABLE.c.id)
        )

        def work(connection: Connection) -> dict[str, list[dict[str, Any]]]:
            tables: dict[str, list[dict[str, Any]]] = {}
            for row in connection.execute(query):
                tables.setdefault(row.name, []).append(msgspec.json.decode(row.data))
            return tables

        return await self._db.read(work)

    async def clear(self, account_id: str, tables: Sequence[str]) -> None:
        """Delete all rows of these tables of the account."""
        statement = _TABLE.delete().where(
            _TABLE.c.account_id == account_id, _TABLE.c.name.in_(list(tables))
        )
        await self._db.write(lambda connection: connection.execute(statement).rowcount)


def _same(account_id: str, name: str, key: str) -> tuple[Any, ...]:
    return (_TABLE.c.account_id == account_id, _TABLE.c.name == name, _TABLE.c.key == key)
