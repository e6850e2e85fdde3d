"""Made strategies, their runs, orders and events (:class:`StrategyStore`)."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Select, select

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategies.model import Definition
from openalgo_desktop.core.strategies.rows import MadeStrategy, Run, RunEvent, RunOrder
from openalgo_desktop.core.strategies.words import EventKind, RunStatus, Severity
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import (
    OPEN_RUNS,
    from_micros,
    strategies,
    strategy_events,
    strategy_orders,
    strategy_runs,
    to_micros,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

_S, _R, _O, _E = strategies.c, strategy_runs.c, strategy_orders.c, strategy_events.c
_HERE = _S.deleted_at.is_(None)
#: A definition changes, and a strategy goes, only while nothing of it runs.
_IDLE = _S.current_run_id.is_(None)


class StrategyRepository:
    """Four tables. What a later version cannot read costs that row and is logged."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # -- strategies -------------------------------------------------------------------------
    async def add(self, definition: Definition, at: datetime) -> MadeStrategy:
        """Keep a new one."""

        def work(connection: Connection) -> int:
            done = connection.execute(
                strategies.insert().values(
                    data=_text(definition),
                    status=RunStatus.STOPPED.value,
                    live_enabled=0,
                    webhook_locked=0,
                    created_at=to_micros(at),
                    updated_at=to_micros(at),
                )
            )
            return _key_of(done)

        made = await self.strategy(await self._db.write(work))
        assert made is not None
        return made

    async def define(self, strategy_id: int, definition: Definition, at: datetime) -> bool:
        """Another definition, unless a run is on; whether it was stored."""
        return await self._change(strategy_id, at, idle=True, data=_text(definition))

    async def remove(self, strategy_id: int, at: datetime) -> bool:
        """Take it off the list, unless a run is on; its webhook token ends with it."""
        return await self._change(
            strategy_id, at, idle=True, deleted_at=to_micros(at), token_digest=None
        )

    async def live(self, strategy_id: int, account: str, at: datetime) -> bool:
        """The opt-in to live in an account (empty: in none), unless a run is on."""
        fields = {"live_enabled": int(bool(account)), "live_account": account}
        return await self._change(strategy_id, at, idle=True, **fields)

    async def lock(self, strategy_id: int, locked: bool, at: datetime) -> None:
        """Whether its webhook takes nothing."""
        await self._change(strategy_id, at, webhook_locked=int(locked))

    async def token(self, strategy_id: int, digest: str, at: datetime) -> None:
        """The SHA-256 (hex) of a new webhook token."""
        await self._change(strategy_id, at, token_digest=digest)

    async def _change(
        self, strategy_id: int, at: datetime, *, idle: bool = False, **values: Any
    ) -> bool:
        change = strategies.update().where(_S.id == strategy_id, _HERE)
        if idle:
            change = change.where(_IDLE)
        change = change.values(updated_at=to_micros(at), **values)
        return bool(await self._db.write(lambda link: link.execute(change).rowcount))

    async def strategy(self, strategy_id: int) -> MadeStrategy | None:
        """One of them, or None."""
        found = await self._made(select(strategies).where(_S.id == strategy_id, _HERE))
        return found[0] if found else None

    async def of_token(self, digest: str) -> MadeStrategy | None:
        """The one whose webhook token has this SHA-256, or None."""
        found = await self._made(select(strategies).where(_S.token_digest == digest, _HERE))
        return found[0] if found else None

    async def strategies(self) -> list[MadeStrategy]:
        """All of them, newest first."""
        return await self._made(select(strategies).where(_HERE).order_by(_S.id.desc()))

    async def _made(self, query: Select[Any]) -> list[MadeStrategy]:
        def work(connection: Connection) -> list[MadeStrategy]:
            found = []
            for row in connection.execute(query).mappings():
                definition = _read(row["data"], Definition)
                if definition is None:
                    continue
                found.append(
                    MadeStrategy(
                        strategy_id=row["id"],
                        definition=definition,
                        live_enabled=bool(row["live_enabled"]),
                        live_account=row["live_account"],
                        webhook_locked=bool(row["webhook_locked"]),
                        has_webhook=row["token_digest"] is not None,
                        status=RunStatus(row["status"]),
                        current_run_id=row["current_run_id"],
                        last_finalized_run=row["last_finalized_run"],
                        created_at=from_micros(row["created_at"]),
                        updated_at=from_micros(row["updated_at"]),
                    )
                )
            return found

        return await self._db.read(work)

    # -- runs -------------------------------------------------------------------------------
    async def claim(self, run: Run) -> int | None:
        """Begin a run: the strategy is taken by one conditional update, so that of several who
        want to start it one does."""

        def work(connection: Connection) -> int | None:
            take = strategies.update().where(_S.id == run.strategy_id, _HERE, _IDLE)
            if run.mode is Mode.LIVE:
                take = take.where(_S.live_enabled == 1, _S.live_account == run.account_id)
            # -1 until the run has its number: nobody else passes the condition meanwhile
            taken = connection.execute(
                take.values(
                    status=RunStatus.RUNNING.value,
                    current_run_id=-1,
                    updated_at=to_micros(run.started_at),
                )
            )
            if not taken.rowcount:
                return None
            run_id = _key_of(
                connection.execute(
                    strategy_runs.insert().values(
                        strategy_id=run.strategy_id,
                        started_at=to_micros(run.started_at),
                        data="",
                        state="",
                    )
                )
            )
            made = msgspec.structs.replace(run, run_id=run_id)
            connection.execute(
                strategy_runs.update().where(_R.id == run_id).values(data=_text(made))
            )
            connection.execute(
                strategies.update().where(_S.id == run.strategy_id).values(current_run_id=run_id)
            )
            return run_id

        return await self._db.write(work)

    async def paused(self, strategy_id: int, run_id: int, status: RunStatus) -> bool:
        """Running or paused, of the run that is on; whether it still is."""
        change = (
            strategies.update()
            .where(_S.id == strategy_id, _S.current_run_id == run_id)
            .values(status=status.value)
        )
        return bool(await self._db.write(lambda link: link.execute(change).rowcount))

    async def keep(self, run: Run, state: bytes) -> None:
        """A run as it is now, with its checkpoint."""
        values = {"data": _text(run), "state": state.decode()}
        change = strategy_runs.update().where(_R.id == run.run_id).values(values)
        await self._db.write(lambda link: link.execute(change))

    async def finish(self, run: Run, state: bytes, status: RunStatus) -> None:
        """A run is over; its strategy is free for another one."""
        assert run.stopped_at is not None
        at = to_micros(run.stopped_at)
        values = {"data": _text(run), "state": state.decode(), "stopped_at": at}
        over = strategy_runs.update().where(_R.id == run.run_id).values(values)
        free = (
            strategies.update()
            .where(_S.id == run.strategy_id, _S.current_run_id == run.run_id)
            .values(
                status=status.value,
                current_run_id=None,
                last_finalized_run=run.run_id,
                updated_at=at,
            )
        )

        def work(connection: Connection) -> None:
            connection.execute(over)
            connection.execute(free)

        await self._db.write(work)

    async def run(self, run_id: int) -> Run | None:
        """One run, or None."""
        found = await self._rows(select(_R.data).where(_R.id == run_id), Run)
        return found[0] if found else None

    async def runs(self, strategy_id: int, limit: int) -> list[Run]:
        """Newest first."""
        query = select(_R.data).where(_R.strategy_id == strategy_id)
        return await self._rows(query.order_by(_R.id.desc()).limit(limit), Run)

    async def runs_since(self, strategy_id: int, moment: datetime) -> list[Run]:
        """Those that began or ended since, or are on, newest first."""
        since = to_micros(moment)
        late = (_R.started_at >= since) | (_R.stopped_at >= since) | _R.stopped_at.is_(None)
        query = select(_R.data).where(_R.strategy_id == strategy_id, late)
        return await self._rows(query.order_by(_R.id.desc()), Run)

    async def open_runs(self) -> list[tuple[Run, bytes]]:
        """Runs that are not over, with their checkpoints, oldest first."""
        query = select(_R.data, _R.state).where(OPEN_RUNS).order_by(_R.id)

        def work(connection: Connection) -> list[tuple[Run, bytes]]:
            found = []
            for data, state in connection.execute(query):
                if (run := _read(data, Run)) is not None:
                    found.append((run, str(state).encode()))
            return found

        return await self._db.read(work)

    # -- orders and events --------------------------------------------------------------------
    async def add_order(self, order: RunOrder, strategy_id: int) -> int:
        """Its row id."""

        def work(connection: Connection) -> int:
            row_id = _key_of(
                connection.execute(
                    strategy_orders.insert().values(
                        strategy_id=strategy_id, run_id=order.run_id, data=""
                    )
                )
            )
            made = msgspec.structs.replace(order, row_id=row_id)
            connection.execute(
                strategy_orders.update().where(_O.id == row_id).values(data=_text(made))
            )
            return row_id

        return await self._db.write(work)

    async def put_order(self, order: RunOrder) -> None:
        """An order as it is now."""
        change = strategy_orders.update().where(_O.id == order.row_id).values(data=_text(order))
        await self._db.write(lambda link: link.execute(change))

    async def orders(self, strategy_id: int, run_id: int | None) -> list[RunOrder]:
        """Oldest first; of one run where it is given."""
        query = select(_O.data).where(_O.strategy_id == strategy_id)
        if run_id is not None:
            query = query.where(_O.run_id == run_id)
        return await self._rows(query.order_by(_O.id), RunOrder)

    async def tell(self, event: RunEvent) -> RunEvent:
        """Keep an event; it comes back with its id."""

        def work(connection: Connection) -> RunEvent:
            event_id = _key_of(
                connection.execute(
                    strategy_events.insert().values(
                        strategy_id=event.strategy_id,
                        run_id=event.run_id,
                        kind=event.kind.value,
                        severity=event.severity.value,
                        data="",
                    )
                )
            )
            made = msgspec.structs.replace(event, event_id=event_id)
            connection.execute(
                strategy_events.update().where(_E.id == event_id).values(data=_text(made))
            )
            return made

        return await self._db.write(work)

    async def events(
        self,
        strategy_id: int,
        run_id: int | None,
        kind: EventKind | None,
        severity: Severity | None,
        limit: int,
    ) -> list[RunEvent]:
        """Newest first."""
        query = select(_E.data).where(_E.strategy_id == strategy_id)
        if run_id is not None:
            query = query.where(_E.run_id == run_id)
        if kind is not None:
            query = query.where(_E.kind == kind.value)
        if severity is not None:
            query = query.where(_E.severity == severity.value)
        return await self._rows(query.order_by(_E.id.desc()).limit(limit), RunEvent)

    async def _rows(self, query: Select[Any], kind: type[T]) -> list[T]:
        def work(connection: Connection) -> list[T]:
            rows = (_read(text, kind) for text in connection.scalars(query))
            return [row for row in rows if row is not None]

        return await self._db.read(work)


def _text(row: msgspec.Struct) -> str:
    return msgspec.json.encode(row, enc_hook=_plain).decode()


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def _read(text: str, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        log.error("a stored %s cannot be read: %s", kind.__name__, error)
        return None


def _key_of(done: Any) -> int:
    return int(done.inserted_primary_key[0])
