"""Durable queue of requests that wait for a human (:class:`ApprovalStore`)."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Select, insert, select, update

from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.enums import ApprovalStatus
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import approvals, from_micros, to_micros

_TABLE = approvals


class ApprovalRepository:
    """Rows stay after the decision: they are part of the audit trail."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, approval: Approval) -> int:
        """Store a new row; returns the id given, once it is durable."""
        statement = insert(_TABLE).values(**approval_values(approval))

        def work(connection: Connection) -> int:
            made = connection.execute(statement).inserted_primary_key
            assert made is not None
            return int(made[0])

        return await self._db.write(work)

    async def update(self, approval: Approval) -> None:
        """Store a decision or a result; returns when it is durable."""
        statement = update(_TABLE).where(_TABLE.c.id == approval.approval_id)
        values = approval_values(approval)
        await self._db.write(lambda connection: connection.execute(statement, values).rowcount)

    async def pending(self) -> list[Approval]:
        """Rows that nobody decided on, oldest first."""
        return await self._select(
            select(_TABLE)
            .where(_TABLE.c.status == ApprovalStatus.PENDING.value)
            .order_by(_TABLE.c.id)
        )

    async def recent(self, limit: int) -> list[Approval]:
        """The newest rows of any status, newest first."""
        return await self._select(select(_TABLE).order_by(_TABLE.c.id.desc()).limit(limit))

    async def _select(self, query: Select[Any]) -> list[Approval]:
        return await self._db.read(
            lambda connection: [_approval(row) for row in connection.execute(query)]
        )


def approval_values(approval: Approval) -> dict[str, Any]:
    decided = approval.decided_at
    return {
        "kind": approval.kind,
        "payload": msgspec.json.encode(approval.payload).decode(),
        "source": approval.source,
        "created_at": to_micros(approval.created_at),
        "expires_at": to_micros(approval.expires_at),
        "prices": msgspec.json.encode(approval.prices).decode(),
        "status": approval.status.value,
        "decided_at": None if decided is None else to_micros(decided),
        "decided_by": approval.decided_by,
        "reason": approval.reason,
        "result": approval.result,
    }


def _approval(row: Any) -> Approval:
    return Approval(
        approval_id=row.id,
        kind=row.kind,
        payload=msgspec.json.decode(row.payload),
        source=row.source,
        created_at=from_micros(row.created_at),
        expires_at=from_micros(row.expires_at),
        prices=msgspec.json.decode(row.prices),
        status=ApprovalStatus(row.status),
        decided_at=None if row.decided_at is None else from_micros(row.decided_at),
        decided_by=row.decided_by,
        reason=row.reason,
        result=row.result,
    )
