"""Executions of live accounts and notes of trades, for years."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.trade_journal import Because, Execution, TradeNote
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import (
    executions,
    from_micros,
    to_micros,
    trade_notes,
    upsert,
)

_TABLE = executions
_KEYS = ("account_id", "day", "order_id", "trade_id")


class ExecutionRepository:
    """Live executions. Writes never wait: nothing is decided by them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, trade_id: str, row: Execution) -> None:
        """Store one; the same one again replaces it."""
        values = _values(trade_id, row)
        self._db.write_later(lambda connection: upsert(connection, _TABLE, _KEYS, [values]))

    def replace_order(self, rows: Sequence[tuple[str, Execution]]) -> None:
        """Store the executions of one order of one day, with their trade ids, in the place of
        what was known of it."""
        fresh = [_values(trade_id, row) for trade_id, row in rows]
        same = (_TABLE.c[name] == fresh[0][name] for name in ("account_id", "day", "order_id"))
        clear = delete(_TABLE).where(*same)

        def work(connection: Connection) -> None:
            connection.execute(clear)
            connection.execute(insert(_TABLE), fresh)

        self._db.write_later(work)

    async def all(self) -> list[Execution]:
        """All that were added so far, oldest first."""
        await self._db.flush()
        query = select(_TABLE).order_by(_TABLE.c.at, _TABLE.c.id)
        return await self._db.read(
            lambda connection: [_execution(row) for row in connection.execute(query)]
        )

    async def of_instrument(self, key: Key) -> list[Execution]:
        """Those of one instrument, oldest first."""
        await self._db.flush()
        mine = (_TABLE.c.exchange == key[0], _TABLE.c.symbol == key[1])
        query = select(_TABLE).where(*mine).order_by(_TABLE.c.at, _TABLE.c.id)
        return await self._db.read(
            lambda connection: [_execution(row) for row in connection.execute(query)]
        )

    async def of_strategy(self, strategy: str) -> list[Execution]:
        """Those of one strategy, oldest first."""
        await self._db.flush()
        mine = _TABLE.c.strategy == strategy[:255]
        query = select(_TABLE).where(mine).order_by(_TABLE.c.at, _TABLE.c.id)
        return await self._db.read(
            lambda connection: [_execution(row) for row in connection.execute(query)]
        )

    async def of_day(self, day: date) -> list[Execution]:
        """Those of one IST date."""
        query = select(_TABLE).where(_TABLE.c.day == day.isoformat()).order_by(_TABLE.c.id)
        return await self._db.read(
            lambda connection: [_execution(row) for row in connection.execute(query)]
        )


class TradeNotes:
    """Tags and notes by the id of a round trip."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def all(self) -> dict[str, TradeNote]:
        """Every note."""

        def work(connection: Connection) -> dict[str, TradeNote]:
            rows = connection.execute(select(trade_notes))
            return {
                row.trip_id: TradeNote(tuple(msgspec.json.decode(row.tags)), row.note)
                for row in rows
            }

        return await self._db.read(work)

    async def put(self, trip_id: str, note: TradeNote) -> None:
        """Store a note, durable on return; an empty one goes."""
        if not note.tags and not note.text:
            gone = delete(trade_notes).where(trade_notes.c.trip_id == trip_id)
            await self._db.write(lambda connection: connection.execute(gone).rowcount)
            return
        values = {
            "trip_id": trip_id,
            "tags": msgspec.json.encode(note.tags).decode(),
            "note": note.text,
            "updated_at": to_micros(self._clock.now()),
        }
        await self._db.write(
            lambda connection: upsert(connection, trade_notes, ("trip_id",), [values])
        )


def _values(trade_id: str, row: Execution) -> dict[str, Any]:
    return {
        "account_id": row.account_id,
        "day": row.at.astimezone(IST).date().isoformat(),
        "order_id": row.order_id,
        "trade_id": trade_id[:100],
        "symbol": row.symbol,
        "exchange": row.exchange,
        "product": row.product.value,
        "action": row.action.value,
        "quantity": row.quantity,
        "price": str(row.price),
        "at": to_micros(row.at),
        "strategy": row.strategy[:255],
        "charges": str(row.charges),
        "multiplier": str(row.multiplier),
        "because": row.because.value,
    }


def _execution(row: Any) -> Execution:
    return Execution(
        account_id=row.account_id,
        mode=Mode.LIVE,
        symbol=row.symbol,
        exchange=row.exchange,
        product=Product(row.product),
        action=Action(row.action),
        quantity=row.quantity,
        price=Decimal(row.price),
        at=from_micros(row.at),
        order_id=row.order_id,
        trade_id=row.trade_id,
        strategy=row.strategy,
        charges=Decimal(row.charges),
        multiplier=Decimal(row.multiplier),
        because=Because(row.because),
    )
