"""Durable queue of the orders of webhook alerts (:class:`AlertStore`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from openalgo_desktop.core.api_rows import Alert, Approval
from openalgo_desktop.core.enums import AlertState
from openalgo_desktop.core.webhook_log import WebhookEvent
from openalgo_desktop.storage.approvals import approval_values
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import (
    UNFINISHED,
    alerts,
    approvals,
    from_micros,
    order_journal,
    to_micros,
)
from openalgo_desktop.storage.webhook_log import add_event

_TABLE = alerts


class AlertRepository:
    """One row for each order; a row is never sent twice, whoever stops in between."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, alerts: Sequence[Alert], event: WebhookEvent | None = None) -> list[int]:
        """Store new rows, all or none, and the row of the log of webhooks that tells of them;
        returns their ids once they are durable."""
        rows = [_values(alert) for alert in alerts]

        def work(connection: Connection) -> list[int]:
            numbers = [_inserted(connection, insert(_TABLE).values(**row)) for row in rows]
            if event is not None:
                told = msgspec.structs.replace(
                    event, first_order=numbers[0], last_order=numbers[-1]
                )
                add_event(connection, told)
            return numbers

        return await self._db.write(work)

    async def begin(self, alert_id: int, at: datetime) -> None:
        """Say that sending begins; returns when it is durable."""
        await self._set(alert_id, state=AlertState.SENDING.value, began_at=to_micros(at))

    async def finish(self, alert_id: int, result: str) -> None:
        """Say what came of it; returns when it is durable."""
        await self._set(alert_id, state=AlertState.DONE.value, result=result)

    async def _set(self, alert_id: int, **values: Any) -> None:
        statement = update(_TABLE).where(_TABLE.c.id == alert_id).values(**values)
        await self._db.write(lambda connection: connection.execute(statement).rowcount)

    async def unfinished(self) -> list[Alert]:
        """Rows that are waiting or were being sent, oldest first."""
        query = select(_TABLE).where(UNFINISHED).order_by(_TABLE.c.id)
        return await self._db.read(
            lambda connection: [_alert(row) for row in connection.execute(query)]
        )

    async def was_sent(self, alert: Alert) -> bool:
        """Whether the journal or the action centre has it: an order of that source, instrument
        and side since sending began. Without one nothing left, for an intent is durable before
        the gateway hears of the order."""
        if alert.began_at is None:
            return False
        began, payload = to_micros(alert.began_at), alert.payload
        orders = select(order_journal.c.request).where(
            order_journal.c.created_at >= began,
            order_journal.c.source == alert.source,
            order_journal.c.kind == "place",
        )
        queued = select(approvals.c.payload).where(
            approvals.c.created_at >= began, approvals.c.source == alert.source
        )
        names = ["symbol", "exchange", "product"]
        if alert.kind == "placeorder":
            names.append("action")  # that of an order to a position size follows the position

        def work(connection: Connection) -> bool:
            sent = (msgspec.json.decode(text) for text in connection.scalars(orders))
            if any(all(row.get(name) == payload[name] for name in names) for row in sent):
                return True
            return any(msgspec.json.decode(text) == payload for text in connection.scalars(queued))

        return await self._db.read(work)

    async def hold(self, held: Sequence[tuple[int, Approval]]) -> list[Approval]:
        """Give rows to a human: in one commit they are held and in the action centre."""

        def work(connection: Connection) -> list[Approval]:
            found = []
            for alert_id, approval in held:
                number = _inserted(
                    connection, insert(approvals).values(**approval_values(approval))
                )
                connection.execute(
                    update(_TABLE)
                    .where(_TABLE.c.id == alert_id)
                    .values(state=AlertState.HELD.value, result=f"action centre, request {number}")
                )
                found.append(msgspec.structs.replace(approval, approval_id=number))
            return found

        return await self._db.write(work)

    async def seen_since(self, moment: datetime) -> list[tuple[str, datetime]]:
        """Fingerprints of alerts since then, with their times, oldest first."""
        query = (
            select(_TABLE.c.fingerprint, _TABLE.c.received_at)
            .where(_TABLE.c.received_at >= to_micros(moment))
            .order_by(_TABLE.c.id)
        )
        return await self._db.read(
            lambda connection: [
                (row.fingerprint, from_micros(row.received_at)) for row in connection.execute(query)
            ]
        )

    async def forget_before(self, moment: datetime) -> None:
        """Delete finished rows of older alerts; their orders are in the journal."""
        statement = delete(_TABLE).where(
            _TABLE.c.received_at < to_micros(moment),
            _TABLE.c.state.in_((AlertState.DONE.value, AlertState.HELD.value)),
        )
        await self._db.write(lambda connection: connection.execute(statement).rowcount)


def _inserted(connection: Connection, statement: Any) -> int:
    made = connection.execute(statement).inserted_primary_key
    assert made is not None
    return int(made[0])


def _values(alert: Alert) -> dict[str, Any]:
    return {
        "kind": alert.kind,
        "payload": msgspec.json.encode(alert.payload).decode(),
        "source": alert.source,
        "fingerprint": alert.fingerprint,
        "received_at": to_micros(alert.received_at),
        "state": alert.state.value,
        "began_at": None if alert.began_at is None else to_micros(alert.began_at),
        "result": alert.result,
    }


def _alert(row: Any) -> Alert:
    return Alert(
        alert_id=row.id,
        kind=row.kind,
        payload=msgspec.json.decode(row.payload),
        source=row.source,
        fingerprint=row.fingerprint,
        received_at=from_micros(row.received_at),
        state=AlertState(row.state),
        began_at=None if row.began_at is None else from_micros(row.began_at),
        result=row.result,
    )
