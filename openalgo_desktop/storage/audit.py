"""The audit trail: orders from the journal, everything else from its own table, as one list.

Both tables grow for years; every search is bounded by an index on time and reads page by page.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, String, insert, literal, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.model import AuditEntry
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import audit_trail, from_micros, order_journal, to_micros

_COLUMNS = ("at", "who", "what", "subject", "detail", "answer", "account_id", "mode")
#: A spreadsheet runs a cell that begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PAGE = 1000


class AuditTrail:
    """Writes never wait; ``clean`` takes secrets out of every text before it is stored."""

    def __init__(self, db: Database, clean: Callable[[str], str] = str) -> None:
        self._db = db
        self._clean = clean

    def record(self, entry: AuditEntry) -> None:
        """Store an entry behind earlier writes."""
        row = {
            "at": to_micros(entry.at),
            "who": entry.who[:100],
            "what": entry.what[:64],
            "subject": self._clean(entry.subject)[:255],
            "detail": self._clean(entry.detail),
            "answer": self._clean(entry.answer),
            "account_id": entry.account_id[:100],
            "mode": entry.mode,
        }
        self._db.write_later(lambda connection: connection.execute(insert(audit_trail), row))

    async def search(
        self,
        text: str = "",
        *,
        who: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 500,
    ) -> list[AuditEntry]:
        """Entries that contain ``text`` (any column, case does not matter) from ``start`` to
        before ``end``, newest first."""
        query = _query(text, who, start, end)
        return await self._db.read(
            lambda connection: list(_entries(connection, query.limit(limit)))
        )

    async def export_csv(
        self,
        path: Path,
        text: str = "",
        *,
        who: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> int:
        """Write what a search finds, oldest first, to a CSV file (mode 0600); returns the rows.
        Raises :class:`StorageError` when the file cannot be written."""
        query = _query(text, who, start, end, newest_first=False)

        def work(connection: Connection) -> int:
            try:
                return _write_csv(path, _entries(connection, query))
            except OSError as error:
                raise StorageError(f"{path} cannot be written: {error.strerror}.") from None

        return await self._db.read(work)


def _write_csv(path: Path, entries: Iterator[AuditEntry]) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    count = 0
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for entry in entries:
            row = [api_timestamp(entry.at), *(getattr(entry, name) for name in _COLUMNS[1:])]
            writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
            count += 1
    return count


def _query(
    text: str,
    who: str,
    start: datetime | None,
    end: datetime | None,
    *,
    newest_first: bool = True,
) -> Select[Any]:
    trail = audit_trail.c
    book = order_journal.c
    others = select(*(trail[name] for name in _COLUMNS))
    orders = select(
        book.created_at.label("at"),
        book.source.label("who"),
        (literal("order ", String) + book.kind).label("what"),
        book.order_id.label("subject"),
        book.request.label("detail"),
        (book.state + literal(" ", String) + book.message).label("answer"),
        book.account_id.label("account_id"),
        book.mode.label("mode"),
    )
    # Bounds go into both halves, where the indexes on time are.
    if start is not None:
        others = others.where(trail.at >= to_micros(start))
        orders = orders.where(book.created_at >= to_micros(start))
    if end is not None:
        others = others.where(trail.at < to_micros(end))
        orders = orders.where(book.created_at < to_micros(end))
    both = union_all(others, orders).subquery()
    query = select(both)
    if who:
        query = query.where(both.c.who == who)
    if text:
        query = query.where(_contains(both.c, text))
    return query.order_by(both.c.at.desc() if newest_first else both.c.at)


def _contains(columns: Any, text: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = columns.who.icontains(text, autoescape=True)
    for name in _COLUMNS[2:]:
        found = found | columns[name].icontains(text, autoescape=True)
    return found


def _entries(connection: Connection, query: Select[Any]) -> Iterator[AuditEntry]:
    for row in connection.execution_options(yield_per=_PAGE).execute(query):
        yield AuditEntry(from_micros(row[0]), *row[1:])
