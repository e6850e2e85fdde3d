"""The log of webhooks (:class:`openalgo_desktop.core.webhook_log.WebhookLog`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from openalgo_desktop.core.strategies.webhook import HookResult
from openalgo_desktop.core.webhook_log import KEPT, WebhookEvent
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import alerts, from_micros, to_micros, webhook_events

_T = webhook_events.c


class WebhookLogRepository:
    """One table; the results of queued orders come from the table of those."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, event: WebhookEvent) -> int:
        """Store a row and let go of the oldest of its strategy; its id when it is durable."""
        return await self._db.write(lambda connection: add_event(connection, event))

    async def finish(
        self, event_id: int, result: HookResult, status: int, message: str, run_id: int | None
    ) -> None:
        """Say what became of a row that was taken."""
        change = (
            update(webhook_events)
            .where(_T.id == event_id)
            .values(result=result.value, status=status, message=message, run_id=run_id)
        )
        await self._db.write(lambda connection: connection.execute(change).rowcount)

    async def recent(self, strategy: str, limit: int) -> list[WebhookEvent]:
        """Rows of one strategy, newest first, with the outcome of their orders."""
        query = select(webhook_events).where(_T.strategy == strategy)
        return await self._rows(query.order_by(_T.id.desc()).limit(limit))

    async def latest(self, limit: int) -> list[WebhookEvent]:
        """Rows of all, newest first."""
        return await self._rows(select(webhook_events).order_by(_T.id.desc()).limit(limit))

    async def taken(self) -> list[WebhookEvent]:
        """Rows whose end is not known, oldest first."""
        query = select(webhook_events).where(_T.result == HookResult.TAKEN.value)
        return await self._rows(query.order_by(_T.id))

    async def _rows(self, query: Select[Any]) -> list[WebhookEvent]:
        def work(connection: Connection) -> list[WebhookEvent]:
            rows = connection.execute(query).all()
            return [_event(row, _outcome(connection, row)) for row in rows]

        return await self._db.read(work)


def add_event(connection: Connection, event: WebhookEvent) -> int:
    """The same within somebody's transaction."""
    values = {
        "received_at": to_micros(event.received_at),
        "strategy": event.strategy,
        "name": event.name,
        "action": event.action,
        "mode": event.mode,
        "client": event.client,
        "said": event.said,
        "result": event.result.value,
        "status": event.status,
        "message": event.message,
        "run_id": event.run_id,
        "first_order": event.first_order,
        "last_order": event.last_order,
    }
    oldest = (
        select(_T.id)
        .where(_T.strategy == event.strategy)
        .order_by(_T.id.desc())
        .offset(KEPT)
        .limit(1)
        .scalar_subquery()
    )
    made = connection.execute(insert(webhook_events).values(**values)).inserted_primary_key
    assert made is not None
    connection.execute(delete(webhook_events).where(_T.strategy == event.strategy, _T.id <= oldest))
    return int(made[0])


def _outcome(connection: Connection, row: Any) -> str:
    if row.first_order is None:
        return ""
    query = (
        select(alerts.c.state, alerts.c.result)
        .where(alerts.c.id.between(row.first_order, row.last_order))
        .order_by(alerts.c.id)
    )
    return "; ".join(found.result or found.state for found in connection.execute(query))


def _event(row: Any, outcome: str) -> WebhookEvent:
    return WebhookEvent(
        event_id=row.id,
        received_at=from_micros(row.received_at),
        strategy=row.strategy,
        name=row.name,
        action=row.action,
        mode=row.mode,
        client=row.client,
        said=row.said,
        result=HookResult(row.result),
        status=row.status,
        message=row.message,
        run_id=row.run_id,
        first_order=row.first_order,
        last_order=row.last_order,
        outcome=outcome,
    )
