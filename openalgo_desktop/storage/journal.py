"""The order journal (:class:`OrderJournal`): every order write, durable before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, insert, or_, select, update

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import JournalState, Mode
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import OPEN_STATES, from_micros, order_journal, to_micros

_TABLE = order_journal
_OPEN = (JournalState.INTENT.value, JournalState.UNKNOWN.value)
_INSERT = insert(_TABLE)
# What is known of an order only grows: an acknowledgement is never taken back by a slower
# witness, and "unknown" never covers an answer.
_SETTLE = (
    update(_TABLE)
    .where(
        _TABLE.c.tag == bindparam("b_tag"),
        _TABLE.c.state != JournalState.ACKNOWLEDGED.value,
        or_(
            _TABLE.c.state.in_(_OPEN),
            bindparam("b_state") == JournalState.ACKNOWLEDGED.value,
        ),
    )
    .values(
        state=bindparam("b_state"),
        message=bindparam("b_message"),
        updated_at=bindparam("b_updated_at"),
    )
)  # made once: building it costs more on the loop than the rest of an answer
_SETTLE_AS = _SETTLE.values(order_id=bindparam("b_order_id"))


#: Seconds that an intent waits for the rows of its order, which follow in the same moment.
_SHARED = 0.005
#: Seconds that an answer may wait for another commit: without its row the order book tells.
_ANSWER = 0.05


class Journal:
    """Rows stay for years; settled ones are the audit trail of orders."""

    def __init__(self, db: Database, clock: Clock, clean: Callable[[str], str] = str) -> None:
        self._db = db
        self._clock = clock
        self._clean = clean  # takes secrets out of a broker's texts

    async def rehearse(self) -> None:
        """Make the statements of an order ready; nothing is stored."""
        intent = {
            "tag": "rehearsal", "kind": "", "account_id": "", "mode": "", "source": "",
            "request": "{}", "created_at": 0, "order_id": "", "state": "", "message": "",
            "updated_at": None,
        }  # fmt: skip
        answer = {
            "b_tag": "rehearsal", "b_state": "", "b_message": "", "b_updated_at": 0,
            "b_order_id": "",
        }  # fmt: skip

        def work(connection: Connection) -> None:
            connection.execute(_INSERT, intent)
            connection.execute(_SETTLE_AS, answer)

        await self._db.rehearse(work)

    @property
    def well(self) -> bool:
        """Whether the database could store what it was given last."""
        return self._db.well

    def intent(self, entry: JournalEntry, *, shared: bool = False) -> asyncio.Future[int]:
        """Store the intent; done when it is durable. Intents of one burst share a commit, and
        a ``shared`` one takes that of the rows which are about to be written because of it."""
        row = {
            "tag": entry.tag,
            "kind": entry.kind,
            "account_id": entry.account_id,
            "mode": entry.mode.value,
            "source": entry.source,
            "request": msgspec.json.encode(entry.request).decode(),
            "created_at": to_micros(entry.created_at),
            "order_id": entry.order_id,
            "state": entry.state.value,
            "message": self._clean(entry.message),
            "updated_at": None,
        }
        return self._db.writing(
            lambda connection: connection.execute(_INSERT, row).rowcount,
            patience=_SHARED if shared else 0.0,
        )

    def settle(
        self, tag: str, state: JournalState, order_id: str = "", message: str = ""
    ) -> asyncio.Future[int]:
        """Say what became of an intent. An empty ``order_id`` keeps the one known."""
        bound = {
            "b_tag": tag,
            "b_state": state.value,
            "b_message": self._clean(message),
            "b_updated_at": to_micros(self._clock.now()),
        }
        statement = _SETTLE
        if order_id:
            statement, bound["b_order_id"] = _SETTLE_AS, order_id
        return self._db.writing(
            lambda connection: connection.execute(statement, bound).rowcount, patience=_ANSWER
        )

    async def open_entries(self) -> list[JournalEntry]:
        """Entries in state intent or unknown, oldest first."""
        return await self._select(
            select(_TABLE).where(OPEN_STATES).order_by(_TABLE.c.created_at, _TABLE.c.tag)
        )

    async def find(self, tag: str) -> JournalEntry | None:
        """The entry of a tag."""
        found = await self._select(select(_TABLE).where(_TABLE.c.tag == tag))
        return found[0] if found else None

    async def placed(self, account_id: str, order_ids: Sequence[str]) -> set[str]:
        """Those of ``order_ids`` that a *place* of the account already owns."""
        query = select(_TABLE.c.order_id).where(
            _TABLE.c.account_id == account_id,
            _TABLE.c.kind == "place",
            _TABLE.c.order_id.in_(list(order_ids)),
        )
        return await self._db.read(lambda connection: set(connection.execute(query).scalars()))

    async def of_orders(
        self, account_id: str, order_ids: Sequence[str], tags: Sequence[str]
    ) -> list[JournalEntry]:
        """Entries of the account with one of these order ids or tags, oldest first."""
        rows: dict[str, JournalEntry] = {}
        # Two queries: with OR the database may not use both indexes.
        for column, values in ((_TABLE.c.order_id, order_ids), (_TABLE.c.tag, tags)):
            if values:
                query = select(_TABLE).where(
                    column.in_(list(values)), _TABLE.c.account_id == account_id
                )
                rows |= {row.tag: row for row in await self._select(query)}
        return sorted(rows.values(), key=lambda row: (row.created_at, row.tag))

    async def sent_by(self, source: str, since: datetime) -> list[JournalEntry]:
        """Placements of a source since a time, oldest first."""
        return await self._select(
            select(_TABLE)
            .where(
                _TABLE.c.created_at >= to_micros(since),
                _TABLE.c.source == source,
                _TABLE.c.kind == "place",
            )
            .order_by(_TABLE.c.created_at, _TABLE.c.tag)
        )

    async def conversions(self) -> list[JournalEntry]:
        """Conversions of positions that were done, oldest first."""
        await self._db.flush()  # the answer of the last one may be on its way
        return await self._select(
            select(_TABLE)
            .where(_TABLE.c.kind == "convert", _TABLE.c.state == JournalState.ACKNOWLEDGED.value)
            .order_by(_TABLE.c.created_at, _TABLE.c.tag)
        )

    async def refused(self, limit: int) -> list[JournalEntry]:
        """Placements in state rejected among the newest ``limit`` entries, oldest first."""
        newest = select(_TABLE).order_by(_TABLE.c.created_at.desc()).limit(limit).subquery()
        return await self._select(
            select(newest)
            .where(newest.c.kind == "place", newest.c.state == JournalState.REJECTED.value)
            .order_by(newest.c.created_at, newest.c.tag)
        )

    async def recent(self, limit: int) -> list[JournalEntry]:
        """The newest entries, oldest of them first."""
        rows = await self._select(
            select(_TABLE).order_by(_TABLE.c.created_at.desc(), _TABLE.c.tag.desc()).limit(limit)
        )
        return rows[::-1]

    async def _select(self, query: Select[Any]) -> list[JournalEntry]:
        return await self._db.read(
            lambda connection: [_entry(row) for row in connection.execute(query)]
        )


def _entry(row: Any) -> JournalEntry:
    return JournalEntry(
        tag=row.tag,
        kind=row.kind,
        account_id=row.account_id,
        mode=Mode(row.mode),
        source=row.source,
        request=msgspec.json.decode(row.request),
        created_at=from_micros(row.created_at),
        order_id=row.order_id,
        state=JournalState(row.state),
        message=row.message,
        updated_at=None if row.updated_at is None else from_micros(row.updated_at),
    )
